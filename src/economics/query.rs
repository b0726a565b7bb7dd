//! Energy of one query, from joules for tokens that are read and written and every factor between the card and the hall's
//! meter.

use super::Estimate;
use super::{MeasuredRow, Stage};
use crate::units::WATT_HOUR;

/// The size of a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Query {
    /// Tokens that it is asked with.
    pub tokens_in: f64,
    /// Tokens that it is answered with.
    pub tokens_out: f64,
}

/// What stands between the measured joules and those that are bought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factors {
    /// Joules at the plug for one in the scope that was measured.
    pub wall: f64,
    /// For devices that stand ready.
    pub idle: f64,
    /// Energy that the hall buys for one at the plugs.
    pub pue: f64,
}

/// Watt-hours of a query, from joules a token in and out.
pub fn watt_hours(
    query: Query,
    prefill_joules: Estimate,
    decode_joules: Estimate,
    factors: Factors,
) -> Estimate {
    let (read, written) = (prefill_joules * query.tokens_in, decode_joules * query.tokens_out);
    let value = read.value.zip(written.value).map(|(a, b)| a + b);
    let joules = Estimate { low: read.low + written.low, value, high: read.high + written.high };
    joules * (factors.wall * factors.idle * factors.pue) / WATT_HOUR.0
}

/// The energy of a query as measured here.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryEnergy {
    /// The row that tokens are read by.
    pub prefill: String,
    /// The row that tokens are written by.
    pub decode: String,
    /// Its size.
    pub query: Query,
    /// Joules a token that is read.
    pub prefill_joules: Estimate,
    /// Joules a token that is written.
    pub decode_joules: Estimate,
    /// Every factor.
    pub factors: Factors,
    /// The product.
    pub watt_hours: Estimate,
    /// Why it says less than all, where it does: no factor to the plug is known.
    pub bound: Option<String>,
}

/// The row that reads the prompt of what another writes: of the same device, scope, model and weights, of the same batch if
/// there is one, else of the nearest.
pub(super) fn prefill_for<'a>(
    decode: &MeasuredRow,
    rows: &'a [MeasuredRow],
) -> Option<&'a MeasuredRow> {
    let written = decode.sequences.as_ref()?;
    let candidates = rows.iter().filter(|row| row.shares_scope(decode)).filter_map(|row| {
        let read = row.sequences.as_ref()?;
        let fits = read.stage == Stage::Prefill
            && (&read.model, &read.weights) == (&written.model, &written.weights);
        fits.then_some((read.batch.abs_diff(written.batch), row))
    });
    candidates.min_by_key(|(distance, _)| *distance).map(|(_, row)| row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_tenths_of_a_watt_hour_from_every_factor() {
        let query = Query { tokens_in: 500.0, tokens_out: 300.0 };
        let factors = Factors { wall: 1.5, idle: 1.2, pue: 1.2 };
        // (500 · 0.1 + 300 · 1.5) J · 2.16 / 3600
        let energy = watt_hours(query, 0.1.into(), 1.5.into(), factors);
        assert!((energy.value.unwrap() - 0.3).abs() < 1e-12);
        // As many tokens at the price of those written, or joules for watt-hours, would be far off.
        let mixed = watt_hours(query, 1.5.into(), 1.5.into(), factors);
        assert!(mixed.value.unwrap() > 0.7);
    }

    #[test]
    fn the_factors_of_gemini_make_1_72() {
        let factors = Factors { wall: 83.0 / 58.0, idle: 93.0 / 83.0, pue: 100.0 / 93.0 };
        let query = Query { tokens_in: 0.0, tokens_out: 1.0 };
        let energy = watt_hours(query, 0.0.into(), WATT_HOUR.0.into(), factors);
        assert!((energy.value.unwrap() - 1.72).abs() < 0.005);
    }

    proptest! {
        #[test]
        fn grows_with_tokens_joules_and_factors(
            read in 1e-3..1.0, written in 1e-3..10.0, tokens in 1.0..1e4, more in 1.01..10.0, which in 0usize..7,
        ) {
            let mut all = [tokens, tokens, read, written, 1.4, 1.1, 1.2];
            let energy = |a: [f64; 7]| {
                let query = Query { tokens_in: a[0], tokens_out: a[1] };
                let factors = Factors { wall: a[4], idle: a[5], pue: a[6] };
                watt_hours(query, a[2].into(), a[3].into(), factors).value.unwrap()
            };
            let before = energy(all);
            all[which] *= more;
            prop_assert!(energy(all) > before);
        }
    }
}
