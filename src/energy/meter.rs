//! The meter of a row: which sources cover it, when a block is long enough for all of them, and what they said.

use super::figures::{Figures, Read, figures};
use super::sampling::{Sampler, Sampling};
use super::{LoadStep, Readings, Rules, Stretch, integrate};
use crate::device::DeviceId;
use crate::units::{Seconds, Watts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Power while nothing runs: the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Idle {
    /// Mean power.
    #[serde(rename = "power_watts")]
    pub power: Watts,
    /// Half of its 95 % interval.
    #[serde(rename = "half_width_watts")]
    pub half_width: Watts,
    /// How long it was taken.
    pub seconds: Seconds,
    /// Whether it was taken again after the last row.
    pub again: bool,
}

impl Idle {
    /// A baseline before the first row and one after the last: their mean, which is known no better than they agree.
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

/// Ends are known this well, as a share of the figure, or a run goes on.
const GOOD_ENDS: f64 = 0.02;

/// The sources that are read of one row.
pub struct Meter<'a> {
    clock: &'a Sampling,
    samplers: Vec<&'a Sampler>,
}

impl<'a> Meter<'a> {
    /// A meter of a device's work: whatever is read of it.
    pub fn new(sampling: &'a Sampling, device: &DeviceId) -> Meter<'a> {
        Meter { clock: sampling, samplers: sampling.of(device) }
    }

    /// Time on the meter's clock.
    pub fn now(&self) -> Seconds {
        self.clock.now()
    }

    /// Whether a stretch that began then is long enough for all that is read: a longer one would be known no better at
    /// its ends. What no longer answers is not waited for.
    pub fn is_settled(&self, from: Seconds) -> bool {
        let stretch = Stretch { from, to: self.now() };
        let good = |sampler: &&Sampler| {
            let log = sampler.log();
            let Some(last) = log.readings.last() else { return true };
            let lost = log.failed.last().is_some_and(|(at, _)| *at > last.after);
            let figure = integrate(&Rules::V1, &sampler.info, &log.readings, stretch);
            lost || figure.is_ok_and(|i| i.terms.window.0 <= GOOD_ENDS * i.gross.0)
        };
        self.samplers.iter().all(good)
    }

    /// Mean power over a short stretch as one of the sources shows it, for a look; none if none was read often enough.
    pub fn power(&self, stretch: Stretch) -> Option<Watts> {
        self.samplers.iter().find_map(|sampler| sampler.power(stretch))
    }

    /// Waits for counters to move once more after a moment, unless `stop` says so.
    pub fn catch_up(&self, moment: Seconds, stop: &mut dyn FnMut() -> bool) {
        self.clock.wait_for_updates(&self.samplers, moment, stop);
    }

    /// How long the device must be idle before a block, so that every source shows it.
    pub fn rest(&self) -> Seconds {
        self.samplers.iter().map(|sampler| sampler.rest()).fold(Seconds(0.0), longer)
    }

    /// How long a block's measured part must be at least, so that every source can have a figure.
    pub fn shortest_block(&self) -> Seconds {
        self.samplers.iter().map(|sampler| sampler.shortest_block()).fold(Seconds(0.0), longer)
    }

    /// The moment until which readings may still be missed of these blocks: of a source that answers late, or that has not
    /// yet answered at all. `None` if there is no such source.
    pub fn awaited(&self, blocks: &[LoadStep]) -> Option<Seconds> {
        let until = |sampler: &&Sampler| sampler.awaited(blocks);
        self.samplers.iter().filter_map(until).reduce(longer)
    }

    /// What every source said around some blocks, in the order of the sources.
    pub fn readings(&self, blocks: &[LoadStep]) -> Vec<Readings> {
        self.samplers.iter().map(|sampler| sampler.readings(blocks)).collect()
    }

    /// What every source makes of some blocks together by today's rules, in the order of the sources.
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
