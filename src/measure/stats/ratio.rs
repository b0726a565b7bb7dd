//! The ratio of two samples with its confidence intervals, from blocks or by bootstrap.

use super::{mann_whitney, median};
use crate::seed::mix;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A ratio of two independent samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The second sample's statistic divided by the first's.
    pub value: f64,
    /// Lower and upper end of the 95 % confidence interval.
    pub ci95: (f64, f64),
    /// Lower and upper end of the 99 % confidence interval.
    pub ci99: (f64, f64),
    /// Two-sided p-value.
    pub p: f64,
}

/// The ratio of geometric means of positive values, one per block, by Student's t-test of their logarithms; `None` if a sample has fewer
/// than two.
///
/// Windows of a block share the state of the machine and are correlated. Treated as independent, they have a false-positive rate of 25 %
/// if blocks scatter as much as windows. Blocks are separated in time, so the scatter between them measures the random variation. The
/// variance is pooled over both samples, since three blocks alone hardly determine it.
pub fn ratio_of_blocks(base: &[f64], new: &[f64]) -> Option<Ratio> {
    let (n, m) = (base.len() as f64, new.len() as f64);
    if base.len().min(new.len()) < 2 {
        return None;
    }
    let logs = |values: &[f64]| values.iter().map(|v| v.ln()).collect::<Vec<_>>();
    let mean = |logs: &[f64]| logs.iter().sum::<f64>() / logs.len() as f64;
    let squares = |logs: &[f64]| {
        let mean = mean(logs);
        logs.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>()
    };
    let (base, new) = (logs(base), logs(new));
    let change = mean(&new) - mean(&base);
    let freedom = n + m - 2.0;
    let error = ((squares(&base) + squares(&new)) / freedom * (1.0 / n + 1.0 / m)).sqrt();
    let student = StudentsT::new(0.0, 1.0, freedom).expect("at least two degrees of freedom");
    let within = |below: f64| {
        let half = student.inverse_cdf(below) * error;
        ((change - half).exp(), (change + half).exp())
    };
    let p = match (change == 0.0, error == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => 2.0 * student.sf((change / error).abs()),
    };
    Some(Ratio { value: change.exp(), ci95: within(0.975), ci99: within(0.995), p })
}

/// The ratio of medians of independent windows, with bootstrap intervals and the Mann-Whitney p-value; `None` with fewer than six windows
/// in a sample.
pub fn ratio_of_windows(base: &[f64], new: &[f64], seed: u64) -> Option<Ratio> {
    let ratio = |base: &[f64], new: &[f64]| {
        median(base).zip(median(new)).map_or(f64::NAN, |(base, new)| new / base)
    };
    let [ci95, ci99] = bootstrap(base, new, seed, [0.95, 0.99], ratio)?;
    Some(Ratio { value: ratio(base, new), ci95, ci99, p: mann_whitney(new, base)?.p })
}

/// Number of resamples: the ends of a 95 % interval then vary with the seed by a few hundredths of its width.
const DRAWS: usize = 9999;

/// Percentile bootstrap intervals of `figure`, one for each of `levels` (0.95, say), with resamples of `a` and `b`; `None` if a sample has
/// fewer than six values. The same seed gives the same intervals.
///
/// There is no correction for bias and skew (BCa): it needs a jackknife, which has only two distinct values for the ratios of medians
/// used here. Values must be independent. Windows are correlated within their blocks: use [`ratio_of_blocks`] for them.
pub fn bootstrap<const N: usize>(
    a: &[f64],
    b: &[f64],
    seed: u64,
    levels: [f64; N],
    figure: impl Fn(&[f64], &[f64]) -> f64,
) -> Option<[(f64, f64); N]> {
    if a.len().min(b.len()) < 6 {
        return None;
    }
    let mut index = 0;
    let mut draw = |from: &[f64], into: &mut Vec<f64>| {
        into.clear();
        for _ in from {
            into.push(from[(mix(seed, index) % from.len() as u64) as usize]);
            index += 1;
        }
    };
    let (mut drawn_a, mut drawn_b) = (Vec::new(), Vec::new());
    let mut figures: Vec<f64> = (0..DRAWS)
        .map(|_| {
            draw(a, &mut drawn_a);
            draw(b, &mut drawn_b);
            figure(&drawn_a, &drawn_b)
        })
        .collect();
    figures.sort_by(f64::total_cmp);
    // 2.5 % of 9,999 + 1 draws are below the 250th.
    let between = |level: f64| {
        let tail = ((1.0 - level) / 2.0 * (DRAWS + 1) as f64).round() as usize;
        (figures[tail - 1], figures[DRAWS - tail])
    };
    Some(levels.map(between))
}
