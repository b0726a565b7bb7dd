//! The answer to what a kilowatt-hour should be spent on: choices, their order, where it flips, what it rests on.
//! `rigbench advise --json` prints it as it is here.

use super::break_even::{Sides, break_even};
use super::choices::{Offers, to_meter};
use super::megawatt::{best_asic, megawatts, yardsticks};
use super::query::prefill_for;
use super::recommend::recommend;
use super::revenue::quoted;
use super::rows::{Rows, rows};
use super::tokens::exchanges;
use super::{
    Absent, BreakEven, Choice, Citation, Conditions, DeviceRow, Exchange, Factors, HalvingEpoch,
    Kind, Market, Megawatts, Parameter, Query, QueryEnergy, Question, Recommendation, RevenueModel,
    Yardstick, watt_hours, written_off,
};
use crate::energy::Scope;
use crate::results::Document;
use crate::units::{Interval, Provenance, WATT_HOUR};
use crate::workload::Id;
use jiff::civil::Date;
use serde::Serialize;

/// The whole answer. Choices are meant by their place in `choices`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// The day of the market file.
    pub market_date: Date,
    /// What a reader has to know first: of the runs, the age of the market file, rows without an interval.
    pub remarks: Vec<String>,
    /// Prices of the market file that are old, with their dates.
    pub stale_figures: Vec<String>,
    /// Figures of the market file that stand for the user's own.
    pub example_figures: Vec<String>,
    /// The strongest that any row's joules are.
    pub evidence: Provenance,
    /// What to do.
    pub recommendation: Recommendation,
    /// What was computed with.
    pub conditions: Conditions,
    /// Dollars a petahash a second and day.
    pub hashprice_dollars_per_petahash_day: f64,
    /// The same after the next halving.
    pub hashprice_after_halving_dollars_per_petahash_day: f64,
    /// The block of the next halving.
    pub halving_block: u64,
    /// Housing with power, another bar beside the price of electricity.
    pub colocation_dollars_per_kwh: Interval,
    /// What can be done, reference miners first.
    pub choices: Vec<Choice>,
    /// What cannot be offered, and why.
    pub absent: Vec<Absent>,
    /// The order of those that reach the hall's meter.
    pub ranking: Ranking,
    /// The order after the next halving.
    pub ranking_after_halving: Ranking,
    /// Where answers flip.
    pub break_evens: Vec<BreakEven>,
    /// Hashes forgone for tokens.
    pub hashes_forgone: Vec<Exchange>,
    /// Why the hash is only a yardstick on a measured device.
    pub yardsticks: Vec<Yardstick>,
    /// A megawatt of miners against one of accelerators.
    pub megawatts: Megawatts,
    /// Energy of a query as measured here.
    pub queries: Vec<QueryEnergy>,
    /// Rows that give none.
    pub queries_absent: Vec<QueryAbsent>,
    /// Energy of queries as published, with what it would earn as hashes.
    pub published_queries: Vec<QueryInHashes>,
    /// The figures behind the conditions.
    pub rests_on: Vec<Citation>,
}

/// Choices in order, best first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranking {
    /// Best first.
    pub order: Vec<Ranked>,
    /// Whether hardware is counted: only if it is for every choice in the order.
    pub counts_hardware: bool,
}

/// A choice in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ranked {
    /// The choice.
    pub choice: usize,
    /// Whether its interval lies wholly above the next one's.
    pub settled: bool,
}

/// A row that writes tokens without a query's energy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueryAbsent {
    /// The row.
    pub decode: String,
    /// Why there is none.
    pub reason: String,
}

/// A published query, held against hashing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryInHashes {
    /// Whose.
    pub name: String,
    /// Its watt-hours.
    pub energy: Citation,
    /// The reference miner's choice.
    pub asic: usize,
    /// Hashes that the miner makes of it, the energy taken as it is published.
    pub hashes: Interval,
    /// What they earn.
    pub dollars: Interval,
}

