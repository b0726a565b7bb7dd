//! The table of figures that the advice is computed from, grouped by source and date.

use super::figures::{phrase_by, plain};
use super::{columns, grouped};
use crate::economics::Advice;
use crate::economics::market::{Figure, STALE_DAYS};
use crate::report::table::{Table, cells};

/// Every figure with its date and source.
pub(super) fn table(advice: &Advice) -> Table {
    let of_choices = advice.choices.iter().flat_map(|choice| &choice.rests_on);
    let megawatts = std::iter::once(&advice.megawatts.asic).chain(&advice.megawatts.accelerators);
    let all = advice.rests_on.iter().chain(of_choices).chain(megawatts.flat_map(|m| &m.rests_on));
    let lines = all.map(|Figure { key, interval, unit, date, source, .. }| {
        let figure = phrase_by(*interval, &plain);
        ((date, source), format!("{key}: {figure} {unit}"))
    });
    let row = |((date, source), lines): ((&String, &String), Vec<String>)| {
        cells([lines.join("; "), date.clone(), source.clone()])
    };
    let mut notes = Vec::new();
    if !advice.example_figures.is_empty() {
        let examples = advice.example_figures.join(", ");
        notes.push(format!("Examples that stand for figures of your own: {examples}."));
    }
    if !advice.stale_figures.is_empty() {
        notes.push(format!("Older than {STALE_DAYS} days: {}.", advice.stale_figures.join(", ")));
    }
    Table {
        title: format!("What it rests on (market file of {})", advice.market_date),
        columns: columns([("figure", false), ("of", false), ("source", false)]),
        rows: grouped(lines).into_iter().map(row).collect(),
        notes,
    }
}
