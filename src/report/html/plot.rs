//! A plot: an SVG field, axis labels beside it, and a text alternative.

use super::axis::Axis;
use super::marks::{self, add, element, set};
use askama::Template;
use svg::node::element::Element;

/// A plot under construction.
pub struct Plot {
    /// Device class, which sets the colour; empty for several devices.
    pub class: String,
    /// The title.
    pub title: String,
    /// The caption below the title.
    pub caption: String,
    /// Text alternative for screen readers.
    pub words: String,
    /// Labels on the left, from 0 (top) to 100.
    pub left: Vec<Label>,
    /// Labels below, from 0 (left) to 100.
    pub below: Vec<Label>,
    /// Legend of the numbered marks.
    pub keys: Vec<String>,
    marks: Vec<Element>,
    /// Positions of the numbers.
    numbers: Vec<(f64, f64)>,
}

/// A label beside a plot.
pub struct Label {
    /// Position in percent.
    pub at: String,
    /// SVG text anchor: `start`, `middle` or `end`.
    pub anchor: &'static str,
    /// Its text.
    pub text: String,
}

impl Label {
    /// A label at a position; near the ends it is anchored inwards.
    pub fn new(at: f64, text: impl Into<String>) -> Label {
        Label { at: marks::percent(at), anchor: anchor(at), text: text.into() }
    }
}

/// SVG text anchor at a position.
pub fn anchor(at: f64) -> &'static str {
    match at {
        at if at < 12.0 => "start",
        at if at > 88.0 => "end",
        _ => "middle",
    }
}

/// Width of a plot in pixels on a narrow phone.
const NARROW: f64 = 190.0;

/// Width and height of a number in the smallest plot (print or a narrow phone), in percent.
const DIGITS: (f64, f64) = (6.5, 11.0);
/// Candidate offsets of a number from its mark, in order of preference.
const AROUND: [(f64, f64); 15] = [
    (5.0, 3.5),
    (0.0, 11.5),
    (0.0, -5.5),
    (-5.0, 3.5),
    (7.0, 14.5),
    (7.0, -8.0),
    (-7.0, 14.5),
    (11.5, 3.5),
    (0.0, 23.0),
    (0.0, -17.0),
    (12.0, 15.0),
    (12.0, -8.0),
    (-7.0, -8.0),
    (0.0, 34.5),
    (0.0, -28.5),
];

#[derive(Template)]
#[template(path = "plot.html", config = "src/report/html/askama.toml")]
struct Markup<'a> {
    plot: &'a Plot,
    field: String,
}

impl Plot {
    /// An empty plot.
    pub fn new(class: &str, title: impl Into<String>, caption: impl Into<String>) -> Plot {
        Plot {
            class: class.to_string(),
            title: title.into(),
            caption: caption.into(),
            words: String::new(),
            left: Vec::new(),
            below: Vec::new(),
            keys: Vec::new(),
            marks: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// Labels the left side with values of a rising axis, and draws grid lines.
    pub fn values(&mut self, axis: &Axis, label: impl Fn(f64) -> String) {
        for tick in axis.ticks() {
            let y = 100.0 - axis.at(tick);
            self.left.push(Label { at: marks::percent(y), anchor: "middle", text: label(tick) });
            self.marks.push(marks::line((0.0, y), (100.0, y), "grid"));
        }
    }

    /// Labels the bottom, and draws grid lines.
    pub fn below(&mut self, axis: &Axis, label: impl Fn(f64) -> String) {
        for tick in axis.ticks_within(NARROW, &label) {
            self.below.push(Label::new(axis.at(tick), label(tick)));
            self.marks.push(marks::line((axis.at(tick), 0.0), (axis.at(tick), 100.0), "grid"));
        }
    }

    /// Numbers a mark, avoiding other numbers.
    pub fn number(&mut self, (x, y): (f64, f64), number: usize) {
        let inside = |(x, y): &(f64, f64)| (1.5..=98.5).contains(x) && (8.0..=99.0).contains(y);
        let free = |(x, y): &(f64, f64)| {
            let is_clear = |other: &(f64, f64)| {
                (other.0 - x).abs() > DIGITS.0 || (other.1 - y).abs() > DIGITS.1
            };
            self.numbers.iter().all(is_clear)
        };
        let places = || AROUND.iter().map(|(right, down)| (x + right, y + down)).filter(inside);
        let Some(place) = places().find(free).or_else(|| places().next()) else { return };
        self.draw(marks::text(place.0, place.1, "middle", "number", &number.to_string()));
        self.numbers.push(place);
    }

    /// Adds a mark.
    pub fn draw(&mut self, mark: Element) {
        self.marks.push(mark);
    }

    /// The plot as HTML.
    pub fn markup(&self) -> String {
        let mut field = element("svg", "field");
        set(&mut field, "role", "img");
        set(&mut field, "focusable", "false");
        let mut field = marks::titled(field, &self.words);
        for mark in &self.marks {
            add(&mut field, mark.clone());
        }
        let markup = Markup { plot: self, field: field.to_string() };
        markup.render().expect("writing to memory")
    }
}
