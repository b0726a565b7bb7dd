//! How weights are stored: panels of 32 columns, in each of them groups of 32 terms, so that every kernel reads one stream.
//! A column's lane holds the same column from group to group; what is missing at the edges is 0.

use super::lanes::Lanes;
use half::f16;
use rayon::prelude::*;
use std::ops::Range;

/// Columns of a panel.
pub(super) const PANEL: usize = 32;
/// Terms that share a scale in an integer type.
pub(super) const GROUP: usize = 32;

// Words hold several weights and are read as bytes and halves too.
const _: () = assert!(cfg!(target_endian = "little"));

/// 64 bytes at their boundary, so that no vector lies across two lines of a cache.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line([u32; 16]);

// SAFETY: plain words without padding, of which every pattern is valid.
unsafe impl bytemuck::Zeroable for Line {}
// SAFETY: as above.
unsafe impl bytemuck::Pod for Line {}

/// At least `length` floats, 0.
pub(super) fn lines(length: usize) -> Vec<Line> {
    bytemuck::zeroed_vec(length.div_ceil(16))
}

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    F32,
    F16,
    Int8,
    Int4,
}

impl Kind {
    pub(super) fn of(bits: u32) -> Kind {
        match bits {
            32 => Kind::F32,
            16 => Kind::F16,
            8 => Kind::Int8,
            4 => Kind::Int4,
            _ => panic!("weights have 32, 16, 8 or 4 bits, not {bits}"),
        }
    }

    const fn bits(self) -> usize {
        match self {
            Kind::F32 => 32,
            Kind::F16 => 16,
            Kind::Int8 => 8,
            Kind::Int4 => 4,
        }
    }

    /// Lines of a panel's group.
    pub(super) const fn lines(self) -> usize {
        PANEL * GROUP * self.bits() / 512
    }

    /// Puts a weight into a panel's group, which is 0 there.
    fn put(self, group: &mut [u32], term: usize, column: usize, raw: u32) {
        match self {
            Kind::F32 => group[term * PANEL + column] = raw,
            Kind::F16 => {
                let at = term * PANEL + column;
                group[at / 2] |= raw << (16 * (at % 2));
            }
            Kind::Int8 => group[term / 4 * PANEL + column] |= (raw & 0xff) << (8 * (term % 4)),
            Kind::Int4 => group[term / 8 * PANEL + column] |= (raw & 0xf) << nibble_at(term),
        }
    }

    /// What is stored for 0.
    fn zero(self) -> u32 {
        if self == Kind::Int4 { 8 } else { 0 }
    }
}

/// The bit where a term's nibble begins in its word: the lower nibbles of the bytes are four consecutive terms, and the
/// upper ones are, because integer products take four bytes at a time.
#[inline(always)]
fn nibble_at(term: usize) -> u32 {
    (8 * (term % 4) + 4 * (term / 4 % 2)) as u32
}

/// Weights of a type, read from a panel's group.
pub(super) trait Format {
    const KIND: Kind;
    /// Whether every group of a column has a scale.
    const SCALED: bool;
    /// The weights of a term in `V::WIDTH` columns, before their scales.
    ///
    /// # Safety
    /// `group` points to a whole group; V's instructions are there.
    unsafe fn term<V: Lanes>(group: *const Line, term: usize, column: usize) -> V;
}

pub(super) struct F32;
pub(super) struct F16;
pub(super) struct Int8;
pub(super) struct Int4;

impl Format for F32 {
    const KIND: Kind = Kind::F32;
    const SCALED: bool = false;
    #[inline(always)]
    unsafe fn term<V: Lanes>(group: *const Line, term: usize, column: usize) -> V {
        // SAFETY (here and below): inside the group; the caller vouches for the instructions.
        unsafe { V::load(group.cast::<f32>().add(term * PANEL + column)) }
    }
}

impl Format for F16 {
    const KIND: Kind = Kind::F16;
    const SCALED: bool = false;
    #[inline(always)]
    unsafe fn term<V: Lanes>(group: *const Line, term: usize, column: usize) -> V {
        unsafe { V::from_f16(group.cast::<u16>().add(term * PANEL + column)) }
    }
}

