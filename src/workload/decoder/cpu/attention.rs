//! Attention over the KV cache. Keys and values are stored as weights of matrix products: queries times keys give scores, softmax of the
//! scores times values gives the output.

use super::arithmetic;
use crate::model::Type;
use crate::workload::matmul::native::Weights;
use half::f16;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

/// KV cache of a head of one sequence, in f16.
pub(super) struct Cache {
    /// One column per position.
    keys: Weights,
    /// One term per position.
    values: Weights,
}

/// Positions that a product processes together; unused ones must be 0.
const BLOCK: usize = 32;

impl Cache {
    /// A cache for `context` positions.
    pub(super) fn new(head_size: usize, context: usize) -> Cache {
        let zeros = |terms, columns| Weights::zeros(Type::F16, terms, columns);
        let values = zeros(context.next_multiple_of(BLOCK), head_size);
        Cache { keys: zeros(head_size, context), values }
    }

    /// Writes the key and the value of a position; earlier positions must have been written.
    pub(super) fn put(&mut self, position: usize, key: &[f32], value: &[f32]) {
        if position.is_multiple_of(BLOCK) {
            for (i, after) in (0..value.len()).flat_map(|i| (1..BLOCK).map(move |a| (i, a))) {
                self.values.replace(position + after, i, f16::ZERO);
            }
        }
        for (i, (key, value)) in key.iter().zip(value).enumerate() {
            self.keys.replace(i, position, f16::from_f32(*key));
            self.values.replace(position, i, f16::from_f32(*value));
        }
        self.values.limit_terms(position + 1);
    }

    /// Causal attention of consecutive positions, one row each, the last of which is the last cached position. Runs on the calling
    /// thread.
    pub(super) fn attend(
        &self,
        queries: ArrayView2<f32>,
        output: ArrayViewMut2<f32>,
        positions: usize,
    ) {
        let rows = queries.nrows();
        let mut scores = Array2::zeros((rows, positions));
        self.keys.multiply_single_threaded(queries, 0..positions, scores.view_mut());
        for (row, mut scores) in scores.rows_mut().into_iter().enumerate() {
            let scores = scores.as_slice_mut().expect("rows of a whole matrix");
            let (seen, later) = scores.split_at_mut(positions - rows + row + 1);
            arithmetic::softmax(seen);
            later.fill(0.0);
        }
        let columns = 0..output.ncols();
        self.values.multiply_single_threaded(scores.slice(s![.., ..]), columns, output);
    }

    /// Overwrites everything with NaN.
    pub(super) fn poison(&mut self) {
        let (head_size, context) = (self.values.columns(), self.keys.columns());
        for (i, position) in (0..head_size).flat_map(|i| (0..context).map(move |p| (i, p))) {
            self.keys.replace(i, position, f16::NAN);
            self.values.replace(position, i, f16::NAN);
        }
    }
}
