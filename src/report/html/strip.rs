//! Strip charts: for one workload, one line per device on a common axis.

use super::axis::Axis;
use super::marks::{self, CROSS, DIAMOND, TRIANGLE, add, element};
use super::plot::Label;
use svg::node::element::Element;

/// A card.
pub struct Card {
    /// Unit of the figures: `J/TH`.
    pub unit: String,
    /// The workload.
    pub subject: String,
    /// Its shape and options.
    pub options: String,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Axis labels.
    pub ticks: Vec<Label>,
    /// A note below the lines.
    pub note: String,
}

/// A line of a card.
pub struct Line {
    /// Device class, which sets the colour.
    pub class: String,
    /// Device name.
    pub name: String,
    /// The figure as text.
    pub value: String,
    /// Provenance, as `modelled, machine`, or fraction of the published rate.
    pub worth: String,
    /// Explanation of the figure.
    pub about: String,
    /// Whether it counts.
    pub counts: bool,
    /// The SVG.
    pub track: String,
}

/// A mark on a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// Its kind.
    pub kind: Kind,
    /// Its value, if it has one.
    pub value: Option<f64>,
    /// Lower and upper bound.
    pub ends: (f64, f64),
}

/// Kinds of marks, each with its own shape.
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

/// The SVG of a line: grid lines at the ticks, and the mark if there is one.
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

/// Width of a card in pixels on a narrow phone.
const NARROW: f64 = 280.0;

/// Tick values whose labels fit on a narrow phone.
pub fn ticks(axis: &Axis, label: impl Fn(f64) -> String) -> Vec<f64> {
    axis.ticks_within(NARROW, label)
}

/// Labels of tick values.
pub fn labels(axis: &Axis, ticks: &[f64], label: impl Fn(f64) -> String) -> Vec<Label> {
    ticks.iter().map(|tick| Label::new(axis.at(*tick), label(*tick))).collect()
}
