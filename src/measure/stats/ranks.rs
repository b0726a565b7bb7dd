//! Whether one sample tends to lie above another, by ranks alone. The `statrs` crate has this test too, but its exact
//! p-value is the wrong tail where the first sample is not the larger one (version 0.19).

use statrs::distribution::{ContinuousCDF, Normal};

/// Up to so many values in the smaller sample the p-value is counted out.
const COUNTED: usize = 8;

/// Mann and Whitney's test of two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannWhitney {
    /// Pairs in which the first sample's value is the larger one; a tie is half of one.
    pub u: f64,
    /// Two-sided: how often chance alone would part samples of one distribution so far.
    pub p: f64,
}

/// Mann and Whitney's test; none if a sample is empty. The p-value is exact where the smaller sample has up to eight
/// values and no two are alike; else it is the normal approximation with corrections for ties and continuity.
pub fn mann_whitney(a: &[f64], b: &[f64]) -> Option<MannWhitney> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let wins = |x: f64| b.iter().map(|&y| f64::from(x > y) + 0.5 * f64::from(x == y)).sum::<f64>();
    let u: f64 = a.iter().map(|&x| wins(x)).sum();
    let (n, m) = (a.len() as f64, b.len() as f64);
    let farther = u.max(n * m - u);
    let ties = ties(&[a, b].concat());
    let p = if ties.is_empty() && a.len().min(b.len()) <= COUNTED {
        2.0 * at_least(farther as usize, a.len().min(b.len()), a.len().max(b.len()))
    } else {
        let all = n + m;
        let tied: f64 = ties.iter().map(|t| t * t * t - t).sum();
        let variance = n * m / 12.0 * (all + 1.0 - tied / (all * (all - 1.0)));
        let z = (farther - n * m / 2.0 - 0.5) / variance.sqrt();
        // All values alike: nothing parts them.
        if variance > 0.0 { 2.0 * Normal::standard().sf(z) } else { 1.0 }
    };
    Some(MannWhitney { u, p: p.min(1.0) })
}

/// The sizes of the groups of equal values, of those that have more than one.
pub(super) fn ties(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let groups = sorted.chunk_by(|a, b| a == b).map(|group| group.len() as f64);
    groups.filter(|&size| size > 1.0).collect()
}

/// The share of all orders of `n` and `m` values in which U is at least `u`.
fn at_least(u: usize, n: usize, m: usize) -> f64 {
    // orders[i][u]: orders of i values among j with this U. The highest value is either one of the i, above all j, or one
    // of the j, above none.
    let mut orders = vec![vec![0.0f64; n * m + 1]; n + 1];
    orders.iter_mut().for_each(|counts| counts[0] = 1.0);
    for j in 1..=m {
        for i in 1..=n {
            for u in (j..=i * j).rev() {
                // Without values above, those of i - 1 are already of j; those of i are still of j - 1.
                orders[i][u] += orders[i - 1][u - j];
            }
        }
    }
    let counts = &orders[n];
    counts[u.min(n * m + 1)..].iter().sum::<f64>() / counts.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_tail_is_that_of_all_orders() {
        // Every choice of places for three values among seven.
        let mut counts = [0u32; 13];
        for places in (0u32..1 << 7).filter(|places| places.count_ones() == 3) {
            let below = |at: u32| (0..at).filter(|i| places >> i & 1 == 0).count();
            counts[(0..7).filter(|at| places >> at & 1 == 1).map(below).sum::<usize>()] += 1;
        }
        for u in 0..=12 {
            let share = f64::from(counts[u..].iter().sum::<u32>()) / 35.0;
            assert!((at_least(u, 3, 4) - share).abs() < 1e-15, "{u}");
        }
    }

    #[test]
    fn nothing_parts_equal_values() {
        assert_eq!(mann_whitney(&[2.0; 9], &[2.0; 12]), Some(MannWhitney { u: 54.0, p: 1.0 }));
        assert_eq!(mann_whitney(&[], &[1.0]), None);
    }
}
