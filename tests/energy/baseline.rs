//! What a meter reads at rest, before the first row and after the last.

use rigbench::device::DeviceId;
use rigbench::energy::{
    Accuracy, Basis, Energy, EnergyError, EnergySource, Idle, Meter, Placed, Quantity, Sampling,
    Scope, SourceInfo, Stretch,
};
use rigbench::units::{Seconds, Watts};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Watts that the test sets, as a meter shows them: never twice quite the same.
struct Dial {
    watts: Arc<AtomicU32>,
    reads: u32,
}

impl EnergySource for Dial {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            kind: "command",
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

    fn read(&mut self) -> Result<Vec<f64>, EnergyError> {
        self.reads += 1;
        let watts = f64::from(self.watts.load(Ordering::Relaxed));
        Ok(vec![watts + 0.01 * f64::from(self.reads % 5)])
    }
}

fn idle(energy: &[Energy]) -> Idle {
    match energy {
        [Energy::Measured(m)] => m.idle.expect("it was taken"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rest_is_taken_before_the_first_row_and_again_after_the_last() {
    let watts = Arc::new(AtomicU32::new(20));
    let source = Box::new(Dial { watts: Arc::clone(&watts), reads: 0 });
    let devices = vec![DeviceId::Cpu];
    let mut sampling = Sampling::start(vec![Placed { source, devices }]);
    let (least, most) = (Seconds(0.5), Seconds(5.0));
    sampling.take_baseline(least, most, &mut || false);

    watts.store(60, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(100));
    let meter = Meter::new(&sampling, &DeviceId::Cpu, vec![], "nothing is read");
    let from = meter.now();
    std::thread::sleep(Duration::from_millis(700));
    let stretch = Stretch { from, to: meter.now() };
    let mut energy = meter.over(&[stretch]);
    let before = idle(&energy);
    assert!((before.power.0 - 20.0).abs() < 0.5, "{before:?}");
    assert!(!before.again && before.seconds >= least && before.half_width.0 < 1.0, "{before:?}");
    let Energy::Measured(m) = &energy[0] else { unreachable!() };
    let gross = m.integral.gross / stretch.length();
    assert!(
        (gross.0 - 60.0).abs() < 1.0,
        "rest is not in the gross figure, nor taken off: {gross}"
    );

    // It is warmer than before: the baseline is the mean of both, known no better than they agree.
    watts.store(24, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(100));
    sampling.take_baseline(least, most, &mut || false);
    sampling.renew_baseline(&mut energy);
    let both = idle(&energy);
    assert!((both.power.0 - 22.0).abs() < 0.5, "{both:?}");
    assert!(both.again && both.seconds > before.seconds && both.half_width.0 > 1.5, "{both:?}");
}
