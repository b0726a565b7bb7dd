//! The table of hashes forgone per token.

use super::figures::{cell, cell_by};
use super::{best_miner, columns, short};
use crate::economics::{Advice, Kind};
use crate::report::table::{Cell, Table, cells};
use crate::units::{Amount, Interval, MILLION_TOKENS, Unit};

/// Each token row against hashing on its own device and on the best miner; `None` if no token row has joules.
pub(super) fn table(advice: &Advice) -> Option<Table> {
    let best = &advice.choices[best_miner(advice)?];
    let others: Vec<&String> = advice
        .choices
        .iter()
        .filter(|choice| choice.kind == Kind::HashAsic && choice.label != best.label)
        .map(|choice| &choice.label)
        .collect();
    let shown = advice.hashes_forgone.iter().filter(|exchange| !others.contains(&&exchange.hasher));
    let hashes = |interval: Interval| {
        let show = |work: f64| Amount { work, unit: Unit::Hash }.to_string();
        cell_by(interval, &show)
    };
    let rows: Vec<Vec<Cell>> = shown
        .map(|exchange| {
            cells([
                short(&exchange.token, advice),
                short(exchange.hasher.trim_start_matches("hash on "), advice),
                hashes(exchange.hashes_per_token),
                cell(exchange.dollars_per_token * MILLION_TOKENS),
            ])
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        title: "Hashes forgone for a token".into(),
        columns: columns([
            ("a token of", false),
            ("that hashes instead", false),
            ("hashes", true),
            ("worth, $/Mtoken", true),
        ]),
        rows,
        notes: vec!["On the same device both joules are of one scope; a miner's are of the plug, to which a token's are taken.".into()],
    })
}
