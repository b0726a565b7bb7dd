//! All windows of a row as dots, block by block, with the median and its confidence interval.

use super::axis::Axis;
use super::marks::{self, SQUARE};
use super::plot::{Label, Plot};
use crate::report::view::View;
use crate::units::Rate;

/// The plot of a row; `None` without windows.
pub fn plot(view: View) -> Option<Plot> {
    let windows = view.row.windows.as_ref()?;
    let rates = windows.rates();
    let throughput = view.rate()?;
    let median = throughput.value?;
    let axis = Axis::linear(rates.iter().copied().chain([median]), 0.01)?;
    let words = |per_second: f64| Rate { per_second, unit: view.row.workload.unit }.to_string();
    let counts = windows.blocks.windows.iter().enumerate();
    let blocks: Vec<usize> = counts.flat_map(|(block, n)| std::iter::repeat_n(block, *n)).collect();
    let places = places(&blocks);
    let mut plot = Plot::new(
        view.class().name(),
        format!("{} {}", view.row.device, view.row.workload.spec),
        match throughput.ends() {
            Some((low, high)) => {
                format!("median {}, 95 % within {} to {}", words(median), words(low), words(high))
            }
            None => format!("median {}, too few windows for an interval", words(median)),
        },
    );
    plot.values(&axis, words);
    let height = |rate: f64| 100.0 - axis.at(rate);
    if let Some((low, high)) = throughput.ends() {
        plot.draw(marks::area((0.0, 100.0), (height(high), height(low)), "band"));
    }
    let middle = height(median);
    plot.draw(marks::line((0.0, middle), (100.0, middle), "median"));
    for (i, ((block, rate), x)) in blocks.iter().zip(&rates).zip(&places).enumerate() {
        let disturbed = view.figures.disturbed_windows.contains(&i);
        let outlier = view.figures.outlier_windows.contains(&i);
        let remark = match (disturbed, outlier) {
            (true, _) => ", disturbed by others",
            (_, true) => ", far from the others",
            _ => "",
        };
        let title = format!("block {}, window {}: {}{remark}", block + 1, i + 1, words(*rate));
        let class = if disturbed { "dot disturbed" } else { "dot" };
        let mark = if outlier {
            marks::shape(*x, height(*rate), SQUARE, class)
        } else {
            marks::dot(*x, height(*rate), 3.5, class)
        };
        plot.draw(marks::titled(mark, &title));
    }
    plot.below = block_labels(&blocks, &places);
    let (low, high) = rates.iter().fold((f64::MAX, 0f64), |(l, h), r| (l.min(*r), h.max(*r)));
    plot.words = format!(
        "{} windows of {} on {}: median {}, from {} to {}; {} disturbed",
        rates.len(),
        view.row.workload.spec,
        view.row.device,
        words(median),
        words(low),
        words(high),
        view.figures.disturbed_windows.len(),
    );
    Some(plot)
}

/// Horizontal positions of windows: evenly spaced, with a gap between blocks.
fn places(blocks: &[usize]) -> Vec<f64> {
    const GAP: f64 = 0.8;
    let mut at = 0.5;
    let mut places = Vec::new();
    for (i, block) in blocks.iter().enumerate() {
        if i > 0 {
            at += if blocks[i - 1] == *block { 1.0 } else { 1.0 + GAP };
        }
        places.push(at);
    }
    let all = at + 0.5;
    places.into_iter().map(|place| 100.0 * place / all).collect()
}

/// Labels below the middle of blocks, at most five.
fn block_labels(blocks: &[usize], places: &[f64]) -> Vec<Label> {
    let all: Vec<(&usize, &f64)> = blocks.iter().zip(places).collect();
    let chunks: Vec<&[(&usize, &f64)]> = all.chunk_by(|a, b| a.0 == b.0).collect();
    let every = chunks.len().div_ceil(5);
    let label = |chunk: &&[(&usize, &f64)]| {
        let middle = (chunk[0].1 + chunk[chunk.len() - 1].1) / 2.0;
        Label::new(middle, format!("block {}", chunk[0].0 + 1))
    };
    chunks.iter().step_by(every).map(label).collect()
}
