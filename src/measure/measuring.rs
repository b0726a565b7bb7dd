//! The measurement of one job: the results so far, and the next block.

use super::evidence::{Measurement, Verification, Window};
use super::pump::{self, pump};
use super::steady::Steady;
use super::telemetry::{Observer, Sample};
use super::{Event, Latency, MeasureError, Protocol, stats};
use crate::energy::{Integral, LoadStep, Meter, NoFigure, TimeSpan};
use crate::oracle::Verdict;
use crate::units::{Seconds, Work, to_microseconds};
use crate::workload::Job;
use cpu_time::ProcessTime;
use std::ops::ControlFlow;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Interval between checks for an interruption while nothing runs.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Receives every step of a measurement, and may interrupt it.
pub type OnEvent<'a> = &'a mut dyn FnMut(Event) -> ControlFlow<()>;

/// A job that is measured block by block.
pub struct Measurer<'a> {
    job: &'a mut dyn Job,
    meter: Meter<'a>,
    observer: Observer,
    protocol: Protocol,
    batch: Option<Seconds>,
    measured: Measurement,
}

/// Measures a job, with its blocks in direct succession. `batch` is the target length of its batches; `None` leaves them as they are.
///
/// # Errors
/// If there is no result: the output is wrong, the device fails, or `on_event` breaks before the first window.
pub fn measure(
    job: &mut dyn Job,
    meter: Meter,
    observer: Observer,
    protocol: &Protocol,
    batch: Option<Seconds>,
    on_event: OnEvent,
) -> Result<Measurement, MeasureError> {
    let mut measuring = Measurer::begin(job, meter, observer, protocol, batch, on_event)?;
    while measuring.needs_more_blocks() {
        match measuring.block(on_event) {
            Err(MeasureError::Interrupted) if measuring.has_windows() => break,
            other => other?,
        }
    }
    Ok(measuring.measurement())
}

