//! The meter says what a stretch of time took: it integrates what was read, holds sources against each other, and takes
//! off what the machine draws at rest.

use super::figures::Figures;
use super::sampling::{Sampler, Sampling};
use super::{
    Check, Integral, LoadStep, Provenance, Quantity, Response, SourceInfo, Stamped, Stated,
    Stretch, integrate,
};
use crate::device::DeviceId;
use crate::units::{Seconds, Watts};

/// What a source makes of some stretches of time together.
#[derive(Clone, Debug, PartialEq)]
pub enum Energy {
    /// A source was read.
    Measured(Box<Measured>),
    /// A user typed watts, or an interval is known. An interval has no point value, here or anywhere after.
    Stated(Stated),
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
    /// Which of the sources that are read it is, from 0: two like cards have sources that say the same of themselves.
    pub place: usize,
    /// What came of it, over the blocks that have a figure.
    pub integral: Integral,
    /// How it answered to the load.
    pub response: Response,
    /// Which of the blocks have a figure.
    pub figures: Vec<bool>,
    /// What it draws at rest, if that was taken.
    pub idle: Option<Idle>,
    /// This source held against the others.
    pub checks: Vec<Check>,
    /// The readings, on a clock that is 0 where the first stretch begins, with some of before and after each.
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

    /// Whether a stretch that began then is long enough for all that is read: a longer one would be known no better at
    /// its ends. What no longer answers is not waited for.
    pub fn is_settled(&self, from: Seconds) -> bool {
        let stretch = Stretch { from, to: self.now() };
        let good = |sampler: &&Sampler| {
            let log = sampler.log();
            let Some(last) = log.readings.last() else { return true };
            let lost = log.failed.last().is_some_and(|(at, _)| *at > last.after);
            let figure = integrate(&sampler.info, &log.readings, stretch);
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

    /// What every source makes of some blocks together, in the order of the sources; never empty.
    pub fn over(&self, blocks: &[LoadStep]) -> Vec<Energy> {
        let mut energy = measured(&self.samplers, blocks);
        energy.extend(self.stated.iter().cloned().map(Energy::Stated));
        if energy.is_empty() {
            energy.push(Energy::None { reason: self.absence.clone() });
        }
        energy
    }
}

fn longer(a: Seconds, b: Seconds) -> Seconds {
    Seconds(a.0.max(b.0))
}

/// Figures of all sources, compared with each other.
fn measured(samplers: &[&Sampler], blocks: &[LoadStep]) -> Vec<Energy> {
    let zero = blocks.first().map_or(Seconds(0.0), |first| first.measured.from);
    let shifted: Vec<LoadStep> = blocks.iter().map(|block| block.since(zero)).collect();
    let near = |r: &&Stamped| blocks.iter().any(|block| block.is_near(r));
    let readings: Vec<Vec<Stamped>> = samplers
        .iter()
        .map(|sampler| sampler.log().readings.iter().filter(near).map(|r| r.since(zero)).collect())
        .collect();
    let figures: Vec<Figures> = samplers
        .iter()
        .zip(&readings)
        .map(|(sampler, readings)| Figures::of(&sampler.info, readings, &shifted))
        .collect();
    let mut energy = Vec::new();
    let (mut believed, mut kept) = (Vec::new(), Vec::new());
    let checks = Figures::checks(&figures);
    for (((sampler, own), readings), checks) in
        samplers.iter().zip(figures).zip(readings).zip(checks)
    {
        let log = sampler.log();
        if let Some(why) = checks.into_iter().find_map(|check| check.rejection) {
            energy.push(Energy::None { reason: format!("{why}: neither is believed") });
            continue;
        }
        let (Some(integral), Ok(response)) = (own.together(), own.response.clone()) else {
            let lost = log.failed.last().map(|(_, why)| format!("; {why}")).unwrap_or_default();
            let why = own.absence();
            energy.push(Energy::None { reason: format!("{}: {why}{lost}", sampler.info.kind) });
            continue;
        };
        let inside =
            |at: &Seconds| blocks.iter().any(|b| *at >= b.measured.from && *at <= b.measured.to);
        kept.push(Measured {
            source: sampler.info.clone(),
            place: sampler.place,
            integral,
            response,
            figures: own.blocks.iter().map(Result::is_ok).collect(),
            idle: sampler.idle,
            checks: Vec::new(),
            readings,
            failed: log.failed.iter().filter(|(at, _)| inside(at)).count(),
            cost: log.cost.0 / log.readings.last().map_or(1.0, |r| r.after.0),
        });
        believed.push(own);
    }
    let checked = kept.into_iter().zip(Figures::checks(&believed));
    energy.extend(checked.map(|(m, checks)| Energy::Measured(Box::new(Measured { checks, ..m }))));
    energy
}
