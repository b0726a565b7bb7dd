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
pub struct Steady(Vec<Slice>);

struct Slice {
    rate: f64,
    celsius: Option<f64>,
    watts: Option<f64>,
}

impl Steady {
    /// Adds a slice: units of work per second, degrees Celsius of the hottest sensor, and power.
    pub fn add(&mut self, rate: f64, celsius: Option<f64>, power: Option<Watts>) {
        self.0.push(Slice { rate, celsius, watts: power.map(|watts| watts.0) });
    }

    /// Whether the last slices agree.
    pub fn is_reached(&self) -> bool {
        let Some(last) = self.0.last_chunk::<SLICES>() else { return false };
        let range = |value: fn(&Slice) -> Option<f64>| {
            let values = last.iter().filter_map(value);
            values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)))
        };
        // The range of no values is inverted: its upper end is below its lower end.
        let within =
            |(low, high): (f64, f64), tolerance: f64| high < low || high <= low * (1.0 + tolerance);
        let (coldest, hottest) = range(|slice| slice.celsius);
        within(range(|slice| Some(slice.rate)), RATE)
            && within(range(|slice| slice.watts), POWER)
            && hottest - coldest <= CELSIUS
    }
}
