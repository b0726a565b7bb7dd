//! A product's weights: rows of several matrices side by side, each as narrow as it is stored.

use crate::model::{GROUP, Matrix, Values};
use crate::workload::matmul::native::Weights;
use ndarray::{ArrayView2, ArrayViewMut2, Axis};

/// Matrices that the same activations are multiplied with.
pub(super) struct Product {
    /// In the order of their columns; what is stored alike is one.
    parts: Vec<(usize, Weights)>,
    terms: usize,
}

impl Product {
    pub(super) fn new(matrices: Vec<Matrix>) -> Product {
        let terms = matrices[0].columns;
        let mut alike: Vec<Vec<Matrix>> = Vec::new();
        for matrix in matrices {
            match alike.last_mut().filter(|last| are_alike(&last[0].values, &matrix.values)) {
                Some(last) => last.push(matrix),
                None => alike.push(vec![matrix]),
            }
        }
        let columns = |matrices: &[Matrix]| matrices.iter().map(|m| m.rows).sum();
        let parts = alike.into_iter().map(|m| (columns(&m), pack(&m, columns(&m)))).collect();
        Product { parts, terms }
    }

    /// C = A · B on every thread.
    pub(super) fn multiply(&self, a: ArrayView2<f32>, mut c: ArrayViewMut2<f32>) {
        for (columns, weights) in &self.parts {
            let (own, rest) = c.split_at(Axis(1), *columns);
            weights.multiply(a, 0..*columns, own);
            c = rest;
        }
    }

    /// The weights of a column: a token's row where the head is the embedding.
    pub(super) fn column(&self, mut column: usize, to: &mut [f32]) {
        assert_eq!(to.len(), self.terms);
        for (columns, weights) in &self.parts {
            if column < *columns {
                return to.iter_mut().zip(weights.column(column)).for_each(|(to, w)| *to = w);
            }
            column -= columns;
        }
        to.fill(f32::NAN); // No such token.
    }
}

fn are_alike(a: &Values, b: &Values) -> bool {
    let offsets = |values: &Values| matches!(values, Values::Int4 { offsets: Some(_), .. });
    std::mem::discriminant(a) == std::mem::discriminant(b) && offsets(a) == offsets(b)
}

/// Rows of matrices that are stored alike become columns.
fn pack(matrices: &[Matrix], columns: usize) -> Weights {
    let terms = matrices[0].columns;
    let places: Vec<(usize, usize)> = (0..matrices.len())
        .flat_map(|matrix| (0..matrices[matrix].rows).map(move |row| (matrix, row)))
        .collect();
    let at = |column: usize, own: usize, each: usize| {
        let (matrix, row) = places[column];
        (&matrices[matrix].values, row * each + own)
    };
    let value = |term: usize, column: usize| match at(column, term, terms) {
        (Values::F32(values), i) => values[i].to_bits(),
        (Values::F16(values), i) => values[i].to_bits().into(),
        (Values::Int8 { values, .. }, i) => values[i] as u8 as u32,
        (Values::Int4 { values, .. }, i) => u32::from(values[i / 2] >> (4 * (i % 2)) & 15),
    };
    let scale = |group: usize, column: usize| match at(column, group, terms / GROUP) {
        (Values::Int8 { scales, .. } | Values::Int4 { scales, .. }, i) => scales[i],
        _ => unreachable!("only integers have scales"),
    };
    let bits = match matrices[0].values {
        Values::F32(_) => 32,
        Values::F16(_) => 16,
        Values::Int8 { .. } => 8,
        Values::Int4 { .. } => 4,
    };
    let weights = Weights::pack(bits, terms, columns, &value, &scale);
    if !matches!(matrices[0].values, Values::Int4 { offsets: Some(_), .. }) {
        return weights;
    }
    weights.with_offsets(&|group, column| match at(column, group, terms / GROUP) {
        (Values::Int4 { offsets: Some(offsets), .. }, i) => offsets[i],
        _ => unreachable!("all have offsets"),
    })
}
