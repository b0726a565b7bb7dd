//! A meter must answer to the load: readings that come late are moved, those that do not answer give no joules, and what
//! no such thing can draw is not believed. In simulated time.

use rigbench::energy::{
    Accuracy, Basis, Figures, LoadStep, MeterKind, Quantity, Read, Rules, Scope, SourceInfo,
    Stamped, TimeSpan,
};
use rigbench::units::{Seconds, Watts};
use strum::VariantArray;

const IDLE: f64 = 120.0;
const LOAD: f64 = 480.0;
/// What other rows draw between the blocks.
const OTHERS: f64 = 300.0;

/// Blocks of a row as a default run has them beside a plug: idle time, warm-up, measured part; other rows in between.
fn blocks(number: usize) -> Vec<LoadStep> {
    let mut steps = Vec::new();
    let mut now = 20.0;
    for i in 0..number {
        let idle_from = now;
        let load_from = idle_from + 4.0 * (1.0 + 0.4 * (0.618 * (i as f64 + 1.0)).fract());
        let measured = TimeSpan { from: Seconds(load_from + 2.0), to: Seconds(load_from + 14.0) };
        steps.push(LoadStep {
            idle_from: Seconds(idle_from),
            load_from: Seconds(load_from),
            measured,
            busy: Some(1.0),
        });
        now = measured.to.0 + 9.0 + 3.0 * (0.3 * i as f64).fract();
    }
    steps
}

/// True power at a moment, with what every load has of unevenness.
fn power(steps: &[LoadStep], at: f64) -> f64 {
    let within = |from: Seconds, to: Seconds| from.0 <= at && at < to.0;
    let busy = |step: &LoadStep| within(step.load_from, step.measured.to);
    let resting = |step: &LoadStep| within(step.idle_from, step.load_from);
    let end = steps[steps.len() - 1].measured.to.0;
    let watts = match () {
        () if steps.iter().any(busy) => LOAD,
        () if at < steps[0].load_from.0 || at > end || steps.iter().any(resting) => IDLE,
        () => OTHERS,
    };
    watts * (1.0 + 0.01 * (7.0 * at).sin())
}

fn meter(scope: Scope, quantity: Quantity) -> SourceInfo {
    SourceInfo {
        kind: MeterKind::Command,
        model: "made up".into(),
        driver: None,
        scope,
        quantity,
        update_period: Some(Seconds(1.0)),
        poll: Seconds(0.5),
        ceiling: Watts(4000.0),
        accuracy: Accuracy { share: 0.03, basis: Basis::Assumed, reference: "made up".into() },
    }
}

fn plug() -> SourceInfo {
    meter(Scope::Wall, Quantity::Power { averaging: Seconds(0.0) })
}

/// Readings every half second of a value that is renewed every second.
fn readings(steps: &[LoadStep], value: impl Fn(f64) -> f64) -> Vec<Stamped> {
    let last = steps[steps.len() - 1].measured.to.0 + 30.0;
    (0..(2.0 * last) as usize)
        .map(|i| 0.5 * i as f64)
        .map(|t| Stamped {
            before: Seconds(t),
            after: Seconds(t + 0.02),
            values: vec![value(t.floor())],
        })
        .collect()
}

fn figures(source: &SourceInfo, readings: Vec<Stamped>, steps: &[LoadStep]) -> Figures {
    Figures::of(&Rules::V1, &Read { source_index: 0, info: source, readings }, steps)
}

/// Joules over what was truly drawn and half of the interval, as shares; or why there are none.
fn judged(
    source: &SourceInfo,
    steps: &[LoadStep],
    value: impl Fn(f64) -> f64,
) -> Result<(f64, f64), String> {
    let figures = figures(source, readings(steps, value), steps);
    let figure = figures.total.map_err(|why| why.to_string())?;
    let counted = steps.iter().zip(&figures.blocks).filter(|(_, figure)| figure.is_ok());
    let truth: f64 = counted.map(|(step, _)| LOAD * step.measured.length().0).sum();
    Ok((figure.gross.0 / truth, figure.terms.half_width().0 / figure.gross.0))
}

#[test]
fn a_prompt_meter_is_believed() {
    for number in [2, 3, 5] {
        let steps = blocks(number);
        let (ratio, half) = judged(&plug(), &steps, |t| power(&steps, t)).unwrap();
        assert!((ratio - 1.0).abs() <= half && half < 0.05, "{ratio} ±{half}");
    }
}

/// Whole watts of a load that is as even as it can be: what moves the reading is that loads begin and end, many times, and not
/// that it is renewed so seldom.
#[test]
fn a_steady_load_in_whole_watts_shows_no_period_and_has_joules() {
    let source = SourceInfo { update_period: None, ..plug() };
    for number in [2, 3, 5] {
        let steps = blocks(number);
        let even = |t: f64| (power(&steps, t) / 60.0).round() * 60.0;
        let (ratio, half) = judged(&source, &steps, even).unwrap();
        assert!((ratio - 1.0).abs() <= half && half < 0.12, "{number}: {ratio} ±{half}");
    }
}

