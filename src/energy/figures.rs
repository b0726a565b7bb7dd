//! The energy figures of a row's blocks, one set per source. A block without a figure loses its windows, not the row; contradicting
//! sources are rejected. A pure function of readings and load steps, used by the run and by the reader of a result.

use super::agreement::check;
use super::integral::narrow;
use super::response::response;
use super::{
    CrossCheck, Integral, LoadStep, NoFigure, Quantity, Response, Rules, SourceInfo, Stamped,
    integrate,
};
use crate::units::Joules;

/// A source and its readings.
pub struct Read<'a> {
    /// Index of the source in the manifest.
    pub place: usize,
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

/// The figures of every source of a row.
pub fn figures(rules: &Rules, sources: &[Read], steps: &[LoadStep]) -> Vec<Figures> {
    let mut all: Vec<Figures> =
        sources.iter().map(|source| Figures::of(rules, source, steps)).collect();
    let compare = |all: &[Figures], i: usize, j: usize| {
        let (sum, other_sum) = (all[i].common_sum(&all[j])?, all[j].common_sum(&all[i])?);
        let (this, other) = (&sources[i], &sources[j]);
        check(rules, (this.info, &sum), (other.info, &other_sum), other.place)
    };
    let others = |i: usize| (0..sources.len()).filter(move |j| *j != i);
    let contradicted: Vec<Option<NoFigure>> = (0..sources.len())
        .map(|i| {
            let found = others(i).filter_map(|j| compare(&all, i, j)).find(|c| c.rejects)?.check;
            let factor = found.ratio.max(1.0 / found.ratio);
            Some(NoFigure::Contradicted { by: found.with, factor })
        })
        .collect();
    for (source, why) in all.iter_mut().zip(contradicted) {
        if let Some(why) = why {
            source.total = Err(why);
        }
    }
    for i in 0..sources.len() {
        let believed = |j: &usize| all[i].total.is_ok() && all[*j].total.is_ok();
        let checks = others(i).filter(believed).filter_map(|j| compare(&all, i, j));
        all[i].checks = checks.map(|checked| checked.check).collect();
    }
    all
}

impl Figures {
    /// Integrates readings over the measured part of each block, if the source responds to the load. All times share one clock.
    pub fn of(rules: &Rules, source: &Read, steps: &[LoadStep]) -> Figures {
        let Read { info, readings, .. } = source;
        let response = response(rules, info, readings, steps);
        let figure = |step: &LoadStep| {
            let response = response.as_ref().map_err(NoFigure::clone)?;
            let stretch = step.measured.later(response.shift());
            let mut figure = integrate(rules, info, readings, stretch)?;
            if response.late {
                // A wrong lag shifts both ends by the same time: the net error is at most that time at the step from idle to load.
                let step = (response.load - response.idle).0.max(0.0);
                let moved = step * response.lag_half_width.0;
                figure.terms.window = Joules(figure.terms.window.0.hypot(moved));
            }
            if let Some(busy) = step.busy {
                let duty = duty(rules, info, &figure);
                let aliasing = aliasing_error(duty, 1.0 - busy) * response.contrast();
                figure.terms.meter = Joules(figure.terms.meter.0.hypot(figure.gross.0 * aliasing));
            }
            narrow(rules, figure)
        };
        let blocks: Vec<Result<Integral, NoFigure>> = steps.iter().map(figure).collect();
        let known: Vec<&Integral> = blocks.iter().flatten().collect();
        let total = Integral::together(&known).ok_or_else(|| {
            let why = blocks.iter().find_map(|figure| figure.as_ref().err());
            why.cloned().unwrap_or(NoFigure::NothingMeasured)
        });
        Figures { response, blocks, total, checks: Vec::new() }
    }

    /// Sum of the blocks that have a figure both here and in `other`.
    fn common_sum(&self, other: &Figures) -> Option<Integral> {
        let pairs = self.blocks.iter().zip(&other.blocks);
        let parts: Vec<&Integral> = pairs
            .filter_map(|(figure, other)| figure.as_ref().ok().filter(|_| other.is_ok()))
            .collect();
        Integral::together(&parts)
    }
}

/// Duty cycle of a source's sensor: the share of time that it samples.
fn duty(rules: &Rules, source: &SourceInfo, figure: &Integral) -> f64 {
    match source.quantity {
        Quantity::Counter { duty, .. } => duty,
        Quantity::Power { averaging } => {
            let share = match source.update_period.or(figure.period) {
                Some(period) => averaging.0 / period.0,
                None if averaging.0 > 0.0 => 1.0,
                None => rules.least_duty,
            };
            // `f64::max` also turns NaN into the minimum.
            share.max(rules.least_duty).min(1.0)
        }
    }
}

/// Aliasing: a sensor with duty cycle `duty`, in step with a load that is idle a share `idle` of the time, may see too much or too
/// little of the idle part. Returns the maximum error of the idle share.
fn aliasing_error(duty: f64, idle: f64) -> f64 {
    let idle = idle.clamp(0.0, 1.0);
    let most = (idle / duty).min(1.0);
    let least = ((idle - (1.0 - duty)) / duty).max(0.0);
    (most - idle).max(idle - least)
}

#[cfg(test)]
mod tests {
    use super::aliasing_error;

    #[test]
    fn part_time_sensor_aliases_with_the_load() {
        assert_eq!(aliasing_error(1.0, 0.3), 0.0);
        assert_eq!(aliasing_error(0.25, 0.0), 0.0);
        // Idle half of the time: the sensor may see only load, or only idle time.
        assert_eq!(aliasing_error(0.25, 0.5), 0.5);
        // Idle 2 % of the time, all of it seen: 8 % instead of 2 %.
        assert!((aliasing_error(0.25, 0.02) - 0.06).abs() < 1e-12);
    }
}
