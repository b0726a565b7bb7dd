//! Every kernel that this CPU supports, compared with products in f64.

use half::f16;
use ndarray::{Array2, ArrayViewMut2, s};
use proptest::prelude::*;
use rigbench::model::Type;
use rigbench::oracle::Verdict;
use rigbench::oracle::matmul::{Rounding, judge};
use rigbench::seed::mix;
use rigbench::workload::matmul::native::{Kernels, Weights, available};
use std::ops::Range;
use strum::VariantArray;

/// Pseudorandom bits of a position.
fn bits(seed: u64, i: usize, j: usize) -> u64 {
    mix(seed, (i as u64) << 32 | j as u64)
}

/// A float between −1 and 1, sometimes 0.
fn float(seed: u64, i: usize, j: usize) -> f32 {
    let bits = bits(seed, i, j);
    if bits >> 60 == 0 { 0.0 } else { (bits as u32 >> 8) as f32 / (1 << 23) as f32 - 1.0 }
}

/// Weights by their definition.
#[derive(Clone, Copy, Debug)]
struct Reference {
    kind: Type,
    k: usize,
    n: usize,
    seed: u64,
}

impl Reference {
    fn raw(self, k: usize, n: usize) -> u32 {
        match self.kind {
            Type::F32 => float(self.seed, k, n).to_bits(),
            Type::F16 => f16::from_f32(float(self.seed, k, n)).to_bits().into(),
            Type::Int8 | Type::Int4 => bits(self.seed, k, n) as u32 & ((1 << self.kind.bits()) - 1),
        }
    }

    fn scale(self, group: usize, n: usize) -> f16 {
        f16::from_f32(0.03 * float(!self.seed, group, n))
    }

    /// Some columns in f64.
    fn weights(self, columns: &Range<usize>) -> Array2<f64> {
        Array2::from_shape_fn((self.k, columns.len()), |(k, n)| {
            let n = columns.start + n;
            let (raw, scale) = (self.raw(k, n), f64::from(self.scale(k / 32, n)));
            match self.kind {
                Type::F32 => f32::from_bits(raw).into(),
                Type::F16 => f16::from_bits(raw as u16).into(),
                Type::Int8 => f64::from(raw as u8 as i8) * scale,
                Type::Int4 => (f64::from(raw) - 8.0) * scale,
            }
        })
    }

    fn pack(self, kernels: &'static Kernels) -> Weights {
        let scale = |group, n| self.scale(group, n);
        pack(self.kind, (self.k, self.n), &|k, n| self.raw(k, n), &scale, kernels)
    }
}

/// Packs weights for these kernels.
fn pack(
    kind: Type,
    (k, n): (usize, usize),
    value: &(dyn Fn(usize, usize) -> u32 + Sync),
    scale: &(dyn Fn(usize, usize) -> f16 + Sync),
    kernels: &'static Kernels,
) -> Weights {
    let mut weights = Weights::pack(kind, k, n, value, scale);
    weights.kernels = kernels;
    weights
}

/// Multiplies with the weights, into C, and compares C with the product in f64 up to `roundings` roundings of each product.
fn check(
    reference: Reference,
    a: &Array2<f64>,
    columns: &Range<usize>,
    roundings: usize,
    multiply: impl Fn(&Weights, ArrayViewMut2<f32>),
) {
    let (m, n) = (a.nrows(), columns.len());
    let b = reference.weights(columns);
    // The oracle's bound allows for two more roundings than terms.
    let rounding = Rounding { terms: roundings - 2, f16_roundings: 0, weight_excess: 0 };
    for kernels in available() {
        // NaN, to be overwritten, in rows with gaps between them, as in a larger C.
        let mut c = Array2::from_elem((m, n + 3), f32::NAN);
        multiply(&reference.pack(kernels), c.slice_mut(s![.., 1..=n]));
        let verdict = judge(rounding, a.view(), b.view(), c.slice(s![.., 1..=n]));
        let what = format!("{}, {reference:?}, M = {m}, {columns:?}", kernels.id);
        assert!(matches!(verdict, Verdict::Agrees { .. }), "{what}: {verdict:?}");
        assert!(c.column(n + 1).iter().chain(c.column(0)).all(|c| c.is_nan()), "{what}: beside C");
    }
}

fn multiply(reference: Reference, m: usize, columns: Range<usize>, transposed: bool) {
    let k = reference.k;
    let a = Array2::from_shape_fn((m, k), |(m, k)| float(reference.seed ^ 5, m, k));
    let a_t = a.t().as_standard_layout().into_owned();
    check(reference, &a.mapv(f64::from), &columns, k + 2, |weights, c| {
        let view = if transposed { a_t.t() } else { a.view() };
        weights.multiply(view, columns.clone(), c);
    });
}

fn multiply_int8(reference: Reference, m: usize, columns: Range<usize>) {
    let k = reference.k;
    let a = Array2::from_shape_fn((m, k), |(m, k)| bits(reference.seed ^ 9, m, k) as i8);
    let groups = k.div_ceil(32);
    let scales = Array2::from_shape_fn((m, groups), |(m, g)| {
        f16::from_f32(0.02 * float(reference.seed ^ 3, m, g))
    });
    let exact = Array2::from_shape_fn((m, k), |(m, k)| {
        f64::from(a[[m, k]]) * f64::from(scales[[m, k / 32]])
    });
    // Exact within a group: one rounding per group, one of which is two without FMA.
    check(reference, &exact, &columns, groups + 1, |weights, c| {
        weights.multiply_int8(a.view(), scales.view(), columns.clone(), c);
    });
}

