//! How often a source is read.

use rigbench::energy::{
    Accuracy, Basis, EnergyError, EnergySource, MeterKind, Quantity, Sampling, Scope,
    SourceBinding, SourceInfo,
};
use rigbench::units::{Joules, Seconds, Watts};

/// A counter that never moves, with this range in joules.
struct Counter(Option<f64>);

impl EnergySource for Counter {
    fn describe(&self) -> SourceInfo {
        let quantity = Quantity::Counter { ranges: vec![self.0.map(Joules)], duty: 1.0 };
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
        Ok(vec![1.0])
    }
}

#[test]
fn min_poll_interval_never_hides_a_wrap() {
    let poll = |range: Option<f64>, least: f64| {
        let binding = SourceBinding { source: Box::new(Counter(range)), devices: vec![] };
        let sampling = Sampling::with_min_poll_interval(vec![binding], Seconds(least));
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
