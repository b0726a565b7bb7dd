//! From a figure of one row to that of another: the ratio, its interval, its p-value.
//!
//! **What the p-value covers.** It is the chance that two rows whose device is equally fast would differ so much, if their
//! blocks are draws from one pool. Blocks of a row lie apart in time, other rows between them, so heat, clocks and
//! neighbours that change within minutes are in their scatter, and so in the interval. What is the same in all blocks of
//! one run and other in the next is not: another driver, another memory layout since the start, an afternoon warmer than
//! the morning. A difference that is significant is one between these two runs; that it comes of a changed kernel, only
//! runs that take turns can show. Every row is tested for itself: of 20 equal ones, one differs by chance.

use super::Change;
use crate::energy::Terms;
use crate::measure::Windows;
use crate::measure::stats::{self, Ratio};
use crate::results::derived::{Energy, RowFigures};
use crate::units::{Interval, Method, Provenance};

/// 97.5 % of a normal distribution lie below this many deviations.
const DEVIATIONS: f64 = 1.959_963_984_540_054;
/// And 99.5 % below this many.
const DEVIATIONS_99: f64 = 2.575_829_303_548_9;
/// Chooses the draws of bootstrap intervals: the same files have the same interval.
const SEED: u64 = 1;

/// Which way is worse.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Worse {
    /// A lower figure: units of work a second.
    Lower,
    /// A higher one: joules a unit of work.
    Higher,
}

/// A measured row.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub windows: &'a Windows,
    pub figures: &'a RowFigures,
    /// Whether one power was declared for all workloads.
    pub speed_only: bool,
    /// Whether the joules come from the same meter on the same machine as the other side's.
    pub one_meter: bool,
}

/// Units of work a second, of two measured rows; none if a row has no figure.
pub(super) fn throughput(base: Side, new: Side, gate: Option<f64>) -> Option<Change> {
    let value = |side: Side| side.figures.throughput?.value;
    let figures = (value(base)?, value(new)?);
    let medians = |side: Side| -> Vec<f64> {
        side.windows.rates_by_block().iter().filter_map(|block| stats::median(block)).collect()
    };
    if let Some(ratio) = stats::ratio_of_blocks(&medians(base), &medians(new)) {
        return Some(change(figures, ratio, Method::BlocksStudent, Worse::Lower, gate));
    }
    // One block tells nothing of changes from block to block.
    let (base, new) = (base.windows.rates(), new.windows.rates());
    Some(match stats::ratio_of_windows(&base, &new, SEED) {
        Some(ratio) => change(figures, ratio, Method::Bootstrap, Worse::Lower, gate),
        None => bare(figures, gate),
    })
}

/// Joules a unit of work, of two rows of one kind; or why there are none to compare. On one machine a meter is wrong by
/// the same share in both.
pub(super) fn joules(base: Side, new: Side, gate: Option<f64>) -> Result<Change, String> {
    let (a, b) = (&base.figures.energy, &new.figures.energy);
    let (of_base, of_new, scatter, one_meter) = match (a.provenance(), b.provenance()) {
        (Provenance::None, _) | (_, Provenance::None) => return Err("no energy is known".into()),
        (Provenance::Modelled, _) | (_, Provenance::Modelled) => {
            return Err("they are modelled, and ranges have no ratio".into());
        }
        (Provenance::Declared, _) if base.speed_only || new.speed_only => {
            return Err(
                "one power was declared for all workloads, so they differ as throughput does"
                    .into(),
            );
        }
        (Provenance::Declared, _) => {
            // Watts are taken as constant: a block's joules vary as its rate does.
            let figure = |e: &Energy| (e.joules_per_unit.and_then(|j| j.value).unwrap_or(0.0), 0.0);
            let scatter = (seconds_per_unit(base.windows), seconds_per_unit(new.windows));
            (figure(a), figure(b), scatter, false)
        }
        _ => {
            let one_meter = base.one_meter && new.one_meter;
            let scatter = (of_blocks(a, base.windows), of_blocks(b, new.windows));
            (own(a, one_meter), own(b, one_meter), scatter, one_meter)
        }
    };
    let figures = (of_base.0, of_new.0);
    let Some(scatter) = stats::ratio_of_blocks(&scatter.0, &scatter.1) else {
        return Ok(bare(figures, gate));
    };
    let of_meters = of_base.1.hypot(of_new.1);
    let with_blocks =
        |of_meters: f64, blocks: (f64, f64)| of_meters.hypot((blocks.1 / blocks.0).ln() / 2.0);
    let half = with_blocks(of_meters, scatter.ci95);
    let half_99 = with_blocks(of_meters * DEVIATIONS_99 / DEVIATIONS, scatter.ci99);
    let log = (figures.1 / figures.0).ln();
    let p = match half {
        0.0 => f64::from(log == 0.0),
        _ => two_sided(DEVIATIONS * log / half),
    };
    let within = |half: f64| ((log - half).exp(), (log + half).exp());
    let ratio = Ratio { value: log.exp(), ci95: within(half), ci99: within(half_99), p };
    let change = change(figures, ratio, Method::MeterUncertainty, Worse::Higher, gate);
    Ok(Change { one_meter, ..change })
}

