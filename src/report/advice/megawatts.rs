//! The table of a megawatt of miners against a megawatt of accelerators.

use super::common::{columns, how, short};
use super::figures::{cell, dollars, phrase};
use crate::economics::{Advice, Kind, Megawatt, best_of};
use crate::report::table::{Table, cells};
use crate::units::{Interval, Provenance};

/// Large sums are shown in millions of dollars.
const MILLION: f64 = 1e6;

/// The miners first, then measured and published accelerators.
pub(super) fn table(advice: &Advice) -> Table {
    let megawatts = &advice.megawatts;
    let row = |m: &Megawatt| {
        let millions = |dollars: Interval| cell(dollars / MILLION);
        let origin = match m.provenance {
            Provenance::Published => String::new(),
            provenance => format!("\n({})", how(provenance)),
        };
        cells([
            format!("{}{origin}", short(&m.label, advice)),
            cell(m.revenue_dollars_per_hour),
            cell(m.times_the_asic),
            millions(m.left_dollars_per_year),
            millions(m.build_dollars),
            m.payback_years.map_or("perhaps never".into(), cell),
        ])
    };
    Table {
        title: "A megawatt of miners compared with a megawatt of accelerators".into(),
        columns: columns([
            ("a megawatt of", false),
            ("earns, $/h", true),
            ("times the miner", true),
            ("left, M$/year", true),
            ("to build, M$", true),
            ("years to pay it back", true),
        ]),
        rows: std::iter::once(&megawatts.asic).chain(&megawatts.accelerators).map(row).collect(),
        notes: notes(advice),
    }
}

fn notes(advice: &Advice) -> Vec<String> {
    let megawatts = &advice.megawatts;
    let mut notes = vec![
        "Hashing on a GPU or a processor is a yardstick, not a business: mining needs ASIC miners."
            .to_string(),
    ];
    let miner = &megawatts.asic;
    let best = best_of(&advice.choices, Kind::HashAsic);
    let yardsticks = advice.yardsticks.iter().filter(|y| Some(y.asic) == best);
    notes.extend(yardsticks.map(|y| {
        let here = advice.choices[y.choice].device.as_ref().map_or("it", |on| &on.name);
        let (times, miner) = (phrase(y.times_worse), &advice.choices[y.asic].subject);
        format!("Per hash, {here} uses {times} times the joules of {miner}.")
    }));
    let published = |m: &&Megawatt| m.provenance == Provenance::Published;
    let published: Vec<&Megawatt> = megawatts.accelerators.iter().filter(published).collect();
    let earned = published.iter().map(|m| m.revenue_dollars_per_hour);
    let span = |one: Interval, other: Interval| {
        Interval::between(one.low.min(other.low), one.high.max(other.high))
    };
    if let (Some(first), Some(earned)) = (published.first(), earned.reduce(span)) {
        notes.push(format!(
            "A megawatt of miners earns {} an hour and costs {} M$ to build. One of accelerators earns {} by published joules, depending on \
             model, batch and card, and costs {} M$. Published figures are no more precise.",
            dollars(miner.revenue_dollars_per_hour),
            phrase(miner.build_dollars / MILLION),
            dollars(Interval::between(earned.low, earned.high)),
            phrase(first.build_dollars / MILLION)
        ));
    }
    notes.push(format!(
        "After the halving, {} M$ a year are left for the megawatt of miners; accelerators are not affected.",
        phrase(miner.left_after_halving_dollars_per_year / MILLION)
    ));
    notes.push(format!(
        "Colocation, power included, sells at about {} per kWh.",
        dollars(advice.colocation_dollars_per_kwh)
    ));
    notes
}
