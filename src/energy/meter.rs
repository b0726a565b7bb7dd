//! The meter of a row: the sources that cover it, when a block is long enough for all of them, and their readings.

use super::figures::{Figures, Read, figures};
use super::sampling::{Sampler, Sampling};
use super::{LoadStep, Readings, Rules, TimeSpan, integrate};
use crate::device::DeviceId;
use crate::units::{Seconds, Watts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Idle power: the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Idle {
    /// Mean power.
    #[serde(rename = "power_watts")]
    pub power: Watts,
    /// Half of its 95 % interval.
    #[serde(rename = "half_width_watts")]
    pub half_width: Watts,
    /// Time over which it was measured.
    pub seconds: Seconds,
    /// Whether it was measured again after the last row.
    pub again: bool,
}

impl Idle {
    /// Combines the baselines before the first and after the last row: their mean, with at least half their difference as half-width.
    pub(super) fn and(self, after: Idle) -> Idle {
        let apart = (after.power.0 - self.power.0).abs() / 2.0;
        Idle {
            power: Watts((self.power.0 + after.power.0) / 2.0),
            half_width: Watts(apart.max(self.half_width.0).max(after.half_width.0)),
            seconds: self.seconds + after.seconds,
            again: true,
        }
    }
}

/// A block continues until the uncertainty from its end points is below this share of its energy.
const GOOD_ENDS: f64 = 0.02;

/// The sources that cover one row.
pub struct Meter<'a> {
    clock: &'a Sampling,
    samplers: Vec<&'a Sampler>,
}

impl<'a> Meter<'a> {
    /// A meter of all sources that cover a device.
    pub fn new(sampling: &'a Sampling, device: &DeviceId) -> Meter<'a> {
        Meter { clock: sampling, samplers: sampling.of(device) }
    }

    /// Time on the meter's clock.
    pub fn now(&self) -> Seconds {
        self.clock.now()
    }

    /// Whether a time span from `from` to now is long enough for every source: its end points are known well enough. Sources that no
    /// longer answer are not waited for.
    pub fn is_settled(&self, from: Seconds) -> bool {
        let stretch = TimeSpan { from, to: self.now() };
        let good = |sampler: &&Sampler| {
            let log = sampler.log();
            let Some(last) = log.readings.last() else { return true };
            let lost = log.failed.last().is_some_and(|(at, _)| *at > last.after);
            let figure = integrate(&Rules::V1, &sampler.info, &log.readings, stretch);
            lost || figure.is_ok_and(|i| i.terms.window.0 <= GOOD_ENDS * i.gross.0)
        };
        self.samplers.iter().all(good)
    }

    /// Mean power over a short time span, for a look, from the first source with enough readings; `None` without such a source.
    pub fn power(&self, stretch: TimeSpan) -> Option<Watts> {
        self.samplers.iter().find_map(|sampler| sampler.power(stretch))
    }

    /// Waits for counters to tick once more after a moment, unless `stop` returns true.
    pub fn wait_for_ticks(&self, moment: Seconds, stop: &mut dyn FnMut() -> bool) {
        self.clock.wait_for_updates(&self.samplers, moment, stop);
    }

    /// How long the device must be idle before a block for every source to show idle power.
    pub fn rest(&self) -> Seconds {
        self.samplers.iter().map(|sampler| sampler.rest()).fold(Seconds(0.0), longer)
    }

    /// Minimum length of a block's measured part for every source to have a figure.
    pub fn shortest_block(&self) -> Seconds {
        self.samplers.iter().map(|sampler| sampler.shortest_block()).fold(Seconds(0.0), longer)
    }

    /// The moment until which readings of these blocks may still arrive, from a source that lags or has not responded yet. `None` if there
    /// is no such source.
    pub fn awaited(&self, blocks: &[LoadStep]) -> Option<Seconds> {
        let until = |sampler: &&Sampler| sampler.awaited(blocks);
        self.samplers.iter().filter_map(until).reduce(longer)
    }

    /// The readings of every source around some blocks, in the order of the sources.
    pub fn readings(&self, blocks: &[LoadStep]) -> Vec<Readings> {
        self.samplers.iter().map(|sampler| sampler.readings(blocks)).collect()
    }

    /// The figures of every source for some blocks by the current rules, in the order of the sources.
    pub fn figures(&self, blocks: &[LoadStep]) -> Vec<Figures> {
        let read = |sampler: &&'a Sampler| {
            let readings = sampler.readings(blocks).stamped();
            Read { place: sampler.place, info: &sampler.info, readings }
        };
        let sources: Vec<Read> = self.samplers.iter().map(read).collect();
        figures(&Rules::V1, &sources, blocks)
    }
}

fn longer(a: Seconds, b: Seconds) -> Seconds {
    Seconds(a.0.max(b.0))
}
