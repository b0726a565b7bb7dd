//! Two documents, like with like: how throughput and joules of each row changed, whether more than chance explains, and
//! which rows cannot be compared.

mod change;
mod key;
mod pairs;

use super::wire::{
    Change, Comparison, Device, Document, KeyField, Measurement, Outcome, Pair, Refused, RowName,
    Side, Verdict,
};
use pairs::Pairs;
use std::collections::BTreeSet;

/// Compares `new` with `base`. With a gate, in percent, it says of each row whether it is a regression past that, and of
/// the base's rows which it cannot judge.
pub fn compare(base: &Document, new: &Document, gate_percent: Option<f64>) -> Comparison {
    let both = Both { base, new, gate_percent };
    let found = Pairs::of(base, new);
    let names = |document: &Document, places: &[usize]| -> Vec<RowName> {
        places.iter().map(|&i| name(&document.measurements[i])).collect()
    };
    let mut comparison = Comparison {
        base: side(base),
        new: side(new),
        differs: both.differs(),
        gate_percent,
        pairs: Vec::new(),
        refused: Vec::new(),
        base_only: names(base, &found.base_only),
        new_only: names(new, &found.new_only),
        past_gate: None,
        not_judged: Vec::new(),
    };
    for (i, j) in found.pairs {
        let (of_base, of_new) = (&base.measurements[i], &new.measurements[j]);
        match both.pair(of_base, of_new) {
            Ok(pair) => comparison.pairs.push(pair),
            Err(Unlike { reason, fields }) => {
                let (base, new) = (name(of_base), name(of_new));
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

fn is_past_gate(pair: &Pair) -> bool {
    let changes = [Some(&pair.throughput), pair.joules_per_unit.as_ref()];
    changes.into_iter().flatten().any(|change| change.past_gate == Some(true))
}

/// A regression that shows in an invalid row is one; that none shows there means nothing.
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

/// Why two rows cannot be compared.
struct Unlike {
    reason: String,
    fields: Vec<KeyField>,
}

/// What is compared.
struct Both<'a> {
    base: &'a Document,
    new: &'a Document,
    gate_percent: Option<f64>,
}

impl Both<'_> {
    fn pair(&self, base: &Measurement, new: &Measurement) -> Result<Pair, Unlike> {
        let fields = key::unlike((base, &self.base.run.protocol), (new, &self.new.run.protocol));
        let measured = |m: &Measurement| m.outcome == Outcome::Measured;
        // A row without figures has no joules either: its outcome says more than its key.
        if !fields.is_empty() && (base.workload != new.workload || measured(base) && measured(new))
        {
            let each = |f: &KeyField| format!("{} differs: {} against {}", f.field, f.base, f.new);
            let reason = fields.iter().map(each).collect::<Vec<_>>().join("; ");
            return Err(Unlike { reason, fields });
        }
        for (side, m) in [("base", base), ("new run", new)] {
            let outcome = match m.outcome {
                Outcome::Measured => continue,
                Outcome::Unsupported => "unsupported",
                Outcome::Failed => "failed",
            };
            let why = m.reason.as_deref().unwrap_or("no reason is given");
            let reason = format!("{outcome} in the {side}: {why}");
            return Err(Unlike { reason, fields: Vec::new() });
        }
        let Some(throughput) = change::throughput(base, new, self.gate_percent) else {
            return Err(Unlike { reason: "a row has no windows".into(), fields: Vec::new() });
        };
        let device = (self.device(self.base, base), self.device(self.new, new));
        let one_machine = device.0 == device.1 && self.base.manifest.host == self.new.manifest.host;
        let joules = change::joules(base, new, one_machine, self.gate_percent);
        let invalid = [("base", base), ("new run", new)]
            .into_iter()
            .filter(|(_, m)| m.verdict == Verdict::Invalid)
            .map(|(side, m)| format!("invalid in the {side}: {}", m.reasons.join("; ")));
        Ok(Pair {
            base: name(base),
            new: name(new),
            unit: base.workload.unit.clone(),
            differs: rows_differ((base, device.0), (new, device.1)),
            invalid: invalid.collect(),
            throughput,
            no_joules_reason: joules.as_ref().err().cloned(),
            joules_per_unit: joules.ok(),
        })
    }

    fn device<'a>(&self, document: &'a Document, m: &Measurement) -> Option<&'a Device> {
        document.manifest.devices.iter().find(|device| device.id == m.device)
    }

    /// What else differs between the runs.
    fn differs(&self) -> Vec<String> {
        let (base, new) = (&self.base.manifest, &self.new.manifest);
        let program = |document: &Document| {
            let program = &document.manifest.rigbench;
            let commit = program.commit.as_deref().unwrap_or("unknown commit");
            format!("{} ({commit})", program.version)
        };
        let mut list = Differs::default();
        list.add("rigbench", program(self.base), program(self.new));
        list.add("processor", &base.host.cpu, &new.host.cpu);
        list.add("threads", base.host.cores, new.host.cores);
        list.add("operating system", &base.host.os, &new.host.os);
        list.add("system's kernel", &base.host.kernel, &new.host.kernel);
        let settings: BTreeSet<&String> =
            base.environment.keys().chain(new.environment.keys()).collect();
        for setting in settings {
            let of = |environment: &std::collections::BTreeMap<String, String>| {
                environment.get(setting).cloned().unwrap_or_else(|| "unset".into())
            };
            list.add(setting, of(&base.environment), of(&new.environment));
        }
        list.0
    }
}

