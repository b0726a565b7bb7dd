//! Matrix products in f64 by `ndarray`, and how far a product in a narrower type may be from them.

use super::Verdict;
use ndarray::{Array1, ArrayView2, Axis};

/// Half the distance between 1 and the next f32: the largest relative error of one operation.
const UNIT_ROUNDOFF_F32: f64 = 1.0 / (1u64 << 24) as f64;

/// How far a sum of `k` products in f32 may be from the true one, relative to the sum of the products' absolute
/// values: γ = k·u ÷ (1 − k·u), for every order of summation, fused or not (Higham, Accuracy and Stability of
/// Numerical Algorithms, 2002, section 3.1). One more operation covers a product that is rounded before it is added.
fn relative_bound(k: usize) -> f64 {
    let ku = (k + 1) as f64 * UNIT_ROUNDOFF_F32;
    ku / (1.0 - ku)
}

/// Compares rows of C = A·B element by element with the product in f64. `a` and `c` are the rows in question.
pub fn judge_rows(a: ArrayView2<f32>, b: ArrayView2<f32>, c: ArrayView2<f32>) -> Verdict {
    let (a, b) = (a.mapv(f64::from), b.mapv(f64::from));
    let exact = a.dot(&b);
    let spread = a.mapv(f64::abs).dot(&b.mapv(f64::abs));
    let bound = relative_bound(b.nrows());
    let mut worst = 0.0f64;
    for ((place, &got), (&want, &spread)) in c.indexed_iter().zip(exact.iter().zip(&spread)) {
        let error = (f64::from(got) - want).abs();
        if error.is_nan() || error > bound * spread {
            return Verdict::Disagrees(format!("C{place:?} is {got}, should be {want:.7}"));
        }
        if spread > 0.0 {
            worst = worst.max(error / (bound * spread));
        }
    }
    Verdict::Agrees { checked: c.len() as u64, worst }
}

/// Freivalds' check of all of C = A·B in O(size): C·r against A·(B·r) for a random r of ±1. An element is off by at
/// most γ·‖a‖·‖b‖ (Cauchy–Schwarz); with random signs the errors of a row add up like their root of squares, and
/// stay below seven times that except once in 10¹⁰ rows (Hoeffding).
pub fn freivalds(
    a: ArrayView2<f32>,
    b: ArrayView2<f32>,
    c: ArrayView2<f32>,
    signs: &[bool],
) -> Verdict {
    assert_eq!(signs.len(), b.ncols(), "a sign for every column");
    let r: Array1<f64> = signs.iter().map(|&s| if s { 1.0 } else { -1.0 }).collect();
    let times_r = |m: ArrayView2<f32>| -> Array1<f64> {
        m.axis_iter(Axis(0))
            .map(|row| row.iter().zip(&r).map(|(x, r)| f64::from(*x) * r).sum())
            .collect()
    };
    let (br, cr) = (times_r(b), times_r(c));
    let b_norm = b.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let gamma = relative_bound(b.nrows());
    let mut worst = 0.0f64;
    for (i, (row, &got)) in a.axis_iter(Axis(0)).zip(&cr).enumerate() {
        let want: f64 = row.iter().zip(&br).map(|(x, y)| f64::from(*x) * y).sum();
        let a_norm = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let allowed = 7.0 * gamma * a_norm * b_norm;
        let error = (got - want).abs();
        if error.is_nan() || error > allowed {
            return Verdict::Disagrees(format!(
                "row {i} of C times a random vector is {got:.6}, should be {want:.6}"
            ));
        }
        if allowed > 0.0 {
            worst = worst.max(error / allowed);
        }
    }
    Verdict::Agrees { checked: c.len() as u64, worst }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use proptest::prelude::*;

    fn matrix(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Array2::from_shape_simple_fn((rows, columns), || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
    }

    fn signs(n: usize) -> Vec<bool> {
        (0..n).map(|i| (i * 2_654_435_761) >> 7 & 1 == 1).collect()
    }

    proptest! {
        #[test]
        fn honest_products_pass(m in 1usize..40, n in 1usize..40, k in 1usize..300, seed: u64) {
            let (a, b) = (matrix(m, k, seed), matrix(k, n, !seed));
            let c = a.dot(&b);
            let rows = judge_rows(a.view(), b.view(), c.view());
            prop_assert!(matches!(rows, Verdict::Agrees { .. }), "{rows:?}");
            let all = freivalds(a.view(), b.view(), c.view(), &signs(n));
            prop_assert!(matches!(all, Verdict::Agrees { .. }), "{all:?}");
        }

        #[test]
        fn one_wrong_or_unwritten_element_is_seen(
            m in 1usize..20, n in 1usize..40, k in 1usize..300, at: prop::sample::Index, seed: u64, fault in 0..3,
        ) {
            let (a, b) = (matrix(m, k, seed), matrix(k, n, !seed));
            let mut c = a.dot(&b);
            let at = at.index(m * n);
            let (row, column) = (at / n, at % n);
            // A term of the sum left out, a poisoned element, an element of another row's size.
            c[[row, column]] = match fault {
                0 => c[[row, column]] - 0.3,
                1 => f32::NAN,
                _ => c[[row, column]] + k as f32,
            };
            let rows = judge_rows(a.view(), b.view(), c.view());
            prop_assert!(matches!(rows, Verdict::Disagrees(_)), "{rows:?}");
            let all = freivalds(a.view(), b.view(), c.view(), &signs(n));
            prop_assert!(matches!(all, Verdict::Disagrees(_)), "{all:?}");
        }
    }
}
