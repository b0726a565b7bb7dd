//! The matrices of a product C = A·B: activations A (M×K) and weights B (K×N). Every element is a pure function of the seed and its
//! position, so that inputs, checks and proofs need no second copy.

use super::shape::Shape;
use crate::model::{GROUP, Type};
use crate::workload::data::{Seed, Tensor};
use half::f16;

/// Leading terms of each row of A that change with every window: one texel of the narrowest activations.
pub const CHANGING: usize = 16;

/// A matrix as lines of terms, which are rows of A or columns of B: values, and for integer types a scale per group of 32 terms.
#[derive(Clone, Copy)]
pub struct Matrix {
    pub kind: Type,
    pub lines: usize,
    pub terms: usize,
    /// Whether the terms of a line have consecutive indices, as in A; else the lines of a term have them.
    by_line: bool,
    values: Tensor,
    scales: Tensor,
    /// Values of the leading terms, which in A are those of the current window.
    leading: Tensor,
}

impl Matrix {
    fn new(
        seed: Seed,
        name: &str,
        kind: Type,
        by_line: bool,
        lines: usize,
        terms: usize,
    ) -> Matrix {
        let (values, scales) = (seed.tensor(name), seed.tensor(&format!("{name}, scales")));
        Matrix { kind, lines, terms, by_line, values, scales, leading: values }
    }

    fn index(&self, line: usize, at: usize, per_line: usize) -> u64 {
        (if self.by_line { line * per_line + at } else { at * self.lines + line }) as u64
    }

    /// Stored bits.
    #[inline]
    pub fn raw(&self, line: usize, term: usize) -> u32 {
        let values = if term < CHANGING { &self.leading } else { &self.values };
        self.kind.encode(values.value(self.index(line, term, self.terms)))
    }

    /// The scale of a group.
    pub fn scale(&self, line: usize, group: usize) -> f16 {
        let scale = self.scales.value(self.index(line, group, self.terms.div_ceil(GROUP)));
        // Gives values a standard deviation of about 1; no scale is near 0.
        f16::from_f32((1.0 + scale / 8.0) / self.kind.spread())
    }

    /// A dequantized element.
    pub fn value(&self, line: usize, term: usize) -> f32 {
        self.kind.decode(self.raw(line, term), || self.scale(line, term / GROUP).to_f32())
    }

    /// All elements of a line; each scale is computed once.
    pub fn line(&self, line: usize) -> Vec<f32> {
        let mut values = vec![0.0; self.terms];
        for (g, group) in values.chunks_mut(GROUP).enumerate() {
            let scale = if self.kind.scaled() { self.scale(line, g).to_f32() } else { 1.0 };
            for (value, term) in group.iter_mut().zip(g * GROUP..) {
                *value = self.kind.decode(self.raw(line, term), || scale);
            }
        }
        values
    }
}

/// A product's matrices.
#[derive(Clone, Copy)]
pub struct Operands {
    pub shape: Shape,
    pub seed: Seed,
    pub a: Matrix,
    pub b: Matrix,
}

impl Operands {
    pub fn new(seed: Seed, shape: Shape, a: Type, b: Type) -> Operands {
        let Shape { m, n, k } = shape;
        let a = Matrix::new(seed, "A", a, true, m, k);
        Operands { shape, seed, a, b: Matrix::new(seed, "B", b, false, n, k) }
    }

    /// The same with the leading terms of A in a window.
    pub fn in_window(&self, window: u32) -> Operands {
        let leading = self.seed.tensor(&format!("A in window {window}"));
        Operands { a: Matrix { leading, ..self.a }, ..*self }
    }
}
