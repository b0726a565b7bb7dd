//! One use of a kilowatt-hour and its market conditions. All dollar figures are computed from these.

use super::revenue::quoted;
use super::{Network, Price, WorkEnergy, depreciation, rented, sales_revenue};
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

/// A revenue model on given hardware, under given conditions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scenario {
    /// What is sold.
    pub revenue_model: RevenueModel,
    /// Joules at the plug per joule in the scope of the revenue model.
    pub wall: f64,
    /// Cost of the hardware, if it is counted.
    pub capital: Option<Capital>,
    /// Market and facility.
    pub conditions: Conditions,
}

/// Cost and lifetime of hardware.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capital {
    /// Dollars per card, or per megawatt at the facility meter.
    pub dollars: Interval,
    /// Years of depreciation.
    pub years: Interval,
    /// Power of the card, in the scope of the revenue model; `None` if the cost is that of a megawatt.
    pub watts: Option<Interval>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::VariantArray)]
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
    /// Name and unit in tables, and the limits of its values.
    pub fn properties(self) -> (&'static str, &'static str, (f64, f64)) {
        const POSITIVE: (f64, f64) = (0.0, f64::INFINITY);
        match self {
            Parameter::Electricity => ("electricity", "$/kWh", POSITIVE),
            Parameter::Hashprice => ("hashprice", "$/PH/day", POSITIVE),
            Parameter::Bitcoin => ("bitcoin price", "$/BTC", POSITIVE),
            Parameter::TokenPrice => ("token price", "$/Mtoken", POSITIVE),
            Parameter::Rent => ("rent", "$/h", POSITIVE),
            Parameter::Utilisation => ("utilisation", "share", (0.0, 1.0)),
            Parameter::Pue => ("PUE", "ratio", (1.0, f64::INFINITY)),
        }
    }
}

impl Conditions {
    /// After the next halving, all else unchanged.
    pub fn after_halving(self) -> Conditions {
        Conditions { network: self.network.after_halving(), ..self }
    }
}

impl Scenario {
    /// The same after the next halving.
    pub fn after_halving(self) -> Scenario {
        Scenario { conditions: self.conditions.after_halving(), ..self }
    }

    /// The value of a parameter; `None` if the scenario does not have it.
    pub fn get(&self, parameter: Parameter) -> Option<Interval> {
        let at = &self.conditions;
        Some(match (parameter, self.revenue_model) {
            (Parameter::Electricity, _) => quoted(at.electricity),
            (Parameter::Hashprice, _) => quoted(at.network.hashprice()),
            (Parameter::Bitcoin, _) => quoted(at.network.bitcoin),
            (Parameter::Utilisation, _) => quoted(at.utilisation),
            (Parameter::Pue, _) => quoted(at.pue),
            (Parameter::TokenPrice, RevenueModel::Infer { price, .. }) => {
                price.dollars * MILLION_TOKENS
            }
            (Parameter::Rent, RevenueModel::Rent { dollars_per_hour, .. }) => dollars_per_hour,
            (Parameter::TokenPrice | Parameter::Rent, _) => return None,
        })
    }

    /// The same scenario with one parameter changed, if it has it.
    pub fn with(mut self, parameter: Parameter, value: f64) -> Scenario {
        let at = &mut self.conditions;
        match (parameter, &mut self.revenue_model) {
            (Parameter::Electricity, _) => at.electricity = value,
            (Parameter::Hashprice, _) => at.network = at.network.at_hashprice(value),
            (Parameter::Bitcoin, _) => at.network.bitcoin = value,
            (Parameter::Utilisation, _) => at.utilisation = value,
            (Parameter::Pue, _) => at.pue = value,
            (Parameter::TokenPrice, RevenueModel::Infer { price, .. }) => {
                price.dollars = quoted(value / MILLION_TOKENS);
            }
            (Parameter::Rent, RevenueModel::Rent { dollars_per_hour, .. }) => {
                *dollars_per_hour = quoted(value);
            }
            (Parameter::TokenPrice | Parameter::Rent, _) => {}
        }
        self
    }

    /// Revenue in dollars per kWh at the facility meter.
    pub fn revenue(&self) -> Interval {
        let at = &self.conditions;
        let at_scope = match self.revenue_model {
            RevenueModel::Hash(energy) => {
                let dollars = quoted(at.network.dollars_per_hash());
                sales_revenue(energy, Price { dollars, unit: Unit::Hash })
            }
            RevenueModel::Infer { energy, price } => sales_revenue(energy, price) * at.utilisation,
            RevenueModel::Rent { dollars_per_hour, watts } => {
                rented(dollars_per_hour, watts) * at.utilisation
            }
        };
        at_scope / self.wall / at.pue
    }

    /// Depreciation of hardware in dollars per kWh at the facility meter, if it is counted.
    pub fn hardware(&self) -> Option<Interval> {
        let Capital { dollars, years, watts } = self.capital?;
        let per_megawatt = watts.map_or(dollars, |watts| {
            dollars / (watts * (self.wall * self.conditions.pue / MEGAWATT.0))
        });
        Some(depreciation(per_megawatt, years))
    }

    /// Revenue less hardware (if counted), in dollars per kWh.
    pub fn net(&self) -> Interval {
        let revenue = self.revenue();
        self.hardware().map_or(revenue, |hardware| revenue - hardware)
    }

    /// The figure for comparisons, in dollars per kWh: revenue, less hardware if it is counted on all sides.
    pub fn ranking_value(&self, counts_hardware: bool) -> Interval {
        if counts_hardware { self.net() } else { self.revenue() }
    }

    /// Revenue less hardware (if counted) and electricity, in dollars per kWh.
    pub fn margin(&self) -> Interval {
        self.net() - quoted(self.conditions.electricity)
    }
}
