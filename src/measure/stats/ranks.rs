//! Rank statistics: the Mann-Whitney U test and a robust linear trend. The `statrs` crate has the test, too, but its exact p-value uses
//! the wrong tail if the first sample is not the larger one (version 0.19).

use super::location::sorted;
use super::{Estimate, median};
use statrs::distribution::{ContinuousCDF, Normal};

/// The 97.5 % quantile of the normal distribution.
const NORMAL_975: f64 = 1.959_963_984_540_054;

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
    let p = if ties.is_empty() && a.len().min(b.len()) <= 8 {
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
fn ties(values: &[f64]) -> Vec<f64> {
    let sorted = sorted(values);
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

/// The Theil-Sen slope: the median of the slopes between all pairs of points; `None` with fewer than six points. Sen's confidence interval
/// lies between two order statistics of the slopes, whose ranks follow from the variance of Kendall's S, corrected for ties.
pub fn theil_sen(x: &[f64], y: &[f64]) -> Option<Estimate> {
    let n = x.len();
    if n < 6 {
        return None;
    }
    let mut slopes: Vec<f64> = (0..n)
        .flat_map(|i| (i + 1..n).map(move |j| (i, j)))
        .filter(|(i, j)| x[*i] != x[*j])
        .map(|(i, j)| (y[j] - y[i]) / (x[j] - x[i]))
        .collect();
    slopes.sort_by(f64::total_cmp);
    let value = median(&slopes)?;
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let tied = |values: &[f64]| ties(values).into_iter().map(term).sum::<f64>();
    let variance = (term(n as f64) - tied(x) - tied(y)) / 18.0;
    let (pairs, reach) = (slopes.len() as f64, NORMAL_975 * variance.max(0.0).sqrt());
    // One-based ranks as in Sen's paper: the M1-th slope and the one after the M2-th.
    let (m1, m2) = ((pairs - reach) / 2.0, (pairs + reach) / 2.0);
    let low = (m1.round_ties_even() - 1.0).max(0.0) as usize;
    let high = (m2.round_ties_even() as usize).min(slopes.len() - 1);
    Some(Estimate { value, ci95: Some((slopes[low], slopes[high])), n })
}
