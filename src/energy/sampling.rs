//! Polls sources, each in its own thread: some answer slowly, and none may delay a window.

use super::figures::integrate;
use super::find::SourceBinding;
use super::integral::{TimeSpan, median_gap, shown_period};
use super::source::before_wrap;
use super::{EnergyError, EnergySource, Quantity, Rules, SourceInfo, Stamped};
use crate::device::DeviceId;
use crate::units::{Joules, Seconds, Watts};
use cpu_time::ThreadTime;
use jiff::Timestamp;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// Interval between checks whether a wait is over.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

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
    fn and(self, after: Idle) -> Idle {
        let half_difference = (after.power.0 - self.power.0).abs() / 2.0;
        Idle {
            power: Watts((self.power.0 + after.power.0) / 2.0),
            half_width: Watts(half_difference.max(self.half_width.0).max(after.half_width.0)),
            seconds: self.seconds + after.seconds,
            again: true,
        }
    }
}

/// Sources that are polled until this is dropped, on one clock.
pub struct Sampling {
    start: Instant,
    zero_at: Timestamp,
    samplers: Vec<Sampler>,
}

/// A source and its thread.
pub(super) struct Sampler {
    pub info: SourceInfo,
    /// Index among the sources.
    pub index: usize,
    /// Devices that it covers.
    pub devices: Vec<DeviceId>,
    /// Its baseline, if it was measured.
    pub idle: Option<Idle>,
    pub log: Arc<Mutex<Log>>,
    /// Dropped to stop the thread, which is not joined: an unresponsive plug may block it for seconds.
    _running: Sender<()>,
}

/// The readings of a source so far.
#[derive(Default)]
pub(super) struct Log {
    pub readings: Vec<Stamped>,
    /// Failed reads.
    pub failed: Vec<(Seconds, EnergyError)>,
    /// CPU time of the thread.
    pub cost: Seconds,
}

impl Sampling {
    /// Starts polling these sources, each at most once per `poll`, unless its counter would wrap unseen. This keeps files of long blocks
    /// small without loss of accuracy.
    pub fn start(sources: Vec<SourceBinding>, poll: Seconds) -> Sampling {
        let start = Instant::now();
        let begin = |(index, binding)| Sampler::start(binding, index, poll, start);
        let zero_at = Timestamp::now();
        Sampling { start, zero_at, samplers: sources.into_iter().enumerate().map(begin).collect() }
    }

    /// Time since the start.
    pub fn now(&self) -> Seconds {
        Seconds(self.start.elapsed().as_secs_f64())
    }

    /// System time at the start.
    pub fn zero_at(&self) -> Timestamp {
        self.zero_at
    }

    /// The sources and the devices that they cover.
    pub fn sources(&self) -> impl Iterator<Item = (&SourceInfo, &[DeviceId])> {
        self.samplers.iter().map(|sampler| (&sampler.info, &sampler.devices[..]))
    }

    /// Whether a source covers the device.
    pub fn reads(&self, device: &DeviceId) -> bool {
        self.covering(device).next().is_some()
    }

    /// The sources that cover the device.
    pub(super) fn covering(&self, device: &DeviceId) -> impl Iterator<Item = &Sampler> {
        self.samplers.iter().filter(|sampler| sampler.devices.contains(device))
    }

    /// Measures the idle power of every source; blocks for `seconds`, or longer if the slowest source needs it, but at most `longest` or
    /// until `stop` returns true. A second call is combined with the first.
    pub fn take_baseline(
        &mut self,
        seconds: Seconds,
        longest: Seconds,
        stop: &mut dyn FnMut() -> bool,
    ) {
        if self.samplers.is_empty() {
            return;
        }
        let needs = self.samplers.iter().map(|sampler| sampler.needs()).fold(seconds.0, f64::max);
        let from = self.now();
        let end = from + Seconds(needs.min(longest.0));
        while self.now() < end {
            if stop() {
                return;
            }
            sleep(POLL_INTERVAL);
        }
        let span = TimeSpan { from, to: self.now() };
        self.wait_for_updates(&self.samplers.iter().collect::<Vec<_>>(), span.to, stop);
        for sampler in &mut self.samplers {
            let figure =
                integrate(&Rules::CURRENT, &sampler.info, &sampler.log.lock().readings, span);
            let now = figure.ok().map(|figure| Idle {
                power: figure.gross / span.length(),
                half_width: figure.terms.half_width() / span.length(),
                seconds: span.length(),
                again: false,
            });
            sampler.idle = match (sampler.idle, now) {
                (Some(before), Some(after)) => Some(before.and(after)),
                (before, after) => before.or(after),
            };
        }
    }

