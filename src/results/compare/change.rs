//! From a figure of one row to that of another: the ratio, its interval, its p-value.
//!
//! **What the p-value covers.** It is the chance that two rows whose device is equally fast would differ so much, if their
//! blocks are draws from one pool. Blocks of a row lie apart in time, other rows between them, so heat, clocks and
//! neighbours that change within minutes are in their scatter, and so in the interval. What is the same in all blocks of
//! one run and other in the next is not: another driver, another memory layout since the start, an afternoon warmer than
//! the morning. A difference that is significant is one between these two runs; that it comes of a changed kernel, only
//! runs that take turns can show. Every row is tested for itself: of 20 equal ones, one differs by chance.

use crate::measure::stats::{self, Ratio};
use crate::results::wire::{
    self, Change, DeclaredEnergy, Energy, MeasuredEnergy, Measurement, Window,
};

const BLOCKS: &str =
    "ratio of geometric means of the blocks' medians, Student's test of their logarithms";
const WINDOWS: &str = "ratio of medians over windows, bootstrap interval by percentiles, Mann and Whitney's p-value; \
    one block tells nothing of changes from block to block";
const TOO_FEW: &str = "ratio of medians over windows; too few for an interval";
const OF_JOULES: &str = "ratio of all joules over all work, interval and p-value of both meters' intervals and the scatter of the \
    blocks by root sum of squares";
const TOO_FEW_BLOCKS: &str = "ratio of all joules over all work; too few blocks for an interval";
const ONE_METER: &str =
    ", without the accuracy of the meter, which is the same one on the same machine";
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

/// Units of work a second, of two measured rows; none if a row has no windows.
pub(super) fn throughput(
    base: &Measurement,
    new: &Measurement,
    gate: Option<f64>,
) -> Option<Change> {
    let (base_blocks, new_blocks) = (rates(base), rates(new));
    let medians = |blocks: &[Vec<f64>]| -> Vec<f64> {
        blocks.iter().filter_map(|block| stats::median(block)).collect()
    };
    let (base_medians, new_medians) = (medians(&base_blocks), medians(&new_blocks));
    if let Some(ratio) = stats::ratio_of_blocks(&base_medians, &new_medians) {
        let figures = (geometric_mean(&base_medians), geometric_mean(&new_medians));
        return Some(change(figures, ratio, BLOCKS, Worse::Lower, gate));
    }
    let (base, new) = (base_blocks.concat(), new_blocks.concat());
    let figures = (stats::median(&base)?, stats::median(&new)?);
    Some(match stats::ratio_of_windows(&base, &new, SEED) {
        Some(ratio) => change(figures, ratio, WINDOWS, Worse::Lower, gate),
        None => bare(figures, TOO_FEW, gate),
    })
}

/// Joules a unit of work, of two rows of one kind; or why there are none to compare. On one machine a meter is wrong by
/// the same share in both.
pub(super) fn joules(
    base: &Measurement,
    new: &Measurement,
    one_machine: bool,
    gate: Option<f64>,
) -> Result<Change, String> {
    let (of_base, of_new, scatter, one_meter) = match (&base.energy, &new.energy) {
        (Energy::MeasuredCounter(a), Energy::MeasuredCounter(b))
        | (Energy::MeasuredSampled(a), Energy::MeasuredSampled(b)) => {
            let one_meter = one_machine && a.source == b.source;
            let scatter = stats::ratio_of_blocks(&of_blocks(a, base), &of_blocks(b, new));
            (own(a, one_meter), own(b, one_meter), scatter, one_meter)
        }
        (Energy::Declared(a), Energy::Declared(b)) => {
            if !(a.for_this_workload && b.for_this_workload) {
                return Err(
                    "one power was declared for all workloads, so they differ as throughput does"
                        .into(),
                );
            }
            // Watts are taken as constant: a block's joules vary as its rate does.
            let scatter = stats::ratio_of_blocks(&seconds_per_unit(base), &seconds_per_unit(new));
            let figure = |e: &DeclaredEnergy| (e.joules_per_unit.value, 0.0);
            (figure(a), figure(b), scatter, false)
        }
        (Energy::Modelled(_), Energy::Modelled(_)) => {
            return Err("they are modelled, and ranges have no ratio".into());
        }
        _ => return Err("no energy is known".into()),
    };
    let figures = (of_base.0, of_new.0);
    let Some(scatter) = scatter else {
        return Ok(bare(figures, TOO_FEW_BLOCKS, gate));
    };
    let method = format!("{OF_JOULES}{}", if one_meter { ONE_METER } else { "" });
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
    Ok(change(figures, ratio, &method, Worse::Higher, gate))
}

/// A measured figure, and half of its own interval as a share of it.
fn own(energy: &MeasuredEnergy, one_meter: bool) -> (f64, f64) {
    let wire::Uncertainty { meter_joules, window_joules, statistical_joules } = energy.uncertainty;
    let meter = if one_meter { 0.0 } else { meter_joules };
    let half = meter.hypot(window_joules).hypot(statistical_joules);
    (energy.joules_per_unit.value, half / energy.gross_joules)
}

/// The rates of each block's windows.
fn rates(m: &Measurement) -> Vec<Vec<f64>> {
    let rate = |w: &Window| w.work as f64 / w.wall_seconds;
    let blocks = m.windows.chunk_by(|a, b| a.block == b.block);
    blocks.map(|block| block.iter().map(rate).collect()).collect()
}

/// Joules a unit of work of each block that has a figure.
fn of_blocks(energy: &MeasuredEnergy, m: &Measurement) -> Vec<f64> {
    let work = m.windows.chunk_by(|a, b| a.block == b.block);
    let work = work.map(|block| block.iter().map(|w| w.work as f64).sum::<f64>());
    let joules = energy.blocks.iter().map(|block| block.gross_joules);
    joules
        .zip(work)
        .filter_map(|(joules, work)| Some(joules? / work))
        .filter(|per| *per > 0.0)
        .collect()
}

/// Seconds a unit of work of each block.
fn seconds_per_unit(m: &Measurement) -> Vec<f64> {
    let sum = |block: &[Window], part: fn(&Window) -> f64| block.iter().map(part).sum::<f64>();
    let blocks = m.windows.chunk_by(|a, b| a.block == b.block);
    blocks.map(|block| sum(block, |w| w.wall_seconds) / sum(block, |w| w.work as f64)).collect()
}

fn geometric_mean(values: &[f64]) -> f64 {
    (values.iter().map(|v| v.ln()).sum::<f64>() / values.len() as f64).exp()
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
    method: &str,
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
        ratio: ratio.value,
        ci95_low: Some(low),
        ci95_high: Some(high),
        p: Some(ratio.p),
        method: method.into(),
        regression,
        improvement,
        past_gate: gate.map(|percent| regression && reaches(percent)),
    }
}

/// Without an interval nothing is known to be a regression.
fn bare(figures: (f64, f64), method: &str, gate: Option<f64>) -> Change {
    Change {
        base: figures.0,
        new: figures.1,
        ratio: figures.1 / figures.0,
        ci95_low: None,
        ci95_high: None,
        p: None,
        method: method.into(),
        regression: false,
        improvement: false,
        past_gate: gate.map(|_| false),
    }
}
