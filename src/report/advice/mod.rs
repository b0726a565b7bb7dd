//! The advice as text: an answer in sentences, then tables. `rigbench advise --json` has all details.

mod answer;
mod break_evens;
mod common;
pub mod figures;
mod megawatts;
mod tokens;
mod uses;

pub use answer::answer;

use super::table::{Table, cells};
use crate::economics::Advice;
use crate::economics::market::{Figure, STALE_DAYS};
use crate::text::lines;
use common::{columns, grouped};
use figures::{phrase_by, plain};

/// The tables: revenue per kWh, break-evens, hashes per token, a megawatt against a megawatt, energy of a query, and all sources.
pub fn advice(advice: &Advice) -> Vec<Table> {
    let mut tables = vec![uses::table(advice)];
    tables.extend(break_evens::tables(advice));
    tables.extend(tokens::forgone(advice));
    tables.push(megawatts::table(advice));
    tables.extend(tokens::queries(advice));
    tables.push(sources(advice));
    tables
}

/// Sentences and tables for a terminal `width` characters wide; `styled` makes headers bold.
pub fn advice_to_terminal(advised: &Advice, width: u16, styled: bool) -> String {
    let mut out = String::new();
    for line in answer(advised) {
        out += &format!("{}\n", textwrap::fill(&lines(&line), usize::from(width)));
    }
    for table in advice(advised) {
        out += &format!("\n{}", table.to_terminal(width, styled));
    }
    out
}

/// Every figure that the advice is computed from, grouped by source and date.
fn sources(advice: &Advice) -> Table {
    let of_choices = advice.choices.iter().flat_map(|choice| &choice.inputs);
    let megawatts = std::iter::once(&advice.megawatts.asic).chain(&advice.megawatts.accelerators);
    let all = advice.inputs.iter().chain(of_choices).chain(megawatts.flat_map(|m| &m.inputs));
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
        notes.push(format!("Example figures, to be replaced by your own: {examples}."));
    }
    if !advice.stale_figures.is_empty() {
        notes.push(format!("Older than {STALE_DAYS} days: {}.", advice.stale_figures.join(", ")));
    }
    Table {
        title: format!("Sources of all figures (market file of {})", advice.market_date),
        columns: columns([("figure", false), ("of", false), ("source", false)]),
        rows: grouped(lines).into_iter().map(row).collect(),
        notes,
    }
}
