//! Checks whether a document is consistent: its evidence is judged and its figures are derived again, both by the rules that it names,
//! and its digests and proofs of work are recomputed.

use super::derived::{Derived, RowFigures, RunVerdict, Verdict};
use super::document::SCHEMA_VERSION;
use super::judge::{Depth, is_of_this_program, judge};
use super::newer::OrNewer;
use super::read::ParsedDocument;
use super::rules::Rules;
use super::{beacon, conditions, derive, difference, seed_of};
use crate::device::hardware::Cards;
use difference::Differences;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Findings in a document.
#[derive(Debug, Default)]
pub struct Findings {
    /// Contradictions, each with its path. The document is consistent if there are none.
    pub faults: Vec<String>,
    /// Remarks for the reader.
    pub notes: Vec<String>,
    /// Rows for which the current rules give other figures than the rules that the file names.
    pub changed: Vec<String>,
}

/// Judges a document.
pub fn validate(given: &ParsedDocument, depth: Depth) -> Findings {
    validate_with(Rules::all(), Cards::published(), given, depth)
}

/// Judges a document by these versions of the rules (at least one, the newest last) and by published specifications of cards.
pub fn validate_with(
    all: &[Rules],
    cards: &Cards,
    given: &ParsedDocument,
    depth: Depth,
) -> Findings {
    let today = all.last().expect("there are rules");
    let mut findings = Findings::default();
    let ParsedDocument { evidence, schema_version, newer, sha256, proof, bound, .. } = given;
    if *newer {
        findings.notes.push(format!(
            "version {schema_version} wrote it: what {SCHEMA_VERSION} does not know of it was not judged"
        ));
    }
    if let Some(computed) = sha256.as_ref().filter(|computed| **computed != proof.document_sha256) {
        findings.faults.push(format!(
            "proof.document_sha256 is {}, computed again it is {computed}",
            proof.document_sha256
        ));
    }
    let rules = match all.iter().find(|rules| rules.version == given.rules) {
        Some(rules) => rules,
        None if given.rules > today.version => {
            findings.notes.push(format!(
                "rules {} are newer than this rigbench, which knows them up to {}: its figures are not compared",
                given.rules, today.version
            ));
            today
        }
        None => {
            findings.faults.push(format!("rules: there never were rules {}", given.rules));
            today
        }
    };
    let derived = derive(evidence, rules);
    let judged = judge(evidence, seed_of(bound), rules, cards, *newer, depth);
    notes(given, &derived, judged.of_seed, &mut findings);
    findings.faults.extend(judged.faults);
    // Newer rules may have other constants.
    if given.rules > rules.version {
        let note = |fault| format!("rules {} would not allow this: {fault}", rules.version);
        findings.notes.extend(judged.by_rule.iter().map(note));
    } else {
        findings.faults.extend(judged.by_rule);
    }
    findings.notes.extend(judged.notes);
    if rules.version == given.rules {
        findings.faults.extend(mismatches(given, &derived));
    }
    if rules.version != today.version {
        findings.changed = changed(given, &derived, today);
    }
    findings
}

/// Adds remarks for the reader, and the verdict on the beacon.
fn notes(given: &ParsedDocument, derived: &Derived, of_seed: bool, findings: &mut Findings) {
    let evidence = &given.evidence;
    let gpu = evidence.manifest.devices().any(|device| device.gpu.is_some());
    findings.notes.extend(conditions(&evidence.manifest, gpu));
    if !is_of_this_program(evidence) {
        findings.notes.push(format!(
            "rigbench {} made it, with other kernels than this one's: they were not compared",
            evidence.manifest.rigbench.version
        ));
    }
    let verdict = match derived.run.verdict {
        Verdict::Incomplete => "incomplete",
        Verdict::Valid | Verdict::Invalid => "invalid",
    };
    let reasons = derived.run.reasons.iter().filter_map(OrNewer::known);
    findings.notes.extend(reasons.map(|reason| format!("{verdict}: {reason}")));
    let rows = evidence.rows.iter().zip(&derived.rows);
    for (row, figures) in rows {
        match (row, figures) {
            (OrNewer::Known(row), OrNewer::Known(figures)) => {
                let invalid = figures.verdict == Verdict::Invalid;
                if invalid {
                    let why = figures.reasons_in_words();
                    findings.notes.push(format!("invalid: {}: {why}", row.label()));
                }
            }
            _ => findings.notes.push(format!("from a newer rigbench: {}", row.summary())),
        }
    }
    for (place, source) in evidence.manifest.sources.iter().enumerate() {
        let meter = source.known().and_then(|source| source.meter());
        let read =
            || evidence.known_rows().flat_map(|row| &row.readings).any(|r| r.source == place);
        let idle = || evidence.baselines.iter().any(|baseline| baseline.source == place);
        if let Some(info) = meter.filter(|_| read() && !idle()) {
            findings.notes.push(format!(
                "source {place}, {}, was not read at idle: it has no net joules",
                info.kind
            ));
        }
    }
    if let Some(challenge) = &evidence.challenge {
        let unproven = if of_seed { "" } else { "; no work that was checked depends on it" };
        findings.notes.push(format!("challenge: {challenge}{unproven}"));
    }
    if let Some(hex) = &evidence.beacon {
        match beacon::judge(hex, evidence.run.started_at) {
            Ok(note) if of_seed => findings.notes.push(note),
            Ok(_) => findings.notes.push("beacon: no work that was checked depends on it".into()),
            Err(fault) => findings.faults.push(format!("evidence.beacon: {fault}")),
        }
    }
}

