//! What the sources of a row make of its blocks. A block without a figure costs its windows, not the row; sources that
//! contradict each other are not believed. A pure function of readings and load steps, for the run and for the reader of a result.

use super::agreement::check;
use super::integral::narrow;
use super::response::response;
use super::{
    CrossCheck, Integral, LoadStep, NoFigure, Quantity, Response, Rules, SourceInfo, Stamped,
    integrate,
};
use crate::units::Joules;

/// A source that was read, and where.
pub struct Read<'a> {
    /// Its place in the manifest.
    pub place: usize,
    /// What it is.
    pub info: &'a SourceInfo,
    /// What it said around the blocks.
    pub readings: Vec<Stamped>,
}

/// What a source makes of a row.
#[derive(Clone, Debug)]
pub struct Figures {
    /// How it answered to the load; why there is no figure if it did not.
    pub response: Result<Response, NoFigure>,
    /// A figure for each block, or why there is none.
    pub blocks: Vec<Result<Integral, NoFigure>>,
    /// All blocks with a figure together, or why there is none.
    pub total: Result<Integral, NoFigure>,
    /// This source held against the others that have figures.
    pub checks: Vec<CrossCheck>,
}

/// What each of the sources of a row makes of its blocks.
pub fn figures(rules: &Rules, sources: &[Read], steps: &[LoadStep]) -> Vec<Figures> {
    let mut all: Vec<Figures> =
        sources.iter().map(|source| Figures::of(rules, source, steps)).collect();
    let against = |all: &[Figures], i: usize, j: usize| {
        let (ours, theirs) = (all[i].where_also(&all[j])?, all[j].where_also(&all[i])?);
        let (own, other) = (&sources[i], &sources[j]);
        check(rules, (own.info, &ours), (other.info, &theirs), other.place)
    };
    let others = |i: usize| (0..sources.len()).filter(move |j| *j != i);
    let contradicted: Vec<Option<NoFigure>> = (0..sources.len())
        .map(|i| {
            let found = others(i).filter_map(|j| against(&all, i, j)).find(|c| c.rejects)?.check;
            let factor = found.ratio.max(1.0 / found.ratio);
            Some(NoFigure::Contradicted { by: found.with, factor })
        })
        .collect();
    for (own, why) in all.iter_mut().zip(contradicted) {
        if let Some(why) = why {
            own.total = Err(why);
        }
    }
    for i in 0..sources.len() {
        let believed = |j: &usize| all[i].total.is_ok() && all[*j].total.is_ok();
        let checks = others(i).filter(believed).filter_map(|j| against(&all, i, j));
        all[i].checks = checks.map(|checked| checked.check).collect();
    }
    all
}

impl Figures {
    /// Integrates readings over the measured parts of blocks, on the same clock, if the source answers to the load.
    pub fn of(rules: &Rules, source: &Read, steps: &[LoadStep]) -> Figures {
        let Read { info, readings, .. } = source;
        let response = response(rules, info, readings, steps);
        let figure = |step: &LoadStep| {
            let response = response.as_ref().map_err(NoFigure::clone)?;
            let stretch = step.measured.later(response.shift());
            let mut figure = integrate(rules, info, readings, stretch)?;
            if response.late {
                // Both ends move the same way: what one end loses of the load the other gains, or the idle time does.
                let step = (response.load - response.idle).0.max(0.0);
                let moved = step * response.lag_half_width.0;
                figure.terms.window = Joules(figure.terms.window.0.hypot(moved));
            }
            if let Some(busy) = step.busy {
                let duty = duty(rules, info, &figure);
                let in_step = unseen_share(duty, 1.0 - busy) * response.contrast();
                figure.terms.meter = Joules(figure.terms.meter.0.hypot(figure.gross.0 * in_step));
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

    /// All blocks that have a figure here and in `other`.
    fn where_also(&self, other: &Figures) -> Option<Integral> {
        let pairs = self.blocks.iter().zip(&other.blocks);
        let parts: Vec<&Integral> = pairs
            .filter_map(|(figure, other)| figure.as_ref().ok().filter(|_| other.is_ok()))
            .collect();
        Integral::together(&parts)
    }
}

/// The share of time that a source's sensor looks at.
fn duty(rules: &Rules, source: &SourceInfo, figure: &Integral) -> f64 {
    match source.quantity {
        Quantity::Counter { duty, .. } => duty,
        Quantity::Power { averaging } => {
            let share = match source.update_period.or(figure.period) {
                Some(period) => averaging.0 / period.0,
                None if averaging.0 > 0.0 => 1.0,
                None => rules.least_duty,
            };
            // What is no number is the least too.
            share.max(rules.least_duty).min(1.0)
        }
    }
}

/// A sensor that looks a share `duty` of the time, in step with a load that is idle a share `idle` of the time, may meet
/// the idle part more or less often than it occurs: by this share of the time at most.
fn unseen_share(duty: f64, idle: f64) -> f64 {
    let idle = idle.clamp(0.0, 1.0);
    let most = (idle / duty).min(1.0);
    let least = ((idle - (1.0 - duty)) / duty).max(0.0);
    (most - idle).max(idle - least)
}

#[cfg(test)]
mod tests {
    use super::unseen_share;

    #[test]
    fn a_part_time_sensor_in_step_with_the_load_may_miss_its_gaps() {
        assert_eq!(unseen_share(1.0, 0.3), 0.0);
        assert_eq!(unseen_share(0.25, 0.0), 0.0);
        // Half of the time idle: it sees only load, or only gaps.
        assert_eq!(unseen_share(0.25, 0.5), 0.5);
        // 2 % gaps, all of them in its sight: 8 %, not 2 %.
        assert!((unseen_share(0.25, 0.02) - 0.06).abs() < 1e-12);
    }
}
