//! What chance leaves open of any figure of two samples, by drawing them again from themselves.

use crate::seed::mix;

/// Draws; the ends of a 95 % interval then vary by some hundredths of its width with the seed.
const DRAWS: usize = 9999;

/// The percentile intervals of `figure`, one for each of `levels` (0.95, say), over samples drawn from `a` and `b` with
/// replacement; none if a sample has fewer than six values. The same seed gives the same intervals.
///
/// Percentiles, without a correction for bias and skew (BCa): figures here are ratios of medians, whose jackknife, from
/// which that correction is made, takes two values only. Values must be independent; windows that are alike within their
/// blocks are not, and [`super::ratio_of_blocks`] is for them.
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
    // Of 9,999 + 1 draws 2.5 % lie below the 250th.
    let between = |level: f64| {
        let tail = ((1.0 - level) / 2.0 * (DRAWS + 1) as f64).round() as usize;
        (figures[tail - 1], figures[DRAWS - tail])
    };
    Some(levels.map(between))
}
