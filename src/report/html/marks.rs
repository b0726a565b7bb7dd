//! SVG elements for plots, by the `svg` crate. Unlike in plotters, positions are in percent, so that text keeps its size on a phone;
//! colours are CSS classes, for dark mode and print; and each mark has a tooltip.

use svg::node::Text;
use svg::node::element::Element;

/// An element with a CSS class.
pub fn element(name: &str, class: &str) -> Element {
    let mut element = Element::new(name);
    set(&mut element, "class", class);
    element
}

/// Sets an attribute.
pub fn set(element: &mut Element, name: &str, value: impl Into<svg::node::Value>) {
    use svg::Node;
    element.assign(name, value);
}

/// Appends a child.
pub fn add(element: &mut Element, child: Element) {
    use svg::Node;
    element.append(child);
}

/// Adds a title, which browsers show as a tooltip.
pub fn titled(mut element: Element, title: &str) -> Element {
    use svg::Node;
    let mut name = Element::new("title");
    name.append(Text::new(title));
    element.append(name);
    element
}

/// Text at a position; `anchor` is `start`, `middle` or `end`.
pub fn text(x: f64, y: f64, anchor: &str, class: &str, words: &str) -> Element {
    use svg::Node;
    let mut text = at("text", class, &[("x", x), ("y", y)]);
    set(&mut text, "text-anchor", anchor);
    text.append(Text::new(words));
    text
}

/// An element whose attributes are positions in percent.
pub fn at(name: &str, class: &str, places: &[(&str, f64)]) -> Element {
    let mut element = element(name, class);
    for (attribute, place) in places {
        set(&mut element, attribute, percent(*place));
    }
    element
}

/// A dot with a radius in pixels.
pub fn dot(x: f64, y: f64, radius: f64, class: &str) -> Element {
    let mut dot = at("circle", class, &[("cx", x), ("cy", y)]);
    set(&mut dot, "r", radius);
    dot
}

/// A path in pixels around a position.
pub fn shape(x: f64, y: f64, path: &str, class: &str) -> Element {
    let mut place = at("svg", "place", &[("x", x), ("y", y)]);
    let mut shape = element("path", class);
    set(&mut shape, "d", path);
    add(&mut place, shape);
    place
}

/// A diamond, for declared figures.
pub const DIAMOND: &str = "M0-6.5 6.5 0 0 6.5-6.5 0z";
/// A triangle, for published figures.
pub const TRIANGLE: &str = "M0-6 6 5H-6z";
/// A cross, for figures that do not count.
pub const CROSS: &str = "M-5-5 5 5M-5 5 5-5";
/// A square, for outlier windows.
pub const SQUARE: &str = "M-3.5-3.5H3.5V3.5H-3.5z";

/// A straight line.
pub fn line(from: (f64, f64), to: (f64, f64), class: &str) -> Element {
    at("line", class, &[("x1", from.0), ("y1", from.1), ("x2", to.0), ("y2", to.1)])
}

/// A polyline, drawn in a stretched view box of 100 by 100 with strokes that do not stretch.
pub fn path(points: &[(f64, f64)], class: &str) -> Element {
    let mut field = element("svg", "stretch");
    set(&mut field, "viewBox", "0 0 100 100");
    set(&mut field, "preserveAspectRatio", "none");
    let mut line = element("polyline", class);
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.2},{y:.2}")).collect();
    set(&mut line, "points", points.join(" "));
    add(&mut field, line);
    field
}

/// A rectangle.
pub fn area(x: (f64, f64), y: (f64, f64), class: &str) -> Element {
    let places = [("x", x.0), ("width", x.1 - x.0), ("y", y.0), ("height", y.1 - y.0)];
    at("rect", class, &places)
}

/// A position in percent: `37.2%`.
pub fn percent(place: f64) -> String {
    format!("{place:.2}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_is_escaped() {
        let hostile = "</title><script>alert('1')</script> & \"x\"";
        let drawn = titled(dot(1.0, 2.0, 3.0, "dot"), hostile).to_string()
            + &text(1.0, 2.0, "start", "label", hostile).to_string();
        assert!(!drawn.contains("<script") && drawn.contains("&lt;script&gt;"), "{drawn}");
        assert_eq!(drawn.matches("<title>").count(), 1);
    }
}
