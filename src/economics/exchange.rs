//! What energy could hash instead: the energy of a token, of a published query, and of a hash on a measured device.

use super::choices::{hashers, to_meter};
use super::market::Figure;
use super::revenue::quoted;
use super::{Choice, DeviceRow, Kind, Market, Network, WorkEnergy, hashes_forgone};
use crate::units::{Interval, Unit, WATT_HOUR};
use serde::Serialize;

/// The cost of a token in hashes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exchange {
    /// Label of the row that computes the token.
    pub token: String,
    /// Label of the row or miner that would hash instead.
    pub hasher: String,
    /// Hashes for the energy of one token.
    pub hashes_per_token: Interval,
    /// Dollars that the hashes earn.
    pub dollars_per_token: Interval,
    /// Joules at the plug per joule of the token row, if the hasher's are at the plug; 1 if both have one scope.
    pub wall_factor: f64,
}

/// The energy of a published query, used for hashing instead.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryInHashes {
    /// Name in the market file.
    pub name: String,
    /// Watt-hours per query.
    pub energy: Figure,
    /// Index of the reference miner's choice.
    pub asic: usize,
    /// Hashes that the miner computes with this energy, without conversion between scopes.
    pub hashes: Interval,
    /// Dollars that the hashes earn.
    pub dollars: Interval,
}

/// Energy per hash of a measured device relative to a reference miner.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AsicComparison {
    /// Index of the choice that hashes on the device.
    pub choice: usize,
    /// Index of the reference miner's choice.
    pub asic: usize,
    /// Joules per hash of the device over those of the miner, both at the plug.
    pub times_worse: Interval,
}

/// Compares each token row with each hash row of the same device and scope, and with each reference miner if the token row has a known
/// plug factor.
pub(super) fn exchanges(
    rows: &[DeviceRow],
    choices: &[Choice],
    market: &Market,
    network: Network,
) -> Vec<Exchange> {
    let of_unit = |unit| {
        let rows = rows.iter().filter(move |row| row.row.workload.unit == unit);
        rows.filter_map(|row| Some((row, row.energy().ok()?)))
    };
    let mut all = Vec::new();
    for (row, token) in of_unit(Unit::Token) {
        let mut add = |hasher: String, hash: WorkEnergy, wall_factor: f64| {
            let joules = token.work.joules * wall_factor;
            let hashes_per_token = hashes_forgone(WorkEnergy { joules, ..token.work }, hash);
            let dollars_per_token = hashes_per_token * quoted(network.dollars_per_hash());
            let token = row.label();
            all.push(Exchange { token, hasher, hashes_per_token, dollars_per_token, wall_factor });
        };
        for (other, hash) in of_unit(Unit::Hash).filter(|(other, _)| other.shares_scope(row)) {
            add(other.label(), hash.work, 1.0);
        }
        if let (wall, _, None) = to_meter(market, token.scope) {
            for (_, miner, hash) in hashers(choices, Kind::HashAsic) {
                add(miner.label.clone(), hash, wall);
            }
        }
    }
    all
}

/// The energy of each published query, used for hashing on each reference miner.
pub(super) fn published_queries(
    market: &Market,
    choices: &[Choice],
    network: Network,
) -> Vec<QueryInHashes> {
    let worth = quoted(network.dollars_per_hash());
    let queries = market.published_queries.iter();
    let in_hashes = queries.flat_map(|query| {
        hashers(choices, Kind::HashAsic).map(move |(asic, _, hash)| {
            let hashes = query.energy.interval * WATT_HOUR.0 / hash.joules;
            let (name, energy) = (query.name.clone(), query.energy.clone());
            QueryInHashes { name, energy, asic, hashes, dollars: hashes * worth }
        })
    });
    in_hashes.collect()
}

/// Compares each measured hash row with a known plug factor to each reference miner.
pub(super) fn yardsticks(choices: &[Choice]) -> Vec<AsicComparison> {
    let here = hashers(choices, Kind::HashHere).filter(|(_, choice, _)| choice.has_wall_energy());
    here.flat_map(|(choice, _, device)| {
        hashers(choices, Kind::HashAsic).map(move |(asic, _, miner)| AsicComparison {
            choice,
            asic,
            times_worse: device.joules / miner.joules,
        })
    })
    .collect()
}
