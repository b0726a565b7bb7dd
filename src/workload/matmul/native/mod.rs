//! Matrix products on the CPU, on every hardware thread. Weights are packed once in the kernels' layout; a product packs the activations,
//! cuts C into parts, and each thread computes parts with the best kernels that the CPU supports.

mod kernels;
mod lanes;
mod panel;
mod weights;

pub use kernels::{Kernels, available};
pub use weights::Weights;

use crate::model::{GROUP, Type};
use half::f16;
use kernels::{Bytes, MAX_ROWS, QUADS, RUN, Tile};
use ndarray::{ArrayView2, ArrayViewMut2, Axis, s};
use panel::{Line, PANEL};
use rayon::prelude::*;
use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

/// Block size along K: the terms of a panel and of a tile stay in the inner caches.
const TERMS: usize = 256;
/// Maximum rows of C in a part: their terms stay in the L2 cache while panels stream through.
const ROWS: usize = 192;
/// Minimum rows of C in a part. Both limits and the halvings in between are multiples of every tile's rows.
const MIN_ROWS: usize = 48;
/// Maximum columns of C in a part.
const COLUMNS: usize = 8 * PANEL;

/// Floats in whole cache lines.
#[repr(align(64))]
struct Aligned<const N: usize>([f32; N]);

/// Columns of B, and the part of C that they give.
struct Strip<'c> {
    columns: Range<usize>,
    c: ArrayViewMut2<'c, f32>,
}

/// Does work on every thread, or on the calling thread alone.
fn for_each<T: Send>(parallel: bool, items: Vec<T>, work: impl Fn(T) + Send + Sync) {
    match parallel {
        true => items.into_par_iter().for_each(work),
        false => items.into_iter().for_each(work),
    }
}

thread_local! {
    /// Packed activations, kept between calls: page faults on a fresh buffer would cost more than packing.
    static PACKED: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// Calls `call` with a buffer of `length` floats.
fn with_scratch<T>(length: usize, call: impl FnOnce(&mut [f32]) -> T) -> T {
    // Taken, not borrowed: while this thread waits for others, it may begin another product.
    let mut scratch = PACKED.take();
    if scratch.len() * 16 < length {
        scratch = bytemuck::zeroed_vec(length.div_ceil(16));
    }
    let result = call(&mut bytemuck::cast_slice_mut(&mut scratch)[..length]);
    PACKED.replace(scratch);
    result
}

/// Name in results of the kernels that multiply: the best that this CPU supports.
pub fn id() -> &'static str {
    kernels::best().id
}

impl Weights {
    /// C (M × `columns`) = A (M×K) · B, restricted to these columns of B. Accumulators are f32, weights exact: each product is rounded at
    /// most K + 2 times.
    ///
    /// # Panics
    /// If A does not have K columns, C does not have A's rows and these columns, or B lacks these columns.
    pub fn multiply(&self, a: ArrayView2<f32>, columns: Range<usize>, c: ArrayViewMut2<f32>) {
        self.multiply_on(true, a, Strip { columns, c });
    }

    /// The same on the calling thread alone, for many small products in parallel.
    ///
    /// # Panics
    /// As `multiply` does.
    pub fn multiply_single_threaded(
        &self,
        a: ArrayView2<f32>,
        columns: Range<usize>,
        c: ArrayViewMut2<f32>,
    ) {
        self.multiply_on(false, a, Strip { columns, c });
    }

    fn multiply_on(&self, parallel: bool, a: ArrayView2<f32>, mut strip: Strip) {
        assert_eq!(a.ncols(), self.k, "A has not as many columns as B has rows");
        self.check(a.nrows(), &strip);
        if self.k == 0 {
            strip.c.fill(0.0);
        } else if a.nrows() == 1 {
            self.multiply_row(parallel, a, strip);
        } else {
            self.multiply_rows(parallel, a, strip);
        }
    }

    fn check(&self, rows: usize, Strip { columns, c }: &Strip) {
        assert!(columns.start <= columns.end && columns.end <= self.n, "B has {} columns", self.n);
        assert_eq!(c.dim(), (rows, columns.len()), "C has not the rows of A and these columns");
    }

    fn multiply_row(&self, parallel: bool, a: ArrayView2<f32>, strip: Strip) {
        let groups = self.k.div_ceil(GROUP);
        with_scratch(groups * (GROUP + 1), |scratch| {
            let (x, totals) = scratch.split_at_mut(groups * GROUP);
            let (values, padding) = x.split_at_mut(self.k);
            values.iter_mut().zip(a.row(0)).for_each(|(x, a)| *x = *a);
            padding.fill(0.0);
            let groups = x.chunks_exact(GROUP);
            totals.iter_mut().zip(groups).for_each(|(total, x)| *total = x.iter().sum());
            let (x, totals) = (&*x, &*totals);
            for_each(parallel, strip.cut(PANEL), |Strip { columns, mut c }| {
                let mut sums = [0.0; PANEL];
                let panel = self.panel(columns.start);
                // SAFETY: only kernels that this CPU supports are chosen.
                unsafe { (self.kernels.vector)(x, totals, panel, &mut sums) };
                let sums = &sums[columns.start % PANEL..];
                c.iter_mut().zip(sums).for_each(|(c, sum)| *c = *sum);
            });
        });
    }

