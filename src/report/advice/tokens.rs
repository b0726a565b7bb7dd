//! What a token costs in hashes.

use super::columns;
use super::figures::{number, phrase_by};
use crate::economics::{Advice, Estimate, Kind};
use crate::report::table::Table;
use crate::units::{Amount, Unit};

/// Each token against hashing on its own device and on the best miner; nothing if no tokens have joules.
pub(super) fn table(advice: &Advice) -> Option<Table> {
    let miners = advice.choices.iter().filter(|choice| choice.kind == Kind::HashAsic);
    let best = miners.max_by(|a, b| a.revenue.middle().total_cmp(&b.revenue.middle()))?;
    let others: Vec<&String> = advice
        .choices
        .iter()
        .filter(|choice| choice.kind == Kind::HashAsic && choice.label != best.label)
        .map(|choice| &choice.label)
        .collect();
    let shown = advice.exchanges.iter().filter(|exchange| !others.contains(&&exchange.hasher));
    let hashes = |estimate: Estimate| {
        let show = |work: f64| Amount { work, unit: Unit::Hash }.to_string();
        phrase_by(estimate, &show)
    };
    let rows: Vec<Vec<String>> = shown
        .map(|exchange| {
            vec![
                exchange.token.replacen(" on ", "\non ", 1),
                exchange.hasher.replacen("hash on ", "", 1).replacen(" on ", "\non ", 1),
                hashes(exchange.hashes),
                phrase_by(exchange.dollars, &number),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        title: "Hashes forgone for a token".into(),
        columns: columns([
            ("a token of", false),
            ("that hashes instead", false),
            ("hashes", true),
            ("worth, $", true),
        ]),
        rows,
        notes: vec!["On the same device both joules are of one scope; a miner's are of the plug, to which a token's are taken.".into()],
    })
}
