//! The energy figures of a row's blocks, one set per source. A block without a figure loses its windows, not the row. Sources of one row
//! are compared: those of the same scope must agree, and none may show more energy than one whose scope contains it. A pure function of
//! readings and load steps, used by the run and by the reader of a result.

use super::integral::{Integral, TimeSpan};
use super::response::{LoadStep, Response, response};
use super::{NoFigure, Quantity, Rules, SourceInfo, Stamped, counter, power};
use crate::units::{Joules, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A source and its readings.
pub struct Read<'a> {
    /// Index of the source in the manifest.
    pub source_index: usize,
    /// Description of the source.
    pub info: &'a SourceInfo,
    /// Its readings around the blocks.
    pub readings: Vec<Stamped>,
}

/// The figures of one source for a row.
#[derive(Clone, Debug)]
pub struct Figures {
    /// The response to the load, or why there is no figure.
    pub response: Result<Response, NoFigure>,
    /// Figure of each block, or the reason it is missing.
    pub blocks: Vec<Result<Integral, NoFigure>>,
    /// Sum of all blocks that have a figure, or the reason it is missing.
    pub total: Result<Integral, NoFigure>,
    /// Cross-checks against the other sources with figures.
    pub checks: Vec<CrossCheck>,
}

/// Comparison of a source with another source of the same row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CrossCheck {
    /// The other source: its index in the manifest.
    pub with: usize,
    /// Joules of this source divided by joules of the other.
    pub ratio: f64,
    /// The discrepancy; null if the sources agree.
    pub finding: Option<Finding>,
}

/// A discrepancy between two sources of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Both have the same scope, but their joules differ by more than the rules allow.
    Differ,
    /// This source's scope is part of the other's, yet it shows more energy than their uncertainty explains.
    ExceedsEnclosingScope,
    /// The other source's scope is part of this one's, yet it shows more energy than their uncertainty explains.
    BelowNestedScope,
}

/// Integrates over a time span. The readings should start before it and continue for some updates after it.
///
/// # Errors
/// Why there is no figure: too few readings, gaps, garbage, or a counter reset.
pub fn integrate(
    rules: &Rules,
    info: &SourceInfo,
    readings: &[Stamped],
    span: TimeSpan,
) -> Result<Integral, NoFigure> {
    let first = readings.partition_point(|r| r.after < span.from && !span.is_near(r));
    let count = readings[first..].iter().take_while(|r| span.is_near(r)).count();
    let readings = &readings[first..first + count];
    let integral = match &info.quantity {
        Quantity::Counter { ranges, duty } => {
            counter::integrate(rules, info, ranges, *duty, readings, span)?
        }
        Quantity::Power { averaging } => power::integrate(rules, info, *averaging, readings, span)?,
    };
    if !(integral.gross.0 > 0.0 && integral.gross.0.is_finite()) {
        return Err(NoFigure::NoEnergy);
    }
    let (power, (min_power, _)) =
        (integral.gross / span.length(), rules.plausible_power(info.scope));
    if power < min_power {
        return Err(NoFigure::BelowScopeMinimum { power, scope: info.scope, least: min_power });
    }
    reject_wide_interval(rules, integral)
}

/// Returns the figure, unless its interval is too wide.
fn reject_wide_interval(rules: &Rules, figure: Integral) -> Result<Integral, NoFigure> {
    let share = figure.relative_half_width();
    if share > rules.widest { Err(NoFigure::TooUncertain { share }) } else { Ok(figure) }
}

/// The figures of every source of a row. Both of two contradicting sources are rejected.
pub fn figures(rules: &Rules, sources: &[Read], steps: &[LoadStep]) -> Vec<Figures> {
    let mut all: Vec<Figures> =
        sources.iter().map(|source| Figures::of(rules, source, steps)).collect();
    let compare = |i: usize, j: usize| {
        let sums = (all[i].common_sum(&all[j])?, all[j].common_sum(&all[i])?);
        let (check, rejects) = cross_check(rules, (&sources[i], &sums.0), (&sources[j], &sums.1))?;
        Some((j, check, rejects))
    };
    let others = |i: usize| (0..sources.len()).filter(move |j| *j != i);
    let compared: Vec<Vec<(usize, CrossCheck, bool)>> =
        (0..sources.len()).map(|i| others(i).filter_map(|j| compare(i, j)).collect()).collect();
    for (figures, checks) in all.iter_mut().zip(&compared) {
        if let Some((_, found, _)) = checks.iter().find(|(_, _, rejects)| *rejects) {
            let factor = found.ratio.max(1.0 / found.ratio);
            figures.total = Err(NoFigure::Contradicted { by: found.with, factor });
        }
    }
    for (i, checks) in compared.into_iter().enumerate() {
        let both_accepted = |j: usize| all[i].total.is_ok() && all[j].total.is_ok();
        let kept = checks.into_iter().filter(|(j, ..)| both_accepted(*j));
        all[i].checks = kept.map(|(_, check, _)| check).collect();
    }
    all
}

