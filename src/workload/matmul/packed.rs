//! Matrices as kernels take them: padded to whole tiles, split into blocks that fit a binding, and packed.

use super::data::Operands;
use super::layout::Layout;
use super::{GROUP, Shape, Type};
use crate::gpu::{Gpu, GpuError, Memory};
use crate::kernels::Kernel;
use crate::units::Bytes;

/// Bytes of guard words behind each block of C.
pub(super) const GUARD: u64 = 256;

/// How a shape is padded and split into blocks for a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// Terms, padded.
    pub(super) k: usize,
    /// Rows and columns of a block, multiples of the tile.
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Cut {
    /// # Errors
    /// If even one tile exceeds a limit; the text names it.
    pub(super) fn new(gpu: &Gpu, kernel: &Kernel, shape: Shape) -> Result<Cut, String> {
        let limits = gpu.details().limits;
        let largest = limits.storage_binding.0.min(limits.buffer.0).min(gpu.largest_texture());
        let number = |name| kernel.number(name) as usize;
        let splits = kernel.constant("SPLIT_K").unwrap_or(1) as usize;
        let k = shape.k.next_multiple_of(number("TILE_K") * splits);
        // Splits a side evenly into blocks; lines of `bytes` each must fit a binding and the grid.
        let cut = |what: &str, side: usize, tile: usize, bytes: usize| {
            let most = (largest.saturating_sub(GUARD) as usize / bytes / tile)
                .min(limits.workgroups as usize);
            if most == 0 {
                let needed = Bytes((tile * bytes) as u64);
                return Err(format!(
                    "{tile} {what} need {needed}, above this adapter's limit of {} for a binding",
                    Bytes(largest)
                ));
            }
            let tiles = side.div_ceil(tile);
            Ok(tile * tiles.div_ceil(tiles.div_ceil(most)))
        };
        let bytes = |bits: u32| (k * bits as usize).div_ceil(8);
        let columns =
            cut("columns of B", shape.n, number("TILE_N"), bytes(kernel.number("B_BITS")))?;
        let row = bytes(kernel.number("A_BITS")).max(4 * columns * splits);
        Ok(Cut { k, rows: cut("rows of A and C", shape.m, number("TILE_M"), row)?, columns })
    }
}

/// A matrix with its scales, if the kernel reads any.
pub(super) struct Scaled {
    pub(super) values: Memory,
    pub(super) scales: Option<Memory>,
}

impl Scaled {
    /// Memory for a copy.
    pub(super) fn room_like(&self, gpu: &Gpu) -> Result<Scaled, GpuError> {
        let scales = self.scales.as_ref().map(|scales| gpu.memory_like(scales)).transpose()?;
        Ok(Scaled { values: gpu.memory_like(&self.values)?, scales })
    }

    pub(super) fn copy_to(&self, gpu: &Gpu, copy: &Scaled) -> Result<(), GpuError> {
        gpu.copy_memory(&self.values, &copy.values)?;
        self.scales.iter().zip(&copy.scales).try_for_each(|(from, to)| gpu.copy_memory(from, to))
    }
}

/// Layouts of a matrix and its scales, and their bindings.
struct Layouts {
    values: (usize, Layout),
    /// `None` if the kernel has no binding for them; a placeholder if the type has none.
    scales: Option<(usize, Layout)>,
}

impl Layouts {
    fn new(kernel: &Kernel, kind: Type, values: (usize, Layout), scales: (usize, Layout)) -> Self {
        let (binding, layout) = scales;
        let layout = if kind.scaled() { layout } else { Layout::new(16, 1, 1, 1, 1) };
        let has_binding = binding < kernel.bindings.len();
        Layouts { values, scales: has_binding.then_some((binding, layout)) }
    }

    fn room(&self, gpu: &Gpu, kernel: &Kernel) -> Result<Scaled, GpuError> {
        let room = |(binding, layout): &(usize, Layout)| {
            gpu.memory(kernel.bindings[*binding].kind, layout.texels() as u64)
        };
        let scales = self.scales.as_ref().map(room).transpose()?;
        Ok(Scaled { values: room(&self.values)?, scales })
    }

    fn write(
        &self,
        gpu: &Gpu,
        to: &Scaled,
        raw: &(dyn Fn(usize, usize) -> u32 + Sync),
        scale: &(dyn Fn(usize, usize) -> u32 + Sync),
    ) -> Result<(), GpuError> {
        write(gpu, &to.values, &self.values.1, raw)?;
        match (&to.scales, &self.scales) {
            (Some(memory), Some((_, layout))) => write(gpu, memory, layout, scale),
            _ => Ok(()),
        }
    }
}

