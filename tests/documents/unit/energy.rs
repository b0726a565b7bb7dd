//! Scopes, columns of readings, stated power, and what a figure says of a sensor's doubt.

use rigbench::device::Device;
use rigbench::energy::{
    Accuracy, Basis, Figures, LoadStep, MeterKind, NoFigure, Quantity, Read, Readings, Rules,
    Scope, SourceInfo, Stamped, Stated, TimeSpan, figures,
};
use rigbench::units::{Seconds, Watts};
use strum::VariantArray;

#[test]
fn within_holds_only_for_nested_scopes() {
    use Scope::*;
    let nested = [
        (GpuBoard, Machine),
        (CpuPackage, Machine),
        (Dram, Machine),
        (GpuBoard, Wall),
        (CpuPackage, Wall),
        (Dram, Wall),
        (Machine, Wall),
    ];
    for &a in Scope::VARIANTS {
        for &b in Scope::VARIANTS {
            assert_eq!(a.within(b), nested.contains(&(a, b)), "{a:?} in {b:?}");
        }
    }
}

/// Each line of a command is stamped with a single moment.
#[test]
fn instantaneous_readings_have_no_negative_duration() {
    let quantity = Quantity::Power { averaging: Seconds(0.0) };
    let at = |i: u32| Seconds(0.1 * f64::from(i) + 1e-7 * f64::from(i % 10));
    let reading = |i| Stamped { before: at(i), after: at(i), values: vec![50.0] };
    let readings = Readings::of(0, &quantity, &(0..100).map(reading).collect::<Vec<_>>());
    assert_eq!(readings.fault(&quantity), None);
    assert!(readings.took_seconds.iter().all(|took| took.is_sign_positive()));
}

#[test]
fn processor_interval_comes_from_its_threads() {
    match Stated::model(&Device::cpu()).unwrap() {
        Stated::Modelled { low, high, scope, basis } => {
            assert!(high.0 / low.0 > 5.9 && scope == Scope::Machine, "{low} to {high}");
            assert!(basis.contains("Cloud Carbon Footprint"));
        }
        other => panic!("{other:?}"),
    }
}

/// Idle for 10 s, then loaded for 20 s, of which the last 18 s are measured; busy for this share of them.
fn step(busy: Option<f64>) -> LoadStep {
    let measured = TimeSpan { from: Seconds(12.0), to: Seconds(30.0) };
    LoadStep { idle_from: Seconds(0.0), load_from: Seconds(10.0), measured, busy }
}

/// The figures of a sensor that shows these values at these moments.
fn figures_of(quantity: Quantity, step: LoadStep, readings: &[(f64, f64)]) -> Figures {
    let info = SourceInfo {
        kind: MeterKind::Command,
        model: "made up".into(),
        driver: None,
        scope: Scope::Machine,
        quantity,
        update_period: Some(Seconds(0.1)),
        poll: Seconds(0.1),
        ceiling: Watts(1000.0),
        accuracy: Accuracy { share: 0.0, basis: Basis::Assumed, reference: String::new() },
    };
    let reading = |&(at, value): &(f64, f64)| {
        let at = Seconds(at);
        Stamped { before: at, after: at, values: vec![value] }
    };
    let readings = readings.iter().map(reading).collect();
    let read = Read { source_index: 0, info: &info, readings };
    figures(&Rules::CURRENT, &[read], &[step]).remove(0)
}

/// Ten readings a second of a value, until a moment.
fn readings(until: f64, value: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let moments = (1..).map(|i| 0.1 * f64::from(i)).take_while(|at| *at < until);
    moments.map(|at| (at, value(at))).collect()
}

/// The uncertainty from aliasing, as a share of the contrast between idle and load, of a sensor that samples for a share `duty` of the
/// time, with a load that is idle for a share `idle`.
fn aliasing_error(duty: f64, idle: f64) -> f64 {
    let counter = Quantity::Counter { ranges: vec![None], duty };
    // 90 W idle, 100 W under load.
    let joules = readings(35.0, |at| 90.0 * at + 10.0 * (at - 10.0).max(0.0));
    let figures = figures_of(counter, step(Some(1.0 - idle)), &joules);
    let (response, total) = (figures.response.unwrap(), figures.total.unwrap());
    let contrast = 1.0 - response.idle.0 / response.load.0;
    assert!((contrast - 0.1).abs() < 0.01, "{response:?}");
    total.terms.meter.0 / total.gross.0 / contrast
}

#[test]
fn part_time_sensor_aliases_with_the_load() {
    assert_eq!(aliasing_error(1.0, 0.3), 0.0);
    assert_eq!(aliasing_error(0.25, 0.0), 0.0);
    // Idle half of the time: the sensor may see only load, or only idle time.
    assert!((aliasing_error(0.25, 0.5) - 0.5).abs() < 1e-12);
    // Idle 2 % of the time, all of it seen: 8 % instead of 2 %.
    assert!((aliasing_error(0.25, 0.02) - 0.06).abs() < 1e-12);
}

/// One reading cannot show that a source never moves, and many equal ones do.
#[test]
fn few_readings_are_not_called_a_reading_that_never_moved() {
    let counter = || Quantity::Counter { ranges: vec![None], duty: 1.0 };
    let power = || Quantity::Power { averaging: Seconds(0.0) };
    let why = |quantity, readings: &[_]| figures_of(quantity, step(None), readings).response;
    for few in [&[][..], &[(11.0, 50.0)], &[(11.0, 50.0), (12.0, 60.0)]] {
        assert_eq!(why(counter(), few), Err(NoFigure::FewReadings));
    }
    assert_eq!(why(power(), &[(11.0, 50.0), (12.0, 60.0)]), Err(NoFigure::FewReadings));
    assert_eq!(why(power(), &[]), Err(NoFigure::NoUsableReading));
    for quantity in [counter(), power()] {
        assert_eq!(why(quantity, &readings(35.0, |_| 50.0)), Err(NoFigure::NeverMoved));
    }
}
