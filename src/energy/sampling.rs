//! Polls sources, each in its own thread: some answer slowly, and none may delay a window.

use super::integral::{MARGIN, median_gap, shown_period};
use super::response::response;
use super::{
    EnergyError, Idle, LoadStep, Quantity, Readings, Rules, SourceBinding, SourceInfo, Stamped,
    TimeSpan, integrate,
};
use crate::device::DeviceId;
use crate::units::{Joules, Seconds, Watts};
use cpu_time::ThreadTime;
use jiff::Timestamp;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

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
    pub place: usize,
    /// Devices that it covers.
    pub devices: Vec<DeviceId>,
    /// Its baseline, if it was measured.
    pub idle: Option<Idle>,
    log: Arc<Mutex<Log>>,
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
    /// Starts polling these sources, each at its own rate.
    pub fn start(sources: Vec<SourceBinding>) -> Sampling {
        Sampling::with_min_poll_interval(sources, Seconds(0.0))
    }

    /// Starts polling these sources, each at most once per `poll`, unless its counter would wrap unseen. This keeps files of long blocks
    /// small without loss of accuracy.
    pub fn with_min_poll_interval(sources: Vec<SourceBinding>, poll: Seconds) -> Sampling {
        let start = Instant::now();
        let begin = |(place, placed)| Sampler::start(placed, place, poll, start);
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
        !self.of(device).is_empty()
    }

    /// The sources that cover the device.
    pub(super) fn of(&self, device: &DeviceId) -> Vec<&Sampler> {
        self.samplers.iter().filter(|sampler| sampler.devices.contains(device)).collect()
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
            sleep(LOOK);
        }
        let stretch = TimeSpan { from, to: self.now() };
        self.wait_for_updates(&self.samplers.iter().collect::<Vec<_>>(), stretch.to, stop);
        for sampler in &mut self.samplers {
            let figure =
                integrate(&Rules::V1, &sampler.info, &lock(&sampler.log).readings, stretch);
            let now = figure.ok().map(|figure| Idle {
                power: figure.gross / stretch.length(),
                half_width: figure.terms.half_width() / stretch.length(),
                seconds: stretch.length(),
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
            |sampler: &&Sampler| self.now() < moment + sampler.patience() && !sampler.moved(moment);
        while samplers.iter().any(waiting) && !stop() {
            sleep(LOOK);
        }
    }
}

/// Interval between checks whether a wait is over.
const LOOK: Duration = Duration::from_millis(10);

/// Polls a source at most once per `least`, unless its counter would wrap unseen.
fn with_min_poll_interval(info: SourceInfo, least: Seconds) -> SourceInfo {
    let ranges: &[Option<Joules>] = match &info.quantity {
        Quantity::Counter { ranges, .. } => ranges,
        Quantity::Power { .. } => &[],
    };
    let smallest = ranges.iter().flatten().map(|range| range.0).fold(f64::INFINITY, f64::min);
    let in_time = smallest / (4.0 * info.ceiling.0);
    SourceInfo { poll: Seconds(info.poll.0.max(least.0.min(in_time))), ..info }
}

/// Minimum idle time before a metered block: a short burst of another process must not look like the load.
const SHORTEST_REST: Seconds = Seconds(0.5);
/// Maximum idle time before a block, and maximum block length, for the sake of a slow source.
const LONGEST_REST: Seconds = Seconds(10.0);
const LONGEST_BLOCK: Seconds = Seconds(30.0);

impl Sampler {
    fn start(
        SourceBinding { mut source, devices }: SourceBinding,
        place: usize,
        least: Seconds,
        start: Instant,
    ) -> Sampler {
        let info = with_min_poll_interval(source.describe(), least);
        let poll = info.poll.0;
        let log = Arc::new(Mutex::new(Log::default()));
        let (running, stop) = channel();
        let thread_log = Arc::clone(&log);
        thread::spawn(move || {
            let cpu = ThreadTime::now();
            let now = || Seconds(start.elapsed().as_secs_f64());
            let mut shift = 0.0f64;
            loop {
                let before = now();
                let read = source.read();
                let after = now();
                let arrived = source.arrived().map(|at| Seconds((at - start).as_secs_f64()));
                let (before, after) = arrived.map_or((before, after), |at| (at, at));
                {
                    let mut log = lock(&thread_log);
                    match read {
                        Ok(values) => log.readings.push(Stamped { before, after, values }),
                        Err(error) => log.failed.push((after, error)),
                    }
                    log.cost = Seconds(cpu.elapsed().as_secs_f64());
                }
                // Jitter by the golden ratio avoids aliasing with a periodic load.
                shift = (shift + 0.618_033_988_75).fract();
                let next = Duration::from_secs_f64(poll * (0.8 + 0.4 * shift));
                match stop.recv_timeout(next) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => return,
                }
            }
        });
        Sampler { info, place, devices, idle: None, log, _running: running }
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }

    /// Its readings around some blocks.
    pub(super) fn readings(&self, blocks: &[LoadStep]) -> Readings {
        let log = self.log();
        let is_near = |r: &&Stamped| blocks.iter().any(|block| block.is_near(r));
        let stamped: Vec<Stamped> = log.readings.iter().filter(is_near).cloned().collect();
        let inside =
            |at: &Seconds| blocks.iter().any(|b| *at >= b.measured.from && *at <= b.measured.to);
        let elapsed = log.readings.last().map_or(1.0, |r| r.after.0);
        Readings {
            failed_reads: log.failed.iter().filter(|(at, _)| inside(at)).count(),
            last_error: log.failed.last().map(|(_, why)| why.to_string()),
            sampler_core_share: (1e6 * log.cost.0 / elapsed).round() / 1e6,
            ..Readings::of(self.place, &self.info.quantity, &stamped)
        }
    }

    /// Mean power over a short time span, for a look; `None` with too few readings.
    pub(super) fn power(&self, stretch: TimeSpan) -> Option<Watts> {
        let log = self.log();
        let inside = |r: &&Stamped| r.before >= stretch.from && r.after <= stretch.to;
        let readings: Vec<&Stamped> = log.readings.iter().filter(inside).collect();
        let (first, last) = (readings.first()?, readings.last()?);
        let total = |r: &Stamped| r.values.iter().sum::<f64>();
        match self.info.quantity {
            Quantity::Power { .. } => {
                Some(Watts(readings.iter().map(|r| total(r)).sum::<f64>() / readings.len() as f64))
            }
            Quantity::Counter { .. } => {
                let (joules, seconds) = (total(last) - total(first), last.after - first.after);
                (joules > 0.0).then(|| Joules(joules) / seconds)
            }
        }
    }

    /// Update period: documented, or else estimated from changes, but at least the time between reads.
    fn update(&self) -> f64 {
        let log = self.log();
        let recent: Vec<&Stamped> =
            log.readings[log.readings.len().saturating_sub(200)..].iter().collect();
        let gap = median_gap(&recent).unwrap_or(self.info.poll.0);
        let found = shown_period(&recent, &Rules::V1);
        self.info.update_period.map(|period| period.0).or(found).unwrap_or(gap).max(gap)
    }

    /// Length of readings that a figure needs, in seconds.
    fn needs(&self) -> f64 {
        match self.info.quantity {
            // A coarse counter that ticks rarely is not worth a long block.
            Quantity::Counter { .. } => 8.0 * self.update().min(1.0),
            Quantity::Power { averaging } => 2.0 * averaging.0 + 8.0 * self.update(),
        }
    }

    /// Minimum length of a block's measured part for a figure.
    pub(super) fn shortest_block(&self) -> Seconds {
        Seconds(self.needs().min(LONGEST_BLOCK.0))
    }

    /// How long the device must be idle for this source to show it: the averaging time and three updates.
    pub(super) fn rest(&self) -> Seconds {
        let averaging = match self.info.quantity {
            Quantity::Counter { .. } => 0.0,
            Quantity::Power { averaging } => averaging.0,
        };
        Seconds((averaging + 3.0 * self.update()).clamp(SHORTEST_REST.0, LONGEST_REST.0))
    }

    /// The moment until which readings may still arrive: of all blocks if the source lags, of the first block if it has not responded yet.
    /// `None` if no readings are missing or the source no longer answers.
    pub(super) fn awaited(&self, blocks: &[LoadStep]) -> Option<Seconds> {
        let (first, last) = (blocks.first()?, blocks.last()?);
        let log = self.log();
        let read = log.readings.last()?.after;
        if log.failed.last().is_some_and(|(at, _)| *at > read) {
            return None;
        }
        let readings: Vec<Stamped> = (log.readings.iter())
            .filter(|reading| blocks.iter().any(|block| block.is_near(reading)))
            .cloned()
            .collect();
        drop(log);
        let until = match response(&Rules::V1, &self.info, &readings, blocks) {
            Ok(response) if response.late => {
                last.measured.to
                    + response.lag
                    + response.lag_half_width
                    + Seconds(2.0 * self.update())
            }
            Ok(_) => return None,
            Err(_) => first.load_from + Seconds(MARGIN) + self.rest(),
        };
        Some(until).filter(|until| *until > read)
    }

    /// Maximum time until a counter ticks again; power readings need no wait.
    fn patience(&self) -> Seconds {
        let period = self.info.update_period.map_or(2.0, |period| period.0);
        match self.info.quantity {
            Quantity::Counter { .. } => Seconds(2.0 * (period + self.info.poll.0) + 0.1),
            Quantity::Power { .. } => Seconds(0.0),
        }
    }

    /// Whether its value changed after a moment.
    fn moved(&self, moment: Seconds) -> bool {
        let log = self.log();
        let mut after = log.readings.iter().filter(|r| r.before >= moment);
        after.next().is_some_and(|first| after.any(|r| r.values != first.values))
    }
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::{Accuracy, Basis, MeterKind, Scope};

    #[test]
    fn min_poll_interval_never_hides_a_wrap() {
        let poll = |range: Option<f64>, least: f64| {
            let quantity = Quantity::Counter { ranges: vec![range.map(Joules)], duty: 1.0 };
            let info = SourceInfo {
                kind: MeterKind::Rapl,
                model: "made up".into(),
                driver: None,
                scope: Scope::CpuPackage,
                quantity,
                update_period: None,
                poll: Seconds(0.02),
                ceiling: Watts(500.0),
                accuracy: Accuracy { share: 0.1, basis: Basis::Assumed, reference: String::new() },
            };
            with_min_poll_interval(info, Seconds(least)).poll.0
        };
        assert_eq!(poll(Some(262_143.0), 0.2), 0.2);
        assert_eq!(poll(None, 0.2), 0.2);
        assert_eq!(poll(Some(262_143.0), 0.0), 0.02);
        // 200 J at 500 W last 0.4 s.
        assert_eq!(poll(Some(200.0), 0.2), 0.1);
        // The poll interval of the source itself is never shortened.
        assert_eq!(poll(Some(20.0), 0.2), 0.02);
    }
}
