//! The advice on how to use a kilowatt-hour: choices, ranking, break-evens and sources. `rigbench advise --json` prints it unchanged.

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
    pub absent: Vec<Absent>,
    /// Ranks the choices whose energy can be converted to the facility meter.
    pub ranking: Ranking,
    /// The same after the next halving.
    pub ranking_after_halving: Ranking,
    /// Break-even values.
    pub break_evens: Vec<BreakEven>,
    /// Hashes forgone for tokens.
    pub hashes_forgone: Vec<Exchange>,
    /// Measured devices compared with reference miners by energy per hash.
    pub yardsticks: Vec<Yardstick>,
    /// A megawatt of miners against one of accelerators.
    pub megawatts: Megawatts,
    /// Measured energy per query.
    pub queries: Vec<QueryEnergy>,
    /// Decode rows without a query energy.
    pub queries_absent: Vec<QueryAbsent>,
    /// Published energy per query, and what it would earn by hashing.
    pub published_queries: Vec<QueryInHashes>,
    /// The figures behind the conditions.
    pub rests_on: Vec<Citation>,
}

/// A ranking of choices.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranking {
    /// Best first.
    pub order: Vec<Ranked>,
    /// Whether hardware is counted: only if every ranked choice has its cost.
    pub counts_hardware: bool,
}

/// A ranked choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ranked {
    /// Index of the choice.
    pub choice: usize,
    /// Whether its interval lies entirely above the next one's.
    pub settled: bool,
}

/// A decode row without a query energy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueryAbsent {
    /// Label of the row.
    pub decode: String,
    /// Why there is no query energy.
    pub reason: String,
}

/// The energy of a published query, used for hashing instead.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryInHashes {
    /// Name in the market file.
    pub name: String,
    /// Watt-hours per query.
    pub energy: Citation,
    /// Index of the reference miner's choice.
    pub asic: usize,
    /// Hashes that the miner computes with this energy, without conversion between scopes.
    pub hashes: Interval,
    /// Dollars that the hashes earn.
    pub dollars: Interval,
}

/// The advice for result documents, by a market file, on a given day.
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

/// Ranks the choices whose energy can be converted to the facility meter, best first.
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

/// The figure that choices are ranked by, in dollars per kWh.
pub(super) fn worth(choice: &Choice, counts_hardware: bool, conditions: &Conditions) -> Interval {
    let scenario = &choice.scenario;
    if counts_hardware { scenario.net(conditions) } else { scenario.revenue(conditions) }
}

/// Break-evens of three questions: does a choice pay, do tokens and rent beat the best reference miner, and do tokens beat the rent of
/// their device? Those that involve hashing are asked again for after the halving.
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
                let find = |parameter| break_even(sides, question, (epoch, conditions), parameter);
                all.extend(Parameter::ALL.into_iter().filter_map(find));
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

/// The query energy of each decode row.
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

/// Query energy of a decode row, or the reason it is missing.
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

/// The energy of each published query, used for hashing on each reference miner.
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

/// A remark on a row without a confidence interval, since its energy would pass for exact.
fn without_interval(row: &DeviceRow) -> Option<String> {
    let joules = row.energy().ok()?.work.joules;
    let is_bare = joules.provenance != Provenance::Modelled && joules.is_exact();
    is_bare.then(|| format!("{} has no interval; measure it for longer", row.label()))
}
