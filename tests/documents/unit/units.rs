//! Units as text, and the arithmetic of intervals.

use proptest::prelude::*;
use rigbench::units::*;

#[test]
fn energy_per_work_reads_in_the_customary_unit() {
    let hash = EnergyPerWork { joules: 7.0e-8, unit: Unit::Hash };
    assert_eq!(hash.to_string(), "70 000 J/TH");
    let asic = EnergyPerWork { joules: 13.5e-12, unit: Unit::Hash };
    assert_eq!(asic.to_string(), "13.5 J/TH");
    let flop = EnergyPerWork { joules: 0.51e-12, unit: Unit::Flop };
    assert_eq!(flop.to_string(), "0.510 J/TFLOP");
    assert_eq!(EnergyPerWork::quoted(0.07, Unit::Token).to_string(), "0.0700 J/token");
    assert_eq!(EnergyPerWork::quoted(13.5, Unit::Hash), asic);
}

#[test]
fn rates_have_the_si_prefix_that_leaves_one_to_three_digits() {
    let rate = |per_second, unit| Rate { per_second, unit }.to_string();
    assert_eq!(rate(51.23e6, Unit::Hash), "51.2 MH/s");
    assert_eq!(rate(999.96e6, Unit::Hash), "1000 MH/s");
    assert_eq!(rate(16.4e9, Unit::Flop), "16.4 GFLOP/s");
    assert_eq!(rate(0.25, Unit::Flop), "0.250 FLOP/s");
    assert_eq!(Amount { work: 80e12, unit: Unit::Hash }.to_string(), "80.0 TH");
}

#[test]
fn significant_rounds_and_groups() {
    for (value, text) in [
        (0.0, "0"),
        (9.996, "10.0"),
        (0.012345, "0.0123"),
        (1234.0, "1230"),
        (12345.0, "12 300"),
        (-1234567.0, "-1 230 000"),
    ] {
        assert_eq!(significant(value), text, "{value}");
    }
}

#[test]
fn watts_times_seconds_are_joules() {
    assert_eq!(Watts(120.0) * Seconds(2.0), Joules(240.0));
    assert_eq!(Joules(240.0) / Seconds(2.0), Watts(120.0));
    assert_eq!(Bytes(128 << 20).to_string(), "128 MiB");
}

/// An interval around a value of this size, or a range.
fn interval(size: std::ops::Range<f64>) -> impl Strategy<Value = Interval> {
    (size, 0.0..0.4, 0.0..0.4, any::<bool>()).prop_map(|(value, below, above, stated)| {
        let (low, high) = (value * (1.0 - below), value * (1.0 + above));
        Interval { value: stated.then_some(value), ..Interval::between(low, high) }
    })
}

fn inside(interval: Interval, part: f64) -> f64 {
    (interval.low + part * (interval.high - interval.low)).clamp(interval.low, interval.high)
}

proptest! {
    /// The result contains every result of values within the operands; a ratio of lower bounds would not.
    #[test]
    fn results_contain_every_pair_of_true_values(
        a in interval(0.01..100.0), b in interval(0.01..100.0), i in 0.0..1.0, j in 0.0..1.0,
    ) {
        let (x, y) = (inside(a, i), inside(b, j));
        for (result, truth) in [(a * b, x * y), (a / b, x / y), (a - b, x - y), (a + b, x + y)] {
            let slack = 1e-12 * (truth.abs() + 1.0);
            prop_assert!(result.low <= truth + slack && truth <= result.high + slack);
            prop_assert_eq!(result.value.is_some(), a.value.is_some() && b.value.is_some());
        }
    }
}

#[test]
fn a_range_has_no_value_and_gives_none() {
    let range = Interval::between(5.0, 2.0);
    assert_eq!((range.low, range.value, range.high), (2.0, None, 5.0));
    assert_eq!((range * 2.0).value, None);
    assert_eq!((Interval::exact(6.0) / range).low, 1.2);
    assert!(!range.is_exact() && Interval::exact(1.0).is_exact());
    assert_eq!((range.low, range.value, range.high), (2.0, None, 5.0));
    // An upper bound on energy alone gives only a lower bound on what a joule earns.
    let earned = Interval::exact(6.0) / Interval::between(0.0, 3.0);
    assert_eq!((earned.low, earned.high, earned.middle()), (2.0, f64::INFINITY, 2.0));
}

#[test]
fn provenance_is_that_of_the_weakest_operand() {
    use Provenance::*;
    assert_eq!(MeasuredCounter.max(MeasuredSampled), MeasuredSampled);
    assert_eq!(Modelled.max(MeasuredCounter), Modelled);
    let declared = Interval::exact(2.0).with_provenance(Declared);
    assert_eq!((Interval::between(1.0, 2.0) * declared).provenance, Modelled);
    assert_eq!((declared * 3.0).provenance, Declared);
}

#[test]
fn unknown_ends_are_null() {
    let bare = Interval::bare(3.0, Provenance::Measured, Method::OrderStatistics);
    let json = serde_json::to_string(&bare).unwrap();
    assert!(json.contains("\"low\":null,\"high\":null"), "{json}");
    assert_eq!(serde_json::from_str::<Interval>(&json).unwrap(), bare);
    assert_eq!((bare.ends(), bare.relative_half_width()), (None, f64::INFINITY));
}
