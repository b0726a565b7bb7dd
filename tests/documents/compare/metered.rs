//! Joules from meters, whose errors are common to both runs or not.

use super::{calm, changed};
use rigbench::energy::{
    Accuracy, Basis, Integral, MeterKind, Quantity, Response, Scope, SourceInfo, Stated, Terms,
};
use rigbench::results::{self, Document, Energy, Measured, OrNewer, Origin, RowFigures, Source};
use rigbench::units::{Interval, Joules, Method, Provenance, Seconds, Watts};

/// Joules from a counter of 5 % accuracy: blocks as they are, times `factor`. Its figures are given, not derived.
fn metered(factor: f64) -> Document {
    let mut document = calm(1.0);
    let kept = document.evidence.rows[0].known().unwrap().clone();
    let windows = kept.windows.unwrap();
    document.evidence.manifest.sources[0] = OrNewer::Known(Source {
        devices: vec![kept.device],
        workload: None,
        origin: Origin::Meter(SourceInfo {
            kind: MeterKind::Nvml,
            model: "a card".into(),
            driver: None,
            scope: Scope::GpuBoard,
            quantity: Quantity::Counter { ranges: vec![None], duty: 1.0 },
            update_period: Some(Seconds(0.1)),
            poll: Seconds(0.05),
            ceiling: Watts(1000.0),
            accuracy: Accuracy { share: 0.05, basis: Basis::Assumed, reference: "a test".into() },
        }),
    });
    let seconds = |block: &rigbench::measure::Block| {
        windows.wall_seconds[block.windows.clone()].iter().sum::<f64>()
    };
    let joules: Vec<f64> = windows.blocks().iter().map(|b| 50.0 * factor * seconds(b)).collect();
    let gross: f64 = joules.iter().sum();
    let interval = Interval::new(
        gross,
        (0.95 * gross, 1.05 * gross),
        Provenance::MeasuredCounter,
        Method::MeterUncertainty,
    );
    let own: &mut RowFigures = document.derived.rows[0].known_mut().unwrap();
    own.energy = Energy {
        source: Some(0),
        scope: Some(Scope::GpuBoard),
        joules_per_unit: Some(interval / windows.total_work() as f64),
        power_watts: Some(interval / windows.seconds().0),
        measured: Some(Measured {
            total: Integral {
                gross: Joules(gross),
                terms: Terms {
                    meter: Joules(0.05 * gross),
                    window: Joules(0.002 * gross),
                    statistical: Joules(0.0),
                },
                period: Some(Seconds(0.1)),
                samples: 100,
                rejected: 0,
                coverage: 1.0,
                wraps: 0,
            },
            blocks_gross_joules: joules.into_iter().map(Some).collect(),
            response: Response {
                lag: Seconds(0.0),
                lag_half_width: Seconds(0.1),
                idle: Watts(10.0),
                load: Watts(50.0),
                explained: 1.0,
                late: false,
            },
            cross_checks: Vec::new(),
        }),
        ..Energy::default()
    };
    document
}

#[test]
fn a_meter_is_wrong_by_the_same_share_twice_and_two_meters_are_not() {
    let joules = |new: &Document| {
        let comparison = results::compare(&metered(1.0), new, Some(5.0));
        comparison.pairs[0].joules_per_unit.clone().unwrap()
    };
    let one = joules(&metered(1.06));
    assert!((one.ratio.middle() - 1.06).abs() < 1e-9 && one.regression, "{one:?}");
    assert!(one.p < Some(0.05) && one.past_gate == Some(true), "{one:?}");
    assert!(one.one_meter, "{one:?}");
    // Half of the interval is at least the ends of both rows' windows.
    assert!(one.ratio.high / one.ratio.middle() > 1.0028, "{one:?}");

    let mut elsewhere = metered(1.06);
    elsewhere.evidence.manifest.host.cpu = "Another".into();
    let two = joules(&elsewhere);
    assert!(!two.regression && two.p > Some(0.05), "{two:?}");
    let half = (two.ratio.high / two.ratio.middle()).ln();
    assert!(half > 0.05 * 2f64.sqrt() && half < 0.09, "{two:?}");

    let modelled = changed(|evidence| {
        let (low, high, scope) = (Watts(10.0), Watts(90.0), Scope::Machine);
        let origin = &mut evidence.manifest.sources[0].known_mut().unwrap().origin;
        *origin = Origin::Stated(Stated::Modelled { low, high, scope, basis: "a test".into() });
    });
    let comparison = results::compare(&modelled, &modelled, Some(5.0));
    assert_eq!(comparison.pairs[0].joules_per_unit, None);
    assert!(comparison.pairs[0].no_joules_reason.as_ref().unwrap().contains("modelled"));
    assert_eq!(comparison.not_judged, Vec::<String>::new());
}
