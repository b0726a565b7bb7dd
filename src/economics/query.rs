//! Energy of one query: joules per prefill and decode token, times every factor between the card and the facility meter.

use super::choices::to_meter;
use super::revenue::quoted;
use super::{DeviceRow, Market};
use crate::units::{Interval, WATT_HOUR};
use crate::workload::Id;
use serde::Serialize;

/// The size of a query.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Query {
    /// Prompt tokens.
    pub tokens_in: f64,
    /// Generated tokens.
    pub tokens_out: f64,
}

/// Factors from measured to purchased energy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Factors {
    /// Joules at the plug per joule in the measured scope.
    #[serde(rename = "wall_factor")]
    pub wall: f64,
    /// Allowance for provisioned but idle devices.
    #[serde(rename = "idle_factor")]
    pub idle: f64,
    /// Power usage effectiveness.
    pub pue: f64,
}

/// Watt-hours of a query, from joules per prefill and decode token.
pub fn watt_hours(
    query: Query,
    prefill_joules: Interval,
    decode_joules: Interval,
    factors: Factors,
) -> Interval {
    let joules = prefill_joules * query.tokens_in + decode_joules * query.tokens_out;
    joules * quoted(factors.wall * factors.idle * factors.pue) / WATT_HOUR.0
}

/// Measured energy of a query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryEnergy {
    /// Label of the prefill row.
    pub prefill: String,
    /// Label of the decode row.
    pub decode: String,
    /// Size of the query.
    #[serde(flatten)]
    pub query: Query,
    /// Joules per prompt token.
    pub prefill_joules_per_token: Interval,
    /// Joules per generated token.
    pub decode_joules_per_token: Interval,
    /// All factors.
    #[serde(flatten)]
    pub factors: Factors,
    /// Energy of the query in watt-hours, all factors applied.
    pub watt_hours: Interval,
    /// Why it is a lower bound (the factor to the plug is unknown); null if it is not.
    pub lower_bound_reason: Option<String>,
}

/// A decode row without a query energy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueryAbsent {
    /// Label of the row.
    pub decode: String,
    /// Why there is no query energy.
    pub reason: String,
}

/// The query energy of each decode row.
pub(super) fn queries(rows: &[DeviceRow], market: &Market) -> (Vec<QueryEnergy>, Vec<QueryAbsent>) {
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
    let factors = Factors { wall, idle: premises.query_idle.number(), pue: premises.pue.number() };
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exact(value: f64) -> Interval {
        Interval::exact(value)
    }

    #[test]
    fn three_tenths_of_a_watt_hour_from_every_factor() {
        let query = Query { tokens_in: 500.0, tokens_out: 300.0 };
        let factors = Factors { wall: 1.5, idle: 1.2, pue: 1.2 };
        // (500 · 0.1 + 300 · 1.5) J · 2.16 / 3600
        let energy = watt_hours(query, exact(0.1), exact(1.5), factors);
        assert!((energy.value.unwrap() - 0.3).abs() < 1e-12);
        // With decode energy for prompt tokens it is far off.
        let mixed = watt_hours(query, exact(1.5), exact(1.5), factors);
        assert!(mixed.value.unwrap() > 0.7);
    }

    #[test]
    fn the_factors_of_gemini_make_1_72() {
        let factors = Factors { wall: 83.0 / 58.0, idle: 93.0 / 83.0, pue: 100.0 / 93.0 };
        let query = Query { tokens_in: 0.0, tokens_out: 1.0 };
        let energy = watt_hours(query, exact(0.0), exact(WATT_HOUR.0), factors);
        assert!((energy.value.unwrap() - 1.72).abs() < 0.005);
    }

    proptest! {
        #[test]
        fn grows_with_tokens_joules_and_factors(
            prefill in 1e-3..1.0, decode in 1e-3..10.0, tokens in 1.0..1e4, more in 1.01..10.0, which in 0usize..7,
        ) {
            let mut all = [tokens, tokens, prefill, decode, 1.4, 1.1, 1.2];
            let energy = |a: [f64; 7]| {
                let query = Query { tokens_in: a[0], tokens_out: a[1] };
                let factors = Factors { wall: a[4], idle: a[5], pue: a[6] };
                watt_hours(query, exact(a[2]), exact(a[3]), factors).value.unwrap()
            };
            let before = energy(all);
            all[which] *= more;
            prop_assert!(energy(all) > before);
        }
    }
}
