//! The evidence of a measured row, in columns, on the run's clock. Figures are derived from it by the rules; the evidence itself cannot
//! be recomputed.

use super::Latency;
use super::telemetry::Telemetry;
use crate::energy::{LoadStep, Readings, TimeSpan};
use crate::units::{Seconds, Work};
use crate::workload::Proof;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Result of measuring a job.
#[derive(Clone, Debug, Default)]
pub struct Measurement {
    /// The windows, in order, block by block.
    pub windows: Windows,
    /// The readings around the blocks, of each source that covers the device.
    pub readings: Vec<Readings>,
    /// The state of the machine at the start of each block and at the end of each window, in order.
    pub telemetry: Telemetry,
    /// Histogram of batch service times. A batch of `decode` is one token of each sequence.
    pub latency: Latency,
    /// The oracle's comparison.
    pub verification: Verification,
    /// Proof of the windows' work; null if the workload has none.
    pub proof: Option<Proof>,
}

/// Blocks in columns with one entry each; seconds on the run's clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Blocks {
    /// Start of the idle time before the block.
    pub idle_from_seconds: Vec<f64>,
    /// Start of the load: the warm-up.
    pub load_from_seconds: Vec<f64>,
    /// Start of the first window.
    pub measured_from_seconds: Vec<f64>,
    /// Number of windows in the block.
    pub windows: Vec<usize>,
    /// Whether throughput was steady at the end of the warm-up, and also temperature and power if they are read.
    pub warm_up_steady: Vec<bool>,
}

/// Windows in columns with one entry each. The windows of a block are contiguous.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Windows {
    /// The blocks of the windows. Blocks of rows of one device are interleaved.
    pub blocks: Blocks,
    /// Wall time; the device is idle at the start and at the end.
    pub wall_seconds: Vec<f64>,
    /// CPU time of the process, all threads.
    pub cpu_seconds: Vec<f64>,
    /// GPU time from the device's timestamps; null if it has none.
    pub gpu_seconds: Option<Vec<f64>>,
    /// Units of work done.
    pub work: Vec<u64>,
}

/// One window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Wall time.
    pub wall: Seconds,
    /// CPU time of this process, all threads.
    pub cpu: Seconds,
    /// GPU time from the device's timestamps; `None` if it has none.
    pub gpu: Option<Seconds>,
    /// Work done.
    pub work: Work,
}

/// The oracle's comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// Number of outputs compared before any timing.
    pub checked: u64,
    /// Number of outputs of the measured windows compared afterwards.
    pub checked_in_windows: u64,
    /// Largest error as a share of the rounding tolerance; 0 if outputs are exact.
    pub worst_error_share: f64,
    /// Windows, from 0, with wrong output.
    pub wrong_windows: Vec<usize>,
    /// The error in the first of them; null if none is wrong.
    pub wrong_output: Option<String>,
}

/// Contiguous windows of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Indices of its windows.
    pub windows: Range<usize>,
    /// The step from idle to load, and the measured part.
    pub step: LoadStep,
    /// Whether the warm-up reached a steady state.
    pub warm_up_steady: bool,
}

