//! One use of a kilowatt-hour and the conditions that it is put to use under. Every answer is a recomputation of this.

use super::revenue::quoted;
use super::{Network, Price, WorkEnergy, rented, sold, written_off};
use crate::units::{Interval, MEGAWATT, MILLION_TOKENS, Unit};
use serde::Serialize;

/// What is sold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RevenueModel {
    /// Hashes are sold to the network.
    Hash(WorkEnergy),
    /// Tokens are sold.
    Infer {
        /// Joules a token.
        energy: WorkEnergy,
        /// Dollars a token.
        price: Price,
    },
    /// The device is rented out by the hour.
    Rent {
        /// Dollars an hour.
        dollars_per_hour: Interval,
        /// What it draws, in the scope that it was measured in.
        watts: Interval,
    },
}

/// A revenue model on hardware.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scenario {
    /// What is done.
    pub revenue_model: RevenueModel,
    /// Joules at the plug for one in the scope of the revenue model's figures.
    pub wall: f64,
    /// What the hardware costs, where that is to be counted.
    pub capital: Option<Capital>,
}

/// What hardware costs and how long it lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Capital {
    /// By the megawatt that the hall buys.
    Megawatt {
        /// Dollars a megawatt.
        dollars: Interval,
        /// Years until it is written off.
        years: Interval,
    },
    /// By the card.
    Card {
        /// Dollars a card.
        dollars: Interval,
        /// Years until it is written off.
        years: Interval,
        /// What the card draws, in the scope of the revenue model's figures.
        watts: Interval,
    },
}

/// What the market and the user's hall are like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Conditions {
    /// The Bitcoin network.
    #[serde(flatten)]
    pub network: Network,
    /// Dollars a kilowatt-hour.
    #[serde(rename = "electricity_dollars_per_kwh")]
    pub electricity: f64,
    /// Energy that the hall buys for one at the plugs.
    pub pue: f64,
    /// Share of the time that tokens or hours are sold; hashes always are.
    pub utilisation: f64,
}

/// What an answer may flip with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parameter {
    /// Dollars a kilowatt-hour.
    #[serde(rename = "electricity_dollars_per_kwh")]
    Electricity,
    /// Dollars a petahash a second and day.
    #[serde(rename = "hashprice_dollars_per_petahash_day")]
    Hashprice,
    /// Dollars a bitcoin.
    #[serde(rename = "bitcoin_dollars")]
    Bitcoin,
    /// Dollars a million tokens.
    #[serde(rename = "token_price_dollars_per_million_tokens")]
    TokenPrice,
    /// Dollars an hour.
    #[serde(rename = "rent_dollars_per_hour")]
    Rent,
    /// Share of the time.
    Utilisation,
    /// Power usage effectiveness.
    Pue,
}

impl Parameter {
    /// Every parameter.
    pub const ALL: [Parameter; 7] = [
        Parameter::Electricity,
        Parameter::Hashprice,
        Parameter::Bitcoin,
        Parameter::TokenPrice,
        Parameter::Rent,
        Parameter::Utilisation,
        Parameter::Pue,
    ];

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Parameter::Electricity => "electricity",
            Parameter::Hashprice => "hashprice",
            Parameter::Bitcoin => "bitcoin price",
            Parameter::TokenPrice => "token price",
            Parameter::Rent => "rent",
            Parameter::Utilisation => "utilisation",
            Parameter::Pue => "PUE",
        }
    }

    /// The unit of its values.
    pub fn unit(self) -> &'static str {
        match self {
            Parameter::Electricity => "$/kWh",
            Parameter::Hashprice => "$/PH/day",
            Parameter::Bitcoin => "$/BTC",
            Parameter::TokenPrice => "$/Mtoken",
            Parameter::Rent => "$/h",
            Parameter::Utilisation => "share",
            Parameter::Pue => "ratio",
        }
    }

    /// The values that it can have.
    pub fn domain(self) -> (f64, f64) {
        match self {
            Parameter::Utilisation => (0.0, 1.0),
            Parameter::Pue => (1.0, f64::INFINITY),
            _ => (0.0, f64::INFINITY),
        }
    }
}

