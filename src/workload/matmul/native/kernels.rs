//! The inner loops, written once and compiled for each instruction set.

#[cfg(target_arch = "x86_64")]
use super::lanes::{Avx2, Avx512};
use super::lanes::{Lanes, Portable, prefetch};
use super::panel::{Group, Line, PANEL, Panel, lines, term};
use crate::model::{GROUP, Type};

/// Maximum rows of a tile with any instruction set.
pub(super) const MAX_ROWS: usize = 12;
/// Words of four terms per group.
pub(super) const QUADS: usize = GROUP / 4;
/// Consecutive terms of a row that are packed together, so that packing copies lines of 64 bytes.
pub(super) const RUN: usize = 16;
/// Prefetch distance of a product with one row, in cache lines.
const AHEAD: usize = 16;
/// Maximum vectors across a panel.
const MAX_VECTORS: usize = 4;

/// A kernel's output: rows of 32 floats, `pitch` floats apart.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub(super) first: *mut f32,
    pub(super) pitch: isize,
    /// Accumulate into the output instead of overwriting it.
    pub(super) add: bool,
}

/// int8 activations of a tile's rows, as a kernel reads them.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    /// Four terms per word: the first group of all rows, then the next group.
    pub(super) quads: &'a [u32],
    /// For each group, for each row: minus the weights' bias times the sum of the activations, which corrects the sum.
    pub(super) corrections: &'a [i32],
    /// For each group, for each row: the scale.
    pub(super) scales: &'a [f32],
}

/// The inner loops for one instruction set.
///
/// # Safety
/// Of every function: `available` must have returned true.
pub struct Kernels {
    /// Name in results.
    pub id: &'static str,
    pub(super) available: fn() -> bool,
    /// Maximum rows of a tile.
    pub(super) rows: usize,
    /// Maximum rows of a tile of an integer product.
    pub(super) byte_rows: usize,
    /// A tile of a product. `a` has the terms of `rows` rows, the first 16 of all rows, then the next 16; `b` has a row of 32 per term.
    /// The tile must have room for all rows. Prefetches the lines `ahead`.
    pub(super) tile: unsafe fn(rows: usize, a: &[f32], b: &[f32], c: Tile, ahead: &[Line]),
    /// Dequantizes weights: rows of 32 floats from a group on, until `to` is full.
    pub(super) widen: unsafe fn(panel: Panel, first_group: usize, to: &mut [f32]),
    /// A row of activations, padded to whole groups, times a panel; `totals` are the sums of the activations per group.
    pub(super) vector: unsafe fn(x: &[f32], totals: &[f32], panel: Panel, to: &mut [f32; PANEL]),
    /// A tile of a product of int8 activations. The tile must have room for all rows.
    pub(super) bytes: unsafe fn(rows: usize, a: Bytes, panel: Panel, c: Tile),
}

/// Calls a function with the number of rows as a constant.
macro_rules! with_rows {
    ($rows:expr, $function:ident::<$lanes:ty, ($($n:literal)*)>$arguments:tt) => {
        match $rows {
            $($n => $function::<$lanes, $n>$arguments,)*
            rows => unreachable!("{rows} rows are more than a tile has"),
        }
    };
}

/// Calls a function with the bits of a type as a constant.
macro_rules! with_bits {
    ($kind:expr, $function:ident::<$lanes:ty>$arguments:tt) => {
        match $kind {
            Type::F32 => $function::<$lanes, 32>$arguments,
            Type::F16 => $function::<$lanes, 16>$arguments,
            Type::Int8 => $function::<$lanes, 8>$arguments,
            Type::Int4 => $function::<$lanes, 4>$arguments,
        }
    };
}

