//! The table of figures that the advice is computed from, grouped by source and date.

use super::columns;
use super::figures::{phrase_by, plain};
use crate::economics::market::STALE_DAYS;
use crate::economics::{Advice, Citation};
use crate::report::table::{Table, cells};

/// Every figure with its date and source.
pub(super) fn table(advice: &Advice) -> Table {
    let of_choices = advice.choices.iter().flat_map(|choice| &choice.rests_on);
    let megawatts = std::iter::once(&advice.megawatts.asic).chain(&advice.megawatts.accelerators);
    let all = advice.rests_on.iter().chain(of_choices).chain(megawatts.flat_map(|m| &m.rests_on));
    let mut by_source: Vec<(&str, &str, Vec<String>)> = Vec::new();
    for Citation { what, figure, unit, date, source } in all {
        let line = format!("{what}: {} {unit}", phrase_by(*figure, &plain));
        match by_source.iter_mut().find(|(d, s, _)| (d, s) == (&date.as_str(), &source.as_str())) {
            Some((.., lines)) if lines.contains(&line) => {}
            Some((.., lines)) => lines.push(line),
            None => by_source.push((date, source, vec![line])),
        }
    }
    let row = |(date, source, lines): (&str, &str, Vec<String>)| {
        vec![lines.join("; "), date.to_string(), source.to_string()]
    };
    let mut notes = Vec::new();
    if !advice.example_figures.is_empty() {
        notes.push(format!(
            "Examples that stand for figures of your own: {}.",
            advice.example_figures.join(", ")
        ));
    }
    if !advice.stale_figures.is_empty() {
        notes.push(format!("Older than {STALE_DAYS} days: {}.", advice.stale_figures.join(", ")));
    }
    Table {
        title: format!("What it rests on (market file of {})", advice.market_date),
        columns: columns([("figure", false), ("of", false), ("source", false)]),
        rows: by_source.into_iter().map(row).map(cells).collect(),
        notes,
    }
}
