//! Compares two documents: the change of throughput and joules of each row, whether it is significant, and which rows are not comparable.

mod change;
mod comparison;
mod key;

pub use comparison::{Change, Comparison, KeyField, Pair, Refused, RowName, Side};

use super::derived::Verdict;
use super::document::{Document, Outcome};
use super::manifest::Manifest;
use super::newer::OrNewer;
use super::reason::RunReason;
use super::view::View;
use key::Pairs;
use std::collections::BTreeSet;
use std::fmt::Display;

/// Compares `new` with `base`. With a gate, in percent, it also determines which rows regress beyond it, and which rows of the base cannot
/// be judged.
pub fn compare(base: &Document, new: &Document, gate_percent: Option<f64>) -> Comparison {
    let [base_rows, new_rows] = [base, new].map(|document| View::all(document).collect::<Vec<_>>());
    let Pairs { pairs, base_only, new_only } = Pairs::of(&base_rows, &new_rows);
    let mut comparison = Comparison {
        base: side(base),
        new: side(new),
        differs: runs_differ(&base.evidence.manifest, &new.evidence.manifest),
        gate_percent,
        pairs: Vec::new(),
        refused: Vec::new(),
        base_only: base_only.into_iter().map(|i| RowName::of(base_rows[i])).collect(),
        new_only: new_only.into_iter().map(|i| RowName::of(new_rows[i])).collect(),
        past_gate: None,
        not_judged: Vec::new(),
    };
    for (i, j) in pairs {
        match pair(base_rows[i], new_rows[j], gate_percent) {
            Ok(pair) => comparison.pairs.push(pair),
            Err((reason, fields)) => {
                let (base, new) = (RowName::of(base_rows[i]), RowName::of(new_rows[j]));
                comparison.refused.push(Refused { base, new, reason, fields });
            }
        }
    }
    if gate_percent.is_some() {
        let is_past = |change: &Change| change.past_gate == Some(true);
        comparison.past_gate = Some(comparison.pairs.iter().flat_map(changes).any(is_past));
        comparison.not_judged = not_judged(&comparison);
    }
    comparison
}

fn changes(pair: &Pair) -> impl Iterator<Item = &Change> {
    std::iter::once(&pair.throughput).chain(&pair.joules_per_unit)
}

/// A regression in an invalid row counts; the absence of one does not.
fn not_judged(comparison: &Comparison) -> Vec<String> {
    let invalid = comparison.pairs.iter().filter(|pair| !pair.invalid.is_empty());
    let invalid = invalid.map(|pair| format!("{}: {}", pair.base, pair.invalid.join("; ")));
    let unsure = |pair: &&Pair| changes(pair).any(|change| change.p.is_none());
    let short = comparison.pairs.iter().filter(unsure);
    let short = short.map(|pair| format!("{}: too few windows for an interval", pair.base));
    let refused = comparison.refused.iter().map(|row| format!("{}: {}", row.base, row.reason));
    let unpaired = comparison.base_only.iter().map(|row| format!("{row}: missing in the new run"));
    invalid.chain(short).chain(refused).chain(unpaired).collect()
}

