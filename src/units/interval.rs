//! A value with its 95 % confidence interval, method and provenance, and interval arithmetic on it. Throughput, joules, prices and
//! revenue are all of this type.

use super::to_nine_digits;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::{Add, Div, Mul, Sub};

/// Where a figure comes from, strongest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[derive(strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Provenance {
    /// Counted and timed by this program, or an exact number.
    Measured,
    /// Read from an energy counter.
    MeasuredCounter,
    /// Integrated from power samples.
    MeasuredSampled,
    /// Published by a third party.
    Published,
    /// Computed from power or prices that the user declared.
    Declared,
    /// Modelled: two bounds without a value.
    Modelled,
    /// Not known.
    None,
}

impl Provenance {
    /// Whether rigbench measured it.
    pub fn is_measured(self) -> bool {
        self <= Provenance::MeasuredSampled
    }
}

/// How a confidence interval was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A single number: both bounds are the value.
    Exact,
    /// Median over windows; the bounds are order statistics.
    OrderStatistics,
    /// Total energy over total work; the bounds are the root sum of squares of the meter's uncertainty terms.
    MeterUncertainty,
    /// Constant power over the windows' rates; the bounds are order statistics.
    ConstantPower,
    /// Two bounds without a value.
    Bounds,
    /// Geometric mean of the blocks' medians; the bounds are Student's t of their logarithms.
    BlocksStudent,
    /// Ratio of medians over windows; the bounds are bootstrap percentiles.
    Bootstrap,
    /// Theil–Sen slope over windows; the bounds are ranks of the pairwise slopes.
    TheilSen,
    /// Interval arithmetic on other intervals, bound by bound.
    Propagated,
    /// As the source quotes it.
    Quoted,
}

/// A value with its 95 % confidence interval. A modelled figure, or a quoted range, has bounds but no value. An unknown bound is infinite
/// in memory and null in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The value; null if only the bounds are known.
    #[serde(serialize_with = "value")]
    pub value: Option<f64>,
    /// Lower bound; null if unknown.
    #[serde(default = "no_low", serialize_with = "end", deserialize_with = "low")]
    #[schemars(with = "Option<f64>")]
    pub low: f64,
    /// Upper bound; null if unknown.
    #[serde(default = "no_high", serialize_with = "end", deserialize_with = "high")]
    #[schemars(with = "Option<f64>")]
    pub high: f64,
    /// Where the figure comes from.
    pub provenance: Provenance,
    /// How the interval was computed.
    pub method: Method,
}

/// A bound with nine significant digits; null if infinite.
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

impl Interval {
    /// A single number: both bounds are the value.
    pub fn exact(value: f64) -> Interval {
        Interval::new(value, (value, value), Provenance::Measured, Method::Exact)
    }

    /// A value with unknown bounds.
    pub fn bare(value: f64, provenance: Provenance, method: Method) -> Interval {
        Interval::new(value, (f64::NEG_INFINITY, f64::INFINITY), provenance, method)
    }

    /// A value with both bounds.
    pub fn new(value: f64, ends: (f64, f64), provenance: Provenance, method: Method) -> Interval {
        let (low, high) = ends;
        Interval { value: Some(value), low, high, provenance, method }
    }

    /// Two bounds, in any order, without a value.
    pub fn between(one: f64, other: f64) -> Interval {
        let (low, high) = (one.min(other), one.max(other));
        let (provenance, method) = (Provenance::Modelled, Method::Bounds);
        Interval { value: None, low, high, provenance, method }
    }

    /// The same figure with another provenance.
    pub fn with_provenance(self, provenance: Provenance) -> Interval {
        Interval { provenance, ..self }
    }

    /// Both bounds, if both are known.
    pub fn ends(self) -> Option<(f64, f64)> {
        (self.low.is_finite() && self.high.is_finite()).then_some((self.low, self.high))
    }

    /// Whether both bounds are equal.
    pub fn is_exact(self) -> bool {
        self.low == self.high
    }

    /// Whether the whole interval is below another.
    pub fn is_below(self, other: Interval) -> bool {
        self.high < other.low
    }

    /// The larger distance from the value to a bound, relative to the value; infinite without a value.
    pub fn relative_half_width(self) -> f64 {
        self.value
            .map_or(f64::INFINITY, |value| (self.high - value).max(value - self.low) / value.abs())
    }

    /// One number for comparisons: the value, else the midpoint of the bounds, else the lower bound if the upper one is unknown.
    pub fn middle(self) -> f64 {
        let middle = if self.high.is_finite() { (self.low + self.high) / 2.0 } else { self.low };
        self.value.unwrap_or(middle)
    }

    fn combine(self, other: Interval, ends: (f64, f64), value: fn(f64, f64) -> f64) -> Interval {
        let (low, high) = ends;
        let method = match (self.method, other.method) {
            (Method::Exact, other) => other,
            (method, Method::Exact) => method,
            _ => Method::Propagated,
        };
        let value = self.value.zip(other.value).map(|(a, b)| value(a, b));
        Interval { value, low, high, provenance: self.provenance.max(other.provenance), method }
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

impl<T: Into<Interval>> Mul<T> for Interval {
    type Output = Interval;
    /// Both operands must be non-negative.
    fn mul(self, other: T) -> Interval {
        let other = other.into();
        self.combine(other, (self.low * other.low, self.high * other.high), |a, b| a * b)
    }
}

impl<T: Into<Interval>> Div<T> for Interval {
    type Output = Interval;
    /// Both operands must be non-negative.
    fn div(self, other: T) -> Interval {
        let other = other.into();
        self.combine(other, (self.low / other.high, self.high / other.low), |a, b| a / b)
    }
}

/// An exact number.
impl From<f64> for Interval {
    fn from(value: f64) -> Interval {
        Interval::exact(value)
    }
}
