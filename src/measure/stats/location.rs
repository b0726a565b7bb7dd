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

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_agree_with_counting_coin_tosses() {
        for n in 1..=60u32 {
            // Number of outcomes of n tosses with exactly i heads, by Pascal's triangle in integers.
            let mut tosses = vec![1u128];
            for _ in 0..n {
                let next = tosses.windows(2).map(|pair| pair[0] + pair[1]).collect::<Vec<_>>();
                tosses = [&[1], &next[..], &[1]].concat();
            }
            let below = |k: usize| tosses[..k].iter().sum::<u128>() * 40; // of 2^n, times 1 / 0.025
            let k = rank(n as usize);
            assert!(below(k) <= 1 << n && below(k + 1) > 1 << n, "n = {n}: k = {k}");
        }
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        let seven = median_interval(&[7.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        assert_eq!(seven, Estimate { value: 4.0, ci95: Some((1.0, 7.0)), n: 7 });
        assert_eq!(median_interval(&[1.0, 2.0]).unwrap().ci95, None);
    }

    #[test]
    fn an_outlier_is_far_in_both_senses() {
        let tight = [100.0, 100.1, 99.9, 100.0, 100.2, 99.8, 103.0];
        assert_eq!(outliers(&tight, 0.05), [0usize; 0]); // 20 deviations away, but only 3 %
        assert_eq!(outliers(&tight, 0.01), [6]);
        let wide = [60.0, 140.0, 80.0, 120.0, 100.0, 70.0, 130.0];
        assert_eq!(outliers(&wide, 0.05), [0usize; 0]); // 40 % away, as are the others
        assert_eq!(outliers(&[], 0.05), [0usize; 0]);
    }
}
