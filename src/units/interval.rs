//! A figure with its 95 % confidence interval, how it was found and where it comes from, and the arithmetic that carries all of
//! that along. Throughput, joules, prices and revenue are all of this type.

use super::to_nine_digits;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::{Add, Div, Mul, Sub};

/// How a figure came about, strongest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Counted and timed by this program, or exact.
    Measured,
    /// Read from a counter of joules.
    MeasuredCounter,
    /// Integrated from readings of watts.
    MeasuredSampled,
    /// Published by somebody else.
    Published,
    /// From watts or prices that the user gave.
    Declared,
    /// Somewhere between two bounds; there is no value.
    Modelled,
    /// Not known.
    None,
}

impl Provenance {
    /// The name in results: `measured-counter`.
    pub fn name(self) -> &'static str {
        match self {
            Provenance::Measured => "measured",
            Provenance::MeasuredCounter => "measured-counter",
            Provenance::MeasuredSampled => "measured-sampled",
            Provenance::Published => "published",
            Provenance::Declared => "declared",
            Provenance::Modelled => "modelled",
            Provenance::None => "none",
        }
    }

    /// What a figure made of figures of two kinds is: as weak as the weaker one.
    pub fn mixed(self, other: Provenance) -> Provenance {
        self.max(other)
    }

    /// Whether somebody measured it here.
    pub fn is_measured(self) -> bool {
        self <= Provenance::MeasuredSampled
    }
}

/// How an interval was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// It is one number.
    Exact,
    /// The median over windows, between order statistics.
    OrderStatistics,
    /// All joules over all work, the root sum of squares of the meter's uncertainty terms.
    MeterUncertainty,
    /// Constant watts over the rates of the windows, between order statistics.
    ConstantPower,
    /// Two bounds, without a value.
    Bounds,
    /// The geometric mean of the blocks' medians, Student's t of their logarithms.
    BlocksStudent,
    /// The ratio of medians over windows, bootstrap percentiles.
    Bootstrap,
    /// Theil and Sen's slope over windows, by ranks.
    TheilSen,
    /// Computed from other intervals, end by end.
    Propagated,
    /// As it was quoted.
    Quoted,
}

/// A figure with its 95 % confidence interval. What is only modelled, or quoted as a range, has ends and no value. An end that
/// is not known is infinite in memory and null in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The figure itself; null if only its ends are known.
    #[serde(serialize_with = "value")]
    pub value: Option<f64>,
    /// Lower end; null if it is not known.
    #[serde(default = "no_low", serialize_with = "end", deserialize_with = "low")]
    #[schemars(with = "Option<f64>")]
    pub low: f64,
    /// Upper end; null if it is not known.
    #[serde(default = "no_high", serialize_with = "end", deserialize_with = "high")]
    #[schemars(with = "Option<f64>")]
    pub high: f64,
    /// How the figure came about.
    pub provenance: Provenance,
    /// How the interval was found.
    pub method: Method,
}

/// Nine digits: more would only fill files.
fn end<S: Serializer>(end: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Some(to_nine_digits(*end)).filter(|end| end.is_finite()).serialize(serializer)
}

fn value<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(to_nine_digits).serialize(serializer)
}

fn no_low() -> f64 {
    f64::NEG_INFINITY
}

fn no_high() -> f64 {
    f64::INFINITY
}

fn low<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(no_low))
}

fn high<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(no_high))
}

/// One reading of an interval.
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

impl Interval {
    /// One number.
    pub fn exact(value: f64) -> Interval {
        Interval {
            value: Some(value),
            low: value,
            high: value,
            provenance: Provenance::Measured,
            method: Method::Exact,
        }
    }

    /// A value whose interval is not known.
    pub fn bare(value: f64, provenance: Provenance, method: Method) -> Interval {
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        Interval { value: Some(value), low, high, provenance, method }
    }

    /// A value and both ends.
    pub fn new(
        value: f64,
        (low, high): (f64, f64),
        provenance: Provenance,
        method: Method,
    ) -> Interval {
        Interval { value: Some(value), low, high, provenance, method }
    }

    /// Somewhere between two bounds; which comes first does not matter.
    pub fn between(one: f64, other: f64) -> Interval {
        Interval {
            value: None,
            low: one.min(other),
            high: one.max(other),
            provenance: Provenance::Modelled,
            method: Method::Bounds,
        }
    }

    /// The same figure from somewhere else.
    pub fn with_provenance(self, provenance: Provenance) -> Interval {
        Interval { provenance, ..self }
    }

    /// What it reads at a corner; nothing for the value of what has none.
    pub fn at(self, corner: Corner) -> Option<f64> {
        match corner {
            Corner::Low => Some(self.low),
            Corner::Value => self.value,
            Corner::High => Some(self.high),
        }
    }

    /// Both ends, if both are known.
    pub fn ends(self) -> Option<(f64, f64)> {
        (self.low.is_finite() && self.high.is_finite()).then_some((self.low, self.high))
    }

    /// Whether it is one number.
    pub fn is_exact(self) -> bool {
        self.low == self.high
    }

    /// Whether all of it lies below all of another.
    pub fn is_below(self, other: Interval) -> bool {
        self.high < other.low
    }

    /// Half of its width as a share of its value; infinite where that is not known.
    pub fn relative_half_width(self) -> f64 {
        self.value
            .map_or(f64::INFINITY, |value| (self.high - value).max(value - self.low) / value.abs())
    }