/// All differences between the stated figures and those derived from the evidence. Missing members and unknown content are ignored.
fn mismatches(given: &ParsedDocument, derived: &Derived) -> Vec<String> {
    let mut derived = serde_json::to_value(derived).expect("plain data");
    if given.stated == derived {
        return Vec::new();
    }
    let mut stated = given.stated.clone();
    if given.newer {
        remove_underivable(given, &mut stated, &mut derived);
        // Figures of rows that are none of this version's.
        if let Some(rows) = stated["rows"].as_array_mut() {
            rows.truncate(given.evidence.rows.len());
        }
    }
    let Differences { told, more } = difference::differences(&stated, &derived);
    let only_stated = difference::only_in(&known(&stated), &derived);
    let listed = told.into_iter().map(|(path, stated, computed)| {
        format!(
            "derived.{path}: {stated} does not follow from the evidence, which gives {computed}"
        )
    });
    let extra = only_stated.into_iter().map(|(path, stated)| {
        format!("derived.{path}: {stated} does not follow from the evidence, which gives nothing")
    });
    let mut faults: Vec<String> = listed.chain(extra).collect();
    if more > 0 {
        faults.push(format!("derived: {more} more figures do not follow from the evidence"));
    }
    faults
}

/// The part of the stated figures that this version knows.
fn known(stated: &Value) -> Value {
    fn read<T: DeserializeOwned + Serialize>(value: &Value) -> Value {
        let value = serde_json::from_value::<T>(value.clone());
        value.map_or(Value::Null, |value| serde_json::to_value(value).expect("plain data"))
    }
    let rows = stated["rows"].as_array().into_iter().flatten();
    json!({
        "rows": rows.map(read::<RowFigures>).collect::<Vec<_>>(),
        "run": read::<RunVerdict>(&stated["run"]),
    })
}

/// Removes what cannot be derived without unreadable rows: their figures, figures that depend on them, and the verdict of the run.
fn remove_underivable(given: &ParsedDocument, stated: &mut Value, derived: &mut Value) {
    let rows = &given.evidence.rows;
    let unread: Vec<usize> = (0..rows.len()).filter(|&i| rows[i].known().is_none()).collect();
    let run = serde_json::from_value::<RunVerdict>(stated["run"].clone());
    let run = run.is_ok_and(|run| run.reasons.iter().all(|reason| reason.known().is_some()));
    for value in [stated, derived] {
        if !unread.is_empty() || !run {
            value["run"] = Value::Null;
        }
        let Some(figures) = value["rows"].as_array_mut() else { continue };
        for (i, figures) in figures.iter_mut().enumerate() {
            if unread.contains(&i) {
                *figures = Value::Null;
            } else if !unread.is_empty() {
                remove_cross_row_figures(figures);
            }
        }
    }
}

/// Removes the figures of a row that depend on other rows: ceilings and queries.
fn remove_cross_row_figures(figures: &mut Value) {
    let Some(members) = figures.as_object_mut() else { return };
    members.remove("ceilings");
    members.remove("query");
    let Some(reasons) = members.get_mut("reasons").and_then(Value::as_array_mut) else { return };
    let before = reasons.len();
    reasons.retain(|reason| reason["code"] != "above-ceiling");
    if reasons.is_empty() && before > 0 {
        members.insert("verdict".into(), "valid".into());
    }
}

/// Rows whose headline or verdict changes under the current rules.
fn changed(given: &ParsedDocument, old: &Derived, today: &Rules) -> Vec<String> {
    let new = derive(&given.evidence, today);
    let rows = given.evidence.rows.iter().zip(old.rows.iter().zip(&new.rows));
    rows.filter_map(|(row, (old, new))| {
        let (row, old, new) = (row.known()?, old.known()?, new.known()?);
        let what = change(old, new)?;
        Some(format!("{}: by today's rules ({}) {what}", row.label(), today.version))
    })
    .collect()
}

/// What the new figures change of a row's verdict or headline, in words.
fn change(old: &RowFigures, new: &RowFigures) -> Option<String> {
    match (old.verdict, new.verdict) {
        (Verdict::Valid, Verdict::Invalid) => {
            return Some(format!("it is invalid: {}", new.reasons_in_words()));
        }
        (Verdict::Invalid, Verdict::Valid) => {
            return Some(format!("it is valid; it was not: {}", old.reasons_in_words()));
        }
        _ => {}
    }
    let rate = old.throughput != new.throughput;
    let joules = old.energy.joules_per_unit != new.energy.joules_per_unit;
    match (rate, joules) {
        (true, true) => Some("its throughput and its joules are others".into()),
        (true, false) => Some("its throughput is another".into()),
        (false, true) => Some("its joules are others".into()),
        (false, false) => None,
    }
}
