//! Where joules come from, in words: what a reader sees who asks about a figure.

use super::scope;
use crate::energy::Provenance;
use crate::results::wire::{Energy, MeasuredEnergy, Measurement, Quantity, Scope};
use crate::units::{Joules, Seconds, Watts, grouped, significant};

/// In a word or two.
pub fn short(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::MeasuredCounter => "measured (counter)",
        Provenance::MeasuredSampled => "measured (sampled)",
        Provenance::Declared => "declared",
        Provenance::Modelled => "modelled",
        Provenance::None => "none",
    }
}

/// Whether joules of this kind were read from a meter.
pub fn is_measured(provenance: Provenance) -> bool {
    matches!(provenance, Provenance::MeasuredCounter | Provenance::MeasuredSampled)
}

/// All of it about a row on a machine with so many `gpus`, in sentences; what other sources say comes last.
pub fn sentences(m: &Measurement, gpus: Option<u64>) -> String {
    let works = u64::from(m.class != "cpu" && m.class != "software-gpu");
    let idle = gpus.map(|gpus| gpus.saturating_sub(works));
    let mut all = vec![of(&m.energy, idle)];
    all.extend(m.energy_other.iter().map(|energy| format!("Besides: {}", of(energy, idle))));
    all.join(" ")
}

fn of(energy: &Energy, idle: Option<u64>) -> String {
    match energy {
        Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e) => measured(e) + &idlers(e, idle),
        Energy::Declared(e) => {
            let whose =
                if e.for_this_workload { "for this workload" } else { "once for all workloads" };
            format!(
                "Declared: a user typed {} {whose}; scope {}. The interval is of the speed alone.",
                Watts(e.power_watts),
                scope(e.scope)
            )
        }
        Energy::Modelled(e) => format!(
            "Modelled: no meter was read. Between {} and {}; scope {}. {}.",
            Watts(e.modelled_power_watts_low),
            Watts(e.modelled_power_watts_high),
            scope(e.scope),
            sentence(&e.basis)
        ),
        Energy::None(e) => format!("No joules: {}.", e.reason.trim_end_matches('.')),
    }
}

fn measured(e: &MeasuredEnergy) -> String {
    let meter = &e.source;
    let what = match meter.quantity {
        Quantity::Counter { .. } => "a counter of joules".to_string(),
        Quantity::Power { averaging_seconds: 0.0 } => "readings of watts".to_string(),
        Quantity::Power { averaging_seconds } => {
            format!("readings of watts, each the mean of {}", Seconds(averaging_seconds))
        }
    };
    let mut out = format!(
        "Measured by {} ({}), {what}; scope {}: {}, without {}. {} readings cover {} % of the time. Off by up to ±{} % ({}: {}).",
        meter.kind,
        meter.model,
        scope(e.scope),
        e.includes,
        e.excludes,
        grouped(e.samples.into()),
        significant(100.0 * e.coverage),
        significant(100.0 * meter.accuracy),
        meter.accuracy_basis,
        meter.accuracy_reference,
    );
    out += &format!(" Gross {}", Joules(e.gross_joules));
    match (&e.idle, e.net_joules) {
        (Some(idle), Some(net)) => {
            out += &format!(
                "; above what it drew at rest ({}): {}.",
                Watts(idle.power_watts),
                Joules(net)
            );
        }
        _ => out += "; no baseline at rest was taken.",
    }
    for complaint in e.cross_checks.iter().filter_map(|check| check.complaint.as_deref()) {
        out += &format!(" {}.", sentence(complaint));
    }
    out
}

/// What idle GPUs there are in a figure of the whole machine.
fn idlers(e: &MeasuredEnergy, idle: Option<u64>) -> String {
    let whole = matches!(e.scope, Scope::Machine | Scope::Wall);
    match idle.filter(|_| whole) {
        Some(0) | None => String::new(),
        Some(1) => " It includes 1 GPU that idles.".into(),
        Some(many) => format!(" It includes {many} GPUs that idle."),
    }
}

/// With a capital, without a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}
