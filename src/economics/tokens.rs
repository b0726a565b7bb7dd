//! The exchange rate of tokens and hashes: hashes forgone per token, on the same device and on each reference miner.

use super::choices::to_meter;
use super::revenue::quoted;
use super::{
    Choice, Conditions, DeviceRow, Kind, Market, RevenueModel, WorkEnergy, hashes_forgone,
};
use crate::units::{Interval, Unit};
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

/// Compares each token row with each hash row of the same device and scope, and with each reference miner if the token row has a known
/// plug factor.
pub(super) fn exchanges(
    rows: &[DeviceRow],
    choices: &[Choice],
    market: &Market,
    conditions: &Conditions,
) -> Vec<Exchange> {
    let dollars_per_hash = quoted(conditions.network.dollars_per_hash());
    let exchange = |row: &DeviceRow, hasher: String, token: WorkEnergy, hash, wall_factor| {
        let at_hasher = WorkEnergy { joules: token.joules * wall_factor, ..token };
        let hashes_per_token = hashes_forgone(at_hasher, hash);
        let dollars_per_token = hashes_per_token * dollars_per_hash;
        Exchange { token: row.label(), hasher, hashes_per_token, dollars_per_token, wall_factor }
    };
    let of_unit = |unit| {
        let rows = rows.iter().filter(move |row| row.row.workload.unit == unit);
        rows.filter_map(|row| Some((row, row.energy().ok()?)))
    };
    let mut all = Vec::new();
    for (row, token) in of_unit(Unit::Token) {
        for (other, hash) in of_unit(Unit::Hash).filter(|(other, _)| other.shares_scope(row)) {
            all.push(exchange(row, other.label(), token.work, hash.work, 1.0));
        }
        let (wall, _, missing) = to_meter(market, token.scope);
        for choice in choices.iter().filter(|choice| choice.kind == Kind::HashAsic) {
            if let (RevenueModel::Hash(hash), None) = (choice.scenario.revenue_model, &missing) {
                all.push(exchange(row, choice.label.clone(), token.work, hash, wall));
            }
        }
    }
    all
}