    fn multiply_rows(&self, parallel: bool, a: ArrayView2<f32>, strip: Strip) {
        let (k, tile_rows) = (self.k.next_multiple_of(RUN), self.kernels.rows);
        with_scratch(a.nrows() * k, |packed| {
            let tiles: Vec<_> = packed.chunks_mut(k * tile_rows).enumerate().collect();
            for_each(parallel, tiles, |(i, packed)| {
                let rows = packed.len() / k;
                pack_rows(a.slice(s![i * tile_rows..i * tile_rows + rows, ..]), packed);
            });
            let (rows, width) = part_size(a.nrows(), strip.columns.len());
            let parts = strip.parts(packed.chunks(k * rows), rows, width);
            for_each(parallel, parts, |(a, strip)| self.multiply_part(a, strip));
        });
    }

    /// Computes a part of C on this thread. `a` is packed in tiles of rows.
    fn multiply_part(&self, a: &[f32], Strip { columns, mut c }: Strip) {
        let tile_rows = self.kernels.rows;
        let tile = self.k.next_multiple_of(RUN) * tile_rows;
        let tiles = a.len().div_ceil(tile);
        let mut widened = (self.kind != Type::F32).then_some(Aligned([0.0; TERMS * PANEL]));
        for first in (0..self.k).step_by(TERMS) {
            let terms = TERMS.min(self.k - first);
            let strip = Strip { columns: columns.clone(), c: c.view_mut() };
            for Strip { columns: part, mut c } in strip.cut(PANEL) {
                let panel = self.panel(part.start);
                let b = match &mut widened {
                    None => panel.floats(first, terms),
                    Some(widened) => {
                        let widened = &mut widened.0[..terms * PANEL];
                        // SAFETY (here and below): only kernels that this CPU supports are chosen.
                        unsafe { (self.kernels.widen)(panel, first / GROUP, widened) };
                        widened
                    }
                };
                let (next, from) = if part.end < columns.end {
                    (part.end, first)
                } else {
                    (columns.start, first + TERMS)
                };
                let next = self.panel(next);
                let groups = from / GROUP..(from + TERMS) / GROUP;
                let rows_of_c = c.axis_chunks_iter_mut(Axis(0), tile_rows);
                for (i, (a, mut c)) in a.chunks(tile).zip(rows_of_c).enumerate() {
                    let rows = c.nrows();
                    let a = &a[first * rows..][..terms.next_multiple_of(RUN) * rows];
                    let ahead = next.share(groups.clone(), i, tiles);
                    into_tile(&mut c, part.start % PANEL, first > 0, |to| unsafe {
                        (self.kernels.tile)(rows, a, b, to, ahead)
                    });
                }
            }
        }
    }

    /// C (M × `columns`) = A (M×K) · B, restricted to these columns of B, with int8 activations: `scales` has M rows of one scale per
    /// group of 32 terms. The products of a group are summed exactly, as integers; accumulators are rounded once per group.
    ///
    /// # Panics
    /// As `multiply` does; if scales are missing; if weights have more than 8 bits.
    pub fn multiply_int8(
        &self,
        a: ArrayView2<i8>,
        scales: ArrayView2<f16>,
        columns: Range<usize>,
        c: ArrayViewMut2<f32>,
    ) {
        let mut strip = Strip { columns, c };
        assert_eq!(a.ncols(), self.k, "A has not as many columns as B has rows");
        let groups = self.k.div_ceil(GROUP);
        assert_eq!(scales.dim(), (a.nrows(), groups), "each group of a row of A has a scale");
        self.check(a.nrows(), &strip);
        if self.k == 0 {
            return strip.c.fill(0.0);
        }
        let bias = match self.kind {
            Type::Int8 => 128,
            Type::Int4 => 8,
            kind => panic!("int8 activations do not go with weights of {kind:?}"),
        };
        let tile_rows = self.kernels.byte_rows;
        let starts: Vec<usize> = (0..a.nrows()).step_by(tile_rows).collect();
        let packed: Vec<_> = starts
            .into_par_iter()
            .map(|first| {
                let rows = first..(first + tile_rows).min(a.nrows());
                pack_bytes(a.slice(s![rows.clone(), ..]), scales.slice(s![rows, ..]), bias)
            })
            .collect();
        let parts = strip.parts(packed.chunks(ROWS / tile_rows), ROWS, PANEL);
        for_each(true, parts, |(a, Strip { columns, mut c })| {
            let panel = self.panel(columns.start);
            for ((quads, corrections, scales), mut c) in
                a.iter().zip(c.axis_chunks_iter_mut(Axis(0), tile_rows))
            {
                let (rows, a) = (c.nrows(), Bytes { quads, corrections, scales });
                into_tile(&mut c, columns.start % PANEL, false, |to| {
                    // SAFETY: only kernels that this CPU supports are chosen.
                    unsafe { (self.kernels.bytes)(rows, a, panel, to) }
                });
            }
        });
    }
}

