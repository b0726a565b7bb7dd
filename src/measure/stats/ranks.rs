//! The Mann-Whitney U test. The `statrs` crate has this test, too, but its exact p-value uses the wrong tail if the first sample is not
//! the larger one (version 0.19).

use statrs::distribution::{ContinuousCDF, Normal};

/// Maximum size of the smaller sample for an exact p-value.
const COUNTED: usize = 8;

/// Result of the Mann-Whitney U test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannWhitney {
    /// Number of pairs in which the first sample's value is larger; ties count one half.
    pub u: f64,
    /// Two-sided p-value.
    pub p: f64,
}

/// The Mann-Whitney U test; `None` if a sample is empty. The p-value is exact if the smaller sample has at most eight values and there are
/// no ties; else it is the normal approximation with corrections for ties and continuity.
pub fn mann_whitney(a: &[f64], b: &[f64]) -> Option<MannWhitney> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let wins = |x: f64| b.iter().map(|&y| f64::from(x > y) + 0.5 * f64::from(x == y)).sum::<f64>();
    let u: f64 = a.iter().map(|&x| wins(x)).sum();
    let (n, m) = (a.len() as f64, b.len() as f64);
    let max_u = u.max(n * m - u);
    let ties = ties(&[a, b].concat());
    let p = if ties.is_empty() && a.len().min(b.len()) <= COUNTED {
        2.0 * tail_probability(max_u as usize, a.len().min(b.len()), a.len().max(b.len()))
    } else {
        let all = n + m;
        let tied: f64 = ties.iter().map(|t| t * t * t - t).sum();
        let variance = n * m / 12.0 * (all + 1.0 - tied / (all * (all - 1.0)));
        let z = (max_u - n * m / 2.0 - 0.5) / variance.sqrt();
        // The variance is 0 if all values are equal.
        if variance > 0.0 { 2.0 * Normal::standard().sf(z) } else { 1.0 }
    };
    Some(MannWhitney { u, p: p.min(1.0) })
}

/// Sizes of the groups of tied values.
pub(super) fn ties(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let groups = sorted.chunk_by(|a, b| a == b).map(|group| group.len() as f64);
    groups.filter(|&size| size > 1.0).collect()
}

/// P(U ≥ `u`) for samples of sizes `n` and `m` under the null hypothesis.
fn tail_probability(u: usize, n: usize, m: usize) -> f64 {
    // orders[i][u]: number of orders of i and j values with this U. The highest value is either one of the i and above all j, or one of the
    // j and above none.
    let mut orders = vec![vec![0.0f64; n * m + 1]; n + 1];
    orders.iter_mut().for_each(|counts| counts[0] = 1.0);
    for j in 1..=m {
        for i in 1..=n {
            for u in (j..=i * j).rev() {
                // As u decreases, orders[i - 1] already counts j values, orders[i] still j - 1.
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
    fn exact_tail_matches_enumeration() {
        // All choices of three places among seven.
        let mut counts = [0u32; 13];
        for places in (0u32..1 << 7).filter(|places| places.count_ones() == 3) {
            let below = |at: u32| (0..at).filter(|i| places >> i & 1 == 0).count();
            counts[(0..7).filter(|at| places >> at & 1 == 1).map(below).sum::<usize>()] += 1;
        }
        for u in 0..=12 {
            let share = f64::from(counts[u..].iter().sum::<u32>()) / 35.0;
            assert!((tail_probability(u, 3, 4) - share).abs() < 1e-15, "{u}");
        }
    }

    #[test]
    fn equal_values_have_p_one() {
        assert_eq!(mann_whitney(&[2.0; 9], &[2.0; 12]), Some(MannWhitney { u: 54.0, p: 1.0 }));
        assert_eq!(mann_whitney(&[], &[1.0]), None);
    }
}
