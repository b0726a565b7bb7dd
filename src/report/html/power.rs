//! Power over time: readings of a meter during each block of a row, and idle power. Time between blocks, when other rows ran, is cut out.

use super::axis::{Axis, Label};
use super::plot::{Plot, Point, Shape};
use crate::energy::{Quantity, Readings, SourceInfo};
use crate::results::{Energy, View};
use crate::units::{Seconds, Watts};

/// Maximum number of points per curve.
const MAX_POINTS: usize = 400;
/// Seconds shown before and after a block.
const MARGIN: f64 = 0.5;
/// Gap between blocks, in percent of the width.
const GAP: f64 = 3.0;

/// The plots of a row, one for each of its meters.
pub fn plots(view: View) -> Vec<Plot> {
    view.figures.energies().filter_map(|energy| plot(view, energy)).collect()
}

fn plot(view: View, energy: &Energy) -> Option<Plot> {
    let measured = energy.measured.as_ref()?;
    let source = energy.source?;
    let info = view.manifest().source(source)?.meter()?;
    let readings = view.row.readings.iter().find(|readings| readings.source == source)?;
    let watts = over_time(info, readings);
    let mean = Watts(energy.power_watts?.value?);
    let steps = view.row.windows.as_ref()?.steps();
    let blocks: Vec<(f64, f64)> =
        steps.iter().map(|step| (step.measured.from.0, step.measured.to.0)).collect();
    let shown = blocks.iter().map(|(from, to)| {
        let in_view = |(t, _): &&Point| (from - MARGIN..=to + MARGIN).contains(t);
        watts.iter().filter(in_view).copied().collect()
    });
    let shown: Vec<Vec<Point>> = shown.collect();
    let idle = view.document.evidence.idle(source).map(|idle| idle.power);
    let values = shown.iter().flatten().map(|(_, watts)| *watts);
    let axis = Axis::from_zero(values.chain(idle.map(|idle| idle.0)).chain([mean.0]))?;
    let scope = info.scope.into_str();
    let caption = format!("{} ({scope}): mean {mean}", info.kind);
    let words = |watts: f64| Watts(watts).to_string();
    let mut plot = Plot::new(view.class().into_str(), view.title(), caption, &axis, words);
    let total: f64 = blocks.iter().map(|(from, to)| to - from + 2.0 * MARGIN).sum();
    let scale = (100.0 - GAP * (blocks.len().max(1) - 1) as f64) / total;
    let mut left = 0.0;
    let every = blocks.len().div_ceil(4);
    for (i, ((from, to), points)) in blocks.iter().zip(&shown).enumerate() {
        let x = |t: f64| left + (t - (from - MARGIN)) * scale;
        plot.draw(Shape::Area((x(*from), 0.0), (x(*to), 100.0), None), "window");
        let line =
            thinned(points).into_iter().map(|(t, watts)| (x(t), axis.height(watts))).collect();
        plot.draw(Shape::Path(line), "reading");
        if i % every == 0 {
            let number =
                if blocks.len() > 2 { String::new() } else { format!("block {}: ", i + 1) };
            let words = format!("{number}{}", Seconds(to - from));
            plot.below.push(Label::new(x((from + to) / 2.0), words));
        }
        left = x(to + MARGIN) + GAP;
    }
    if let Some(idle) = idle {
        let y = axis.height(idle.0);
        plot.draw(Shape::Line((0.0, y), (100.0, y)), "idle");
        plot.caption += &format!("; dashed: {idle} idle");
    }
    plot.words = format!(
        "power of {} by {} ({scope}), {} readings in {} blocks: mean {mean}, all windows {}",
        view.row.label(),
        info.kind,
        measured.total.samples,
        blocks.len(),
        measured.total.gross,
    );
    Some(plot)
}

/// Time and power. For a counter, mean power between two changes.
fn over_time(info: &SourceInfo, readings: &Readings) -> Vec<Point> {
    let all = readings.stamped();
    let all = all.iter().map(|r| ((r.before.0 + r.after.0) / 2.0, &r.values));
    if let Quantity::Power { .. } = info.quantity {
        return all.map(|(t, values)| (t, values.iter().sum())).collect();
    }
    let mut changes: Vec<(f64, &Vec<f64>)> = all.collect();
    changes.dedup_by(|new, old| new.1 == old.1);
    let mean = |pair: &[(f64, &Vec<f64>)]| {
        let ((before, old), (t, new)) = (pair[0], pair[1]);
        // A counter that was reset in between gives no power.
        let rises = old.iter().zip(new).all(|(old, new)| new >= old);
        let joules: f64 = old.iter().zip(new).map(|(old, new)| new - old).sum();
        (rises && t > before).then(|| ((before + t) / 2.0, joules / (t - before)))
    };
    changes.windows(2).filter_map(mean).collect()
}

/// At most `MAX_POINTS`: minimum and maximum of each chunk, so that no peak is lost.
fn thinned(points: &[Point]) -> Vec<Point> {
    if points.len() <= MAX_POINTS {
        return points.to_vec();
    }
    let by_watts = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
    let chunks = points.chunks(points.len().div_ceil(MAX_POINTS / 2));
    let ends = chunks.flat_map(|chunk| {
        let ends = [chunk.iter().min_by(by_watts), chunk.iter().max_by(by_watts)];
        let mut ends: Vec<Point> = ends.into_iter().flatten().copied().collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        ends
    });
    ends.collect()
}
