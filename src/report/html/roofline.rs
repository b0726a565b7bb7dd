//! The roofline of a device: peak compute and memory bandwidth as measured in the same run, and where its matrix products and tokens lie.

use super::axis::Axis;
use super::plot::{Plot, Shape};
use crate::device::Device;
use crate::report::published::ceilings;
use crate::results::{Document, Outcome, Verdict, View};
use crate::units::{Rate, Unit, significant};
use crate::workload::Id;

/// The roofline of a device; `None` without a measured ceiling or without a row below it.
pub fn plot(document: &Document, device: &Device) -> Option<Plot> {
    let on_device =
        |view: &View| view.row.device == device.id && view.row.outcome == Outcome::Measured;
    let rows: Vec<View> = View::all(document).filter(on_device).collect();
    let rate = |view: &View| view.figures.throughput?.value;
    let peaks = rows.iter().filter(|view| view.row.workload.id == Id::Peak);
    let peaks = peaks.filter_map(|view| Some((view.row.workload.spec.clone(), rate(view)?)));
    let peaks: Vec<(String, f64)> = peaks.collect();
    let stream = rows.iter().find(|view| view.row.workload.id == Id::Stream).and_then(rate);
    let points = rows.iter().filter_map(|view| {
        let work = view.row.workload.intensity.filter(|work| work.bytes_per_unit > 0.0)?;
        let intensity = work.operations_per_unit / work.bytes_per_unit;
        Some((*view, intensity, rate(view)? * work.operations_per_unit))
    });
    let points: Vec<(View, f64, f64)> = points.collect();
    if points.is_empty() || (peaks.is_empty() && stream.is_none()) {
        return None;
    }
    let ridges = peaks.iter().filter_map(|(_, peak)| Some(peak / stream?));
    let across = points.iter().map(|(_, intensity, _)| *intensity).chain(ridges);
    let x = Axis::logarithmic(across.flat_map(|at| [at / 2.0, at * 2.0]))?;
    let heights = points.iter().map(|(.., operations)| *operations);
    let heights = heights.chain(peaks.iter().map(|(_, peak)| *peak));
    let y = Axis::logarithmic(heights.flat_map(|at| [at / 2.0, at * 2.0]))?;
    let operations = |per_second: f64| Rate { per_second, unit: Unit::Flop }.to_string();
    let bytes = |per_second: f64| Rate { per_second, unit: Unit::Byte }.to_string();
    let mut plot = Plot::new(
        device.class.into_str(),
        format!("{} {}", device.id, device.name),
        "operations a second over operations for each byte",
        &y,
        operations,
    );
    plot.label_below(&x, |at| format!("{}/B", significant(at)));
    let position = |intensity: f64, rate: f64| (x.at(intensity), y.height(rate));
    let (left, right) = (x.value(0.0), x.value(100.0));
    for (spec, peak) in &peaks {
        let from = stream.map_or(left, |stream| (peak / stream).clamp(left, right));
        plot.draw(Shape::Path(vec![position(from, *peak), position(right, *peak)]), "ceiling");
        plot.caption += &format!("; {spec} {}", operations(*peak));
        // The label is above the line's end, or below it if another ceiling is just above.
        let height = y.height(*peak);
        let is_just_above = |other: f64| (0.0..14.0).contains(&(height - y.height(other)));
        let below = peaks.iter().any(|(other, at)| other != spec && is_just_above(*at));
        let height = if below { height + 8.0 } else { height - 3.0 };
        plot.draw(Shape::Text((100.0, height), "end", spec.clone()), "number");
    }
    if let Some(stream) = stream {
        // Up to the highest peak, or across the whole plot.
        let highest = peaks.iter().map(|(_, peak)| *peak).fold(0.0, f64::max);
        let to = if highest > 0.0 { (highest / stream).min(right) } else { right };
        // Clipped at the bottom of the plot.
        let from = (y.value(0.0) / stream).max(left);
        if from < to {
            let line = vec![position(from, from * stream), position(to, to * stream)];
            plot.draw(Shape::Path(line), "ceiling");
        }
        plot.caption += &format!("; stream {}", bytes(stream));
    }
    for (number, (view, intensity, rate)) in (1..).zip(&points) {
        let at = position(*intensity, *rate);
        let class = if view.figures.verdict == Verdict::Valid { "dot" } else { "dot disturbed" };
        let (spec, per_byte) = (&view.row.workload.spec, significant(*intensity));
        let words = format!("{spec}: {} at {per_byte} operations a byte", operations(*rate));
        let words = ceilings(*view).iter().fold(words, |words, share| words + ", " + share);
        plot.draw_titled(Shape::Dot(at, 4.0), class, &words);
        plot.number(at, number);
        plot.keys.push(words);
    }
    plot.words = format!("Roofline of {}. {}", device.id, plot.keys.join(". "));
    Some(plot)
}
