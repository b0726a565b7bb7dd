//! Figures of the advice as text, and the axes of plots.

use rigbench::report::figures::{bounded, cell, dollars, number, phrase, plain, price};
use rigbench::report::{Axis, MAX_LABELS};
use rigbench::units::Interval;

fn around(value: f64, low: f64, high: f64) -> Interval {
    Interval { value: Some(value), ..Interval::between(low, high) }
}

#[test]
fn a_figure_reads_as_what_it_is() {
    for (interval, in_a_sentence, in_a_table) in [
        (Interval::exact(0.08437), "0.0844", "0.0844"),
        (around(1.6, 1.55, 1.66), "1.60 (1.55 to 1.66)", "1.60\n1.55–1.66"),
        (around(1.6001, 1.6, 1.6002), "1.60", "1.60"),
        (Interval::between(1.36, 3.41), "1.36 to 3.41", "1.36\nto 3.41"),
        (Interval::between(1.36, f64::INFINITY), "at least 1.36", "≥ 1.36"),
        (Interval::between(0.0, 3.41), "up to 3.41", "≤ 3.41"),
        (Interval::between(f64::NEG_INFINITY, f64::INFINITY), "unknown", "unknown"),
        (Interval::between(-0.5, -0.25), "−0.500 to −0.250", "−0.500\nto −0.250"),
    ] {
        assert_eq!(phrase(interval), in_a_sentence);
        assert_eq!(cell(interval), in_a_table);
    }
    assert_eq!((number(124.93e12), plain(124.93e12)), ("1.25e14".into(), "1.2493e14".into()));
    assert_eq!(
        (plain(0.05), plain(3.125), plain(60_000.0)),
        ("0.05".into(), "3.125".into(), "60\u{a0}000".into())
    );
    assert_eq!(dollars(Interval::between(-0.5, 1.0)), "−$0.500 to $1.00");
    assert_eq!(
        (plain(-0.012), price(-0.012), price(0.05)),
        ("−0.012".into(), "−$0.012".into(), "$0.05".into())
    );
    assert_eq!(bounded(around(2.0, 1.0, 3.0), false), "≤ 3.00");
}

#[test]
fn values_lie_inside_and_ticks_are_round_and_few() {
    for (low, high) in [(9.5, 21.5), (9.5, 179_000.0), (1.0, 1.0), (3e-12, 8e9), (0.02, 0.03)] {
        let axis = Axis::logarithmic([low, high]).unwrap();
        assert!(axis.at(low) > 1.0 && axis.at(high) < 99.0, "{axis:?}");
        let ticks = axis.ticks(MAX_LABELS);
        assert!((1..=MAX_LABELS).contains(&ticks.len()), "{low} {high}: {ticks:?}");
        assert!((axis.value(axis.at(low)) / low - 1.0).abs() < 1e-9);
    }
    assert_eq!(
        Axis::logarithmic([9.5, 179_000.0]).unwrap().ticks(MAX_LABELS),
        [1e1, 1e2, 1e3, 1e4, 1e5]
    );
    assert_eq!(Axis::logarithmic([0.0, -1.0]), None);
    let wide = |value: f64| format!("{value:.1} GFLOP/s");
    let axis = Axis::logarithmic([90.0, 4000.0]).unwrap();
    assert!(axis.labels(280.0, wide).len() < axis.labels(900.0, wide).len());
    let axis = Axis::linear([47.1, 48.3]).unwrap();
    assert_eq!(axis.ticks(MAX_LABELS), [47.0, 47.5, 48.0, 48.5]); // from 46.6 to 48.8
    assert_eq!(Axis::from_zero([10.0]).unwrap().at(0.0), 0.0);
}
