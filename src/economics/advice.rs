//! The answer to what a kilowatt-hour should be spent on, in memory: choices, their order, where it flips, what it rests on.

use super::choices::Offers;
use super::flip::{Sides, flip};
use super::market::Published;
use super::megawatt::{best_asic, megawatts, yardsticks};
use super::query::prefill_for;
use super::recommend::recommend;
use super::rows::{Rows, rows};
use super::tokens::exchanges;
use super::{
    Absent, Choice, Citation, Conditions, Era, Estimate, Exchange, Factors, Flip, Kind, Market,
    MeasuredRow, Megawatts, Network, Parameter, Query, QueryEnergy, Question, Recommendation,
    Stage, Standing, Yardstick, watt_hours, written_off,
};
use crate::energy::{Provenance, Scope};
use crate::results::wire::Document;
use crate::units::WATT_HOUR;
use jiff::civil::Date;

/// The whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// The day of the market file.
    pub market_date: Date,
    /// What a reader has to know first: of the runs, the age of the market file, rows without an interval.
    pub remarks: Vec<String>,
    /// Prices of the market file that are old.
    pub stale: Vec<String>,
    /// Figures of the market file that stand for the user's own.
    pub examples: Vec<String>,
    /// The strongest that any row's joules are.
    pub evidence: Provenance,
    /// What to do.
    pub recommendation: Recommendation,
    /// What was computed with.
    pub conditions: Conditions,
    /// The figures that those come from.
    pub rests_on: Vec<Citation>,
    /// The block of the next halving.
    pub halving_block: u64,
    /// The network after it.
    pub network_after_halving: Network,
    /// Dollars a kilowatt-hour for housing with power, as another bar beside the electricity price.
    pub colocation: Estimate,
    /// What can be done, reference miners first.
    pub choices: Vec<Choice>,
    /// What cannot be offered, and why.
    pub absent: Vec<Absent>,
    /// The order of those that reach the hall's meter.
    pub ranking: Ranking,
    /// The order after the next halving.
    pub ranking_after_halving: Ranking,
    /// Where answers flip.
    pub flips: Vec<Flip>,
    /// Hashes forgone for tokens.
    pub exchanges: Vec<Exchange>,
    /// Why the hash is only a yardstick on a measured device.
    pub yardsticks: Vec<Yardstick>,
    /// A megawatt of miners against one of accelerators.
    pub megawatts: Megawatts,
    /// Energy of a query as measured here.
    pub queries: Vec<QueryEnergy>,
    /// Why there is none of a row.
    pub queries_absent: Vec<(String, String)>,
    /// Energy of queries as published, with what it would earn as hashes.
    pub published_queries: Vec<QueryInHashes>,
}

/// Choices in order, best first.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// Each with whether its interval lies wholly above the next one's.
    pub order: Vec<(usize, bool)>,
    /// Whether hardware is counted: only if it is for every choice in the order.
    pub counts_hardware: bool,
}

/// A published query, held against hashing.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryInHashes {
    /// Whose, and its watt-hours.
    pub query: Published,
    /// The reference miner's choice.
    pub asic: usize,
    /// Hashes that the miner makes of it, the energy taken as it is published.
    pub hashes: Estimate,
    /// What they earn.
    pub dollars: Estimate,
}

/// The answer for result documents in a market, on a day.
pub fn advise_on(documents: &[Document], market: &Market, today: Date) -> Advice {
    let Rows { rows, mut remarks } = rows(documents);
    let mut advice = advise(&rows, market, today);
    remarks.append(&mut advice.remarks);
    Advice { remarks, ..advice }
}

/// The answer for measured rows in a market, on a day.
pub fn advise(rows: &[MeasuredRow], market: &Market, today: Date) -> Advice {
    let premises = &market.premises;
    let conditions = Conditions {
        network: market.network(),
        electricity: premises.electricity.number(),
        pue: premises.pue.number(),
        utilisation: premises.utilisation.number(),
    };
    let (choices, absent) = Offers { market, conditions }.all(rows);
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
    let (queries, queries_absent) = queries(rows, market);
    let scopes = choices.iter().map(|choice| choice.scope);
    let scopes: Vec<Scope> =
        scopes.chain(market.reference_tokens.iter().map(|tokens| tokens.scope)).collect();
    let factors = market.wall_factors.iter().filter(|(scope, _)| scopes.contains(scope));
    let of_query = [&premises.query_tokens_in, &premises.query_tokens_out, &premises.query_idle];
    let others = factors
        .map(|(_, figure)| figure)
        .chain([&market.colocation])
        .chain(of_query.into_iter().filter(|_| !queries.is_empty()));
    let mut remarks: Vec<String> = market.age(today).into_iter().collect();
    remarks.extend(rows.iter().filter_map(without_interval));
    let ranking = ranked(&choices, &conditions);
    let evidence = rows.iter().filter_map(|row| Some(row.energy.as_ref().ok()?.provenance)).min();
    Advice {
        market_date: market.date,
        remarks,
        stale: market.stale(today),
        examples: market.examples(),
        evidence: evidence.unwrap_or(Provenance::None),
        recommendation: recommend(&choices, &ranking, &conditions),
        conditions,
        rests_on: figures.into_iter().chain(others).map(Citation::from).collect(),
        halving_block: network.halving.number() as u64,
        network_after_halving: after.network,
        colocation: written_off(market.colocation.estimate, Estimate::exact(1.0)),
        ranking,
        ranking_after_halving: ranked(&choices, &after),
        flips: flips(&choices, asic, &conditions),
        exchanges: exchanges(rows, &choices, market, &conditions),
        yardsticks: yardsticks(&choices),
        megawatts: megawatts(&choices, asic, market, &conditions),
        queries,
        queries_absent,
        published_queries: published(market, &choices, &conditions),
        choices,
        absent,
    }
}

