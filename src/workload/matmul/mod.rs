//! Matrix products C = A·B for inference: `gemm` with many rows of activations, `gemv` with one. Weights in f32, f16, int8 or int4, for
//! any M, N, K, and the two transposed products of training.

mod cpu;
mod data;
mod gpu;
mod job;
mod layout;
pub mod native;
mod packed;
mod proof;
mod shape;
mod spec;

pub use cpu::CpuEngine;
pub use data::{Matrix, Operands};
pub use gpu::GpuEngine;
pub use job::{Engine, MatmulJob};
pub use layout::{Layout, Raw};
pub use packed::padded;
pub use proof::{Element, Elements};
pub use shape::{Region, Shape};
pub use spec::judge;
pub(super) use spec::parse;

use super::{Id, Intensity, PreparedJob, Seed, Target, Variant, Workload, gpu_variants};
use crate::device::{Class, Device, memory};
use crate::kernels::{self, Entry, Kernel, KernelError};
use crate::model::Type;
use crate::units::Bytes;

struct Matmul {
    id: Id,
    shape: Shape,
    a: Type,
    b: Type,
    /// The operand that is column-major, as in a training step: `a` (dW = Xᵀ·dY) or `b` (dX = dY·Wᵀ).
    transpose: Option<&'static str>,
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

    fn build(&self, entry: &'static Entry) -> Result<Kernel, KernelError> {
        Kernel::matmul(entry, self.a.bits(), self.b.bits())
    }
}

impl Workload for Matmul {
    fn id(&self) -> Id {
        self.id
    }

    fn arguments(&self) -> String {
        let Shape { m, n, k } = self.shape;
        let shape = if self.id == Id::Gemv { format!("{n}x{k}") } else { format!("{m}x{n}x{k}") };
        let mut text = format!("{shape}:{}", self.b.into_str());
        if self.a != spec::default_activations(self.b) {
            text += &format!(":activations={}", self.a.into_str());
        }
        text + &self.transpose.map(|side| format!(":transpose={side}")).unwrap_or_default()
    }

    fn shape(&self) -> super::Shape {
        let Shape { m, n, k } = self.shape;
        super::Shape {
            m: Some(m as u64),
            n: Some(n as u64),
            k: Some(k as u64),
            weights: Some(self.b.into_str().to_string()),
            activations: Some(self.a.into_str().to_string()),
            transpose: self.transpose.map(str::to_string),
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
                packed::Blocking::new(gpu, &self.build(entry).ok()?, self.shape).err()
            }
            (_, Some(_)) => None,
            (_, None) => Some("rigbench has no kernel for it that runs on this device".into()),
        }
    }

    fn variants(&self, target: &Target) -> Vec<Variant> {
        match target {
            Target::Gpu(gpu) => {
                let side = self.transpose.map(|side| format!("-transposed-{side}"));
                let workload = format!("{}{}", self.id, side.unwrap_or_default());
                let (a, b) = (self.a.bits(), self.b.bits());
                let entries = kernels::of_workload(&workload)
                    .filter(|e| e.takes.a.contains(&a) && e.takes.b.contains(&b));
                gpu_variants(gpu, entries, |entry| self.build(entry))
            }
            // CPU kernels pack the weights before the product is timed, so a transposed layout would make no difference.
            Target::Cpu(_) if self.transpose.is_none() => vec![Variant::Cpu(native::id())],
            Target::Cpu(_) => Vec::new(),
        }
    }

    fn prepare(&self, target: &Target, variant: &Variant, seed: Seed) -> PreparedJob {
        target.ensure_memory(self.host_bytes(target.device()))?;
        let operands = Operands::new(seed, self.shape, self.a, self.b);
        let copies = self.copies(target.device());
        Ok(match (target, variant) {
            (Target::Gpu(gpu), Variant::Gpu(entry)) => {
                let engine = gpu::GpuEngine::new(gpu, self.build(entry)?, &operands, copies)?;
                Box::new(MatmulJob::new(engine, operands, copies))
            }
            _ => {
                let engine = cpu::CpuEngine::new(&operands, copies);
                Box::new(MatmulJob::new(engine, operands, copies))
            }
        })
    }
}
