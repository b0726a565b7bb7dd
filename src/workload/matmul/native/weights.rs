//! Storage of weights: panels of 32 columns, each in groups of 32 terms, so that every kernel reads one stream. A column has the same
//! lane in every group; padding is 0.

use super::lanes::Lanes;
use half::f16;
use rayon::prelude::*;
use std::ops::Range;

/// Columns of a panel.
pub(super) const PANEL: usize = 32;
/// Terms that share a scale in an integer type.
pub(super) const GROUP: usize = 32;

// Words hold several weights and are also read as bytes and halves.
const _: () = assert!(cfg!(target_endian = "little"));

/// A cache line of 64 bytes, aligned so that no vector crosses a line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line([u32; 16]);

// SAFETY: plain words without padding; every bit pattern is valid.
unsafe impl bytemuck::Zeroable for Line {}
// SAFETY: as above.
unsafe impl bytemuck::Pod for Line {}

/// At least `length` floats, zeroed.
pub(super) fn lines(length: usize) -> Vec<Line> {
    bytemuck::zeroed_vec(length.div_ceil(16))
}

/// Storage type of weights.
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

    /// Cache lines of a panel's group.
    pub(super) const fn lines(self) -> usize {
        PANEL * GROUP * self.bits() / 512
    }

    /// Stores a weight in a panel's group where its bits are 0.
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

    /// Stored bits of the weight 0.
    fn zero(self) -> u32 {
        if self == Kind::Int4 { 8 } else { 0 }
    }
}

/// Bit offset of a term's nibble in its word. The low nibbles of its bytes are four consecutive terms, and so are the high ones, because
/// integer dot products take four bytes at a time.
#[inline(always)]
fn nibble_at(term: usize) -> u32 {
    (8 * (term % 4) + 4 * (term / 4 % 2)) as u32
}

/// A storage type, read from a panel's group.
pub(super) trait Format {
    const KIND: Kind;
    /// Whether every group of a column has a scale.
    const SCALED: bool;
    /// The weights of a term in `V::WIDTH` columns, before scaling.
    ///
    /// # Safety
    /// `group` must point to a whole group; the CPU must support V's instructions.
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
        // SAFETY (here and below): inside the group; the caller guarantees the instructions.
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
    /// One line per group, if the type has scales.
    scales: &'a [Line],
    /// One line per group, if these weights have offsets.
    offsets: &'a [Line],
}

/// A group of a panel.
#[derive(Clone, Copy)]
pub(super) struct Group {
    pub(super) values: *const Line,
    /// 32 f16, null if the type has none.
    pub(super) scales: *const u16,
    /// 32 f16, null if these weights have none.
    pub(super) offsets: *const u16,
}

impl<'a> Panel<'a> {
    pub(super) fn groups(self) -> usize {
        self.values.len() / self.kind.lines()
    }

    /// Pointers to the data of a group.
    #[inline(always)]
    pub(super) fn group(self, group: usize) -> Group {
        let lines = self.kind.lines();
        let halves = |lines: &'a [Line]| {
            lines.get(group).map_or(std::ptr::null(), |line| line.0.as_ptr().cast::<u16>())
        };
        Group {
            values: self.values[group * lines..][..lines].as_ptr(),
            scales: halves(self.scales),
            offsets: halves(self.offsets),
        }
    }

    /// Part number `part` of `parts` of some groups' values; groups that do not exist are ignored.
    pub(super) fn share(self, groups: Range<usize>, part: usize, parts: usize) -> &'a [Line] {
        let (lines, all) = (self.kind.lines(), self.groups());
        let values = &self.values[groups.start.min(all) * lines..groups.end.min(all) * lines];
        values.chunks(values.len().div_ceil(parts).max(1)).nth(part).unwrap_or_default()
    }

    /// Rows of 32 floats of some terms, for weights stored as f32.
    pub(super) fn floats(self, term: usize, terms: usize) -> &'a [f32] {
        assert_eq!(self.kind, Kind::F32);
        &bytemuck::cast_slice(self.values)[term * PANEL..][..terms * PANEL]
    }
}

/// The values and scales of a matrix.
#[derive(Clone)]
pub(super) struct Store {
    kind: Kind,
    /// Groups per panel.
    groups: usize,
    values: Vec<Line>,
    scales: Vec<Line>,
    offsets: Vec<Line>,
}