/// Best first. Only choices whose joules are all those of the meter stand in one order.
fn ranked(choices: &[Choice], conditions: &Conditions) -> Ranking {
    let like: Vec<usize> =
        (0..choices.len()).filter(|i| choices[*i].standing == Standing::Meter).collect();
    let counts_hardware = like.iter().all(|i| choices[*i].venture.capital.is_some());
    let worth = |i: usize| worth(&choices[i], counts_hardware, conditions);
    let mut order = like;
    order.sort_by(|a, b| worth(*b).middle().total_cmp(&worth(*a).middle()));
    let above = |rank: usize| {
        order.get(rank + 1).is_none_or(|next| worth(order[rank]).low > worth(*next).high)
    };
    let settled: Vec<bool> = (0..order.len()).map(above).collect();
    Ranking { order: order.into_iter().zip(settled).collect(), counts_hardware }
}

/// Dollars a kilowatt-hour by which choices are held against each other.
pub(super) fn worth(choice: &Choice, counts_hardware: bool, conditions: &Conditions) -> Estimate {
    let venture = &choice.venture;
    if counts_hardware { venture.net(conditions) } else { venture.revenue(conditions) }
}

/// Whether each choice pays, whether tokens and rent beat the best reference miner, and whether tokens beat the rent of their
/// device; now and, where hashes are concerned, after the halving.
fn flips(choices: &[Choice], asic: usize, conditions: &Conditions) -> Vec<Flip> {
    let mut all = Vec::new();
    let mut ask = |question, sides: Sides, hashes: bool| {
        let after = conditions.after_halving();
        for (era, conditions) in [(Era::Now, conditions), (Era::AfterHalving, &after)] {
            if era == Era::Now || hashes {
                let of = |parameter| flip(sides, question, (era, conditions), parameter);
                all.extend(Parameter::ALL.into_iter().filter_map(of));
            }
        }
    };
    for (choice, one) in choices.iter().enumerate() {
        let hashes = matches!(one.kind, Kind::HashHere | Kind::HashAsic);
        ask(Question::Pays { choice }, Sides { one: &one.venture, other: None }, hashes);
    }
    for (choice, one) in choices.iter().enumerate() {
        let sells = matches!(one.kind, Kind::Infer | Kind::Rent);
        if sells && one.standing == Standing::Meter {
            let other = Some(&choices[asic].venture);
            let question = Question::Beats { choice, other: asic };
            ask(question, Sides { one: &one.venture, other }, true);
        }
        for (other, rent) in choices.iter().enumerate() {
            let same = one.device == rent.device && one.standing == rent.standing;
            if one.kind == Kind::Infer && rent.kind == Kind::Rent && same {
                let sides = Sides { one: &one.venture, other: Some(&rent.venture) };
                ask(Question::Beats { choice, other }, sides, false);
            }
        }
    }
    all
}

/// A query for each row that writes tokens.
fn queries(rows: &[MeasuredRow], market: &Market) -> (Vec<QueryEnergy>, Vec<(String, String)>) {
    let premises = &market.premises;
    let query = Query {
        tokens_in: premises.query_tokens_in.number(),
        tokens_out: premises.query_tokens_out.number(),
    };
    let (mut found, mut absent) = (Vec::new(), Vec::new());
    for row in rows {
        let Some(tokens) = row.sequences.as_ref().filter(|s| s.stage == Stage::Decode) else {
            continue;
        };
        let energy = match &row.energy {
            Ok(energy) => energy,
            Err(why) => {
                absent.push((row.label(), why.clone()));
                continue;
            }
        };
        let prefill = prefill_for(row, rows).and_then(|read| Some((read, read.work_energy()?)));
        let Some((read, read_energy)) = prefill else {
            let why = format!(
                "no reading of tokens was measured with it; run --workload prefill:{}:{} too",
                tokens.model, tokens.weights
            );
            absent.push((row.label(), why));
            continue;
        };
        let (wall, _, standing) = super::choices::to_meter(market, energy.scope);
        let idle = premises.query_idle.number();
        let factors = Factors { wall, idle, pue: premises.pue.number() };
        let (prefill_joules, decode_joules) = (read_energy.joules, energy.joules_per_unit);
        found.push(QueryEnergy {
            prefill: read.label(),
            decode: row.label(),
            query,
            prefill_joules,
            decode_joules,
            factors,
            watt_hours: watt_hours(query, prefill_joules, decode_joules, factors),
            bound: match standing {
                Standing::Meter => None,
                Standing::Bound(why) => Some(why),
            },
        });
    }
    (found, absent)
}

/// What a published query would be as hashes of each reference miner.
fn published(market: &Market, choices: &[Choice], conditions: &Conditions) -> Vec<QueryInHashes> {
    let worth = conditions.network.dollars_per_hash();
    let mut all = Vec::new();
    for query in &market.published_queries {
        for (asic, choice) in choices.iter().enumerate().filter(|(_, c)| c.kind == Kind::HashAsic) {
            let super::Plan::Hash(hash) = choice.venture.plan else { continue };
            let hashes = query.energy.estimate * WATT_HOUR.0 / hash.joules;
            let query = query.clone();
            all.push(QueryInHashes { query, asic, hashes, dollars: hashes * worth });
        }
    }
    all
}

/// A figure without an interval passes for exact, so that it is remarked on.
fn without_interval(row: &MeasuredRow) -> Option<String> {
    let energy = row.energy.as_ref().ok()?;
    let stated = energy.provenance != Provenance::Modelled && energy.joules_per_unit.is_exact();
    stated.then(|| format!("{} has no interval; measure it for longer", row.label()))
}
