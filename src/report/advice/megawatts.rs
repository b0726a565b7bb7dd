//! The real choice: a megawatt of miners against a megawatt of accelerators.

use super::columns;
use super::figures::{cell, number, phrase};
use crate::economics::{Advice, Estimate, Megawatt, Origin};
use crate::report::table::Table;
use crate::units::MILLION_TOKENS;

/// Dollars that large sums are shown in.
const MILLION: f64 = MILLION_TOKENS;

/// The miners first, then what was measured here, then what is published.
pub(super) fn table(advice: &Advice) -> Table {
    let megawatts = &advice.megawatts;
    let row = |m: &Megawatt| {
        let millions = |dollars: Estimate| cell(dollars / MILLION);
        let how = match m.origin {
            Origin::Published => "published".to_string(),
            Origin::Row(provenance) => format!("{}, {}", provenance.name(), m.scope.name()),
        };
        vec![
            format!("{}\n({how})", m.label),
            cell(m.dollars_per_hour),
            cell(m.times_the_asic),
            millions(m.left_per_year),
            millions(m.left_per_year_after_halving),
            m.build.map_or("–".into(), millions),
            m.payback_years.map_or("perhaps never".into(), cell),
        ]
    };
    Table {
        title: "The real choice: a megawatt of miners against a megawatt of accelerators".into(),
        columns: columns([
            ("a megawatt of", false),
            ("earns, $/h", true),
            ("times the miner", true),
            ("left, M$/year", true),
            ("after the halving", true),
            ("to build, M$", true),
            ("pays it back in years", true),
        ]),
        rows: std::iter::once(&megawatts.asic).chain(&megawatts.accelerators).map(row).collect(),
        notes: notes(advice),
    }
}

fn notes(advice: &Advice) -> Vec<String> {
    let megawatts = &advice.megawatts;
    let mut notes = vec![
        "On a GPU, and on a processor, the hash is a yardstick and no business: who wants hashes buys miners.".to_string(),
    ];
    let miner = &megawatts.asic;
    let best: Vec<_> =
        advice.yardsticks.iter().filter(|y| advice.choices[y.asic].label == miner.label).collect();
    notes.extend(best.iter().map(|y| {
        format!(
            "For a hash {} takes {} times the joules of {}.",
            advice.choices[y.choice].device.as_ref().map_or("it", |on| &on.name),
            phrase(y.times_worse),
            advice.choices[y.asic].subject
        )
    }));
    let published = megawatts.accelerators.iter().filter(|m| m.origin == Origin::Published);
    if let Some(best) =
        published.max_by(|a, b| a.times_the_asic.middle().total_cmp(&b.times_the_asic.middle()))
        && let (Some(mining), Some(inference)) = (miner.build, best.build)
    {
        notes.push(format!(
            "So the choice is between a megawatt that earns ${} an hour with miners and costs {} M$ to build, and one that earns \
             up to ${} with accelerators ({}) and costs {} M$; at other batches and prices it earns what the table says.",
            number(miner.dollars_per_hour.middle()),
            phrase(mining / MILLION),
            number(best.dollars_per_hour.high),
            best.label,
            phrase(inference / MILLION)
        ));
    }
    notes.push(format!(
        "Colocation with power is sold at about ${} a kWh.",
        phrase(advice.colocation)
    ));
    notes
}
