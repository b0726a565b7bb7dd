//! The change of a figure between two rows: ratio, confidence interval and p-value.
//!
//! **What the p-value covers.** It is the probability of such a difference between two equally fast rows, if their blocks are drawn from
//! one population. Blocks of a row are separated in time, with other rows between them. The interval therefore includes effects that
//! change within minutes: temperature, clocks, other tenants. It does not include effects that are constant within a run but differ
//! between runs: another driver, another memory layout, a warmer afternoon. A significant difference is one between these two runs;
//! only interleaved runs can attribute it to a changed kernel. There is no correction for multiple comparisons: of 20 equal rows, one
//! differs by chance.

use super::comparison::Change;
use crate::energy::Terms;
use crate::measure::stats::{self, Ratio};
use crate::measure::{Block, Windows};
use crate::results::View;
use crate::results::derived::Energy;
use crate::results::manifest::Source;
use crate::units::{Interval, Method, Provenance};
use statrs::distribution::{ContinuousCDF, Normal};

/// The 97.5 % quantile of the normal distribution.
const Z_975: f64 = 1.959_963_984_540_054;
/// The 99.5 % quantile of the normal distribution.
const Z_995: f64 = 2.575_829_303_548_9;
/// Seed of bootstrap intervals: the same files give the same interval.
const SEED: u64 = 1;

/// The direction of a regression.
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    /// Lower figures are worse: units of work per second.
    Lower,
    /// Higher figures are worse: joules per unit of work.
    Higher,
}

/// The change of units of work per second between two measured rows; `None` if a row has no windows.
pub(super) fn throughput(base: View, new: View, gate: Option<f64>) -> Option<Change> {
    let value = |view: View| view.figures.throughput?.value;
    let figures = (value(base)?, value(new)?);
    let (base, new) = (base.row.windows.as_ref()?, new.row.windows.as_ref()?);
    let medians = |windows: &Windows| -> Vec<f64> {
        windows.rates_by_block().iter().filter_map(|block| stats::median(block)).collect()
    };
    if let Some(ratio) = stats::ratio_of_blocks(&medians(base), &medians(new)) {
        return Some(change(figures, ratio, Method::BlocksStudent, Direction::Lower, gate));
    }
    // A single block does not show the scatter between blocks.
    Some(match stats::ratio_of_windows(&base.rates(), &new.rates(), SEED) {
        Some(ratio) => change(figures, ratio, Method::Bootstrap, Direction::Lower, gate),
        None => bare(figures, gate),
    })
}

/// The change of joules per unit of work between two comparable rows, or the reason it is missing. On one machine, a meter's error is the same
/// share in both rows and cancels.
pub(super) fn joules(base: View, new: View, gate: Option<f64>) -> Result<Change, String> {
    let meters = (base.source().and_then(Source::meter), new.source().and_then(Source::meter));
    let one_machine = base.device == new.device && base.manifest().host == new.manifest().host;
    let one_meter = one_machine && meters.0.is_some() && meters.0 == meters.1;
    let (a, b) = (&base.figures.energy, &new.figures.energy);
    match (a.provenance(), b.provenance()) {
        (Provenance::None, _) | (_, Provenance::None) => return Err("no energy is known".into()),
        (Provenance::Modelled, _) | (_, Provenance::Modelled) => {
            return Err("they are modelled, and ranges have no ratio".into());
        }
        (Provenance::Declared, _) if base.is_speed_only() || new.is_speed_only() => {
            return Err(
                "one power was declared for all workloads, so they differ as throughput does"
                    .into(),
            );
        }
        _ => {}
    }
    let declared = a.provenance() == Provenance::Declared;
    let scatter = |view| if declared { seconds_per_unit(view) } else { joules_per_unit(view) };
    let (of_base, of_new) = (with_half_width(a, one_meter), with_half_width(b, one_meter));
    let figures = (of_base.0, of_new.0);
    let Some(scatter) = stats::ratio_of_blocks(&scatter(base), &scatter(new)) else {
        return Ok(bare(figures, gate));
    };
    let of_meters = of_base.1.hypot(of_new.1);
    let with_blocks =
        |of_meters: f64, blocks: (f64, f64)| of_meters.hypot((blocks.1 / blocks.0).ln() / 2.0);
    let half = with_blocks(of_meters, scatter.ci95);
    let half_99 = with_blocks(of_meters * Z_995 / Z_975, scatter.ci99);
    let log = (figures.1 / figures.0).ln();
    let p = match half {
        0.0 => f64::from(log == 0.0),
        _ => 2.0 * Normal::standard().sf((Z_975 * log / half).abs()),
    };
    let within = |half: f64| ((log - half).exp(), (log + half).exp());
    let ratio = Ratio { value: log.exp(), ci95: within(half), ci99: within(half_99), p };
    let change = change(figures, ratio, Method::MeterUncertainty, Direction::Higher, gate);
    Ok(Change { one_meter, ..change })
}

