//! Plots over batch size: joules per token and tokens per second of one model.

use super::axis::{Axis, Label};
use super::plot::{Plot, Shape};
use crate::report::entry::{Entry, order, span};
use crate::units::Interval;
use std::collections::BTreeMap;

/// Maximum number of curves in a plot.
const MAX_DEVICES: usize = 6;
/// Share of the width that curves take; the rest is for their numbers.
const WIDTH: f64 = 0.86;

/// A device's name and its rows by batch size.
type Curve<'a> = (&'a str, Vec<(f64, &'a Entry)>);
/// What a plot is of: its name, the figure of a row, and that in words.
type Amount = (&'static str, fn(&Entry) -> Option<Interval>, fn(&Entry, f64) -> String);

const AMOUNTS: [Amount; 2] = [
    ("joules for a token", |entry| entry.joules, Entry::joules_words),
    ("tokens a second", |entry| entry.rate, Entry::rate_words),
];

/// Two plots per model and workload with several batch sizes. Devices are told apart by their id in a single run, else by their name.
pub fn plots(entries: &[Entry], single: bool) -> Vec<Plot> {
    let mut models: BTreeMap<String, Vec<Curve>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.counts()) {
        let Some((model, batch)) = model_and_batch(entry) else { continue };
        let curves = models.entry(model).or_default();
        let name = if single { &entry.device } else { &entry.name };
        match curves.iter_mut().find(|(other, _)| other == name) {
            Some((_, points)) => points.push((batch, entry)),
            None => curves.push((name, vec![(batch, entry)])),
        }
    }
    for curves in models.values_mut() {
        for (_, points) in &mut *curves {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            points.dedup_by(|a, b| a.0 == b.0);
        }
        curves.retain(|(_, points)| points.len() >= 2);
    }
    let all = models.iter().flat_map(|(model, curves)| AMOUNTS.map(|a| plot(model, curves, a)));
    all.flatten().collect()
}

/// `decode smollm2-135m int4, prompt=128, context=256`, and the batch.
fn model_and_batch(entry: &Entry) -> Option<(String, f64)> {
    let batch = entry.workload.shape.batch?;
    let parts = entry.workload.spec.split(':').filter(|part| !part.starts_with("batch="));
    Some((parts.collect::<Vec<_>>().join(" "), batch as f64))
}

fn plot(model: &str, curves: &[Curve], (what, amount, words): Amount) -> Option<Plot> {
    let more = curves.len().saturating_sub(MAX_DEVICES);
    let curves = &curves[..curves.len() - more];
    let all = || curves.iter().flat_map(|(_, points)| points);
    let (_, sample) = all().next()?;
    let y = Axis::logarithmic(all().filter_map(|(_, e)| amount(e).map(span)).flatten())?;
    let x = Axis::logarithmic(all().map(|(batch, _)| *batch))?;
    let left = |batch: f64| WIDTH * x.at(batch);
    let mut plot = Plot::new("", model, what, &y, |value| words(sample, value));
    let mut batches: Vec<f64> = all().map(|(batch, _)| *batch).collect();
    batches.sort_by(f64::total_cmp);
    batches.dedup();
    plot.below = batches.iter().map(|b| Label::new(left(*b), b.to_string())).collect();
    if let Some(first) = plot.below.first_mut() {
        first.text = format!("batch {}", first.text);
    }
    for (number, (name, points)) in (1..).zip(curves) {
        let class = points[0].1.class;
        let figures = points.iter().filter_map(|(batch, entry)| Some((*batch, amount(entry)?)));
        let figures: Vec<(f64, Interval)> = figures.collect();
        let line = figures.iter().map(|(batch, figure)| (left(*batch), y.height(order(*figure))));
        let line: Vec<(f64, f64)> = line.collect();
        if figures.iter().all(|(_, figure)| figure.value.is_some()) {
            plot.draw(Shape::Path(line.clone()), format!("curve {class}"));
        }
        let mut readout = Vec::new();
        for ((batch, figure), at) in figures.iter().zip(&line) {
            let [low, high] = span(*figure);
            let value = match figure.value {
                Some(value) => words(sample, value),
                None => format!("{} to {}", words(sample, low), words(sample, high)),
            };
            let (x, low, high) = (left(*batch), y.height(low), y.height(high));
            let (shape, kind) = match figure.value {
                None => (Shape::Area((x - 1.2, high), (x + 1.2, low), Some(class)), "range"),
                Some(_) => {
                    plot.draw(Shape::Line((x, high), (x, low)), format!("curve {class}"));
                    (Shape::Dot(*at, 4.0), "dot")
                }
            };
            let title = format!("{name}, batch {batch}: {value}");
            plot.draw_titled(shape, format!("{kind} {class}"), &title);
            readout.push(format!("batch {batch} {value}"));
        }
        if let Some(end) = line.last() {
            plot.number(*end, number);
        }
        plot.keys.push(format!("{name}: {}", readout.join(", ")));
    }
    if more > 0 {
        plot.caption += &format!("; {more} more devices are in the table");
    }
    plot.words = format!("{what} of {model}. {}", plot.keys.join(". "));
    Some(plot)
}
