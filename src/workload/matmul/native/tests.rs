//! Every kernel that this CPU supports, compared with products in f64.

use super::*;
use ndarray::Array2;
use proptest::prelude::*;

/// Pseudorandom bits of a position.
fn bits(seed: u64, i: usize, j: usize) -> u64 {
    let mut z = seed ^ (i as u64) << 32 ^ j as u64;
    for multiplier in [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
        z = (z ^ z >> 29).wrapping_mul(multiplier);
    }
    z ^ z >> 32
}

/// A float between −1 and 1, sometimes 0.
fn float(seed: u64, i: usize, j: usize) -> f32 {
    let bits = bits(seed, i, j);
    if bits >> 60 == 0 { 0.0 } else { (bits as u32 >> 8) as f32 / (1 << 23) as f32 - 1.0 }
}

/// Weights by their definition.
#[derive(Clone, Copy, Debug)]
struct ParsedDocument {
    bits: u32,
    k: usize,
    n: usize,
    seed: u64,
}

impl ParsedDocument {
    fn raw(self, k: usize, n: usize) -> u32 {
        match self.bits {
            32 => float(self.seed, k, n).to_bits(),
            16 => f16::from_f32(float(self.seed, k, n)).to_bits().into(),
            bits_of => bits(self.seed, k, n) as u32 & ((1 << bits_of) - 1),
        }
    }

    fn scale(self, group: usize, n: usize) -> f16 {
        f16::from_f32(0.03 * float(!self.seed, group, n))
    }

    fn weight(self, k: usize, n: usize) -> f64 {
        let (raw, scale) = (self.raw(k, n), f64::from(self.scale(k / 32, n)));
        match self.bits {
            32 => f32::from_bits(raw).into(),
            16 => f16::from_bits(raw as u16).into(),
            8 => f64::from(raw as u8 as i8) * scale,
            _ => (f64::from(raw) - 8.0) * scale,
        }
    }

    fn weights(self) -> Array2<f64> {
        Array2::from_shape_fn((self.k, self.n), |(k, n)| self.weight(k, n))
    }

    fn pack(self, kernels: &'static Kernels) -> Weights {
        let scale = |group, n| self.scale(group, n);
        Weights::pack(self.bits, self.k, self.n, &|k, n| self.raw(k, n), &scale).by(kernels)
    }
}

/// Checks that C is A·B up to `roundings` roundings of each product.
fn check(
    a: &Array2<f64>,
    b: &Array2<f64>,
    c: &ArrayView2<f32>,
    roundings: usize,
) -> Result<(), String> {
    let exact = a.dot(b);
    let spread = a.mapv(f64::abs).dot(&b.mapv(f64::abs));
    let nu = roundings as f64 / (1u64 << 24) as f64;
    for ((at, &got), (&want, &spread)) in c.indexed_iter().zip(exact.iter().zip(&spread)) {
        let error = (f64::from(got) - want).abs();
        if error.is_nan() || error > nu / (1.0 - nu) * spread {
            return Err(format!("C{at:?} is {got}, should be {want}"));
        }
    }
    Ok(())
}

/// NaN, to be overwritten, in rows with gaps between them, as in a larger C.
fn poisoned(rows: usize, columns: usize) -> Array2<f32> {
    Array2::from_elem((rows, columns + 3), f32::NAN)
}

fn multiply(given: ParsedDocument, m: usize, columns: Range<usize>, transposed: bool) {
    let b = given.weights().slice(s![.., columns.clone()]).to_owned();
    let a = Array2::from_shape_fn((m, given.k), |(m, k)| float(given.seed ^ 5, m, k));
    let a_t = a.t().as_standard_layout().into_owned();
    for kernels in kernels::available() {
        let weights = given.pack(kernels);
        let mut c = poisoned(m, columns.len());
        let view = if transposed { a_t.t() } else { a.view() };
        weights.multiply(view, columns.clone(), c.slice_mut(s![.., 1..=columns.len()]));
        let (part, beside) = (c.slice(s![.., 1..=columns.len()]), c.column(columns.len() + 1));
        let verdict = check(&a.mapv(f64::from), &b, &part, given.k + 2);
        verdict.unwrap_or_else(|e| panic!("{}, {given:?}, M = {m}, {columns:?}: {e}", kernels.id));
        assert!(beside.iter().chain(c.column(0)).all(|c| c.is_nan()), "wrote beside C");
    }
}

