//! Weights of a product in its kernel's layout: columns of several matrices in the order of use, split into slices that fit a binding.

use crate::gpu::{Gpu, Memory, TEXEL_BYTES};
use crate::kernels::BindingKind;
use crate::model::{GROUP, Matrix, Storage, Type};
use crate::workload::decoder::engine::EngineError;
use half::f16;
use rayon::prelude::*;

/// Columns of a tile, columns of a lane, and lanes of a tile: `kernels/decoder/panels.wgsl`.
pub(super) const TILE: usize = 64;
const LANE: usize = 8;
const LANES: usize = TILE / LANE;
/// Maximum binding of weights. Some devices allow more, but not all.
const MAX_BINDING: u64 = 128 << 20;

/// The matrix of a product's column, and its row there.
pub(super) type ColumnSource<'a> = &'a (dyn Fn(usize) -> (usize, usize) + Sync);

/// The weights of a product.
pub(super) struct Product {
    /// Storage type; mixed types become f32, which holds them all.
    pub(super) storage: Storage,
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

/// Texels of a chunk of four terms in a lane, and of a group's scales.
fn lane_texels(storage: Storage) -> (usize, usize) {
    (storage.kind.bits() as usize / 4, storage.halves())
}

impl Product {
    /// Packs the rows of matrices as columns and writes them to the device.
    pub(super) fn load(
        gpu: &Gpu,
        matrices: &[Matrix],
        source: ColumnSource,
    ) -> Result<Product, EngineError> {
        let first = matrices[0].storage();
        let same = matrices.iter().all(|matrix| matrix.storage() == first);
        let storage = if same { first } else { Storage::F32 };
        let terms = matrices[0].columns;
        let columns = matrices.iter().map(|matrix| matrix.rows).sum();
        let mut product = Product { storage, terms, columns, slices: Vec::new() };
        let (texels, scale_texels) = product.tile_texels();
        let tiles = columns.div_ceil(TILE);
        let largest = MAX_BINDING.min(gpu.largest_texture()) / TEXEL_BYTES;
        let workgroups = gpu.details().limits.workgroups;
        let max_tiles = (largest as usize / texels).min(workgroups as usize);
        if max_tiles == 0 {
            return Err(EngineError::Unsupported(format!("rows of {terms} weights are too long")));
        }
        let per_slice = tiles.div_ceil(tiles.div_ceil(max_tiles));
        for first in (0..tiles).step_by(per_slice) {
            let count = per_slice.min(tiles - first);
            let allocate =
                |texels: usize| gpu.memory(BindingKind::Texture, (texels * count).max(1) as u64);
            let slice = Slice {
                values: allocate(texels)?,
                scales: allocate(scale_texels)?,
                first: first * TILE,
                tiles: count,
            };
            product.fill(gpu, matrices, source, &slice)?;
            product.slices.push(slice);
        }
        Ok(product)
    }

    /// Texels of a tile, and of its scales.
    fn tile_texels(&self) -> (usize, usize) {
        let (chunk, scales) = lane_texels(self.storage);
        (self.terms / 4 * chunk * LANES, self.terms / GROUP * scales * LANES)
    }

    fn fill(
        &self,
        gpu: &Gpu,
        matrices: &[Matrix],
        source: ColumnSource,
        slice: &Slice,
    ) -> Result<(), EngineError> {
        /// Texels that are packed and written at once.
        const CHUNK: usize = (4 << 20) / TEXEL_BYTES as usize;
        let (texels, scale_texels) = self.tile_texels();
        let at_once = (CHUNK / texels).max(1);
        for from in (0..slice.tiles).step_by(at_once) {
            let tiles = from..slice.tiles.min(from + at_once);
            let pack = |tile| self.pack(matrices, source, slice.first + tile * TILE);
            let packed: Vec<_> = tiles.into_par_iter().map(pack).collect();
            let (values, scales): (Vec<_>, Vec<_>) = packed.into_iter().unzip();
            gpu.write_memory(&slice.values, (from * texels) as u64, &values.concat())?;
            if scale_texels > 0 {
                gpu.write_memory(&slice.scales, (from * scale_texels) as u64, &scales.concat())?;
            }
            gpu.flush()?;
        }
        Ok(())
    }

    /// Packs the weights and scales of the tile whose first column is given. Padding columns are 0, and so are their scales.
    fn pack(
        &self,
        matrices: &[Matrix],
        source: ColumnSource,
        first: usize,
    ) -> (Vec<u32>, Vec<u32>) {
        let (texels, scale_texels) = lane_texels(self.storage);
        let (all, all_scales) = self.tile_texels();
        let (mut values, mut scales) = (vec![0u32; 4 * all], vec![0u32; 4 * all_scales]);
        for i in 0..TILE.min(self.columns - first) {
            let (lane, slot) = (i / LANE, i % LANE);
            let (matrix, row) = source(first + i);
            let matrix = &matrices[matrix];
            for term in 0..self.terms {
                let at = row * self.terms + term;
                // Position of a weight in a chunk: texel, word and bit.
                let (stored, t, word, bit) = match self.storage.kind {
                    Type::Int4 => (matrix.stored(at), 0, term % 4, 4 * slot),
                    // Unsigned: the value + 128.
                    Type::Int8 => (
                        matrix.stored(at) ^ 128,
                        term % 4 / 2,
                        term % 2 * 2 + slot / 4,
                        slot % 4 * 8,
                    ),
                    Type::F16 => (matrix.stored(at), term % 4, slot / 2, slot % 2 * 16),
                    Type::F32 => {
                        (matrix.weight(at).to_bits(), term % 4 * 2 + slot / 4, slot % 4, 0)
                    }
                };
                let texel = (term / 4 * texels + t) * LANES + lane;
                values[4 * texel + word] |= stored << bit;
            }
            for group in (0..self.terms / GROUP).filter(|_| scale_texels > 0) {
                let texel = group * scale_texels * LANES + lane;
                let mut put = |texel: usize, half: f16| {
                    scales[4 * texel + slot / 2] |= u32::from(half.to_bits()) << (slot % 2 * 16);
                };
                let (scale, offset) = matrix.scale(row * (self.terms / GROUP) + group);
                put(texel, scale);
                if let Some(offset) = offset {
                    put(texel + LANES, offset);
                }
            }
        }
        (values, scales)
    }
}
