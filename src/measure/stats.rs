//! Statistics of windows.

/// An estimate with its 95 % interval, where the sample supports one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower and upper end of the 95 % interval.
    pub ci95: Option<(f64, f64)>,
    /// Values that it rests on.
    pub n: usize,
}

/// The middle value, or the mean of the two in the middle; none of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let n = sorted.len();
    match n {
        0 => None,
        _ if n % 2 == 1 => Some(sorted[n / 2]),
        _ => Some((sorted[n / 2 - 1] + sorted[n / 2]) / 2.0),
    }
}

/// The median with the interval between two order statistics. It assumes nothing of the distribution: the median
/// lies below the k-th smallest of n values as often as fewer than k of n coins show heads. It needs six values.
pub fn median_interval(values: &[f64]) -> Option<Estimate> {
    let sorted = sorted(values);
    let n = sorted.len();
    let value = median(values)?;
    let k = rank(n);
    let ci95 = (k > 0).then(|| (sorted[k - 1], sorted[n - k]));
    Some(Estimate { value, ci95, n })
}

/// The largest k for which fewer than k heads among n coins come up in at most 2.5 % of cases; 0 if none.
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

/// Theil and Sen's slope: the median of the slopes between all pairs of points; none of fewer than six. Sen's interval.
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
    let size = n as f64;
    let sigma = (size * (size - 1.0) * (2.0 * size + 5.0) / 18.0).sqrt();
    let (pairs, reach) = (slopes.len() as f64, 1.959_963_984_540_054 * sigma);
    let at = |rank: f64| slopes[(rank.round().max(0.0) as usize).min(slopes.len() - 1)];
    let ci95 = (at((pairs - reach) / 2.0), at((pairs + reach) / 2.0 - 1.0));
    Some(Estimate { value, ci95: Some(ci95), n })
}

/// Values that lie further from the median than 3.5 deviations, as the median of the distances tells it, and further
/// than the share `far` of it.
pub fn outliers(values: &[f64], far: f64) -> Vec<usize> {
    let Some(middle) = median(values) else { return Vec::new() };
    let distances: Vec<f64> = values.iter().map(|v| (v - middle).abs()).collect();
    let deviation = 1.4826 * median(&distances).unwrap_or(0.0);
    let is_outlier = |i: &usize| distances[*i] > (3.5 * deviation).max(far * middle.abs());
    (0..values.len()).filter(is_outlier).collect()
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
            // Tosses of n coins with exactly i heads, by Pascal's triangle in whole numbers.
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
}
