//! Matrix products in f64, and error bounds for products in narrower types.

use super::Verdict;
use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;
use std::ops::Range;

/// Unit roundoff of f32: the maximum relative error of one operation.
const UNIT_ROUNDOFF_F32: f64 = 1.0 / (1u64 << 24) as f64;
/// Unit roundoff of f16.
const UNIT_ROUNDOFF_F16: f64 = 1.0 / (1u64 << 11) as f64;

/// An error as a share of its bound; `None` if it exceeds the bound.
pub(crate) fn share_of_bound(error: f64, bound: f64) -> Option<f64> {
    let error = error.abs();
    (error <= bound).then(|| if bound > 0.0 { error / bound } else { 0.0 })
}

/// Where a dot product rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounding {
    /// Terms of a dot product, accumulated in f32 in any order.
    pub terms: usize,
    /// How many times a product may be rounded to f16.
    pub f16_roundings: u32,
    /// Maximum offset of unsigned integer weights: it is accumulated too and subtracted from the sum at the end.
    pub weight_excess: u32,
}

impl Rounding {
    /// Error bound of a sum relative to the sum of the products' absolute values: γ = n·u / (1 − n·u) for n roundings, for any order of
    /// summation, with or without FMA (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1). Besides the terms, one
    /// operation covers a product that is rounded before it is added, another its scale; factors multiply.
    fn relative_bound(self) -> f64 {
        let gamma = |n: f64, u: f64| n * u / (1.0 - n * u);
        let f32s = gamma((self.terms + 2) as f64, UNIT_ROUNDOFF_F32);
        let f16s = gamma(f64::from(self.f16_roundings), UNIT_ROUNDOFF_F16);
        (1.0 + f32s) * (1.0 + f16s) - 1.0
    }

    /// A sum's error as a share of its bound; `None` if it exceeds the bound. `spread` is the sum of the products' absolute values.
    fn share_of_bound(self, got: f32, want: f64, spread: f64) -> Option<f64> {
        share_of_bound(f64::from(got) - want, self.relative_bound() * spread)
    }
}

/// Compares C = A·B element by element with the product in f64.
pub fn judge(
    rounding: Rounding,
    a: ArrayView2<f64>,
    b: ArrayView2<f64>,
    c: ArrayView2<f32>,
) -> Verdict {
    let exact = a.dot(&b);
    let excess = f64::from(rounding.weight_excess);
    let spread = a.mapv(f64::abs).dot(&b.mapv(|b| b.abs() + excess));
    let mut worst = 0.0f64;
    for ((place, &got), (&want, &spread)) in c.indexed_iter().zip(exact.iter().zip(&spread)) {
        match rounding.share_of_bound(got, want, spread) {
            Some(share) => worst = worst.max(share),
            None => {
                return Verdict::Disagrees(format!("C{place:?} is {got}, should be {want:.7}"));
            }
        }
    }
    Verdict::Agrees { checked: c.len() as u64, worst }
}

/// Compares one element of C with the f64 product of a row of A and a column of B. Returns the error as a share of its bound.
///
/// # Errors
/// The expected value, if the error exceeds the bound.
pub fn judge_element(
    rounding: Rounding,
    row: &[f32],
    column: &[f32],
    got: f32,
) -> Result<f64, f64> {
    let excess = f64::from(rounding.weight_excess);
    let (want, spread) = row.iter().zip(column).fold((0.0, 0.0), |(want, spread), (a, b)| {
        let (a, b) = (f64::from(*a), f64::from(*b));
        (want + a * b, spread + a.abs() * (b.abs() + excess))
    });
    rounding.share_of_bound(got, want, spread).ok_or(want)
}

/// Freivalds' check of C = A·B in O(size): C·r against A·(B·r) for a random r of ±1. An element is off by at most γ·‖a‖·‖b‖
/// (Cauchy–Schwarz). With random signs the errors of a row add up as a root sum of squares and exceed seven times that in one of 10¹⁰
/// rows (Hoeffding).
pub struct Freivalds {
    columns: Range<usize>,
    /// r, one per column.
    signs: Vec<f64>,
    /// B·r, one per term.
    times_signs: Vec<f64>,
    /// Frobenius norm of B.
    norm: f64,
}

impl Freivalds {
    /// For some columns of B, which has `terms` rows and elements `b(term, column)`. `signs` has one sign per column of the whole B.
    pub fn new(
        terms: usize,
        columns: Range<usize>,
        signs: &[bool],
        b: &(dyn Fn(usize, usize) -> f32 + Sync),
    ) -> Freivalds {
        let signs: Vec<f64> =
            signs[columns.clone()].iter().map(|&s| if s { 1.0 } else { -1.0 }).collect();
        let row = |k: usize| {
            let terms = columns.clone().zip(&signs).map(|(n, r)| (f64::from(b(k, n)), r));
            terms.fold((0.0, 0.0), |(sum, squares), (b, r)| (sum + b * r, squares + b * b))
        };
        let rows: Vec<(f64, f64)> = (0..terms).into_par_iter().map(row).collect();
        let norm = rows.iter().map(|(_, squares)| squares).sum::<f64>().sqrt();
        let times_signs = rows.into_iter().map(|(sum, _)| sum).collect();
        Freivalds { columns, signs, times_signs, norm }
    }

    /// Judges rows of C, restricted to these columns. A has elements `a(row, term)`.
    pub fn judge(
        &self,
        rounding: Rounding,
        rows: Range<usize>,
        a: &(dyn Fn(usize, usize) -> f32 + Sync),
        c: ArrayView2<f32>,
    ) -> Verdict {
        assert_eq!(c.dim(), (rows.len(), self.columns.len()), "C is not the part that is judged");
        let bound = rounding.relative_bound();
        let elements = (self.times_signs.len() * self.signs.len()) as f64;
        let norm = self.norm + f64::from(rounding.weight_excess) * elements.sqrt();
        let row = |(m, c): (usize, ndarray::ArrayView1<f32>)| -> Result<f64, String> {
            let got: f64 = c.iter().zip(&self.signs).map(|(x, r)| f64::from(*x) * r).sum();
            let (mut want, mut squares) = (0.0, 0.0);
            for (k, times_signs) in self.times_signs.iter().enumerate() {
                let a = f64::from(a(m, k));
                want += a * times_signs;
                squares += a * a;
            }
            let allowed = 7.0 * bound * squares.sqrt() * norm;
            share_of_bound(got - want, allowed).ok_or_else(|| {
                format!("row {m} of C times a random vector is {got:.6}, should be {want:.6}")
            })
        };
        let all: Vec<(usize, ndarray::ArrayView1<f32>)> = rows.zip(c.axis_iter(Axis(0))).collect();
        match all.into_par_iter().map(row).try_reduce(|| 0.0, |a, b| Ok(a.max(b))) {
            Ok(worst) => Verdict::Agrees { checked: c.len() as u64, worst },
            Err(what) => Verdict::Disagrees(what),
        }
    }
}
