//! f32 matmul on the processor by `ndarray`, which calls matrixmultiply with its threads on.

use super::{Engine, Shape};
use crate::kernels::Kernel;
use crate::units::Seconds;
use crate::workload::JobError;
use ndarray::{Array2, linalg::general_mat_mul, s};
use std::collections::VecDeque;
use std::ops::Range;

pub(super) struct CpuEngine {
    a: Array2<f32>,
    b: Array2<f32>,
    c: Array2<f32>,
    parts: Vec<Range<usize>>,
    submitted: VecDeque<(usize, usize)>,
}

impl CpuEngine {
    pub(super) fn new(shape: Shape, a: Array2<f32>, b: Array2<f32>) -> CpuEngine {
        let c = Array2::zeros((shape.m, shape.n));
        CpuEngine { a, b, c, parts: Vec::new(), submitted: VecDeque::new() }
    }
}

impl Engine for CpuEngine {
    type Snapshot = Array2<f32>;

    fn row_granule(&self) -> usize {
        // matrixmultiply works in blocks of rows; parts that are no multiple of it would waste part of a block.
        64
    }

    fn kernel(&self) -> Option<&Kernel> {
        None
    }

    fn set_parts(&mut self, parts: &[Range<usize>]) -> Result<(), JobError> {
        self.parts = parts.to_vec();
        Ok(())
    }

    fn submit(&mut self, part: usize, repeats: usize) -> Result<(), JobError> {
        self.submitted.push_back((part, repeats));
        Ok(())
    }

    fn wait(&mut self) -> Result<Option<Seconds>, JobError> {
        let (part, repeats) = self.submitted.pop_front().expect("a part was submitted");
        let rows = self.parts[part].clone();
        let a = self.a.slice(s![rows.clone(), ..]);
        let mut c = self.c.slice_mut(s![rows, ..]);
        for _ in 0..repeats {
            general_mat_mul(1.0, &a, &self.b, 0.0, &mut c);
        }
        Ok(None)
    }

    fn poison(&mut self) -> Result<(), JobError> {
        self.c.fill(f32::NAN);
        Ok(())
    }

    fn set_first_row_of_b(&mut self, row: &[f32]) -> Result<(), JobError> {
        self.b.row_mut(0).assign(&ndarray::ArrayView1::from(row));
        Ok(())
    }

    fn snapshot(&mut self, rows: Range<usize>) -> Result<Array2<f32>, JobError> {
        Ok(self.c.slice(s![rows, ..]).to_owned())
    }

    fn read(&self, snapshot: &Array2<f32>) -> Result<Array2<f32>, JobError> {
        Ok(snapshot.clone())
    }
}
