//! Matrix products on the CPU with native kernels.

use super::data::{CHANGING, Operands};
use super::job::Engine;
use super::native::Weights;
use super::shape::{Region, Shape};
use crate::kernels::Arithmetic;
use crate::model::{GROUP, Type};
use crate::units::Seconds;
use crate::workload::JobError;
use half::f16;
use ndarray::{Array2, Zip, s};
use rayon::prelude::*;

/// A as the kernels take it: f16 is widened to f32, which is exact.
enum Activations {
    Floats(Array2<f32>),
    Bytes(Array2<i8>, Array2<f16>),
}

pub struct CpuEngine {
    operands: Operands,
    a: Activations,
    /// Copies of the weights.
    b: Vec<Weights>,
    c: Array2<f32>,
}

/// A matrix computed element by element.
fn fill<T: Send>(
    rows: usize,
    columns: usize,
    element: impl Fn(usize, usize) -> T + Sync,
) -> Array2<T> {
    let elements: Vec<T> = (0..rows * columns)
        .into_par_iter()
        .with_min_len(1 << 12)
        .map(|i| element(i / columns, i % columns))
        .collect();
    Array2::from_shape_vec((rows, columns), elements).expect("as many as the matrix has")
}

impl CpuEngine {
    pub fn new(operands: &Operands, copies: usize) -> CpuEngine {
        let (Shape { m, n, k }, Operands { a, b, .. }) = (operands.shape, operands);
        let packed = match a.kind {
            Type::Int8 => Activations::Bytes(
                fill(m, k, |m, k| a.raw(m, k) as i8),
                fill(m, k.div_ceil(GROUP), |m, g| a.scale(m, g)),
            ),
            _ => Activations::Floats(fill(m, k, |m, k| a.value(m, k))),
        };
        let weights = Weights::pack(b.kind, k, n, &|k, n| b.raw(n, k), &|g, n| b.scale(n, g));
        CpuEngine {
            operands: *operands,
            a: packed,
            b: vec![weights; copies],
            c: Array2::zeros((m, n)),
        }
    }
}

impl Engine for CpuEngine {
    type Snapshot = Array2<f32>;

    fn granule(&self) -> (usize, usize) {
        // Threads take parts of about this size; smaller batches would leave some idle.
        (192, 256)
    }

    fn blocks(&self) -> Vec<Region> {
        let Shape { m, n, .. } = self.operands.shape;
        vec![Region { rows: 0..m, columns: 0..n }]
    }

    fn arithmetic(&self) -> Arithmetic {
        match self.a {
            Activations::Floats(_) => Arithmetic::F32,
            Activations::Bytes(..) => Arithmetic::Dot4,
        }
    }

    fn wait(&mut self, part: &Region, copies: &[usize]) -> Result<Option<Seconds>, JobError> {
        let Region { rows, columns } = part;
        for copy in copies {
            let c = self.c.slice_mut(s![rows.clone(), columns.clone()]);
            let b = &self.b[*copy];
            match &self.a {
                Activations::Floats(a) => {
                    b.multiply(a.slice(s![rows.clone(), ..]), columns.clone(), c)
                }
                Activations::Bytes(a, scales) => b.multiply_int8(
                    a.slice(s![rows.clone(), ..]),
                    scales.slice(s![rows.clone(), ..]),
                    columns.clone(),
                    c,
                ),
            }
        }
        Ok(None)
    }

    fn poison(&mut self) -> Result<(), JobError> {
        self.c.fill(f32::NAN);
        Ok(())
    }

    fn change(&mut self, window: u32) -> Result<(), JobError> {
        let window = self.operands.in_window(window).a;
        let leading = s![.., ..CHANGING.min(window.terms)];
        match &mut self.a {
            Activations::Floats(a) => {
                Zip::indexed(a.slice_mut(leading)).for_each(|(m, k), a| *a = window.value(m, k));
            }
            Activations::Bytes(a, _) => {
                Zip::indexed(a.slice_mut(leading))
                    .for_each(|(m, k), a| *a = window.raw(m, k) as i8);
            }
        }
        Ok(())
    }

    fn snapshot(&self, part: &Region) -> Result<Array2<f32>, JobError> {
        Ok(self.c.slice(s![part.rows.clone(), part.columns.clone()]).to_owned())
    }

    fn read(&self, _: &Region, snapshot: &Array2<f32>) -> Result<Array2<f32>, JobError> {
        Ok(snapshot.clone())
    }
}
