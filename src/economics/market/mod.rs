//! The market file in memory: what hashes, tokens and hours of hardware sell for, and what power costs. It is the user's;
//! nothing is fetched.

mod check;
mod figure;
mod reader;
mod syntax;

pub use figure::Figure;

use super::hash::{Network, subsidy_at};
use crate::energy::Scope;
use crate::workload::{Description, Id};
use jiff::civil::Date;
use reader::Reader;
use toml::de::DeTable;

/// The file that comes with rigbench.
pub const EMBEDDED: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/results/market/2026-11.toml"));
/// Days after which prices are remarked on.
pub const STALE_DAYS: i32 = 90;

/// A market file that cannot be used: everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("market file: {}", faults.join("; "))]
pub struct MarketError {
    /// In a line each: the number of the line, the key, what is wrong and what is expected.
    pub faults: Vec<String>,
}

/// A checked market file.
#[derive(Clone, Debug, PartialEq)]
pub struct Market {
    /// The day that the file is of.
    pub date: Date,
    /// What the answer assumes of the user.
    pub premises: Premises,
    /// Joules at the plug for one within a scope, where that is known.
    pub wall_factors: Vec<(Scope, Figure)>,
    /// The Bitcoin network.
    pub network: NetworkFigures,
    /// Reference miners, at least one.
    pub asics: Vec<Asic>,
    /// What tokens sell for.
    pub token_prices: Vec<TokenPrice>,
    /// What devices rent for.
    pub rentals: Vec<Rental>,
    /// A megawatt of miners.
    pub mining: Build,
    /// A megawatt of accelerators.
    pub inference: Build,
    /// What single cards cost.
    pub card_costs: Vec<CardCost>,
    /// Housing with power, dollars a megawatt and year.
    pub colocation: Figure,
    /// Published energy of tokens.
    pub reference_tokens: Vec<ReferenceTokens>,
    /// Published energy of queries.
    pub published_queries: Vec<Published>,
}

/// What the answer assumes of the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Premises {
    /// Dollars a kilowatt-hour.
    pub electricity: Figure,
    /// Energy that the hall buys for one at the plugs.
    pub pue: Figure,
    /// Share of the time that tokens or hours are sold.
    pub utilisation: Figure,
    /// Tokens that a query is asked with.
    pub query_tokens_in: Figure,
    /// Tokens that it is answered with.
    pub query_tokens_out: Figure,
    /// Factor for accelerators that stand ready.
    pub query_idle: Figure,
}

/// The Bitcoin network.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkFigures {
    /// Difficulty.
    pub difficulty: Figure,
    /// Dollars a bitcoin.
    pub bitcoin: Figure,
    /// Fees as a share of a block's whole reward.
    pub fee_share: Figure,
    /// New bitcoins a block.
    pub subsidy: Figure,
    /// The block of the next halving.
    pub halving: Figure,
}

/// A reference miner.
#[derive(Clone, Debug, PartialEq)]
pub struct Asic {
    /// As its maker calls it.
    pub name: String,
    /// Joules a terahash at the wall.
    pub efficiency: Figure,
}

/// What tokens sell for.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenPrice {
    /// As the sellers call the model.
    pub name: String,
    /// As rigbench calls the models that it holds for.
    pub models: Vec<String>,
    /// The workload whose tokens it is of: those that are read or those that are written.
    pub workload: Id,
    /// Types of weights that it holds for.
    pub types: Vec<String>,
    /// The smallest and the largest batch that it holds for.
    pub batches: (u64, u64),
    /// Dollars a million tokens.
    pub price: Figure,
}

impl TokenPrice {
    /// Whether the price is of the model of these tokens.
    pub fn is_of(&self, tokens: &Description) -> bool {
        tokens.shape.model.as_ref().is_some_and(|model| self.models.contains(model))
    }

    /// Why the price does not hold for tokens of this kind; nothing if it does.
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

/// What sellers call the tokens of a workload.
fn direction(workload: Id) -> &'static str {
    if workload == Id::Prefill { "input" } else { "output" }
}

