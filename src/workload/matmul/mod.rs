//! Matrix products C = A·B for inference: `gemm` with many rows of activations, `gemv` with one. Weights in f32, f16, int8 or int4, for
//! any M, N, K, and the two transposed products of training.

mod cpu;
mod data;
#[cfg(test)]
mod faults;
mod gpu;
mod job;
mod layout;
pub(super) mod native;
mod packed;
mod proof;
mod spec;

pub use proof::{Element, Elements};
pub(super) use spec::{GEMM_EXAMPLE, GEMV_EXAMPLE, gemm, gemv};

use super::{Id, Intensity, Job, JobError, Seed, SpecError, Target, Variant, Workload};
use crate::device::{Class, Device, memory};
use crate::kernels::{self, Entry, Kernel};
use crate::oracle::Verdict;
use crate::units::{Bytes, Unit, Work};
use data::Operands;
use half::f16;
use std::ops::Range;

/// Terms of a column of B, or of a row of A, that share a scale in an integer type.
const GROUP: usize = 32;

/// C is M×N, the dot products have K terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    m: usize,
    n: usize,
    k: usize,
}

/// Storage type of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    F32,
    F16,
    Int8,
    Int4,
}

impl Type {
    const ALL: [Type; 4] = [Type::F32, Type::F16, Type::Int8, Type::Int4];

    fn name(self) -> &'static str {
        match self {
            Type::F32 => "f32",
            Type::F16 => "f16",
            Type::Int8 => "int8",
            Type::Int4 => "int4",
        }
    }

    fn bits(self) -> u32 {
        match self {
            Type::F32 => 32,
            Type::F16 => 16,
            Type::Int8 => 8,
            Type::Int4 => 4,
        }
    }

    /// Whether values are integers with a scale per group.
    fn scaled(self) -> bool {
        matches!(self, Type::Int8 | Type::Int4)
    }

    /// Integer steps per standard deviation: about what scaling a group's largest value to the type's range gives.
    fn spread(self) -> f32 {
        match self {
            Type::F32 | Type::F16 => 1.0,
            Type::Int8 => 48.0,
            Type::Int4 => 3.0,
        }
    }

    /// Stored bits of `value`, which has standard deviation 1; integer types are scaled afterwards.
    #[inline]
    fn encode(self, value: f32) -> u32 {
        /// Adding and subtracting it rounds a value below 2^22 to the nearest integer, ties to even. Without a rounding instruction in
        /// the target, `f32::round_ties_even` would be a function call per element.
        const ROUND: f32 = (3 << 22) as f32;
        let integer = |low: i32, high: i32| {
            let rounded = (value * self.spread() + ROUND) - ROUND;
            (rounded as i32).clamp(low, high)
        };
        match self {
            Type::F32 => value.to_bits(),
            Type::F16 => f16::from_f32(value).to_bits().into(),
            Type::Int8 => integer(-127, 127) as u32 & 0xff,
            Type::Int4 => (integer(-8, 7) + 8) as u32,
        }
    }

    /// The value of stored bits. Exact: a product of an integer and an f16 fits an f32.
    #[inline]
    fn decode(self, raw: u32, scale: impl FnOnce() -> f32) -> f32 {
        match self {
            Type::F32 => f32::from_bits(raw),
            Type::F16 => f16::from_bits(raw as u16).to_f32(),
            Type::Int8 => f32::from(raw as u8 as i8) * scale(),
            Type::Int4 => (raw as f32 - 8.0) * scale(),
        }
    }

    /// Bytes of a matrix of `lines` × `terms` elements with its scales.
    fn bytes(self, lines: usize, terms: usize) -> u64 {
        let (lines, terms) = (lines as u64, terms as u64);
        let scales = if self.scaled() { 2 * lines * terms.div_ceil(GROUP as u64) } else { 0 };
        (lines * terms * u64::from(self.bits())).div_ceil(8) + scales
    }
}

/// Which operand is stored transposed, as in a training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transposed {
    /// Neither: Y = X·W.
    None,
    /// A is column-major: dW = Xᵀ·dY.
    A,
    /// B is column-major: dX = dY·Wᵀ.
    B,
}

/// A part of C.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Block {
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Block {
    fn area(&self) -> usize {
        self.rows.len() * self.columns.len()
    }
}

struct Matmul {
    id: Id,
    shape: Shape,
    a: Type,
    b: Type,
    transposed: Transposed,
    /// The model layer that the spec named, if any.
    layer: Option<String>,
}

/// With fewer rows of activations than this, copies of the weights are used in turn, so that weights are read from memory for every
/// product, as in a model.
const ROTATED_BELOW_ROWS: usize = 16;
/// Total size of the copies of the weights, in last-level caches.
const CACHES: u64 = 4;
/// Temporary memory of packing, staging and the oracle, in bytes.
const WORKING: u64 = 256 << 20;
/// Maximum copies of the weights: small ones may still fit a large cache.
const MAX_COPIES: usize = 1 << 8;

impl Matmul {
    /// Whether the weights are read from memory for every product, as in a model that decodes.
    fn rotates(&self) -> bool {
        self.shape.m < ROTATED_BELOW_ROWS
    }

    /// Number of copies of the weights, such that no cache holds all of them.
    fn copies(&self, device: &Device) -> usize {
        if !self.rotates() {
            return 1;
        }
        let all = CACHES * device.last_level_cache().0;
        (all.div_ceil(self.b.bytes(self.shape.n, self.shape.k).max(1)) as usize)
            .clamp(1, MAX_COPIES)
    }

