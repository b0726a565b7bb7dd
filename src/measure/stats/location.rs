//! Location, scatter and outliers of a sample.

use super::Estimate;

/// Ratio of standard deviation to MAD for a normal distribution.
const NORMAL_MAD: f64 = 1.4826;

/// The median: the mean of the two middle values of an even number; `None` if empty.
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let n = sorted.len();
    match n {
        0 => None,
        _ if n % 2 == 1 => Some(sorted[n / 2]),
        _ => Some((sorted[n / 2 - 1] + sorted[n / 2]) / 2.0),
    }
}

/// The median with the distribution-free 95 % interval between two order statistics, whose ranks follow from the binomial distribution.
/// It needs six values.
pub fn median_interval(values: &[f64]) -> Option<Estimate> {
    let sorted = sorted(values);
    let n = sorted.len();
    let value = median(values)?;
    let k = rank(n);
    let ci95 = (k > 0).then(|| (sorted[k - 1], sorted[n - k]));
    Some(Estimate { value, ci95, n })
}

/// The largest k such that fewer than k heads in n coin tosses have a probability of at most 2.5 %; 0 if there is none.
fn rank(n: usize) -> usize {
    let mut probability = 0.5f64.powi(n as i32); // of exactly `k` heads
    let mut below = 0.0;
    let mut k = 0;
    while k < n && below + probability <= 0.025 {
        below += probability;
        probability *= (n - k) as f64 / (k + 1) as f64;
        k += 1;
    }
    k
}

/// Median absolute deviation (MAD), in the unit of the values; `None` if empty.
pub fn mad(values: &[f64]) -> Option<f64> {
    let middle = median(values)?;
    let distances: Vec<f64> = values.iter().map(|v| (v - middle).abs()).collect();
    median(&distances)
}

/// Indices of values further from the median than 3.5 standard deviations (estimated from the MAD) and than the share `far` of the median.
pub fn outliers(values: &[f64], far: f64) -> Vec<usize> {
    let (Some(middle), Some(mad)) = (median(values), mad(values)) else { return Vec::new() };
    let reach = (3.5 * NORMAL_MAD * mad).max(far * middle.abs());
    (0..values.len()).filter(|&i| (values[i] - middle).abs() > reach).collect()
}

pub(super) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}
