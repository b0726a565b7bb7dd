//! All windows of a row as dots, block by block, with the median and its confidence interval.

use super::axis::{Axis, Label};
use super::plot::{Plot, SQUARE, Shape};
use crate::results::View;
use crate::units::Rate;

/// The plot of a row; `None` without windows.
pub fn plot(view: View) -> Option<Plot> {
    let windows = view.row.windows.as_ref()?;
    let rates = windows.rates();
    let throughput = view.figures.throughput?;
    let median = throughput.value?;
    let axis = Axis::linear(rates.iter().copied().chain([median]))?;
    let words = |per_second: f64| Rate { per_second, unit: view.row.workload.unit }.to_string();
    let blocks = blocks(&windows.blocks.windows);
    let interval = throughput.ends().map_or("too few windows for an interval".into(), |ends| {
        format!("95 % within {} to {}", words(ends.0), words(ends.1))
    });
    let caption = format!("median {}, {interval}", words(median));
    let mut plot = Plot::new(view.class().into_str(), view.title(), caption, &axis, words);
    if let Some((low, high)) = throughput.ends() {
        plot.draw(Shape::Area((0.0, axis.height(high)), (100.0, axis.height(low)), None), "band");
    }
    let middle = axis.height(median);
    plot.draw(Shape::Line((0.0, middle), (100.0, middle)), "median");
    let places = blocks.iter().flat_map(|(number, xs)| xs.iter().map(move |x| (number, *x)));
    for (i, ((block, x), rate)) in places.zip(&rates).enumerate() {
        let disturbed = view.figures.disturbed_windows.contains(&i);
        let outlier = view.figures.outlier_windows.contains(&i);
        let remark = match (disturbed, outlier) {
            (true, _) => ", disturbed by others",
            (_, true) => ", far from the others",
            _ => "",
        };
        let title = format!("block {block}, window {}: {}{remark}", i + 1, words(*rate));
        let class = if disturbed { "dot disturbed" } else { "dot" };
        let at = (x, axis.height(*rate));
        let shape = if outlier { Shape::Symbol(at, SQUARE) } else { Shape::Dot(at, 3.5) };
        plot.draw_titled(shape, class, &title);
    }
    // At most five labels, below the middle of blocks.
    let middle = |xs: &[f64]| (xs[0] + xs[xs.len() - 1]) / 2.0;
    let labelled = blocks.iter().step_by(blocks.len().div_ceil(5).max(1));
    let label =
        |(number, xs): &(usize, Vec<f64>)| Label::new(middle(xs), format!("block {number}"));
    plot.below = labelled.map(label).collect();
    let (low, high) = rates.iter().fold((f64::MAX, 0f64), |(l, h), r| (l.min(*r), h.max(*r)));
    let [median, low, high] = [median, low, high].map(words);
    plot.words = format!(
        "{} windows of {}: median {median}, from {low} to {high}; {} disturbed",
        rates.len(),
        view.row.label(),
        view.figures.disturbed_windows.len(),
    );
    Some(plot)
}

/// Numbers of blocks that have windows, with their horizontal positions: evenly spaced, with a gap between blocks.
fn blocks(counts: &[usize]) -> Vec<(usize, Vec<f64>)> {
    const GAP: f64 = 0.8;
    let mut last = -0.5 - GAP;
    let mut next = |i: usize| {
        last += if i == 0 { 1.0 + GAP } else { 1.0 };
        last
    };
    let counts = (1..).zip(counts).filter(|(_, count)| **count > 0);
    let mut blocks: Vec<(usize, Vec<f64>)> =
        counts.map(|(number, count)| (number, (0..*count).map(&mut next).collect())).collect();
    let width = last + 0.5;
    blocks.iter_mut().flat_map(|(_, xs)| xs).for_each(|x| *x = 100.0 * *x / width);
    blocks
}
