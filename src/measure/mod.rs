//! Measures a job, block after block: rest, warm up, then contiguous windows in which work, wall time, processor time and
//! energy are taken together. Between the blocks of one job others have theirs. Prints nothing; tells its caller of
//! every step and stops when the caller says so.

mod latency;
mod measuring;
mod protocol;
mod pump;
pub mod stats;
mod steady;
mod telemetry;
mod trials;

pub use latency::Latency;
pub use measuring::{Measuring, measure};
pub use protocol::{Mode, Protocol};
pub use pump::size;
pub use telemetry::{Sample, Telemetry, Temperature};
pub use trials::{interleave, trial};

use crate::energy::{Energy, LoadStep};
use crate::units::{Seconds, Work};
use crate::workload::{JobError, Proof};

/// One slice of time.
#[derive(Clone, Debug)]
pub struct Window {
    /// The block that it belongs to, from 0.
    pub block: usize,
    /// Since the row's first window began.
    pub started: Seconds,
    /// From mark to mark.
    pub wall: Seconds,
    /// Processor time of this process, all threads.
    pub cpu: Seconds,
    /// Time on the device's own clock, where it has one.
    pub gpu: Option<Seconds>,
    /// What was done.
    pub work: Work,
    /// The machine's state at the window's end; at its start it is that of the window before.
    pub sample: Sample,
}

/// Windows without gaps between them, and what went before.
#[derive(Clone, Debug)]
pub struct Block {
    /// From idle to load, and from the first window's start to the last one's end, on the meter's clock.
    pub step: LoadStep,
    /// Whether throughput was flat at the end of the warm-up, and temperature and power where they are read.
    pub warm_up_steady: bool,
    /// The machine's state where the first window begins.
    pub at_start: Sample,
}

/// What came of measuring a job.
#[derive(Clone)]
pub struct Measurement {
    /// Outputs that were compared.
    pub verified: Verified,
    /// In order.
    pub blocks: Vec<Block>,
    /// In order; those of a block without gaps.
    pub windows: Vec<Window>,
    /// How long batches took.
    pub latency: Latency,
    /// What each source says of all blocks together; never empty.
    pub energy: Vec<Energy>,
    /// What shows that the windows' work was done.
    pub proof: Option<Proof>,
    /// Whatever makes the row invalid.
    pub faults: Vec<String>,
}

/// What the oracle compared.
#[derive(Clone, Copy, Debug)]
pub struct Verified {
    /// Outputs compared before anything was timed.
    pub checked: u64,
    /// Outputs of the measured windows compared afterwards.
    pub checked_in_windows: u64,
    /// The largest error, as a share of what rounding may explain.
    pub worst: f64,
}

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
