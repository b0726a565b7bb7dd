//! Measures a job: verify, warm up, then contiguous windows in which work, wall time, processor time and energy are
//! taken together. Prints nothing; tells its caller of every step and stops when the caller says so.

mod latency;
mod protocol;
mod pump;
pub mod stats;
mod telemetry;
mod trials;

pub use latency::Latency;
pub use protocol::{Mode, Protocol};
pub use pump::size;
pub use telemetry::{Sample, Telemetry, Temperature};
pub use trials::{interleave, trial};

use crate::energy::{Energy, Mark, Meter};
use crate::oracle::Verdict;
use crate::units::{Seconds, Work};
use crate::workload::{Job, JobError, Proof};
use cpu_time::ProcessTime;
use pump::pump;
use std::ops::ControlFlow;
use std::time::Instant;

/// One slice of time.
#[derive(Clone, Debug)]
pub struct Window {
    /// Since the first window began.
    pub started: Seconds,
    /// From mark to mark.
    pub wall: Seconds,
    /// Processor time of this process, all threads.
    pub cpu: Seconds,
    /// Time on the device's own clock, where it has one.
    pub gpu: Option<Seconds>,
    /// What was done.
    pub work: Work,
    /// The machine's state over the window.
    pub sample: Sample,
}

/// What came of measuring a job.
pub struct Measurement {
    /// Outputs that were compared before anything was timed.
    pub verified: Verified,
    /// How the warm-up went.
    pub warm_up: WarmUp,
    /// In order, without gaps.
    pub windows: Vec<Window>,
    /// How long batches took.
    pub latency: Latency,
    /// What each source says of all windows together; never empty.
    pub energy: Vec<Energy>,
    /// What shows that the windows' work was done.
    pub proof: Option<Proof>,
    /// Whatever makes the row invalid.
    pub faults: Vec<String>,
}

/// What the oracle compared.
#[derive(Clone, Copy, Debug)]
pub struct Verified {
    /// Outputs compared before anything was timed.
    pub checked: u64,
    /// Outputs of the measured windows compared afterwards.
    pub checked_in_windows: u64,
    /// The largest error, as a share of what rounding may explain.
    pub worst: f64,
}

/// How the warm-up went.
#[derive(Clone, Copy, Debug)]
pub struct WarmUp {
    /// How long it took.
    pub seconds: Seconds,
    /// Whether throughput was flat at its end.
    pub steady: bool,
}

/// What the caller is told while a job is measured.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Kernels are tried against each other; so much of it is over, from 0 to 1.
    Tuning(f64),
    /// The kernel's output is compared with the oracle's.
    Verifying,
    /// Throughput is brought to a steady state.
    WarmingUp,
    /// A batch is done; so much of the row's time is over, from 0 to 1.
    Progress(f64),
    /// A window is finished: its number from 1, how many there will be, units of work a second.
    Window(usize, usize, f64),
    /// The windows' outputs are checked.
    Checking,
}

/// Why a job has no measurement.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The kernel's output is wrong; it was not timed.
    #[error("its output is wrong and it was not timed: {0}")]
    Wrong(String),
    /// The job failed.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The caller said stop before a window was finished.
    #[error("interrupted before its first window was finished")]
    Interrupted,
}