/// Packs int8 activations for weights that are stored with this bias: the three fields of [`Bytes`].
fn pack_bytes(
    a: ArrayView2<i8>,
    scales: ArrayView2<f16>,
    bias: i32,
) -> (Vec<u32>, Vec<i32>, Vec<f32>) {
    let (rows, groups) = scales.dim();
    let mut quads = vec![0u32; rows * groups * QUADS];
    let mut corrections = vec![0i32; rows * groups];
    for (row, a) in a.rows().into_iter().enumerate() {
        let a: Cow<[i8]> = a.to_slice().map_or_else(|| a.to_vec().into(), Cow::from);
        for (group, a) in a.chunks(GROUP).enumerate() {
            let mut padded = [0i8; GROUP];
            padded[..a.len()].copy_from_slice(a);
            let at = group * rows + row;
            quads[at * QUADS..][..QUADS]
                .copy_from_slice(&bytemuck::cast::<_, [u32; QUADS]>(padded));
            corrections[at] = -bias * padded.iter().map(|&a| i32::from(a)).sum::<i32>();
        }
    }
    let scales = (0..rows * groups).map(|i| scales[[i % rows, i / rows]].to_f32()).collect();
    (quads, corrections, scales)
}

/// Packs the rows of a tile: the first 16 terms of all rows, then the next 16.
fn pack_rows(a: ArrayView2<f32>, packed: &mut [f32]) {
    let rows = a.nrows();
    for (row, a) in a.rows().into_iter().enumerate() {
        let runs = packed.chunks_exact_mut(RUN).skip(row).step_by(rows);
        match a.to_slice() {
            Some(a) => runs.zip(a.chunks(RUN)).for_each(|(to, a)| match a.first_chunk::<RUN>() {
                Some(whole) => to.copy_from_slice(whole),
                None => to[..a.len()].copy_from_slice(a),
            }),
            None => {
                let runs = runs.zip(a.axis_chunks_iter(Axis(0), RUN));
                runs.for_each(|(to, a)| to.iter_mut().zip(a).for_each(|(to, a)| *to = *a));
            }
        }
    }
}

/// Rows and columns of a part: as many as suit the caches, or fewer, so that every thread has several parts.
fn part_size(m: usize, n: usize) -> (usize, usize) {
    let (mut rows, mut columns) = (ROWS, COLUMNS);
    let enough = 4 * rayon::current_num_threads();
    while m.div_ceil(rows) * n.div_ceil(columns) < enough && rows > MIN_ROWS {
        if columns > PANEL { columns /= 2 } else { rows /= 2 }
    }
    (rows, columns)
}

impl<'c> Strip<'c> {
    /// Cuts at multiples of `width` columns of B.
    fn cut(self, width: usize) -> Vec<Strip<'c>> {
        let Strip { columns: Range { start: mut first, end: last }, mut c } = self;
        let mut cut = Vec::with_capacity((last - first) / width + 2);
        while first < last {
            let end = ((first / width + 1) * width).min(last);
            let (left, right) = c.split_at(Axis(1), end - first);
            cut.push(Strip { columns: first..end, c: left });
            (c, first) = (right, end);
        }
        cut
    }

    /// Cuts the rows too: each rows of A with what they give.
    fn parts<'a, T>(
        self,
        a: impl Iterator<Item = &'a [T]>,
        rows: usize,
        width: usize,
    ) -> Vec<(&'a [T], Strip<'c>)> {
        let (mut parts, mut c) = (Vec::new(), self.c);
        for a in a {
            let rows = rows.min(c.nrows());
            let (upper, lower) = c.split_at(Axis(0), rows);
            let strip = Strip { columns: self.columns.clone(), c: upper };
            parts.extend(strip.cut(width).into_iter().map(|strip| (a, strip)));
            c = lower;
        }
        parts
    }
}

/// Lets `write` write a tile to C, of whose columns it skips some. A tile that does not have C's shape goes through a buffer.
fn into_tile(c: &mut ArrayViewMut2<f32>, skipped: usize, add: bool, write: impl FnOnce(Tile)) {
    let (rows, columns) = c.dim();
    if columns == PANEL && c.strides()[1] == 1 {
        return write(Tile { first: c.as_mut_ptr(), pitch: c.strides()[0], add });
    }
    let mut whole = Aligned([0.0; MAX_ROWS * PANEL]);
    write(Tile { first: whole.0.as_mut_ptr(), pitch: PANEL as isize, add: false });
    for row in 0..rows {
        let from = &whole.0[row * PANEL + skipped..][..columns];
        let to = c.row_mut(row);
        to.into_iter().zip(from).for_each(|(c, sum)| *c = if add { *c + sum } else { *sum });
    }
}
