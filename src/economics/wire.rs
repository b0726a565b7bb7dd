//! What `rigbench advise --json` prints: the advice with units in its keys. Choices are meant by their place in `choices`.

use serde::Serialize;

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// The day of the market file.
    pub market_date: String,
    /// What a reader has to know first.
    pub remarks: Vec<String>,
    /// Prices of the market file that are older than 90 days, with their dates.
    pub stale_figures: Vec<String>,
    /// Figures of the market file that stand for the user's own.
    pub example_figures: Vec<String>,
    /// The strongest provenance of any row's joules; `none` if there are none.
    pub evidence: String,
    /// What to do.
    pub recommendation: Recommendation,
    /// What was computed with.
    pub conditions: Conditions,
    /// What can be done, reference miners first.
    pub choices: Vec<Choice>,
    /// What cannot be offered, and why.
    pub absent: Vec<Absent>,
    /// Those that reach the hall's meter, best first.
    pub ranking: Ranking,
    /// The order after the next halving.
    pub ranking_after_halving: Ranking,
    /// Where answers flip.
    pub flips: Vec<Flip>,
    /// Hashes forgone for tokens.
    pub hashes_forgone: Vec<Exchange>,
    /// By how much a measured device hashes worse than a reference miner.
    pub yardsticks: Vec<Yardstick>,
    /// The reference miner that earns most.
    pub miner_megawatt: Megawatt,
    /// A megawatt of what was measured here, then of what is published.
    pub accelerator_megawatts: Vec<Megawatt>,
    /// Energy of a query as measured here.
    pub queries: Vec<Query>,
    /// Rows that give none, and why.
    pub queries_absent: Vec<QueryAbsent>,
    /// Energy of queries as published, with what it would earn as hashes.
    pub published_queries: Vec<PublishedQuery>,
    /// The figures behind the conditions.
    pub rests_on: Vec<Citation>,
}

/// A figure between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Range {
    /// No less than this; null if there is no telling.
    pub low: Option<f64>,
    /// The figure itself; null if only the bounds are known.
    pub value: Option<f64>,
    /// No more than this; null if there is no telling.
    pub high: Option<f64>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recommendation {
    /// The choice that earns most, of those that are ranked.
    pub best: usize,
    /// Whether it earns its power, and its hardware where counted: `yes`, `no` or `open`.
    pub pays: &'static str,
    /// The same after the next halving.
    pub pays_after_halving: &'static str,
    /// Choices whose intervals reach into the best one's.
    pub rivals: Vec<usize>,
    /// The choice that earns most on a measured device; null if none does.
    pub best_here: Option<usize>,
}

/// What was computed with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conditions {
    /// Price of electricity.
    pub electricity_dollars_per_kwh: f64,
    /// Energy that the hall buys for one at the plugs.
    pub pue: f64,
    /// Share of the time that tokens or hours are sold.
    pub utilisation: f64,
    /// Difficulty of the network.
    pub difficulty: f64,
    /// Price of a bitcoin.
    pub bitcoin_dollars: f64,
    /// Dollars a petahash a second and day.
    pub hashprice_dollars_per_petahash_day: f64,
    /// The same after the next halving.
    pub hashprice_after_halving_dollars_per_petahash_day: f64,
    /// The block of the next halving.
    pub halving_block: u64,
    /// Housing with power, another bar beside the price of electricity.
    pub colocation_dollars_per_kwh: Range,
}

/// A use of a kilowatt-hour.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// `hash-here`, `hash-asic`, `infer` or `rent`.
    pub kind: &'static str,
    /// What stands for it.
    pub label: String,
    /// The measured device; null if there is none.
    pub device: Option<On>,
    /// Revenue.
    pub revenue_dollars_per_kwh: Range,
    /// Revenue after the next halving.
    pub revenue_after_halving_dollars_per_kwh: Range,
    /// Hardware, written off; null unless cost and lifetime are given.
    pub hardware_dollars_per_kwh: Option<Range>,
    /// Revenue less hardware, where counted, and electricity.
    pub margin_dollars_per_kwh: Range,
    /// The same after the next halving.
    pub margin_after_halving_dollars_per_kwh: Range,
    /// Why joules are missing, so that it earns no more than its revenue says; null if none are.
    pub upper_bound_reason: Option<String>,
    /// `measured-counter`, `measured-sampled`, `declared`, `modelled` or `published`.
    pub provenance: &'static str,
    /// What the energy covers.
    pub scope: &'static str,
    /// What was applied to it.
    pub factors: Vec<Factor>,
    /// The figures that it rests on.
    pub rests_on: Vec<Citation>,
}

