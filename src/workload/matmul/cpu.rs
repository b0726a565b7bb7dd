//! f32 products on the processor by `ndarray`, which calls matrixmultiply with its threads on.

use super::data::Operands;
use super::job::Engine;
use super::{Block, Shape, Type};
use crate::kernels::{Arithmetic, Kernel};
use crate::units::Seconds;
use crate::workload::{JobError, Variant};
use ndarray::{Array2, linalg::general_mat_mul, s};
use rayon::prelude::*;
use std::collections::VecDeque;

/// The kernels for these types, the default first.
pub(super) fn variants(a: Type, b: Type) -> &'static [Variant] {
    match (a, b) {
        (Type::F32, Type::F32) => &[Variant::Cpu("gemm/ndarray")],
        _ => &[],
    }
}

pub(super) struct CpuEngine {
    operands: Operands,
    a: Array2<f32>,
    /// Copies of the weights.
    b: Vec<Array2<f32>>,
    c: Array2<f32>,
    parts: Vec<Block>,
    submitted: VecDeque<(usize, Vec<usize>)>,
}

/// A matrix of these elements.
fn fill(rows: usize, columns: usize, element: impl Fn(usize, usize) -> f32 + Sync) -> Array2<f32> {
    let elements: Vec<f32> = (0..rows * columns)
        .into_par_iter()
        .with_min_len(1 << 12)
        .map(|i| element(i / columns, i % columns))
        .collect();
    Array2::from_shape_vec((rows, columns), elements).expect("as many as the matrix has")
}

impl CpuEngine {
    pub(super) fn new(operands: &Operands, copies: usize) -> CpuEngine {
        let Shape { m, n, k } = operands.shape;
        let a = fill(m, k, |m, k| operands.a(m, k));
        let b = fill(k, n, |k, n| operands.b(k, n));
        CpuEngine {
            operands: *operands,
            a,
            b: vec![b; copies],
            c: Array2::zeros((m, n)),
            parts: Vec::new(),
            submitted: VecDeque::new(),
        }
    }
}

impl Engine for CpuEngine {
    type Snapshot = Array2<f32>;

    fn arithmetic(&self) -> Arithmetic {
        Arithmetic::F32
    }

    fn granule(&self) -> (usize, usize) {
        // matrixmultiply works in blocks of rows; parts that are no multiple of it would waste part of a block.
        (64, 64)
    }

    fn blocks(&self) -> Vec<Block> {
        vec![self.operands.shape.whole()]
    }

    fn kernel(&self) -> Option<&Kernel> {
        None
    }

    fn set_parts(&mut self, parts: &[Block]) -> Result<(), JobError> {
        self.parts = parts.to_vec();
        Ok(())
    }

    fn submit(
        &mut self,
        part: usize,
        copies: &mut dyn Iterator<Item = usize>,
    ) -> Result<(), JobError> {
        self.submitted.push_back((part, copies.collect()));
        Ok(())
    }

    fn wait(&mut self) -> Result<Option<Seconds>, JobError> {
        let (part, copies) = self.submitted.pop_front().expect("a part was submitted");
        let Block { rows, columns } = self.parts[part].clone();
        let a = self.a.slice(s![rows.clone(), ..]);
        let mut c = self.c.slice_mut(s![rows, columns.clone()]);
        for copy in copies {
            general_mat_mul(1.0, &a, &self.b[copy].slice(s![.., columns.clone()]), 0.0, &mut c);
        }
        Ok(None)
    }

    fn poison(&mut self) -> Result<(), JobError> {
        self.c.fill(f32::NAN);
        Ok(())
    }

    fn guards_hold(&mut self) -> Result<bool, JobError> {
        Ok(true) // There are none: the language holds the bounds.
    }

    fn change(&mut self, window: u32) -> Result<(), JobError> {
        let operands = self.operands.in_window(window);
        let leading = super::data::CHANGING.min(operands.shape.k);
        for ((m, k), a) in self.a.slice_mut(s![.., ..leading]).indexed_iter_mut() {
            *a = operands.a(m, k);
        }
        Ok(())
    }

    fn snapshot(&mut self, part: &Block) -> Result<Array2<f32>, JobError> {
        Ok(self.c.slice(s![part.rows.clone(), part.columns.clone()]).to_owned())
    }

    fn read(&self, snapshot: &Array2<f32>) -> Result<Array2<f32>, JobError> {
        Ok(snapshot.clone())
    }
}
