//! Cards of strips: for one workload a line for each device, its figure on an axis that all lines of the card share.

use super::axis::Axis;
use super::marks::{self, CROSS, DIAMOND, TRIANGLE, add, element};
use super::plot::Label;
use svg::node::element::Element;

/// A card.
pub struct Card {
    /// The unit: `J/TH`.
    pub unit: String,
    /// What was run.
    pub subject: String,
    /// Its shape and options.
    pub options: String,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Labels of the axis.
    pub ticks: Vec<Label>,
    /// What else is to be said.
    pub note: String,
}

/// A line of a card.
pub struct Line {
    /// The class of the device, which gives the colour.
    pub class: String,
    /// Its name, without what the class says already.
    pub name: String,
    /// The figure.
    pub value: String,
    /// What it is worth: `modelled, machine`.
    pub worth: String,
    /// Where it comes from.
    pub about: String,
    /// Whether it counts.
    pub counts: bool,
    /// The drawing.
    pub track: String,
}

/// What is drawn on a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// What kind it is.
    pub kind: Kind,
    /// A value, if it has one.
    pub value: Option<f64>,
    /// From and to.
    pub ends: (f64, f64),
}

/// Kinds of marks, told apart by shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A dot with its interval.
    Measured,
    /// A hollow diamond with its interval.
    Declared,
    /// A hatched range without a point.
    Modelled,
    /// A triangle.
    Published,
    /// A cross.
    Invalid,
}

/// The drawing of a mark on the axis with lines at these values; without one, nothing but the axis.
pub fn track(axis: &Axis, ticks: &[f64], mark: Option<Mark>, class: &str) -> String {
    let mut field = element("svg", &format!("track {class}"));
    marks::set(&mut field, "aria-hidden", "true");
    marks::set(&mut field, "focusable", "false");
    for tick in ticks {
        let x = axis.at(*tick);
        add(&mut field, marks::line((x, 0.0), (x, 100.0), "grid"));
    }
    if let Some(mark) = mark {
        for element in drawn(axis, mark, class) {
            add(&mut field, element);
        }
    }
    field.to_string()
}

fn drawn(axis: &Axis, mark: Mark, class: &str) -> Vec<Element> {
    let (from, to) = (axis.at(mark.ends.0), axis.at(mark.ends.1));
    let at = axis.at(mark.value.unwrap_or(mark.ends.0));
    let interval = || {
        let cap = |x: f64| marks::line((x, 30.0), (x, 70.0), "stroke");
        vec![marks::line((from, 50.0), (to, 50.0), "stroke"), cap(from), cap(to)]
    };
    let with = |mut parts: Vec<Element>, last: Element| {
        parts.push(last);
        parts
    };
    match mark.kind {
        Kind::Measured => with(interval(), marks::dot(at, 50.0, 5.0, "solid")),
        Kind::Declared => with(interval(), marks::shape(at, 50.0, DIAMOND, "hollow")),
        Kind::Modelled => {
            let mut range = marks::area((from, to), (22.0, 78.0), "range");
            marks::set(&mut range, "fill", format!("url(#hatch-{class})"));
            vec![range]
        }
        Kind::Published => vec![marks::shape(at, 50.0, TRIANGLE, "solid")],
        Kind::Invalid => with(
            vec![marks::line((from, 50.0), (to, 50.0), "stroke faint")],
            marks::shape(at, 50.0, CROSS, "stroke"),
        ),
    }
}

/// Pixels that a card has across on a narrow phone.
const NARROW: f64 = 280.0;

/// Values of an axis that are worth a label.
pub fn ticks(axis: &Axis, label: impl Fn(f64) -> String) -> Vec<f64> {
    axis.ticks_within(NARROW, label)
}

/// Their labels.
pub fn labels(axis: &Axis, ticks: &[f64], label: impl Fn(f64) -> String) -> Vec<Label> {
    ticks.iter().map(|tick| Label::new(axis.at(*tick), label(*tick))).collect()
}
