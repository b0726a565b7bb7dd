//! Physical quantities and units of work. This is the only module with SI prefixes, "J/TH" or joules per kilowatt-hour; all other code
//! uses base SI units in these types.

mod interval;

pub use interval::{Interval, Method, Provenance};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Div, Mul, Sub};

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $symbol:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                write!(f, "{} {}", significant(self.0), $symbol)
            }
        }
    };
}

quantity!(
    /// Energy in joules.
    Joules, "J"
);
quantity!(
    /// Power in watts.
    Watts, "W"
);
quantity!(
    /// A duration, or a time since the start of the run, in seconds.
    Seconds, "s"
);

/// 1 Wh.
pub const WATT_HOUR: Joules = Joules(3600.0);
/// 1 W for a minute.
pub const WATT_MINUTE: Joules = Joules(60.0);
/// 1 kWh.
pub const KILOWATT_HOUR: Joules = Joules(3.6e6);
/// 1 MW, the unit in which data-centre capacity is built and leased.
pub const MEGAWATT: Watts = Watts(1e6);
/// 1 h.
pub const HOUR: Seconds = Seconds(3600.0);
/// A year of 365.25 days.
pub const YEAR: Seconds = Seconds(365.25 * 86_400.0);
/// Hashes of 1 PH/s in a day, the unit of hashprice quotes.
pub const PETAHASH_DAY: f64 = 1e15 * 86_400.0;
/// The unit of token price quotes.
pub const MILLION_TOKENS: f64 = 1e6;

impl Mul<Seconds> for Watts {
    type Output = Joules;
    fn mul(self, time: Seconds) -> Joules {
        Joules(self.0 * time.0)
    }
}

impl Div<Seconds> for Joules {
    type Output = Watts;
    fn div(self, time: Seconds) -> Watts {
        Watts(self.0 / time.0)
    }
}

/// Unit of work of a workload.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[derive(strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Unit {
    /// One double SHA-256 of an 80-byte block header.
    Hash,
    /// One floating-point operation, or one integer operation of an integer kernel.
    Flop,
    /// One byte read from memory.
    Byte,
    /// One token that a language model processes.
    Token,
}

impl Unit {
    /// The customary unit of energy per work: `J/TH`, `J/TFLOP`, `J/TB`, `J/token`.
    pub const fn energy_symbol(self) -> &'static str {
        self.words().2
    }

    /// The symbol in a rate, and the customary unit of energy per work: how much work it is of, and its symbol.
    const fn words(self) -> (&'static str, f64, &'static str) {
        match self {
            Unit::Hash => ("H", 1e12, "J/TH"),
            Unit::Flop => ("FLOP", 1e12, "J/TFLOP"),
            Unit::Byte => ("B", 1e12, "J/TB"),
            Unit::Token => ("token", 1.0, "J/token"),
        }
    }
}

/// Work done, in whole units.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Work(pub u64);

impl Add for Work {
    type Output = Work;
    fn add(self, other: Work) -> Work {
        Work(self.0 + other.0)
    }
}

impl Div<Seconds> for Work {
    type Output = f64;
    /// Units of work per second.
    fn div(self, time: Seconds) -> f64 {
        self.0 as f64 / time.0
    }
}

/// Throughput: units of work per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Units of work per second.
    pub per_second: f64,
    /// Unit of the work.
    pub unit: Unit,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/s", Amount { work: self.per_second, unit: self.unit })
    }
}

/// An average amount of work, which may be fractional.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amount {
    /// Units of work.
    pub work: f64,
    /// Unit of the work.
    pub unit: Unit,
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        const PREFIXES: [(f64, &str); 6] =
            [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")];
        let (scale, prefix) =
            PREFIXES.into_iter().find(|(scale, _)| self.work.abs() >= *scale).unwrap_or((1.0, ""));
        write!(f, "{} {prefix}{}", significant(self.work / scale), self.unit.words().0)
    }
}

/// Energy per unit of work, the main figure of rigbench.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnergyPerWork {
    /// Joules per unit of work.
    pub joules: f64,
    /// Unit of the work.
    pub unit: Unit,
}

impl EnergyPerWork {
    /// From a figure in the customary unit: 13.5 J/TH is 1.35e-11 J per hash.
    pub fn quoted(figure: f64, unit: Unit) -> EnergyPerWork {
        EnergyPerWork { joules: figure / unit.words().1, unit }
    }

    /// The figure in the customary unit.
    pub fn quote(self) -> f64 {
        self.joules * self.unit.words().1
    }

    /// The figure in the customary unit, without its symbol: 7.0e-8 J per hash reads `70 000`.
    pub fn figure(self) -> String {
        significant(self.quote())
    }
}

impl fmt::Display for EnergyPerWork {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {}", self.figure(), self.unit.energy_symbol())
    }
}

/// Bytes, in binary multiples: `128 MiB`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        const SCALES: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let Some((scale, name)) = SCALES.into_iter().find(|(scale, _)| self.0 >= *scale) else {
            return write!(f, "{} bytes", self.0);
        };
        write!(f, "{} {name}", significant(self.0 as f64 / scale as f64))
    }
}

/// Rounds to microseconds; more digits only enlarge files.
pub fn to_microseconds(seconds: Seconds) -> Seconds {
    Seconds((seconds.0 * 1e6).round() / 1e6)
}

/// Rounds to nine significant digits; more digits only enlarge files.
pub fn to_nine_digits(value: f64) -> f64 {
    format!("{value:.8e}").parse().unwrap_or(value)
}

/// Formats with three significant digits and a space between thousands: `0.0123`, `4.56`, `70 000`.
pub fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor() as i32;
    let unit = 10f64.powi(magnitude - 2);
    let rounded = (value / unit).round() * unit;
    // Rounding can carry into the next decade (9.996 -> 10.0), which changes the number of decimals.
    let magnitude = rounded.abs().log10().floor() as i32;
    let plain = format!("{rounded:.*}", (2 - magnitude).max(0) as usize);
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |d| ("-", d));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    format!("{sign}{}{fraction}", group_thousands(whole))
}

/// Formats a whole number with a space between thousands.
pub fn grouped(count: u128) -> String {
    group_thousands(&count.to_string())
}

/// Inserts a space every three digits from the end; four digits are not split.
fn group_thousands(digits: &str) -> String {
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}
