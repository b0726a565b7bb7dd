//! Faulty engines are detected, and NaN and infinity propagate.

use super::cpu::CpuEngine;
use super::job::{Engine, Multiplying};
use super::types::Block;
use super::*;
use crate::kernels::Arithmetic;
use crate::oracle::Verdict;
use crate::units::Seconds;
use crate::workload::{Job, JobError, first_gpu};
use ndarray::Array2;

/// A fault of an engine.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// Does not write C.
    Idle,
    /// Keeps the activations of an earlier window.
    OldActivations,
    /// Skips the last element.
    Unwritten,
    /// Writes outside C.
    Beside,
    /// Has different weights in its last copy.
    Copy,
}

/// An engine with a fault, which can change over time.
struct Faulty {
    engine: CpuEngine,
    fault: Fault,
    last_copy: bool,
}

impl Engine for Faulty {
    type Snapshot = Array2<f32>;
    fn arithmetic(&self) -> Arithmetic {
        self.engine.arithmetic()
    }
    fn granule(&self) -> (usize, usize) {
        self.engine.granule()
    }
    fn blocks(&self) -> Vec<Block> {
        self.engine.blocks()
    }
    fn wait(&mut self, part: &Block, copies: &[usize]) -> Result<Option<Seconds>, JobError> {
        self.last_copy = copies.contains(&(COPIES - 1));
        self.engine.wait(part, if self.fault == Fault::Idle { &[] } else { copies })
    }
    fn poison(&mut self) -> Result<(), JobError> {
        self.engine.poison()
    }
    fn guards_hold(&self) -> Result<bool, JobError> {
        Ok(self.fault != Fault::Beside)
    }
    fn change(&mut self, window: u32) -> Result<(), JobError> {
        if self.fault == Fault::OldActivations { Ok(()) } else { self.engine.change(window) }
    }
    fn snapshot(&self, part: &Block) -> Result<Array2<f32>, JobError> {
        let mut c = self.engine.snapshot(part)?;
        let last = c.last_mut().expect("a part is not empty");
        match self.fault {
            Fault::Unwritten => *last = f32::NAN,
            Fault::Copy if self.last_copy => *last += 1e-6,
            _ => {}
        }
        Ok(c)
    }
    fn read(&self, part: &Block, c: &Array2<f32>) -> Result<Array2<f32>, JobError> {
        self.engine.read(part, c)
    }
}

const COPIES: usize = 3;

/// Verdicts of the verification before timing and of a window.
fn verdicts(verified: Fault, in_window: Fault) -> (Verdict, Verdict) {
    let shape = Shape { m: 5, n: 70, k: 90 };
    let operands = Operands::new(Seed([5; 32]), shape, Type::F32, Type::F32);
    let engine = CpuEngine::new(&operands, COPIES);
    let faulty = Faulty { engine, fault: verified, last_copy: false };
    let mut job = Multiplying::new(faulty, operands, COPIES);
    let before = job.verify().unwrap();
    job.engine.fault = in_window;
    for window in 0..2 {
        job.open_window(window).unwrap();
        job.submit().unwrap();
        job.wait().unwrap();
        job.close_window().unwrap();
    }
    (before, job.check_window(1).unwrap())
}

#[test]
fn every_fault_is_detected() {
    let (before, window) = verdicts(Fault::None, Fault::None);
    assert!(matches!(before, Verdict::Agrees { .. }), "{before:?}");
    assert!(matches!(window, Verdict::Agrees { .. }), "{window:?}");
    for fault in [Fault::Idle, Fault::Unwritten, Fault::Beside, Fault::Copy] {
        let (before, _) = verdicts(fault, Fault::None);
        assert!(matches!(before, Verdict::Disagrees(_)), "{fault:?}: {before:?}");
    }
    for fault in [Fault::Idle, Fault::OldActivations, Fault::Unwritten] {
        let (_, window) = verdicts(Fault::None, fault);
        assert!(matches!(window, Verdict::Disagrees(_)), "{fault:?}: {window:?}");
    }
}

/// A row of activations with NaN or infinity has no finite result; other rows are finite.
fn assert_propagates(what: &str, engine: &mut impl Engine, rows: usize) {
    let whole = engine.blocks();
    engine.set_parts(&whole).unwrap();
    engine.poison().unwrap();
    engine.submit(0, &[0]).unwrap();
    engine.wait(&whole[0], &[0]).unwrap();
    let c = engine.read(&whole[0], &engine.snapshot(&whole[0]).unwrap()).unwrap();
    for (m, row) in c.rows().into_iter().enumerate() {
        let spoilt = m == rows - 1;
        assert!(row.iter().all(|c| c.is_finite() != spoilt), "{what}, row {m}: {row}");
    }
}

#[test]
fn nan_and_infinity_propagate_through_every_kernel() {
    let Some(gpu) = first_gpu("nan_and_infinity_propagate_through_every_kernel") else { return };
    let target = Target::Gpu(gpu.clone());
    for (id, m, transpose) in [
        (Id::Gemm, 3, None),
        (Id::Gemm, 3, Some("a")),
        (Id::Gemm, 3, Some("b")),
        (Id::Gemv, 1, None),
    ] {
        for (a, b) in [
            (Type::F32, Type::F32),
            (Type::F16, Type::F16),
            (Type::F32, Type::Int8),
            (Type::F16, Type::Int4),
        ] {
            let shape = Shape { m, n: 65, k: 70 };
            let product = Matmul { id, shape, a, b, transpose, layer: None };
            let operands = Operands::new(Seed([5; 32]), shape, a, b);
            for variant in product.variants(&target) {
                let Variant::Gpu(entry) = variant else { continue };
                let kernel = product.build(entry).unwrap();
                let mut engine = gpu::GpuEngine::new(&gpu, kernel, &operands, 1).unwrap();
                for spoiled in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    engine.spoil(m - 1, a.encode(spoiled));
                    assert_propagates(
                        &format!("{} {a:?} {b:?} {spoiled}", entry.id),
                        &mut engine,
                        m,
                    );
                }
            }
        }
    }
}

#[test]
fn a_kernel_that_writes_beside_c_is_seen_by_the_guard() {
    let Some(gpu) = first_gpu("a_kernel_that_writes_beside_c_is_seen_by_the_guard") else { return };
    let shape = Shape { m: 3, n: 65, k: 70 };
    let product = spec::product("gemm:3x65x70:f32").unwrap();
    let operands = Operands::new(Seed([5; 32]), shape, Type::F32, Type::F32);
    for variant in product.variants(&Target::Gpu(gpu.clone())) {
        let Variant::Gpu(entry) = variant else { continue };
        let kernel = product.build(entry).unwrap();
        let mut engine = gpu::GpuEngine::new(&gpu, kernel, &operands, 1).unwrap();
        engine.poison().unwrap();
        assert!(engine.guards_hold().unwrap(), "{}", entry.id);
        engine.write_beside();
        assert!(!engine.guards_hold().unwrap(), "{}", entry.id);
    }
}
