//! Energy of one query: joules per prefill and decode token, times every factor between the card and the facility meter.

use super::choices::to_meter;
use super::market::Figure;
use super::revenue::quoted;
use super::{DeviceRow, Market};
use crate::units::{Interval, WATT_HOUR};
use crate::workload::Id;
use serde::Serialize;

/// Watt-hours of a query: tokens and joules per token of prefill and decode, times all factors.
pub fn watt_hours(
    prefill: (f64, Interval),
    decode: (f64, Interval),
    factors: [f64; 3],
) -> Interval {
    let joules = prefill.1 * prefill.0 + decode.1 * decode.0;
    joules * quoted(factors.into_iter().product()) / WATT_HOUR.0
}

/// Measured energy of a query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryEnergy {
    /// Label of the prefill row.
    pub prefill: String,
    /// Label of the decode row.
    pub decode: String,
    /// Prompt tokens.
    pub tokens_in: f64,
    /// Generated tokens.
    pub tokens_out: f64,
    /// Joules per prompt token.
    pub prefill_joules_per_token: Interval,
    /// Joules per generated token.
    pub decode_joules_per_token: Interval,
    /// Joules at the plug per joule in the measured scope.
    pub wall_factor: f64,
    /// Allowance for provisioned but idle devices.
    pub idle_factor: f64,
    /// Power usage effectiveness.
    pub pue: f64,
    /// Energy of the query in watt-hours, all factors applied.
    pub watt_hours: Interval,
    /// Why it is a lower bound (the factor to the plug is unknown); null if it is not.
    pub lower_bound_reason: Option<String>,
}

/// A decode row without a query energy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingQuery {
    /// Label of the row.
    pub decode: String,
    /// Why there is no query energy.
    pub reason: String,
}

/// The query energy of each decode row.
pub(super) fn queries(
    rows: &[DeviceRow],
    market: &Market,
) -> (Vec<QueryEnergy>, Vec<MissingQuery>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| row.row.workload.id == Id::Decode) {
        match query(row, rows, market) {
            Ok(query) => found.push(query),
            Err(reason) => missing.push(MissingQuery { decode: row.label(), reason }),
        }
    }
    (found, missing)
}

/// Query energy of a decode row, or the reason it is missing.
fn query(row: &DeviceRow, rows: &[DeviceRow], market: &Market) -> Result<QueryEnergy, String> {
    let premises = &market.premises;
    let energy = row.energy()?;
    let prefill = prefill_for(row, rows).and_then(|read| Some((read, read.energy().ok()?)));
    let (read, read_energy) = prefill.ok_or_else(|| {
        let shape = &row.row.workload.shape;
        let parts = [Some("prefill"), shape.model.as_deref(), shape.weights.as_deref()];
        let spec = parts.into_iter().flatten().collect::<Vec<_>>().join(":");
        format!("no reading of tokens was measured with it; run --workload {spec} too")
    })?;
    let [tokens_in, tokens_out, idle_factor, pue] = [
        &premises.query_tokens_in,
        &premises.query_tokens_out,
        &premises.query_idle,
        &premises.pue,
    ]
    .map(Figure::number);
    let (wall_factor, _, lower_bound_reason) = to_meter(market, energy.scope);
    let (prefill_joules, decode_joules) = (read_energy.work.joules, energy.work.joules);
    let factors = [wall_factor, idle_factor, pue];
    Ok(QueryEnergy {
        prefill: read.label(),
        decode: row.label(),
        tokens_in,
        tokens_out,
        prefill_joules_per_token: prefill_joules,
        decode_joules_per_token: decode_joules,
        wall_factor,
        idle_factor,
        pue,
        watt_hours: watt_hours((tokens_in, prefill_joules), (tokens_out, decode_joules), factors),
        lower_bound_reason,
    })
}

/// The prefill row for a decode row: same device, scope, model and weights, and the nearest batch size.
fn prefill_for<'r>(decode: &DeviceRow, rows: &'r [DeviceRow<'r>]) -> Option<&'r DeviceRow<'r>> {
    let shape = &decode.row.workload.shape;
    let fits = |row: &&DeviceRow| {
        let workload = &row.row.workload;
        workload.id == Id::Prefill
            && (&workload.shape.model, &workload.shape.model_sha256, &workload.shape.weights)
                == (&shape.model, &shape.model_sha256, &shape.weights)
            && row.shares_scope(decode)
    };
    let batch = |batch: Option<u64>| batch.unwrap_or(1);
    rows.iter()
        .filter(fits)
        .min_by_key(|row| batch(row.row.workload.shape.batch).abs_diff(batch(shape.batch)))
}
