//! A robust linear trend.

use super::{Estimate, NORMAL_975, median};

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
    let tied = |values: &[f64]| super::ranks::ties(values).into_iter().map(term).sum::<f64>();
    let variance = (term(n as f64) - tied(x) - tied(y)) / 18.0;
    let (pairs, reach) = (slopes.len() as f64, NORMAL_975 * variance.max(0.0).sqrt());
    // One-based ranks as in Sen's paper: the M1-th slope and the one after the M2-th.
    let (m1, m2) = ((pairs - reach) / 2.0, (pairs + reach) / 2.0);
    let low = (m1.round_ties_even() - 1.0).max(0.0) as usize;
    let high = (m2.round_ties_even() as usize).min(slopes.len() - 1);
    Some(Estimate { value, ci95: Some((slopes[low], slopes[high])), n })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slope_is_robust_to_an_outlier() {
        let x: Vec<f64> = (0..20).map(f64::from).collect();
        let mut y: Vec<f64> = x.iter().map(|x| 3.0 - 0.5 * x).collect();
        y[19] = 1e6;
        let slope = theil_sen(&x, &y).unwrap();
        assert_eq!(slope.value, -0.5);
        assert_eq!(theil_sen(&x[..5], &y[..5]), None);
        assert_eq!(theil_sen(&[1.0; 8], &y[..8]), None);
    }
}