    /// The baseline of each source, in the order of the sources; `None` if it was not measured.
    pub fn baselines(&self) -> Vec<Option<Idle>> {
        self.samplers.iter().map(|sampler| sampler.idle).collect()
    }

    /// Waits until counters have ticked after a moment, for at most their update period, or until `stop` returns true.
    pub(super) fn wait_for_updates(
        &self,
        samplers: &[&Sampler],
        moment: Seconds,
        stop: &mut dyn FnMut() -> bool,
    ) {
        let waiting =
            |sampler: &&Sampler| self.now() < moment + sampler.timeout() && !sampler.moved(moment);
        while samplers.iter().any(waiting) && !stop() {
            sleep(POLL_INTERVAL);
        }
    }
}

impl Log {
    /// Time of the last reading; `None` before the first reading and after a failed read.
    pub fn last_read(&self) -> Option<Seconds> {
        let last = self.readings.last()?.after;
        self.failed.last().is_none_or(|(at, _)| *at <= last).then_some(last)
    }
}

impl Sampler {
    /// Starts to poll a source, at most once per `min_poll` unless its counter would wrap unseen.
    fn start(binding: SourceBinding, index: usize, min_poll: Seconds, start: Instant) -> Sampler {
        let SourceBinding { source, devices } = binding;
        let mut info = source.describe();
        let mut min_poll = min_poll.0;
        if let Quantity::Counter { ranges, .. } = &info.quantity {
            let max_poll = |range: &Joules| before_wrap(*range, info.ceiling).0;
            min_poll = ranges.iter().flatten().map(max_poll).fold(min_poll, f64::min);
        }
        info.poll = Seconds(info.poll.0.max(min_poll));
        let log = Arc::new(Mutex::new(Log::default()));
        let (running, stop) = channel();
        let (thread_log, poll) = (Arc::clone(&log), info.poll);
        thread::spawn(move || sample(source, &thread_log, poll, start, &stop));
        Sampler { info, index, devices, idle: None, log, _running: running }
    }

    /// Update period: documented, or else estimated from changes, but at least the time between reads.
    pub fn update(&self) -> f64 {
        let log = self.log.lock();
        let recent: Vec<&Stamped> =
            log.readings[log.readings.len().saturating_sub(200)..].iter().collect();
        let gap = median_gap(&recent).unwrap_or(self.info.poll.0);
        let found = shown_period(&recent, &Rules::CURRENT);
        self.info.update_period.map(|period| period.0).or(found).unwrap_or(gap).max(gap)
    }

    /// Length of readings that a figure needs, in seconds.
    pub fn needs(&self) -> f64 {
        match self.info.quantity {
            // A coarse counter that ticks rarely is not worth a long block.
            Quantity::Counter { .. } => 8.0 * self.update().min(1.0),
            Quantity::Power { averaging } => 2.0 * averaging.0 + 8.0 * self.update(),
        }
    }

    /// Maximum time until a counter ticks again; power readings need no wait.
    fn timeout(&self) -> Seconds {
        let period = self.info.update_period.map_or(2.0, |period| period.0);
        match self.info.quantity {
            Quantity::Counter { .. } => Seconds(2.0 * (period + self.info.poll.0) + 0.1),
            Quantity::Power { .. } => Seconds(0.0),
        }
    }

    /// Whether its value changed after a moment.
    fn moved(&self, moment: Seconds) -> bool {
        let log = self.log.lock();
        let mut after = log.readings.iter().filter(|r| r.before >= moment);
        after.next().is_some_and(|first| after.any(|r| r.values != first.values))
    }
}

/// Reads a source at random intervals around `poll` until the sender of `stop` is dropped.
fn sample(
    mut source: Box<dyn EnergySource>,
    log: &Mutex<Log>,
    poll: Seconds,
    start: Instant,
    stop: &Receiver<()>,
) {
    let cpu = ThreadTime::now();
    let seconds = |at: Instant| Seconds((at - start).as_secs_f64());
    let mut shift = 0.0f64;
    loop {
        let before = Instant::now();
        let read = source.read();
        let after = Instant::now();
        let (before, after) = source.arrived().map_or((before, after), |at| (at, at));
        let (before, after) = (seconds(before), seconds(after));
        {
            let mut log = log.lock();
            match read {
                Ok(values) => log.readings.push(Stamped { before, after, values }),
                Err(error) => log.failed.push((after, error)),
            }
            log.cost = Seconds(cpu.elapsed().as_secs_f64());
        }
        // Jitter by the golden ratio avoids aliasing with a periodic load.
        shift = (shift + 0.618_033_988_75).fract();
        let next = Duration::from_secs_f64(poll.0 * (0.8 + 0.4 * shift));
        if stop.recv_timeout(next) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}
