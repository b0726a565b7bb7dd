//! A figure of the market file: a number or a range with its unit, date and source, checked against what such a figure can be.

use crate::economics::Estimate;
use jiff::civil::Date;
use serde::Deserialize;

/// As it stands in the file.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    unit: String,
    date: String,
    source: String,
    #[serde(default)]
    example: bool,
}

/// A checked figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its key in the file: `network.difficulty`.
    pub key: String,
    /// In the unit of the file.
    pub estimate: Estimate,
    /// `$/kWh`.
    pub unit: &'static str,
    /// As the file writes it: a day, a month or a year.
    pub date: String,
    /// The first day that the date can mean.
    pub since: Date,
    /// Where it comes from.
    pub source: String,
    /// Whether it only stands for the user's own.
    pub example: bool,
}

impl Figure {
    /// The number of a figure that is no range.
    pub fn number(&self) -> f64 {
        self.estimate.middle()
    }
}

/// What a figure has to be.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    unit: &'static str,
    bounds: Bounds,
    range: bool,
}

#[derive(Clone, Copy)]
enum Bounds {
    /// Within a factor of 100 of such figures as they are known.
    Near { typical: f64, or_zero: bool },
    /// Between two numbers that it cannot leave.
    Within(f64, f64),
}

impl Expected {
    /// A figure that is no 100 times larger or smaller than this one.
    pub(super) const fn near(unit: &'static str, typical: f64) -> Expected {
        Expected { unit, bounds: Bounds::Near { typical, or_zero: false }, range: false }
    }

    /// A figure that lies between two numbers by its nature.
    pub(super) const fn within(unit: &'static str, least: f64, most: f64) -> Expected {
        Expected { unit, bounds: Bounds::Within(least, most), range: false }
    }

    /// It may be 0 too.
    pub(super) const fn or_zero(self) -> Expected {
        match self.bounds {
            Bounds::Near { typical, .. } => {
                Expected { bounds: Bounds::Near { typical, or_zero: true }, ..self }
            }
            Bounds::Within(..) => self,
        }
    }

    /// It may be a range.
    pub(super) const fn or_range(self) -> Expected {
        Expected { range: true, ..self }
    }

    /// What is wrong with a number, if anything.
    fn complaint(self, number: f64) -> Option<String> {
        let unit = self.unit;
        if !number.is_finite() || number < 0.0 {
            return Some(format!("{number} is no figure in {unit}; write a number above 0"));
        }
        match self.bounds {
            Bounds::Near { or_zero: true, .. } if number == 0.0 => None,
            Bounds::Near { typical, .. } => {
                let far = number >= typical * 100.0 || number <= typical / 100.0;
                let side = if number > typical { "above" } else { "below" };
                far.then(|| {
                    format!(
                        "{number} {unit} is 100 times or more {side} what such figures are, about {typical} {unit}; check \
                         the unit and the decimal point"
                    )
                })
            }
            Bounds::Within(least, most) => (number < least || number > most)
                .then(|| format!("{number} is out of range; a {unit} here is {least} to {most}")),
        }
    }
}

impl Wire {
    /// The figure, or one line that says what is wrong with it, without its key.
    pub(super) fn check(
        self,
        key: String,
        expected: Expected,
        file: Date,
    ) -> Result<Figure, String> {
        if self.unit != expected.unit {
            return Err(format!("the unit is '{}'; it has to be '{}'", self.unit, expected.unit));
        }
        let estimate = match (self.value, self.low, self.high) {
            (Some(value), None, None) => Estimate::exact(value),
            (Some(value), Some(low), Some(high)) if expected.range => {
                Estimate::measured(low, value, high)
            }
            (None, Some(low), Some(high)) if expected.range => Estimate { low, value: None, high },
            _ if expected.range => {
                return Err("write a value, or low and high, or all three".into());
            }
            _ => return Err("write a value; a range will not do here".into()),
        };
        let numbers: Vec<f64> = [Some(estimate.low), estimate.value, Some(estimate.high)]
            .into_iter()
            .flatten()
            .collect();
        if let Some(complaint) = numbers.iter().find_map(|n| expected.complaint(*n)) {
            return Err(complaint);
        }
        if !numbers.is_sorted() {
            return Err("low is not below value and high; order them".into());
        }
        if self.source.trim().is_empty() {
            return Err("the source is empty; say where the figure comes from".into());
        }
        let since = first_day(&self.date).ok_or_else(|| {
            format!("'{}' is no date; write 2026-11-23, 2026-11 or 2026", self.date)
        })?;
        if since > file {
            return Err(format!("it is of {}, after the file's own date {file}", self.date));
        }
        Ok(Figure {
            key,
            estimate,
            unit: expected.unit,
            date: self.date,
            since,
            source: self.source,
            example: self.example,
        })
    }
}