fn multiply_int8(given: ParsedDocument, m: usize, columns: Range<usize>) {
    let b = given.weights().slice(s![.., columns.clone()]).to_owned();
    let a = Array2::from_shape_fn((m, given.k), |(m, k)| bits(given.seed ^ 9, m, k) as i8);
    let groups = given.k.div_ceil(32);
    let scales = Array2::from_shape_fn((m, groups), |(m, g)| {
        f16::from_f32(0.02 * float(given.seed ^ 3, m, g))
    });
    let exact = Array2::from_shape_fn((m, given.k), |(m, k)| {
        f64::from(a[[m, k]]) * f64::from(scales[[m, k / 32]])
    });
    for kernels in kernels::available() {
        let weights = given.pack(kernels);
        let mut c = poisoned(m, columns.len());
        let view = c.slice_mut(s![.., 1..=columns.len()]);
        weights.multiply_int8(a.view(), scales.view(), columns.clone(), view);
        let part = c.slice(s![.., 1..=columns.len()]);
        // Exact within a group: one rounding per group, one of which is two without FMA.
        let verdict = check(&exact, &b, &part, groups + 1);
        verdict.unwrap_or_else(|e| panic!("{}, {given:?}, M = {m}, {columns:?}: {e}", kernels.id));
    }
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
        for bits in [32, 16, 8, 4] {
            let given = ParsedDocument { bits, k, n, seed: 7 };
            multiply(given, m, 0..n, false);
            if bits <= 8 {
                multiply_int8(given, m, 0..n);
            }
        }
    }
}

/// Products of extreme integers, whose sums no intermediate type may saturate.
#[test]
fn extreme_integers() {
    for kernels in kernels::available() {
        for (bits, raw, value) in [(8, 0x80, -128.0), (8, 0x7f, 127.0), (4, 0, -8.0), (4, 15, 7.0)]
        {
            for a in [-128i8, 127] {
                let k = 96;
                let weights = Weights::pack(bits, k, 5, &|_, _| raw, &|_, _| f16::ONE).by(kernels);
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
    for kernels in kernels::available() {
        let weights =
            Weights::pack(16, 1, 1 << 16, &|_, n| n as u32, &|_, _| unreachable!()).by(kernels);
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
    for (bits, kernels) in
        [32, 16, 8, 4].into_iter().flat_map(|b| kernels::available().map(move |k| (b, k)))
    {
        let given = ParsedDocument { bits, k: 70, n: 40, seed: 1 };
        let weights = given.pack(kernels);
        for (m, bad) in [(1, f32::NAN), (14, f32::NAN), (1, f32::INFINITY), (14, f32::NEG_INFINITY)]
        {
            let mut a = Array2::from_elem((m, 70), 0.5);
            a[[m / 2, 69]] = bad;
            let mut c = Array2::zeros((m, 40));
            weights.multiply(a.view(), 0..40, c.view_mut());
            for ((row, _), c) in c.indexed_iter() {
                assert_eq!(c.is_finite(), row != m / 2, "{} {bits} {bad}", kernels.id);
            }
        }
    }
}

#[test]
fn no_terms_make_zeros() {
    let weights = Weights::pack(8, 0, 3, &|_, _| 0, &|_, _| f16::ONE);
    let mut c = Array2::from_elem((2, 3), f32::NAN);
    weights.multiply(Array2::zeros((2, 0)).view(), 0..3, c.view_mut());
    assert_eq!(c, Array2::<f32>::zeros((2, 3)));
    weights.multiply(Array2::zeros((0, 0)).view(), 0..3, Array2::zeros((0, 3)).view_mut());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn products_are_those_of_f64(
        bits in prop::sample::select(vec![32u32, 16, 8, 4]), m in 1usize..60, n in 1usize..150, k in 1usize..700,
        from in 0.0..1.0, to in 0.0..1.0, transposed: bool, seed: u64,
    ) {
        let at = |part: f64| (part * (n + 1) as f64) as usize;
        let columns = at(f64::min(from, to))..at(f64::max(from, to));
        multiply(ParsedDocument { bits, k, n, seed }, m, columns.clone(), transposed);
        multiply(ParsedDocument { bits, k, n, seed }, 1, columns, transposed);
    }

    #[test]
    fn int8_products_are_those_of_f64(
        bits in prop::sample::select(vec![8u32, 4]), m in 1usize..60, n in 1usize..150, k in 1usize..700,
        from in 0.0..1.0, to in 0.0..1.0, seed: u64,
    ) {
        let at = |part: f64| (part * (n + 1) as f64) as usize;
        multiply_int8(ParsedDocument { bits, k, n, seed }, m, at(f64::min(from, to))..at(f64::max(from, to)));
    }
}
