//! The tables of tokens and queries: hashes forgone for a token, and the energy of a query with every factor.

use super::common::{columns, short};
use super::figures::{cell, cell_by, number, phrase, phrase_by, plain};
use crate::economics::{Advice, Kind, MissingQuery, QueryEnergy, best_of};
use crate::report::table::{Table, cells};
use crate::units::{Amount, MILLION_TOKENS, Unit};

fn hashes(work: f64) -> String {
    Amount { work, unit: Unit::Hash }.to_string()
}

/// Each token row against hashing on its own device and on the best miner; `None` if no token row has joules.
pub(super) fn forgone(advice: &Advice) -> Option<Table> {
    let best = &advice.choices[best_of(&advice.choices, Kind::HashAsic)?].label;
    let miners = advice.choices.iter().filter(|choice| choice.kind == Kind::HashAsic);
    let is_miner = |hasher: &String| miners.clone().any(|miner| miner.label == *hasher);
    let shown = advice.hashes_forgone.iter();
    let shown = shown.filter(|exchange| exchange.hasher == *best || !is_miner(&exchange.hasher));
    let rows = shown.map(|exchange| {
        cells([
            short(&exchange.token, advice),
            short(exchange.hasher.trim_start_matches("hash on "), advice),
            cell_by(exchange.hashes_per_token, &hashes),
            cell(exchange.dollars_per_token * MILLION_TOKENS),
        ])
    });
    let table = Table {
        title: "Hashes forgone for a token".into(),
        columns: columns([
            ("a token of", false),
            ("hashing instead on", false),
            ("hashes", true),
            ("worth, $/Mtoken", true),
        ]),
        rows: rows.collect(),
        notes: vec!["On one device, the joules of tokens and hashes have the same scope. A miner's are at the plug, so the token's are converted to the plug.".into()],
    };
    Some(table).filter(|table| !table.rows.is_empty())
}

/// Measured queries, then published ones with the hashes that the best miner computes with the same energy.
pub(super) fn queries(advice: &Advice) -> Option<Table> {
    let best = best_of(&advice.choices, Kind::HashAsic)?;
    let measured = advice.queries.iter().map(|query| {
        let figure = match query.lower_bound_reason {
            None => cell(query.watt_hours),
            Some(_) => format!("≥ {}", number(query.watt_hours.low)),
        };
        let none = || "–".to_string();
        [short(&query.decode, advice), figure, none(), none(), "here".into()]
    });
    let published = advice.published_queries.iter().filter(|query| query.asic == best);
    let published = published.map(|query| {
        [
            query.name.clone(),
            cell(query.energy.interval),
            phrase_by(query.hashes, &hashes),
            phrase(query.dollars),
            format!("{}: {}", query.energy.date, query.energy.source),
        ]
    });
    let mut notes: Vec<String> = advice.queries.iter().flat_map(formula).collect();
    // Skip what the first table already lists.
    let is_listed = |none: &MissingQuery| {
        let mut listed =
            advice.missing_choices.iter().map(|absent| (&absent.label, &absent.reason));
        listed.any(|listed| listed == (&none.decode, &none.reason))
    };
    let absent = advice.missing_queries.iter().filter(|none| !is_listed(none));
    notes.extend(absent.map(|none| format!("No query of {}: {}.", none.decode, none.reason)));
    let miner = &advice.choices[best].subject;
    notes.push(format!("Hashes and dollars: the same energy in a miner ({miner})."));
    Some(Table {
        title: "Energy of a query".into(),
        columns: columns([
            ("query", false),
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
    let mut lines = vec![format!(
        "{}: ({} tokens read × {} J + {} written × {} J) × plug {} × idle {} × PUE {} ÷ 3600 = {} Wh",
        query.decode,
        plain(query.tokens_in),
        phrase(query.prefill_joules_per_token),
        plain(query.tokens_out),
        phrase(query.decode_joules_per_token),
        plain(query.wall_factor),
        plain(query.idle_factor),
        plain(query.pue),
        phrase(query.watt_hours)
    )];
    let reason = query.lower_bound_reason.iter();
    lines.extend(reason.map(|why| format!("This is a lower bound: {why}.")));
    lines
}
