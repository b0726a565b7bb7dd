//! Every window of a row as a dot, block by block, with the median and its interval behind them.

use super::axis::Axis;
use super::marks::{self, SQUARE};
use super::plot::{Label, Plot};
use crate::report::entry::Entry;
use crate::results::wire::Measurement;

/// The plot of a row; none without windows.
pub fn plot(m: &Measurement, entry: &Entry) -> Option<Plot> {
    let rates: Vec<f64> = m.windows.iter().map(|w| w.work as f64 / w.wall_seconds).collect();
    let throughput = m.throughput.as_ref()?;
    let axis = Axis::linear(rates.iter().copied().chain([throughput.value]), 0.01)?;
    let words = |rate: f64| entry.rate_words(rate);
    let blocks: Vec<u64> = m.windows.iter().map(|w| w.block).collect();
    let places = places(&blocks);
    let mut plot = Plot::new(
        &m.class,
        format!("{} {}", m.device, m.workload.spec()),
        match (throughput.ci95_low, throughput.ci95_high) {
            (Some(low), Some(high)) => {
                format!(
                    "median {}, 95 % within {} to {}",
                    words(throughput.value),
                    words(low),
                    words(high)
                )
            }
            _ => format!("median {}, too few windows for an interval", words(throughput.value)),
        },
    );
    plot.values(&axis, words);
    let height = |rate: f64| 100.0 - axis.at(rate);
    if let (Some(low), Some(high)) = (throughput.ci95_low, throughput.ci95_high) {
        plot.draw(marks::area((0.0, 100.0), (height(high), height(low)), "band"));
    }
    let median = height(throughput.value);
    plot.draw(marks::line((0.0, median), (100.0, median), "median"));
    for (i, ((window, rate), x)) in m.windows.iter().zip(&rates).zip(&places).enumerate() {
        let is_in = |list: &[u64]| list.contains(&(i as u64));
        let (disturbed, outlier) = (is_in(&m.disturbed_windows), is_in(&m.outlier_windows));
        let remark = match (disturbed, outlier) {
            (true, _) => ", disturbed by others",
            (_, true) => ", far from the others",
            _ => "",
        };
        let title =
            format!("block {}, window {}: {}{remark}", window.block + 1, i + 1, words(*rate));
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
        m.workload.spec(),
        m.device,
        words(throughput.value),
        words(low),
        words(high),
        m.disturbed_windows.len(),
    );
    Some(plot)
}

/// Where windows stand: evenly, with a gap between blocks.
fn places(blocks: &[u64]) -> Vec<f64> {
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

/// A label below the middle of each block; of many only some.
fn block_labels(blocks: &[u64], places: &[f64]) -> Vec<Label> {
    let all: Vec<(&u64, &f64)> = blocks.iter().zip(places).collect();
    let chunks: Vec<&[(&u64, &f64)]> = all.chunk_by(|a, b| a.0 == b.0).collect();
    let every = chunks.len().div_ceil(5);
    let label = |chunk: &&[(&u64, &f64)]| {
        let middle = (chunk[0].1 + chunk[chunk.len() - 1].1) / 2.0;
        Label::new(middle, format!("block {}", chunk[0].0 + 1))
    };
    chunks.iter().step_by(every).map(label).collect()
}