#[test]
fn the_shapes_at_every_edge() {
    for (m, n, k) in [
        (1, 1, 1),
        (1, 32, 32),
        (1, 33, 31),
        (2, 31, 33),
        (12, 32, 256),
        (13, 65, 257),
        (6, 64, 512),
        (385, 33, 40),
        (769, 129, 300),
        (25, 260, 1031),
        (1, 200, 1031),
    ] {
        for &kind in Type::VARIANTS {
            let reference = Reference { kind, k, n, seed: 7 };
            multiply(reference, m, 0..n, false);
            if kind.bits() <= 8 {
                multiply_int8(reference, m, 0..n);
            }
        }
    }
}

/// Products of extreme integers, whose sums no intermediate type may saturate.
#[test]
fn extreme_integers() {
    for kernels in available() {
        for (kind, raw, value) in [
            (Type::Int8, 0x80, -128.0),
            (Type::Int8, 0x7f, 127.0),
            (Type::Int4, 0, -8.0),
            (Type::Int4, 15, 7.0),
        ] {
            for a in [-128i8, 127] {
                let k = 96;
                let weights = pack(kind, (k, 5), &|_, _| raw, &|_, _| f16::ONE, kernels);
                let ones = Array2::from_elem((3, 3), f16::ONE);
                let a8 = Array2::from_elem((3, k), a);
                let mut c = Array2::zeros((3, 5));
                weights.multiply_int8(a8.view(), ones.view(), 0..5, c.view_mut());
                let want = k as f32 * f32::from(a) * value;
                assert!(c.iter().all(|&c| c == want), "{}: {c} for {want}", kernels.id);
                weights.multiply(a8.mapv(f32::from).view(), 0..5, c.view_mut());
                assert!(c.iter().all(|&c| c == want), "{}: {c} for {want}", kernels.id);
            }
        }
    }
}

/// Every f16 as a weight.
#[test]
fn every_f16() {
    for kernels in available() {
        let (value, scale) = (|_, n| n as u32, |_, _| unreachable!());
        let weights = pack(Type::F16, (1, 1 << 16), &value, &scale, kernels);
        for rows in [1, 2] {
            let mut c = Array2::zeros((rows, 1 << 16));
            weights.multiply(Array2::ones((rows, 1)).view(), 0..1 << 16, c.view_mut());
            for ((_, n), &got) in c.indexed_iter() {
                let want = f16::from_bits(n as u16).to_f32();
                assert!(got == want || got.is_nan() && want.is_nan(), "{}: {n:x}", kernels.id);
            }
        }
    }
}

/// A row with NaN or infinity gives nothing finite; other rows are not affected.
#[test]
fn nan_and_infinity_stay_in_their_row() {
    for (kind, kernels) in Type::VARIANTS.iter().flat_map(|&t| available().map(move |k| (t, k))) {
        let weights = Reference { kind, k: 70, n: 40, seed: 1 }.pack(kernels);
        for (m, bad) in [(1, f32::NAN), (14, f32::NAN), (1, f32::INFINITY), (14, f32::NEG_INFINITY)]
        {
            let mut a = Array2::from_elem((m, 70), 0.5);
            a[[m / 2, 69]] = bad;
            let mut c = Array2::zeros((m, 40));
            weights.multiply(a.view(), 0..40, c.view_mut());
            for ((row, _), c) in c.indexed_iter() {
                assert_eq!(c.is_finite(), row != m / 2, "{} {kind:?} {bad}", kernels.id);
            }
        }
    }
}

#[test]
fn no_terms_make_zeros() {
    let weights = Weights::pack(Type::Int8, 0, 3, &|_, _| 0, &|_, _| f16::ONE);
    let mut c = Array2::from_elem((2, 3), f32::NAN);
    weights.multiply(Array2::zeros((2, 0)).view(), 0..3, c.view_mut());
    assert_eq!(c, Array2::<f32>::zeros((2, 3)));
    weights.multiply(Array2::zeros((0, 0)).view(), 0..3, Array2::zeros((0, 3)).view_mut());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn products_are_those_of_f64(
        kind in prop::sample::select(Type::VARIANTS.to_vec()), m in 1usize..60, n in 1usize..150, k in 1usize..700,
        from in 0.0..1.0, to in 0.0..1.0, transposed: bool, seed: u64,
    ) {
        let at = |part: f64| (part * (n + 1) as f64) as usize;
        let columns = at(f64::min(from, to))..at(f64::max(from, to));
        multiply(Reference { kind, k, n, seed }, m, columns.clone(), transposed);
        multiply(Reference { kind, k, n, seed }, 1, columns, transposed);
    }

    #[test]
    fn int8_products_are_those_of_f64(
        kind in prop::sample::select(vec![Type::Int8, Type::Int4]), m in 1usize..60, n in 1usize..150, k in 1usize..700,
        from in 0.0..1.0, to in 0.0..1.0, seed: u64,
    ) {
        let at = |part: f64| (part * (n + 1) as f64) as usize;
        multiply_int8(Reference { kind, k, n, seed }, m, at(f64::min(from, to))..at(f64::max(from, to)));
    }
}
