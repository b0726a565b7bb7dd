//! The protocol on jobs whose rates are known: how long it goes on, when it stops, and what it keeps.

use crate::support;

use rigbench::device::Device;
use rigbench::energy::{
    Accuracy, Basis, Figures, Meter, MeterKind, NoFigure, Quantity, Read, Rules, Sampling, Scope,
    SourceBinding, SourceInfo,
};
use rigbench::kernels::Kernel;
use rigbench::measure::{Event, Measurement, Mode, Observer, Protocol, measure};
use rigbench::oracle::Verdict;
use rigbench::units::{Seconds, Watts, Work};
use rigbench::workload::{Batch, Job, JobError, Proof};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::punctual::Punctual;

/// A job whose batches take two milliseconds and whose rate varies from block to block by a share.
struct Scattered {
    share: f64,
    window: u32,
    since: Instant,
    /// When batches were done.
    work: Done,
}

type Done = Arc<Mutex<Vec<Instant>>>;

/// Windows of a block here.
const WINDOWS: u32 = 4;

impl Job for Scattered {
    fn verify(&mut self) -> Result<Verdict, JobError> {
        Ok(Verdict::NOTHING)
    }
    fn kernel(&self) -> Option<&Kernel> {
        None
    }
    fn resize(&mut self, _: f64) {}
    fn submit(&mut self) -> Result<(), JobError> {
        Ok(())
    }
    /// Work follows from all the time that passed since the batch before, so that a busy machine does not change the rate.
    fn wait(&mut self) -> Result<Batch, JobError> {
        std::thread::sleep(Duration::from_millis(2));
        let sign = if (self.window / WINDOWS).is_multiple_of(2) { 1.0 } else { -1.0 };
        let rate = 1e9 * (1.0 + sign * self.share);
        let now = Instant::now();
        let work = (rate * (now - self.since).as_secs_f64()) as u64;
        self.since = now;
        self.work.lock().unwrap().push(now);
        Ok(Batch { work: Work(work), gpu_seconds: None })
    }
    fn open_window(&mut self, window: u32) -> Result<(), JobError> {
        self.window = window;
        if window.is_multiple_of(WINDOWS) {
            self.since = Instant::now();
        }
        Ok(())
    }
    fn close_window(&mut self) -> Result<(), JobError> {
        Ok(())
    }
    fn check_window(&mut self, _: u32) -> Result<Verdict, JobError> {
        Ok(Verdict::NOTHING)
    }
    fn proof(&self, _: usize) -> Option<Proof> {
        None
    }
}

/// Quick, and short. Room is left for what a busy machine adds to a rate.
fn short() -> Protocol {
    Protocol {
        blocks: 2,
        windows: WINDOWS as usize,
        window_seconds: 0.05,
        precision: 0.05,
        longest_seconds: 1.6,
        block_longest_seconds: 0.0,
        rest_seconds: 0.04,
        warm_up_slice_seconds: 0.01,
        warm_up_longest_seconds: 0.1,
        ..Protocol::of(Mode::Quick)
    }
}

fn measured(share: f64, sampling: &Sampling, work: &Done) -> Measurement {
    let device = Device::cpu();
    let meter = Meter::new(sampling, &device.id);
    let mut job = Scattered { share, window: 0, since: Instant::now(), work: Arc::clone(work) };
    let go = &mut |_| ControlFlow::Continue(());
    measure(&mut job, meter, Observer::new(&device), &short(), None, go).unwrap()
}

#[test]
fn blocks_are_added_until_the_interval_is_narrow_or_the_time_is_up() {
    let nothing = Sampling::start(Vec::new(), Seconds(0.0));
    let steady = measured(0.0, &nothing, &Done::default());
    let wide = measured(0.2, &nothing, &Done::default());
    let seconds = |m: &Measurement| m.windows.seconds().0;
    let [few, many] = [&steady, &wide].map(|m| m.windows.blocks());
    assert!(few.len() < many.len(), "{:?}", few.len());
    // It stops with the block in which the time is up, and not before.
    let protocol = short();
    let last = many.last().unwrap().step.measured.length();
    assert!(seconds(&wide) >= protocol.longest_seconds);
    assert!(seconds(&wide) - last.0 < protocol.longest_seconds + 1e-6);
    assert!(seconds(&steady) < protocol.longest_seconds, "{:?}", steady.windows);
    for (m, blocks) in [(&steady, &few), (&wide, &many)] {
        assert_eq!(m.windows.check(), Ok(()));
        assert_eq!(m.windows.len(), blocks.len() * WINDOWS as usize);
        let rest = Seconds(protocol.rest_seconds);
        assert!(blocks.iter().all(|b| b.step.load_from - b.step.idle_from >= rest));
    }
}