/// How weights are stored, as a market file names it.
fn weights_of(workload: &Description) -> &str {
    workload.shape.weights.as_deref().unwrap_or("its file's types")
}

/// Tokens that are sold: `output tokens of llama-3-8b (int8, batch 8)`.
pub(super) fn tokens_of(workload: &Description) -> String {
    let shape = &workload.shape;
    let model = shape.model.as_deref().unwrap_or("an unknown model");
    let batch = shape.batch.map_or_else(|| "unknown".into(), |batch| batch.to_string());
    let (direction, weights) = (direction(workload.id), weights_of(workload));
    format!("{direction} tokens of {model} ({weights}, batch {batch})")
}

/// What a device rents for.
#[derive(Clone, Debug, PartialEq)]
pub struct Rental {
    /// The device and the terms.
    pub name: String,
    /// Its drivers' names for it, whole.
    pub devices: Vec<String>,
    /// Dollars an hour.
    pub rent: Figure,
}

/// What a megawatt costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Build {
    /// Dollars a megawatt.
    pub cost: Figure,
    /// Years until it is written off, where the user says so.
    pub lifetime: Option<Figure>,
}

/// What a card costs.
#[derive(Clone, Debug, PartialEq)]
pub struct CardCost {
    /// Its drivers' names for it, whole.
    pub devices: Vec<String>,
    /// Dollars.
    pub cost: Figure,
    /// Years until it is written off.
    pub lifetime: Figure,
}

/// Published energy of tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceTokens {
    /// Device, model and batch.
    pub name: String,
    /// The name of the token price that goes with it.
    pub price: String,
    /// What the energy covers.
    pub scope: Scope,
    /// Joules a token.
    pub energy: Figure,
}

/// Published energy of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// Who or what.
    pub name: String,
    /// Watt-hours.
    pub energy: Figure,
}

impl Market {
    /// Reads and checks a market file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Market, MarketError> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let reader = Reader::new(text);
        let root = reader.root(table.get_ref());
        let market = check::market(&root);
        root.finish();
        let faults = reader.faults(syntax::explain(text, &errors));
        match market {
            Some(market) if faults.is_empty() => Ok(market),
            _ => Err(MarketError { faults }),
        }
    }

    /// The file that comes with rigbench.
    pub fn embedded() -> Market {
        Market::parse(EMBEDDED).expect("a test reads it")
    }

    /// The network as the file has it.
    pub fn network(&self) -> Network {
        let n = &self.network;
        Network::with_fee_share(
            n.difficulty.number(),
            n.bitcoin.number(),
            n.subsidy.number(),
            n.fee_share.number(),
        )
    }

    /// Joules at the plug for one within a scope, and where that comes from; 1 for the plug itself, nothing if unknown.
    pub fn wall_factor(&self, scope: Scope) -> Option<(f64, Option<&Figure>)> {
        if scope == Scope::Wall {
            return Some((1.0, None));
        }
        let (_, figure) = self.wall_factors.iter().find(|(of, _)| *of == scope)?;
        Some((figure.number(), Some(figure)))
    }

    /// What there is to say of the file's own age on this day.
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

    /// Prices that are old on this day, whatever the age of the file: `network.difficulty (2026-06)`.
    pub fn stale(&self, today: Date) -> Vec<String> {
        let network = &self.network;
        [&network.difficulty, &network.bitcoin, &network.fee_share]
            .into_iter()
            .chain(self.token_prices.iter().map(|price| &price.price))
            .chain(self.rentals.iter().map(|rental| &rental.rent))
            .filter(|figure| days(figure.since, today) > STALE_DAYS)
            .map(|figure| format!("{} ({})", figure.key, figure.date))
            .collect()
    }

    /// Examples that stand for figures of the user's own: `premises.electricity = 0.05 $/kWh`.
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

/// Days from one day to another.
fn days(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}
