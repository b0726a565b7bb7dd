//! Weights of a matrix product: rows of several matrices side by side, each in its own storage type.

use crate::model::{GROUP, Matrix};
use crate::workload::matmul::native::Weights;
use ndarray::{ArrayView2, ArrayViewMut2, Axis};

/// Matrices that are multiplied with the same activations.
pub(super) struct Product {
    /// In column order; adjacent matrices of the same storage type are one part.
    parts: Vec<Weights>,
    terms: usize,
}

impl Product {
    pub(super) fn new(matrices: &[Matrix]) -> Product {
        let same_type = matrices.chunk_by(|a, b| a.storage() == b.storage());
        Product { parts: same_type.map(pack).collect(), terms: matrices[0].columns }
    }

    /// C = A · B on every thread.
    pub(super) fn multiply(&self, a: ArrayView2<f32>, mut c: ArrayViewMut2<f32>) {
        for weights in &self.parts {
            let (left, rest) = c.split_at(Axis(1), weights.columns());
            weights.multiply(a, 0..weights.columns(), left);
            c = rest;
        }
    }

    /// The weights of a column: a token's embedding if the head is tied.
    pub(super) fn column(&self, mut column: usize, to: &mut [f32]) {
        assert_eq!(to.len(), self.terms);
        for weights in &self.parts {
            if column < weights.columns() {
                return to.iter_mut().zip(weights.column(column)).for_each(|(to, w)| *to = w);
            }
            column -= weights.columns();
        }
        to.fill(f32::NAN); // no such token
    }
}

/// Packs rows of matrices with the same storage type as columns.
fn pack(matrices: &[Matrix]) -> Weights {
    let columns: Vec<(&Matrix, usize)> =
        matrices.iter().flat_map(|matrix| (0..matrix.rows).map(move |row| (matrix, row))).collect();
    let terms = matrices[0].columns;
    let value = |term: usize, column: usize| {
        let (matrix, row) = columns[column];
        matrix.stored(row * terms + term)
    };
    let scale = |group: usize, column: usize| {
        let (matrix, row) = columns[column];
        matrix.scale(row * (terms / GROUP) + group)
    };
    let storage = matrices[0].storage();
    let scales = |group: usize, column: usize| scale(group, column).0;
    let weights = Weights::pack(storage.kind, terms, columns.len(), &value, &scales);
    if !storage.offsets {
        return weights;
    }
    weights.with_offsets(&|group, column| scale(group, column).1.expect("all have offsets"))
}