/// The inner loops, compiled for the features that `$lanes` needs, with the rows of tiles for floats and for int8.
macro_rules! compiled_for {
    ($id:literal, $lanes:ty, [$($feature:tt),*], $rows:literal: $n:tt, $byte_rows:literal: $byte_n:tt) => {{
        $(#[target_feature(enable = $feature)])*
        unsafe fn tile(rows: usize, a: &[f32], b: &[f32], c: Tile, ahead: &[Line]) {
            // SAFETY (here and below): this function is only called where its instructions are available.
            unsafe { with_rows!(rows, float_tile::<$lanes, $n>(a, b, c, ahead)) }
        }
        $(#[target_feature(enable = $feature)])*
        unsafe fn widen(panel: Panel, first_group: usize, to: &mut [f32]) {
            unsafe { with_bits!(panel.kind, widen_panel::<$lanes>(panel, first_group, to)) }
        }
        $(#[target_feature(enable = $feature)])*
        unsafe fn vector(x: &[f32], totals: &[f32], panel: Panel, to: &mut [f32; PANEL]) {
            unsafe { with_bits!(panel.kind, vector_times_panel::<$lanes>(x, totals, panel, to)) }
        }
        $(#[target_feature(enable = $feature)])*
        unsafe fn bytes(rows: usize, a: Bytes, panel: Panel, c: Tile) {
            unsafe { with_rows!(rows, byte_tile::<$lanes, $byte_n>(a, panel, c)) }
        }
        let available = || true $(&& is_x86_feature_detected!($feature))*;
        Kernels { id: $id, available, rows: $rows, byte_rows: $byte_rows, tile, widen, vector, bytes }
    }};
}

/// Every instruction set, best first.
static KERNELS: &[Kernels] = &[
    #[cfg(target_arch = "x86_64")]
    compiled_for!("matmul/avx512-vnni", Avx512<true>, ["avx512f", "avx512bw", "avx512vnni"],
        12: (1 2 3 4 5 6 7 8 9 10 11 12), 6: (1 2 3 4 5 6)),
    #[cfg(target_arch = "x86_64")]
    compiled_for!("matmul/avx512", Avx512<false>, ["avx512f", "avx512bw"],
        12: (1 2 3 4 5 6 7 8 9 10 11 12), 4: (1 2 3 4)),
    #[cfg(target_arch = "x86_64")]
    compiled_for!("matmul/avx2-vnni", Avx2<true>, ["avx2", "fma", "f16c", "avxvnni"],
        6: (1 2 3 4 5 6), 2: (1 2)),
    #[cfg(target_arch = "x86_64")]
    compiled_for!("matmul/avx2", Avx2<false>, ["avx2", "fma", "f16c"], 6: (1 2 3 4 5 6), 2: (1 2)),
    compiled_for!("matmul/portable", Portable, [], 4: (1 2 3 4), 2: (1 2)),
];

/// The instruction sets that this CPU supports, best first.
pub fn available() -> impl Iterator<Item = &'static Kernels> {
    KERNELS.iter().filter(|kernels| (kernels.available)())
}

/// The best instruction set that this CPU supports.
pub(super) fn best() -> &'static Kernels {
    available().next().expect("the last runs everywhere")
}

/// Two vectors at a time across the panel: 2·ROWS accumulators, two vectors of B and a term of A fit the registers.
///
/// # Safety
/// The CPU must support V's instructions; the tile must have room for ROWS rows.
#[inline(always)]
unsafe fn float_tile<V: Lanes, const ROWS: usize>(a: &[f32], b: &[f32], c: Tile, ahead: &[Line]) {
    let terms = b.len() / PANEL;
    let runs = terms.div_ceil(RUN);
    assert!(a.len() >= runs * RUN * ROWS);
    let mut ahead = ahead.chunks(ahead.len().div_ceil(runs).max(1));
    for first in (0..PANEL).step_by(2 * V::WIDTH) {
        // SAFETY (here and below): lengths were checked above; the caller guarantees the tile and the instructions.
        unsafe {
            let row_of_c = |row: usize| c.first.offset(row as isize * c.pitch).add(first);
            let mut sums = [[V::splat(0.0); 2]; ROWS];
            for run in 0..runs {
                // Prefetches a few lines at a time: many at once would delay the loads.
                ahead.next().unwrap_or_default().iter().for_each(|line| prefetch(line, false));
                if let Some(row) = (run + ROWS).checked_sub(runs) {
                    prefetch(row_of_c(row), true);
                    prefetch(row_of_c(row).add(2 * V::WIDTH - 1), true);
                }
                let a = a.as_ptr().add(run * RUN * ROWS);
                let b = b.as_ptr().add(run * RUN * PANEL + first);
                for term in 0..RUN.min(terms - run * RUN) {
                    let b = b.add(term * PANEL);
                    let vectors = [V::load(b), V::load(b.add(V::WIDTH))];
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let a = V::splat(*a.add(row * RUN + term));
                        for (sum, vector) in sums.iter_mut().zip(vectors) {
                            *sum = vector.mul_add(a, *sum);
                        }
                    }
                }
            }
            for (row, sums) in sums.into_iter().enumerate() {
                for (i, sum) in sums.into_iter().enumerate() {
                    let to = row_of_c(row).add(i * V::WIDTH);
                    if c.add { V::load(to).add(sum).store(to) } else { sum.store(to) }
                }
            }
        }
    }
}

/// # Safety
/// The CPU must support V's instructions.
#[inline(always)]
unsafe fn widen_panel<V: Lanes, const BITS: u32>(panel: Panel, first_group: usize, to: &mut [f32]) {
    assert_eq!(panel.kind, Type::of_bits(BITS));
    for (i, to) in to.chunks_mut(GROUP * PANEL).enumerate() {
        let group = panel.group(first_group + i);
        for first in (0..PANEL).step_by(V::WIDTH) {
            // SAFETY: a group has as many terms and columns, and `to` is no longer; the caller guarantees the rest.
            unsafe {
                let scale =
                    if BITS < 16 { V::from_f16(group.scales.add(first)) } else { V::splat(1.0) };
                let shift = (!group.offsets.is_null()).then(|| shift::<V>(group, first));
                for (i, to) in to.chunks_exact_mut(PANEL).enumerate() {
                    let weight = term::<BITS, V>(group.values, i, first);
                    let weight = match shift {
                        Some(shift) => weight.mul_add(scale, shift),
                        None if BITS < 16 => weight.mul(scale),
                        None => weight,
                    };
                    weight.store(to.as_mut_ptr().add(first));
                }
            }
        }
    }
}

/// The addend to a scaled nibble minus 8 where w = scale · nibble + offset.
///
/// # Safety
/// The group must have offsets; the CPU must support V's instructions.
#[inline(always)]
unsafe fn shift<V: Lanes>(group: Group, first: usize) -> V {
    // SAFETY: a group has 32 of both; the caller guarantees the rest.
    unsafe {
        let offset = V::from_f16(group.offsets.add(first));
        V::from_f16(group.scales.add(first)).mul_add(V::splat(8.0), offset)
    }
}

/// A group's terms are summed before they are scaled, which takes one multiplication instead of 32.
///
/// # Safety
/// The CPU must support V's instructions.
#[inline(always)]
unsafe fn vector_times_panel<V: Lanes, const BITS: u32>(
    x: &[f32],
    totals_of_x: &[f32],
    panel: Panel,
    to: &mut [f32; PANEL],
) {
    assert_eq!((panel.kind, x.len()), (Type::of_bits(BITS), GROUP * panel.groups()));
    assert_eq!(totals_of_x.len(), panel.groups());
    let vectors = PANEL / V::WIDTH;
    // SAFETY (here and below): a group has 32 terms and columns; the caller guarantees the instructions.
    unsafe {
        let mut totals = [V::splat(0.0); MAX_VECTORS];
        for (group, x) in x.chunks_exact(GROUP).enumerate() {
            let total_of_x = V::splat(totals_of_x[group]);
            let group = panel.group(group);
            let values = group.values;
            let mut sums = [[V::splat(0.0); 2]; MAX_VECTORS];
            for step in 0..GROUP / 8 {
                // The hardware prefetcher does not cross page boundaries.
                for line in 0..lines(BITS) / 4 {
                    prefetch(values.wrapping_add(AHEAD + step * lines(BITS) / 4 + line), true);
                }
                for (v, sums) in sums.iter_mut().enumerate().take(vectors) {
                    for i in 0..8 {
                        let weight = term::<BITS, V>(values, 8 * step + i, v * V::WIDTH);
                        sums[i % 2] = weight.mul_add(V::splat(x[8 * step + i]), sums[i % 2]);
                    }
                }
            }
            for (v, total) in totals.iter_mut().enumerate().take(vectors) {
                let sum = sums[v][0].add(sums[v][1]);
                *total = if BITS < 16 {
                    sum.mul_add(V::from_f16(group.scales.add(v * V::WIDTH)), *total)
                } else {
                    total.add(sum)
                };
                if !group.offsets.is_null() {
                    *total = shift::<V>(group, v * V::WIDTH).mul_add(total_of_x, *total);
                }
            }
        }
        for (v, total) in totals.into_iter().enumerate().take(vectors) {
            total.store(to.as_mut_ptr().add(v * V::WIDTH));
        }
    }
}

/// The products of a group are summed exactly, as integers, then multiplied by both scales, whose product is exact too.
///
/// # Safety
/// The CPU must support V's instructions; the tile must have room for ROWS rows.
#[inline(always)]
unsafe fn byte_tile<V: Lanes, const ROWS: usize>(a: Bytes, panel: Panel, c: Tile) {
    let groups = panel.groups();
    assert_eq!(a.quads.len(), ROWS * groups * QUADS);
    assert!(a.corrections.len() == ROWS * groups && a.scales.len() == ROWS * groups);
    let int4 = match panel.kind {
        Type::Int8 => false,
        Type::Int4 => true,
        kind => panic!("int8 activations do not go with weights of {kind:?}"),
    };
    assert!(groups == 0 || panel.group(0).offsets.is_null(), "offsets need activations in f32");
    for first in (0..PANEL).step_by(2 * V::WIDTH) {
        // SAFETY (here and below): lengths were checked above; the caller guarantees the tile and the instructions.
        unsafe {
            let mut totals = [[V::splat(0.0); 2]; ROWS];
            for group in 0..groups {
                let Group { values, scales, .. } = panel.group(group);
                let values = values.cast::<u32>().add(first);
                let quads = a.quads.as_ptr().add(group * ROWS * QUADS);
                let mut sums: [[V::Words; 2]; ROWS] = std::array::from_fn(|row| {
                    [V::splat_words(a.corrections[group * ROWS + row] as u32); 2]
                });
                for quad in 0..QUADS {
                    let weights: [V::Words; 2] = std::array::from_fn(|i| {
                        if int4 {
                            let at = values.add(quad / 2 * PANEL + i * V::WIDTH);
                            let shift = 4 * (quad % 2) as u32;
                            V::field(V::load_words(at), shift, 0x0f0f_0f0f)
                        } else {
                            let at = values.add(quad * PANEL + i * V::WIDTH);
                            V::xor(V::load_words(at), 0x8080_8080)
                        }
                    });
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let four = V::splat_words(*quads.add(row * QUADS + quad));
                        for (sum, weights) in sums.iter_mut().zip(weights) {
                            *sum = V::dot(*sum, weights, four);
                        }
                    }
                }
                let scales: [V; 2] =
                    std::array::from_fn(|i| V::from_f16(scales.add(first + i * V::WIDTH)));
                for (row, (totals, sums)) in totals.iter_mut().zip(sums).enumerate() {
                    let scale = V::splat(a.scales[group * ROWS + row]);
                    for i in 0..2 {
                        let sum = V::from_words(sums[i]);
                        totals[i] = sum.mul_add(scales[i].mul(scale), totals[i]);
                    }
                }
            }
            for (row, totals) in totals.into_iter().enumerate() {
                let to = c.first.offset(row as isize * c.pitch).add(first);
                for (i, total) in totals.into_iter().enumerate() {
                    let to = to.add(i * V::WIDTH);
                    if c.add { V::load(to).add(total).store(to) } else { total.store(to) }
                }
            }
        }
    }
}
