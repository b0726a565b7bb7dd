//! One use of a kilowatt-hour and its market conditions. All dollar figures are computed from these.

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
        /// Joules per token.
        energy: WorkEnergy,
        /// Dollars per token.
        price: Price,
    },
    /// The device is rented out by the hour.
    Rent {
        /// Dollars per hour.
        dollars_per_hour: Interval,
        /// Power of the device, in its measured scope.
        watts: Interval,
    },
}

/// A revenue model on given hardware.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scenario {
    /// What is sold.
    pub revenue_model: RevenueModel,
    /// Joules at the plug per joule in the scope of the revenue model.
    pub wall: f64,
    /// Cost of the hardware, if it is counted.
    pub capital: Option<Capital>,
}

/// Cost and lifetime of hardware.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Capital {
    /// Per megawatt at the facility meter.
    Megawatt {
        /// Dollars per megawatt.
        dollars: Interval,
        /// Years of depreciation.
        years: Interval,
    },
    /// Per card.
    Card {
        /// Dollars per card.
        dollars: Interval,
        /// Years of depreciation.
        years: Interval,
        /// Power of the card, in the scope of the revenue model.
        watts: Interval,
    },
}

/// Market and facility.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Conditions {
    /// The Bitcoin network.
    #[serde(flatten)]
    pub network: Network,
    /// Dollars per kWh.
    #[serde(rename = "electricity_dollars_per_kwh")]
    pub electricity: f64,
    /// Power usage effectiveness: energy at the facility meter over energy at the plugs.
    pub pue: f64,
    /// Fraction of the time that tokens or hours are sold; hashes always are.
    pub utilisation: f64,
}

/// A parameter that may have a break-even value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parameter {
    /// Dollars per kWh.
    #[serde(rename = "electricity_dollars_per_kwh")]
    Electricity,
    /// Dollars per PH/s and day.
    #[serde(rename = "hashprice_dollars_per_petahash_day")]
    Hashprice,
    /// Dollars per bitcoin.
    #[serde(rename = "bitcoin_dollars")]
    Bitcoin,
    /// Dollars per million tokens.
    #[serde(rename = "token_price_dollars_per_million_tokens")]
    TokenPrice,
    /// Dollars per hour.
    #[serde(rename = "rent_dollars_per_hour")]
    Rent,
    /// Fraction of the time.
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

    /// Name in tables.
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

    /// Unit of its values.
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

    /// Lower and upper limit of its values.
    pub fn domain(self) -> (f64, f64) {
        match self {
            Parameter::Utilisation => (0.0, 1.0),
            Parameter::Pue => (1.0, f64::INFINITY),
            _ => (0.0, f64::INFINITY),
        }
    }
}

impl Conditions {
    /// The value of a parameter; `None` for a parameter of a scenario.
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

    /// The same conditions with one parameter changed.
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

    /// After the next halving, all else unchanged.
    pub fn after_halving(self) -> Conditions {
        Conditions { network: self.network.after_halving(), ..self }
    }
}

impl Scenario {
    /// The value of a parameter; `None` if the scenario does not have it.
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

    /// The same scenario with one of its parameters changed.
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

    /// Revenue in dollars per kWh at the facility meter.
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

    /// Depreciation of hardware in dollars per kWh at the facility meter, if it is counted.
    pub fn hardware(&self, conditions: &Conditions) -> Option<Interval> {
        Some(match self.capital? {
            Capital::Megawatt { dollars, years } => written_off(dollars, years),
            Capital::Card { dollars, years, watts } => {
                let megawatts = watts * (self.wall * conditions.pue / MEGAWATT.0);
                written_off(dollars / megawatts, years)
            }
        })
    }

    /// Revenue less hardware (if counted), in dollars per kWh.
    pub fn net(&self, conditions: &Conditions) -> Interval {
        let revenue = self.revenue(conditions);
        self.hardware(conditions).map_or(revenue, |hardware| revenue - hardware)
    }

    /// Revenue less hardware (if counted) and electricity, in dollars per kWh.
    pub fn margin(&self, conditions: &Conditions) -> Interval {
        self.net(conditions) - quoted(conditions.electricity)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::units::{EnergyPerWork, any_interval};
    use proptest::prelude::*;

    /// Hash, infer and rent, with and without capital, of realistic size.
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

    /// Conditions of realistic size.
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
        fn margin_is_monotonic_in_each_parameter(
            scenario in scenarios(), at in conditions(), more in 1.001..50.0,
        ) {
            let (before, hashes) = (scenario.margin(&at), matches!(scenario.revenue_model, RevenueModel::Hash(_)));
            for parameter in Parameter::ALL {
                let of_scenario = scenario.get(parameter).map(Interval::middle);
                let Some(value) = at.get(parameter).or(of_scenario) else { continue };
                let (from, to) = (scenario.with(parameter, value), scenario.with(parameter, value * more));
                let from = from.margin(&at.with(parameter, value));
                let to = to.margin(&at.with(parameter, value * more));
                let raises = match parameter {
                    Parameter::Hashprice | Parameter::Bitcoin => Some(true).filter(|_| hashes),
                    Parameter::TokenPrice | Parameter::Rent => Some(true),
                    Parameter::Utilisation => Some(true).filter(|_| !hashes),
                    Parameter::Electricity => Some(false).filter(|_| value > 0.0),
                    // A card's cost per kWh falls too if the PUE rises.
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
        fn intervals_stay_ordered_and_losses_divide_revenue(
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
