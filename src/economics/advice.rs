//! The advice on how to use a kilowatt-hour: choices, ranking, break-evens and sources. `rigbench advise --json` prints it unchanged.

use super::break_even::break_evens;
use super::choices::Offers;
use super::exchange::{exchanges, published_queries, yardsticks};
use super::market::Figure;
use super::megawatt::megawatts;
use super::query::queries;
use super::ranking::{rank, recommend};
use super::rows::{Rows, rows};
use super::{
    AsicComparison, BreakEven, Choice, Conditions, DeviceRow, Exchange, Kind, Market, Megawatts,
    MissingChoice, MissingQuery, QueryEnergy, QueryInHashes, Ranking, Recommendation, best_of,
    depreciation,
};
use crate::energy::Scope;
use crate::results::Document;
use crate::units::{Interval, Provenance};
use jiff::civil::Date;
use serde::Serialize;

/// The complete advice. Choices are referred to by their index in `choices`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// Date of the market file.
    pub market_date: Date,
    /// Caveats about the runs, the age of the market file, and rows without an interval.
    pub remarks: Vec<String>,
    /// Outdated prices of the market file, with their dates.
    pub stale_figures: Vec<String>,
    /// Example figures of the market file that the user should replace.
    pub example_figures: Vec<String>,
    /// The strongest provenance of any row's energy.
    pub evidence: Provenance,
    /// The recommendation.
    pub recommendation: Recommendation,
    /// Network, electricity price, PUE and utilisation.
    pub conditions: Conditions,
    /// Dollars per PH/s and day.
    pub hashprice_dollars_per_petahash_day: f64,
    /// The same after the next halving.
    pub hashprice_after_halving_dollars_per_petahash_day: f64,
    /// Block height of the next halving.
    pub halving_block: u64,
    /// Price of colocation with power, to compare with the electricity price.
    pub colocation_dollars_per_kwh: Interval,
    /// The available choices, reference miners first.
    pub choices: Vec<Choice>,
    /// The unavailable choices.
    #[serde(rename = "absent")]
    pub missing_choices: Vec<MissingChoice>,
    /// Ranks the choices whose energy can be converted to the facility meter.
    pub ranking: Ranking,
    /// The same after the next halving.
    pub ranking_after_halving: Ranking,
    /// Break-even values.
    pub break_evens: Vec<BreakEven>,
    /// Hashes forgone for tokens.
    pub hashes_forgone: Vec<Exchange>,
    /// Measured devices compared with reference miners by energy per hash.
    pub yardsticks: Vec<AsicComparison>,
    /// A megawatt of miners against one of accelerators.
    pub megawatts: Megawatts,
    /// Measured energy per query.
    pub queries: Vec<QueryEnergy>,
    /// Decode rows without a query energy.
    #[serde(rename = "queries_absent")]
    pub missing_queries: Vec<MissingQuery>,
    /// Published energy per query, and what it would earn by hashing.
    pub published_queries: Vec<QueryInHashes>,
    /// The figures behind the conditions.
    #[serde(rename = "rests_on")]
    pub inputs: Vec<Figure>,
}

/// The advice for result documents, by a market file, on a given day.
pub fn advise_on(documents: &[Document], market: &Market, today: Date) -> Advice {
    let Rows { rows, mut remarks } = rows(documents);
    let premises = &market.premises;
    let conditions = market.conditions();
    let offers = Offers { market, conditions };
    let (choices, missing_choices) = offers.all(&rows);
    let asic = best_of(&choices, Kind::HashAsic).expect("a market has a reference miner");
    let network = &market.network;
    let figures = [
        &premises.electricity,
        &premises.pue,
        &premises.utilisation,
        &network.difficulty,
        &network.bitcoin,
        &network.subsidy,
        &network.fee_share,
        &network.halving,
    ];
    let (queries, missing_queries) = queries(&rows, market);
    let scopes = choices.iter().map(|choice| choice.scope);
    let scopes: Vec<Scope> =
        scopes.chain(market.reference_tokens.iter().map(|tokens| tokens.scope)).collect();
    let factors = market.wall_factors.iter().filter(|(scope, _)| scopes.contains(scope));
    let of_query = [&premises.query_tokens_in, &premises.query_tokens_out, &premises.query_idle];
    let others = factors
        .map(|(_, figure)| figure)
        .chain([&market.colocation.price])
        .chain(of_query.into_iter().filter(|_| !queries.is_empty()));
    let inputs = figures.into_iter().chain(others).cloned().collect();
    remarks.extend(market.age(today));
    remarks.extend(rows.iter().filter_map(without_interval));
    let ranking = rank(&choices, |choice| choice.scenario);
    let evidence = rows.iter().filter_map(|row| Some(row.energy().ok()?.provenance())).min();
    let after_halving = conditions.network.after_halving();
    Advice {
        market_date: market.date,
        remarks,
        stale_figures: market.stale(today),
        example_figures: market.examples(),
        evidence: evidence.unwrap_or(Provenance::None),
        recommendation: recommend(&choices, &ranking),
        conditions,
        hashprice_dollars_per_petahash_day: conditions.network.hashprice(),
        hashprice_after_halving_dollars_per_petahash_day: after_halving.hashprice(),
        halving_block: network.halving.number() as u64,
        colocation_dollars_per_kwh: depreciation(
            market.colocation.price.interval,
            Interval::exact(1.0),
        ),
        ranking,
        ranking_after_halving: rank(&choices, |choice| choice.scenario.after_halving()),
        break_evens: break_evens(&choices, asic),
        hashes_forgone: exchanges(&rows, &choices, market, conditions.network),
        yardsticks: yardsticks(&choices),
        megawatts: megawatts(&offers, &choices, asic),
        queries,
        missing_queries,
        published_queries: published_queries(market, &choices, conditions.network),
        inputs,
        choices,
        missing_choices,
    }
}

/// A remark on a row without a confidence interval, since its energy would pass for exact.
fn without_interval(row: &DeviceRow) -> Option<String> {
    let joules = row.energy().ok()?.work.joules;
    let is_bare = joules.provenance != Provenance::Modelled && joules.is_exact();
    is_bare.then(|| format!("{} has no interval; measure it for longer", row.label()))
}