/// A plug 12 s behind credited one row with another's joules: −35 % with ±5 % stated.
#[test]
fn a_late_meter_is_moved_by_its_lag_or_gives_no_joules() {
    for lag in [3.0, 7.0, 12.0, 20.0] {
        for number in [3, 5] {
            let steps = blocks(number);
            let (ratio, half) = judged(&plug(), &steps, |t| power(&steps, t - lag)).unwrap();
            assert!(
                (ratio - 1.0).abs() <= half && half < 0.2,
                "{lag} s, {number}: {ratio} ±{half}"
            );
        }
        // Two steps are too few to know a late answer from other rows' work. A lag within the warm-up does no harm.
        let steps = blocks(2);
        if let Ok((ratio, half)) = judged(&plug(), &steps, |t| power(&steps, t - lag)) {
            assert!((ratio - 1.0).abs() <= half, "{lag} s, two: {ratio} ±{half}");
        }
    }
    // Beyond half a minute nothing is looked for.
    let steps = blocks(5);
    let why = judged(&plug(), &steps, |t| power(&steps, t - 47.0)).unwrap_err();
    assert!(why.contains("do not answer to the load"), "{why}");
}

#[test]
fn a_counter_that_is_late_is_moved_by_its_lag_too() {
    let steps = blocks(4);
    let counted = |to: f64| {
        (0..(to * 20.0) as usize).map(|i| power(&steps, i as f64 / 20.0) / 20.0).sum::<f64>()
    };
    let counter = meter(Scope::Wall, Quantity::Counter { ranges: vec![None], duty: 1.0 });
    for lag in [0.0, 12.0] {
        let (ratio, half) = judged(&counter, &steps, |t| 1e6 + counted(t - lag)).unwrap();
        assert!((ratio - 1.0).abs() <= half && half < 0.12, "{lag} s: {ratio} ±{half}");
    }
}

/// A service processor that renews its reading once a minute shows the idle power all through a short run.
#[test]
fn a_reading_that_never_moves_gives_no_joules() {
    let steps = blocks(3);
    let why = judged(&plug(), &steps, |_| 120.0).unwrap_err();
    assert!(why.contains("never moved"), "{why}");
    let counter = meter(Scope::Wall, Quantity::Counter { ranges: vec![None], duty: 1.0 });
    assert!(judged(&counter, &steps, |_| 5e6).is_err());
    // It counts on, as fast idle as loaded: another machine's.
    let why = judged(&counter, &steps, |t| 120.0 * t).unwrap_err();
    assert!(why.contains("answer") || why.contains("never moved"), "{why}");
}

#[test]
fn the_plug_of_another_machine_gives_no_joules() {
    let steps = blocks(4);
    let other = |t: f64| 200.0 + 90.0 * (t / 13.0).sin() + 40.0 * (t / 3.7).cos();
    let why = judged(&plug(), &steps, other).unwrap_err();
    assert!(why.contains("is it the meter of this machine"), "{why}");
}

/// `echo 0.285` for 285 W, and a driver off by a thousand.
#[test]
fn less_than_anything_of_its_scope_draws_is_another_unit() {
    let steps = blocks(3);
    for (scope, watts) in [
        (Scope::Wall, 1e-3),
        (Scope::Machine, 1e-3),
        (Scope::GpuBoard, 1e-3),
        (Scope::CpuPackage, 1e-4),
    ] {
        let source = meter(scope, Quantity::Power { averaging: Seconds(0.0) });
        let why = judged(&source, &steps, |t| watts * power(&steps, t)).unwrap_err();
        assert!(why.contains("another unit"), "{scope:?}: {why}");
    }
}

#[test]
fn more_than_anything_of_its_scope_draws_is_garbage() {
    let steps = blocks(3);
    for &scope in Scope::VARIANTS {
        let source = SourceInfo {
            ceiling: Watts(f64::INFINITY),
            ..meter(scope, Quantity::Power { averaging: Seconds(0.0) })
        };
        let why = judged(&source, &steps, |t| 1e4 * power(&steps, t)).unwrap_err();
        assert!(why.contains("no reading that can be true") || why.contains("too few"), "{why}");
    }
}

/// A sensor that looks a quarter of each tenth of a second, and a load that pulses ten times a second: +60 % with ±5.8 %.
#[test]
fn a_part_time_sensor_in_step_with_the_load_says_how_much_it_may_miss() {
    let pulse = 0.1;
    let with = |busy: f64| -> Vec<LoadStep> {
        blocks(3).into_iter().map(|step| LoadStep { busy: Some(busy), ..step }).collect()
    };
    let steps = with(0.9);
    // It meets only the busy part of each pulse, and takes it for the whole.
    let looked = |to: f64| {
        (0..(to / pulse) as usize).map(|i| power(&steps, i as f64 * pulse) * pulse).sum::<f64>()
    };
    let source = SourceInfo {
        update_period: Some(Seconds(0.1)),
        ..meter(Scope::GpuBoard, Quantity::Counter { ranges: vec![None], duty: 0.25 })
    };
    let total = |steps: &[LoadStep]| figures(&source, readings(steps, looked), steps).total;
    let figure = total(&steps).unwrap_or_else(|why| panic!("{why}"));
    let seconds: f64 = steps.iter().map(|step| step.measured.length().0).sum();
    let truth = seconds * (0.9 * LOAD + 0.1 * IDLE);
    let (off, half) =
        ((figure.gross.0 / truth - 1.0).abs(), figure.terms.half_width().0 / figure.gross.0);
    assert!(off > source.accuracy.share && off <= half, "off by {off}, stated ±{half}");
    // Where half of the time is gaps it may have seen only one or the other: nothing is stated.
    let why = total(&with(0.5)).unwrap_err().to_string();
    assert!(why.contains("uncertain"), "{why}");
}
