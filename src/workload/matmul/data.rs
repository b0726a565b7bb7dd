//! The matrices of a product C = A·B: activations A (M×K) and weights B (K×N). Every element is a pure function of the
//! seed and its place, so that kernels are fed, judged and proven without keeping a second copy.

use super::{GROUP, Shape, Type};
use crate::workload::data::{Seed, Tensor};
use half::f16;

/// Leading terms of each row of A that change with every window: as many as a texel of the narrowest activations holds.
pub(super) const CHANGING: usize = 16;

/// One matrix: its type, values, and a scale for each group of 32 terms of an integer type.
#[derive(Clone, Copy)]
struct Matrix {
    kind: Type,
    values: Tensor,
    scales: Tensor,
}

impl Matrix {
    fn new(seed: Seed, name: &str, kind: Type) -> Matrix {
        let scales = seed.tensor(&format!("{name}, scales"));
        Matrix { kind, values: seed.tensor(name), scales }
    }

    #[inline]
    fn raw(&self, index: u64) -> u32 {
        self.kind.encode(self.values.value(index))
    }

    fn scale(&self, index: u64) -> f16 {
        // About what makes the values' deviation 1, none near 0.
        f16::from_f32((1.0 + self.scales.value(index) / 8.0) / self.kind.spread())
    }
}

/// A product's matrices.
#[derive(Clone, Copy)]
pub(super) struct Operands {
    pub(super) shape: Shape,
    seed: Seed,
    a: Matrix,
    b: Matrix,
    /// A with the leading terms of a window.
    leading: Matrix,
}

impl Operands {
    pub(super) fn new(seed: Seed, shape: Shape, a: Type, b: Type) -> Operands {
        let a = Matrix::new(seed, "A", a);
        Operands { shape, seed, a, b: Matrix::new(seed, "B", b), leading: a }
    }

    /// The same with the leading terms of A as they are in a window.
    pub(super) fn in_window(&self, window: u32) -> Operands {
        let leading = Matrix::new(self.seed, &format!("A in window {window}"), self.a.kind);
        Operands { leading, ..*self }
    }

    /// What all elements follow from.
    pub(super) fn seed(&self) -> Seed {
        self.seed
    }

    /// The type of A.
    pub(super) fn a_type(&self) -> Type {
        self.a.kind
    }

    /// The type of B.
    pub(super) fn b_type(&self) -> Type {
        self.b.kind
    }

    /// Row m, term k of A as it is stored.
    pub(super) fn a_raw(&self, m: usize, k: usize) -> u32 {
        let matrix = if k < CHANGING { &self.leading } else { &self.a };
        matrix.raw((m * self.shape.k + k) as u64)
    }

    /// The scale of row m, group g of A.
    pub(super) fn a_scale(&self, m: usize, g: usize) -> f16 {
        self.a.scale((m * self.shape.k.div_ceil(GROUP) + g) as u64)
    }

    /// Row m, term k of A.
    pub(super) fn a(&self, m: usize, k: usize) -> f32 {
        self.a.kind.decode(self.a_raw(m, k), || self.a_scale(m, k / GROUP).to_f32())
    }

    /// Term k, column n of B as it is stored.
    pub(super) fn b_raw(&self, k: usize, n: usize) -> u32 {
        self.b.raw((k * self.shape.n + n) as u64)
    }

    /// The scale of group g, column n of B.
    pub(super) fn b_scale(&self, g: usize, n: usize) -> f16 {
        self.b.scale((g * self.shape.n + n) as u64)
    }

    /// Term k, column n of B.
    pub(super) fn b(&self, k: usize, n: usize) -> f32 {
        self.b.kind.decode(self.b_raw(k, n), || self.b_scale(k / GROUP, n).to_f32())
    }

    /// Row m of A. As by [`Operands::a`], but each scale is made once.
    pub(super) fn row(&self, m: usize) -> Vec<f32> {
        self.line(self.a.kind, |k| self.a_raw(m, k), |g| self.a_scale(m, g))
    }

    /// Column n of B, likewise.
    pub(super) fn column(&self, n: usize) -> Vec<f32> {
        self.line(self.b.kind, |k| self.b_raw(k, n), |g| self.b_scale(g, n))
    }

    /// All terms, from what is stored and from the scales of groups.
    fn line(
        &self,
        kind: Type,
        raw: impl Fn(usize) -> u32,
        scale: impl Fn(usize) -> f16,
    ) -> Vec<f32> {
        let mut line = vec![0.0; self.shape.k];
        for (g, group) in line.chunks_mut(GROUP).enumerate() {
            let scale = if kind.scaled() { scale(g).to_f32() } else { 1.0 };
            for (value, k) in group.iter_mut().zip(g * GROUP..) {
                *value = kind.decode(raw(k), || scale);
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published results recompute from these; a change breaks every file. Made by `tests/golden/data.py`.
    #[test]
    fn golden_elements() {
        let of = |a, b| Operands::new(Seed([7; 32]), Shape { m: 5, n: 70, k: 100 }, a, b);
        let f32s = of(Type::F32, Type::F32);
        assert_eq!([f32s.a(4, 99), f32s.b(99, 69)].map(f32::to_bits), [0xbf3e205d, 0xbf27b614]);
        assert_eq!(f32s.in_window(3).a(4, 15).to_bits(), 0xbe8d985c);
        assert_eq!(f32s.in_window(3).a(4, 16), f32s.a(4, 16));
        let halves = of(Type::F16, Type::F16);
        assert_eq!([halves.a_raw(4, 99), halves.b_raw(99, 69)], [0xb9f1, 0xb93e]);
        let bytes = of(Type::Int8, Type::Int8);
        assert_eq!([bytes.a_raw(4, 99), bytes.b_raw(99, 69)], [0xdc, 0xe1]);
        assert_eq!([bytes.a_scale(4, 3), bytes.b_scale(3, 69)].map(f16::to_bits), [0x25b7, 0x24ea]);
        let nibbles = of(Type::F32, Type::Int4);
        assert_eq!([nibbles.b_raw(0, 0), nibbles.b_raw(99, 69)], [5, 6]);
        assert_eq!(nibbles.b(99, 69).to_bits(), 0xbf1d4000);
    }

    #[test]
    fn rows_and_columns_are_their_elements() {
        for kind in [Type::F32, Type::F16, Type::Int8, Type::Int4] {
            for k in [1, 31, 32, 100] {
                let operands = Operands::new(Seed([3; 32]), Shape { m: 5, n: 7, k }, kind, kind);
                let operands = operands.in_window(2);
                let a: Vec<f32> = (0..k).map(|k| operands.a(4, k)).collect();
                let b: Vec<f32> = (0..k).map(|k| operands.b(k, 6)).collect();
                assert_eq!((operands.row(4), operands.column(6)), (a, b));
            }
        }
    }

    #[test]
    fn every_type_spreads_like_a_bell_of_deviation_one() {
        for kind in [Type::F32, Type::F16, Type::Int8, Type::Int4] {
            let operands =
                Operands::new(Seed([1; 32]), Shape { m: 1, n: 64, k: 2048 }, Type::F32, kind);
            let values: Vec<f64> =
                (0..2048 * 64).map(|i| f64::from(operands.b(i / 64, i % 64))).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let variance = values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64;
            assert!(
                mean.abs() < 0.02 && (variance - 1.0).abs() < 0.06,
                "{kind:?} {mean} {variance}"
            );
        }
    }
}
