//! A positive quantity that is known to an interval, and the arithmetic that carries the interval along.

use std::ops::{Div, Mul, Sub};

/// A figure between two bounds. What is only modelled, or quoted as a range, has bounds and no value. A bound that nobody
/// knows is infinite: joules of which only the most is known earn any amount from a least one on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// No less than this: the lower end of a 95 % interval, or of a quoted range.
    pub low: f64,
    /// The figure itself, where there is one.
    pub value: Option<f64>,
    /// No more than this.
    pub high: f64,
}

/// One reading of an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corner {
    /// The lower end.
    Low,
    /// The figure itself.
    Value,
    /// The upper end.
    High,
}

impl Corner {
    /// Every corner.
    pub const ALL: [Corner; 3] = [Corner::Low, Corner::Value, Corner::High];
}

impl Estimate {
    /// A figure that is taken as it stands.
    pub fn exact(value: f64) -> Estimate {
        Estimate { low: value, value: Some(value), high: value }
    }

    /// Somewhere between two bounds; which comes first does not matter.
    pub fn between(one: f64, other: f64) -> Estimate {
        Estimate { low: one.min(other), value: None, high: one.max(other) }
    }

    /// A figure with its interval.
    pub fn measured(low: f64, value: f64, high: f64) -> Estimate {
        Estimate { low, value: Some(value), high }
    }

    /// What it reads at a corner; nothing for the value of what has none.
    pub fn at(self, corner: Corner) -> Option<f64> {
        match corner {
            Corner::Low => Some(self.low),
            Corner::Value => self.value,
            Corner::High => Some(self.high),
        }
    }

    /// Whether it is one number.
    pub fn is_exact(self) -> bool {
        self.low == self.high
    }

    /// What it is where the figures of two are compared: its value, else the middle of the bounds; of what has no upper bound,
    /// no more than is known for sure.
    pub fn middle(self) -> f64 {
        let middle = if self.high.is_finite() { (self.low + self.high) / 2.0 } else { self.low };
        self.value.unwrap_or(middle)
    }

    fn with(self, other: Estimate, op: impl Fn(f64, f64) -> f64) -> Option<f64> {
        Some(op(self.value?, other.value?))
    }
}

impl Mul for Estimate {
    type Output = Estimate;
    /// Of two figures that are not below 0.
    fn mul(self, other: Estimate) -> Estimate {
        let value = self.with(other, |a, b| a * b);
        Estimate { low: self.low * other.low, value, high: self.high * other.high }
    }
}

impl Div for Estimate {
    type Output = Estimate;
    /// Of two figures that are not below 0.
    fn div(self, other: Estimate) -> Estimate {
        let value = self.with(other, |a, b| a / b);
        Estimate { low: self.low / other.high, value, high: self.high / other.low }
    }
}

impl Sub for Estimate {
    type Output = Estimate;
    fn sub(self, other: Estimate) -> Estimate {
        let value = self.with(other, |a, b| a - b);
        Estimate { low: self.low - other.high, value, high: self.high - other.low }
    }
}

impl Mul<f64> for Estimate {
    type Output = Estimate;
    /// By a factor that is not below 0.
    fn mul(self, factor: f64) -> Estimate {
        self * Estimate::exact(factor)
    }
}

impl Div<f64> for Estimate {
    type Output = Estimate;
    /// By a divisor above 0.
    fn div(self, divisor: f64) -> Estimate {
        self / Estimate::exact(divisor)
    }
}

impl From<f64> for Estimate {
    fn from(value: f64) -> Estimate {
        Estimate::exact(value)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Estimates around a size, some without a value.
    pub fn estimates(size: std::ops::Range<f64>) -> impl Strategy<Value = Estimate> {
        (size, 0.0..0.4, 0.0..0.4, any::<bool>()).prop_map(|(value, below, above, stated)| {
            let (low, high) = (value * (1.0 - below), value * (1.0 + above));
            Estimate { low, value: stated.then_some(value), high }
        })
    }

    fn inside(estimate: Estimate, part: f64) -> f64 {
        (estimate.low + part * (estimate.high - estimate.low)).clamp(estimate.low, estimate.high)
    }

    proptest! {
        /// Whatever the truth is within the operands, the result holds it; a ratio of low ends would not.
        #[test]
        fn results_hold_every_pair_of_truths(
            a in estimates(0.01..100.0), b in estimates(0.01..100.0), i in 0.0..1.0, j in 0.0..1.0,
        ) {
            let (x, y) = (inside(a, i), inside(b, j));
            for (result, truth) in [(a * b, x * y), (a / b, x / y), (a - b, x - y)] {
                let slack = 1e-12 * (truth.abs() + 1.0);
                prop_assert!(result.low <= truth + slack && truth <= result.high + slack);
                prop_assert_eq!(result.value.is_some(), a.value.is_some() && b.value.is_some());
            }
        }
    }

    #[test]
    fn a_range_has_no_value_and_gives_none() {
        let range = Estimate::between(5.0, 2.0);
        assert_eq!((range.low, range.value, range.high), (2.0, None, 5.0));
        assert_eq!((range * 2.0).value, None);
        assert_eq!((Estimate::exact(6.0) / range).low, 1.2);
        assert!(!range.is_exact() && Estimate::from(1.0).is_exact());
        assert_eq!(Corner::ALL.map(|corner| range.at(corner)), [Some(2.0), None, Some(5.0)]);
        assert_eq!(Estimate::measured(1.0, 2.0, 4.0).middle(), 2.0);
        // Joules that are only known to be no more than some earn any amount from a least one on.
        let earned = Estimate::exact(6.0) / Estimate::between(0.0, 3.0);
        assert_eq!((earned.low, earned.high, earned.middle()), (2.0, f64::INFINITY, 2.0));
    }
}
