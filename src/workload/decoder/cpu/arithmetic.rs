//! A decoder's row operations other than matrix products, in loops that the compiler vectorizes.

use crate::model::Pairs;
use ndarray::Array2;
use rayon::prelude::*;

/// Minimum rows for which threads pay off.
const MANY_ROWS: usize = 8;

/// A matrix as one slice, row after row.
pub(super) fn whole(matrix: &Array2<f32>) -> &[f32] {
    matrix.as_slice().expect("it is in one piece")
}

/// Applies a function to each row of one matrix and the same row of another.
pub(super) fn rows(
    from: &Array2<f32>,
    to: &mut Array2<f32>,
    apply: impl Fn(&[f32], &mut [f32]) + Sync,
) {
    let (count, from_width, to_width) = (from.nrows(), from.ncols(), to.ncols());
    let (from, to) = (whole(from), to.as_slice_mut().expect("it is in one piece"));
    if count < MANY_ROWS {
        let rows = from.chunks_exact(from_width).zip(to.chunks_exact_mut(to_width));
        rows.for_each(|(from, to)| apply(from, to));
    } else {
        let to = to.par_chunks_exact_mut(to_width);
        from.par_chunks_exact(from_width).zip(to).for_each(|(from, to)| apply(from, to));
    }
}

/// e^x to within a few ulps, without a function call; never 0 or infinity.
pub fn exp(x: f32) -> f32 {
    /// 1.5 · 2^23: adding it rounds to an integer.
    const ROUNDER: f32 = 12_582_912.0;
    /// ln 2 split into a part that is short enough for exact products, and the rest.
    const LN_2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
    let rounded = x.clamp(-87.0, 88.0) * std::f32::consts::LOG2_E + ROUNDER;
    let whole = rounded - ROUNDER;
    let rest = x.clamp(-87.0, 88.0) - whole * LN_2.0 - whole * LN_2.1;
    // On ±ln 2 / 2, Taylor coefficients are as good as a fitted polynomial.
    let terms = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let series = terms.iter().fold(1.0 / 5040.0, |sum, term| sum * rest + term);
    series * f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23))
}

/// Sum with 16 independent accumulators.
fn sum(terms: impl ExactSizeIterator<Item = f32>) -> f32 {
    let mut sums = [0.0f32; 16];
    terms.enumerate().for_each(|(i, term)| sums[i % 16] += term);
    sums.iter().sum()
}

/// RMSNorm of each row; `gains` are the norm's weights.
pub(super) fn norm(from: &Array2<f32>, gains: &[f32], epsilon: f32, to: &mut Array2<f32>) {
    rows(from, to, |x, to| {
        let squares = sum(x.iter().map(|x| x * x));
        let factor = 1.0 / (squares / x.len() as f32 + epsilon).sqrt();
        to.iter_mut().zip(x.iter().zip(gains)).for_each(|(to, (x, gain))| *to = x * factor * gain);
    });
}

/// SwiGLU: SiLU of the first half of a row times the second half.
pub(super) fn gated(row: &[f32], to: &mut [f32]) {
    let (gate, up) = row.split_at(to.len());
    let silu = |x: f32| x / (1.0 + exp(-x));
    to.iter_mut().zip(gate.iter().zip(up)).for_each(|(to, (gate, up))| *to = silu(*gate) * up);
}

/// Softmax in place; NaN propagates.
pub fn softmax(scores: &mut [f32]) {
    let largest = scores.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b));
    scores.iter_mut().for_each(|score| *score = exp(*score - largest));
    let factor = 1.0 / sum(scores.iter().copied());
    scores.iter_mut().for_each(|score| *score *= factor);
}

/// Applies RoPE to a head.
pub(super) fn rotate(head: &mut [f32], cos_sin: &[(f32, f32)], pairs: Pairs) {
    let half = head.len() / 2;
    for (pair, (cos, sin)) in cos_sin.iter().enumerate() {
        let (i, j) = match pairs {
            Pairs::Neighbours => (2 * pair, 2 * pair + 1),
            Pairs::Halves => (pair, pair + half),
        };
        let (x, y) = (head[i], head[j]);
        head[i] = x * cos - y * sin;
        head[j] = y * cos + x * sin;
    }
}