impl Conditions {
    /// What a parameter of the conditions is here; nothing for one of a scenario.
    pub fn get(&self, parameter: Parameter) -> Option<f64> {
        match parameter {
            Parameter::Electricity => Some(self.electricity),
            Parameter::Hashprice => Some(self.network.hashprice()),
            Parameter::Bitcoin => Some(self.network.bitcoin),
            Parameter::Utilisation => Some(self.utilisation),
            Parameter::Pue => Some(self.pue),
            Parameter::TokenPrice | Parameter::Rent => None,
        }
    }

    /// The same conditions with a parameter at another value.
    pub fn with(mut self, parameter: Parameter, value: f64) -> Conditions {
        match parameter {
            Parameter::Electricity => self.electricity = value,
            Parameter::Hashprice => self.network = self.network.at_hashprice(value),
            Parameter::Bitcoin => self.network.bitcoin = value,
            Parameter::Utilisation => self.utilisation = value,
            Parameter::Pue => self.pue = value,
            Parameter::TokenPrice | Parameter::Rent => {}
        }
        self
    }

    /// After the next halving, all else as it is.
    pub fn after_halving(self) -> Conditions {
        Conditions { network: self.network.after_halving(), ..self }
    }
}

impl Scenario {
    /// What a parameter of the scenario is; nothing for others.
    pub fn get(&self, parameter: Parameter) -> Option<Interval> {
        match (parameter, self.revenue_model) {
            (Parameter::TokenPrice, RevenueModel::Infer { price, .. }) => {
                Some(price.dollars * MILLION_TOKENS)
            }
            (Parameter::Rent, RevenueModel::Rent { dollars_per_hour, .. }) => {
                Some(dollars_per_hour)
            }
            _ => None,
        }
    }

    /// The same scenario with a parameter of its own at another value.
    pub fn with(mut self, parameter: Parameter, value: f64) -> Scenario {
        match (parameter, &mut self.revenue_model) {
            (Parameter::TokenPrice, RevenueModel::Infer { price, .. }) => {
                price.dollars = quoted(value / MILLION_TOKENS);
            }
            (Parameter::Rent, RevenueModel::Rent { dollars_per_hour, .. }) => {
                *dollars_per_hour = quoted(value);
            }
            _ => {}
        }
        self
    }

    /// Dollars that a kilowatt-hour earns which the hall buys, before power and hardware are paid.
    pub fn revenue(&self, conditions: &Conditions) -> Interval {
        let at_scope = match self.revenue_model {
            RevenueModel::Hash(energy) => {
                let dollars = quoted(conditions.network.dollars_per_hash());
                sold(energy, Price { dollars, unit: Unit::Hash })
            }
            RevenueModel::Infer { energy, price } => sold(energy, price) * conditions.utilisation,
            RevenueModel::Rent { dollars_per_hour, watts } => {
                rented(dollars_per_hour, watts) * conditions.utilisation
            }
        };
        at_scope / self.wall / conditions.pue
    }

    /// Dollars of hardware for a kilowatt-hour that the hall buys, where they are counted.
    pub fn hardware(&self, conditions: &Conditions) -> Option<Interval> {
        Some(match self.capital? {
            Capital::Megawatt { dollars, years } => written_off(dollars, years),
            Capital::Card { dollars, years, watts } => {
                let megawatts = watts * (self.wall * conditions.pue / MEGAWATT.0);
                written_off(dollars / megawatts, years)
            }
        })
    }

    /// Dollars that a kilowatt-hour leaves for its power, after the hardware where that is counted.
    pub fn net(&self, conditions: &Conditions) -> Interval {
        let revenue = self.revenue(conditions);
        self.hardware(conditions).map_or(revenue, |hardware| revenue - hardware)
    }

