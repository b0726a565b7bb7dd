//! Matrix products on a GPU.

use super::data::{CHANGING, Operands};
use super::job::Engine;
use super::layout::Raw;
use super::packed::{Blocking, GUARD, Layouts, Scaled, padded};
use super::shape::{Region, Shape};
use crate::gpu::{
    Batch, Bindings, Buffer, Dispatch, Flight, Gpu, GpuError, Memory, Pipeline, Resource, Snapshot,
};
use crate::kernels::{self, Arithmetic, Kernel};
use crate::units::Seconds;
use crate::workload::{DEPTH, JobError, nan_buffer};
use ndarray::{Array2, s};
use std::ops::Range;

/// Reduces the partial sums of a split-K kernel.
struct Adder {
    pipeline: Pipeline,
    workgroup: u32,
}

pub struct GpuEngine {
    gpu: Gpu,
    kernel: Kernel,
    pipeline: Pipeline,
    adder: Option<Adder>,
    operands: Operands,
    cut: Blocking,
    layouts_of_a: Layouts,
    /// Blocks of rows of A.
    a: Vec<Scaled>,
    /// For each block of columns of B, its copies.
    b: Vec<Vec<Scaled>>,
    /// The blocks of C, row by row, each with C and with partial sums if K is split.
    c: Vec<(Buffer, Option<Buffer>)>,
    nan: Buffer,
    parts: Vec<Part>,
    flight: Flight,
}

/// A part of C and the dispatches that compute it.
struct Part {
    /// One per copy of the weights.
    bindings: Vec<Bindings>,
    groups: [u32; 3],
    /// Reduction of partial sums.
    add: Option<(Bindings, [u32; 3])>,
}

impl GpuEngine {
    pub fn new(
        gpu: &Gpu,
        kernel: Kernel,
        operands: &Operands,
        copies: usize,
    ) -> Result<GpuEngine, JobError> {
        let cut = Blocking::new(gpu, &kernel, operands.shape).map_err(GpuError::TooLarge)?;
        let pipeline = gpu.compile(&kernel)?;
        let splits = kernel.constant("SPLIT_K").unwrap_or(1);
        let adder = match splits {
            1 => None,
            _ => {
                let kernel = Kernel::build(kernels::adder())?;
                Some(Adder { pipeline: gpu.compile(&kernel)?, workgroup: kernel.workgroup[0] })
            }
        };
        let layouts_of_a = Layouts::of_a(&kernel, &operands.a, cut);
        let layouts_of_b = Layouts::of_b(&kernel, &operands.b, cut);
        let Shape { m, n, .. } = operands.shape;
        // Allocates everything before it generates data, since memory may run out.
        let allocate = |layouts: &Layouts, count: usize| -> Result<Vec<Scaled>, GpuError> {
            (0..count).map(|_| layouts.allocate(gpu)).collect()
        };
        let a = allocate(&layouts_of_a, m.div_ceil(cut.rows))?;
        let columns = (0..n.div_ceil(cut.columns)).map(|_| allocate(&layouts_of_b, copies));
        let b = columns.collect::<Result<Vec<_>, _>>()?;
        let bytes = 4 * cut.rows as u64 * cut.columns as u64;
        let sums = |_| -> Result<_, GpuError> {
            let parts = (splits > 1).then(|| gpu.storage(bytes * u64::from(splits) + GUARD));
            Ok((gpu.storage(bytes + GUARD)?, parts.transpose()?))
        };
        let c = (0..a.len() * b.len()).map(sums).collect::<Result<_, _>>()?;
        for (i, block) in a.iter().enumerate() {
            layouts_of_a.write(gpu, &operands.a, i * cut.rows, block)?;
        }
        for (j, column) in b.iter().enumerate() {
            layouts_of_b.write(gpu, &operands.b, j * cut.columns, &column[0])?;
            column[1..].iter().try_for_each(|copy| column[0].copy_to(gpu, copy))?;
        }
        Ok(GpuEngine {
            flight: Flight::new(gpu, DEPTH, 0)?,
            nan: nan_buffer(gpu, (bytes + GUARD).min(1 << 20))?,
            gpu: gpu.clone(),
            kernel,
            pipeline,
            adder,
            operands: *operands,
            cut,
            layouts_of_a,
            a,
            b,
            c,
            parts: Vec::new(),
        })
    }

    /// The block of rows and the block of columns that contain a part, and the part's first row and column in them.
    fn position(&self, part: &Region) -> [usize; 4] {
        let (row, column, Blocking { rows, columns, .. }) =
            (part.rows.start, part.columns.start, self.cut);
        [row / rows, column / columns, row % rows, column % columns]
    }

