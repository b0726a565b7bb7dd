//! A figure of the market file: a number or a range with unit, date and source, checked for plausibility.

use crate::units::Interval;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// A figure that the advice is computed from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Its key in the market file: `network.difficulty`; the label of a measured row.
    #[serde(rename = "what")]
    pub key: String,
    /// The number or range, in `unit`.
    #[serde(rename = "figure")]
    pub interval: Interval,
    /// `$/kWh`.
    pub unit: String,
    /// As written in the file: a day, a month or a year.
    pub date: String,
    /// Where it comes from; provenance and scope for a measured row.
    pub source: String,
    /// Whether it is an example that the user should replace.
    #[serde(skip_serializing, default)]
    pub example: bool,
}

impl Figure {
    /// The value, or the midpoint of a range.
    pub fn number(&self) -> f64 {
        self.interval.middle()
    }

    /// First day of its date.
    pub(super) fn since(&self) -> Option<Date> {
        first_day(&self.date)
    }
}

/// The first day of a day, a month or a year.
fn first_day(text: &str) -> Option<Date> {
    let missing = match text.len() {
        4 => "-01-01",
        7 => "-01",
        10 => "",
        _ => return None,
    };
    format!("{text}{missing}").parse().ok()
}

/// Unit and bounds that a figure is checked against.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    unit: &'static str,
    bounds: Bounds,
    /// Whether 0 and negative figures are allowed: a surplus of power has a negative price.
    negative: bool,
    /// Whether a range is allowed.
    range: bool,
}

#[derive(Clone, Copy)]
enum Bounds {
    /// Within a factor of 100 of a typical figure.
    Near(f64),
    /// Between two hard limits.
    Within(f64, f64),
}

impl Expected {
    /// A figure within a factor of 100 of a typical one.
    pub(super) const fn typical(unit: &'static str, typical: f64) -> Expected {
        Expected { unit, bounds: Bounds::Near(typical), negative: false, range: false }
    }

    /// A figure between two hard limits.
    pub(super) const fn within(unit: &'static str, least: f64, most: f64) -> Expected {
        Expected { unit, bounds: Bounds::Within(least, most), negative: false, range: false }
    }

    /// The same, but 0 and negative figures are allowed.
    pub(super) const fn or_negative(self) -> Expected {
        Expected { negative: true, ..self }
    }

    /// The same, but a range is allowed.
    pub(super) const fn or_range(self) -> Expected {
        Expected { range: true, ..self }
    }

    /// What is wrong with a number, if anything.
    fn complaint(self, number: f64) -> Option<String> {
        let unit = self.unit;
        let wrong =
            |right: &str| Some(format!("{number} is not a figure in {unit}; write {right}"));
        match self.bounds {
            _ if !number.is_finite() => wrong("a number"),
            Bounds::Near(_) if number == 0.0 && self.negative => None,
            Bounds::Near(_) if number <= 0.0 && !self.negative => wrong("a number above 0"),
            Bounds::Near(typical) => {
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

    /// Checks the parts of a figure and adds its interval. Faults are pairs of a part's name (empty for the whole figure) and a
    /// message. `file` is the date of the file, the latest that a figure may have.
    pub(super) fn check(
        self,
        parts: &mut Table,
        file: Option<Date>,
    ) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let text = |name| parts.get(name).and_then(Value::as_str);
        let wrong_unit = text("unit").filter(|unit| *unit != self.unit);
        if let Some(unit) = wrong_unit {
            faults.push(("unit", format!("it is '{unit}', it has to be '{}'", self.unit)));
        }
        let interval = self.interval(parts);
        // With the wrong unit the number is wrong in any case.
        if let (Err(what), None) = (&interval, wrong_unit) {
            faults.push(("", what.clone()));
        }
        if let Some(date) = text("date") {
            match (first_day(date), file) {
                (None, _) => faults.push((
                    "date",
                    format!("'{date}' is not a date; write 2026-11-23, 2026-11 or 2026"),
                )),
                (Some(since), Some(file)) if since > file => {
                    faults.push(("date", format!("{date} is after the file's own date {file}")));
                }
                _ => {}
            }
        }
        parts.extend(interval.map(|interval| ("figure".into(), interval.into())));
        faults
    }

    /// The interval of a figure, as serde reads it.
    fn interval(self, parts: &Table) -> Result<Table, String> {
        let number = |name| parts.get(name).and_then(Value::as_float);
        let (value, low, high) = match (number("value"), number("low"), number("high")) {
            (Some(value), None, None) => (Some(value), value, value),
            (value, Some(low), Some(high)) if self.range => (value, low, high),
            _ if self.range => return Err("write a value, or low and high, or all three".into()),
            _ => return Err("write a value; a range will not do here".into()),
        };
        let numbers: Vec<f64> = [Some(low), value, Some(high)].into_iter().flatten().collect();
        if let Some(complaint) = numbers.iter().find_map(|n| self.complaint(*n)) {
            return Err(complaint);
        }
        if !numbers.is_sorted() {
            return Err("low is not below value and high; order them".into());
        }
        let ends: [(&str, Value); 4] = [
            ("low", low.into()),
            ("high", high.into()),
            ("provenance", "published".into()),
            ("method", "quoted".into()),
        ];
        let value = value.map(|value| ("value", value.into()));
        Ok(ends.into_iter().chain(value).map(|(name, part)| (name.into(), part)).collect())
    }
}
