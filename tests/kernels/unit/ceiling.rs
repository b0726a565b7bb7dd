//! What `peak` computes: it stays in range, a missing round is seen, and every vector version does the same.

use rigbench::seed::Seed;
use rigbench::workload::ceiling::{
    Chains, FACTOR, LANES, Rotation, Starts, error_bound, rotated_sum, rotations,
};

#[test]
fn rotation_stays_in_range_and_never_converges() {
    let starts = Starts::of_window(Seed([1; 32]), None);
    let (mut x, mut y) = (starts.value(0), starts.value(1));
    let mut seen = std::collections::HashSet::new();
    for _ in 0..10_000 {
        x += FACTOR * y;
        y -= FACTOR * x;
        assert!(x.abs() < 2.0 && y.abs() < 2.0);
        seen.insert((x.to_bits(), y.to_bits()));
    }
    assert!(seen.len() > 9_900, "{}", seen.len());
}

#[test]
fn a_missing_round_is_detected() {
    let starts = Starts::of_window(Seed([1; 32]), Some(3));
    let pairs = |n: u64| (0..n).map(|i| (starts.value(2 * i), starts.value(2 * i + 1)));
    for (roundoff, allowed_misses) in [(2f64.powi(-24), 0), (2f64.powi(-11), 30)] {
        let close = (0..100).filter(|&i| {
            let sum = |rounds| rotated_sum(pairs(8 * (i + 1)).skip(8 * i as usize), rounds);
            (sum(512) - sum(511)).abs() <= error_bound(8, 512, roundoff)
        });
        assert!(close.count() <= allowed_misses, "{roundoff}");
    }
}

/// Every vector version gives the portable result up to rounding.
#[test]
fn all_vector_versions_give_the_same_result() {
    let starts = Starts::of_window(Seed([1; 32]), None);
    let chains = |first: u64| -> Chains {
        let value = |i: usize, lane: usize| starts.value(first + (i * LANES + lane) as u64);
        std::array::from_fn(|i| std::array::from_fn(|lane| value(i, lane)))
    };
    let rotated = |rotate: Rotation| {
        let (mut x, mut y) = (chains(0), chains(1000));
        rotate(&mut x, &mut y);
        [x, y].as_flattened().as_flattened().to_vec()
    };
    let versions: Vec<Vec<f32>> = rotations().map(rotated).collect();
    let plain = versions.last().unwrap();
    for version in &versions {
        for (a, b) in plain.iter().zip(version) {
            assert!((a - b).abs() < 1e-3, "{a} {b}");
        }
    }
}