/// Measures a job. `on_event` may break to stop early: finished windows are kept.
///
/// # Errors
/// If there is nothing to keep: the output is wrong, the device fails, or the caller stops before the first window.
pub fn measure(
    job: &mut dyn Job,
    meter: &mut Meter,
    telemetry: &mut Telemetry,
    protocol: &Protocol,
    on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<Measurement, MeasureError> {
    let go = |flow: ControlFlow<()>| match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(MeasureError::Interrupted),
    };
    go(on_event(Event::Verifying))?;
    let mut verified = match job.verify()? {
        Verdict::Agrees { checked, worst } => Verified { checked, checked_in_windows: 0, worst },
        Verdict::Disagrees(what) => return Err(MeasureError::Wrong(what)),
    };
    go(on_event(Event::WarmingUp))?;
    let warm_up = warm_up(job, protocol, on_event)?;
    let (windows, latency, energy) = run_windows(job, meter, telemetry, protocol, on_event)?;
    let mut faults = Vec::new();
    if windows.len() < protocol.windows {
        faults.push(format!("interrupted after {} of {} windows", windows.len(), protocol.windows));
    }
    // An interruption wants an end, not more work; the finished windows' outputs are checked all the same.
    let _ = on_event(Event::Checking);
    for number in 0..windows.len() as u32 {
        match job.check_window(number)? {
            Verdict::Agrees { checked, worst } => {
                verified.checked_in_windows += checked;
                verified.worst = verified.worst.max(worst);
            }
            Verdict::Disagrees(what) => {
                faults.push(format!("the output of window {} is wrong: {what}", number + 1));
            }
        }
    }
    let proof = job.proof(windows.len());
    Ok(Measurement { verified, warm_up, windows, latency, energy, proof, faults })
}

/// Sizes the batches, then runs until throughput is flat or the time is up.
fn warm_up(
    job: &mut dyn Job,
    protocol: &Protocol,
    on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<WarmUp, MeasureError> {
    let start = Instant::now();
    pump::size(job, protocol.batch)?;
    let mut rates: Vec<f64> = Vec::new();
    loop {
        let stop = &mut || on_event(Event::Progress(0.0)).is_break();
        rates.push(pump::slice(job, protocol.warm_up_slice, stop)?);
        let seconds = Seconds(start.elapsed().as_secs_f64());
        let steady = protocol.is_flat(&rates);
        if steady || seconds >= protocol.warm_up_longest {
            return Ok(WarmUp { seconds, steady });
        }
    }
}

type Windows = (Vec<Window>, Latency, Vec<Energy>);

/// The windows: each begins at the mark that ended the one before, with the device idle at every mark.
fn run_windows(
    job: &mut dyn Job,
    meter: &mut Meter,
    telemetry: &mut Telemetry,
    protocol: &Protocol,
    on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<Windows, MeasureError> {
    let mut windows: Vec<Window> = Vec::new();
    let mut latency = Latency::default();
    telemetry.sample();
    let first = meter.mark();
    let (mut from, mut last): (Mark, Option<Mark>) = (first, None);
    let mut cpu_from = ProcessTime::now();
    for number in 0..protocol.windows {
        job.open_window(number as u32)?;
        let (mut work, mut gpu, mut stopped) = (Work(0), Some(Seconds(0.0)), false);
        pump(job, &mut |batch, since_last| {
            work = work + batch.work;
            gpu = gpu.zip(batch.gpu_seconds).map(|(sum, seconds)| sum + seconds);
            latency.record(since_last);
            let elapsed = meter.now() - from.at;
            let done = number as f64 + (elapsed.0 / protocol.window.0).min(1.0);
            stopped |= on_event(Event::Progress(done / protocol.windows as f64)).is_break();
            stopped || elapsed >= protocol.window
        })?;
        if stopped {
            break;
        }
        job.close_window()?;
        let (to, cpu_to) = (meter.mark(), ProcessTime::now());
        let wall = to.at - from.at;
        windows.push(Window {
            started: from.at - first.at,
            wall,
            cpu: Seconds(cpu_to.duration_since(cpu_from).as_secs_f64()),
            gpu,
            work,
            sample: telemetry.sample(),
        });
        (from, last, cpu_from) = (to, Some(to), cpu_to);
        if on_event(Event::Window(number + 1, protocol.windows, work / wall)).is_break() {
            break;
        }
    }
    match last {
        Some(last) => Ok((windows, latency, meter.between(first, last))),
        None => Err(MeasureError::Interrupted),
    }
}