/// A measured figure, and half of its own interval as a share of it.
fn own(energy: &Energy, one_meter: bool) -> (f64, f64) {
    let value = energy.joules_per_unit.and_then(|joules| joules.value).unwrap_or(0.0);
    let Some(measured) = &energy.measured else { return (value, 0.0) };
    let Terms { meter, window, statistical } = measured.total.terms;
    let meter = if one_meter { 0.0 } else { meter.0 };
    (value, meter.hypot(window.0).hypot(statistical.0) / measured.total.gross.0)
}

/// Joules a unit of work of each block that has a figure.
fn of_blocks(energy: &Energy, windows: &Windows) -> Vec<f64> {
    let blocks = windows.blocks().into_iter();
    let work = blocks.map(|b| windows.work[b.windows].iter().map(|w| *w as f64).sum::<f64>());
    let joules = energy.measured.iter().flat_map(|measured| &measured.blocks_gross_joules);
    joules
        .zip(work)
        .filter_map(|(joules, work)| Some((*joules)? / work))
        .filter(|per| *per > 0.0)
        .collect()
}

/// Seconds a unit of work of each block.
fn seconds_per_unit(windows: &Windows) -> Vec<f64> {
    let per = |block: crate::measure::Block| {
        let wall: f64 = windows.wall_seconds[block.windows.clone()].iter().sum();
        wall / windows.work[block.windows].iter().map(|w| *w as f64).sum::<f64>()
    };
    windows.blocks().into_iter().map(per).collect()
}

/// How often a normal value lies as far from 0, either way.
fn two_sided(z: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    2.0 * Normal::standard().sf(z.abs())
}

/// A regression is one whose 95 % interval excludes that nothing changed. It is past the gate if the 99 % interval reaches
/// past it, so that one of just the gate's size is found nearly always, and one that is surely smaller passes.
fn change(
    figures: (f64, f64),
    ratio: Ratio,
    method: Method,
    worse: Worse,
    gate: Option<f64>,
) -> Change {
    let (low, high) = ratio.ci95;
    let (below, above) = (high < 1.0, low > 1.0);
    let (regression, improvement) = match worse {
        Worse::Lower => (below, above),
        Worse::Higher => (above, below),
    };
    let reaches = |percent: f64| match worse {
        Worse::Lower => ratio.ci99.0 < 1.0 - percent / 100.0,
        Worse::Higher => ratio.ci99.1 > 1.0 + percent / 100.0,
    };
    Change {
        base: figures.0,
        new: figures.1,
        ratio: Interval::new(ratio.value, ratio.ci95, Provenance::Measured, method),
        p: Some(ratio.p),
        one_meter: false,
        regression,
        improvement,
        past_gate: gate.map(|percent| regression && reaches(percent)),
    }
}

/// Without an interval nothing is known to be a regression.
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
