//! A megawatt of miners against a megawatt of accelerators.

use super::choices::Offers;
use super::market::{Capex, CapexByKind, Figure};
use super::{Answer, Choice, Scenario};
use crate::energy::Scope;
use crate::units::{HOUR, Interval, KILOWATT_HOUR, MEGAWATT, Provenance, YEAR};
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
    #[serde(rename = "rests_on")]
    pub inputs: Vec<Figure>,
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
pub(super) fn megawatts(offers: &Offers, choices: &[Choice], asic: usize) -> Megawatts {
    let (miner, published) = (&choices[asic], offers.published_tokens());
    let side = |choice: &Choice, build: &Capex| {
        let hours = |dollars: Interval| dollars * ((MEGAWATT * HOUR).0 / KILOWATT_HOUR.0);
        let yearly = |dollars: Interval| hours(dollars) * (YEAR.0 / HOUR.0);
        let bare = Scenario { capital: None, ..choice.scenario };
        let left = yearly(bare.margin());
        let build_dollars = build.cost.interval;
        Megawatt {
            label: choice.label.clone(),
            provenance: choice.provenance,
            scope: choice.scope,
            revenue_dollars_per_hour: hours(choice.revenue),
            revenue_dollars_per_year: yearly(choice.revenue),
            left_dollars_per_year: left,
            left_after_halving_dollars_per_year: yearly(bare.after_halving().margin()),
            build_dollars,
            payback_years: (Answer::of(left) == Answer::Yes).then(|| build_dollars / left),
            times_the_asic: choice.revenue / miner.revenue,
            inputs: choice.inputs.iter().chain([&build.cost]).cloned().collect(),
        }
    };
    let CapexByKind { mining, inference } = &offers.market.build;
    let measured = choices.iter().filter(|choice| !choice.kind.hashes());
    let accelerators = measured.chain(&published).filter(|choice| choice.has_wall_energy());
    Megawatts {
        asic: side(miner, mining),
        accelerators: accelerators.map(|choice| side(choice, inference)).collect(),
    }
}
