//! The exchange rate of the machine: hashes forgone for a token, on the same device and on each reference miner.

use super::choices::to_meter;
use super::revenue::quoted;
use super::{
    Choice, Conditions, DeviceRow, Kind, Market, RevenueModel, WorkEnergy, hashes_forgone,
};
use crate::units::{Interval, Unit};
use serde::Serialize;

/// What a token costs in hashes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exchange {
    /// The row that the token is of.
    pub token: String,
    /// What would hash instead.
    pub hasher: String,
    /// Hashes for the energy of one token.
    pub hashes_per_token: Interval,
    /// Dollars that they earn.
    pub dollars_per_token: Interval,
    /// Joules at the plug for one of the token's, where the hasher's are of the plug; 1 where both are of one scope.
    pub wall_factor: f64,
}

/// Each measured token against each measured hash of the same device and scope, and each reference miner. A token whose
/// joules do not reach the plug is not held against a miner's.
pub(super) fn exchanges(
    rows: &[DeviceRow],
    choices: &[Choice],
    market: &Market,
    conditions: &Conditions,
) -> Vec<Exchange> {
    let worth = quoted(conditions.network.dollars_per_hash());
    let exchange = |row: &DeviceRow, hasher: String, token: WorkEnergy, hash, wall_factor| {
        let at_hasher = WorkEnergy { joules: token.joules * wall_factor, ..token };
        let hashes_per_token = hashes_forgone(at_hasher, hash);
        let dollars_per_token = hashes_per_token * worth;
        Exchange { token: row.label(), hasher, hashes_per_token, dollars_per_token, wall_factor }
    };
    let of_unit = |unit| {
        let rows = rows.iter().filter(move |row| row.row.workload.unit == unit);
        rows.filter_map(|row| Some((row, row.energy().ok()?)))
    };
    let mut all = Vec::new();
    for (row, token) in of_unit(Unit::Token) {
        for (own, hash) in of_unit(Unit::Hash).filter(|(own, _)| own.shares_scope(row)) {
            all.push(exchange(row, own.label(), token.work, hash.work, 1.0));
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
