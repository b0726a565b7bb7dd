//! How often a source is read, and how long it is waited for.

use rigbench::device::DeviceId;
use rigbench::energy::{
    Accuracy, Basis, EnergyError, EnergySource, LoadStep, Meter, MeterKind, Quantity, Sampling,
    Scope, SourceBinding, SourceInfo, TimeSpan,
};
use rigbench::units::{Joules, Seconds, Watts};
use std::thread::sleep;
use std::time::Duration;

/// A counter with this range in joules, which moves by so many at each reading.
struct Counter {
    range: Option<f64>,
    step: f64,
    joules: f64,
}

impl Counter {
    fn new(range: Option<f64>, step: f64) -> Counter {
        Counter { range, step, joules: 1.0 }
    }

    fn sampled(self, min_poll: f64) -> Sampling {
        let binding = SourceBinding { source: Box::new(self), devices: vec![DeviceId::Cpu] };
        Sampling::start(vec![binding], Seconds(min_poll))
    }
}

impl EnergySource for Counter {
    fn describe(&self) -> SourceInfo {
        let quantity = Quantity::Counter { ranges: vec![self.range.map(Joules)], duty: 1.0 };
        SourceInfo {
            kind: MeterKind::Rapl,
            model: "made up".into(),
            driver: None,
            scope: Scope::CpuPackage,
            quantity,
            update_period: None,
            poll: Seconds(0.02),
            ceiling: Watts(500.0),
            accuracy: Accuracy { share: 0.1, basis: Basis::Assumed, reference: String::new() },
        }
    }

    fn read(&mut self) -> Result<Vec<f64>, EnergyError> {
        self.joules += self.step;
        Ok(vec![self.joules])
    }
}

#[test]
fn min_poll_interval_never_hides_a_wrap() {
    let poll = |range: Option<f64>, least: f64| {
        let sampling = Counter::new(range, 0.0).sampled(least);
        sampling.sources().next().unwrap().0.poll.0
    };
    assert_eq!(poll(Some(262_143.0), 0.2), 0.2);
    assert_eq!(poll(None, 0.2), 0.2);
    assert_eq!(poll(Some(262_143.0), 0.0), 0.02);
    // 200 J at 500 W last 0.4 s.
    assert_eq!(poll(Some(200.0), 0.2), 0.1);
    // The poll interval of the source itself is never shortened.
    assert_eq!(poll(Some(20.0), 0.2), 0.02);
}

/// It may be late. A counter that jumped has no figure, whatever it reads later.
#[test]
fn a_counter_that_has_not_moved_is_waited_for_and_one_that_jumped_is_not() {
    let (idle_from, load_from) = (Seconds(0.0), Seconds(0.1));
    let measured = TimeSpan { from: load_from, to: Seconds(0.2) };
    let steps = [LoadStep { idle_from, load_from, measured, busy: None }];
    let awaited = |step: f64| {
        let sampling = Counter::new(None, step).sampled(0.0);
        let meter = Meter::new(&sampling, &DeviceId::Cpu);
        while meter.readings(&steps)[0].len() < 5 {
            sleep(Duration::from_millis(5));
        }
        meter.awaited(&steps)
    };
    assert!(awaited(0.0) > Some(Seconds(30.0)));
    assert_eq!(awaited(1e9), None);
}
