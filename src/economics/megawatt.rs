//! The real choice: a megawatt of miners against a megawatt of accelerators. On a GPU the hash is only a yardstick, and this
//! says by how much.

use super::choices::to_meter;
use super::market::Build;
use super::{
    Answer, Choice, Citation, Conditions, Estimate, Kind, Market, Origin, Plan, Price, Standing,
    Venture, WorkEnergy,
};
use crate::energy::Scope;
use crate::units::{HOUR, KILOWATT_HOUR, MEGAWATT, MILLION_TOKENS, Unit, YEAR};

/// How far a measured device is from a reference miner.
#[derive(Clone, Debug, PartialEq)]
pub struct Yardstick {
    /// The choice that hashes on the device.
    pub choice: usize,
    /// The reference miner's choice that it is held against.
    pub asic: usize,
    /// Joules a hash of the one over the other's, at the plug.
    pub times_worse: Estimate,
}

/// A megawatt at the hall's meter, put to one use.
#[derive(Clone, Debug, PartialEq)]
pub struct Megawatt {
    /// What is done with it.
    pub label: String,
    /// How its energy came about.
    pub origin: Origin,
    /// What that energy covers, before it is taken to the meter.
    pub scope: Scope,
    /// Dollars of revenue an hour.
    pub dollars_per_hour: Estimate,
    /// Dollars of revenue a year, at the utilisation of the premises.
    pub dollars_per_year: Estimate,
    /// What is left of it a year when the power is paid.
    pub left_per_year: Estimate,
    /// The same after the next halving.
    pub left_per_year_after_halving: Estimate,
    /// Dollars to build it.
    pub build: Option<Estimate>,
    /// Years in which what is left pays for the building; nothing if it may never.
    pub payback_years: Option<Estimate>,
    /// Revenue over that of the reference miner.
    pub times_the_asic: Estimate,
    /// The figures that it rests on, beside the conditions.
    pub rests_on: Vec<Citation>,
}

/// The two sides.
#[derive(Clone, Debug, PartialEq)]
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
    let plug = |choice: &Choice| match choice.venture.plan {
        Plan::Hash(energy) => Some(energy.joules * choice.venture.wall),
        _ => None,
    };
    let of = |kind| choices.iter().enumerate().filter(move |(_, choice)| choice.kind == kind);
    let here = of(Kind::HashHere).filter(|(_, choice)| choice.standing == Standing::Meter);
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
                origin,
                scope,
                venture: &Venture,
                build: Option<&Build>,
                mut rests_on: Vec<Citation>| {
        let hours = |dollars: Estimate| dollars * ((MEGAWATT * HOUR).0 / KILOWATT_HOUR.0);
        let yearly = |dollars: Estimate| hours(dollars) * (YEAR.0 / HOUR.0);
        let revenue = venture.revenue(conditions);
        let bare = Venture { capital: None, ..*venture };
        let left_per_year = yearly(bare.margin(conditions));
        rests_on.extend(build.map(|build| Citation::from(&build.cost)));
        let build = build.map(|build| build.cost.estimate);
        let pays = Answer::of(left_per_year) == Answer::Yes;
        Megawatt {
            label,
            origin,
            scope,
            dollars_per_hour: hours(revenue),
            dollars_per_year: yearly(revenue),
            left_per_year,
            left_per_year_after_halving: yearly(bare.margin(&conditions.after_halving())),
            build,
            payback_years: build.filter(|_| pays).map(|build| build / left_per_year),
            times_the_asic: revenue / miner.revenue,
            rests_on,
        }
    };
    let of_choice = |choice: &Choice, build| {
        let rests_on = choice.rests_on.clone();
        side(choice.label.clone(), choice.origin, choice.scope, &choice.venture, build, rests_on)
    };
    let inference = Some(&market.inference);
    let measured = choices.iter().filter(|choice| {
        matches!(choice.kind, Kind::Infer | Kind::Rent) && choice.standing == Standing::Meter
    });
    let published = market.reference_tokens.iter().filter_map(|tokens| {
        let price = market.token_prices.iter().find(|price| price.name == tokens.price)?;
        let (wall, _, standing) = to_meter(market, tokens.scope);
        let energy = WorkEnergy { joules: tokens.energy.estimate, unit: Unit::Token };
        let dollars = price.price.estimate / MILLION_TOKENS;
        let plan = Plan::Infer { energy, price: Price { dollars, unit: Unit::Token } };
        let venture = Venture { plan, wall, capital: None };
        let label = format!("{}, at the price of {}", tokens.name, price.name);
        let rests_on = vec![(&tokens.energy).into(), (&price.price).into()];
        (standing == Standing::Meter)
            .then(|| side(label, Origin::Published, tokens.scope, &venture, inference, rests_on))
    });
    Megawatts {
        asic: of_choice(miner, Some(&market.mining)),
        accelerators: measured
            .map(|choice| of_choice(choice, inference))
            .chain(published)
            .collect(),
    }
}
