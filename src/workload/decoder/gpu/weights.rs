//! Weights of a product in its kernel's layout: columns of several matrices in the order of use, split into slices that fit a binding.

use crate::gpu::{Gpu, Memory, TEXEL_BYTES};
use crate::kernels::BindingKind;
use crate::model::{GROUP, Matrix, Values};
use crate::workload::decoder::EngineError;
use rayon::prelude::*;

/// Columns of a tile, columns of a lane, and lanes of a tile: `kernels/decoder/panels.wgsl`.
pub(super) const TILE: usize = 64;
const LANE: usize = 8;
const LANES: usize = TILE / LANE;
/// Maximum binding of weights. Some devices allow more, but not all.
const MAX_BINDING: u64 = 128 << 20;

/// Storage type of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// Bits of a weight.
    pub(super) bits: u32,
    /// Whether scales come with offsets.
    pub(super) offsets: bool,
}

impl Kind {
    /// The type of one matrix, or of several; mixed types become f32, which holds them all.
    pub(super) fn of(matrices: &[Matrix]) -> Kind {
        let kind_of = |matrix: &Matrix| match &matrix.values {
            Values::F32(_) => Kind { bits: 32, offsets: false },
            Values::F16(_) => Kind { bits: 16, offsets: false },
            Values::Int8 { .. } => Kind { bits: 8, offsets: false },
            Values::Int4 { offsets, .. } => Kind { bits: 4, offsets: offsets.is_some() },
        };
        let first = kind_of(&matrices[0]);
        let same_kind = matrices.iter().all(|matrix| kind_of(matrix) == first);
        if same_kind { first } else { Kind { bits: 32, offsets: false } }
    }

    /// Texels of a chunk of four terms in a lane.
    fn texels(self) -> usize {
        self.bits as usize / 4
    }

    /// Texels of a group's scales in a lane.
    fn scale_texels(self) -> usize {
        match self {
            Kind { bits: 16.., .. } => 0,
            Kind { offsets, .. } => 1 + usize::from(offsets),
        }
    }

    /// Bytes of a tile of `terms` terms, and of its scales.
    fn tile_bytes(self, terms: usize) -> (u64, u64) {
        let texel = TEXEL_BYTES * LANES as u64;
        let values = texel * (terms / 4 * self.texels()) as u64;
        (values, texel * (terms / GROUP * self.scale_texels()) as u64)
    }
}

/// Columns from several matrices.
pub(super) struct Columns<'a> {
    pub(super) matrices: Vec<Matrix>,
    /// Number of columns.
    pub(super) count: usize,
    /// The matrix of a column, and its row there.
    pub(super) place: Box<dyn Fn(usize) -> (usize, usize) + Sync + 'a>,
}

/// The weights of a product.
pub(super) struct Product {
    pub(super) kind: Kind,
    pub(super) terms: usize,
    pub(super) columns: usize,
    pub(super) slices: Vec<Slice>,
}

/// Consecutive tiles of a product in one binding.
pub(super) struct Slice {
    pub(super) values: Memory,
    pub(super) scales: Memory,
    /// First column.
    pub(super) first: usize,
    pub(super) tiles: usize,
}

impl Product {
    /// Packs columns and writes them to the device.
    pub(super) fn load(gpu: &Gpu, columns: &Columns) -> Result<Product, EngineError> {
        let kind = Kind::of(&columns.matrices);
        let terms = columns.matrices[0].columns;
        let (bytes, scale_bytes) = kind.tile_bytes(terms);
        let tiles = columns.count.div_ceil(TILE);
        let largest = MAX_BINDING.min(gpu.largest_texture());
        let most = (largest / bytes).min(gpu.details().limits.workgroups.into()) as usize;
        if most == 0 {
            return Err(EngineError::Unsupported(format!("rows of {terms} weights are too long")));
        }
        let mut slices = Vec::new();
        for first in (0..tiles).step_by(tiles.div_ceil(tiles.div_ceil(most))) {
            let count = tiles.div_ceil(tiles.div_ceil(most)).min(tiles - first);
            let allocate = |bytes: u64| {
                let texels = (bytes * count as u64 / TEXEL_BYTES).max(1);
                gpu.memory(BindingKind::Texture, texels)
            };
            let slice = Slice {
                values: allocate(bytes)?,
                scales: allocate(scale_bytes)?,
                first: first * TILE,
                tiles: count,
            };
            slice.fill(gpu, columns, kind, terms)?;
            slices.push(slice);
        }
        Ok(Product { kind, terms, columns: columns.count, slices })
    }
}

