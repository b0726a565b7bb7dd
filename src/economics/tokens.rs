//! The exchange rate of the machine: hashes forgone for a token, on the same device and on each reference miner.

use super::choices::to_meter;
use super::{
    Choice, Conditions, Estimate, Kind, Market, MeasuredRow, Plan, Standing, WorkEnergy,
    hashes_forgone,
};
use crate::units::Unit;

/// What a token costs in hashes.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// The row that the token is of.
    pub token: String,
    /// What would hash instead.
    pub hasher: String,
    /// Hashes for the energy of one token.
    pub hashes: Estimate,
    /// Dollars that they earn.
    pub dollars: Estimate,
    /// Joules at the plug for one of the token's, where the hasher's are of the plug; 1 where both are of one scope.
    pub wall: f64,
}

/// Each measured token against each measured hash of the same device and scope, and each reference miner. A token whose
/// joules do not reach the plug is not held against a miner's.
pub(super) fn exchanges(
    rows: &[MeasuredRow],
    choices: &[Choice],
    market: &Market,
    conditions: &Conditions,
) -> Vec<Exchange> {
    let worth = conditions.network.dollars_per_hash();
    let exchange = |row: &MeasuredRow, hasher: String, token: WorkEnergy, hash, wall| {
        let hashes = hashes_forgone(WorkEnergy { joules: token.joules * wall, ..token }, hash);
        Exchange { token: row.label(), hasher, hashes, dollars: hashes * worth, wall }
    };
    let mut all = Vec::new();
    for row in rows.iter().filter(|row| row.unit == Unit::Token) {
        let (Some(token), Ok(energy)) = (row.work_energy(), &row.energy) else { continue };
        for own in rows.iter().filter(|own| own.unit == Unit::Hash && own.shares_scope(row)) {
            if let Some(hash) = own.work_energy() {
                all.push(exchange(row, own.label(), token, hash, 1.0));
            }
        }
        let (wall, _, standing) = to_meter(market, energy.scope);
        for choice in choices.iter().filter(|choice| choice.kind == Kind::HashAsic) {
            if let (Plan::Hash(hash), Standing::Meter) = (choice.venture.plan, &standing) {
                all.push(exchange(row, choice.label.clone(), token, hash, wall));
            }
        }
    }
    all
}
