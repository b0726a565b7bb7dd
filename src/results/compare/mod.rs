//! Compares two documents: the change of throughput and joules of each row, whether it is significant, and which rows are not comparable.

mod change;
mod comparison;
mod key;
mod pairs;

pub use comparison::{Change, Comparison, KeyField, Pair, Refused, RowName, Side};

use super::derived::Verdict;
use super::document::{Document, Outcome, Row};
use super::newer::OrNewer;
use super::reason::RunReason;
use crate::device::Device;
use crate::units::Provenance;
use key::Keyed;
use pairs::Pairs;
use std::collections::{BTreeMap, BTreeSet};

/// Compares `new` with `base`. With a gate, in percent, it also determines which rows regress beyond it, and which rows of the base cannot
/// be judged.
pub fn compare(base: &Document, new: &Document, gate_percent: Option<f64>) -> Comparison {
    let both = Both { base, new, gate_percent };
    let (base_rows, new_rows) = (keyed(base), keyed(new));
    let found = Pairs::of(&base_rows, &new_rows);
    let names = |rows: &[Keyed], places: &[usize]| -> Vec<RowName> {
        places.iter().map(|&i| name(rows[i].0)).collect()
    };
    let mut comparison = Comparison {
        base: side(base),
        new: side(new),
        differs: both.differs(),
        gate_percent,
        pairs: Vec::new(),
        refused: Vec::new(),
        base_only: names(&base_rows, &found.base_only),
        new_only: names(&new_rows, &found.new_only),
        past_gate: None,
        not_judged: Vec::new(),
    };
    for (i, j) in found.pairs {
        let (of_base, of_new) = (base_rows[i], new_rows[j]);
        match both.pair(of_base, of_new) {
            Ok(pair) => comparison.pairs.push(pair),
            Err(Unlike { reason, fields }) => {
                let (base, new) = (name(of_base.0), name(of_new.0));
                comparison.refused.push(Refused { base, new, reason, fields });
            }
        }
    }
    if gate_percent.is_some() {
        comparison.past_gate = Some(comparison.pairs.iter().any(is_past_gate));
        comparison.not_judged = not_judged(&comparison);
    }
    comparison
}

/// The rows of a document that this version can read.
fn keyed(document: &Document) -> Vec<Keyed<'_>> {
    let protocol = &document.evidence.manifest.protocol;
    document.rows().map(|(row, figures)| (row, figures, protocol)).collect()
}

fn is_past_gate(pair: &Pair) -> bool {
    let changes = [Some(&pair.throughput), pair.joules_per_unit.as_ref()];
    changes.into_iter().flatten().any(|change| change.past_gate == Some(true))
}

/// A regression in an invalid row counts; the absence of one does not.
fn not_judged(comparison: &Comparison) -> Vec<String> {
    let invalid = comparison.pairs.iter().filter(|pair| !pair.invalid.is_empty());
    let invalid = invalid.map(|pair| format!("{}: {}", pair.base, pair.invalid.join("; ")));
    let unsure = |change: &Change| change.p.is_none();
    let short = comparison.pairs.iter().filter(|pair| {
        unsure(&pair.throughput) || pair.joules_per_unit.as_ref().is_some_and(unsure)
    });
    let short = short.map(|pair| format!("{}: too few windows for an interval", pair.base));
    let refused = comparison.refused.iter().map(|row| format!("{}: {}", row.base, row.reason));
    let alone = comparison.base_only.iter().map(|row| format!("{row}: it is not in the new run"));
    invalid.chain(short).chain(refused).chain(alone).collect()
}

/// Why two rows are not comparable.
struct Unlike {
    reason: String,
    fields: Vec<KeyField>,
}

/// The two documents and the gate.
struct Both<'a> {
    base: &'a Document,
    new: &'a Document,
    gate_percent: Option<f64>,
}

