//! Measures a job, block by block: cool-down, warm-up, then contiguous windows with their work, wall time, CPU time and energy. Blocks of
//! several jobs are interleaved. Prints nothing; reports every step to its caller, which can interrupt.

mod evidence;
mod latency;
mod measuring;
mod protocol;
mod pump;
pub mod stats;
mod steady;
mod telemetry;

pub use evidence::{Block, Blocks, Measurement, Verification, Window, Windows};
pub use latency::Latency;
pub use measuring::{Measurer, OnEvent, measure};
pub use protocol::{Mode, Protocol, window_share};
pub use pump::{calibrate_batch, interleave, trial};
pub use steady::Steady;
pub use telemetry::{BoardTelemetry, Observer, Sample, Telemetry};

use crate::workload::JobError;

/// Progress of a measurement.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Kernels are being tuned; completed share, 0 to 1.
    Tuning(f64),
    /// The kernel's output is compared with the oracle's.
    Verifying,
    /// Cool-down: the device is idle, so that heat of one block does not affect the next.
    Resting,
    /// Warm-up to a steady state.
    WarmingUp,
    /// A batch is done; completed share of the block, 0 to 1.
    Progress(f64),
    /// A window is done: its number from 1, the expected number of windows, units of work per second.
    Window(usize, usize, f64),
    /// Outputs of the windows are checked.
    Checking,
    /// A meter lags: readings of the last block are still missing.
    AwaitingMeter,
}

/// Why a job has no measurement.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The kernel's output is wrong; it was not timed.
    #[error("its output is wrong and it was not timed: {0}")]
    Wrong(String),
    /// The job failed.
    #[error(transparent)]
    Job(#[from] JobError),
    /// All kernels failed, for several reasons.
    #[error("no kernel runs here: {0}")]
    NoKernel(String),
    /// The driver ended the process that verified the kernel; how.
    #[error("the driver crashed: {0}")]
    Crashed(String),
    /// The caller interrupted.
    #[error("interrupted")]
    Interrupted,
}
