//! RoPE of the reference decoder, by hand and by what it is for.

use ndarray::Array2;
use rigbench::model::{Config, PRESETS, Pairs, Rope};
use rigbench::oracle::decoder::rotate;

fn rotated(pairs: Pairs, factors: Option<Vec<f32>>, rows: usize, head: &[f64]) -> Array2<f64> {
    let rope = Rope { base: 10_000.0, pairs, factors };
    let config = Config { head_dim: head.len(), rope, ..PRESETS[0].config() };
    let mut all = Array2::from_shape_fn((rows, head.len()), |(_, i)| head[i]);
    rotate(&mut all, &config);
    all
}

/// The first pair rotates by 1 radian per position, the second pair of four elements by 0.01.
#[test]
fn pairs_rotate_by_their_own_angles() {
    let check = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{got} {want}");
    let neighbours = rotated(Pairs::Neighbours, None, 4, &[1.0, 0.0, 0.0, 1.0]);
    for (i, want) in [3f64.cos(), 3f64.sin(), -0.03f64.sin(), 0.03f64.cos()].iter().enumerate() {
        check(neighbours[[3, i]], *want);
    }
    let halves = rotated(Pairs::Halves, Some(vec![1.0, 2.0]), 4, &[1.0, 0.0, 0.0, 1.0]);
    for (i, want) in [3f64.cos(), -0.015f64.sin(), 3f64.sin(), 0.015f64.cos()].iter().enumerate() {
        check(halves[[3, i]], *want);
    }
}

/// An attention score depends on the distance of query and key alone.
#[test]
fn scores_depend_on_distance_alone() {
    let head = |by: f64| (0..16).map(|i| (by * f64::from(i)).sin()).collect::<Vec<_>>();
    for pairs in [Pairs::Neighbours, Pairs::Halves] {
        let [queries, keys] = [1.3, 0.7].map(|by| rotated(pairs, None, 40, &head(by)));
        let scores = queries.dot(&keys.t());
        for ((to, from), score) in scores.indexed_iter() {
            let least = to.min(from);
            let same = scores[[to - least, from - least]];
            assert!((score - same).abs() < 1e-12, "{to} {from}: {score} {same}");
        }
        assert!((scores[[1, 0]] - scores[[0, 1]]).abs() > 1e-3, "order matters");
    }
}
