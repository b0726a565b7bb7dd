//! Detects the end of a warm-up: throughput is steady, and temperature and power, too, if they are read.

use crate::units::Watts;

/// Number of slices compared.
const SLICES: usize = 3;
/// Maximum relative range of the throughput.
const RATE: f64 = 0.03;
/// Maximum relative range of the power, which sensors show coarsely.
const POWER: f64 = 0.05;
/// Maximum range of the hottest sensor, in degrees Celsius.
const CELSIUS: f64 = 1.0;

/// The slices of a warm-up.
#[derive(Default)]
pub(super) struct Steady(Vec<Slice>);

struct Slice {
    rate: f64,
    celsius: Option<f64>,
    watts: Option<f64>,
}

impl Steady {
    /// Adds a slice: units of work per second, degrees Celsius of the hottest sensor, and power.
    pub(super) fn add(&mut self, rate: f64, celsius: Option<f64>, power: Option<Watts>) {
        self.0.push(Slice { rate, celsius, watts: power.map(|watts| watts.0) });
    }

    /// Whether the last slices agree.
    pub(super) fn is_reached(&self) -> bool {
        let Some(last) = self.0.last_chunk::<SLICES>() else { return false };
        let range = |value: fn(&Slice) -> Option<f64>| {
            let values = last.iter().filter_map(value);
            values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)))
        };
        // The range of no values is inverted: its upper end is below its lower end.
        let within =
            |(low, high): (f64, f64), share: f64| high < low || high <= low * (1.0 + share);
        let (coldest, hottest) = range(|slice| slice.celsius);
        within(range(|slice| Some(slice.rate)), RATE)
            && within(range(|slice| slice.watts), POWER)
            && hottest - coldest <= CELSIUS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(slices: &[(f64, Option<f64>, Option<f64>)]) -> bool {
        let mut steady = Steady::default();
        for (rate, celsius, watts) in slices {
            steady.add(*rate, *celsius, watts.map(Watts));
        }
        steady.is_reached()
    }

    #[test]
    fn last_slices_must_agree_in_all_quantities() {
        let rates =
            |rates: &[f64]| reached(&rates.iter().map(|r| (*r, None, None)).collect::<Vec<_>>());
        assert!(!rates(&[100.0, 100.0]));
        assert!(!rates(&[80.0, 100.0, 101.0]));
        assert!(rates(&[10.0, 100.0, 101.0, 99.0]));
        let at = |c: f64, w: f64| (100.0, Some(c), Some(w));
        assert!(reached(&[at(60.0, 200.0), at(60.5, 204.0), at(61.0, 208.0)]));
        assert!(
            !reached(&[at(60.0, 200.0), at(61.0, 200.0), at(62.0, 200.0)]),
            "it still heats up"
        );
        assert!(
            !reached(&[at(60.0, 180.0), at(60.0, 195.0), at(60.0, 200.0)]),
            "power still climbs"
        );
    }
}