    /// Dollars that a kilowatt-hour leaves after its power too.
    pub fn margin(&self, conditions: &Conditions) -> Interval {
        self.net(conditions) - quoted(conditions.electricity)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::units::{EnergyPerWork, any_interval};
    use proptest::prelude::*;

    /// Hash, infer and rent, with and without capital, in sizes that occur.
    pub fn scenarios() -> impl Strategy<Value = Scenario> {
        let hash = any_interval(5.0..1e5).prop_map(|terahash| {
            let joules = terahash * EnergyPerWork::quoted(1.0, Unit::Hash).joules;
            RevenueModel::Hash(WorkEnergy { joules, unit: Unit::Hash })
        });
        let infer =
            (any_interval(0.01..10.0), any_interval(0.01..10.0)).prop_map(|(joules, price)| {
                let dollars = price / MILLION_TOKENS;
                RevenueModel::Infer {
                    energy: WorkEnergy { joules, unit: Unit::Token },
                    price: Price { dollars, unit: Unit::Token },
                }
            });
        let rent = (any_interval(0.1..10.0), any_interval(50.0..1000.0))
            .prop_map(|(dollars_per_hour, watts)| RevenueModel::Rent { dollars_per_hour, watts });
        let years = || any_interval(1.0..8.0);
        let built = (any_interval(1e5..2e7), years())
            .prop_map(|(dollars, years)| Some(Capital::Megawatt { dollars, years }));
        let bought = (any_interval(200.0..4e4), years(), any_interval(50.0..1000.0))
            .prop_map(|(dollars, years, watts)| Some(Capital::Card { dollars, years, watts }));
        (prop_oneof![hash, infer, rent], 1.0..2.0, prop_oneof![Just(None), built, bought])
            .prop_map(|(revenue_model, wall, capital)| Scenario { revenue_model, wall, capital })
    }

    /// Conditions of these years and around.
    pub fn conditions() -> impl Strategy<Value = Conditions> {
        let network = (5e13..5e14, 1e4..5e5, 0.0..0.3).prop_map(|(difficulty, bitcoin, share)| {
            Network::with_fee_share(difficulty, bitcoin, 3.125, share)
        });
        (network, 0.0..0.5, 1.0..2.5, 0.05..1.0).prop_map(
            |(network, electricity, pue, utilisation)| Conditions {
                network,
                electricity,
                pue,
                utilisation,
            },
        )
    }

    proptest! {
        #[test]
        fn the_margin_moves_the_way_that_each_parameter_pushes(
            scenario in scenarios(), at in conditions(), more in 1.001..50.0,
        ) {
            let (before, hashes) = (scenario.margin(&at), matches!(scenario.revenue_model, RevenueModel::Hash(_)));
            for parameter in Parameter::ALL {
                let own = scenario.get(parameter).map(Interval::middle);
                let Some(value) = at.get(parameter).or(own) else { continue };
                let (from, to) = (scenario.with(parameter, value), scenario.with(parameter, value * more));
                let from = from.margin(&at.with(parameter, value));
                let to = to.margin(&at.with(parameter, value * more));
                let raises = match parameter {
                    Parameter::Hashprice | Parameter::Bitcoin => Some(true).filter(|_| hashes),
                    Parameter::TokenPrice | Parameter::Rent => Some(true),
                    Parameter::Utilisation => Some(true).filter(|_| !hashes),
                    Parameter::Electricity => Some(false).filter(|_| value > 0.0),
                    // A card's cost for a kilowatt-hour falls too, if cooling takes more of them.
                    Parameter::Pue => Some(false).filter(|_| !matches!(scenario.capital, Some(Capital::Card { .. }))),
                };
                match raises {
                    Some(true) => prop_assert!(to.low > from.low && to.high > from.high, "{parameter:?}"),
                    Some(false) => prop_assert!(to.low < from.low && to.high < from.high, "{parameter:?}"),
                    None if parameter == Parameter::Pue || value == 0.0 => {}
                    None => prop_assert_eq!(to, before, "{:?}", parameter),
                }
            }
        }

        #[test]
        fn intervals_stay_in_order_and_losses_at_the_plug_divide(
            scenario in scenarios(), at in conditions(),
        ) {
            let margin = scenario.margin(&at);
            prop_assert!(margin.low <= margin.high);
            prop_assert!(margin.value.is_none_or(|v| margin.low <= v && v <= margin.high));
            let bare = Scenario { wall: 1.0, ..scenario };
            let expected = bare.revenue(&at.with(Parameter::Pue, 1.0)).low / (scenario.wall * at.pue);
            prop_assert!((scenario.revenue(&at).low / expected - 1.0).abs() < 1e-9);
        }
    }
}