    /// One number where intervals are compared: its value, else the middle of the bounds; of what has no upper bound, no more
    /// than is known for sure.
    pub fn middle(self) -> f64 {
        let middle = if self.high.is_finite() { (self.low + self.high) / 2.0 } else { self.low };
        self.value.unwrap_or(middle)
    }

    /// The same, with no end below 0.
    pub fn not_negative(self) -> Interval {
        Interval { low: self.low.max(0.0), ..self }
    }

    fn combine(
        self,
        other: Interval,
        (low, high): (f64, f64),
        value: impl Fn(f64, f64) -> f64,
    ) -> Interval {
        let method = match (self.method, other.method) {
            (Method::Exact, other) => other,
            (own, Method::Exact) => own,
            _ => Method::Propagated,
        };
        let value = self.value.zip(other.value).map(|(a, b)| value(a, b));
        Interval { value, low, high, provenance: self.provenance.mixed(other.provenance), method }
    }
}

impl Add for Interval {
    type Output = Interval;
    fn add(self, other: Interval) -> Interval {
        self.combine(other, (self.low + other.low, self.high + other.high), |a, b| a + b)
    }
}

impl Sub for Interval {
    type Output = Interval;
    fn sub(self, other: Interval) -> Interval {
        self.combine(other, (self.low - other.high, self.high - other.low), |a, b| a - b)
    }
}

impl Mul for Interval {
    type Output = Interval;
    /// Of two figures that are not below 0.
    fn mul(self, other: Interval) -> Interval {
        self.combine(other, (self.low * other.low, self.high * other.high), |a, b| a * b)
    }
}

impl Div for Interval {
    type Output = Interval;
    /// Of two figures that are not below 0.
    fn div(self, other: Interval) -> Interval {
        self.combine(other, (self.low / other.high, self.high / other.low), |a, b| a / b)
    }
}

impl Mul<f64> for Interval {
    type Output = Interval;
    /// By a factor that is not below 0.
    fn mul(self, factor: f64) -> Interval {
        self * Interval::exact(factor)
    }
}

impl Div<f64> for Interval {
    type Output = Interval;
    /// By a divisor above 0.
    fn div(self, divisor: f64) -> Interval {
        self / Interval::exact(divisor)
    }
}

/// Intervals around a size for property tests, some without a value.
#[cfg(test)]
pub fn any(size: std::ops::Range<f64>) -> impl proptest::strategy::Strategy<Value = Interval> {
    use proptest::prelude::*;
    (size, 0.0..0.4, 0.0..0.4, any::<bool>()).prop_map(|(value, below, above, stated)| {
        let (low, high) = (value * (1.0 - below), value * (1.0 + above));
        Interval { value: stated.then_some(value), ..Interval::between(low, high) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn inside(interval: Interval, part: f64) -> f64 {
        (interval.low + part * (interval.high - interval.low)).clamp(interval.low, interval.high)
    }

    proptest! {
        /// Whatever the truth is within the operands, the result holds it; a ratio of low ends would not.
        #[test]
        fn results_hold_every_pair_of_truths(
            a in super::any(0.01..100.0), b in super::any(0.01..100.0), i in 0.0..1.0, j in 0.0..1.0,
        ) {
            let (x, y) = (inside(a, i), inside(b, j));
            for (result, truth) in [(a * b, x * y), (a / b, x / y), (a - b, x - y), (a + b, x + y)] {
                let slack = 1e-12 * (truth.abs() + 1.0);
                prop_assert!(result.low <= truth + slack && truth <= result.high + slack);
                prop_assert_eq!(result.value.is_some(), a.value.is_some() && b.value.is_some());
            }
        }
    }

    #[test]
    fn a_range_has_no_value_and_gives_none() {
        let range = Interval::between(5.0, 2.0);
        assert_eq!((range.low, range.value, range.high), (2.0, None, 5.0));
        assert_eq!((range * 2.0).value, None);
        assert_eq!((Interval::exact(6.0) / range).low, 1.2);
        assert!(!range.is_exact() && Interval::exact(1.0).is_exact());
        assert_eq!(Corner::ALL.map(|corner| range.at(corner)), [Some(2.0), None, Some(5.0)]);
        // Joules that are only known to be no more than some earn any amount from a least one on.
        let earned = Interval::exact(6.0) / Interval::between(0.0, 3.0);
        assert_eq!((earned.low, earned.high, earned.middle()), (2.0, f64::INFINITY, 2.0));
    }

    #[test]
    fn a_mixture_is_as_weak_as_its_weakest_part() {
        use Provenance::*;
        assert_eq!(MeasuredCounter.mixed(MeasuredSampled), MeasuredSampled);
        assert_eq!(Modelled.mixed(MeasuredCounter), Modelled);
        let declared = Interval::exact(2.0).with_provenance(Declared);
        assert_eq!((Interval::between(1.0, 2.0) * declared).provenance, Modelled);
        assert_eq!((declared * 3.0).provenance, Declared);
    }

    #[test]
    fn unknown_ends_are_null() {
        let bare = Interval::bare(3.0, Provenance::Measured, Method::OrderStatistics);
        let json = serde_json::to_string(&bare).unwrap();
        assert!(json.contains("\"low\":null,\"high\":null"), "{json}");
        assert_eq!(serde_json::from_str::<Interval>(&json).unwrap(), bare);
        assert_eq!((bare.ends(), bare.relative_half_width()), (None, f64::INFINITY));
    }
}
