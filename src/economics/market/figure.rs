//! A figure of the market file: a number or a range with unit, date and source, checked for plausibility.

use super::reader::Table;
use crate::units::{Interval, Method, Provenance};
use jiff::civil::Date;

/// A figure as written in the file.
#[derive(Clone, Default)]
struct Written {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    unit: Option<String>,
    date: Option<String>,
    source: Option<String>,
    example: bool,
}

/// A checked figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its key: `network.difficulty`.
    pub key: String,
    /// The number or range, in `unit`.
    pub interval: Interval,
    /// `$/kWh`.
    pub unit: &'static str,
    /// As written in the file: a day, a month or a year.
    pub date: String,
    /// First day of `date`.
    pub since: Date,
    /// Where it comes from.
    pub source: String,
    /// Whether it is an example that the user should replace.
    pub example: bool,
}

impl Figure {
    /// The value, or the midpoint of a range.
    pub fn number(&self) -> f64 {
        self.interval.middle()
    }
}

/// Unit and bounds that a figure is checked against.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    unit: &'static str,
    bounds: Bounds,
    range: bool,
}

#[derive(Clone, Copy)]
enum Bounds {
    /// Within a factor of 100 of a typical figure.
    Near { typical: f64, sign: Sign },
    /// Between two hard limits.
    Within(f64, f64),
}

/// The sign that a figure may have.
#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Positive,
    /// Any, and 0: a surplus of power has a negative price.
    Any,
}

impl Expected {
    /// A figure within a factor of 100 of a typical one.
    pub(super) const fn near(unit: &'static str, typical: f64) -> Expected {
        let bounds = Bounds::Near { typical, sign: Sign::Positive };
        Expected { unit, bounds, range: false }
    }

    /// A figure between two hard limits.
    pub(super) const fn within(unit: &'static str, least: f64, most: f64) -> Expected {
        Expected { unit, bounds: Bounds::Within(least, most), range: false }
    }

    /// The same, but 0 and negative figures are allowed.
    pub(super) const fn or_negative(self) -> Expected {
        match self.bounds {
            Bounds::Near { typical, .. } => {
                Expected { bounds: Bounds::Near { typical, sign: Sign::Any }, ..self }
            }
            Bounds::Within(..) => self,
        }
    }

    /// The same, but a range is allowed.
    pub(super) const fn or_range(self) -> Expected {
        Expected { range: true, ..self }
    }

    /// What is wrong with a number, if anything.
    fn complaint(self, number: f64) -> Option<String> {
        let unit = self.unit;
        match self.bounds {
            _ if !number.is_finite() => {
                Some(format!("{number} is no figure in {unit}; write a number"))
            }
            Bounds::Near { sign: Sign::Any, .. } if number == 0.0 => None,
            Bounds::Near { sign: Sign::Positive, .. } if number <= 0.0 => {
                Some(format!("{number} is no figure in {unit}; write a number above 0"))
            }
            Bounds::Near { typical, .. } => {
                let size = number.abs();
                let far = size >= typical * 100.0 || size <= typical / 100.0;
                let side = if size > typical { "above" } else { "below" };
                let currency = if unit.starts_with('$') { ", the currency" } else { "" };
                far.then(|| {
                    format!(
                        "{number} {unit} is 100 times or more {side} what such figures are, about {typical} {unit}; check \
                         the unit{currency} and the decimal point"
                    )
                })
            }
            Bounds::Within(least, most) => (number < least || number > most)
                .then(|| format!("{number} is out of range; a {unit} here is {least} to {most}")),
        }
    }
}

/// The figure of a required key; `None` if it is missing or wrong, which is recorded as a fault. `file` is the date of the file, the
/// latest that a figure may have.
pub(super) fn figure(
    table: &Table,
    name: &'static str,
    expected: Expected,
    file: Option<Date>,
) -> Option<Figure> {
    read(table, name, true, expected, file)
}