impl Format for Int8 {
    const KIND: Kind = Kind::Int8;
    const SCALED: bool = true;
    #[inline(always)]
    unsafe fn term<V: Lanes>(group: *const Line, term: usize, column: usize) -> V {
        unsafe {
            let words = V::load_words(group.cast::<u32>().add(term / 4 * PANEL + column));
            V::byte(words, 8 * (term % 4) as u32)
        }
    }
}

impl Format for Int4 {
    const KIND: Kind = Kind::Int4;
    const SCALED: bool = true;
    #[inline(always)]
    unsafe fn term<V: Lanes>(group: *const Line, term: usize, column: usize) -> V {
        unsafe {
            let words = V::load_words(group.cast::<u32>().add(term / 8 * PANEL + column));
            V::nibble(words, nibble_at(term))
        }
    }
}

/// All terms of up to 32 columns.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    pub(super) kind: Kind,
    values: &'a [Line],
    /// One line for each group, if the type has scales.
    scales: &'a [Line],
}

impl<'a> Panel<'a> {
    pub(super) fn groups(self) -> usize {
        self.values.len() / self.kind.lines()
    }

    /// The values and scales of a group.
    #[inline(always)]
    pub(super) fn group(self, group: usize) -> (*const Line, *const u16) {
        let lines = self.kind.lines();
        let values = self.values[group * lines..][..lines].as_ptr();
        (values, self.scales.get(group).map_or(std::ptr::null(), |s| s.0.as_ptr().cast()))
    }

    /// A share of some groups' values, as far as there are such groups: the `part`th of `parts`.
    pub(super) fn share(self, groups: Range<usize>, part: usize, parts: usize) -> &'a [Line] {
        let (lines, all) = (self.kind.lines(), self.groups());
        let values = &self.values[groups.start.min(all) * lines..groups.end.min(all) * lines];
        values.chunks(values.len().div_ceil(parts).max(1)).nth(part).unwrap_or_default()
    }

    /// Rows of 32 floats of some terms, of weights that are stored as such.
    pub(super) fn floats(self, term: usize, terms: usize) -> &'a [f32] {
        assert_eq!(self.kind, Kind::F32);
        &bytemuck::cast_slice(self.values)[term * PANEL..][..terms * PANEL]
    }
}

/// The values and scales of a matrix.
#[derive(Clone)]
pub(super) struct Store {
    kind: Kind,
    groups: usize,
    values: Vec<Line>,
    scales: Vec<Line>,
}

impl Store {
    pub(super) fn new(
        kind: Kind,
        k: usize,
        n: usize,
        value: &(dyn Fn(usize, usize) -> u32 + Sync),
        scale: &(dyn Fn(usize, usize) -> f16 + Sync),
    ) -> Store {
        let (groups, panels) = (k.div_ceil(GROUP), n.div_ceil(PANEL));
        let mut values: Vec<Line> = bytemuck::zeroed_vec(panels * groups * kind.lines());
        values.par_chunks_mut(kind.lines()).enumerate().for_each(|(i, group)| {
            let (panel, first) = (i / groups, i % groups * GROUP);
            let group: &mut [u32] = bytemuck::cast_slice_mut(group);
            for term in 0..GROUP {
                for column in 0..PANEL {
                    let (k_at, n_at) = (first + term, panel * PANEL + column);
                    let raw = if k_at < k && n_at < n { value(k_at, n_at) } else { kind.zero() };
                    kind.put(group, term, column, raw);
                }
            }
        });
        let scaled = matches!(kind, Kind::Int8 | Kind::Int4);
        let mut scales: Vec<Line> = bytemuck::zeroed_vec(if scaled { panels * groups } else { 0 });
        scales.par_iter_mut().enumerate().for_each(|(i, line)| {
            let columns = (i / groups * PANEL..n).take(PANEL);
            let halves: &mut [u16] = bytemuck::cast_slice_mut(&mut line.0);
            for (half, column) in halves.iter_mut().zip(columns) {
                *half = scale(i % groups, column).to_bits();
            }
        });
        Store { kind, groups, values, scales }
    }

    /// The columns from `PANEL * index` on.
    pub(super) fn panel(&self, index: usize) -> Panel<'_> {
        let lines = self.groups * self.kind.lines();
        let scales = if self.scales.is_empty() { 0 } else { self.groups };
        Panel {
            kind: self.kind,
            values: &self.values[index * lines..][..lines],
            scales: &self.scales[index * scales..][..scales],
        }
    }
}