    /// Main memory needed: the data, unless the GPU has its own memory, and C during verification.
    fn host_bytes(&self, device: &Device) -> Bytes {
        let (Shape { m, n, k }, copies) = (self.shape, self.copies(device) as u64);
        let c = 4 * m as u64 * n as u64;
        // The CPU's kernels take A in f32 or int8.
        let a = match (device.class, self.a) {
            (Class::Cpu, Type::F32 | Type::F16 | Type::Int4) => 4 * m as u64 * k as u64,
            _ => self.a.bytes(m, k),
        };
        let data =
            if device.class.uses_main_memory() { a + self.b.bytes(n, k) * copies + c } else { 0 };
        // A snapshot of C and two copies on the host, and the first output if those of other copies of the weights are compared with it.
        let verified = if copies > 1 { 4 * c } else { 3 * c };
        Bytes(data + verified + WORKING)
    }

    /// Prefix of its kernels in the table.
    fn kernels(&self) -> String {
        match self.transposed {
            Transposed::None => self.id.to_string(),
            Transposed::A => format!("{}-transposed-a", self.id),
            Transposed::B => format!("{}-transposed-b", self.id),
        }
    }

    /// Kernels that support its types, default first.
    fn entries(&self) -> impl Iterator<Item = &'static Entry> {
        let (a, b) = (self.a.bits(), self.b.bits());
        let takes = move |e: &&Entry| e.takes.a.contains(&a) && e.takes.b.contains(&b);
        kernels::of_workload(&self.kernels()).filter(takes).collect::<Vec<_>>().into_iter()
    }

    fn build(&self, entry: &'static Entry) -> Result<Kernel, JobError> {
        Ok(Kernel::matmul(entry, self.a.bits(), self.b.bits())?)
    }
}

impl Workload for Matmul {
    fn id(&self) -> Id {
        self.id
    }

    fn unit(&self) -> Unit {
        Unit::Flop
    }

    fn arguments(&self) -> String {
        spec::write(self)
    }

    fn shape(&self) -> super::Shape {
        let Shape { m, n, k } = self.shape;
        let transpose = match self.transposed {
            Transposed::None => None,
            Transposed::A => Some("a".to_string()),
            Transposed::B => Some("b".to_string()),
        };
        super::Shape {
            m: Some(m as u64),
            n: Some(n as u64),
            k: Some(k as u64),
            weights: Some(self.b.name().to_string()),
            activations: Some(self.a.name().to_string()),
            transpose,
            layer: self.layer.clone(),
            ..super::Shape::default()
        }
    }

    fn intensity(&self, device: &Device) -> Option<Intensity> {
        let Shape { m, n, k } = self.shape;
        let bytes = self.a.bytes(m, k) + self.b.bytes(n, k) + 4 * (m * n) as u64;
        Some(Intensity {
            operations_per_unit: 1.0,
            bytes_per_unit: bytes as f64 / (2.0 * m as f64 * n as f64 * k as f64),
            from_memory: self.rotates() && self.copies(device) < MAX_COPIES,
        })
    }

    fn unsupported(&self, target: &Target) -> Option<String> {
        if let Err(why) = memory::check(self.host_bytes(target.device())) {
            return Some(why.to_string());
        }
        let variants = self.variants(target);
        match (target, variants.first()) {
            // Only the default variant is checked; a kernel that does not build fails when it is prepared.
            (Target::Gpu(gpu), Some(Variant::Gpu(entry))) => {
                packed::Cut::new(gpu, &self.build(entry).ok()?, self.shape).err()
            }
            (_, Some(_)) => None,
            (_, None) => Some("rigbench has no kernel for it that runs on this device".into()),
        }
    }

    fn variants(&self, target: &Target) -> Vec<Variant> {
        match target {
            Target::Gpu(gpu) => self
                .entries()
                .filter(|e| self.build(e).is_ok_and(|kernel| gpu.lacks(&kernel).is_none()))
                .map(Variant::Gpu)
                .collect(),
            // CPU kernels pack the weights before the product is timed, so a transposed layout would make no difference.
            Target::Cpu(_) if self.transposed == Transposed::None => cpu::variants(),
            _ => Vec::new(),
        }
    }

    fn prepare(
        &self,
        target: &Target,
        variant: &Variant,
        seed: Seed,
    ) -> Result<Box<dyn Job>, JobError> {
        target.room(self.host_bytes(target.device()))?;
        let operands = Operands::new(seed, self.shape, self.a, self.b);
        let copies = self.copies(target.device());
        Ok(match (target, variant) {
            (Target::Gpu(gpu), Variant::Gpu(entry)) => {
                let engine = gpu::GpuEngine::new(gpu, self.build(entry)?, &operands, copies)?;
                Box::new(job::Multiplying::new(engine, operands, copies))
            }
            _ => {
                let engine = cpu::CpuEngine::new(&operands, copies);
                Box::new(job::Multiplying::new(engine, operands, copies))
            }
        })
    }
}

/// Judges the recorded elements of a row with this spec and seed. Recomputes as many as have no more than `most_terms` terms in total.
///
/// # Errors
/// If the spec is not a matrix product.
pub fn judge(
    spec: &str,
    seed: Seed,
    windows: usize,
    elements: &Elements,
    most_terms: u64,
) -> Result<Verdict, SpecError> {
    let product = spec::product(spec)?;
    let operands = Operands::new(seed, product.shape, product.a, product.b);
    Ok(elements.judge(&operands, windows, most_terms))
}

impl Shape {
    /// FLOP of a part of C: a multiplication and an addition per term.
    fn work(&self, block: &Block) -> Work {
        Work(2 * block.area() as u64 * self.k as u64)
    }

    /// All of C.
    fn whole(&self) -> Block {
        Block { rows: 0..self.m, columns: 0..self.n }
    }
}
