//! A megawatt of miners against a megawatt of accelerators, and measured devices against miners by energy per hash.

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

/// Energy per hash of a measured device relative to a reference miner.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Yardstick {
    /// Index of the choice that hashes on the device.
    pub choice: usize,
    /// Index of the reference miner's choice.
    pub asic: usize,
    /// Joules per hash of the device over those of the miner, both at the plug.
    pub times_worse: Interval,
}

/// A megawatt at the facility meter, in one use.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Megawatt {
    /// Name of the use.
    pub label: String,
    /// Provenance of the energy figure.
    pub provenance: Provenance,
    /// Scope of the energy figure, before conversion to the facility meter.
    pub scope: Scope,
    /// Mean revenue in dollars per hour, at the utilisation of the premises.
    pub revenue_dollars_per_hour: Interval,
    /// Revenue in dollars per year, at the utilisation of the premises.
    pub revenue_dollars_per_year: Interval,
    /// Revenue less electricity, in dollars per year.
    pub left_dollars_per_year: Interval,
    /// The same after the next halving.
    pub left_after_halving_dollars_per_year: Interval,
    /// Construction cost in dollars; null if unknown.
    pub build_dollars: Option<Interval>,
    /// Payback time in years; null if the cost is unknown or revenue may not exceed electricity.
    pub payback_years: Option<Interval>,
    /// Revenue relative to the reference miner's.
    pub times_the_asic: Interval,
    /// The figures that it is computed from, besides the conditions.
    pub rests_on: Vec<Citation>,
}

/// Miners and accelerators.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Megawatts {
    /// The reference miner with the highest revenue.
    pub asic: Megawatt,
    /// Measured accelerators, then published ones.
    pub accelerators: Vec<Megawatt>,
}

/// Index of the reference miner with the highest revenue per kWh.
pub(super) fn best_asic(choices: &[Choice]) -> Option<usize> {
    let asics = choices.iter().enumerate().filter(|(_, choice)| choice.kind == Kind::HashAsic);
    let best = asics.max_by(|(_, a), (_, b)| a.revenue.middle().total_cmp(&b.revenue.middle()));
    best.map(|(i, _)| i)
}

/// Compares each measured hash row with a known plug factor to each reference miner.
pub(super) fn yardsticks(choices: &[Choice]) -> Vec<Yardstick> {
    let plug_joules = |choice: &Choice| match choice.scenario.revenue_model {
        RevenueModel::Hash(energy) => Some(energy.joules * choice.scenario.wall),
        _ => None,
    };
    let of_kind = |kind| choices.iter().enumerate().filter(move |(_, choice)| choice.kind == kind);
    let here = of_kind(Kind::HashHere).filter(|(_, choice)| choice.reaches_meter());
    here.flat_map(|(choice, device)| {
        of_kind(Kind::HashAsic).filter_map(move |(asic, miner)| {
            let times_worse = plug_joules(device)? / plug_joules(miner)?;
            Some(Yardstick { choice, asic, times_worse })
        })
    })
    .collect()
}

/// Both sides, from choices that can be converted to the facility meter and from published tokens.
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
        let origin = (energy.joules.provenance, tokens.scope);
        missing.is_none().then(|| side(label, origin, &scenario, inference, rests_on))
    });
    Megawatts {
        asic: of_choice(miner, Some(&market.mining)),
        accelerators: measured
            .map(|choice| of_choice(choice, inference))
            .chain(published)
            .collect(),
    }
}
