//! A panel: 32 columns of weights in groups of 32 terms, so that every kernel reads one stream. A column has the same lane in every
//! group; padding is 0.

use super::lanes::Lanes;
use crate::model::{GROUP, Type};
use std::ops::Range;

/// Columns of a panel.
pub(super) const PANEL: usize = 32;

// Words hold several weights and are also read as bytes and halves.
const _: () = assert!(cfg!(target_endian = "little"));

/// A cache line of 64 bytes, aligned so that no vector crosses a line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u32; 16]);

// SAFETY: plain words without padding; every bit pattern is valid.
unsafe impl bytemuck::Zeroable for Line {}
// SAFETY: as above.
unsafe impl bytemuck::Pod for Line {}

/// Cache lines of a panel's group of weights with so many bits.
pub(super) const fn lines(bits: u32) -> usize {
    PANEL * GROUP * bits as usize / 512
}

/// Bit offset of a term's nibble in its word. The low nibbles of its bytes are four consecutive terms, and so are the high ones, because
/// integer dot products take four bytes at a time.
#[inline(always)]
pub(super) fn nibble_at(term: usize) -> u32 {
    (8 * (term % 4) + 4 * (term / 4 % 2)) as u32
}

/// The weights of a term in `V::WIDTH` columns, before scaling.
///
/// # Safety
/// `group` must point to a whole group of weights of BITS bits; the CPU must support V's instructions.
#[inline(always)]
pub(super) unsafe fn term<const BITS: u32, V: Lanes>(
    group: *const Line,
    term: usize,
    column: usize,
) -> V {
    let per_word = (32 / BITS) as usize;
    // SAFETY: inside the group; the caller guarantees the instructions.
    unsafe {
        let words = group.cast::<u32>().add(term / per_word * PANEL + column);
        match BITS {
            32 => V::load(words.cast()),
            16 => V::from_f16(group.cast::<u16>().add(term * PANEL + column)),
            8 => V::byte(V::load_words(words), 8 * (term % 4) as u32),
            _ => V::nibble(V::load_words(words), nibble_at(term)),
        }
    }
}

/// All terms of up to 32 columns.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    pub(super) kind: Type,
    pub(super) values: &'a [Line],
    /// One line per group, if the type has scales.
    pub(super) scales: &'a [Line],
    /// One line per group, if these weights have offsets.
    pub(super) offsets: &'a [Line],
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
        self.values.len() / lines(self.kind.bits())
    }

    /// Pointers to the data of a group.
    #[inline(always)]
    pub(super) fn group(self, group: usize) -> Group {
        let lines = lines(self.kind.bits());
        let halves = |all: &'a [Line]| {
            all.get(group).map_or(std::ptr::null(), |line| line.0.as_ptr().cast::<u16>())
        };
        Group {
            values: self.values[group * lines..][..lines].as_ptr(),
            scales: halves(self.scales),
            offsets: halves(self.offsets),
        }
    }

    /// Part number `part` of `parts` of some groups' values; groups that do not exist are ignored.
    pub(super) fn share(self, groups: Range<usize>, part: usize, parts: usize) -> &'a [Line] {
        let (lines, all) = (lines(self.kind.bits()), self.groups());
        let values = &self.values[groups.start.min(all) * lines..groups.end.min(all) * lines];
        values.chunks(values.len().div_ceil(parts).max(1)).nth(part).unwrap_or_default()
    }

    /// Rows of 32 floats of some terms, for weights stored as f32.
    pub(super) fn floats(self, term: usize, terms: usize) -> &'a [f32] {
        assert_eq!(self.kind, Type::F32);
        &bytemuck::cast_slice(self.values)[term * PANEL..][..terms * PANEL]
    }
}