/// Compares a source with another, and returns whether that rejects both; `None` if their scopes are disjoint.
fn cross_check(
    rules: &Rules,
    (this, integral): (&Read, &Integral),
    (other, other_integral): (&Read, &Integral),
) -> Option<(CrossCheck, bool)> {
    let ratio = integral.gross.0 / other_integral.gross.0;
    // The ratio may exceed 1 by the relative uncertainty of both.
    let max_ratio = 1.0 + integral.relative_half_width() + other_integral.relative_half_width();
    let (scope, other_scope) = (this.info.scope, other.info.scope);
    let (finding, found, rejects) = if scope == other_scope {
        let factor = ratio.max(1.0 / ratio);
        (Finding::Differ, factor > 1.0 + rules.remarkable, factor > rules.contradictory)
    } else if scope.within(other_scope) {
        (Finding::ExceedsEnclosingScope, ratio > max_ratio, ratio > max_ratio)
    } else if other_scope.within(scope) {
        (Finding::BelowNestedScope, 1.0 / ratio > max_ratio, 1.0 / ratio > max_ratio)
    } else {
        return None;
    };
    let finding = found.then_some(finding);
    Some((CrossCheck { with: other.source_index, ratio, finding }, rejects))
}

impl Figures {
    /// Integrates readings over the measured part of each block, if the source responds to the load. All times share one clock.
    pub fn of(rules: &Rules, source: &Read, steps: &[LoadStep]) -> Figures {
        let Read { info, readings, .. } = source;
        let response = response(rules, info, readings, steps);
        let figure = |step: &LoadStep| {
            let response = response.as_ref().map_err(NoFigure::clone)?;
            // Readings are shifted by a lag that matters.
            let shift = if response.late { response.lag } else { Seconds(0.0) };
            let TimeSpan { from, to } = step.measured;
            let span = TimeSpan { from: from + shift, to: to + shift };
            let mut figure = integrate(rules, info, readings, span)?;
            if response.late {
                // A wrong lag shifts both ends by the same time: the net error is at most that time at the step from idle to load.
                let step = (response.load - response.idle).0.max(0.0);
                let moved = step * response.lag_half_width.0;
                figure.terms.window = Joules(figure.terms.window.0.hypot(moved));
            }
            if let Some(busy) = step.busy {
                let duty = duty(rules, info, &figure);
                // Share of the power under load that exceeds idle power.
                let contrast = (1.0 - response.idle.0 / response.load.0).clamp(0.0, 1.0);
                let aliasing = aliasing_error(duty, 1.0 - busy) * contrast;
                figure.terms.meter = Joules(figure.terms.meter.0.hypot(figure.gross.0 * aliasing));
            }
            reject_wide_interval(rules, figure)
        };
        let blocks: Vec<Result<Integral, NoFigure>> = steps.iter().map(figure).collect();
        let total = Integral::together(blocks.iter().flatten()).ok_or_else(|| {
            let why = blocks.iter().find_map(|figure| figure.as_ref().err());
            why.cloned().unwrap_or(NoFigure::NothingMeasured)
        });
        Figures { response, blocks, total, checks: Vec::new() }
    }

    /// Sum of the blocks that have a figure both here and in `other`.
    fn common_sum(&self, other: &Figures) -> Option<Integral> {
        let pairs = self.blocks.iter().zip(&other.blocks);
        Integral::together(pairs.filter(|(_, other)| other.is_ok()).flat_map(|(figure, _)| figure))
    }
}

/// Duty cycle of a source's sensor: the share of time that it samples.
fn duty(rules: &Rules, source: &SourceInfo, figure: &Integral) -> f64 {
    match source.quantity {
        Quantity::Counter { duty, .. } => duty,
        Quantity::Power { averaging } => {
            let sampled = match source.update_period.or(figure.period) {
                Some(period) => averaging.0 / period.0,
                None if averaging.0 > 0.0 => 1.0,
                None => rules.least_duty,
            };
            // `f64::max` also turns NaN into the minimum.
            sampled.max(rules.least_duty).min(1.0)
        }
    }
}

/// Aliasing: a sensor with duty cycle `duty`, in step with a load that is idle a share `idle` of the time, may see too much or too
/// little of the idle part. Returns the maximum error of the idle share.
fn aliasing_error(duty: f64, idle: f64) -> f64 {
    let idle = idle.clamp(0.0, 1.0);
    let max_seen = (idle / duty).min(1.0);
    let min_seen = ((idle - (1.0 - duty)) / duty).max(0.0);
    (max_seen - idle).max(idle - min_seen)
}