/// A measured figure, and the half-width of its interval as a share of it. `one_meter` leaves out the meter's accuracy, which cancels.
fn with_half_width(energy: &Energy, one_meter: bool) -> (f64, f64) {
    let value = energy.joules_per_unit.and_then(|joules| joules.value).unwrap_or(0.0);
    let Some(measured) = &energy.measured else { return (value, 0.0) };
    let Terms { meter, window, statistical } = measured.total.terms;
    let meter = if one_meter { 0.0 } else { meter.0 };
    (value, meter.hypot(window.0).hypot(statistical.0) / measured.total.gross.0)
}

/// Joules per unit of work of each block that has a figure.
fn joules_per_unit(view: View) -> Vec<f64> {
    let measured = view.figures.energy.measured.iter();
    let joules = measured.flat_map(|measured| &measured.blocks_gross_joules);
    let per_unit =
        joules.zip(blocks(view)).filter_map(|(joules, (_, work))| Some((*joules)? / work));
    per_unit.filter(|per_unit| *per_unit > 0.0).collect()
}

/// Seconds per unit of work of each block.
fn seconds_per_unit(view: View) -> Vec<f64> {
    blocks(view).into_iter().map(|(wall, work)| wall / work).collect()
}

/// Wall time and work of each block.
fn blocks(view: View) -> Vec<(f64, f64)> {
    let sums = |windows: &Windows| {
        let sum = |Block { windows: all, .. }: Block| {
            let work = windows.work[all.clone()].iter().map(|work| *work as f64);
            (windows.wall_seconds[all].iter().sum(), work.sum())
        };
        windows.blocks().into_iter().map(sum).collect()
    };
    view.row.windows.as_ref().map(sums).unwrap_or_default()
}

/// A change is a regression if its 95 % interval excludes 1. It is past the gate if its 99 % interval extends beyond the gate: a regression
/// of just the gate's size is nearly always found, and a significantly smaller one passes.
fn change(
    figures: (f64, f64),
    ratio: Ratio,
    method: Method,
    worse: Direction,
    gate: Option<f64>,
) -> Change {
    let (below, above) = (ratio.ci95.1 < 1.0, ratio.ci95.0 > 1.0);
    let (regression, improvement) = match worse {
        Direction::Lower => (below, above),
        Direction::Higher => (above, below),
    };
    let reaches = |percent: f64| match worse {
        Direction::Lower => ratio.ci99.0 < 1.0 - percent / 100.0,
        Direction::Higher => ratio.ci99.1 > 1.0 + percent / 100.0,
    };
    Change {
        ratio: Interval::new(ratio.value, ratio.ci95, Provenance::Measured, method),
        p: Some(ratio.p),
        regression,
        improvement,
        past_gate: gate.map(|percent| regression && reaches(percent)),
        ..bare(figures, gate)
    }
}

/// A change without an interval, which is never a regression.
fn bare(figures: (f64, f64), gate: Option<f64>) -> Change {
    Change {
        base: figures.0,
        new: figures.1,
        ratio: Interval::bare(figures.1 / figures.0, Provenance::Measured, Method::OrderStatistics),
        p: None,
        one_meter: false,
        regression: false,
        improvement: false,
        past_gate: gate.map(|_| false),
    }
}
