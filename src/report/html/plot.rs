//! A plot: an SVG field of marks, axis labels beside it, and a text alternative. Unlike in plotters, positions are in percent, so that text
//! keeps its size on a phone; colours are CSS classes, for dark mode and print; and each mark may have a tooltip.

use super::axis::{Axis, Label, MAX_LABELS};
use crate::device::Class;
use askama::Template;

/// A position in percent: from the left, from the top.
pub type Point = (f64, f64);

/// A mark with its CSS classes and its tooltip, which may be empty.
#[derive(Template)]
#[template(path = "mark.html", config = "src/report/html/askama.toml")]
pub struct Mark {
    shape: Shape,
    class: String,
    tooltip: String,
}

/// What a mark looks like.
pub enum Shape {
    /// A straight line.
    Line(Point, Point),
    /// A polyline, drawn in a stretched view box of 100 by 100 with strokes that do not stretch.
    Path(Vec<Point>),
    /// A rectangle from its upper left corner to its lower right one, hatched in the colour of a device class if there is one.
    Area(Point, Point, Option<Class>),
    /// A dot with a radius in pixels.
    Dot(Point, f64),
    /// A path in pixels around a position.
    Symbol(Point, &'static str),
    /// Text, with its anchor: `start`, `middle` or `end`.
    Text(Point, &'static str, String),
}

/// A diamond, for declared figures.
pub const DIAMOND: &str = "M0-6.5 6.5 0 0 6.5-6.5 0z";
/// A triangle, for published figures.
pub const TRIANGLE: &str = "M0-6 6 5H-6z";
/// A cross, for figures that do not count.
pub const CROSS: &str = "M-5-5 5 5M-5 5 5-5";
/// A square, for outlier windows.
pub const SQUARE: &str = "M-3.5-3.5H3.5V3.5H-3.5z";

impl Mark {
    /// A mark without a tooltip.
    pub fn new(shape: Shape, class: impl Into<String>) -> Mark {
        Mark { shape, class: class.into(), tooltip: String::new() }
    }
}

/// A plot under construction.
#[derive(Default, Template)]
#[template(path = "plot.html", config = "src/report/html/askama.toml")]
pub struct Plot {
    /// Device class, which sets the colour; empty for several devices.
    class: &'static str,
    /// The title.
    title: String,
    /// The caption below the title.
    pub caption: String,
    /// Text alternative for screen readers.
    pub words: String,
    /// Labels on the left, from 0 (top) to 100, each with a grid line.
    left: Vec<Label>,
    /// Labels below, from 0 (left) to 100.
    pub below: Vec<Label>,
    /// Legend of the numbered marks.
    pub keys: Vec<String>,
    marks: Vec<Mark>,
    /// Positions of the numbers.
    numbers: Vec<Point>,
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

impl Plot {
    /// An empty plot over a rising axis with its labels.
    pub fn new(
        class: &'static str,
        title: impl Into<String>,
        caption: impl Into<String>,
        axis: &Axis,
        words: impl Fn(f64) -> String,
    ) -> Plot {
        let label = |tick| Label { at: axis.height(tick), anchor: "end", text: words(tick) };
        let left = axis.ticks(MAX_LABELS).into_iter().map(label).collect();
        Plot { class, title: title.into(), caption: caption.into(), left, ..Plot::default() }
    }

    /// Labels the bottom, and draws grid lines.
    pub fn label_below(&mut self, axis: &Axis, words: impl Fn(f64) -> String) {
        self.below = axis.labels(NARROW, words);
        let line = |label: &Label| Shape::Line((label.at, 0.0), (label.at, 100.0));
        self.marks.extend(self.below.iter().map(|label| Mark::new(line(label), "grid")));
    }

    /// Adds a mark without a tooltip.
    pub fn draw(&mut self, shape: Shape, class: impl Into<String>) {
        self.marks.push(Mark::new(shape, class));
    }

    /// Adds a mark with a tooltip.
    pub fn draw_titled(&mut self, shape: Shape, class: impl Into<String>, tooltip: &str) {
        self.marks.push(Mark { tooltip: tooltip.into(), ..Mark::new(shape, class) });
    }

    /// Numbers a mark, avoiding other numbers.
    pub fn number(&mut self, (x, y): Point, number: usize) {
        let inside = |(x, y): &Point| (1.5..=98.5).contains(x) && (8.0..=99.0).contains(y);
        let overlap =
            |a: &Point, b: &Point| (a.0 - b.0).abs() <= DIGITS.0 && (a.1 - b.1).abs() <= DIGITS.1;
        let overlaps_none = |at: &Point| !self.numbers.iter().any(|other| overlap(other, at));
        let candidates = || AROUND.iter().map(|(right, down)| (x + right, y + down)).filter(inside);
        let Some(at) = candidates().find(overlaps_none).or_else(|| candidates().next()) else {
            return;
        };
        self.draw(Shape::Text(at, "middle", number.to_string()), "number");
        self.numbers.push(at);
    }
}