impl Windows {
    /// Checks that the columns have consistent lengths. The other methods require that.
    ///
    /// # Errors
    /// The inconsistency.
    pub fn check(&self) -> Result<(), &'static str> {
        let b = &self.blocks;
        let block_lengths = [
            b.idle_from_seconds.len(),
            b.load_from_seconds.len(),
            b.measured_from_seconds.len(),
            b.warm_up_steady.len(),
        ];
        let gpu = self.gpu_seconds.as_ref().map_or(self.len(), Vec::len);
        let window_lengths = [self.cpu_seconds.len(), self.work.len(), gpu];
        let counted = b.windows.iter().try_fold(0usize, |sum, n| sum.checked_add(*n));
        if block_lengths.iter().any(|n| *n != b.windows.len()) {
            return Err("blocks: the columns are not of one length");
        }
        if window_lengths.iter().any(|n| *n != self.len()) {
            return Err("the columns are not of one length");
        }
        if counted != Some(self.len()) || b.windows.contains(&0) {
            return Err("blocks.windows: they are not as many as there are");
        }
        Ok(())
    }

    /// The blocks as rows.
    pub fn blocks(&self) -> Vec<Block> {
        let mut first = 0;
        let block_at = |i: usize| {
            let windows = first..first + self.blocks.windows[i];
            first = windows.end;
            let from = Seconds(self.blocks.measured_from_seconds[i]);
            let length: f64 = self.wall_seconds[windows.clone()].iter().sum();
            let measured = TimeSpan { from, to: Seconds(from.0 + length) };
            let gpu = self.gpu_seconds.as_ref().map(|gpu| gpu[windows.clone()].iter().sum::<f64>());
            Block {
                windows,
                step: LoadStep {
                    idle_from: Seconds(self.blocks.idle_from_seconds[i]),
                    load_from: Seconds(self.blocks.load_from_seconds[i]),
                    measured,
                    busy: gpu.map(|seconds| (seconds / length).min(1.0)),
                },
                warm_up_steady: self.blocks.warm_up_steady[i],
            }
        };
        (0..self.blocks.windows.len()).map(block_at).collect()
    }

    /// The step from idle to load of each block.
    pub fn steps(&self) -> Vec<LoadStep> {
        self.blocks().iter().map(|block| block.step).collect()
    }

    /// The rates of the windows, by block.
    pub fn rates_by_block(&self) -> Vec<Vec<f64>> {
        let rates = self.rates();
        self.blocks().into_iter().map(|block| rates[block.windows].to_vec()).collect()
    }

    /// Start and end of each window, on the run's clock.
    pub fn stretches(&self) -> Vec<TimeSpan> {
        let mut stretches = Vec::with_capacity(self.len());
        for block in self.blocks() {
            let mut from = block.step.measured.from;
            for wall in &self.wall_seconds[block.windows] {
                let to = Seconds(from.0 + wall);
                stretches.push(TimeSpan { from, to });
                from = to;
            }
        }
        stretches
    }

    /// Number of samples: one at the start of each block and one at the end of each window.
    pub fn samples(&self) -> usize {
        self.len() + self.blocks.windows.len()
    }

    /// The index of the sample at the end of each window.
    pub fn samples_at_ends(&self) -> Vec<usize> {
        let blocks = self.blocks().into_iter().enumerate();
        blocks.flat_map(|(i, block)| block.windows.map(move |window| window + i + 1)).collect()
    }

    /// Number of windows.
    pub fn len(&self) -> usize {
        self.wall_seconds.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.wall_seconds.is_empty()
    }

    /// All windows.
    pub fn iter(&self) -> impl Iterator<Item = Window> + '_ {
        (0..self.len()).map(|i| Window {
            wall: Seconds(self.wall_seconds[i]),
            cpu: Seconds(self.cpu_seconds[i]),
            gpu: self.gpu_seconds.as_ref().map(|gpu| Seconds(gpu[i])),
            work: Work(self.work[i]),
        })
    }

    /// Units of work per second in each window.
    pub fn rates(&self) -> Vec<f64> {
        self.iter().map(|window| window.work / window.wall).collect()
    }

    /// Total wall time.
    pub fn seconds(&self) -> Seconds {
        Seconds(self.wall_seconds.iter().sum())
    }

    /// Total work.
    pub fn total_work(&self) -> u128 {
        self.work.iter().map(|work| u128::from(*work)).sum()
    }

    /// Adds a window. GPU times are kept only if every window has one.
    pub fn push(&mut self, window: Window) {
        if self.is_empty() {
            self.gpu_seconds = window.gpu.map(|_| Vec::new());
        }
        self.wall_seconds.push(window.wall.0);
        self.cpu_seconds.push(to_tenths_of_milliseconds(window.cpu));
        self.work.push(window.work.0);
        self.gpu_seconds = self.gpu_seconds.take().zip(window.gpu).map(|(mut column, gpu)| {
            column.push(to_tenths_of_milliseconds(gpu));
            column
        });
    }
}

/// Process and GPU clocks are not more accurate than this.
fn to_tenths_of_milliseconds(seconds: Seconds) -> f64 {
    (seconds.0 * 1e4).round() / 1e4
}

impl Blocks {
    /// Adds a block.
    pub fn push(&mut self, step: LoadStep, windows: usize, warm_up_steady: bool) {
        self.idle_from_seconds.push(step.idle_from.0);
        self.load_from_seconds.push(step.load_from.0);
        self.measured_from_seconds.push(step.measured.from.0);
        self.windows.push(windows);
        self.warm_up_steady.push(warm_up_steady);
    }
}
