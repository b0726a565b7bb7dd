//! The meter says what a stretch of time took: it integrates what was read, holds sources against each other, and takes
//! off what the machine draws at rest.

use super::sampling::{Sampler, Sampling};
use super::{
    Check, EnergyError, Integral, Provenance, Quantity, Scope, SourceInfo, Stamped, Stated,
};
use super::{agreement, integrate};
use crate::device::DeviceId;
use crate::units::{Joules, Seconds, Watts};

/// What a source makes of a stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub enum Energy {
    /// A source was read.
    Measured(Box<Measured>),
    /// From watts that a user typed.
    Declared {
        /// What they cover.
        scope: Scope,
        /// All that the scope drew, idle draw included.
        gross: Joules,
        /// Whether the user typed them for this workload, or once for all.
        own: bool,
    },
    /// An interval; it has no point value, here or anywhere after.
    Modelled {
        /// What it covers.
        scope: Scope,
        /// No less than this.
        low: Joules,
        /// No more than this.
        high: Joules,
        /// Where the bounds come from.
        basis: String,
    },
    /// Nothing is known.
    None {
        /// Why.
        reason: String,
    },
}

/// Joules that were measured, with all that a reader needs to judge them.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What was read.
    pub source: SourceInfo,
    /// What came of it.
    pub integral: Integral,
    /// What it draws at rest, if that was taken.
    pub idle: Option<Idle>,
    /// This source held against the others.
    pub checks: Vec<Check>,
    /// The readings, on a clock that is 0 where the stretch begins, with some of before and after.
    pub readings: Vec<Stamped>,
    /// Reads that gave nothing.
    pub failed: usize,
    /// Share of one processor core that reading took.
    pub cost: f64,
}

impl Measured {
    /// Counter or samples.
    pub fn provenance(&self) -> Provenance {
        match self.source.quantity {
            Quantity::Counter { .. } => Provenance::MeasuredCounter,
            Quantity::Power { .. } => Provenance::MeasuredSampled,
        }
    }
}

/// Power at rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Idle {
    /// Mean power.
    pub power: Watts,
    /// Half of its 95 % interval.
    pub half_width: Watts,
    /// How long it was taken.
    pub seconds: Seconds,
}

/// Ends are known this well, as a share of the figure, or a run goes on.
const GOOD_ENDS: f64 = 0.02;
/// Readings that are kept of before and after a stretch.
const MARGIN: f64 = 30.0;

/// What covers one row: sources that are read, and what is stated.
pub struct Meter<'a> {
    clock: &'a Sampling,
    samplers: Vec<&'a Sampler>,
    stated: Vec<Stated>,
    /// Why nothing is known, should nothing be.
    absence: String,
}

impl<'a> Meter<'a> {
    /// A meter of a device's work: whatever is read of it, and what is stated. `absence` says why there is nothing of
    /// either, should there be nothing.
    pub fn new(
        sampling: &'a Sampling,
        device: &DeviceId,
        stated: Vec<Stated>,
        absence: &str,
    ) -> Meter<'a> {
        Meter {
            clock: sampling,
            samplers: sampling.of(device),
            stated,
            absence: absence.to_string(),
        }
    }

    /// Time on the meter's clock.
    pub fn now(&self) -> Seconds {
        self.clock.now()
    }

    /// Whether a stretch that began then is long enough for what is read: a longer one would be known no better at
    /// its ends.
    pub fn is_settled(&self, from: Seconds) -> bool {
        let now = self.now();
        let good = |sampler: &&Sampler| {
            let figure = integrate(&sampler.info, &sampler.log().readings, from, now);
            figure.is_ok_and(|i| i.terms.window.0 <= GOOD_ENDS * i.gross.0)
        };
        self.samplers.is_empty() || self.samplers.iter().any(good)
    }

    /// What every source makes of the time between two moments; never empty. Waits for counters to move once more,
    /// unless `stop` says so.
    pub fn between(
        &self,
        from: Seconds,
        to: Seconds,
        stop: &mut dyn FnMut() -> bool,
    ) -> Vec<Energy> {
        self.clock.wait_for_updates(&self.samplers, to, stop);
        let mut energy = measured(&self.samplers, from, to);
        energy.extend(self.stated.iter().map(|stated| match stated {
            Stated::Declared { watts, scope, own } => {
                Energy::Declared { scope: *scope, gross: *watts * (to - from), own: *own }
            }
            Stated::Modelled { low, high, scope, basis } => Energy::Modelled {
                scope: *scope,
                low: *low * (to - from),
                high: *high * (to - from),
                basis: basis.clone(),
            },
        }));
        if energy.is_empty() {
            energy.push(Energy::None { reason: self.absence.clone() });
        }
        energy
    }
}

/// Figures of all sources, held against each other.
fn measured(samplers: &[&Sampler], from: Seconds, to: Seconds) -> Vec<Energy> {
    let near = |r: &&Stamped| r.after.0 >= from.0 - MARGIN && r.before.0 <= to.0 + MARGIN;
    let readings: Vec<Vec<Stamped>> = samplers
        .iter()
        .map(|sampler| {
            let shifted = |r: &Stamped| Stamped {
                before: r.before - from,
                after: r.after - from,
                values: r.values.clone(),
            };
            sampler.log().readings.iter().filter(near).map(shifted).collect()
        })
        .collect();
    let figures: Vec<Result<Integral, EnergyError>> = samplers
        .iter()
        .zip(&readings)
        .map(|(sampler, readings)| integrate(&sampler.info, readings, Seconds(0.0), to - from))
        .collect();
    let mut energy = Vec::new();
    for (i, (sampler, figure)) in samplers.iter().zip(&figures).enumerate() {
        let integral = match figure {
            Ok(integral) => integral,
            Err(error) => {
                let lost = sampler.log().failed.last().map(|(_, why)| format!("; {why}"));
                energy.push(Energy::None {
                    reason: format!("{}: {error}{}", sampler.info.kind, lost.unwrap_or_default()),
                });
                continue;
            }
        };
        let others = samplers.iter().zip(&figures).enumerate().filter(|(j, _)| *j != i);
        let checks: Vec<Check> = others
            .filter_map(|(_, (other, figure))| {
                agreement::check((&sampler.info, integral), (&other.info, figure.as_ref().ok()?))
            })
            .collect();
        if let Some(check) = checks.iter().find(|check| check.rejects) {
            let why = check.complaint.clone().unwrap_or_default();
            energy.push(Energy::None { reason: format!("{why}: neither is believed") });
            continue;
        }
        let log = sampler.log();
        let inside = |at: &Seconds| *at >= from && *at <= to;
        let elapsed = log.readings.last().map_or(1.0, |r| r.after.0);
        energy.push(Energy::Measured(Box::new(Measured {
            source: sampler.info.clone(),
            integral: integral.clone(),
            idle: sampler.idle,
            checks,
            readings: readings[i].clone(),
            failed: log.failed.iter().filter(|(at, _)| inside(at)).count(),
            cost: log.cost.0 / elapsed,
        })));
    }
    energy
}
