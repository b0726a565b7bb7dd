//! Attention over cached keys and values. Both are weights of a product: queries times keys are scores, shares of scores
//! times values are what attention finds.

use super::arithmetic;
use crate::workload::matmul::native::Weights;
use half::f16;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

/// Keys and values of a head of one sequence, in f16.
pub(super) struct Cache {
    /// A column for each position.
    keys: Weights,
    /// A term for each position.
    values: Weights,
}

/// Positions that a product takes in together; those that are still empty must be 0.
const TOGETHER: usize = 32;

impl Cache {
    /// Room for `context` positions.
    pub(super) fn new(head_size: usize, context: usize) -> Cache {
        let keys = Weights::zeros(head_size, context);
        Cache { keys, values: Weights::zeros(context.next_multiple_of(TOGETHER), head_size) }
    }

    /// Writes the key and the value of a position; those before it are there.
    pub(super) fn put(&mut self, position: usize, key: &[f32], value: &[f32]) {
        if position.is_multiple_of(TOGETHER) {
            for (i, after) in (0..value.len()).flat_map(|i| (1..TOGETHER).map(move |a| (i, a))) {
                self.values.replace(position + after, i, f16::ZERO);
            }
        }
        for (i, (key, value)) in key.iter().zip(value).enumerate() {
            self.keys.replace(i, position, f16::from_f32(*key));
            self.values.replace(position, i, f16::from_f32(*value));
        }
        self.values.take_terms(position + 1);
    }

    /// What the queries of neighbouring positions find, a row for each; the last of them is the last position. On the
    /// calling thread.
    pub(super) fn attend(
        &self,
        queries: ArrayView2<f32>,
        found: ArrayViewMut2<f32>,
        positions: usize,
    ) {
        let rows = queries.nrows();
        let mut scores = Array2::zeros((rows, positions));
        self.keys.multiply_alone(queries, 0..positions, scores.view_mut());
        for (row, mut scores) in scores.rows_mut().into_iter().enumerate() {
            let scores = scores.as_slice_mut().expect("rows of a whole matrix");
            let (seen, later) = scores.split_at_mut(positions - rows + row + 1);
            arithmetic::softmax(seen);
            later.fill(0.0);
        }
        let columns = 0..found.ncols();
        self.values.multiply_alone(scores.slice(s![.., ..]), columns, found);
    }

    /// Overwrites all with what is no number.
    pub(super) fn poison(&mut self) {
        let (head_size, context) = (self.values.columns(), self.keys.columns());
        for (i, position) in (0..head_size).flat_map(|i| (0..context).map(move |p| (i, p))) {
            self.keys.replace(i, position, f16::NAN);
            self.values.replace(position, i, f16::NAN);
        }
    }
}
