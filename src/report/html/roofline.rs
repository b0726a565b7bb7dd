//! The roofline of a device: what it multiplies in registers and what memory can feed, as rows of the same run measured them, and
//! how near its products and tokens come.

use super::axis::Axis;
use super::marks;
use super::plot::Plot;
use crate::report::run;
use crate::results::wire::{Document, Measurement, Outcome};
use crate::units::{Rate, Unit, significant};

/// The roofline of a device; none without a roof and something below it.
pub fn plot(document: &Document, device: &str) -> Option<Plot> {
    let of = |m: &&Measurement| m.device == device && m.outcome == Outcome::Measured;
    let rows: Vec<&Measurement> = document.measurements.iter().filter(of).collect();
    let rate = |m: &Measurement| Some(m.throughput.as_ref()?.value);
    let peaks: Vec<(String, f64)> = rows
        .iter()
        .filter(|m| m.workload.id == "peak")
        .filter_map(|m| Some((m.workload.spec(), rate(m)?)))
        .collect();
    let stream = rows.iter().find(|m| m.workload.id == "stream").and_then(|m| rate(m));
    let points: Vec<(&Measurement, f64, f64)> = rows
        .iter()
        .filter_map(|m| {
            let traffic = m.traffic.as_ref().filter(|t| t.bytes_per_unit > 0.0)?;
            let intensity = traffic.operations_per_unit / traffic.bytes_per_unit;
            Some((*m, intensity, rate(m)? * traffic.operations_per_unit))
        })
        .collect();
    if points.is_empty() || (peaks.is_empty() && stream.is_none()) {
        return None;
    }
    let ridges = peaks.iter().filter_map(|(_, peak)| Some(peak / stream?));
    let across = points.iter().map(|(_, intensity, _)| *intensity).chain(ridges);
    let x = Axis::logarithmic(across.flat_map(|at| [at / 2.0, at * 2.0]))?;
    let roofs = peaks.iter().map(|(_, peak)| *peak);
    let heights = points.iter().map(|(.., operations)| *operations).chain(roofs);
    let y = Axis::logarithmic(heights.flat_map(|at| [at / 2.0, at * 2.0]))?;
    let operations = |per_second: f64| Rate { per_second, unit: Unit::Flop }.to_string();
    let bytes = |per_second: f64| Rate { per_second, unit: Unit::Byte }.to_string();
    let found = document.manifest.devices.iter().find(|d| d.id == device)?;
    let mut plot = Plot::new(
        &found.class,
        format!("{device} {}", found.name),
        "operations a second over operations for each byte",
    );
    plot.values(&y, operations);
    plot.below(&x, |at| format!("{}/B", significant(at)));
    let place = |intensity: f64, rate: f64| (x.at(intensity), 100.0 - y.at(rate));
    let (left, right) = (x.value(0.0), x.value(100.0));
    for (spec, peak) in &peaks {
        let from = stream.map_or(left, |stream| (peak / stream).clamp(left, right));
        let line = marks::path(&[place(from, *peak), place(right, *peak)], "roof");
        plot.draw(line);
        plot.caption += &format!("; {spec} {}", operations(*peak));
        // Its name stands above its end, or below where another roof is near.
        let height = 100.0 - y.at(*peak);
        let near = |other: f64| (0.0..14.0).contains(&(height - (100.0 - y.at(other))));
        let below = peaks.iter().any(|(other, at)| other != spec && near(*at));
        let height = if below { height + 8.0 } else { height - 3.0 };
        plot.draw(marks::text(100.0, height, "end", "number", spec));
    }
    if let Some(stream) = stream {
        // Up to the highest of the roofs, or across the whole field.
        let highest = peaks.iter().map(|(_, peak)| *peak).fold(0.0, f64::max);
        let to = if highest > 0.0 { (highest / stream).min(right) } else { right };
        // A line that leaves the field begins where it enters it.
        let from = (y.value(0.0) / stream).max(left);
        if from < to {
            plot.draw(marks::path(&[place(from, from * stream), place(to, to * stream)], "roof"));
        }
        plot.caption += &format!("; stream {}", bytes(stream));
    }
    for (number, (m, intensity, rate)) in (1..).zip(&points) {
        let (at, height) = place(*intensity, *rate);
        let class = if m.reasons.is_empty() { "dot" } else { "dot disturbed" };
        let mut words = format!(
            "{}: {} at {} operations a byte",
            m.workload.spec(),
            operations(*rate),
            significant(*intensity)
        );
        for roof in run::roofs(m) {
            words += &format!(", {roof}");
        }
        plot.draw(marks::titled(marks::dot(at, height, 4.0, class), &words));
        plot.number((at, height), number);
        plot.keys.push(words);
    }
    plot.words = format!("Roofline of {device}. {}", plot.keys.join(". "));
    Some(plot)
}