/// A measured device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct On {
    /// Its id.
    pub id: String,
    /// As its driver calls it.
    pub name: String,
    /// Its hardware class.
    pub class: &'static str,
}

/// A factor on the energy or, in the case of utilisation, on what is earned.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Factor {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Where it comes from.
    pub source: String,
}

/// A figure with its date and source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Citation {
    /// What it is.
    pub what: String,
    /// In its unit.
    pub figure: Range,
    /// `J/TH`, `$/Mtoken`.
    pub unit: String,
    /// As exact as it is known.
    pub date: String,
    /// Where it comes from.
    pub source: String,
}

/// A use that cannot be offered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Absent {
    /// `hash-here`, `infer` or `rent`.
    pub kind: &'static str,
    /// With what.
    pub label: String,
    /// Why.
    pub reason: String,
}

/// Choices in order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranking {
    /// Best first.
    pub order: Vec<Ranked>,
    /// Whether hardware is counted.
    pub counts_hardware: bool,
}

/// A choice in order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranked {
    /// The choice.
    pub choice: usize,
    /// Whether its interval lies wholly above the next one's.
    pub settled: bool,
}

/// Where an answer flips with a parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flip {
    /// The choice of which it is asked whether it pays, or beats another.
    pub choice: usize,
    /// The other; null if the question is whether the choice pays.
    pub other: Option<usize>,
    /// `now` or `after-halving`.
    pub era: &'static str,
    /// The parameter.
    pub parameter: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Where it stands.
    pub current: Range,
    /// The answer there: `yes`, `no` or `open`.
    pub answer: &'static str,
    /// Whether hardware is counted.
    pub counts_hardware: bool,
    /// Where it flips; null if at no value that the parameter can have.
    pub at: Option<Range>,
    /// On which side of it the answer is yes, `above` or `below`; null if it does not flip.
    pub yes: Option<&'static str>,
    /// Why it does not flip; null if it does.
    pub never: Option<String>,
}

/// What a token costs in hashes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exchange {
    /// The row that the token is of.
    pub token: String,
    /// What would hash instead.
    pub hasher: String,
    /// Hashes for the energy of a token.
    pub hashes_per_token: Range,
    /// What they earn.
    pub dollars_per_token: Range,
    /// Joules at the plug for one of the token's; 1 where both are of one scope.
    pub wall_factor: f64,
}

/// How much worse a device hashes than a miner.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Yardstick {
    /// The choice that hashes on the device.
    pub choice: usize,
    /// The reference miner's.
    pub miner: usize,
    /// Joules a hash over the miner's, at the plug.
    pub times_worse: Range,
}

/// A megawatt at the hall's meter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Megawatt {
    /// What is done with it.
    pub label: String,
    /// How its energy came about.
    pub provenance: &'static str,
    /// What that energy covers.
    pub scope: &'static str,
    /// Revenue an hour.
    pub revenue_dollars_per_hour: Range,
    /// Revenue a year.
    pub revenue_dollars_per_year: Range,
    /// What is left of it when the power is paid.
    pub left_dollars_per_year: Range,
    /// The same after the next halving.
    pub left_after_halving_dollars_per_year: Range,
    /// What it costs to build; null if that is not known.
    pub build_dollars: Option<Range>,
    /// Years in which what is left pays for the building; null if it may never.
    pub payback_years: Option<Range>,
    /// Revenue over that of the reference miner.
    pub times_the_miner: Range,
    /// The figures that it rests on, beside the conditions.
    pub rests_on: Vec<Citation>,
}

/// Energy of a query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Query {
    /// The row that reads.
    pub prefill: String,
    /// The row that writes.
    pub decode: String,
    /// Tokens that are read.
    pub tokens_in: f64,
    /// Tokens that are written.
    pub tokens_out: f64,
    /// Joules a token that is read.
    pub prefill_joules_per_token: Range,
    /// Joules a token that is written.
    pub decode_joules_per_token: Range,
    /// Joules at the plug for one that was measured.
    pub wall_factor: f64,
    /// For devices that stand ready.
    pub idle_factor: f64,
    /// Energy that the hall buys for one at the plugs.
    pub pue: f64,
    /// The product.
    pub watt_hours: Range,
    /// Why it says less than all; null if it says all.
    pub lower_bound_reason: Option<String>,
}

/// A row without a query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryAbsent {
    /// The row that writes.
    pub decode: String,
    /// Why.
    pub reason: String,
}

/// A published query, held against hashing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PublishedQuery {
    /// Whose.
    pub name: String,
    /// Its watt-hours, with date and source.
    pub energy: Citation,
    /// The reference miner's choice.
    pub miner: usize,
    /// Hashes that the miner makes of it.
    pub hashes: Range,
    /// What they earn.
    pub dollars: Range,
}
