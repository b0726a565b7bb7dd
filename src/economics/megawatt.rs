//! A megawatt of miners against a megawatt of accelerators.

use super::choices::to_meter;
use super::market::{Build, Figure};
use super::{Answer, Choice, Market, RevenueModel, Scenario, WorkEnergy};
use crate::energy::Scope;
use crate::units::{HOUR, Interval, KILOWATT_HOUR, MEGAWATT, Provenance, Unit, YEAR};
use serde::Serialize;

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
    /// Construction cost in dollars.
    pub build_dollars: Interval,
    /// Payback time in years; null if revenue may not exceed electricity.
    pub payback_years: Option<Interval>,
    /// Revenue relative to the reference miner's.
    pub times_the_asic: Interval,
    /// The figures that it is computed from, besides the conditions.
    pub rests_on: Vec<Figure>,
}

/// Miners and accelerators.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Megawatts {
    /// The reference miner with the highest revenue.
    pub asic: Megawatt,
    /// Measured accelerators, then published ones.
    pub accelerators: Vec<Megawatt>,
}

/// Both sides, from choices that can be converted to the facility meter and from published tokens.
pub(super) fn megawatts(choices: &[Choice], asic: usize, market: &Market) -> Megawatts {
    let miner = &choices[asic];
    let side = |label: String,
                (provenance, scope): (Provenance, Scope),
                scenario: &Scenario,
                build: &Build,
                mut rests_on: Vec<Figure>| {
        let hours = |dollars: Interval| dollars * ((MEGAWATT * HOUR).0 / KILOWATT_HOUR.0);
        let yearly = |dollars: Interval| hours(dollars) * (YEAR.0 / HOUR.0);
        let revenue = scenario.revenue();
        let bare = Scenario { capital: None, ..*scenario };
        let left = yearly(bare.margin());
        rests_on.push(build.cost.clone());
        let build = build.cost.interval;
        Megawatt {
            label,
            provenance,
            scope,
            revenue_dollars_per_hour: hours(revenue),
            revenue_dollars_per_year: yearly(revenue),
            left_dollars_per_year: left,
            left_after_halving_dollars_per_year: yearly(bare.after_halving().margin()),
            build_dollars: build,
            payback_years: (Answer::of(left) == Answer::Yes).then(|| build / left),
            times_the_asic: revenue / miner.revenue,
            rests_on,
        }
    };
    let of_choice = |choice: &Choice, build: &Build| {
        let energy = (choice.provenance, choice.scope);
        side(choice.label.clone(), energy, &choice.scenario, build, choice.rests_on.clone())
    };
    let inference = &market.build.inference;
    let measured = choices.iter().filter(|choice| !choice.kind.hashes() && choice.reaches_meter());
    let published = market.reference_tokens.iter().filter_map(|tokens| {
        let price = market.token_prices.iter().find(|price| price.name == tokens.price)?;
        let (wall, _, None) = to_meter(market, tokens.scope) else { return None };
        let energy = WorkEnergy { joules: tokens.energy.interval, unit: Unit::Token };
        let revenue_model = RevenueModel::Infer { energy, price: price.per_token() };
        let scenario = Scenario { revenue_model, wall, capital: None, ..miner.scenario };
        let label = format!("{}, at the price of {}", tokens.name, price.name);
        let rests_on = vec![tokens.energy.clone(), price.price.clone()];
        let origin = (energy.joules.provenance, tokens.scope);
        Some(side(label, origin, &scenario, inference, rests_on))
    });
    Megawatts {
        asic: of_choice(miner, &market.build.mining),
        accelerators: measured
            .map(|choice| of_choice(choice, inference))
            .chain(published)
            .collect(),
    }
}