/// The answer for result documents in a market, on a day.
pub fn advise_on(documents: &[Document], market: &Market, today: Date) -> Advice {
    let Rows { rows, mut remarks } = rows(documents);
    let premises = &market.premises;
    let conditions = Conditions {
        network: market.network(),
        electricity: premises.electricity.number(),
        pue: premises.pue.number(),
        utilisation: premises.utilisation.number(),
    };
    let (choices, absent) = Offers { market, conditions }.all(&rows);
    let asic = best_asic(&choices).expect("a market has a reference miner");
    let after = conditions.after_halving();
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
    let (queries, queries_absent) = queries(&rows, market);
    let scopes = choices.iter().map(|choice| choice.scope);
    let scopes: Vec<Scope> =
        scopes.chain(market.reference_tokens.iter().map(|tokens| tokens.scope)).collect();
    let factors = market.wall_factors.iter().filter(|(scope, _)| scopes.contains(scope));
    let of_query = [&premises.query_tokens_in, &premises.query_tokens_out, &premises.query_idle];
    let others = factors
        .map(|(_, figure)| figure)
        .chain([&market.colocation])
        .chain(of_query.into_iter().filter(|_| !queries.is_empty()));
    let rests_on = figures.into_iter().chain(others).map(Citation::from).collect();
    remarks.extend(market.age(today));
    remarks.extend(rows.iter().filter_map(without_interval));
    let ranking = ranked(&choices, &conditions);
    let evidence = rows.iter().filter_map(|row| Some(row.energy().ok()?.provenance())).min();
    Advice {
        market_date: market.date,
        remarks,
        stale_figures: market.stale(today),
        example_figures: market.examples(),
        evidence: evidence.unwrap_or(Provenance::None),
        recommendation: recommend(&choices, &ranking, &conditions),
        conditions,
        hashprice_dollars_per_petahash_day: conditions.network.hashprice(),
        hashprice_after_halving_dollars_per_petahash_day: after.network.hashprice(),
        halving_block: network.halving.number() as u64,
        colocation_dollars_per_kwh: written_off(market.colocation.interval, Interval::exact(1.0)),
        ranking,
        ranking_after_halving: ranked(&choices, &after),
        break_evens: break_evens(&choices, asic, &conditions),
        hashes_forgone: exchanges(&rows, &choices, market, &conditions),
        yardsticks: yardsticks(&choices),
        megawatts: megawatts(&choices, asic, market, &conditions),
        queries,
        queries_absent,
        published_queries: published(market, &choices, &conditions),
        rests_on,
        choices,
        absent,
    }
}

/// Best first. Only choices whose joules are all those of the meter stand in one order.
fn ranked(choices: &[Choice], conditions: &Conditions) -> Ranking {
    let mut order: Vec<usize> =
        (0..choices.len()).filter(|i| choices[*i].reaches_meter()).collect();
    let counts_hardware = order.iter().all(|i| choices[*i].scenario.capital.is_some());
    let worth = |i: usize| worth(&choices[i], counts_hardware, conditions);
    order.sort_by(|a, b| worth(*b).middle().total_cmp(&worth(*a).middle()));
    let ranked = |(rank, &choice): (usize, &usize)| {
        let next = order.get(rank + 1);
        let settled = next.is_none_or(|next| worth(*next).is_below(worth(choice)));
        Ranked { choice, settled }
    };
    Ranking { order: order.iter().enumerate().map(ranked).collect(), counts_hardware }
}

/// Dollars a kilowatt-hour by which choices are held against each other.
pub(super) fn worth(choice: &Choice, counts_hardware: bool, conditions: &Conditions) -> Interval {
    let scenario = &choice.scenario;
    if counts_hardware { scenario.net(conditions) } else { scenario.revenue(conditions) }
}

