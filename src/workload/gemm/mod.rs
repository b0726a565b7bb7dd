//! C = A·B in f32 for any M, N, K. An engine multiplies rows; the job says which, poisons C before each window, swaps
//! a row of B so that an old C cannot pass, and keeps part of C as the evidence of the window's work.

mod cpu;
mod gpu;

use super::{Batch, Job, JobError, Proof, Seed, SpecError, Target, Variant, Workload};
use crate::device::Details;
use crate::kernels::{self, Kernel};
use crate::oracle::Verdict;
use crate::oracle::matmul as oracle;
use crate::units::{Bytes, Seconds, Unit, Work};
use ndarray::{Array2, Axis, s};
use std::collections::VecDeque;
use std::ops::Range;

/// A spec to show in messages, and the default shape.
pub(super) const EXAMPLE: &str = "gemm:1024x1024x1024:f32";

/// Rows of C that a window keeps for its check, at most: this many bytes.
const EVIDENCE_BYTES: usize = 16 << 20;

/// C is M×N, the sums have K terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    m: usize,
    n: usize,
    k: usize,
}

impl Shape {
    /// Operations of `rows` rows: a multiplication and an addition for each term.
    fn work(&self, rows: usize) -> Work {
        Work(2 * rows as u64 * self.n as u64 * self.k as u64)
    }

    /// Elements of A, B and C, with each side padded as `pad` says.
    fn elements(&self, pad: impl Fn(Shape) -> Shape) -> [u64; 3] {
        let Shape { m, n, k } = pad(*self);
        [(m, k), (k, n), (m, n)].map(|(a, b)| a as u64 * b as u64)
    }
}

struct Gemm {
    shape: Shape,
}

/// Reads the parts of a spec after `gemm`.
pub(super) fn parse(parts: &[&str]) -> Result<Box<dyn Workload>, SpecError> {
    let (shape, kind) = match parts {
        [] => ("1024x1024x1024", "f32"),
        [shape] => (*shape, "f32"),
        [shape, kind] => (*shape, *kind),
        _ => return Err(SpecError(format!("gemm takes a shape and a type; write {EXAMPLE}"))),
    };
    let sides: Vec<Option<usize>> = shape.split('x').map(|side| side.parse().ok()).collect();
    let [Some(m @ 1..), Some(n @ 1..), Some(k @ 1..)] = sides[..] else {
        return Err(SpecError(format!(
            "'{shape}' is no shape; write MxNxK, whole numbers from 1, as in {EXAMPLE}"
        )));
    };
    if kind != "f32" {
        return Err(SpecError(format!("gemm: type '{kind}' is not known; known: f32")));
    }
    // Operations and bytes are counted in 64 bits; leave room for padding.
    if [m, n, k].iter().map(|side| *side as f64).product::<f64>() > 1e18 {
        return Err(SpecError(format!("gemm: {shape} is too large to count its operations")));
    }
    Ok(Box::new(Gemm { shape: Shape { m, n, k } }))
}