impl<'a> Measurer<'a> {
    /// Verifies the job, without timing. `batch` is the target length of its batches: long enough to hide the launch overhead, short enough
    /// for watchdogs and Ctrl-C.
    ///
    /// # Errors
    /// If its output is wrong, the device fails, or `on_event` breaks.
    pub fn begin(
        job: &'a mut dyn Job,
        meter: Meter<'a>,
        observer: Observer,
        protocol: &Protocol,
        batch: Option<Seconds>,
        on_event: OnEvent,
    ) -> Result<Measurer<'a>, MeasureError> {
        check_interrupt(on_event(Event::Verifying))?;
        let verification = match job.verify()? {
            Verdict::Agrees { checked, worst } => {
                Verification { checked, worst_error_share: worst, ..Verification::default() }
            }
            Verdict::Disagrees(what) => return Err(MeasureError::Wrong(what)),
        };
        let measured = Measurement { verification, ..Measurement::default() };
        Ok(Measurer { job, meter, observer, protocol: protocol.clone(), batch, measured })
    }

    /// Whether there is a result to keep.
    pub fn has_windows(&self) -> bool {
        !self.measured.windows.is_empty()
    }

    /// Whether another block is due: the protocol's minimum is not reached, or the intervals are wider than its precision and there is time
    /// left.
    pub fn needs_more_blocks(&self) -> bool {
        let m = &self.measured;
        m.windows.blocks.windows.len() < self.protocol.blocks
            || (m.windows.seconds().0 < self.protocol.longest_seconds && !self.is_precise())
    }

    /// Whether throughput and energy meet the protocol's precision. The meter's accuracy is excluded: more readings cannot improve it.
    fn is_precise(&self) -> bool {
        let precision = self.protocol.precision;
        let rate = stats::median_interval(&self.measured.windows.rates());
        let is_rate_precise = rate.and_then(|rate| Some((rate.value, rate.ci95?))).is_some_and(
            |(value, (low, high))| (value - low).max(high - value) <= precision * value,
        );
        let figures = self.meter.figures(&self.measured.windows.steps());
        is_rate_precise
            && figures.iter().all(|figures| match &figures.total {
                Ok(Integral { terms, gross, .. }) => {
                    terms.window.0.hypot(terms.statistical.0) <= precision * gross.0
                }
                Err(NoFigure::TooUncertain { .. }) => false,
                // More blocks give no figure either.
                Err(_) => true,
            })
    }

    /// Waits for the readings of a lagging meter, unless `on_event` breaks.
    pub fn await_meters(&self, on_event: OnEvent) {
        let Some(until) = self.meter.awaited(&self.measured.windows.steps()) else { return };
        while self.meter.now() < until && on_event(Event::AwaitingMeter).is_continue() {
            sleep(POLL_INTERVAL);
        }
    }

    /// Idle time before the next block. If a slow meter makes it longer than the protocol's, it is jittered: the steps from idle to load
    /// must not coincide with those of another row.
    fn rest(&self) -> Seconds {
        let for_meters = self.meter.rest();
        if for_meters.0 <= self.protocol.rest_seconds {
            return Seconds(self.protocol.rest_seconds);
        }
        let step = (self.measured.windows.blocks.windows.len() as f64 + 1.0) * 0.618_033_988_75;
        Seconds(for_meters.0 * (1.0 + 0.4 * step.fract()))
    }

    /// The results so far.
    pub fn measurement(&self) -> Measurement {
        let mut measurement = self.measured.clone();
        measurement.readings = self.meter.readings(&measurement.windows.steps());
        measurement.proof = self.job.proof(measurement.windows.len());
        measurement
    }

    /// Cools down, warms up, measures the next block's windows and checks their outputs.
    ///
    /// # Errors
    /// If the device fails, or `on_event` breaks; finished windows are kept.
    pub fn block(&mut self, on_event: OnEvent) -> Result<(), MeasureError> {
        check_interrupt(on_event(Event::Resting))?;
        let (idle_from, rest) = (to_microseconds(self.meter.now()), self.rest());
        while self.meter.now() < idle_from + rest {
            check_interrupt(on_event(Event::Resting))?;
            sleep(POLL_INTERVAL);
        }
        check_interrupt(on_event(Event::WarmingUp))?;
        let load_from = to_microseconds(self.meter.now());
        let warm_up_steady = self.warm_up(on_event)?;
        let first = self.measured.windows.len();
        let (measured, stopped) = self.windows(on_event)?;
        let windows = self.measured.windows.len() - first;
        if windows == 0 {
            return Err(MeasureError::Interrupted);
        }
        let step = LoadStep { idle_from, load_from, measured, busy: None };
        self.measured.windows.blocks.push(step, windows, warm_up_steady);
        // Outputs of finished windows are checked even after an interruption.
        let _ = on_event(Event::Checking);
        for number in first..self.measured.windows.len() {
            let verification = &mut self.measured.verification;
            match self.job.check_window(number as u32)? {
                Verdict::Agrees { checked, worst } => {
                    verification.checked_in_windows += checked;
                    verification.worst_error_share = verification.worst_error_share.max(worst);
                }
                Verdict::Disagrees(what) => {
                    verification.wrong_windows.push(number);
                    verification.wrong_output.get_or_insert(what);
                }
            }
        }
        self.meter.wait_for_ticks(measured.to, &mut || on_event(Event::Checking).is_break());
        if stopped { Err(MeasureError::Interrupted) } else { Ok(()) }
    }

    /// Runs until the steady state or the time limit, and returns whether it is steady. Before the first block it also sizes the batches.
    fn warm_up(&mut self, on_event: OnEvent) -> Result<bool, MeasureError> {
        let start = Instant::now();
        if let (true, Some(batch)) = (self.measured.windows.blocks.windows.is_empty(), self.batch) {
            pump::calibrate_batch(self.job, batch)?;
        }
        let mut steady = Steady::default();
        loop {
            let from = self.meter.now();
            let stop = &mut || on_event(Event::Progress(0.0)).is_break();
            let rate = pump::slice(self.job, Seconds(self.protocol.warm_up_slice_seconds), stop)?;
            let power = self.meter.power(TimeSpan { from, to: self.meter.now() });
            steady.add(rate, self.observer.sample().hottest(), power);
            let seconds = start.elapsed().as_secs_f64();
            if steady.is_reached() || seconds >= self.protocol.warm_up_longest_seconds {
                return Ok(steady.is_reached());
            }
        }
    }

    /// Measures the contiguous windows of a block; returns their time span, and whether the caller interrupted. The device is idle between
    /// windows.
    fn windows(&mut self, on_event: OnEvent) -> Result<(TimeSpan, bool), MeasureError> {
        let before = self.measured.windows.len();
        // Use is measured since the last sample, that is over the warm-up: it is not the window's.
        let at_start = Sample { cpu_use: None, gpu_use: None, ..self.observer.sample() };
        let first = to_microseconds(self.meter.now());
        let longest = self.protocol.block_longest_seconds.max(self.meter.shortest_block().0);
        let mut from = first;
        let mut cpu_from = ProcessTime::now();
        let mut stopped = false;
        // Interrupted windows and their batches are discarded.
        let mut in_window = Latency::default();
        while !stopped {
            let done = self.measured.windows.len() - before;
            let enough = done >= self.protocol.windows
                && ((from - first).0 >= longest || self.meter.is_settled(first));
            if enough {
                break;
            }
            let number = before + done;
            let length = self.protocol.window_length(number);
            self.job.open_window(number as u32)?;
            let (mut work, mut gpu) = (Work(0), Some(Seconds(0.0)));
            let windows = self.protocol.windows as f64;
            pump(self.job, &mut |batch, since_last| {
                work = work + batch.work;
                gpu = gpu.zip(batch.gpu_seconds).map(|(sum, seconds)| sum + seconds);
                in_window.record(since_last);
                let elapsed = self.meter.now() - from;
                let completed = (done as f64 + (elapsed.0 / length.0).min(1.0)) / windows;
                stopped |= on_event(Event::Progress(completed.min(1.0))).is_break();
                stopped || elapsed >= length
            })?;
            if stopped {
                break;
            }
            self.job.close_window()?;
            let (to, cpu_to) = (to_microseconds(self.meter.now()), ProcessTime::now());
            let window = Window {
                wall: to_microseconds(to - from),
                cpu: Seconds(cpu_to.duration_since(cpu_from).as_secs_f64()),
                gpu,
                work,
            };
            if done == 0 {
                self.measured.telemetry.push(&at_start);
            }
            self.measured.telemetry.push(&self.observer.sample());
            (from, cpu_from) = (to, cpu_to);
            let wanted = (self.protocol.blocks * self.protocol.windows).max(number + 1);
            let event = Event::Window(number + 1, wanted, window.work / window.wall);
            self.measured.windows.push(window);
            self.measured.latency.take(&mut in_window);
            stopped = on_event(event).is_break();
        }
        Ok((TimeSpan { from: first, to: from }, stopped))
    }
}

fn check_interrupt(flow: ControlFlow<()>) -> Result<(), MeasureError> {
    if flow.is_break() { Err(MeasureError::Interrupted) } else { Ok(()) }
}
