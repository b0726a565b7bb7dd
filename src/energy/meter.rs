//! The meter of a row: the sources that cover it, when a block is long enough for all of them, and their readings.

use super::figures::{Figures, Read, figures, integrate};
use super::integral::{MARGIN, TimeSpan};
use super::response::{LoadStep, response};
use super::sampling::{Log, Sampler, Sampling};
use super::{NoFigure, Quantity, Readings, Rules, Stamped};
use crate::device::DeviceId;
use crate::units::{Joules, Seconds, Watts};

/// A block continues until the uncertainty from its end points is below this share of its energy.
const MAX_ENDPOINT_ERROR: f64 = 0.02;

/// Minimum idle time before a metered block: a short burst of another process must not look like the load.
const MIN_REST: f64 = 0.5;
/// Maximum idle time before a block, and maximum block length, in seconds, for the sake of a slow source.
const MAX_REST: f64 = 10.0;
const MAX_BLOCK: f64 = 30.0;

/// The sources that cover one row.
pub struct Meter<'a> {
    clock: &'a Sampling,
    samplers: Vec<&'a Sampler>,
}

impl<'a> Meter<'a> {
    /// A meter of all sources that cover a device.
    pub fn new(sampling: &'a Sampling, device: &DeviceId) -> Meter<'a> {
        Meter { clock: sampling, samplers: sampling.covering(device).collect() }
    }

    /// Time on the meter's clock.
    pub fn now(&self) -> Seconds {
        self.clock.now()
    }

    /// Whether a time span from `from` to now is long enough for every source: its end points are known well enough. Sources that no
    /// longer answer are not waited for.
    pub fn is_settled(&self, from: Seconds) -> bool {
        let span = TimeSpan { from, to: self.now() };
        self.samplers.iter().all(|sampler| {
            let log = sampler.log.lock();
            log.last_read().is_none()
                || integrate(&Rules::CURRENT, &sampler.info, &log.readings, span)
                    .is_ok_and(|i| i.terms.window.0 <= MAX_ENDPOINT_ERROR * i.gross.0)
        })
    }

    /// Mean power over a short time span, for a sample, from the first source with enough readings; `None` without such a source.
    pub fn power(&self, span: TimeSpan) -> Option<Watts> {
        self.samplers.iter().find_map(|sampler| {
            let log = sampler.log.lock();
            let readings: Vec<&Stamped> =
                log.readings.iter().filter(|r| span.contains(r)).collect();
            let (first, last) = (readings.first()?, readings.last()?);
            let total = |r: &Stamped| r.values.iter().sum::<f64>();
            if let Quantity::Power { .. } = sampler.info.quantity {
                let sum: f64 = readings.iter().map(|r| total(r)).sum();
                return Some(Watts(sum / readings.len() as f64));
            }
            let (joules, seconds) = (total(last) - total(first), last.after - first.after);
            (joules > 0.0).then(|| Joules(joules) / seconds)
        })
    }

    /// Waits for counters to tick once more after a moment, unless `stop` returns true.
    pub fn wait_for_ticks(&self, moment: Seconds, stop: &mut dyn FnMut() -> bool) {
        self.clock.wait_for_updates(&self.samplers, moment, stop);
    }

    /// How long the device must be idle before a block for every source to show idle power: its averaging time and three updates.
    pub fn rest(&self) -> Seconds {
        self.longest(rest)
    }

    /// Minimum length of a block's measured part for every source to have a figure.
    pub fn shortest_block(&self) -> Seconds {
        self.longest(|sampler| sampler.needs().min(MAX_BLOCK))
    }

    fn longest(&self, seconds: impl Fn(&Sampler) -> f64) -> Seconds {
        Seconds(self.samplers.iter().map(|sampler| seconds(sampler)).fold(0.0, f64::max))
    }

    /// The moment until which readings of these blocks may still arrive, from a source that lags or has not responded yet. `None` if there
    /// is no such source.
    pub fn awaited(&self, blocks: &[LoadStep]) -> Option<Seconds> {
        let until = self.samplers.iter().filter_map(|sampler| awaited(sampler, blocks));
        until.reduce(f64::max).map(Seconds)
    }

    /// The readings of every source around some blocks, in the order of the sources.
    pub fn readings(&self, blocks: &[LoadStep]) -> Vec<Readings> {
        self.samplers.iter().map(|sampler| readings(sampler, blocks)).collect()
    }

    /// The figures of every source for some blocks by the current rules, in the order of the sources.
    pub fn figures(&self, blocks: &[LoadStep]) -> Vec<Figures> {
        let read = |sampler: &&'a Sampler| {
            let readings = readings(sampler, blocks).stamped();
            Read { source_index: sampler.index, info: &sampler.info, readings }
        };
        let sources: Vec<Read> = self.samplers.iter().map(read).collect();
        figures(&Rules::CURRENT, &sources, blocks)
    }
}

fn rest(sampler: &Sampler) -> f64 {
    let averaging = sampler.info.quantity.averaging();
    (averaging.0 + 3.0 * sampler.update()).clamp(MIN_REST, MAX_REST)
}

/// The moment until which readings may still arrive: of all blocks if the source lags, of the first block if it has not responded yet.
/// `None` if no readings are missing, if none could mend what there is, or if the source no longer answers.
fn awaited(sampler: &Sampler, blocks: &[LoadStep]) -> Option<f64> {
    use NoFigure::{CounterJumped, CounterReset, PossibleUnseenWrap};
    let (first, last) = (blocks.first()?, blocks.last()?);
    let (read, readings) = {
        let log = sampler.log.lock();
        (log.last_read()?, readings_around(&log, blocks))
    };
    let until = match response(&Rules::CURRENT, &sampler.info, &readings, blocks) {
        Ok(response) if response.late => {
            let lag = response.lag + response.lag_half_width;
            last.measured.to.0 + lag.0 + 2.0 * sampler.update()
        }
        // No later reading takes back what a counter did.
        Ok(_) | Err(CounterReset { .. } | CounterJumped { .. } | PossibleUnseenWrap { .. }) => {
            return None;
        }
        Err(_) => first.load_from.0 + MARGIN + rest(sampler),
    };
    Some(until).filter(|until| *until > read.0)
}

/// The readings around some blocks.
fn readings_around(log: &Log, blocks: &[LoadStep]) -> Vec<Stamped> {
    let is_near = |r: &&Stamped| blocks.iter().any(|block| block.is_near(r));
    log.readings.iter().filter(is_near).cloned().collect()
}

/// The readings around some blocks as columns, with the failed reads.
fn readings(sampler: &Sampler, blocks: &[LoadStep]) -> Readings {
    let log = sampler.log.lock();
    let inside =
        |at: &Seconds| blocks.iter().any(|b| *at >= b.measured.from && *at <= b.measured.to);
    let elapsed = log.readings.last().map_or(1.0, |r| r.after.0);
    Readings {
        failed_reads: log.failed.iter().filter(|(at, _)| inside(at)).count(),
        last_error: log.failed.last().map(|(_, why)| why.to_string()),
        sampler_core_share: (1e6 * log.cost.0 / elapsed).round() / 1e6,
        ..Readings::of(sampler.index, &sampler.info.quantity, &readings_around(&log, blocks))
    }
}
