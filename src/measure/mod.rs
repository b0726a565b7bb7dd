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

use crate::energy::{Energy, Meter};
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
    /// The machine's state at the window's end; at its start it is that of the window before.
    pub sample: Sample,
}

/// What came of measuring a job.
pub struct Measurement {
    /// Outputs that were compared before anything was timed.
    pub verified: Verified,
    /// How the warm-up went.
    pub warm_up: WarmUp,
    /// The machine's state where the first window begins.
    pub at_start: Sample,
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
    meter: &Meter,
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
    let Block { at_start, windows, latency, from, to } =
        run_windows(job, meter, telemetry, protocol, on_event)?;
    let mut faults = throttled(&at_start, &windows);
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
    let energy = meter.between(from, to, &mut || on_event(Event::Checking).is_break());
    Ok(Measurement { verified, warm_up, at_start, windows, latency, energy, proof, faults })
}

/// What held the board's clocks down in a way that spoils figures.
fn throttled(at_start: &Sample, windows: &[Window]) -> Vec<String> {
    let states = std::iter::once(at_start).chain(windows.iter().map(|w| &w.sample));
    let mut met: Vec<(&str, usize)> = Vec::new();
    for throttle in states.flat_map(|s| s.board.iter().flat_map(|b| &b.throttle)) {
        match met.iter_mut().find(|(name, _)| *name == throttle.name()) {
            Some((_, times)) => *times += 1,
            None if throttle.spoils() => met.push((throttle.name(), 1)),
            None => {}
        }
    }
    let looks = windows.len() + 1;
    met.into_iter()
        .map(|(name, times)| {
            format!("the board was slowed down ({name}) at {times} of {looks} looks")
        })
        .collect()
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

/// Windows without gaps between them, and where they begin and end on the meter's clock.
struct Block {
    at_start: Sample,
    windows: Vec<Window>,
    latency: Latency,
    from: Seconds,
    to: Seconds,
}

/// The windows: each begins where the one before ended, with the device idle at every mark.
fn run_windows(
    job: &mut dyn Job,
    meter: &Meter,
    telemetry: &mut Telemetry,
    protocol: &Protocol,
    on_event: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<Block, MeasureError> {
    let mut windows: Vec<Window> = Vec::new();
    let mut latency = Latency::default();
    // What is used is told of the time since the last look: there was none.
    let at_start = Sample { cpu_use: None, gpu_use: None, ..telemetry.sample() };
    let first = meter.now();
    let mut from = first;
    let mut cpu_from = ProcessTime::now();
    loop {
        let number = windows.len();
        let length = protocol.window_length(number);
        job.open_window(number as u32)?;
        let (mut work, mut gpu, mut stopped) = (Work(0), Some(Seconds(0.0)), false);
        pump(job, &mut |batch, since_last| {
            work = work + batch.work;
            gpu = gpu.zip(batch.gpu_seconds).map(|(sum, seconds)| sum + seconds);
            latency.record(since_last);
            let elapsed = meter.now() - from;
            let done = number as f64 + (elapsed.0 / length.0).min(1.0);
            let share = (done / protocol.windows as f64).min(1.0);
            stopped |= on_event(Event::Progress(share)).is_break();
            stopped || elapsed >= length
        })?;
        if stopped {
            break;
        }
        job.close_window()?;
        let (to, cpu_to) = (meter.now(), ProcessTime::now());
        windows.push(Window {
            started: from - first,
            wall: to - from,
            cpu: Seconds(cpu_to.duration_since(cpu_from).as_secs_f64()),
            gpu,
            work,
            sample: telemetry.sample(),
        });
        (from, cpu_from) = (to, cpu_to);
        let total = protocol.windows.max(number + 1);
        let rate = work / windows[number].wall;
        let stop = on_event(Event::Window(number + 1, total, rate)).is_break();
        let enough = number + 1 >= protocol.windows
            && (to - first >= protocol.longest || meter.is_settled(first));
        if stop || enough {
            break;
        }
    }
    if windows.is_empty() {
        return Err(MeasureError::Interrupted);
    }
    Ok(Block { at_start, windows, latency, from: first, to: from })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::{BoardState, Throttle};

    fn sample(throttle: &[Throttle]) -> Sample {
        let board = BoardState { throttle: throttle.to_vec(), ..BoardState::default() };
        Sample { board: Some(board), ..Sample::default() }
    }

    fn window(throttle: &[Throttle]) -> Window {
        Window {
            started: Seconds(0.0),
            wall: Seconds(1.0),
            cpu: Seconds(1.0),
            gpu: None,
            work: Work(1),
            sample: sample(throttle),
        }
    }

    #[test]
    fn heat_and_brakes_spoil_a_row_and_a_power_cap_does_not() {
        use Throttle::*;
        let capped = [window(&[PowerCap]), window(&[PowerCap, Other])];
        assert_eq!(throttled(&sample(&[PowerCap]), &capped), Vec::<String>::new());
        for spoiler in [ThermalSoftware, ThermalHardware, HardwareSlowdown, PowerBrake] {
            let windows = [window(&[]), window(&[PowerCap, spoiler]), window(&[spoiler])];
            let faults = throttled(&sample(&[]), &windows);
            assert_eq!(faults.len(), 1, "{faults:?}");
            let (name, times) = (spoiler.name(), "2 of 4 looks");
            assert!(faults[0].contains(name) && faults[0].contains(times), "{faults:?}");
        }
    }
}
