//! The table of autotuning trials.

use super::table::{Column, Table, cells};
use crate::results::{Trial, Tuning, TuningSource};
use crate::units::{Rate, Unit, significant};

/// The trials of one workload on one device; `name` is the title.
pub fn tuning(name: &str, unit: Unit, tuning: &Tuning) -> Table {
    let when = match tuning.source {
        _ if tuning.trials.is_empty() => "one kernel to choose from, nothing to try",
        TuningSource::Trials => "tried now, kept for later runs",
        TuningSource::Cache => "kept from an earlier run; --retune tries again",
    };
    let chosen = |t: &Trial| t.kernel == tuning.kernel && t.batch_seconds == tuning.batch_seconds;
    let last = tuning.trials.iter().rposition(chosen);
    let best = tuning.trials.iter().filter_map(|t| t.throughput).fold(0.0, f64::max);
    let row = |(i, t): (usize, &Trial)| {
        let rate = t.throughput.map(|per_second| Rate { per_second, unit }.to_string());
        let share = t.throughput.map(|rate| format!("{} %", significant(100.0 * rate / best)));
        cells([
            t.kernel.clone(),
            t.batch_seconds.map_or("–".into(), |seconds| format!("{} ms", seconds * 1e3)),
            rate.unwrap_or_else(|| "failed".into()),
            share.unwrap_or_else(|| "–".into()),
            if Some(i) == last { "chosen".into() } else { String::new() },
        ])
    };
    let notes = tuning.trials.iter().filter_map(|t| Some((&t.kernel, t.failure.as_ref()?)));
    Table {
        title: format!("{name} – {when}"),
        columns: vec![
            Column::words("kernel"),
            Column::figures("batches"),
            Column::figures("throughput"),
            Column::figures("of the best"),
            Column::words(""),
        ],
        rows: match tuning.trials.as_slice() {
            [] => vec![cells([tuning.kernel.as_str(), "–", "–", "–", "chosen"].map(String::from))],
            trials => trials.iter().enumerate().map(row).collect(),
        },
        notes: notes.map(|(kernel, failure)| format!("{kernel}: {failure}")).collect(),
    }
}
