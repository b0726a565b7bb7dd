//! Workloads: what is run, with its shape and its unit of work. A workload names its variants for a device and
//! prepares one as a job; the job runs batches and answers for their outputs.

pub mod data;
pub mod decoder;
mod description;
pub mod matmul;
mod roof;
pub mod sha256d;
mod spec;

pub use description::{Description, Id, Intensity, Shape};
pub use spec::{SpecError, parse};

use crate::device::Device;
use crate::device::memory::{self, NoRoom};
use crate::gpu::{Gpu, GpuError};
use crate::kernels::{Arithmetic, Entry, Kernel, KernelError};
use crate::oracle::Verdict;
use crate::units::{Bytes, Seconds, Unit, Work};
use data::Seed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Batches that stay in flight, so that the device has work while the host looks at the last one.
pub const DEPTH: usize = 3;

/// A device that is open for work.
#[derive(Clone)]
pub enum Target {
    /// The native processor.
    Cpu(Box<Device>),
    /// A GPU.
    Gpu(Gpu),
}

impl Target {
    /// Opens a device.
    ///
    /// # Errors
    /// If its driver refuses.
    pub fn open(device: &Device) -> Result<Target, GpuError> {
        match &device.gpu {
            Some(_) => Gpu::open(device).map(Target::Gpu),
            None => Ok(Target::Cpu(Box::new(device.clone()))),
        }
    }

    /// Opens the device again if it was lost, for work that comes after the work that lost it.
    ///
    /// # Errors
    /// If its driver refuses.
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

    /// Makes sure that the machine has memory for what a workload takes of it, with all freed that was dropped before.
    ///
    /// # Errors
    /// How much is missing, or that the device fails.
    fn room(&self, needed: Bytes) -> Result<(), JobError> {
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
    /// The kernels of a decoder, put together in one way.
    Decoder(&'static decoder::gpu::Choice),
}

impl Variant {
    /// Name in results.
    pub fn id(&self) -> &'static str {
        match self {
            Variant::Gpu(entry) => entry.id,
            Variant::Cpu(id) => id,
            Variant::Decoder(choice) => choice.id,
        }
    }
}

/// What a user can ask to be run.
pub trait Workload {
    /// Its kind.
    fn id(&self) -> Id;
    /// The unit of its work.
    fn unit(&self) -> Unit;
    /// Its shape and type as the command line writes them, `1024x1024x1024:f32`; empty if it has none.
    fn arguments(&self) -> String;
    /// Its shape as numbers.
    fn shape(&self) -> Shape;
    /// What a unit of its work must compute and move; none if it is no matter of that.
    fn intensity(&self, _: &Device) -> Option<Intensity> {
        None
    }
    /// Whether a batch has a length of its own, as a token's step has.
    fn has_fixed_batches(&self) -> bool {
        false
    }
    /// Why this device cannot hold it, naming the limit; nothing if it can.
    fn unsupported(&self, target: &Target) -> Option<String>;
    /// Ways to run it there, the default first.
    fn variants(&self, target: &Target) -> Vec<Variant>;
    /// Compiles the variant and lays out its data.
    ///
    /// # Errors
    /// If the device fails.
    fn prepare(
        &self,
        target: &Target,
        variant: &Variant,
        seed: Seed,
    ) -> Result<Box<dyn Job>, JobError>;

    /// The whole spec as the command line writes it: `gemm:1024x1024x1024:f32`.
    fn spec(&self) -> String {
        match self.arguments() {
            none if none.is_empty() => self.id().to_string(),
            arguments => format!("{}:{arguments}", self.id()),
        }
    }

    /// What results say of it.
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

/// A workload that is ready to run. Batches run in the order of their submission.
pub trait Job {
    /// Runs the kernel once over everything and judges its output against the oracle. Not timed; nothing is in
    /// flight before or after.
    ///
    /// # Errors
    /// If the device fails.
    fn verify(&mut self) -> Result<Verdict, JobError>;
    /// The kernel that runs, for the record; none for native code.
    fn kernel(&self) -> Option<&Kernel>;
    /// The arithmetic that it multiplies in, if it does.
    fn arithmetic(&self) -> Option<Arithmetic> {
        None
    }
    /// Makes later batches last about `factor` times as long, within what the job can do. Nothing is in flight.
    fn resize(&mut self, factor: f64);
    /// Hands over one batch; at most [`DEPTH`] may be in flight.
    ///
    /// # Errors
    /// If the device fails.
    fn submit(&mut self) -> Result<(), JobError>;
    /// Blocks until the oldest batch is done.
    ///
    /// # Errors
    /// If the device fails.
    fn wait(&mut self) -> Result<Batch, JobError>;
    /// Poisons the output and changes part of the input, so that only this window's work can pass its check. Windows are
    /// numbered from 0; what runs between two of them belongs to none.
    ///
    /// # Errors
    /// If the device fails.
    fn open_window(&mut self, window: u32) -> Result<(), JobError>;
    /// Keeps what the window put out.
    ///
    /// # Errors
    /// If the device fails.
    fn close_window(&mut self) -> Result<(), JobError>;
    /// Judges what a closed window put out, once.
    ///
    /// # Errors
    /// If the device fails.
    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError>;
    /// What a stranger needs to check the work of the first `windows` windows; none if the workload has no such thing.
    fn proof(&self, windows: usize) -> Option<Proof>;
}

/// What shows that work was done, for the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Proof {
    /// Hashes that met a target.
    Shares(sha256d::Shares),
    /// Elements of a product. They show that it is right, not how often it was computed.
    Elements(matmul::Elements),
    /// Tokens that windows put out. They show that the model answers so, not how often it was asked.
    Answers(decoder::Answers),
}

/// A batch that is done.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// What it did, of the asked shape; padding is not counted.
    pub work: Work,
    /// Time on the device's own clock, where it has one.
    pub gpu_seconds: Option<Seconds>,
}

/// A job that cannot go on. Its row fails; the run goes on.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The GPU failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// The kernel does not build.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The decoder cannot be had, or cannot go on.
    #[error(transparent)]
    Decoder(#[from] decoder::EngineError),
    /// The machine has no memory for it.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// The output cannot be right.
    #[error("wrong output: {0}")]
    Wrong(String),
}

impl JobError {
    /// Whether the device cannot hold or do it, rather than having failed at it.
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
            JobError::NoRoom(_) => true,
            JobError::Kernel(_) | JobError::Wrong(_) => false,
        }
    }
}