/// Whether each choice pays, whether tokens and rent beat the best reference miner, and whether tokens beat the rent of their
/// device; now and, where hashes are concerned, after the halving.
fn break_evens(choices: &[Choice], asic: usize, conditions: &Conditions) -> Vec<BreakEven> {
    let mut all = Vec::new();
    let mut ask = |choice: usize, other: Option<usize>, hashes: bool| {
        let question = Question { choice, other };
        let sides = Sides {
            one: &choices[choice].scenario,
            other: other.map(|other| &choices[other].scenario),
        };
        let after = conditions.after_halving();
        for (epoch, conditions) in
            [(HalvingEpoch::Now, conditions), (HalvingEpoch::AfterHalving, &after)]
        {
            if epoch == HalvingEpoch::Now || hashes {
                let of = |parameter| break_even(sides, question, (epoch, conditions), parameter);
                all.extend(Parameter::ALL.into_iter().filter_map(of));
            }
        }
    };
    for (choice, one) in choices.iter().enumerate() {
        ask(choice, None, matches!(one.kind, Kind::HashHere | Kind::HashAsic));
    }
    for (choice, one) in choices.iter().enumerate() {
        if matches!(one.kind, Kind::Infer | Kind::Rent) && one.reaches_meter() {
            ask(choice, Some(asic), true);
        }
        for (other, rent) in choices.iter().enumerate() {
            let same =
                (&one.device, &one.upper_bound_reason) == (&rent.device, &rent.upper_bound_reason);
            if one.kind == Kind::Infer && rent.kind == Kind::Rent && same {
                ask(choice, Some(other), false);
            }
        }
    }
    all
}

/// A query for each row that writes tokens.
fn queries(rows: &[DeviceRow], market: &Market) -> (Vec<QueryEnergy>, Vec<QueryAbsent>) {
    let (mut found, mut absent) = (Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| row.row.workload.id == Id::Decode) {
        match query(row, rows, market) {
            Ok(query) => found.push(query),
            Err(reason) => absent.push(QueryAbsent { decode: row.label(), reason }),
        }
    }
    (found, absent)
}

/// The query of a row that writes tokens, or why there is none.
fn query(row: &DeviceRow, rows: &[DeviceRow], market: &Market) -> Result<QueryEnergy, String> {
    let premises = &market.premises;
    let query = Query {
        tokens_in: premises.query_tokens_in.number(),
        tokens_out: premises.query_tokens_out.number(),
    };
    let energy = row.energy()?;
    let prefill = prefill_for(row, rows).and_then(|read| Some((read, read.energy().ok()?)));
    let (read, read_energy) = prefill.ok_or_else(|| {
        let shape = &row.row.workload.shape;
        let parts = [Some("prefill"), shape.model.as_deref(), shape.weights.as_deref()];
        let spec = parts.into_iter().flatten().collect::<Vec<_>>().join(":");
        format!("no reading of tokens was measured with it; run --workload {spec} too")
    })?;
    let (wall, _, lower_bound_reason) = to_meter(market, energy.scope);
    let idle = premises.query_idle.number();
    let factors = Factors { wall, idle, pue: premises.pue.number() };
    let (prefill_joules, decode_joules) = (read_energy.work.joules, energy.work.joules);
    Ok(QueryEnergy {
        prefill: read.label(),
        decode: row.label(),
        query,
        prefill_joules_per_token: prefill_joules,
        decode_joules_per_token: decode_joules,
        factors,
        watt_hours: watt_hours(query, prefill_joules, decode_joules, factors),
        lower_bound_reason,
    })
}

/// What a published query would be as hashes of each reference miner.
fn published(market: &Market, choices: &[Choice], conditions: &Conditions) -> Vec<QueryInHashes> {
    let worth = quoted(conditions.network.dollars_per_hash());
    let mut all = Vec::new();
    for query in &market.published_queries {
        for (asic, choice) in choices.iter().enumerate().filter(|(_, c)| c.kind == Kind::HashAsic) {
            let RevenueModel::Hash(hash) = choice.scenario.revenue_model else { continue };
            let hashes = query.energy.interval * WATT_HOUR.0 / hash.joules;
            let (name, energy) = (query.name.clone(), Citation::from(&query.energy));
            all.push(QueryInHashes { name, energy, asic, hashes, dollars: hashes * worth });
        }
    }
    all
}

/// A figure without an interval passes for exact, so that it is remarked on.
fn without_interval(row: &DeviceRow) -> Option<String> {
    let joules = row.energy().ok()?.work.joules;
    let stated = joules.provenance != Provenance::Modelled && joules.is_exact();
    stated.then(|| format!("{} has no interval; measure it for longer", row.label()))
}
