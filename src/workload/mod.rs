//! Workloads: what is run, with shape and unit of work. A workload lists its variants for a device and prepares one as a job; the job
//! runs batches and checks their outputs.

/// Defines always inlined unsafe methods of SIMD vectors.
macro_rules! inline_always {
    ($(fn $name:ident $(<$(const $n:ident: $kind:ty),*>)? ($($arguments:tt)*) $(-> $result:ty)? $body:block)*) => {
        $(
            #[inline(always)]
            unsafe fn $name $(<$(const $n: $kind),*>)? ($($arguments)*) $(-> $result)? $body
        )*
    };
}

pub mod ceiling;
pub mod data;
pub mod decoder;
mod description;
pub mod matmul;
pub mod sha256d;
mod spec;

pub use description::{Description, Id, Intensity, Shape};
pub use spec::parse;

use crate::device::Device;
use crate::device::memory::{self, InsufficientMemory};
use crate::gpu::{Buffer, Gpu, GpuError};
use crate::kernels::{Arithmetic, Entry, Kernel, KernelError};
use crate::oracle::Verdict;
use crate::units::{Bytes, Seconds, Unit, Work};
use data::Seed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An invalid spec, in one line that says what to write instead.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SpecError(pub String);

/// `did you mean 'int8'? known: f32, f16, int8, int4`, without the question if nothing is similar.
fn nearest(word: &str, known: &[&str]) -> String {
    format!("{}known: {}", question(word, known), known.join(", "))
}

/// The message on a name that is not known.
fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    format!("{what} '{name}' is not known; {}", nearest(name, known))
}

fn question(word: &str, known: &[&str]) -> String {
    let similarity = |name: &&&str| (strsim::jaro_winkler(word, name) * 1000.0) as u32;
    // The first of equally similar names.
    let closest = known.iter().rev().max_by_key(similarity).filter(|name| similarity(name) > 700);
    closest.map(|name| format!("did you mean '{name}'? ")).unwrap_or_default()
}

/// Batches in flight, so that the device does not idle while the host checks the last one.
pub const DEPTH: usize = 3;

/// An opened device.
#[derive(Clone)]
pub enum Target {
    /// The CPU.
    Cpu(Box<Device>),
    /// A GPU.
    Gpu(Gpu),
}

impl Target {
    /// Opens a device.
    ///
    /// # Errors
    /// If its driver fails.
    pub fn open(device: &Device) -> Result<Target, GpuError> {
        match &device.gpu {
            Some(_) => Gpu::open(device).map(Target::Gpu),
            None => Ok(Target::Cpu(Box::new(device.clone()))),
        }
    }

    /// Reopens a lost device, for work after the work that lost it.
    ///
    /// # Errors
    /// If its driver fails.
    pub fn reopen_if_lost(&mut self) -> Result<(), GpuError> {
        if self.is_lost() {
            *self = Target::open(&self.device().clone())?;
        }
        Ok(())
    }

    /// Whether the device was lost since it was opened.
    pub fn is_lost(&self) -> bool {
        matches!(self, Target::Gpu(gpu) if gpu.is_lost())
    }

    /// Frees everything that was dropped before, then checks that the machine has `needed` bytes of memory available.
    ///
    /// # Errors
    /// If memory is missing, or the device fails.
    fn ensure_memory(&self, needed: Bytes) -> Result<(), JobError> {
        if let Target::Gpu(gpu) = self {
            gpu.flush()?;
        }
        Ok(memory::check_now(needed)?)
    }

    /// The device's description.
    pub fn device(&self) -> &Device {
        match self {
            Target::Cpu(device) => device,
            Target::Gpu(gpu) => gpu.description(),
        }
    }
}

