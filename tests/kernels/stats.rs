//! The statistics against SciPy's: `scripts/stats-fixtures.py` made `tests/golden/stats.json`.

use rigbench::measure::stats;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixtures {
    location: Vec<Location>,
    trend: Vec<Trend>,
    ranks: Vec<Ranks>,
    ratios: Vec<Ratio>,
    bootstrap: Vec<Bootstrap>,
}

#[derive(Deserialize)]
struct Location {
    values: Vec<f64>,
    median: f64,
    low: Option<f64>,
    high: Option<f64>,
    mad: f64,
}

#[derive(Deserialize)]
struct Trend {
    x: Vec<f64>,
    y: Vec<f64>,
    slope: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct Ranks {
    a: Vec<f64>,
    b: Vec<f64>,
    u: f64,
    p: f64,
}

#[derive(Deserialize)]
struct Ratio {
    base: Vec<f64>,
    new: Vec<f64>,
    ratio: f64,
    low: f64,
    high: f64,
    low_99: f64,
    high_99: f64,
    p: f64,
}

#[derive(Deserialize)]
struct Bootstrap {
    base: Vec<f64>,
    new: Vec<f64>,
    low: f64,
    high: f64,
}

fn fixtures() -> Fixtures {
    let fixtures: Fixtures = serde_json::from_str(include_str!("../golden/stats.json")).unwrap();
    let Fixtures { location, trend, ranks, ratios, bootstrap } = &fixtures;
    let sizes = [location.len(), trend.len(), ranks.len(), ratios.len(), bootstrap.len()];
    assert!(sizes.iter().zip([10, 15, 40, 18, 3]).all(|(size, least)| *size >= least), "{sizes:?}");
    fixtures
}

/// `found` is `expected` but for rounding, as a share of it.
#[track_caller]
fn close(found: f64, expected: f64, share: f64) {
    let far = (found - expected).abs();
    assert!(far <= share * expected.abs(), "{found} should be {expected}");
}

#[test]
fn medians_their_intervals_and_mad_are_scipys() {
    for case in fixtures().location {
        let found = stats::median_interval(&case.values).unwrap();
        close(found.value, case.median, 1e-15);
        assert_eq!(found.ci95, case.low.zip(case.high), "{:?}", case.values);
        close(stats::mad(&case.values).unwrap(), case.mad, 1e-14);
    }
}

#[test]
fn theil_sen_is_scipys() {
    for case in fixtures().trend {
        let found = stats::theil_sen(&case.x, &case.y).unwrap();
        let (low, high) = found.ci95.unwrap();
        for (found, expected) in [(found.value, case.slope), (low, case.low), (high, case.high)] {
            close(found, expected, 1e-12);
        }
    }
}

#[test]
fn mann_whitney_is_scipys() {
    for Ranks { a, b, u, p } in fixtures().ranks {
        let found = stats::mann_whitney(&a, &b).unwrap();
        assert_eq!(found.u, u);
        close(found.p, p, 1e-9);
        // Nothing changes if the samples change places, but for who wins.
        let turned = stats::mann_whitney(&b, &a).unwrap();
        assert_eq!(turned.u, (a.len() * b.len()) as f64 - u);
        close(turned.p, p, 1e-9);
    }
}

#[test]
fn ratios_of_blocks_are_scipys_test_of_logarithms() {
    for case in fixtures().ratios {
        let found = stats::ratio_of_blocks(&case.base, &case.new).unwrap();
        close(found.value, case.ratio, 1e-12);
        close(found.ci95.0, case.low, 1e-9);
        close(found.ci95.1, case.high, 1e-9);
        close(found.ci99.0, case.low_99, 1e-9);
        close(found.ci99.1, case.high_99, 1e-9);
        close(found.p, case.p, 1e-7);
    }
}

#[test]
fn bootstrap_intervals_are_scipys_whatever_the_seed() {
    for case in fixtures().bootstrap {
        let with = |seed| stats::ratio_of_windows(&case.base, &case.new, seed).unwrap();
        // Ends are quantiles of some thousand draws: they may lie elsewhere by a tenth of the interval.
        let room = 0.1 * (case.high - case.low);
        for seed in 0..5 {
            let (low, high) = with(seed).ci95;
            assert!((low - case.low).abs() < room, "{low} should be {}", case.low);
            assert!((high - case.high).abs() < room, "{high} should be {}", case.high);
        }
    }
}

#[test]
fn a_seed_chooses_the_draws() {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let case = &fixtures().bootstrap[0];
    let with = |seed| {
        let ratio = |base: &[f64], new: &[f64]| mean(new) / mean(base);
        stats::bootstrap(&case.base, &case.new, seed, [0.95], ratio).unwrap()
    };
    assert_eq!(with(3), with(3));
    assert_ne!(with(3), with(4));
}
