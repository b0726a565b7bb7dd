//! Matrices as kernels take them: padded to whole tiles, split into blocks that fit a binding, and packed.

use super::data::Matrix;
use super::layout::{Layout, Raw};
use super::shape::Shape;
use crate::gpu::{Gpu, GpuError, Memory};
use crate::kernels::{BindingKind, Kernel};
use crate::model::GROUP;
use crate::units::Bytes;

/// Bytes of guard words behind each block of C.
pub(super) const GUARD: u64 = 256;

/// How a shape is padded and split into blocks for a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocking {
    /// Terms, padded.
    pub(super) k: usize,
    /// Rows and columns of a block, multiples of the tile.
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Blocking {
    /// # Errors
    /// If even one tile exceeds a limit; the text names it.
    pub(super) fn new(gpu: &Gpu, kernel: &Kernel, shape: Shape) -> Result<Blocking, String> {
        let (largest, max_groups) = (gpu.largest_binding(), gpu.details().limits.workgroups);
        let number = |name| kernel.number(name) as usize;
        let splits = kernel.constant("SPLIT_K").unwrap_or(1) as usize;
        let k = shape.k.next_multiple_of(number("TILE_K") * splits);
        // Splits a side evenly into blocks; lines of `bytes` each must fit a binding and the grid.
        let block_side = |what: &str, side: usize, tile: usize, bytes: usize| {
            let max_tiles =
                (largest.saturating_sub(GUARD) as usize / bytes / tile).min(max_groups as usize);
            if max_tiles == 0 {
                let needed = Bytes((tile * bytes) as u64);
                return Err(format!(
                    "{tile} {what} need {needed}, above this adapter's limit of {} for a binding",
                    Bytes(largest)
                ));
            }
            let tiles = side.div_ceil(tile);
            Ok(tile * tiles.div_ceil(tiles.div_ceil(max_tiles)))
        };
        let bytes = |bits: u32| (k * bits as usize).div_ceil(8);
        let columns =
            block_side("columns of B", shape.n, number("TILE_N"), bytes(kernel.number("B_BITS")))?;
        let row = bytes(kernel.number("A_BITS")).max(4 * columns * splits);
        let rows = block_side("rows of A and C", shape.m, number("TILE_M"), row)?;
        Ok(Blocking { k, rows, columns })
    }
}

/// A matrix with its scales, if the kernel reads any.
pub(super) struct Scaled {
    pub(super) values: Memory,
    pub(super) scales: Option<Memory>,
}

impl Scaled {
    pub(super) fn copy_to(&self, gpu: &Gpu, copy: &Scaled) -> Result<(), GpuError> {
        gpu.copy_memory(&self.values, &copy.values)?;
        self.scales.iter().zip(&copy.scales).try_for_each(|(from, to)| gpu.copy_memory(from, to))
    }
}

/// Layouts of a block of a matrix and of its scales, and what they are bound as.
pub(super) struct Layouts {
    pub(super) values: Layout,
    kind: BindingKind,
    /// `None` if the kernel has no binding for them; a placeholder if the type has none.
    scales: Option<(Layout, BindingKind)>,
}

impl Layouts {
    pub(super) fn of_a(kernel: &Kernel, a: &Matrix, cut: Blocking) -> Layouts {
        let values = Layout::of(kernel, "A", kernel.number("A_BITS"), cut.rows, cut.k);
        let scales = Layout::new(16, 1, 0, cut.rows, cut.k.div_ceil(GROUP));
        Layouts::new(kernel, a, (1, values), (5, scales))
    }

    pub(super) fn of_b(kernel: &Kernel, b: &Matrix, cut: Blocking) -> Layouts {
        let values = Layout::of(kernel, "B", b.kind.bits(), cut.columns, cut.k);
        let number = |name| kernel.constant(name).unwrap_or(1) as usize;
        let (terms, panel) = (number("S_TERMS"), number("S_PANEL"));
        let scales = Layout::new(16, terms, panel, cut.columns, cut.k.div_ceil(GROUP));
        Layouts::new(kernel, b, (2, values), (4, scales))
    }

    fn new(
        kernel: &Kernel,
        matrix: &Matrix,
        (binding, values): (usize, Layout),
        (scale_binding, scales): (usize, Layout),
    ) -> Layouts {
        let scales = if matrix.kind.scaled() { scales } else { Layout::new(16, 1, 1, 1, 1) };
        let scale_binding = kernel.bindings.get(scale_binding);
        Layouts {
            values,
            kind: kernel.bindings[binding].kind,
            scales: scale_binding.map(|binding| (scales, binding.kind)),
        }
    }

    /// Memory for a block.
    pub(super) fn allocate(&self, gpu: &Gpu) -> Result<Scaled, GpuError> {
        let allocate = |layout: &Layout, kind| gpu.memory(kind, layout.texels() as u64);
        let scales =
            self.scales.as_ref().map(|(layout, kind)| allocate(layout, *kind)).transpose()?;
        Ok(Scaled { values: allocate(&self.values, self.kind)?, scales })
    }

    /// Writes the lines of a matrix from `first` on.
    pub(super) fn write(
        &self,
        gpu: &Gpu,
        matrix: &Matrix,
        first: usize,
        to: &Scaled,
    ) -> Result<(), GpuError> {
        write(gpu, &to.values, &self.values, &padded(matrix, first))?;
        let groups = matrix.terms.div_ceil(GROUP);
        let scale = |line: usize, group: usize| {
            let inside = first + line < matrix.lines && group < groups;
            if inside { matrix.scale(first + line, group).to_bits().into() } else { 0 }
        };
        match (&to.scales, &self.scales) {
            (Some(memory), Some((layout, _))) => write(gpu, memory, layout, &scale),
            _ => Ok(()),
        }
    }
}

/// Stored bits of a matrix from line `first` on, of zeros outside it.
pub fn padded(matrix: &Matrix, first: usize) -> impl Fn(usize, usize) -> u32 + Sync {
    let (matrix, zero) = (*matrix, matrix.kind.encode(0.0));
    move |line, term| {
        let inside = first + line < matrix.lines && term < matrix.terms;
        if inside { matrix.raw(first + line, term) } else { zero }
    }
}

/// Writes a matrix in a kernel's layout.
fn write(gpu: &Gpu, memory: &Memory, layout: &Layout, raw: Raw) -> Result<(), GpuError> {
    /// Texels that are packed and written at once: 4 MiB.
    const CHUNK: usize = 1 << 18;
    /// Chunks that take host memory at a time: 64 MiB.
    const CHUNKS_PER_FLUSH: usize = 16;
    for (i, first) in (0..layout.texels()).step_by(CHUNK).enumerate() {
        let texels = CHUNK.min(layout.texels() - first);
        gpu.write_memory(memory, first as u64, &layout.pack(first, texels, raw))?;
        if (i + 1) % CHUNKS_PER_FLUSH == 0 {
            gpu.flush()?;
        }
    }
    Ok(())
}
