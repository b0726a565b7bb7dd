//! Weights of a matrix product: rows of several matrices side by side, each in its own storage type.

use crate::model::{GROUP, Matrix, Type, Values};
use crate::workload::matmul::native::Weights;
use ndarray::{ArrayView2, ArrayViewMut2, Axis};

/// Matrices that are multiplied with the same activations.
pub(super) struct Product {
    /// In column order; adjacent matrices of the same storage type are one part.
    parts: Vec<(usize, Weights)>,
    terms: usize,
}

impl Product {
    pub(super) fn new(matrices: Vec<Matrix>) -> Product {
        let terms = matrices[0].columns;
        let mut same_type: Vec<Vec<Matrix>> = Vec::new();
        for matrix in matrices {
            match same_type
                .last_mut()
                .filter(|last| have_same_type(&last[0].values, &matrix.values))
            {
                Some(last) => last.push(matrix),
                None => same_type.push(vec![matrix]),
            }
        }
        let columns = |matrices: &[Matrix]| matrices.iter().map(|m| m.rows).sum();
        let parts = same_type.into_iter().map(|m| (columns(&m), pack(&m, columns(&m)))).collect();
        Product { parts, terms }
    }

    /// C = A · B on every thread.
    pub(super) fn multiply(&self, a: ArrayView2<f32>, mut c: ArrayViewMut2<f32>) {
        for (columns, weights) in &self.parts {
            let (left, rest) = c.split_at(Axis(1), *columns);
            weights.multiply(a, 0..*columns, left);
            c = rest;
        }
    }

    /// The weights of a column: a token's embedding if the head is tied.
    pub(super) fn column(&self, mut column: usize, to: &mut [f32]) {
        assert_eq!(to.len(), self.terms);
        for (columns, weights) in &self.parts {
            if column < *columns {
                return to.iter_mut().zip(weights.column(column)).for_each(|(to, w)| *to = w);
            }
            column -= columns;
        }
        to.fill(f32::NAN); // no such token
    }
}

fn have_same_type(a: &Values, b: &Values) -> bool {
    let offsets = |values: &Values| matches!(values, Values::Int4 { offsets: Some(_), .. });
    std::mem::discriminant(a) == std::mem::discriminant(b) && offsets(a) == offsets(b)
}

/// Packs rows of matrices with the same storage type as columns.
fn pack(matrices: &[Matrix], columns: usize) -> Weights {
    let terms = matrices[0].columns;
    let positions: Vec<(usize, usize)> = (0..matrices.len())
        .flat_map(|matrix| (0..matrices[matrix].rows).map(move |row| (matrix, row)))
        .collect();
    let at = |column: usize, index: usize, row_length: usize| {
        let (matrix, row) = positions[column];
        (&matrices[matrix].values, row * row_length + index)
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
    let kind = match matrices[0].values {
        Values::F32(_) => Type::F32,
        Values::F16(_) => Type::F16,
        Values::Int8 { .. } => Type::Int8,
        Values::Int4 { .. } => Type::Int4,
    };
    let weights = Weights::pack(kind, terms, columns, &value, &scale);
    if !matches!(matrices[0].values, Values::Int4 { offsets: Some(_), .. }) {
        return weights;
    }
    weights.with_offsets(&|group, column| match at(column, group, terms / GROUP) {
        (Values::Int4 { offsets: Some(offsets), .. }, i) => offsets[i],
        _ => unreachable!("all have offsets"),
    })
}