/// The latencies of a row are those of the windows that stand in it.
#[test]
fn batches_of_a_window_that_is_cut_are_not_kept() {
    let device = Device::cpu();
    let nothing = Sampling::start(Vec::new(), Seconds(0.0));
    let meter = Meter::new(&nothing, &device.id);
    let mut job = Scattered { share: 0.0, window: 0, since: Instant::now(), work: Done::default() };
    let mut finished = 0;
    // Stops late in the second window.
    let stop = &mut |event| match event {
        Event::Window(number, ..) => {
            finished = number;
            ControlFlow::Continue(())
        }
        Event::Progress(share) if finished == 1 && share > 1.8 / f64::from(WINDOWS) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    };
    let m = measure(&mut job, meter, Observer::new(&device), &short(), None, stop).unwrap();
    let [wall] = m.windows.wall_seconds[..] else { panic!("{:?}", m.windows) };
    assert!(m.latency.count() > 0);
    // The histogram keeps three digits.
    let batches = m.latency.total().0;
    assert!(batches <= 1.001 * wall, "batches of {batches} s in a window of {wall} s");
}

/// Whether a job whose batches were done at these moments was at work at another. They take two milliseconds.
fn is_loaded(work: &[Instant], moment: Instant) -> bool {
    let apart = |at: Instant| at.max(moment) - at.min(moment);
    work.iter().rev().any(|at| apart(*at) < Duration::from_millis(10))
}

/// A meter of watts that is known to 10 %.
fn meter_of_watts() -> SourceInfo {
    SourceInfo {
        kind: MeterKind::Command,
        model: "made up".into(),
        driver: None,
        scope: Scope::Machine,
        quantity: Quantity::Power { averaging: Seconds(0.0) },
        update_period: None,
        poll: Seconds(0.005),
        ceiling: Watts(1000.0),
        accuracy: Accuracy { share: 0.1, basis: Basis::Assumed, reference: "a test".into() },
    }
}

/// That the meter may be off by 10 % is no reason to go on: more windows would not help. That chance leaves so much open is.
#[test]
fn joules_count_too_as_far_as_more_windows_can_help() {
    // Watts around a hundred that jump by so many either way: their mean is known only after many of them.
    let with = |watts: f64| {
        let work = Done::default();
        let (shown, mut sign) = (Arc::clone(&work), 1.0);
        let value = move |moment| {
            sign = -sign;
            if is_loaded(&shown.lock().unwrap(), moment) {
                100.0 + sign * watts
            } else {
                10.0 + 0.01 * sign
            }
        };
        let (source, _) = Punctual::new(meter_of_watts(), Duration::from_millis(25), value);
        let placed = SourceBinding { source: Box::new(source), devices: vec![Device::cpu().id] };
        let m = measured(0.0, &Sampling::start(vec![placed], Seconds(0.0)), &work);
        let [readings] = &m.readings[..] else { panic!("{:?}", m.readings) };
        let (info, steps) = (meter_of_watts(), m.windows.steps());
        let read = Read { source_index: 0, info: &info, readings: readings.stamped() };
        let total = Figures::of(&Rules::V1, &read, &steps).total;
        let half_width = match total {
            Ok(known) => known.terms.half_width().0 / known.gross.0,
            Err(NoFigure::TooUncertain { share }) => share,
            Err(why) => panic!("{why}"),
        };
        (steps.len(), half_width)
    };
    let (calm, known) = with(0.1);
    let (jumping, unknown) = with(15.0);
    assert!(known > 0.05, "{known}");
    assert!(jumping > calm && jumping > 2, "{calm} blocks, and {jumping}: {unknown}");
}

/// However much its figures scatter.
#[test]
fn a_quick_run_has_two_blocks_and_no_third() {
    let quick = Protocol::of(Mode::Quick);
    let least: f64 = (0..2 * quick.windows).map(|n| quick.window_length(n).0).sum();
    assert_eq!(quick.blocks, 2);
    assert!(least > quick.longest_seconds, "{least}");
}

#[test]
fn a_figure_to_publish_takes_ten_minutes_in_five_repeats_of_two() {
    let publish = Protocol::of(Mode::Publish);
    let block: f64 = (0..publish.windows).map(|n| publish.window_length(n).0).sum();
    let all: f64 = (0..publish.blocks * publish.windows).map(|n| publish.window_length(n).0).sum();
    assert_eq!(publish.blocks, 5);
    assert!((118.0..125.0).contains(&block) && (595.0..612.0).contains(&all), "{block} {all}");
    // Nothing is added to that, and the rest before each block is far longer than a quick run's.
    assert!(publish.longest_seconds <= 600.0 && publish.rest_seconds >= 10.0);
    for mode in [Mode::Quick, Mode::Default, Mode::Publish] {
        let protocol = Protocol::of(mode);
        let least = protocol.blocks * protocol.windows;
        assert!(least >= 7, "{mode:?}: an interval needs six windows");
        assert_eq!(protocol.precision, 0.02);
    }
}
