//! Plots over batch size: joules per token and tokens per second of one model.

use super::axis::Axis;
use super::marks;
use super::plot::{Label, Plot};
use crate::report::entry::{Entry, order, span};
use crate::report::group::Group;
use crate::units::Interval;
use std::collections::BTreeMap;

/// Maximum number of curves in a plot.
const MAX_DEVICES: usize = 6;

/// A device's name and its rows by batch size.
type Curve<'a> = (String, Vec<(f64, &'a Entry)>);

/// Two plots per model and workload with several batch sizes; `named` gives the name of a device.
pub fn plots(groups: &[Group], named: impl Fn(&Entry) -> String) -> Vec<Plot> {
    let mut models: BTreeMap<String, Vec<Curve>> = BTreeMap::new();
    for group in groups.iter().filter(|group| group.entry.counts()) {
        let entry = &group.entry;
        let Some((model, batch)) = model_and_batch(entry) else { continue };
        let curves = models.entry(model).or_default();
        let name = named(entry);
        match curves.iter_mut().find(|(other, _)| *other == name) {
            Some((_, points)) => points.push((batch, entry)),
            None => curves.push((name, vec![(batch, entry)])),
        }
    }
    let mut plots = Vec::new();
    for (model, mut curves) in models {
        for (_, points) in &mut curves {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            points.dedup_by(|a, b| a.0 == b.0);
        }
        curves.retain(|(_, points)| points.len() >= 2);
        let more = curves.len().saturating_sub(MAX_DEVICES);
        curves.truncate(MAX_DEVICES);
        let joules: fn(&Entry) -> Option<Interval> = |entry| entry.joules;
        plots.extend(plot(
            &model,
            "joules for a token",
            &curves,
            more,
            joules,
            Entry::joules_words,
        ));
        let rate: fn(&Entry) -> Option<Interval> = |entry| entry.rate;
        plots.extend(plot(&model, "tokens a second", &curves, more, rate, Entry::rate_words));
    }
    plots
}

/// `decode smollm2-135m int4, prompt=128, context=256`, and the batch.
fn model_and_batch(entry: &Entry) -> Option<(String, f64)> {
    let workload = &entry.workload;
    let batch = workload.shape.batch?;
    let rest: Vec<&str> =
        workload.spec.split(':').filter(|part| !part.starts_with("batch=")).collect();
    Some((rest.join(" "), batch as f64))
}

fn plot(
    model: &str,
    what: &str,
    curves: &[Curve],
    more: usize,
    amount: fn(&Entry) -> Option<Interval>,
    words: fn(&Entry, f64) -> String,
) -> Option<Plot> {
    let sample = curves.first()?.1.first()?.1;
    let all = || curves.iter().flat_map(|(_, points)| points);
    let y = Axis::logarithmic(
        all().filter_map(|(_, entry)| amount(entry).map(span)).flat_map(|(low, high)| [low, high]),
    )?;
    // The rest of the width is for the numbers of the curves.
    let x = Axis::logarithmic(all().map(|(batch, _)| *batch))?;
    const WIDTH: f64 = 0.86;
    let mut plot = Plot::new("", model, what);
    plot.values(&y, |value| words(sample, value));
    let mut batches: Vec<f64> = all().map(|(batch, _)| *batch).collect();
    batches.sort_by(f64::total_cmp);
    batches.dedup();
    for batch in &batches {
        plot.below.push(Label::new(WIDTH * x.at(*batch), format!("{batch}")));
    }
    if let Some(first) = plot.below.first_mut() {
        first.text = format!("batch {}", first.text);
    }
    for (number, (name, points)) in (1..).zip(curves) {
        let class = points[0].1.class.name();
        let at = |(batch, entry): &(f64, &Entry)| {
            Some((WIDTH * x.at(*batch), 100.0 - y.at(order(amount(entry)?))))
        };
        let line: Vec<(f64, f64)> = points.iter().filter_map(at).collect();
        let is_range = |figure: Option<Interval>| figure.is_some_and(|f| f.value.is_none());
        let modelled = points.iter().any(|(_, entry)| is_range(amount(entry)));
        if !modelled {
            plot.draw(marks::path(&line, &format!("curve {class}")));
        }
        let mut readout = Vec::new();
        for (batch, entry) in points {
            let Some(figure) = amount(entry) else { continue };
            let (low, high) = span(figure);
            let value = match figure.value {
                Some(value) => words(entry, value),
                None => format!("{} to {}", words(entry, low), words(entry, high)),
            };
            let title = format!("{name}, batch {batch}: {value}");
            let (left, top, bottom) = (WIDTH * x.at(*batch), 100.0 - y.at(high), 100.0 - y.at(low));
            match figure.value {
                None => {
                    let mut range = marks::area((left - 1.2, left + 1.2), (top, bottom), "range");
                    marks::set(&mut range, "class", format!("range {class}"));
                    marks::set(&mut range, "fill", format!("url(#hatch-{class})"));
                    plot.draw(marks::titled(range, &title));
                }
                Some(_) => {
                    plot.draw(marks::line((left, top), (left, bottom), &format!("curve {class}")));
                    let height = at(&(*batch, entry)).map_or(50.0, |place| place.1);
                    let dot = marks::dot(left, height, 4.0, &format!("dot {class}"));
                    plot.draw(marks::titled(dot, &title));
                }
            }
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