impl Workload for Gemm {
    fn id(&self) -> &'static str {
        "gemm"
    }

    fn unit(&self) -> Unit {
        Unit::Flop
    }

    fn shape(&self) -> String {
        format!("{}x{}x{}:f32", self.shape.m, self.shape.n, self.shape.k)
    }

    fn unsupported(&self, target: &Target) -> Option<String> {
        let bytes = Bytes(self.shape.elements(|s| s).iter().sum::<u64>() * 4);
        if let Some(memory) = crate::device::memory().filter(|memory| bytes > *memory) {
            return Some(format!("it needs {bytes} of memory, this machine has {memory}"));
        }
        let Target::Gpu(gpu) = target else { return None };
        // Whatever runs is the default variant; a kernel that does not build fails when it is prepared.
        let entry = kernels::of_workload(self.id()).next()?;
        let kernel = Kernel::build(entry).ok()?;
        let sizes = self.shape.elements(|shape| gpu::padded(&kernel, shape));
        ["A", "B", "C"].iter().zip(sizes).find_map(|(name, elements)| {
            gpu.too_large(&format!("matrix {name}"), Bytes(elements * 4))
        })
    }

    fn variants(&self, target: &Target) -> Vec<Variant> {
        match target.device().details {
            Details::Cpu(_) => vec![Variant::Cpu("gemm/ndarray")],
            Details::Gpu(_) => kernels::of_workload(self.id()).map(Variant::Gpu).collect(),
        }
    }

    fn prepare(
        &self,
        target: &Target,
        variant: &Variant,
        seed: Seed,
    ) -> Result<Box<dyn Job>, JobError> {
        let Shape { m, n, k } = self.shape;
        let matrix = |name, rows, columns| {
            Array2::from_shape_vec((rows, columns), seed.tensor(name).values(rows * columns))
                .expect("as many values as elements")
        };
        let (a, b) = (matrix("A", m, k), matrix("B", k, n));
        Ok(match (target, variant) {
            (Target::Gpu(gpu), Variant::Gpu(entry)) => {
                let engine = gpu::GpuEngine::new(gpu, entry, self.shape, &a, &b)?;
                Box::new(Multiplying::new(engine, self.shape, seed, a, b))
            }
            _ => {
                let engine = cpu::CpuEngine::new(self.shape, a.clone(), b.clone());
                Box::new(Multiplying::new(engine, self.shape, seed, a, b))
            }
        })
    }
}

/// A kernel that multiplies.
trait Engine {
    /// Part of C, kept.
    type Snapshot;
    /// Parts of C begin at multiples of this many rows.
    fn row_granule(&self) -> usize;
    fn kernel(&self) -> Option<&Kernel>;
    /// Lays out parts of C to be asked for by number. Nothing is in flight.
    fn set_parts(&mut self, parts: &[Range<usize>]) -> Result<(), JobError>;
    /// Computes one part, `repeats` times.
    fn submit(&mut self, part: usize, repeats: usize) -> Result<(), JobError>;
    /// The oldest submission; the caller knows that there is one. Its time on the device's clock.
    fn wait(&mut self) -> Result<Option<Seconds>, JobError>;
    /// Overwrites C with NaN.
    fn poison(&mut self) -> Result<(), JobError>;
    /// Replaces the first row of B.
    fn set_first_row_of_b(&mut self, row: &[f32]) -> Result<(), JobError>;
    fn snapshot(&mut self, rows: Range<usize>) -> Result<Self::Snapshot, JobError>;
    fn read(&self, snapshot: &Self::Snapshot) -> Result<Array2<f32>, JobError>;
}

struct Evidence<S> {
    rows: Range<usize>,
    snapshot: S,
}

struct Multiplying<E: Engine> {
    engine: E,
    shape: Shape,
    seed: Seed,
    a: Array2<f32>,
    b: Array2<f32>,
    /// Batches are parts of C, or all of it `repeats` times.
    parts: Vec<Range<usize>>,
    repeats: usize,
    next_part: usize,
    /// Parts in flight.
    in_flight: VecDeque<usize>,
    last_done: Option<usize>,
    windows: Vec<Evidence<E::Snapshot>>,
}

impl<E: Engine> Multiplying<E> {
    fn new(engine: E, shape: Shape, seed: Seed, a: Array2<f32>, b: Array2<f32>) -> Self {
        Multiplying {
            engine,
            shape,
            seed,
            a,
            b,
            parts: Vec::new(),
            repeats: 1,
            next_part: 0,
            in_flight: VecDeque::new(),
            last_done: None,
            windows: Vec::new(),
        }
    }

    /// Cuts C into about `count` parts of equal height.
    fn cut(&mut self, count: usize) -> Result<(), JobError> {
        let height = self.shape.m.div_ceil(count).next_multiple_of(self.engine.row_granule());
        self.parts = (0..self.shape.m)
            .step_by(height)
            .map(|first| first..(first + height).min(self.shape.m))
            .collect();
        self.next_part = 0;
        self.engine.set_parts(&self.parts)
    }

