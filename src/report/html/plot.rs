//! A plot: a field that fills its place, labels of its axes beside it, and what is in it in words.

use super::axis::Axis;
use super::marks::{self, add, element, set};
use askama::Template;
use svg::node::element::Element;

/// A plot that is being drawn.
pub struct Plot {
    /// The class of the device, which gives the colour; empty if it is of several.
    pub class: String,
    /// What it is of, above it.
    pub title: String,
    /// What it shows, below the title.
    pub caption: String,
    /// What it shows, for those who do not see it.
    pub words: String,
    /// Labels at the left, from 0 (top) to 100.
    pub left: Vec<Label>,
    /// Labels below, from 0 (left) to 100.
    pub below: Vec<Label>,
    /// Named marks: a number in the plot, and what it stands for.
    pub keys: Vec<String>,
    marks: Vec<Element>,
    /// Where numbers stand.
    numbers: Vec<(f64, f64)>,
}

/// A label beside a plot.
pub struct Label {
    /// Where, in percent.
    pub at: String,
    /// `start`, `middle` or `end`: which part of the label stands there.
    pub anchor: &'static str,
    /// What it says.
    pub text: String,
}

impl Label {
    /// A label at a place; near the ends it keeps inside.
    pub fn new(at: f64, text: impl Into<String>) -> Label {
        Label { at: marks::percent(at), anchor: anchor(at), text: text.into() }
    }
}

/// Which part of a label stands at its place.
pub fn anchor(at: f64) -> &'static str {
    match at {
        at if at < 12.0 => "start",
        at if at > 88.0 => "end",
        _ => "middle",
    }
}

/// Pixels that a plot has across on a narrow phone.
const NARROW: f64 = 190.0;

/// What a number takes up in the smallest plot, on paper and on a narrow phone, across and down.
const DIGITS: (f64, f64) = (6.5, 11.0);
/// From a mark to the number that names it: beside it, below, above, and farther off where others stand there.
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

    /// Labels the left with values of an axis that rises upwards, and draws their lines.
    pub fn values(&mut self, axis: &Axis, label: impl Fn(f64) -> String) {
        for tick in axis.ticks() {
            let y = 100.0 - axis.at(tick);
            self.left.push(Label { at: marks::percent(y), anchor: "middle", text: label(tick) });
            self.marks.push(marks::line((0.0, y), (100.0, y), "grid"));
        }
    }

    /// Labels what is below, and draws lines if asked to.
    pub fn below(&mut self, axis: &Axis, label: impl Fn(f64) -> String) {
        for tick in axis.ticks_within(NARROW, &label) {
            self.below.push(Label::new(axis.at(tick), label(tick)));
            self.marks.push(marks::line((axis.at(tick), 0.0), (axis.at(tick), 100.0), "grid"));
        }
    }

    /// Names the mark at a place by a number beside it, clear of the numbers of others.
    pub fn number(&mut self, (x, y): (f64, f64), number: usize) {
        let inside = |(x, y): &(f64, f64)| (1.5..=98.5).contains(x) && (8.0..=99.0).contains(y);
        let free = |(x, y): &(f64, f64)| {
            let apart = |other: &(f64, f64)| {
                (other.0 - x).abs() > DIGITS.0 || (other.1 - y).abs() > DIGITS.1
            };
            self.numbers.iter().all(apart)
        };
        let places = || AROUND.iter().map(|(right, down)| (x + right, y + down)).filter(inside);
        let Some(place) = places().find(free).or_else(|| places().next()) else { return };
        self.draw(marks::text(place.0, place.1, "middle", "number", &number.to_string()));
        self.numbers.push(place);
    }

    /// Draws a mark.
    pub fn draw(&mut self, mark: Element) {
        self.marks.push(mark);
    }

    /// The figure, as HTML.
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
