//! Marks of plots as SVG. Unlike in plotters, positions are in percent, so that text keeps its size on a phone; colours are CSS classes,
//! for dark mode and print; and each mark may have a tooltip.

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

    /// The same with a tooltip.
    pub fn titled(self, tooltip: &str) -> Mark {
        Mark { tooltip: tooltip.into(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_is_escaped() {
        let hostile = "</title><script>alert('1')</script> & \"x\"";
        let text = Shape::Text((1.0, 2.0), "start", hostile.into());
        let drawn = Mark::new(Shape::Dot((1.0, 2.0), 3.0), "dot").titled(hostile).to_string()
            + &Mark::new(text, "label").to_string();
        assert!(!drawn.contains("<script") && drawn.contains("&#60;script&#62;"), "{drawn}");
        assert_eq!(drawn.matches("<title>").count(), 1);
    }
}