/// One way to run a workload on a device.
#[derive(Clone, Debug)]
pub enum Variant {
    /// A WGSL kernel of the table.
    Gpu(&'static Entry),
    /// Native code, by its name in results.
    Cpu(&'static str),
    /// A set of decoder kernels.
    Decoder(&'static decoder::gpu::KernelSet),
}

impl Variant {
    /// Name in results.
    pub fn id(&self) -> &'static str {
        match self {
            Variant::Gpu(entry) => entry.id,
            Variant::Cpu(id) => id,
            Variant::Decoder(set) => set.id,
        }
    }

    /// Whether a driver may choose a subgroup size that a kernel of it is not written for.
    pub fn may_change_subgroups(&self, gpu: &Gpu) -> bool {
        let Variant::Gpu(entry) = self else { return false };
        Kernel::all(entry).is_ok_and(|all| all.iter().any(|k| gpu.may_change_subgroups(k)))
    }
}

/// Variants whose kernels build and run on this GPU.
fn gpu_variants(
    gpu: &Gpu,
    entries: impl Iterator<Item = &'static Entry>,
    build: impl Fn(&'static Entry) -> Result<Kernel, KernelError>,
) -> Vec<Variant> {
    let runs = |entry: &&'static Entry| build(entry).is_ok_and(|k| gpu.lacks(&k).is_none());
    entries.filter(runs).map(Variant::Gpu).collect()
}

/// A buffer of NaN, to poison others with.
fn nan_buffer(gpu: &Gpu, bytes: u64) -> Result<Buffer, GpuError> {
    let nan = gpu.storage(bytes)?;
    gpu.write(&nan, 0, &vec![f32::NAN; bytes as usize / 4])?;
    Ok(nan)
}

/// A workload that a user can name.
pub trait Workload {
    /// Kind of workload.
    fn id(&self) -> Id;
    /// Unit of work.
    fn unit(&self) -> Unit {
        self.id().unit()
    }
    /// Shape and type as on the command line, `1024x1024x1024:f32`; empty if it has none.
    fn arguments(&self) -> String {
        String::new()
    }
    /// Shape as numbers.
    fn shape(&self) -> Shape {
        Shape::default()
    }
    /// Arithmetic intensity; `None` if the workload is neither compute- nor bandwidth-bound.
    fn intensity(&self, _: &Device) -> Option<Intensity> {
        None
    }
    /// Whether the batch length is fixed, as for a decoder step.
    fn has_fixed_batches(&self) -> bool {
        false
    }
    /// Why the device does not support it, with the limit; `None` if it does.
    fn unsupported(&self, _: &Target) -> Option<String> {
        None
    }
    /// Variants for the device, default first.
    fn variants(&self, target: &Target) -> Vec<Variant>;
    /// Compiles a variant and prepares its data.
    ///
    /// # Errors
    /// If the device fails.
    fn prepare(&self, target: &Target, variant: &Variant, seed: Seed) -> PreparedJob;

    /// Full spec as on the command line: `gemm:1024x1024x1024:f32`.
    fn spec(&self) -> String {
        match self.arguments() {
            none if none.is_empty() => self.id().to_string(),
            arguments => format!("{}:{arguments}", self.id()),
        }
    }

    /// The spec with the path of a model's file, as this machine's command line takes it.
    fn command_spec(&self) -> String {
        self.spec()
    }

    /// Its description in results.
    fn describe(&self, device: &Device) -> Description {
        Description {
            id: self.id(),
            spec: self.spec(),
            unit: self.unit(),
            shape: self.shape(),
            intensity: self.intensity(device),
        }
    }
}

/// A job, or why it cannot be prepared.
pub type PreparedJob = Result<Box<dyn Job>, JobError>;

/// A workload that is ready to run. Batches run in submission order.
///
/// # Errors
/// Of every method: if the device fails.
pub trait Job {
    /// Runs the kernel once over the whole problem and compares its output with the oracle. Not timed; no batch is in flight before or
    /// after.
    fn verify(&mut self) -> Result<Verdict, JobError>;
    /// The WGSL kernel, for the record; `None` for native code.
    fn kernel(&self) -> Option<&Kernel> {
        None
    }
    /// Arithmetic of its multiplications, if any.
    fn arithmetic(&self) -> Option<Arithmetic> {
        None
    }
    /// Scales the length of later batches by about `factor`, within the job's limits. No batch may be in flight.
    fn resize(&mut self, factor: f64);
    /// Submits one batch; at most [`DEPTH`] may be in flight.
    fn submit(&mut self) -> Result<(), JobError>;
    /// Blocks until the oldest batch is done.
    fn wait(&mut self) -> Result<Batch, JobError>;
    /// Poisons the output and changes part of the input, so that only work of this window passes its check. Windows are numbered from 0;
    /// batches between windows belong to none.
    fn open_window(&mut self, window: u32) -> Result<(), JobError>;
    /// Saves the window's output.
    fn close_window(&mut self) -> Result<(), JobError>;
    /// Judges the saved output of a closed window, once.
    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError>;
    /// What a third party needs to check the work of the first `windows` windows; `None` if the workload has no proof.
    fn proof(&self, _windows: usize) -> Option<Proof> {
        None
    }
}

/// Proof of work, for the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Proof {
    /// Hashes below a target.
    Shares(sha256d::Shares),
    /// Elements of a matrix product. They show that it is right, not how often it was computed.
    Elements(matmul::Elements),
    /// Tokens that windows generated. They show that the model answers so, not how often it was asked.
    Answers(decoder::Answers),
}

/// A finished batch.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// Work of the requested shape, without padding.
    pub work: Work,
    /// Time on the device's clock, if it supports timestamps.
    pub gpu_seconds: Option<Seconds>,
}

/// A job failed. Its row fails; the run continues.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The GPU failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// The kernel does not build.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The decoder cannot be prepared, or cannot continue.
    #[error(transparent)]
    Decoder(#[from] decoder::EngineError),
    /// The machine has too little memory.
    #[error(transparent)]
    InsufficientMemory(#[from] InsufficientMemory),
    /// The output cannot be right.
    #[error("wrong output: {0}")]
    Wrong(String),
}

impl JobError {
    /// Whether the device does not support the workload, rather than having failed.
    pub fn is_unsupported(&self) -> bool {
        use decoder::EngineError as Decoder;
        match self {
            JobError::Gpu(error) | JobError::Decoder(Decoder::Gpu(error)) => {
                matches!(error, GpuError::OutOfMemory(_) | GpuError::TooLarge(_))
            }
            JobError::Decoder(error) => matches!(
                error,
                Decoder::TooLarge { .. } | Decoder::Full { .. } | Decoder::Unsupported(_)
            ),
            JobError::InsufficientMemory(_) => true,
            JobError::Kernel(_) | JobError::Wrong(_) => false,
        }
    }
}
