//! Why a row or a kernel's trial has no figure.

use crate::gpu::GpuError;
use crate::measure::MeasureError;
use crate::workload::JobError;
use crate::workload::decoder::EngineError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why there is no figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Kind of failure.
    pub code: FailureCode,
    /// Message, including the driver's.
    pub message: String,
}

/// Kind of failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureCode {
    /// The machine or the device has too little memory.
    OutOfMemory,
    /// A limit of the device is exceeded.
    Limit,
    /// No kernel of rigbench supports it there, or the type of model is not supported.
    NotImplemented,
    /// The output is wrong.
    WrongOutput,
    /// The device was lost, or its driver failed.
    Driver,
    /// The driver ended the process that verified the kernel.
    Crashed,
    /// The kernel does not compile.
    Kernel,
    /// All kernels failed, for several reasons.
    NoKernel,
    /// The code of a newer version.
    #[serde(untagged)]
    #[schemars(skip)]
    Newer(String),
}

impl Failure {
    /// Creates a failure.
    pub fn new(code: FailureCode, message: impl ToString) -> Failure {
        Failure { code, message: message.to_string() }
    }
}

impl From<&MeasureError> for Failure {
    fn from(error: &MeasureError) -> Failure {
        let code = match error {
            MeasureError::Wrong(_) => FailureCode::WrongOutput,
            MeasureError::Job(job) => return Failure { message: error.to_string(), ..job.into() },
            MeasureError::NoKernel(_) => FailureCode::NoKernel,
            MeasureError::Crashed(_) => FailureCode::Crashed,
            MeasureError::Interrupted => FailureCode::Driver,
        };
        Failure::new(code, error)
    }
}

impl From<&JobError> for Failure {
    fn from(error: &JobError) -> Failure {
        let code = match error {
            JobError::Gpu(error) | JobError::Decoder(EngineError::Gpu(error)) => match error {
                GpuError::OutOfMemory(_) => FailureCode::OutOfMemory,
                GpuError::TooLarge(_) => FailureCode::Limit,
                _ => FailureCode::Driver,
            },
            JobError::Kernel(_) => FailureCode::Kernel,
            JobError::Decoder(EngineError::TooLarge { .. }) => FailureCode::Limit,
            JobError::Decoder(EngineError::Full { .. }) => FailureCode::OutOfMemory,
            JobError::Decoder(EngineError::Unsupported(_)) => FailureCode::NotImplemented,
            JobError::Decoder(_) => FailureCode::Driver,
            JobError::InsufficientMemory(_) => FailureCode::OutOfMemory,
            JobError::Wrong(_) => FailureCode::WrongOutput,
        };
        Failure::new(code, error)
    }
}