/// The first day of a day, a month or a year.
fn first_day(text: &str) -> Option<Date> {
    let whole = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        10 => text.to_string(),
        _ => return None,
    };
    whole.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const EXPECTED: Expected = Expected::near("$/h", 2.0).or_range();

    fn wire(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> Wire {
        Wire {
            value,
            low,
            high,
            unit: "$/h".into(),
            date: "2026-05".into(),
            source: "offers".into(),
            example: false,
        }
    }

    fn check(wire: Wire, expected: Expected) -> Result<Figure, String> {
        wire.check("rental[0].rent".into(), expected, date(2026, 11, 23))
    }

    #[test]
    fn one_value_a_range_or_both() {
        let figure = check(wire(None, Some(1.99), Some(5.0)), EXPECTED).unwrap();
        assert_eq!(figure.estimate, Estimate::between(1.99, 5.0));
        assert_eq!(figure.since, date(2026, 5, 1));
        assert_eq!(check(wire(Some(2.0), None, None), EXPECTED).unwrap().number(), 2.0);
        assert!(check(wire(Some(2.0), Some(1.0), Some(3.0)), EXPECTED).is_ok());
        for odd in
            [wire(None, None, None), wire(Some(2.0), Some(1.0), None), wire(None, Some(1.0), None)]
        {
            assert!(check(odd, EXPECTED).unwrap_err().contains("write a value"));
        }
        let error = check(wire(None, Some(5.0), Some(1.99)), EXPECTED).unwrap_err();
        assert!(error.contains("order them"), "{error}");
        let error = check(wire(None, Some(1.0), Some(2.0)), Expected::near("$/h", 2.0));
        assert!(error.unwrap_err().contains("a range will not do"));
    }

    #[test]
    fn a_hundred_times_off_is_absurd_on_either_side_and_99_times_is_not() {
        for (number, absurd) in
            [(200.0, true), (199.0, false), (0.02, true), (0.0202, false), (0.0, true)]
        {
            let result = check(wire(Some(number), None, None), EXPECTED);
            assert_eq!(result.is_err(), absurd, "{number}");
        }
        let either = wire(None, Some(2.0), Some(500.0));
        assert!(check(either, EXPECTED).unwrap_err().contains("decimal point"));
        let zero = wire(Some(0.0), None, None);
        assert!(check(zero, EXPECTED.or_zero()).is_ok());
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            let error = check(wire(Some(bad), None, None), EXPECTED).unwrap_err();
            assert!(error.contains("above 0"), "{error}");
        }
    }

    #[test]
    fn unit_date_and_source_are_held_to() {
        let value = || wire(Some(2.0), None, None);
        let error = check(Wire { unit: "$/day".into(), ..value() }, EXPECTED).unwrap_err();
        assert!(error.contains("'$/day'") && error.contains("'$/h'"), "{error}");
        let error = check(Wire { source: " ".into(), ..value() }, EXPECTED).unwrap_err();
        assert!(error.contains("source"), "{error}");
        for odd in ["May 2026", "2026-13", "26", "2026-02-30", ""] {
            let error = check(Wire { date: odd.into(), ..value() }, EXPECTED).unwrap_err();
            assert!(error.contains("2026-11"), "{error}");
        }
        let error = check(Wire { date: "2026-12".into(), ..value() }, EXPECTED).unwrap_err();
        assert!(error.contains("after the file's own date"), "{error}");
    }
}
