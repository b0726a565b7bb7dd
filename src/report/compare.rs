//! The tables of a comparison: a row's throughput and joules in both runs, one for each pair of devices.

use super::table::{Column, Table};
use crate::results::wire::{Change, Comparison, Pair};
use crate::units::{EnergyPerWork, Rate, Unit, significant};

/// The tables of a comparison; the last says what stands beside it.
pub fn comparison(comparison: &Comparison) -> Vec<Table> {
    let devices = |pair: &Pair| (pair.base.device.clone(), pair.new.device.clone());
    let mut tables: Vec<Table> = Vec::new();
    for pairs in comparison.pairs.chunk_by(|a, b| devices(a) == devices(b)) {
        let (base, new) = devices(&pairs[0]);
        tables.push(Table {
            title: if base == new { base } else { format!("{base} against {new}") },
            columns: [
                ("workload", false),
                ("", false),
                ("base", true),
                ("new", true),
                ("change", true),
                ("95 % interval", true),
                ("p", true),
                ("", false),
            ]
            .map(|(head, figures)| Column { head, figures })
            .to_vec(),
            rows: pairs.iter().flat_map(rows).collect(),
            notes: pairs.iter().flat_map(notes).collect(),
        });
    }
    if let Some(last) = tables.last_mut() {
        last.notes.extend(remarks(comparison));
    }
    tables
}

fn rows(pair: &Pair) -> Vec<Vec<String>> {
    let unit = Unit::from_name(&pair.unit);
    let rate = |per_second: f64| match unit {
        Some(unit) => Rate { per_second, unit }.to_string(),
        None => significant(per_second),
    };
    let joules = |joules: f64| match unit {
        Some(unit) => EnergyPerWork { joules, unit }.figure(),
        None => significant(joules),
    };
    let valid = pair.invalid.is_empty();
    let line = |name: &str, what: &str, c: &Change, show: &dyn Fn(f64) -> String, words| {
        vec![
            name.to_string(),
            what.to_string(),
            show(c.base),
            show(c.new),
            format!("{} %", signed(c.ratio)),
            match (c.ci95_low, c.ci95_high) {
                (Some(low), Some(high)) => {
                    format!("{} to {} %", signed(low), signed(high))
                }
                _ => "–".into(),
            },
            c.p.map_or("–".into(), probability),
            verdict(c, valid, words),
        ]
    };
    let workload = &pair.base.workload;
    let mut rows =
        vec![line(workload, "throughput", &pair.throughput, &rate, ("slower", "faster"))];
    if let Some(change) = &pair.joules_per_unit {
        let symbol = unit.map_or("joules a unit", Unit::energy_symbol);
        rows.push(line("", symbol, change, &joules, ("more joules", "fewer joules")));
    }
    rows
}

fn verdict(change: &Change, valid: bool, (worse, better): (&str, &str)) -> String {
    let word = match change {
        Change { p: None, .. } => "too few windows",
        Change { regression: true, .. } => worse,
        Change { improvement: true, .. } => better,
        _ => "no change shown",
    };
    let past = if change.past_gate == Some(true) { ", past the gate" } else { "" };
    let invalid = if valid { "" } else { "\ninvalid" };
    format!("{word}{past}{invalid}")
}

fn notes(pair: &Pair) -> Vec<String> {
    let about = |text: &String| format!("{}: {text}", pair.base.workload);
    let joules = pair.no_joules_reason.iter().map(|why| format!("joules are not compared: {why}"));
    pair.invalid.iter().chain(&pair.differs).cloned().chain(joules).map(|t| about(&t)).collect()
}

/// What cannot be compared, and what differs besides.
fn remarks(comparison: &Comparison) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(
        comparison.refused.iter().map(|r| format!("{}: not compared: {}", r.base, r.reason)),
    );
    lines.extend(comparison.base_only.iter().map(|row| format!("{row}: only in the base")));
    lines.extend(comparison.new_only.iter().map(|row| format!("{row}: only in the new run")));
    for (side, of) in [("base", &comparison.base), ("new run", &comparison.new)] {
        lines.extend(of.reasons.iter().map(|reason| format!("the {side} is invalid: {reason}")));
    }
    lines.extend(comparison.differs.iter().cloned());
    lines.push(
        "p: how often chance alone parts equal rows so far, judged by how their blocks scatter; what differs between the\n\
         two runs as a whole, such as heat or a neighbour's load, is not in it."
            .into(),
    );
    lines
}

/// By how many percent a ratio differs from 1: `−5.1`.
fn signed(ratio: f64) -> String {
    let percent = 100.0 * (ratio - 1.0);
    let digits = if percent.abs() < 9.95 { 1 } else { 0 };
    let shown = format!("{percent:+.digits$}").replace('-', "−");
    if shown == "−0.0" { "+0.0".into() } else { shown }
}

fn probability(p: f64) -> String {
    if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") }
}
