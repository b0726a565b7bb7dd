//! Checks whether a document is consistent: its evidence is judged and its figures are derived again, both by the rules that it names,
//! and its digests and proofs of work are recomputed.

use super::derived::{Derived, RowFigures, RunVerdict, Verdict};
use super::difference::differences;
use super::document::SCHEMA_VERSION;
use super::judge::{Depth, Judge, judge};
use super::newer::OrNewer;
use super::read::ParsedDocument;
use super::rules::Rules;
use super::{beacon, derive};
use crate::device::hardware::Cards;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
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
    /// Whether work that depends on the run's seed was computed again.
    pub verified: bool,
    /// Whether there are rows and all of them are of a newer version.
    pub unknown: bool,
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
    let stated_sha256 = &given.proof.document_sha256;
    if given.newer {
        findings.notes.push(format!(
            "version {} wrote it: what {SCHEMA_VERSION} does not know of it was not judged",
            given.schema_version
        ));
    }
    if let Some(computed) = given.sha256.as_ref().filter(|computed| *computed != stated_sha256) {
        findings.faults.push(format!(
            "proof.document_sha256 is {stated_sha256}, computed again it is {computed}"
        ));
    }
    let named = all.iter().find(|rules| rules.version == given.rules);
    let rules = named.unwrap_or(today);
    if given.rules > today.version {
        findings.notes.push(format!(
            "rules {} are newer than this rigbench, which knows them up to {}: its figures are not compared",
            given.rules, today.version
        ));
    } else if named.is_none() {
        findings.faults.push(format!("rules: unknown rules version {}", given.rules));
    }
    let derived = derive(&given.evidence, rules);
    let judged = judge(&given.evidence, given.seed, rules, cards, given.newer, depth);
    remarks(given, &derived, &judged, &mut findings);
    findings.verified = judged.of_seed;
    let rows = &given.evidence.rows;
    findings.unknown = !rows.is_empty() && rows.iter().all(|row| row.known().is_none());
    findings.faults.extend(judged.faults);
    // Newer rules may have other constants.
    if given.rules > rules.version {
        let note = |fault| format!("rules {} would not allow this: {fault}", rules.version);
        findings.notes.extend(judged.by_rule.iter().map(note));
    } else {
        findings.faults.extend(judged.by_rule);
    }
    findings.notes.extend(judged.notes);
    if named.is_some() {
        findings.faults.extend(mismatches(given, &derived));
    }
    if rules.version != today.version {
        findings.changed = changes(given, &derived, today);
    }
    findings
}

/// Adds remarks on the run's conditions, verdict and rows, and what challenge and beacon show.
fn remarks(given: &ParsedDocument, derived: &Derived, judged: &Judge, findings: &mut Findings) {
    let (evidence, Findings { notes, faults, .. }) = (&given.evidence, findings);
    let gpu = evidence.manifest.devices().any(|device| device.gpu.is_some());
    notes.extend(evidence.manifest.conditions(gpu));
    if !judged.same_program {
        notes.push(format!(
            "rigbench {} made it, with other kernels than this one's: they were not compared",
            evidence.manifest.rigbench.version
        ));
    }
    let verdict = derived.run.verdict.into_str();
    let reasons = derived.run.reasons.iter().filter_map(OrNewer::known);
    notes.extend(reasons.map(|reason| format!("{verdict}: {reason}")));
    for (row, figures) in evidence.rows.iter().zip(&derived.rows) {
        match (row.known(), figures.known()) {
            (Some(row), Some(figures)) if figures.verdict == Verdict::Invalid => {
                notes.push(format!("invalid: {}: {}", row.label(), figures.reasons_in_words()));
            }
            (Some(_), Some(_)) => {}
            _ => notes.push(format!("from a newer rigbench: {}", row.summary())),
        }
    }
    for (place, source) in evidence.manifest.sources.iter().enumerate() {
        let mut readings = evidence.known_rows().flat_map(|row| &row.readings);
        if let Some(info) = source.known().and_then(|source| source.meter())
            && readings.any(|readings| readings.source == place)
            && evidence.baselines.iter().all(|baseline| baseline.source != place)
        {
            notes.push(format!(
                "source {place}, {}, was not read at idle: it has no net joules",
                info.kind
            ));
        }
    }
    if let Some(challenge) = &evidence.challenge {
        let unproven = if judged.of_seed { "" } else { "; no work that was checked depends on it" };
        notes.push(format!("challenge: {challenge}{unproven}"));
    }
    match evidence.beacon.as_ref().map(|hex| beacon::judge(hex, evidence.run.started_at)) {
        None => {}
        Some(Ok(note)) if judged.of_seed => notes.push(note),
        Some(Ok(_)) => notes.push("beacon: no work that was checked depends on it".into()),
        Some(Err(fault)) => faults.push(format!("evidence.beacon: {fault}")),
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
    let found = differences(&stated, &derived);
    let fault = |path, stated, computed| {
        format!(
            "derived.{path}: {stated} does not follow from the evidence, which gives {computed}"
        )
    };
    let listed = found.listed.into_iter().map(|(path, here, there)| fault(path, here, there));
    let extra = differences(&known(&stated), &derived).only_here.into_iter();
    let extra = extra.map(|(path, stated)| fault(path, stated, "nothing".into()));
    let more = (found.more > 0)
        .then(|| format!("derived: {} more figures do not follow from the evidence", found.more));
    listed.chain(extra).chain(more).collect()
}

/// The part of the stated figures that this version knows.
fn known(stated: &Value) -> Value {
    fn read<T: DeserializeOwned + Serialize>(value: &Value) -> Value {
        T::deserialize(value).map_or(Value::Null, |value| json!(value))
    }
    let rows = stated["rows"].as_array().into_iter().flatten();
    json!({
        "rows": rows.map(read::<RowFigures>).collect::<Vec<_>>(),
        "run": read::<RunVerdict>(&stated["run"]),
    })
}

/// Removes what cannot be derived without unreadable rows: their figures and the verdict of the run; and figures that depend on several
/// rows, whose conditions this version may be unable to tell apart.
fn remove_underivable(given: &ParsedDocument, stated: &mut Value, derived: &mut Value) {
    let rows = &given.evidence.rows;
    let unread: Vec<usize> = (0..rows.len()).filter(|&i| rows[i].known().is_none()).collect();
    let run = RunVerdict::deserialize(&stated["run"]);
    let run = run.is_ok_and(|run| run.reasons.iter().all(|reason| reason.known().is_some()));
    for value in [stated, derived] {
        if !unread.is_empty() || !run {
            value["run"] = Value::Null;
        }
        for (i, figures) in value["rows"].as_array_mut().into_iter().flatten().enumerate() {
            if unread.contains(&i) {
                *figures = Value::Null;
            } else {
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
fn changes(given: &ParsedDocument, old: &Derived, today: &Rules) -> Vec<String> {
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
    let rate = old.throughput != new.throughput;
    let joules = old.energy.joules_per_unit != new.energy.joules_per_unit;
    Some(match (old.verdict, new.verdict) {
        (Verdict::Valid, Verdict::Invalid) => format!("it is invalid: {}", new.reasons_in_words()),
        (Verdict::Invalid, Verdict::Valid) => {
            format!("it is valid; it was not: {}", old.reasons_in_words())
        }
        _ if rate && joules => "its throughput and its joules differ".into(),
        _ if rate => "its throughput differs".into(),
        _ if joules => "its joules differ".into(),
        _ => return None,
    })
}
