//! The market file: prices of hashes, tokens, rentals and electricity. The user provides it; nothing is fetched.

mod figure;
mod reader;
mod schema;
mod syntax;

pub use figure::Figure;

use super::revenue::{Network, Price};
use super::scenario::Conditions;
use crate::energy::Scope;
use crate::units::{MILLION_TOKENS, Unit};
use crate::workload::{Description, Id};
use jiff::civil::Date;
use reader::Reader;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::de::DeTable;

/// The market file embedded in rigbench.
pub const EMBEDDED: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/results/market/2026-11.toml"));
/// Age in days beyond which prices are reported as stale.
pub const STALE_DAYS: i32 = 90;

/// All faults of an unusable market file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("market file: {}", faults.join("; "))]
pub struct MarketError {
    /// One line per fault: line number, key, what is wrong and what is expected.
    pub faults: Vec<String>,
}

/// A checked market file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Market {
    /// Date of the file.
    pub date: Date,
    /// Assumptions about the user's facility.
    pub premises: Premises,
    /// Joules at the plug per joule in a scope, where known.
    #[serde(rename = "wall_factor")]
    pub wall_factors: BTreeMap<Scope, Figure>,
    /// The Bitcoin network.
    pub network: NetworkFigures,
    /// Reference miners, at least one.
    #[serde(rename = "asic")]
    pub asics: Vec<Asic>,
    /// Token prices.
    #[serde(rename = "token_price")]
    pub token_prices: Vec<TokenPrice>,
    /// Rental prices.
    #[serde(rename = "rental")]
    pub rentals: Vec<Rental>,
    /// Cost of a megawatt of hardware.
    pub build: CapexByKind,
    /// Costs of single cards.
    #[serde(rename = "card_cost")]
    pub card_costs: Vec<CardCost>,
    /// Colocation with power.
    pub colocation: Colocation,
    /// Published energy per token.
    pub reference_tokens: Vec<ReferenceTokens>,
    /// Published energy per query.
    #[serde(rename = "published_query")]
    pub published_queries: Vec<Published>,
}

/// Assumptions about the user's facility.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Premises {
    /// Dollars per kWh.
    pub electricity: Figure,
    /// Power usage effectiveness: energy at the facility meter over energy at the plugs.
    pub pue: Figure,
    /// Fraction of the time that tokens or hours are sold.
    pub utilisation: Figure,
    /// Prompt tokens of a query.
    pub query_tokens_in: Figure,
    /// Generated tokens of a query.
    pub query_tokens_out: Figure,
    /// Factor for provisioned but idle accelerators.
    pub query_idle: Figure,
}

/// The Bitcoin network.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct NetworkFigures {
    /// Difficulty.
    pub difficulty: Figure,
    /// Dollars per bitcoin.
    pub bitcoin: Figure,
    /// Fees as a fraction of the block reward.
    pub fee_share: Figure,
    /// Block subsidy in bitcoin.
    pub subsidy: Figure,
    /// Block height of the next halving.
    pub halving: Figure,
}

/// A reference miner.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Asic {
    /// Its maker's name for it.
    pub name: String,
    /// Joules per terahash at the wall.
    pub efficiency: Figure,
}

/// A token price.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TokenPrice {
    /// The sellers' name of the model.
    pub name: String,
    /// Models that it applies to, by their names in rigbench.
    pub models: Vec<String>,
    /// Prefill for input tokens, decode for output tokens.
    #[serde(rename = "tokens")]
    pub workload: Id,
    /// Weight types that it applies to.
    pub types: Vec<String>,
    /// Smallest and largest batch that it applies to.
    pub batches: (u64, u64),
    /// Dollars per million tokens.
    pub price: Figure,
}

impl TokenPrice {
    /// Dollars per token.
    pub fn per_token(&self) -> Price {
        Price { dollars: self.price.interval / MILLION_TOKENS, unit: Unit::Token }
    }

    /// Whether the price is for the model of this workload.
    pub fn is_of(&self, tokens: &Description) -> bool {
        tokens.shape.model.as_ref().is_some_and(|model| self.models.contains(model))
    }

    /// Why the price does not apply to this workload; `None` if it does.
    pub fn mismatch(&self, tokens: &Description) -> Option<String> {
        let (least, most) = self.batches;
        if !self.is_of(tokens) {
            return Some(format!("is of {}", self.models.join(", ")));
        }
        if self.workload != tokens.id {
            return Some(format!("is of {} tokens", direction(self.workload)));
        }
        if !self.types.iter().any(|weights| weights == weights_of(tokens)) {
            return Some(format!("is of weights in {}", self.types.join(", ")));
        }
        (!tokens.shape.batch.is_some_and(|batch| (least..=most).contains(&batch)))
            .then(|| format!("is of batches of {least} to {most}"))
    }
}

/// The sellers' name of a workload's tokens.
fn direction(workload: Id) -> &'static str {
    if workload == Id::Prefill { "input" } else { "output" }
}

