//! Lengths of windows, service times, the end of a warm-up, and telemetry in columns.

use base64::prelude::{BASE64_STANDARD, Engine};
use rigbench::measure::{Latency, Mode, Protocol, Sample, Steady, Telemetry};
use rigbench::units::{Seconds, Watts};
use std::collections::BTreeMap;

#[test]
fn windows_vary_around_their_mean_length() {
    let protocol = Protocol::of(Mode::Default);
    let lengths: Vec<f64> = (0..30).map(|n| protocol.window_length(n).0).collect();
    let mean = lengths.iter().sum::<f64>() / 30.0;
    assert!((mean / protocol.window_seconds - 1.0).abs() < 0.02, "{mean}");
    assert!(lengths.iter().all(|l| (1.26..=1.74).contains(l)), "{lengths:?}");
    assert!(lengths.windows(2).all(|l| (l[0] - l[1]).abs() > 0.1), "{lengths:?}");
}

/// Batches of 1 ms, 2 ms and so on.
fn latency(batches: u64) -> Latency {
    let mut latency = Latency::default();
    (1..=batches).for_each(|i| latency.record(Seconds(i as f64 * 1e-3)));
    latency
}

#[test]
fn percentile_needs_enough_samples() {
    assert_eq!(latency(19).percentile(0.5), None);
    assert!((latency(100).percentile(0.5).unwrap().0 - 0.05).abs() < 1e-3);
    assert_eq!(latency(999).percentile(0.99), None);
    assert!((latency(1000).percentile(0.99).unwrap().0 - 0.99).abs() < 2e-2);
}

#[test]
fn the_serialised_form_reads_back_and_merges() {
    let read = |latency: Latency| Latency::try_from(String::from(latency)).unwrap();
    let mut merged = read(latency(50));
    let mut other = read(latency(20));
    merged.take(&mut other);
    assert_eq!((merged.count(), other.count()), (70, 0));
    let mut both = latency(50);
    (1..=20).for_each(|i| both.record(Seconds(i as f64 * 1e-3)));
    assert_eq!(merged, both);
}

#[test]
fn other_histograms_are_rejected() {
    let good = BASE64_STANDARD.decode(String::from(latency(50))).unwrap();
    let read = |bytes: &[u8]| Latency::try_from(BASE64_STANDARD.encode(bytes)).ok();
    for at in 0..good.len() {
        assert!(read(&good[..at]).is_none_or(|l| l.count() != 50), "cut at {at}");
    }
    let mut huge = good;
    huge[24..32].fill(0x7f);
    assert!(read(&huge).is_none());
    assert!(Latency::try_from("no base64!".to_string()).is_err());
}

fn reached(slices: &[(f64, Option<f64>, Option<f64>)]) -> bool {
    let mut steady = Steady::default();
    for (rate, celsius, watts) in slices {
        steady.add(*rate, *celsius, watts.map(Watts));
    }
    steady.is_reached()
}

#[test]
fn last_slices_must_agree_in_all_quantities() {
    let rates =
        |rates: &[f64]| reached(&rates.iter().map(|r| (*r, None, None)).collect::<Vec<_>>());
    assert!(!rates(&[100.0, 100.0]));
    assert!(!rates(&[80.0, 100.0, 101.0]));
    assert!(rates(&[10.0, 100.0, 101.0, 99.0]));
    let at = |c: f64, w: f64| (100.0, Some(c), Some(w));
    assert!(reached(&[at(60.0, 200.0), at(60.5, 204.0), at(61.0, 208.0)]));
    assert!(!reached(&[at(60.0, 200.0), at(61.0, 200.0), at(62.0, 200.0)]), "it still heats up");
    assert!(!reached(&[at(60.0, 180.0), at(60.0, 195.0), at(60.0, 200.0)]), "power still climbs");
}

#[test]
fn columns_start_with_the_first_known_value_and_have_equal_length() {
    let mut telemetry = Telemetry::default();
    let celsius = |name: &str| BTreeMap::from([(name.to_string(), 41.26)]);
    telemetry.push(&Sample { cpu_use: None, ..Sample::default() });
    telemetry.push(&Sample { cpu_use: Some(0.5), celsius: celsius("a"), ..Sample::default() });
    telemetry.push(&Sample { celsius: celsius("b"), ..Sample::default() });
    assert!(telemetry.has_length(3) && telemetry.cpu_hertz.is_empty());
    assert_eq!(telemetry.cpu_use, [None, Some(0.5), None]);
    assert_eq!(telemetry.celsius["a"], [None, Some(41.3), None]);
    assert_eq!(telemetry.celsius["b"], [None, None, Some(41.3)]);
}