    fn part(&self, part: &Region) -> Result<Part, GpuError> {
        let [i, j, first_row, first_column] = self.position(part);
        let Blocking { k, rows, columns } = self.cut;
        let splits = self.kernel.constant("SPLIT_K").unwrap_or(1);
        let numbers = [k, rows, columns, first_row, first_column, splits as usize, 0, 0];
        let uniform = self.gpu.uniform(32)?;
        self.gpu.write(&uniform, 0, &numbers.map(|n| n as u32))?;
        let (c, sums) = &self.c[i * self.b.len() + j];
        let bind = |b: &Scaled| {
            let mut resources = vec![
                Resource::Buffer(&uniform),
                self.a[i].values.resource(),
                b.values.resource(),
                Resource::Buffer(sums.as_ref().unwrap_or(c)),
            ];
            let scales = [&b.scales, &self.a[i].scales];
            resources.extend(scales.into_iter().flatten().map(Memory::resource));
            self.gpu.bind(&self.pipeline, &resources)
        };
        let add = |(adder, sums): (&Adder, _)| -> Result<_, GpuError> {
            let resources = [&uniform, sums, c].map(Resource::Buffer);
            let groups = ((rows * columns / 4) as u32).div_ceil(adder.workgroup);
            Ok((self.gpu.bind(&adder.pipeline, &resources)?, [groups, 1, 1]))
        };
        let tiles =
            |side: &Range<usize>, tile| (side.len() as u32).div_ceil(self.kernel.number(tile));
        Ok(Part {
            bindings: self.b[j].iter().map(bind).collect::<Result<_, _>>()?,
            groups: [tiles(&part.columns, "TILE_N"), tiles(&part.rows, "TILE_M"), splits],
            add: self.adder.as_ref().zip(sums.as_ref()).map(add).transpose()?,
        })
    }

    /// Every buffer with sums, with guard words at its end.
    pub fn outputs(&self) -> impl Iterator<Item = &Buffer> {
        self.c.iter().flat_map(|(c, sums)| sums.iter().chain([c]))
    }

    /// Writes the leading terms of a block of rows of A.
    pub fn write_leading(&self, block: usize, terms: usize, raw: Raw) -> Result<(), GpuError> {
        let layout = self.layouts_of_a.values;
        layout.leading(terms).into_iter().try_for_each(|(first, texels)| {
            let packed = layout.pack(first, texels, raw);
            self.gpu.write_memory(&self.a[block].values, first as u64, &packed)
        })
    }
}

impl Engine for GpuEngine {
    type Snapshot = Snapshot;

    fn kernel(&self) -> Option<&Kernel> {
        Some(&self.kernel)
    }

    fn arithmetic(&self) -> Arithmetic {
        self.kernel.arithmetic()
    }

    fn granule(&self) -> (usize, usize) {
        (self.kernel.number("TILE_M") as usize, self.kernel.number("TILE_N") as usize)
    }

    fn blocks(&self) -> Vec<Region> {
        let Shape { m, n, .. } = self.operands.shape;
        let rows = |i: usize| i * self.cut.rows..((i + 1) * self.cut.rows).min(m);
        let columns = |j: usize| j * self.cut.columns..((j + 1) * self.cut.columns).min(n);
        let row = |i| (0..self.b.len()).map(move |j| Region { rows: rows(i), columns: columns(j) });
        (0..self.a.len()).flat_map(row).collect()
    }

    fn set_parts(&mut self, parts: &[Region]) -> Result<(), JobError> {
        self.parts.clear();
        self.parts = parts.iter().map(|part| self.part(part)).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn submit(&mut self, part: usize, copies: &[usize]) -> Result<(), JobError> {
        let part = &self.parts[part];
        let mut dispatches = Vec::new();
        for copy in copies {
            let bindings = &part.bindings[*copy];
            dispatches.push(Dispatch { pipeline: &self.pipeline, bindings, groups: part.groups });
            if let (Some(adder), Some((bindings, groups))) = (&self.adder, &part.add) {
                dispatches.push(Dispatch { pipeline: &adder.pipeline, bindings, groups: *groups });
            }
        }
        Ok(self.flight.submit(&Batch { dispatches, ..Batch::default() })?)
    }

    fn wait(&mut self, _: &Region, _: &[usize]) -> Result<Option<Seconds>, JobError> {
        Ok(self.flight.wait()?.expect("a part was submitted").gpu_seconds)
    }

    fn poison(&mut self) -> Result<(), JobError> {
        Ok(self.outputs().try_for_each(|buffer| self.gpu.fill(buffer, &self.nan))?)
    }

    fn guards_intact(&self) -> Result<bool, JobError> {
        for buffer in self.outputs() {
            let guard = self.gpu.snapshot(buffer, buffer.size() - GUARD..buffer.size())?;
            let words: Vec<u32> = self.gpu.read(&guard)?;
            if words.iter().any(|&word| word != f32::NAN.to_bits()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn change(&mut self, window: u32) -> Result<(), JobError> {
        let a = self.operands.in_window(window).a;
        for i in 0..self.a.len() {
            self.write_leading(i, CHANGING, &padded(&a, i * self.cut.rows))?;
        }
        Ok(())
    }

    fn snapshot(&self, part: &Region) -> Result<Snapshot, JobError> {
        let [i, j, row, _] = self.position(part);
        let byte = |row: usize| 4 * (row * self.cut.columns) as u64;
        let (c, _) = &self.c[i * self.b.len() + j];
        Ok(self.gpu.snapshot(c, byte(row)..byte(row + part.rows.len()))?)
    }

    fn read(&self, part: &Region, snapshot: &Snapshot) -> Result<Array2<f32>, JobError> {
        let values: Vec<f32> = self.gpu.read(snapshot)?;
        let padded = Array2::from_shape_vec((part.rows.len(), self.cut.columns), values);
        let [.., first] = self.position(part);
        Ok(padded.expect("whole rows").slice(s![.., first..first + part.columns.len()]).to_owned())
    }
}
