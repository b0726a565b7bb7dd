//! Bootstrap confidence intervals for any statistic of two samples.

use crate::seed::mix;

/// Number of resamples: the ends of a 95 % interval then vary with the seed by a few hundredths of its width.
const DRAWS: usize = 9999;

/// Percentile bootstrap intervals of `figure`, one for each of `levels` (0.95, say), with resamples of `a` and `b`; `None` if a sample has
/// fewer than six values. The same seed gives the same intervals.
///
/// There is no correction for bias and skew (BCa): it needs a jackknife, which has only two distinct values for the ratios of medians
/// used here. Values must be independent. Windows are correlated within their blocks: use [`super::ratio_of_blocks`] for them.
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
