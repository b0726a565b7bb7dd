//! Faulty engines are detected, and NaN and infinity propagate.

use crate::support;
use ndarray::Array2;
use rigbench::gpu::Gpu;
use rigbench::kernels::{Arithmetic, Entry, Kernel};
use rigbench::model::Type;
use rigbench::oracle::Verdict;
use rigbench::seed::Seed;
use rigbench::units::Seconds;
use rigbench::workload::matmul::{
    CpuEngine, Engine, GpuEngine, MatmulJob, Operands, Region, Shape, padded,
};
use rigbench::workload::{Job, JobError, Target, Variant, parse};

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
    fn blocks(&self) -> Vec<Region> {
        self.engine.blocks()
    }
    fn wait(&mut self, part: &Region, copies: &[usize]) -> Result<Option<Seconds>, JobError> {
        self.last_copy = copies.contains(&(COPIES - 1));
        self.engine.wait(part, if self.fault == Fault::Idle { &[] } else { copies })
    }
    fn poison(&mut self) -> Result<(), JobError> {
        self.engine.poison()
    }
    fn guards_intact(&self) -> Result<bool, JobError> {
        Ok(self.fault != Fault::Beside)
    }
    fn change(&mut self, window: u32) -> Result<(), JobError> {
        if self.fault == Fault::OldActivations { Ok(()) } else { self.engine.change(window) }
    }
    fn snapshot(&self, part: &Region) -> Result<Array2<f32>, JobError> {
        let mut c = self.engine.snapshot(part)?;
        let last = c.last_mut().expect("a part is not empty");
        match self.fault {
            Fault::Unwritten => *last = f32::NAN,
            Fault::Copy if self.last_copy => *last += 1e-6,
            _ => {}
        }
        Ok(c)
    }
    fn read(&self, part: &Region, c: &Array2<f32>) -> Result<Array2<f32>, JobError> {
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
    let mut job = MatmulJob::new(faulty, operands, COPIES);
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
    let Some(gpu) = support::gpu("nan_and_infinity_propagate_through_every_kernel") else { return };
    for (workload, m, side) in
        [("gemm", 3, ""), ("gemm", 3, ":transpose=a"), ("gemm", 3, ":transpose=b"), ("gemv", 1, "")]
    {
        for (types, a, b) in [
            ("f32", Type::F32, Type::F32),
            ("f16", Type::F16, Type::F16),
            ("int8", Type::F32, Type::Int8),
            ("int4:activations=f16", Type::F16, Type::Int4),
        ] {
            if !side.is_empty() && b != Type::F32 {
                continue; // the transposed products of training are in f32
            }
            let shape = Shape { m, n: 65, k: 70 };
            let sides = if workload == "gemv" { "65x70" } else { "3x65x70" };
            let operands = Operands::new(Seed([5; 32]), shape, a, b);
            for entry in variants(&gpu, &format!("{workload}:{sides}:{types}{side}")) {
                let kernel = Kernel::matmul(entry, a.bits(), b.bits()).unwrap();
                let mut engine = GpuEngine::new(&gpu, kernel, &operands, 1).unwrap();
                for spoiled in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    // The first term of the last row of A.
                    let (honest, bits) = (padded(&operands.a, 0), a.encode(spoiled));
                    let raw = |line: usize, term: usize| {
                        if (line, term) == (m - 1, 0) { bits } else { honest(line, term) }
                    };
                    engine.write_leading(0, 1, &raw).unwrap();
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

/// The kernels that take a spec on this GPU.
fn variants(gpu: &Gpu, spec: &str) -> Vec<&'static Entry> {
    let variants = parse(spec).unwrap().variants(&Target::Gpu(gpu.clone()));
    let entry = |variant: Variant| match variant {
        Variant::Gpu(entry) => Some(entry),
        _ => None,
    };
    variants.into_iter().filter_map(entry).collect()
}

#[test]
fn a_kernel_that_writes_beside_c_is_seen_by_the_guard() {
    let Some(gpu) = support::gpu("a_kernel_that_writes_beside_c_is_seen_by_the_guard") else {
        return;
    };
    let shape = Shape { m: 3, n: 65, k: 70 };
    let operands = Operands::new(Seed([5; 32]), shape, Type::F32, Type::F32);
    for entry in variants(&gpu, "gemm:3x65x70:f32") {
        let kernel = Kernel::matmul(entry, 32, 32).unwrap();
        let mut engine = GpuEngine::new(&gpu, kernel, &operands, 1).unwrap();
        engine.poison().unwrap();
        assert!(engine.guards_intact().unwrap(), "{}", entry.id);
        let c = engine.outputs().last().unwrap();
        gpu.write(c, c.size() - 4, &[1.0f32]).unwrap();
        assert!(!engine.guards_intact().unwrap(), "{}", entry.id);
    }
}
