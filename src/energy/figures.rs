//! One source over the blocks of a row. A block without a figure costs its windows, not the row.

use super::integral::narrow;
use super::response::response;
use super::{
    Check, EnergyError, Integral, LoadStep, Quantity, Response, SourceInfo, Stamped, agreement,
    integrate,
};
use crate::units::Joules;

/// What a source makes of each block of a row.
#[derive(Clone, Debug)]
pub struct Figures {
    /// What was read.
    pub source: SourceInfo,
    /// How it answered to the load; why there is no figure if it did not.
    pub response: Result<Response, EnergyError>,
    /// A figure for each block, or why there is none.
    pub blocks: Vec<Result<Integral, EnergyError>>,
}

impl Figures {
    /// Integrates readings over the measured parts of blocks, on the same clock, if the source answers to the load.
    pub fn of(source: &SourceInfo, readings: &[Stamped], steps: &[LoadStep]) -> Figures {
        let response = response(source, readings, steps);
        let figure = |step: &LoadStep| {
            let response = response.as_ref().map_err(EnergyError::clone)?;
            let stretch = step.measured.later(response.shift());
            let mut figure = integrate(source, readings, stretch)?;
            if response.late {
                // Both ends move the same way: what one end loses of the load the other gains, or the idle time does.
                let step = (response.load - response.idle).0.max(0.0);
                let moved = step * response.lag_half_width.0;
                figure.terms.window = Joules(figure.terms.window.0.hypot(moved));
            }
            if let Some(busy) = step.busy {
                let duty = duty(source, &figure);
                let in_step = unseen_share(duty, 1.0 - busy) * response.contrast();
                figure.terms.meter = Joules(figure.terms.meter.0.hypot(figure.gross.0 * in_step));
            }
            narrow(figure)
        };
        let blocks = steps.iter().map(figure).collect();
        Figures { source: source.clone(), response, blocks }
    }

    /// All blocks that have a figure; `None` if none has.
    pub fn together(&self) -> Option<Integral> {
        self.where_also(self)
    }

    /// All blocks that have a figure here and in `other`.
    fn where_also(&self, other: &Figures) -> Option<Integral> {
        let pairs = self.blocks.iter().zip(&other.blocks);
        let parts: Vec<&Integral> = pairs
            .filter_map(|(figure, other)| figure.as_ref().ok().filter(|_| other.is_ok()))
            .collect();
        Integral::together(&parts)
    }

    /// Why the first block without a figure has none.
    pub fn absence(&self) -> String {
        let why = self.blocks.iter().find_map(|figure| figure.as_ref().err());
        why.map_or("nothing was measured".into(), EnergyError::to_string)
    }

    /// Compares each of these sources with the others.
    pub fn checks(all: &[Figures]) -> Vec<Vec<Check>> {
        let of = |i: usize, own: &Figures| {
            let others = all.iter().enumerate().filter(|(j, _)| *j != i);
            others
                .filter_map(|(_, other)| {
                    let (ours, theirs) = (own.where_also(other)?, other.where_also(own)?);
                    agreement::check((&own.source, &ours), (&other.source, &theirs))
                })
                .collect()
        };
        all.iter().enumerate().map(|(i, own)| of(i, own)).collect()
    }
}

/// The share of time that a source's sensor looks at.
fn duty(source: &SourceInfo, figure: &Integral) -> f64 {
    /// Even a reading of a moment is the mean of some milliseconds.
    const LEAST: f64 = 0.25;
    match source.quantity {
        Quantity::Counter { duty, .. } => duty,
        Quantity::Power { averaging } => {
            let period = source.update_period.or(figure.period).map_or(averaging.0, |p| p.0);
            (averaging.0 / period).clamp(LEAST, 1.0)
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