/// What else differs between two rows of one kind.
fn rows_differ(
    base: (&Measurement, Option<&Device>),
    new: (&Measurement, Option<&Device>),
) -> Vec<String> {
    let kernel = |m: &Measurement| m.kernel.as_ref().map_or("none".into(), |k| k.id.clone());
    let device = |device: Option<&Device>| {
        device.map_or("unknown".into(), |d| format!("{} ({})", d.name, d.class))
    };
    let driver = |device: Option<&Device>| {
        device.and_then(|d| d.gpu.as_ref()).map_or("none".into(), |gpu| gpu.driver.clone())
    };
    let text = |m: &Measurement| m.kernel.as_ref().and_then(|k| k.wgsl_sha256.clone());
    let mut list = Differs::default();
    list.add("device", device(base.1), device(new.1));
    list.add("driver", driver(base.1), driver(new.1));
    list.add("kernel", kernel(base.0), kernel(new.0));
    if list.0.is_empty() && text(base.0) != text(new.0) {
        list.0.push(format!("the text of kernel {} changed", kernel(base.0)));
    }
    list.0
}

/// Differences in words.
#[derive(Default)]
struct Differs(Vec<String>);

impl Differs {
    fn add<T: PartialEq + std::fmt::Display>(&mut self, what: &str, base: T, new: T) {
        if base != new {
            self.0.push(format!("{what}: {base} against {new}"));
        }
    }
}

fn name(m: &Measurement) -> RowName {
    RowName { device: m.device.clone(), workload: m.workload.spec() }
}

fn side(document: &Document) -> Side {
    let run = &document.run;
    let reasons = run_faults(document);
    Side { run_id: run.id.clone(), started_at: run.started_at.clone(), reasons }
}

/// What makes a run invalid as a whole, or unfinished; what makes a row invalid is told of the row.
pub fn run_faults(document: &Document) -> Vec<String> {
    let run = &document.run;
    let of_rows: Vec<String> = document
        .measurements
        .iter()
        .map(|m| format!("{} on {}: ", m.workload.spec(), m.device))
        .collect();
    let of_run = |reason: &&String| !of_rows.iter().any(|row| reason.starts_with(row.as_str()));
    let mut reasons: Vec<String> = run.reasons.iter().filter(of_run).cloned().collect();
    if run.finished_at.is_none() && reasons.is_empty() {
        reasons.push("unfinished: it is under way or was cut off".into());
    }
    reasons
}

impl std::fmt::Display for RowName {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} on {}", self.workload, self.device)
    }
}
