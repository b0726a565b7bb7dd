//! Weights in the kernels' layout: panels, one after the other.

use super::kernels::{self, Kernels};
use super::panel::{Line, PANEL, Panel, lines, nibble_at};
use crate::model::{GROUP, Type};
use half::f16;
use rayon::prelude::*;
use std::ops::Range;

/// K×N weights in the kernels' layout.
#[derive(Clone)]
pub struct Weights {
    pub(super) k: usize,
    pub(super) n: usize,
    pub(super) kind: Type,
    /// The instruction set that multiplies: the best that this CPU supports, or another of [`available`](super::available).
    pub kernels: &'static Kernels,
    /// Groups per panel.
    groups: usize,
    values: Vec<Line>,
    scales: Vec<Line>,
    offsets: Vec<Line>,
}

impl Weights {
    /// Packs weights. `value` gives the bits of the weight of a term and a column: two's complement for int8, value + 8 for int4. `scale`
    /// gives the scale of a group of 32 terms and a column; it is called for integers only.
    pub fn pack(
        kind: Type,
        k: usize,
        n: usize,
        value: &(dyn Fn(usize, usize) -> u32 + Sync),
        scale: &(dyn Fn(usize, usize) -> f16 + Sync),
    ) -> Weights {
        let mut weights = Weights::zeros(kind, k, n);
        let groups = weights.groups;
        let (zero, mask) = (if kind == Type::Int4 { 8 } else { 0 }, u32::MAX >> (32 - kind.bits()));
        weights.values.par_chunks_mut(lines(kind.bits())).enumerate().for_each(|(i, group)| {
            let (panel, first) = (i / groups, i % groups * GROUP);
            let group: &mut [u32] = bytemuck::cast_slice_mut(group);
            for term in 0..GROUP {
                for column in 0..PANEL {
                    let (k_at, n_at) = (first + term, panel * PANEL + column);
                    let raw = if k_at < k && n_at < n { value(k_at, n_at) } else { zero };
                    let (word, shift) = place(kind, term, column);
                    group[word] |= (raw & mask) << shift;
                }
            }
        });
        fill(&mut weights.scales, groups, n, scale);
        weights
    }

    /// Weights whose bits are all 0, including scales; those of f16 can be replaced one by one.
    pub fn zeros(kind: Type, k: usize, n: usize) -> Weights {
        let (groups, panels) = (k.div_ceil(GROUP), n.div_ceil(PANEL));
        let scales = if kind.scaled() { panels * groups } else { 0 };
        Weights {
            k,
            n,
            kind,
            kernels: kernels::best(),
            groups,
            values: bytemuck::zeroed_vec(panels * groups * lines(kind.bits())),
            scales: bytemuck::zeroed_vec(scales),
            offsets: Vec::new(),
        }
    }

    /// Adds an offset per group of a column to 4-bit weights: w = scale · (value + 8) + offset.
    ///
    /// # Panics
    /// If weights do not have 4 bits.
    pub fn with_offsets(mut self, offset: &(dyn Fn(usize, usize) -> f16 + Sync)) -> Weights {
        assert_eq!(self.kind, Type::Int4, "only int4 has offsets");
        self.offsets = bytemuck::zeroed_vec(self.scales.len());
        fill(&mut self.offsets, self.groups, self.n, offset);
        self
    }

    /// Replaces an f16 weight.
    ///
    /// # Panics
    /// If weights are not f16, or the position does not exist.
    pub fn replace(&mut self, term: usize, column: usize, value: f16) {
        assert_eq!(self.kind, Type::F16);
        let at = (column / PANEL * self.groups * GROUP + term) * PANEL + column % PANEL;
        let halves: &mut [u16] = bytemuck::cast_slice_mut(&mut self.values);
        halves[at] = value.to_bits();
    }

    /// Limits later products to the first `k` terms.
    ///
    /// # Panics
    /// If there are fewer terms.
    pub fn limit_terms(&mut self, k: usize) {
        assert!(k.div_ceil(GROUP) <= self.groups, "there are not {k} terms");
        self.k = k;
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.n
    }

    /// The weights of a column.
    pub fn column(&self, n: usize) -> impl Iterator<Item = f32> {
        (0..self.k).map(move |k| self.weight(k, n))
    }

    /// A dequantized weight.
    fn weight(&self, term: usize, column: usize) -> f32 {
        let group = column / PANEL * self.groups + term / GROUP;
        let (term, column) = (term % GROUP, column % PANEL);
        let lines = lines(self.kind.bits());
        let words: &[u32] = bytemuck::cast_slice(&self.values[group * lines..][..lines]);
        let half = |lines: &[Line]| {
            let halves: &[u16] = bytemuck::cast_slice(&lines[group].0);
            f16::from_bits(halves[column]).to_f32()
        };
        let (word, shift) = place(self.kind, term, column);
        let raw = words[word] >> shift;
        match self.kind {
            Type::Int4 if !self.offsets.is_empty() => {
                (raw & 15) as f32 * half(&self.scales) + half(&self.offsets)
            }
            Type::Int4 => Type::Int4.decode(raw & 15, || half(&self.scales)),
            kind => kind.decode(raw, || half(&self.scales)),
        }
    }

    /// The panel of the columns from `first` on, with the groups of K.
    pub(super) fn panel(&self, first: usize) -> Panel<'_> {
        let index = first / PANEL;
        let range = |all: &[Line], lines: usize| -> Range<usize> {
            let first = if all.is_empty() { 0 } else { index * self.groups * lines };
            first..if all.is_empty() { 0 } else { first + self.k.div_ceil(GROUP) * lines }
        };
        Panel {
            kind: self.kind,
            values: &self.values[range(&self.values, lines(self.kind.bits()))],
            scales: &self.scales[range(&self.scales, 1)],
            offsets: &self.offsets[range(&self.offsets, 1)],
        }
    }
}

/// The word of a panel's group that has a weight, and the weight's first bit.
fn place(kind: Type, term: usize, column: usize) -> (usize, u32) {
    match kind {
        Type::F32 => (term * PANEL + column, 0),
        Type::F16 => ((term * PANEL + column) / 2, 16 * (column as u32 % 2)),
        Type::Int8 => (term / 4 * PANEL + column, 8 * (term as u32 % 4)),
        Type::Int4 => (term / 8 * PANEL + column, nibble_at(term)),
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