impl Slice {
    fn fill(
        &self,
        gpu: &Gpu,
        columns: &Columns,
        kind: Kind,
        terms: usize,
    ) -> Result<(), EngineError> {
        /// Bytes that are packed and written at once.
        const CHUNK: u64 = 4 << 20;
        let (bytes, scale_bytes) = kind.tile_bytes(terms);
        let at_once = (CHUNK / bytes).max(1) as usize;
        for from in (0..self.tiles).step_by(at_once) {
            let tiles = from..self.tiles.min(from + at_once);
            let packed: Vec<(Vec<u32>, Vec<u32>)> = tiles
                .into_par_iter()
                .map(|tile| pack(columns, kind, terms, self.first + tile * TILE))
                .collect();
            let (texels, scale_texels) = (bytes / TEXEL_BYTES, scale_bytes / TEXEL_BYTES);
            let values: Vec<u32> = packed.iter().flat_map(|(values, _)| values).copied().collect();
            let scales: Vec<u32> = packed.iter().flat_map(|(_, scales)| scales).copied().collect();
            gpu.write_memory(&self.values, from as u64 * texels, &values)?;
            if !scales.is_empty() {
                gpu.write_memory(&self.scales, from as u64 * scale_texels, &scales)?;
            }
            gpu.flush()?;
        }
        Ok(())
    }
}

/// Packs a tile's weights and scales.
fn pack(columns: &Columns, kind: Kind, terms: usize, first: usize) -> (Vec<u32>, Vec<u32>) {
    let texels = kind.texels();
    let mut values = vec![0u32; terms / 4 * texels * LANES * 4];
    let mut scales = vec![0u32; terms / GROUP * kind.scale_texels() * LANES * 4];
    for i in 0..TILE {
        let column = first + i;
        let (lane, slot) = (i / LANE, i % LANE);
        let line = (column < columns.count).then(|| {
            let (matrix, row) = (columns.place)(column);
            Line { matrix: &columns.matrices[matrix], row }
        });
        for term in 0..terms {
            let raw = match &line {
                Some(line) => line.raw(kind, term),
                // Padding: the scale of padded integers is 0, so their value does not matter.
                None => 0,
            };
            // Position of a weight in a chunk: texel, word and bit.
            let (t, word, bit) = match kind.bits {
                4 => (0, term % 4, 4 * slot),
                8 => (term % 4 / 2, term % 2 * 2 + slot / 4, slot % 4 * 8),
                16 => (term % 4, slot / 2, slot % 2 * 16),
                _ => (term % 4 * 2 + slot / 4, slot % 4, 0),
            };
            let texel = (term / 4 * texels + t) * LANES + lane;
            values[4 * texel + word] |= raw << bit;
        }
        let Some(line) = line.filter(|_| kind.bits <= 8) else { continue };
        for group in 0..terms / GROUP {
            let texel = group * kind.scale_texels() * LANES + lane;
            let mut put = |texel: usize, half: half::f16| {
                scales[4 * texel + slot / 2] |= u32::from(half.to_bits()) << (slot % 2 * 16);
            };
            let (scale, offset) = line.scale(group);
            put(texel, scale);
            if let Some(offset) = offset {
                put(texel + LANES, offset);
            }
        }
    }
    (values, scales)
}

/// A row of a matrix, which is a column of a product.
struct Line<'a> {
    matrix: &'a Matrix,
    row: usize,
}

impl Line<'_> {
    /// Stored bits of a weight.
    fn raw(&self, kind: Kind, term: usize) -> u32 {
        let at = self.row * self.matrix.columns + term;
        match (&self.matrix.values, kind.bits) {
            (Values::F16(values), 16) => values[at].to_bits().into(),
            (Values::Int8 { values, .. }, 8) => (i32::from(values[at]) + 128) as u32,
            (Values::Int4 { values, .. }, 4) => u32::from(values[at / 2] >> (at % 2 * 4) & 15),
            _ => weight(self.matrix, at).to_bits(),
        }
    }

    fn scale(&self, group: usize) -> (half::f16, Option<half::f16>) {
        let at = self.row * (self.matrix.columns / GROUP) + group;
        match &self.matrix.values {
            Values::Int8 { scales, .. } => (scales[at], None),
            Values::Int4 { scales, offsets, .. } => {
                (scales[at], offsets.as_ref().map(|offsets| offsets[at]))
            }
            _ => (half::f16::ONE, None),
        }
    }
}

/// A dequantized weight.
fn weight(matrix: &Matrix, at: usize) -> f32 {
    let group = at / GROUP;
    match &matrix.values {
        Values::F32(values) => values[at],
        Values::F16(values) => values[at].to_f32(),
        Values::Int8 { values, scales } => scales[group].to_f32() * f32::from(values[at]),
        Values::Int4 { values, scales, offsets } => {
            let nibble = f32::from(values[at / 2] >> (at % 2 * 4) & 15);
            match offsets {
                Some(offsets) => scales[group].to_f32() * nibble + offsets[group].to_f32(),
                None => scales[group].to_f32() * (nibble - 8.0),
            }
        }
    }
}
