//! The tables of a comparison: a row's throughput and joules in both runs, one for each pair of devices.

use super::table::{Cell, Column, Table, cells};
use crate::results::{Change, Comparison, Pair};
use crate::units::{EnergyPerWork, Rate};

/// The tables of a comparison; the last one has general remarks.
pub fn comparison(comparison: &Comparison) -> Vec<Table> {
    let devices = |pair: &Pair| (pair.base.device.clone(), pair.new.device.clone());
    let mut tables: Vec<Table> = Vec::new();
    for pairs in comparison.pairs.chunk_by(|a, b| devices(a) == devices(b)) {
        let (base, new) = devices(&pairs[0]);
        tables.push(Table {
            title: if base == new { base } else { format!("{base} against {new}") },
            columns: vec![
                Column::words("workload"),
                Column::figures("base"),
                Column::figures("new"),
                Column::figures("change, %"),
                Column::figures("p"),
                Column::words(""),
            ],
            rows: pairs.iter().flat_map(rows).collect(),
            notes: pairs.iter().flat_map(notes).collect(),
        });
    }
    if let Some(last) = tables.last_mut() {
        last.notes.extend(remarks(comparison));
    }
    tables
}

/// A row for throughput and one for joules. The first names the workload, the second its shape.
fn rows(pair: &Pair) -> Vec<Vec<Cell>> {
    let unit = pair.unit;
    let rate = |per_second: f64| Rate { per_second, unit }.to_string();
    let joules = |joules: f64| EnergyPerWork { joules, unit }.to_string();
    let (id, shape) = pair.base.workload.split_once(':').unwrap_or((&pair.base.workload, ""));
    let invalid = if pair.invalid.is_empty() { "" } else { ", invalid" };
    let row = |name: &str, c: &Change, words: &dyn Fn(f64) -> String, verdict: String| {
        let (base, new) = (words(c.base), words(c.new));
        cells([name.into(), base, new, change(c), probability(c), verdict + invalid])
    };
    let throughput = &pair.throughput;
    let rate = row(id, throughput, &rate, verdict(throughput, "slower", "faster"));
    let joules = match &pair.joules_per_unit {
        Some(change) => Some(row(shape, change, &joules, verdict(change, "more", "fewer"))),
        None if shape.is_empty() => None,
        None => Some(cells([shape, "", "", "", "", ""])),
    };
    [rate].into_iter().chain(joules).collect()
}

fn verdict(change: &Change, worse: &str, better: &str) -> String {
    let word = match change {
        Change { p: None, .. } => "too short",
        Change { regression: true, .. } => worse,
        Change { improvement: true, .. } => better,
        _ => "not significant",
    };
    let past = if change.past_gate == Some(true) { ", past gate" } else { "" };
    format!("{word}{past}")
}

/// `−5.1 (−6.0 to −4.2)`.
fn change(change: &Change) -> String {
    let ratio = signed(change.ratio.middle());
    match change.ratio.ends() {
        Some((low, high)) => format!("{ratio} ({} to {})", signed(low), signed(high)),
        None => ratio,
    }
}

fn notes(pair: &Pair) -> Vec<String> {
    let joules = pair.no_joules_reason.iter().map(|why| format!("joules are not compared: {why}"));
    let all = pair.invalid.iter().chain(&pair.differs).cloned().chain(joules);
    all.map(|note| format!("{}: {note}", pair.base.workload)).collect()
}

/// Rows that cannot be compared, and other differences between the runs.
fn remarks(comparison: &Comparison) -> Vec<String> {
    let refused = comparison.refused.iter();
    let mut lines: Vec<String> =
        refused.map(|r| format!("{}: not compared: {}", r.base, r.reason)).collect();
    lines.extend(comparison.base_only.iter().map(|row| format!("{row}: only in the base")));
    lines.extend(comparison.new_only.iter().map(|row| format!("{row}: only in the new run")));
    for (side, run) in [("base", &comparison.base), ("new run", &comparison.new)] {
        lines.extend(run.reasons.iter().map(|reason| format!("the {side} is invalid: {reason}")));
    }
    lines.extend(comparison.differs.iter().cloned());
    lines.push(
        "base and new: as rigbench report shows them. change: of the blocks' medians, with its 95 % confidence interval.\n\
         p: the probability of such a difference between two equally fast rows, given the scatter of their blocks.\n\
         Neither covers what differs between two runs as a whole, such as temperature or load by other users."
            .into(),
    );
    lines
}

/// Deviation of a ratio from 1, in percent: `−5.1`.
fn signed(ratio: f64) -> String {
    let percent = 100.0 * (ratio - 1.0);
    let digits = if percent.abs() < 99.95 { 1 } else { 0 };
    let shown = format!("{percent:+.digits$}").replace('-', "−");
    if shown == "−0.0" { "+0.0".into() } else { shown }
}

fn probability(change: &Change) -> String {
    match change.p {
        Some(p) if p < 0.001 => "<0.001".into(),
        Some(p) => format!("{p:.3}"),
        None => "–".into(),
    }
}