/// The same for an optional key.
pub(super) fn optional(
    table: &Table,
    name: &'static str,
    expected: Expected,
    file: Option<Date>,
) -> Option<Figure> {
    read(table, name, false, expected, file)
}

fn read(
    table: &Table,
    name: &'static str,
    required: bool,
    expected: Expected,
    file: Option<Date>,
) -> Option<Figure> {
    let key = table.path(name);
    let table = table.inline(name, required)?;
    let [value, low, high] = ["value", "low", "high"].map(|name| table.number(name));
    let numbers = ["value", "low", "high"].iter().all(|name| {
        // A value that is not a number has already been reported.
        !table.has(name) || [value, low, high].iter().any(Option::is_some)
    });
    let written = Written {
        value,
        low,
        high,
        unit: table.text("unit"),
        date: table.text("date"),
        source: table.text("source"),
        example: table.yes("example"),
    };
    let checked = match numbers {
        true => written.check(key, expected, file),
        false => Err(Vec::new()),
    };
    let figure = match checked {
        Ok(figure) => figure,
        Err(faults) => {
            faults.iter().for_each(|(name, what)| table.fault(name, what));
            None
        }
    };
    table.finish();
    figure
}

impl Written {
    /// The figure; `None` if a part of it is missing. Errors are pairs of a part's name (empty for the whole figure) and a message.
    fn check(
        self,
        key: String,
        expected: Expected,
        file: Option<Date>,
    ) -> Result<Option<Figure>, Vec<(&'static str, String)>> {
        let mut faults: Vec<(&'static str, String)> = Vec::new();
        let right_unit = self.unit.as_ref().is_none_or(|unit| *unit == expected.unit);
        if let Some(unit) = self.unit.as_ref().filter(|_| !right_unit) {
            faults.push(("unit", format!("it is '{unit}', it has to be '{}'", expected.unit)));
        }
        let mut interval = None;
        match self.interval(expected) {
            Ok(read) => interval = Some(read),
            // With the wrong unit the number is wrong in any case.
            Err(what) if right_unit => faults.push(("", what)),
            Err(_) => {}
        }
        let since = self.date.as_deref().and_then(first_day);
        match (&self.date, since, file) {
            (Some(date), None, _) => faults
                .push(("date", format!("'{date}' is no date; write 2026-11-23, 2026-11 or 2026"))),
            (Some(date), Some(since), Some(file)) if since > file => {
                faults.push(("date", format!("{date} is after the file's own date {file}")));
            }
            _ => {}
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let (Some(interval), Some(date), Some(since)) = (interval, self.date, since) else {
            return Ok(None);
        };
        let (Some(_), Some(source)) = (self.unit, self.source) else { return Ok(None) };
        let unit = expected.unit;
        Ok(Some(Figure { key, interval, unit, date, since, source, example: self.example }))
    }

    fn interval(&self, expected: Expected) -> Result<Interval, String> {
        let (value, low, high) = match (self.value, self.low, self.high) {
            (Some(value), None, None) => (Some(value), value, value),
            (value, Some(low), Some(high)) if expected.range => (value, low, high),
            _ if expected.range => {
                return Err("write a value, or low and high, or all three".into());
            }
            _ => return Err("write a value; a range will not do here".into()),
        };
        let numbers: Vec<f64> = [Some(low), value, Some(high)].into_iter().flatten().collect();
        if let Some(complaint) = numbers.iter().find_map(|n| expected.complaint(*n)) {
            return Err(complaint);
        }
        if !numbers.is_sorted() {
            return Err("low is not below value and high; order them".into());
        }
        let (provenance, method) = (Provenance::Published, Method::Quoted);
        Ok(Interval { value, low, high, provenance, method })
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

    fn written(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> Written {
        Written {
            value,
            low,
            high,
            unit: Some("$/h".into()),
            date: Some("2026-05".into()),
            source: Some("offers".into()),
            example: false,
        }
    }

    fn check(written: Written, expected: Expected) -> Result<Figure, String> {
        let checked = written.check("rental[0].rent".into(), expected, Some(date(2026, 11, 23)));
        match checked {
            Ok(figure) => Ok(figure.expect("nothing is missing")),
            Err(faults) => {
                Err(faults.into_iter().map(|(name, what)| format!("{name} {what}; ")).collect())
            }
        }
    }

    #[test]
    fn one_value_a_range_or_both() {
        let figure = check(written(None, Some(1.99), Some(5.0)), EXPECTED).unwrap();
        assert_eq!((figure.interval.value, figure.interval.ends()), (None, Some((1.99, 5.0))));
        assert_eq!(figure.since, date(2026, 5, 1));
        assert_eq!(check(written(Some(2.0), None, None), EXPECTED).unwrap().number(), 2.0);
        assert!(check(written(Some(2.0), Some(1.0), Some(3.0)), EXPECTED).is_ok());
        for odd in [
            written(None, None, None),
            written(Some(2.0), Some(1.0), None),
            written(None, Some(1.0), None),
        ] {
            assert!(check(odd, EXPECTED).unwrap_err().contains("write a value"));
        }
        let error = check(written(None, Some(5.0), Some(1.99)), EXPECTED).unwrap_err();
        assert!(error.contains("order them"), "{error}");
        let error = check(written(None, Some(1.0), Some(2.0)), Expected::near("$/h", 2.0));
        assert!(error.unwrap_err().contains("a range will not do"));
    }

    #[test]
    fn figures_100_times_off_are_rejected_and_99_times_off_are_not() {
        for (number, rejected) in
            [(200.0, true), (199.0, false), (0.02, true), (0.0202, false), (0.0, true)]
        {
            let result = check(written(Some(number), None, None), EXPECTED);
            assert_eq!(result.is_err(), rejected, "{number}");
        }
        let either = written(None, Some(2.0), Some(500.0));
        assert!(check(either, EXPECTED).unwrap_err().contains("decimal point"));
        for (bad, why) in [(-1.0, "above 0"), (f64::NAN, "a number"), (f64::INFINITY, "a number")] {
            let error = check(written(Some(bad), None, None), EXPECTED).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_price_that_may_be_negative_has_the_same_limits_below_0() {
        for (number, rejected) in [
            (0.0, false),
            (-0.5, false),
            (-199.0, false),
            (-200.0, true),
            (-0.01, true),
            (f64::NAN, true),
        ] {
            let result = check(written(Some(number), None, None), EXPECTED.or_negative());
            assert_eq!(result.is_err(), rejected, "{number}");
        }
    }

    #[test]
    fn all_faults_of_a_figure_are_reported() {
        let wrong = Written {
            unit: Some("€/h".into()),
            date: Some("May".into()),
            ..written(Some(-2.0), None, None)
        };
        let told = check(wrong, EXPECTED).unwrap_err();
        assert!(told.contains("unit it is '€/h'") && told.contains("date 'May'"), "{told}");
        assert!(
            !told.contains("above 0"),
            "of a number in another unit nothing can be said: {told}"
        );
    }

    #[test]
    fn unit_and_date_are_checked() {
        let value = || written(Some(2.0), None, None);
        let error = check(Written { unit: Some("$/day".into()), ..value() }, EXPECTED).unwrap_err();
        assert!(error.contains("'$/day'") && error.contains("'$/h'"), "{error}");
        for odd in ["May 2026", "2026-13", "26", "2026-02-30", ""] {
            let error = check(Written { date: Some(odd.into()), ..value() }, EXPECTED).unwrap_err();
            assert!(error.contains("2026-11"), "{error}");
        }
        let error =
            check(Written { date: Some("2026-12".into()), ..value() }, EXPECTED).unwrap_err();
        assert!(error.contains("after the file's own date"), "{error}");
    }
}
