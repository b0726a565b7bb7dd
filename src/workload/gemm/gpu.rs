//! f32 matmul on a GPU. Matrices are padded with zeros to whole tiles, so that the kernel needs no bounds.

use super::{Engine, Shape};
use crate::gpu::{Batch, Bindings, Buffer, Dispatch, Flight, Gpu, Pipeline, Snapshot};
use crate::kernels::{Entry, Kernel};
use crate::units::Seconds;
use crate::workload::{DEPTH, JobError};
use ndarray::{Array2, ArrayView2, s};
use std::ops::Range;

pub(super) struct GpuEngine {
    gpu: Gpu,
    kernel: Kernel,
    pipeline: Pipeline,
    shape: Shape,
    padded: Shape,
    a: Buffer,
    b: Buffer,
    c: Buffer,
    nan: Buffer,
    parts: Vec<Part>,
    flight: Flight,
}

struct Part {
    bindings: Bindings,
    groups: [u32; 3],
}

/// A shape with its sides padded to what the kernel's tiles need.
pub(super) fn padded(kernel: &Kernel, shape: Shape) -> Shape {
    Shape {
        m: shape.m.next_multiple_of(kernel.number("TILE_M") as usize),
        n: shape.n.next_multiple_of(4 * kernel.workgroup[0] as usize),
        k: shape.k.next_multiple_of(4),
    }
}

impl GpuEngine {
    pub(super) fn new(
        gpu: &Gpu,
        entry: &'static Entry,
        shape: Shape,
        a: &Array2<f32>,
        b: &Array2<f32>,
    ) -> Result<GpuEngine, JobError> {
        let kernel = Kernel::build(entry)?;
        let pipeline = gpu.compile(&kernel)?;
        let padded = padded(&kernel, shape);
        let [a_len, b_len, c_len] = shape.elements(|_| padded);
        let (a_buffer, b_buffer) = (gpu.storage(4 * a_len)?, gpu.storage(4 * b_len)?);
        let (c, nan) = (gpu.storage(4 * c_len)?, gpu.storage(4 * c_len.min(1 << 18))?);
        write_rows(gpu, &a_buffer, a.view(), padded.k);
        write_rows(gpu, &b_buffer, b.view(), padded.n);
        gpu.write(&nan, 0, &vec![f32::NAN; nan.size() as usize / 4]);
        Ok(GpuEngine {
            flight: Flight::new(gpu, DEPTH, 0)?,
            gpu: gpu.clone(),
            kernel,
            pipeline,
            shape,
            padded,
            a: a_buffer,
            b: b_buffer,
            c,
            nan,
            parts: Vec::new(),
        })
    }
}

/// Writes a matrix into a buffer whose rows are `pitch` elements apart.
fn write_rows(gpu: &Gpu, buffer: &Buffer, matrix: ArrayView2<f32>, pitch: usize) {
    // Many rows at a time: each write is staged by itself.
    let rows_at_once = ((1 << 20) / pitch).max(1);
    for (i, rows) in matrix.axis_chunks_iter(ndarray::Axis(0), rows_at_once).enumerate() {
        let mut padded = Array2::zeros((rows.nrows(), pitch));
        padded.slice_mut(s![.., ..rows.ncols()]).assign(&rows);
        let offset = 4 * (i * rows_at_once * pitch) as u64;
        gpu.write(buffer, offset, padded.as_slice().expect("made in one piece"));
    }
}

impl Engine for GpuEngine {
    type Snapshot = Snapshot;

    fn row_granule(&self) -> usize {
        self.kernel.number("TILE_M") as usize
    }

    fn kernel(&self) -> Option<&Kernel> {
        Some(&self.kernel)
    }

    fn set_parts(&mut self, parts: &[Range<usize>]) -> Result<(), JobError> {
        let columns = (self.padded.n / (4 * self.kernel.workgroup[0] as usize)) as u32;
        self.parts.clear();
        for part in parts {
            let uniform = self.gpu.uniform(16)?;
            let (k4, n4) = (self.padded.k / 4, self.padded.n / 4);
            self.gpu.write(&uniform, 0, &[k4 as u32, n4 as u32, part.start as u32, 0]);
            let buffers = [&uniform, &self.a, &self.b, &self.c];
            let bindings = self.gpu.bind(&self.pipeline, &buffers)?;
            let rows = part.len().div_ceil(self.row_granule()) as u32;
            self.parts.push(Part { bindings, groups: [columns, rows, 1] });
        }
        Ok(())
    }

    fn submit(&mut self, part: usize, repeats: usize) -> Result<(), JobError> {
        let Part { bindings, groups } = &self.parts[part];
        let dispatch = || Dispatch { pipeline: &self.pipeline, bindings, groups: *groups };
        let dispatches = std::iter::repeat_with(dispatch).take(repeats).collect();
        self.flight.submit(&Batch { dispatches, ..Batch::default() })?;
        Ok(())
    }

    fn wait(&mut self) -> Result<Option<Seconds>, JobError> {
        Ok(self.flight.wait()?.expect("a part was submitted").gpu_seconds)
    }

    fn poison(&mut self) -> Result<(), JobError> {
        self.gpu.fill(&self.c, &self.nan);
        Ok(self.gpu.check()?)
    }

    fn set_first_row_of_b(&mut self, row: &[f32]) -> Result<(), JobError> {
        self.gpu.write(&self.b, 0, row);
        Ok(self.gpu.check()?)
    }

    fn snapshot(&mut self, rows: Range<usize>) -> Result<Snapshot, JobError> {
        let byte = |row: usize| 4 * (row * self.padded.n) as u64;
        Ok(self.gpu.snapshot(&self.c, byte(rows.start)..byte(rows.end))?)
    }

    fn read(&self, snapshot: &Snapshot) -> Result<Array2<f32>, JobError> {
        let values: Vec<f32> = self.gpu.read(snapshot)?;
        let rows = values.len() / self.padded.n;
        let padded = Array2::from_shape_vec((rows, self.padded.n), values).expect("whole rows");
        Ok(padded.slice(s![.., ..self.shape.n]).to_owned())
    }
}