/// The weight type, as a market file names it.
fn weights_of(workload: &Description) -> &str {
    workload.shape.weights.as_deref().unwrap_or("its file's types")
}

/// The tokens that a workload sells: `output tokens of llama-3-8b (int8, batch 8)`.
pub(super) fn tokens_of(workload: &Description) -> String {
    let shape = &workload.shape;
    let model = shape.model.as_deref().unwrap_or("an unknown model");
    let batch = shape.batch.map_or_else(|| "unknown".into(), |batch| batch.to_string());
    let (direction, weights) = (direction(workload.id), weights_of(workload));
    format!("{direction} tokens of {model} ({weights}, batch {batch})")
}

/// A rental price.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Rental {
    /// The device and the terms.
    pub name: String,
    /// Full device names, as reported by drivers.
    pub devices: Vec<String>,
    /// Dollars per hour.
    pub rent: Figure,
}

/// Cost of a megawatt of hardware.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CapexByKind {
    /// Of miners.
    pub mining: Capex,
    /// Of accelerators.
    pub inference: Capex,
}

/// Cost and lifetime of a megawatt of one kind of hardware.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Capex {
    /// Dollars per megawatt.
    pub cost: Figure,
    /// Years of depreciation, if given.
    pub lifetime: Option<Figure>,
}

/// Colocation with power.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Colocation {
    /// Dollars per megawatt-year.
    pub price: Figure,
}

/// Cost of a card.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CardCost {
    /// Full device names, as reported by drivers.
    pub devices: Vec<String>,
    /// Dollars.
    pub cost: Figure,
    /// Years of depreciation.
    pub lifetime: Figure,
}

/// Published energy per token.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ReferenceTokens {
    /// Device, model and batch.
    pub name: String,
    /// Name of the token price that applies.
    pub price: String,
    /// Scope of the energy.
    pub scope: Scope,
    /// Joules per token.
    pub energy: Figure,
}

/// Published energy per query.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Published {
    /// Service, or publisher of the estimate.
    pub name: String,
    /// Watt-hours.
    pub energy: Figure,
}

impl Market {
    /// Parses and checks a market file.
    ///
    /// # Errors
    /// All faults of the file.
    pub fn parse(text: &str) -> Result<Market, MarketError> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut reader = Reader::new(text);
        let values = reader.file(table.get_ref());
        let faults = reader.faults(syntax::explain(text, &errors));
        if !faults.is_empty() {
            return Err(MarketError { faults });
        }
        values.try_into().map_err(|error| MarketError { faults: vec![error.to_string()] })
    }

    /// The market file embedded in rigbench.
    pub fn embedded() -> Market {
        Market::parse(EMBEDDED).expect("a test reads it")
    }

    /// The conditions that the file describes.
    pub fn conditions(&self) -> Conditions {
        let (premises, network) = (&self.premises, &self.network);
        let [difficulty, bitcoin, subsidy, fee_share] =
            [&network.difficulty, &network.bitcoin, &network.subsidy, &network.fee_share]
                .map(Figure::number);
        Conditions {
            network: Network::with_fee_share(difficulty, bitcoin, subsidy, fee_share),
            electricity: premises.electricity.number(),
            pue: premises.pue.number(),
            utilisation: premises.utilisation.number(),
        }
    }

    /// A remark on the age of the file; `None` if it is up to date.
    pub fn age(&self, today: Date) -> Option<String> {
        let age = days(self.date, today);
        if age > STALE_DAYS {
            return Some(format!(
                "the market file is of {}, {age} days ago; bring its figures up to date or give a newer one with --market",
                self.date
            ));
        }
        (age < 0).then(|| format!("the market file is of {}, a day that is yet to come", self.date))
    }

    /// Stale prices, whatever the age of the file: `network.difficulty (2026-06)`.
    pub fn stale(&self, today: Date) -> Vec<String> {
        let network = &self.network;
        [&network.difficulty, &network.bitcoin, &network.fee_share]
            .into_iter()
            .chain(self.token_prices.iter().map(|price| &price.price))
            .chain(self.rentals.iter().map(|rental| &rental.rent))
            .filter(|figure| figure.since().is_some_and(|since| days(since, today) > STALE_DAYS))
            .map(|figure| format!("{} ({})", figure.key, figure.date))
            .collect()
    }

    /// Example figures that the user should replace: `premises.electricity = 0.05 $/kWh`.
    pub fn examples(&self) -> Vec<String> {
        let premises = &self.premises;
        [
            &premises.electricity,
            &premises.pue,
            &premises.utilisation,
            &premises.query_tokens_in,
            &premises.query_tokens_out,
            &premises.query_idle,
        ]
        .into_iter()
        .filter(|figure| figure.example)
        .map(|figure| format!("{} = {} {}", figure.key, figure.number(), figure.unit))
        .collect()
    }
}

/// Days between two dates.
fn days(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}