/// Compares two rows, or says why they are not comparable and which fields of their keys differ.
fn pair(base: View, new: View, gate: Option<f64>) -> Result<Pair, (String, Vec<KeyField>)> {
    let fields = key::key_differences(base, new);
    let measured = |view: View| view.row.outcome == Outcome::Measured;
    // A row without figures has no joules either: its outcome is a better explanation than its key.
    if !fields.is_empty()
        && (base.row.workload != new.row.workload || measured(base) && measured(new))
    {
        let text = |f: &KeyField| format!("{} differs: {} against {}", f.field, f.base, f.new);
        return Err((fields.iter().map(text).collect::<Vec<_>>().join("; "), fields));
    }
    let sides = [("base", base), ("new run", new)];
    for (side, view) in sides {
        let outcome = &view.row.outcome;
        if let Some(failure) = outcome.failure() {
            let reason = format!("{} in the {side}: {failure}", outcome.into_str());
            return Err((reason, Vec::new()));
        }
    }
    let throughput = change::throughput(base, new, gate)
        .ok_or_else(|| ("a row has no windows".into(), Vec::new()))?;
    let joules = change::joules(base, new, gate);
    let invalid = sides.iter().filter(|(_, view)| view.figures.verdict == Verdict::Invalid);
    let invalid = invalid
        .map(|(side, view)| format!("invalid in the {side}: {}", view.figures.reasons_in_words()));
    Ok(Pair {
        base: RowName::of(base),
        new: RowName::of(new),
        unit: base.row.workload.unit,
        differs: rows_differ(base, new),
        invalid: invalid.collect(),
        throughput,
        no_joules_reason: joules.as_ref().err().cloned(),
        joules_per_unit: joules.ok(),
    })
}

/// Other differences between the runs.
fn runs_differ(base: &Manifest, new: &Manifest) -> Vec<String> {
    let program = |manifest: &Manifest| {
        let commit = manifest.rigbench.commit.as_deref().unwrap_or("unknown commit");
        format!("{} ({commit})", manifest.rigbench.version)
    };
    let setting = |name: &String| {
        let value =
            |run: &Manifest| run.environment.get(name).map_or("unset".into(), String::clone);
        differ(name, value(base), value(new))
    };
    let settings: BTreeSet<&String> =
        base.environment.keys().chain(new.environment.keys()).collect();
    let fixed = [
        differ("rigbench", program(base), program(new)),
        differ("processor", &base.host.cpu, &new.host.cpu),
        differ("threads", base.host.threads, new.host.threads),
        differ("operating system", &base.host.os, &new.host.os),
        differ("system's kernel", &base.host.kernel, &new.host.kernel),
    ];
    fixed.into_iter().chain(settings.into_iter().map(setting)).flatten().collect()
}

/// Other differences between two comparable rows.
fn rows_differ(base: View, new: View) -> Vec<String> {
    let device =
        |view: View| view.device.map_or("unknown".into(), |d| format!("{} ({})", d.name, d.class));
    let driver = |view: View| {
        let gpu = view.device.and_then(|device| device.gpu.as_ref());
        gpu.map_or("none".into(), |gpu| gpu.driver.clone())
    };
    let kernel = |view: View| view.row.kernel.as_ref().map_or("none".into(), |k| k.id.clone());
    let text = |view: View| view.row.kernel.as_ref().and_then(|k| k.wgsl_sha256.clone());
    let parts = [
        differ("device", device(base), device(new)),
        differ("driver", driver(base), driver(new)),
        differ("kernel", kernel(base), kernel(new)),
    ];
    let mut list: Vec<String> = parts.into_iter().flatten().collect();
    if list.is_empty() && text(base) != text(new) {
        list.push(format!("the text of kernel {} changed", kernel(base)));
    }
    list
}

/// A difference in words.
fn differ<T: PartialEq + Display>(what: &str, base: T, new: T) -> Option<String> {
    (base != new).then(|| format!("{what}: {base} against {new}"))
}

fn side(document: &Document) -> Side {
    let run = &document.evidence.run;
    let reasons = run_faults(document);
    Side { run_id: run.id.clone(), started_at: run.started_at.to_string(), reasons }
}

/// Why a run as a whole is invalid or unfinished; reasons of its rows are reported per row.
pub fn run_faults(document: &Document) -> Vec<String> {
    let of_run = |reason: &OrNewer<RunReason>| match reason {
        OrNewer::Known(RunReason::InvalidRows { .. }) => None,
        OrNewer::Known(reason) => Some(reason.to_string()),
        OrNewer::Newer(_) => Some("for a reason of a newer rigbench".into()),
    };
    document.derived.run.reasons.iter().filter_map(of_run).collect()
}
