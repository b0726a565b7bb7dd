//! One job as it is measured: what it did so far, and the next block.

use super::pump::{self, pump};
use super::steady::Steady;
use super::{
    Block, Event, Latency, MeasureError, Measurement, Protocol, Sample, Telemetry, Verified,
    WarmUp, Window, stats,
};
use crate::energy::{Energy, Meter, Stretch};
use crate::oracle::Verdict;
use crate::units::{Seconds, Work};
use crate::workload::Job;
use cpu_time::ProcessTime;
use std::ops::ControlFlow;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often to ask whether to stop while nothing runs.
const LOOK: Duration = Duration::from_millis(20);

/// A job whose blocks are measured one after another.
pub struct Measuring<'a> {
    job: &'a mut dyn Job,
    meter: Meter<'a>,
    telemetry: Telemetry,
    protocol: Protocol,
    measured: Measurement,
}

/// Measures a job, one block right after the other.
///
/// # Errors
/// If there is nothing to keep: the output is wrong, the device fails, or `on_event` breaks before the first window.
pub fn measure(
    job: &mut dyn Job,
    meter: Meter,
    telemetry: Telemetry,
    protocol: &Protocol,
    on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<Measurement, MeasureError> {
    let mut measuring = Measuring::begin(job, meter, telemetry, protocol, on_event)?;
    while measuring.wants_more() {
        match measuring.block(on_event) {
            Err(MeasureError::Interrupted) if measuring.has_windows() => break,
            other => other?,
        }
    }
    Ok(measuring.measurement())
}

impl<'a> Measuring<'a> {
    /// Verifies the job; nothing is timed yet.
    ///
    /// # Errors
    /// If its output is wrong, the device fails, or `on_event` breaks.
    pub fn begin(
        job: &'a mut dyn Job,
        meter: Meter<'a>,
        telemetry: Telemetry,
        protocol: &Protocol,
        on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Measuring<'a>, MeasureError> {
        go(on_event(Event::Verifying))?;
        let verified = match job.verify()? {
            Verdict::Agrees { checked, worst } => {
                Verified { checked, checked_in_windows: 0, worst }
            }
            Verdict::Disagrees(what) => return Err(MeasureError::Wrong(what)),
        };
        let measured = Measurement {
            verified,
            blocks: Vec::new(),
            windows: Vec::new(),
            latency: Latency::default(),
            energy: Vec::new(),
            proof: None,
            faults: Vec::new(),
        };
        Ok(Measuring { job, meter, telemetry, protocol: *protocol, measured })
    }

    /// Whether there is anything to keep.
    pub fn has_windows(&self) -> bool {
        !self.measured.windows.is_empty()
    }

    /// Whether another block is due: the protocol's number is not reached, or the figures are not yet as narrow as it
    /// asks and there is time.
    pub fn wants_more(&self) -> bool {
        let m = &self.measured;
        let seconds = m.windows.iter().map(|w| w.wall.0).sum::<f64>();
        m.blocks.len() < self.protocol.blocks
            || (seconds < self.protocol.longest.0 && !self.is_precise())
    }

    /// Whether throughput, and joules as far as more readings can help, are within what the protocol asks.
    fn is_precise(&self) -> bool {
        let rates: Vec<f64> = self.measured.windows.iter().map(|w| w.work / w.wall).collect();
        let flat = stats::median_interval(&rates)
            .and_then(|e| Some((e.value, e.ci95?)))
            .is_some_and(|(value, (low, high))| {
                (value - low).max(high - value) <= self.protocol.precision * value
            });
        let known = self.meter.over(&self.stretches()).iter().all(|energy| match energy {
            Energy::Measured(m) => {
                let terms = &m.integral.terms;
                terms.window.0.hypot(terms.statistical.0)
                    <= self.protocol.precision * m.integral.gross.0
            }
            _ => true,
        });
        flat && known
    }

    fn stretches(&self) -> Vec<Stretch> {
        self.measured.blocks.iter().map(|block| block.stretch).collect()
    }

    /// What came of it so far.
    pub fn measurement(&self) -> Measurement {
        let mut measurement = self.measured.clone();
        measurement.energy = self.meter.over(&self.stretches());
        measurement.proof = self.job.proof(measurement.windows.len());
        measurement
    }

    /// Rests, warms up, measures the next block's windows and checks what they put out.
    ///
    /// # Errors
    /// If the device fails, or `on_event` breaks; windows that were finished are kept.
    pub fn block(
        &mut self,
        on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(), MeasureError> {
        go(on_event(Event::Resting))?;
        let began = Instant::now();
        while began.elapsed().as_secs_f64() < self.protocol.rest.0 {
            go(on_event(Event::Resting))?;
            sleep(LOOK);
        }
        let rested = Seconds(began.elapsed().as_secs_f64());
        go(on_event(Event::WarmingUp))?;
        let warm_up = self.warm_up(on_event)?;
        let first = self.measured.windows.len();
        let (block, stopped) = self.windows(rested, warm_up, on_event)?;
        let Some(block) = block else { return Err(MeasureError::Interrupted) };
        let end = block.stretch.to;
        self.measured.blocks.push(block);
        // An interruption wants an end, not more work; the finished windows' outputs are checked all the same.
        let _ = on_event(Event::Checking);
        for number in first..self.measured.windows.len() {
            let verified = &mut self.measured.verified;
            match self.job.check_window(number as u32)? {
                Verdict::Agrees { checked, worst } => {
                    verified.checked_in_windows += checked;
                    verified.worst = verified.worst.max(worst);
                }
                Verdict::Disagrees(what) => self
                    .measured
                    .faults
                    .push(format!("the output of window {} is wrong: {what}", number + 1)),
            }
        }
        self.meter.catch_up(end, &mut || on_event(Event::Checking).is_break());
        if stopped { Err(MeasureError::Interrupted) } else { Ok(()) }
    }

    /// Runs until everything is steady or the time is up; the first time it sizes the batches too.
    fn warm_up(
        &mut self,
        on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<WarmUp, MeasureError> {
        let start = Instant::now();
        if let (true, Some(batch)) = (self.measured.blocks.is_empty(), self.protocol.batch) {
            pump::size(self.job, batch)?;
        }
        let mut steady = Steady::default();
        loop {
            let from = self.meter.now();
            let stop = &mut || on_event(Event::Progress(0.0)).is_break();
            let rate = pump::slice(self.job, self.protocol.warm_up_slice, stop)?;
            let power = self.meter.power(Stretch { from, to: self.meter.now() });
            steady.add(rate, self.telemetry.sample().hottest(), power);
            let seconds = Seconds(start.elapsed().as_secs_f64());
            if steady.is_reached() || seconds >= self.protocol.warm_up_longest {
                return Ok(WarmUp { seconds, steady: steady.is_reached() });
            }
        }
    }

    /// The windows of a block, none if there is not one, and whether the caller said stop. Each begins where the one
    /// before ended, with the device idle at every mark.
    fn windows(
        &mut self,
        rested: Seconds,
        warm_up: WarmUp,
        on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<(Option<Block>, bool), MeasureError> {
        let (before, index) = (self.measured.windows.len(), self.measured.blocks.len());
        // What is used is told of the time since the last look, which the warm-up took.
        let at_start = Sample { cpu_use: None, gpu_use: None, ..self.telemetry.sample() };
        let first = self.meter.now();
        let zero = self.measured.blocks.first().map_or(first, |block| block.stretch.from);
        let mut from = first;
        let mut cpu_from = ProcessTime::now();
        let mut stopped = false;
        while !stopped {
            let done = self.measured.windows.len() - before;
            let enough = done >= self.protocol.windows
                && (from - first >= self.protocol.block_longest || self.meter.is_settled(first));
            if enough {
                break;
            }
            let number = before + done;
            let length = self.protocol.window_length(number);
            self.job.open_window(number as u32)?;
            let (mut work, mut gpu, mut cut) = (Work(0), Some(Seconds(0.0)), false);
            let (meter, latency) = (&self.meter, &mut self.measured.latency);
            let windows = self.protocol.windows as f64;
            pump(self.job, &mut |batch, since_last| {
                work = work + batch.work;
                gpu = gpu.zip(batch.gpu_seconds).map(|(sum, seconds)| sum + seconds);
                latency.record(since_last);
                let elapsed = meter.now() - from;
                let share = (done as f64 + (elapsed.0 / length.0).min(1.0)) / windows;
                cut |= on_event(Event::Progress(share.min(1.0))).is_break();
                cut || elapsed >= length
            })?;
            if cut {
                stopped = true;
                break;
            }
            self.job.close_window()?;
            let (to, cpu_to) = (self.meter.now(), ProcessTime::now());
            let window = Window {
                block: index,
                started: from - zero,
                wall: to - from,
                cpu: Seconds(cpu_to.duration_since(cpu_from).as_secs_f64()),
                gpu,
                work,
                sample: self.telemetry.sample(),
            };
            (from, cpu_from) = (to, cpu_to);
            let wanted = (self.protocol.blocks * self.protocol.windows).max(number + 1);
            let event = Event::Window(number + 1, wanted, window.work / window.wall);
            self.measured.windows.push(window);
            stopped = on_event(event).is_break();
        }
        let stretch = Stretch { from: first, to: from };
        let block = Block { rested, warm_up, at_start, stretch };
        Ok((Some(block).filter(|_| self.measured.windows.len() > before), stopped))
    }
}

fn go(flow: ControlFlow<()>) -> Result<(), MeasureError> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(MeasureError::Interrupted),
    }
}