/// The layout of a block of A.
pub(super) fn layout_of_a(kernel: &Kernel, cut: Cut) -> Layout {
    Layout::of(kernel, "A", kernel.number("A_BITS"), cut.rows, cut.k)
}

fn layouts_of_a(kernel: &Kernel, operands: &Operands, cut: Cut) -> Layouts {
    let scales = Layout::new(16, 1, 0, cut.rows, cut.k.div_ceil(GROUP));
    Layouts::new(kernel, operands.a_type(), (1, layout_of_a(kernel, cut)), (5, scales))
}

fn layouts_of_b(kernel: &Kernel, operands: &Operands, cut: Cut) -> Layouts {
    let kind = operands.b_type();
    let number = |name| kernel.constant(name).unwrap_or(1) as usize;
    let groups = cut.k.div_ceil(GROUP);
    let scales = Layout::new(16, number("S_TERMS"), number("S_PANEL"), cut.columns, groups);
    let values = Layout::of(kernel, "B", kind.bits(), cut.columns, cut.k);
    Layouts::new(kernel, kind, (2, values), (4, scales))
}

/// Memory for a block of A.
pub(super) fn room_for_a(
    gpu: &Gpu,
    kernel: &Kernel,
    operands: &Operands,
    cut: Cut,
) -> Result<Scaled, GpuError> {
    layouts_of_a(kernel, operands, cut).room(gpu, kernel)
}

/// Memory for a block of B.
pub(super) fn room_for_b(
    gpu: &Gpu,
    kernel: &Kernel,
    operands: &Operands,
    cut: Cut,
) -> Result<Scaled, GpuError> {
    layouts_of_b(kernel, operands, cut).room(gpu, kernel)
}

/// Writes the rows of A from `first` on.
pub(super) fn write_a(
    gpu: &Gpu,
    kernel: &Kernel,
    operands: &Operands,
    cut: Cut,
    first: usize,
    to: &Scaled,
) -> Result<(), GpuError> {
    let Shape { m, k, .. } = operands.shape;
    let groups = k.div_ceil(GROUP);
    let scale = |line: usize, group: usize| {
        let inside = first + line < m && group < groups;
        if inside { operands.a_scale(first + line, group).to_bits().into() } else { 0 }
    };
    layouts_of_a(kernel, operands, cut).write(gpu, to, &raw_of_a(operands, first), &scale)
}

/// Stored bits of A from row `first` on, zero outside A.
pub(super) fn raw_of_a(operands: &Operands, first: usize) -> impl Fn(usize, usize) -> u32 + Sync {
    let (operands, Shape { m, k, .. }) = (*operands, operands.shape);
    move |line, term| {
        if first + line < m && term < k { operands.a_raw(first + line, term) } else { 0 }
    }
}

/// Writes the columns of B from `first` on.
pub(super) fn write_b(
    gpu: &Gpu,
    kernel: &Kernel,
    operands: &Operands,
    cut: Cut,
    first: usize,
    to: &Scaled,
) -> Result<(), GpuError> {
    let (kind, Shape { n, k, .. }) = (operands.b_type(), operands.shape);
    let zero = kind.encode(0.0);
    let raw = |line: usize, term: usize| {
        if first + line < n && term < k { operands.b_raw(term, first + line) } else { zero }
    };
    let scale = |line: usize, group: usize| {
        let inside = first + line < n && group < k.div_ceil(GROUP);
        if inside { operands.b_scale(group, first + line).to_bits().into() } else { 0 }
    };
    layouts_of_b(kernel, operands, cut).write(gpu, to, &raw, &scale)
}

/// Writes a matrix in a kernel's layout.
fn write(
    gpu: &Gpu,
    memory: &Memory,
    layout: &Layout,
    raw: &(dyn Fn(usize, usize) -> u32 + Sync),
) -> Result<(), GpuError> {
    /// Texels that are packed and written at once: 4 MiB.
    const CHUNK: usize = 1 << 18;
    /// Chunks that take host memory at a time: 64 MiB.
    const WAITING: usize = 16;
    for (i, first) in (0..layout.texels()).step_by(CHUNK).enumerate() {
        let texels = CHUNK.min(layout.texels() - first);
        gpu.write_memory(memory, first as u64, &layout.pack(first, texels, raw))?;
        if (i + 1) % WAITING == 0 {
            gpu.flush()?;
        }
    }
    Ok(())
}
