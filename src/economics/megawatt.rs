//! The real choice: a megawatt of miners against a megawatt of accelerators. On a GPU the hash is only a yardstick, and this
//! says by how much.

use super::choices::to_meter;
use super::market::Build;
use super::{
    Answer, Choice, Citation, Conditions, Kind, Market, Price, RevenueModel, Scenario, WorkEnergy,
};
use crate::energy::Scope;
use crate::units::{
    HOUR, Interval, KILOWATT_HOUR, MEGAWATT, MILLION_TOKENS, Provenance, Unit, YEAR,
};
use serde::Serialize;

/// How far a measured device is from a reference miner.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Yardstick {
    /// The choice that hashes on the device.
    pub choice: usize,
    /// The reference miner's choice that it is held against.
    pub asic: usize,
    /// Joules a hash of the one over the other's, at the plug.
    pub times_worse: Interval,
}

/// A megawatt at the hall's meter, put to one use.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Megawatt {
    /// What is done with it.
    pub label: String,
    /// How its energy came about.
    pub provenance: Provenance,
    /// What that energy covers, before it is taken to the meter.
    pub scope: Scope,
    /// Dollars of revenue an hour.
    pub revenue_dollars_per_hour: Interval,
    /// Dollars of revenue a year, at the utilisation of the premises.
    pub revenue_dollars_per_year: Interval,
    /// What is left of it a year when the power is paid.
    pub left_dollars_per_year: Interval,
    /// The same after the next halving.
    pub left_after_halving_dollars_per_year: Interval,
    /// Dollars to build it; null if that is not known.
    pub build_dollars: Option<Interval>,
    /// Years in which what is left pays for the building; null if it may never.
    pub payback_years: Option<Interval>,
    /// Revenue over that of the reference miner.
    pub times_the_asic: Interval,
    /// The figures that it rests on, beside the conditions.
    pub rests_on: Vec<Citation>,
}

/// The two sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Megawatts {
    /// The reference miner of the most revenue.
    pub asic: Megawatt,
    /// Accelerators: what was measured here, then what is published.
    pub accelerators: Vec<Megawatt>,
}

/// The reference miner that earns most of a kilowatt-hour.
pub(super) fn best_asic(choices: &[Choice]) -> Option<usize> {
    let asics = choices.iter().enumerate().filter(|(_, choice)| choice.kind == Kind::HashAsic);
    let best = asics.max_by(|(_, a), (_, b)| a.revenue.middle().total_cmp(&b.revenue.middle()));
    best.map(|(i, _)| i)
}

/// Each measured hash whose joules reach the plug, against each reference miner.
pub(super) fn yardsticks(choices: &[Choice]) -> Vec<Yardstick> {
    let plug = |choice: &Choice| match choice.scenario.revenue_model {
        RevenueModel::Hash(energy) => Some(energy.joules * choice.scenario.wall),
        _ => None,
    };
    let of = |kind| choices.iter().enumerate().filter(move |(_, choice)| choice.kind == kind);
    let here = of(Kind::HashHere).filter(|(_, choice)| choice.reaches_meter());
    here.flat_map(|(choice, own)| {
        of(Kind::HashAsic).filter_map(move |(asic, miner)| {
            let times_worse = plug(own)? / plug(miner)?;
            Some(Yardstick { choice, asic, times_worse })
        })
    })
    .collect()
}

/// The two sides, from choices that reach the meter and from published tokens.
pub(super) fn megawatts(
    choices: &[Choice],
    asic: usize,
    market: &Market,
    conditions: &Conditions,
) -> Megawatts {
    let miner = &choices[asic];
    let side = |label: String,
                (provenance, scope): (Provenance, Scope),
                scenario: &Scenario,
                build: Option<&Build>,
                mut rests_on: Vec<Citation>| {
        let hours = |dollars: Interval| dollars * ((MEGAWATT * HOUR).0 / KILOWATT_HOUR.0);
        let yearly = |dollars: Interval| hours(dollars) * (YEAR.0 / HOUR.0);
        let revenue = scenario.revenue(conditions);
        let bare = Scenario { capital: None, ..*scenario };
        let left = yearly(bare.margin(conditions));
        rests_on.extend(build.map(|build| Citation::from(&build.cost)));
        let build_dollars = build.map(|build| build.cost.interval);
        let pays = Answer::of(left) == Answer::Yes;
        Megawatt {
            label,
            provenance,
            scope,
            revenue_dollars_per_hour: hours(revenue),
            revenue_dollars_per_year: yearly(revenue),
            left_dollars_per_year: left,
            left_after_halving_dollars_per_year: yearly(bare.margin(&conditions.after_halving())),
            build_dollars,
            payback_years: build_dollars.filter(|_| pays).map(|build| build / left),
            times_the_asic: revenue / miner.revenue,
            rests_on,
        }
    };
    let of_choice = |choice: &Choice, build| {
        let energy = (choice.provenance, choice.scope);
        side(choice.label.clone(), energy, &choice.scenario, build, choice.rests_on.clone())
    };
    let inference = Some(&market.inference);
    let measured = choices
        .iter()
        .filter(|choice| matches!(choice.kind, Kind::Infer | Kind::Rent) && choice.reaches_meter());
    let published = market.reference_tokens.iter().filter_map(|tokens| {
        let price = market.token_prices.iter().find(|price| price.name == tokens.price)?;
        let (wall, _, missing) = to_meter(market, tokens.scope);
        let energy = WorkEnergy { joules: tokens.energy.interval, unit: Unit::Token };
        let dollars = price.price.interval / MILLION_TOKENS;
        let price_of = Price { dollars, unit: Unit::Token };
        let revenue_model = RevenueModel::Infer { energy, price: price_of };
        let scenario = Scenario { revenue_model, wall, capital: None };
        let label = format!("{}, at the price of {}", tokens.name, price.name);
        let rests_on = vec![(&tokens.energy).into(), (&price.price).into()];
        let of = (energy.joules.provenance, tokens.scope);
        missing.is_none().then(|| side(label, of, &scenario, inference, rests_on))
    });
    Megawatts {
        asic: of_choice(miner, Some(&market.mining)),
        accelerators: measured
            .map(|choice| of_choice(choice, inference))
            .chain(published)
            .collect(),
    }
}