    /// The first row of B in a window.
    fn first_row_of_b(&self, window: u32) -> Vec<f32> {
        self.seed.tensor(&format!("B, first row of window {window}")).values(self.shape.n)
    }

    fn signs(&self, window: u32) -> Vec<bool> {
        self.seed.coins(&format!("signs {window}"), self.shape.n)
    }
}

impl<E: Engine> Job for Multiplying<E> {
    fn verify(&mut self) -> Result<Verdict, JobError> {
        // In parts at first: a whole product may last too long for a watchdog.
        self.cut(self.shape.m.div_ceil(self.engine.row_granule()).min(64))?;
        self.engine.poison()?;
        for part in 0..self.parts.len() {
            self.engine.submit(part, 1)?;
            self.engine.wait()?;
        }
        let snapshot = self.engine.snapshot(0..self.shape.m)?;
        let c = self.engine.read(&snapshot)?;
        // Element by element on some rows, always the first and the last; in sum on all.
        let budget = (1usize << 27) / (self.shape.n * self.shape.k).max(1);
        let rows = budget.clamp(2, 16).min(self.shape.m);
        let sample: Vec<usize> =
            (0..rows).map(|i| i * (self.shape.m - 1) / rows.saturating_sub(1).max(1)).collect();
        let (a, c_rows) = (self.a.select(Axis(0), &sample), c.select(Axis(0), &sample));
        let sampled = oracle::judge_rows(a.view(), self.b.view(), c_rows.view());
        let signs = self.seed.coins("signs", self.shape.n);
        Ok(sampled.and(oracle::freivalds(self.a.view(), self.b.view(), c.view(), &signs)))
    }

    fn kernel(&self) -> Option<&Kernel> {
        self.engine.kernel()
    }

    fn resize(&mut self, factor: f64) {
        let products = factor * self.repeats as f64 / self.parts.len() as f64;
        self.repeats = (products.round() as usize).max(1);
        let most = self.shape.m.div_ceil(self.engine.row_granule());
        let parts = ((1.0 / products).round() as usize).clamp(1, most);
        // A device that fails here fails again at the next submit, which reports it.
        let _ = self.cut(parts);
    }

    fn submit(&mut self) -> Result<(), JobError> {
        let part = self.next_part;
        self.engine.submit(part, self.repeats)?;
        self.in_flight.push_back(part);
        self.next_part = (part + 1) % self.parts.len();
        Ok(())
    }

    fn wait(&mut self) -> Result<Batch, JobError> {
        let part = self.in_flight.pop_front().expect("a batch is in flight");
        let gpu_seconds = self.engine.wait()?;
        self.last_done = Some(part);
        let Work(once) = self.shape.work(self.parts[part].len());
        Ok(Batch { work: Work(once * self.repeats as u64), gpu_seconds })
    }

    fn open_window(&mut self, window: u32) -> Result<(), JobError> {
        self.windows.truncate(window as usize);
        self.engine.poison()?;
        self.engine.set_first_row_of_b(&self.first_row_of_b(window))
    }

    fn close_window(&mut self) -> Result<(), JobError> {
        let part = self.last_done.expect("a window has at least one batch");
        let part = self.parts[part].clone();
        let rows = (EVIDENCE_BYTES / (4 * self.shape.n)).clamp(1, part.len());
        let rows = part.end - rows..part.end;
        let snapshot = self.engine.snapshot(rows.clone())?;
        self.windows.push(Evidence { rows, snapshot });
        Ok(())
    }

    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError> {
        let row = self.first_row_of_b(window);
        self.b.row_mut(0).assign(&ndarray::ArrayView1::from(&row));
        let Evidence { rows, snapshot } = &self.windows[window as usize];
        let c = self.engine.read(snapshot)?;
        let a = self.a.slice(s![rows.clone(), ..]);
        Ok(oracle::freivalds(a, self.b.view(), c.view(), &self.signs(window)))
    }

    fn proof(&self, _: usize) -> Option<Proof> {
        None
    }
}