impl Both<'_> {
    fn pair(&self, base: Keyed, new: Keyed) -> Result<Pair, Unlike> {
        let fields = key::unlike(base, new);
        let measured = |row: Keyed| row.0.outcome == Outcome::Measured;
        // A row without figures has no joules either: its outcome is a better explanation than its key.
        if !fields.is_empty()
            && (base.0.workload != new.0.workload || measured(base) && measured(new))
        {
            let text = |f: &KeyField| format!("{} differs: {} against {}", f.field, f.base, f.new);
            let reason = fields.iter().map(text).collect::<Vec<_>>().join("; ");
            return Err(Unlike { reason, fields });
        }
        let no = |reason: String| Unlike { reason, fields: Vec::new() };
        for (side, (row, ..)) in [("base", base), ("new run", new)] {
            if let Some(failure) = row.outcome.failure() {
                return Err(no(format!("{} in the {side}: {failure}", row.outcome.name())));
            }
        }
        let (Some(of_base), Some(of_new)) = (&base.0.windows, &new.0.windows) else {
            return Err(no("a row has no windows".into()));
        };
        let device = (self.device(self.base, base.0), self.device(self.new, new.0));
        let hosts = (&self.base.evidence.manifest.host, &self.new.evidence.manifest.host);
        let one_machine = device.0 == device.1 && hosts.0 == hosts.1;
        let one_meter = one_machine && meter(self.base, base) == meter(self.new, new);
        let of_base = change::Side {
            windows: of_base,
            figures: base.1,
            speed_only: is_speed_only(self.base, base),
            one_meter,
        };
        let of_new = change::Side {
            windows: of_new,
            figures: new.1,
            speed_only: is_speed_only(self.new, new),
            one_meter,
        };
        let Some(throughput) = change::throughput(of_base, of_new, self.gate_percent) else {
            return Err(no("a row has no windows".into()));
        };
        let joules = change::joules(of_base, of_new, self.gate_percent);
        let invalid = [("base", base), ("new run", new)]
            .into_iter()
            .filter(|(_, row)| row.1.verdict == Verdict::Invalid)
            .map(|(side, row)| format!("invalid in the {side}: {}", row.1.reasons_in_words()));
        Ok(Pair {
            base: name(base.0),
            new: name(new.0),
            unit: base.0.workload.unit,
            differs: rows_differ((base.0, device.0), (new.0, device.1)),
            invalid: invalid.collect(),
            throughput,
            no_joules_reason: joules.as_ref().err().cloned(),
            joules_per_unit: joules.ok(),
        })
    }

    fn device<'a>(&self, document: &'a Document, row: &Row) -> Option<&'a Device> {
        document.evidence.manifest.device(&row.device)
    }

    /// Other differences between the runs.
    fn differs(&self) -> Vec<String> {
        let (base, new) = (&self.base.evidence.manifest, &self.new.evidence.manifest);
        let program = |document: &Document| {
            let program = &document.evidence.manifest.rigbench;
            let commit = program.commit.as_deref().unwrap_or("unknown commit");
            format!("{} ({commit})", program.version)
        };
        let mut list = Differs::default();
        list.add("rigbench", program(self.base), program(self.new));
        list.add("processor", &base.host.cpu, &new.host.cpu);
        list.add("threads", base.host.threads, new.host.threads);
        list.add("operating system", &base.host.os, &new.host.os);
        list.add("system's kernel", &base.host.kernel, &new.host.kernel);
        let settings: BTreeSet<&String> =
            base.environment.keys().chain(new.environment.keys()).collect();
        for setting in settings {
            let value = |environment: &BTreeMap<String, String>| {
                environment.get(setting).cloned().unwrap_or_else(|| "unset".into())
            };
            list.add(setting, value(&base.environment), value(&new.environment));
        }
        list.0
    }
}

/// Other differences between two comparable rows.
fn rows_differ(base: (&Row, Option<&Device>), new: (&Row, Option<&Device>)) -> Vec<String> {
    let kernel = |m: &Row| m.kernel.as_ref().map_or("none".into(), |k| k.id.clone());
    let device = |device: Option<&Device>| {
        device.map_or("unknown".into(), |d| format!("{} ({})", d.name, d.class))
    };
    let driver = |device: Option<&Device>| {
        device.and_then(|d| d.gpu.as_ref()).map_or("none".into(), |gpu| gpu.driver.clone())
    };
    let text = |m: &Row| m.kernel.as_ref().and_then(|k| k.wgsl_sha256.clone());
    let mut list = Differs::default();
    list.add("device", device(base.1), device(new.1));
    list.add("driver", driver(base.1), driver(new.1));
    list.add("kernel", kernel(base.0), kernel(new.0));
    if list.0.is_empty() && text(base.0) != text(new.0) {
        list.0.push(format!("the text of kernel {} changed", kernel(base.0)));
    }
    list.0
}

/// Differences, in words.
#[derive(Default)]
struct Differs(Vec<String>);

impl Differs {
    fn add<T: PartialEq + std::fmt::Display>(&mut self, what: &str, base: T, new: T) {
        if base != new {
            self.0.push(format!("{what}: {base} against {new}"));
        }
    }
}

fn name(row: &Row) -> RowName {
    RowName { device: row.device.to_string(), workload: row.workload.spec.clone() }
}

/// The meter of the headline figure, if it is metered.
fn meter<'a>(document: &'a Document, row: Keyed) -> Option<&'a crate::energy::SourceInfo> {
    document.evidence.manifest.source(row.1.energy.source?)?.meter()
}

/// Whether one power was declared for all workloads, so that joules depend on speed alone.
fn is_speed_only(document: &Document, row: Keyed) -> bool {
    let source = row.1.energy.source.and_then(|place| document.evidence.manifest.source(place));
    source.is_some_and(|s| s.provenance() == Provenance::Declared && s.workload.is_none())
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

impl std::fmt::Display for RowName {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} on {}", self.workload, self.device)
    }
}
