//! Measures a job, block after block: rest, warm up, then contiguous windows in which work, wall time, processor time and
//! energy are taken together. Between the blocks of one job others have theirs. Prints nothing; tells its caller of
//! every step and stops when the caller says so.

mod evidence;
mod latency;
mod measuring;
mod protocol;
mod pump;
pub mod stats;
mod steady;
mod telemetry;
mod trials;

pub use evidence::{Block, Blocks, Measurement, Verification, Window, Windows};
pub use latency::Latency;
pub use measuring::{Measuring, measure};
pub use protocol::{Mode, Protocol, window_share};
pub use pump::size;
pub use telemetry::{BoardTelemetry, Observer, Sample, Telemetry};
pub use trials::{interleave, trial};

use crate::workload::JobError;

/// What the caller is told while a job is measured.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Kernels are tried against each other; so much of it is over, from 0 to 1.
    Tuning(f64),
    /// The kernel's output is compared with the oracle's.
    Verifying,
    /// Nothing runs, so that one block's heat does not burden the next.
    Resting,
    /// Throughput is brought to a steady state.
    WarmingUp,
    /// A batch is done; so much of the block's time is over, from 0 to 1.
    Progress(f64),
    /// A window is finished: its number from 1, how many there will be, units of work a second.
    Window(usize, usize, f64),
    /// The windows' outputs are checked.
    Checking,
    /// A meter is late: readings of the last block are still to come.
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
    /// Every kernel that could run it failed, for several reasons.
    #[error("no kernel runs here: {0}")]
    NoKernel(String),
    /// The caller said stop.
    #[error("interrupted")]
    Interrupted,
}
