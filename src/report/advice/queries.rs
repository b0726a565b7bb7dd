//! The table of energy per query: measured, with every factor, and published.

use super::figures::{cell, number, phrase, phrase_by, plain};
use super::{best_miner, columns, short};
use crate::economics::{Absent, Advice, QueryAbsent, QueryEnergy};
use crate::report::table::{Table, cells};
use crate::units::{Amount, Unit};

/// Measured queries, then published ones with the hashes that the best miner computes with the same energy.
pub(super) fn table(advice: &Advice) -> Option<Table> {
    let best = best_miner(advice)?;
    let measured = advice.queries.iter().map(|query| {
        let figure = match query.lower_bound_reason {
            None => cell(query.watt_hours),
            Some(_) => format!("≥ {}", number(query.watt_hours.low)),
        };
        let none = || "–".to_string();
        vec![short(&query.decode, advice), figure, none(), none(), "here".into()]
    });
    let published = advice.published_queries.iter().filter(|query| query.asic == best);
    let published = published.map(|query| {
        let hashes = |work: f64| Amount { work, unit: Unit::Hash }.to_string();
        vec![
            query.name.clone(),
            cell(query.energy.figure),
            phrase_by(query.hashes, &hashes),
            phrase(query.dollars),
            format!("{}: {}", query.energy.date, query.energy.source),
        ]
    });
    let mut notes: Vec<String> = advice.queries.iter().flat_map(formula).collect();
    // Skip what the first table already lists.
    let is_listed = |none: &QueryAbsent| {
        let first =
            |absent: &Absent| (&absent.label, &absent.reason) == (&none.decode, &none.reason);
        advice.absent.iter().any(first)
    };
    let absent = advice.queries_absent.iter().filter(|none| !is_listed(none));
    notes.extend(absent.map(|none| format!("No query of {}: {}.", none.decode, none.reason)));
    notes.push(format!(
        "Hashes and dollars: the same energy in a miner ({}).",
        advice.choices[best].subject
    ));
    Some(Table {
        title: "Energy of a query".into(),
        columns: columns([
            ("whose", false),
            ("Wh", true),
            ("as hashes", true),
            ("worth, $", true),
            ("source", false),
        ]),
        rows: measured.chain(published).map(cells).collect(),
        notes,
    })
}

/// `(500 tokens read × 0.02 J + 300 written × 0.5 J) × plug 1.43 × idle 1.12 × PUE 1.58 ÷ 3600 = 0.112 Wh`.
fn formula(query: &QueryEnergy) -> Vec<String> {
    let QueryEnergy { query: size, factors, .. } = query;
    let mut lines = vec![format!(
        "{}: ({} tokens read × {} J + {} written × {} J) × plug {} × idle {} × PUE {} ÷ 3600 = {} Wh",
        query.decode,
        plain(size.tokens_in),
        phrase(query.prefill_joules_per_token),
        plain(size.tokens_out),
        phrase(query.decode_joules_per_token),
        plain(factors.wall),
        plain(factors.idle),
        plain(factors.pue),
        phrase(query.watt_hours)
    )];
    lines
        .extend(query.lower_bound_reason.iter().map(|why| format!("It is more than that: {why}.")));
    lines
}
