//! What a meter reads at rest, before the first row and after the last.

use crate::support::punctual::Punctual;
use rigbench::device::DeviceId;
use rigbench::energy::{
    Accuracy, Basis, Idle, LoadStep, Meter, MeterKind, Quantity, Sampling, Scope, SourceBinding,
    SourceInfo, TimeSpan,
};
use rigbench::units::{Seconds, Watts};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

fn info() -> SourceInfo {
    SourceInfo {
        kind: MeterKind::Command,
        model: "a dial".into(),
        driver: None,
        scope: Scope::Machine,
        quantity: Quantity::Power { averaging: Seconds(0.0) },
        update_period: None,
        poll: Seconds(0.01),
        ceiling: Watts(1000.0),
        accuracy: Accuracy { share: 0.01, basis: Basis::Assumed, reference: "a test".into() },
    }
}

/// Watts that the test sets, each from some moment on.
#[derive(Clone, Default)]
struct Dial(Arc<Mutex<Vec<(Instant, f64)>>>);

impl Dial {
    fn set(&self, watts: f64) {
        self.0.lock().unwrap().push((Instant::now(), watts));
    }

    fn at(&self, moment: Instant) -> f64 {
        let settings = self.0.lock().unwrap();
        settings.iter().rfind(|(from, _)| *from <= moment).unwrap_or(&settings[0]).1
    }
}

fn idle(sampling: &Sampling) -> Idle {
    match sampling.baselines()[..] {
        [Some(idle)] => idle,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn rest_is_taken_before_the_first_row_and_again_after_the_last() {
    let dial = Dial::default();
    dial.set(20.0);
    let (shown, mut readings) = (dial.clone(), 0);
    // As meters do, it never shows quite the same twice.
    let value = move |moment| {
        readings += 1;
        shown.at(moment) + 0.01 * f64::from(readings % 5)
    };
    let period = Duration::from_millis(50);
    let (source, progress) = Punctual::new(info(), period, value);
    let placed = SourceBinding { source: Box::new(source), devices: vec![DeviceId::Cpu] };
    let mut sampling = Sampling::start(vec![placed], Seconds(0.0));
    let (least, most) = (Seconds(1.0), Seconds(5.0));
    sampling.take_baseline(least, most, &mut || false);

    let meter = Meter::new(&sampling, &DeviceId::Cpu);
    let idle_from = meter.now();
    sleep(8 * period);
    let load_from = meter.now();
    dial.set(60.0);
    sleep(2 * period);
    let from = meter.now();
    sleep(14 * period);
    let measured = TimeSpan { from, to: meter.now() };
    progress.wait_beyond(Instant::now());
    let figures = meter.figures(&[LoadStep { idle_from, load_from, measured, busy: None }]);
    let before = idle(&sampling);
    assert!((before.power.0 - 20.0).abs() < 0.5, "{before:?}");
    assert!(!before.again && before.seconds >= least && before.half_width.0 < 1.0, "{before:?}");
    let gross = figures[0].total.as_ref().unwrap().gross / measured.length();
    assert!(
        (gross.0 - 60.0).abs() < 1.0,
        "rest is not in the gross figure, nor taken off: {gross}"
    );

    // It is warmer than before: the baseline is the mean of both, known no better than they agree.
    dial.set(24.0);
    sleep(2 * period);
    sampling.take_baseline(least, most, &mut || false);
    let both = idle(&sampling);
    assert!((both.power.0 - 22.0).abs() < 0.5, "{both:?}");
    assert!(both.again && both.seconds > before.seconds && both.half_width.0 > 1.5, "{both:?}");
}