impl Store {
    /// All bits are 0, including scales.
    pub(super) fn zeros(kind: Kind, k: usize, n: usize) -> Store {
        let (groups, panels) = (k.div_ceil(GROUP), n.div_ceil(PANEL));
        let values = bytemuck::zeroed_vec(panels * groups * kind.lines());
        let scaled = matches!(kind, Kind::Int8 | Kind::Int4);
        let scales = bytemuck::zeroed_vec(if scaled { panels * groups } else { 0 });
        Store { kind, groups, values, scales, offsets: Vec::new() }
    }

    pub(super) fn new(
        kind: Kind,
        k: usize,
        n: usize,
        value: &(dyn Fn(usize, usize) -> u32 + Sync),
        scale: &(dyn Fn(usize, usize) -> f16 + Sync),
    ) -> Store {
        let mut store = Store::zeros(kind, k, n);
        let groups = store.groups;
        store.values.par_chunks_mut(kind.lines()).enumerate().for_each(|(i, group)| {
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
        fill(&mut store.scales, groups, n, scale);
        store
    }

    /// Adds an offset to every group of a column.
    pub(super) fn add_offsets(&mut self, n: usize, offset: &(dyn Fn(usize, usize) -> f16 + Sync)) {
        self.offsets = vec![Line([0; 16]); self.scales.len()];
        fill(&mut self.offsets, self.groups, n, offset);
    }

    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    /// The first groups of the columns from `PANEL * index` on.
    pub(super) fn panel(&self, index: usize, groups: usize) -> Panel<'_> {
        let range = |all: &'_ [Line], lines: usize| -> Range<usize> {
            let first = if all.is_empty() { 0 } else { index * self.groups * lines };
            first..if all.is_empty() { 0 } else { first + groups * lines }
        };
        Panel {
            kind: self.kind,
            values: &self.values[range(&self.values, self.kind.lines())],
            scales: &self.scales[range(&self.scales, 1)],
            offsets: &self.offsets[range(&self.offsets, 1)],
        }
    }

    /// Replaces the bits of an f16 weight.
    pub(super) fn replace_f16(&mut self, term: usize, column: usize, value: f16) {
        assert_eq!(self.kind, Kind::F16);
        let at = (column / PANEL * self.groups * GROUP + term) * PANEL + column % PANEL;
        let halves: &mut [u16] = bytemuck::cast_slice_mut(&mut self.values);
        halves[at] = value.to_bits();
    }

    /// A dequantized weight.
    pub(super) fn weight(&self, term: usize, column: usize) -> f32 {
        let group = column / PANEL * self.groups + term / GROUP;
        let (term, column) = (term % GROUP, column % PANEL);
        let lines = self.kind.lines();
        let words: &[u32] = bytemuck::cast_slice(&self.values[group * lines..][..lines]);
        let half = |lines: &[Line]| {
            let halves: &[u16] = bytemuck::cast_slice(&lines[group].0);
            f16::from_bits(halves[column]).to_f32()
        };
        match self.kind {
            Kind::F32 => f32::from_bits(words[term * PANEL + column]),
            Kind::F16 => {
                let halves: &[u16] = bytemuck::cast_slice(words);
                f16::from_bits(halves[term * PANEL + column]).to_f32()
            }
            Kind::Int8 => {
                let byte = words[term / 4 * PANEL + column] >> (8 * (term % 4));
                f32::from(byte as i8) * half(&self.scales)
            }
            Kind::Int4 => {
                let nibble = words[term / 8 * PANEL + column] >> nibble_at(term) & 15;
                match self.offsets.is_empty() {
                    true => (nibble as f32 - 8.0) * half(&self.scales),
                    false => nibble as f32 * half(&self.scales) + half(&self.offsets),
                }
            }
        }
    }
}

/// Writes f16s to lines, one per column of a panel's group.
fn fill(lines: &mut [Line], groups: usize, n: usize, half: &(dyn Fn(usize, usize) -> f16 + Sync)) {
    lines.par_iter_mut().enumerate().for_each(|(i, line)| {
        let columns = (i / groups * PANEL..n).take(PANEL);
        let halves: &mut [u16] = bytemuck::cast_slice_mut(&mut line.0);
        for (to, column) in halves.iter_mut().zip(columns) {
            *to = half(i % groups, column).to_bits();
        }
    });
}
