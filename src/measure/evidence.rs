//! What was observed while a row was measured, in columns, on the run's clock. Every figure follows from it by rules; nothing of
//! it can be computed again.

use super::Latency;
use super::telemetry::Telemetry;
use crate::energy::{LoadStep, Readings, Stretch};
use crate::units::{Seconds, Work};
use crate::workload::Proof;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What came of measuring a job.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// In order, block by block.
    pub windows: Windows,
    /// What each source that covers the device said around the blocks.
    pub readings: Vec<Readings>,
    /// The machine's state at the start of each block and the end of each window, in order.
    pub telemetry: Telemetry,
    /// How long batches took. A batch of `decode` is a token of each sequence.
    pub latency: Latency,
    /// What the oracle compared.
    pub verification: Verification,
    /// What shows that the windows' work was done; null if the workload has no such thing.
    pub proof: Option<Proof>,
}

/// Blocks in columns: one entry for each, seconds on the run's clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Blocks {
    /// The device is idle from here on.
    pub idle_from_seconds: Vec<f64>,
    /// The load begins: the warm-up.
    pub load_from_seconds: Vec<f64>,
    /// The first window begins.
    pub measured_from_seconds: Vec<f64>,
    /// How many windows the block has.
    pub windows: Vec<usize>,
    /// Whether throughput was flat at the end of the warm-up, and temperature and power where they are read.
    pub warm_up_steady: Vec<bool>,
}

/// Windows in columns: one entry for each. Those of a block each begin where the one before ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Windows {
    /// Windows come in blocks; between them rows of the same device have theirs.
    pub blocks: Blocks,
    /// From mark to mark, the device idle at both.
    pub wall_seconds: Vec<f64>,
    /// Processor time of the process, all threads.
    pub cpu_seconds: Vec<f64>,
    /// Time on the device's own clock; null if it has none.
    pub gpu_seconds: Option<Vec<f64>>,
    /// Units of work that were done.
    pub work: Vec<u64>,
}

/// One window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// From mark to mark.
    pub wall: Seconds,
    /// Processor time of this process, all threads.
    pub cpu: Seconds,
    /// Time on the device's own clock, where it has one.
    pub gpu: Option<Seconds>,
    /// What was done.
    pub work: Work,
}

/// What the oracle compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// Outputs compared before anything was timed.
    pub checked: u64,
    /// Outputs of the measured windows compared afterwards.
    pub checked_in_windows: u64,
    /// The largest error as a share of what rounding may explain; 0 where outputs are exact.
    pub worst_error_share: f64,
    /// Windows, from 0, whose output was wrong.
    pub wrong_windows: Vec<usize>,
    /// What was wrong with the first of them.
    pub wrong_output: Option<String>,
}

/// Part of a row's windows that follow each other without a gap.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The places of its windows.
    pub windows: Range<usize>,
    /// From idle to load, and what was measured.
    pub step: LoadStep,
    /// Whether the warm-up ended steady.
    pub warm_up_steady: bool,
}

impl Windows {
    /// Whether the columns belong together, so that the rest of this type can be used.
    ///
    /// # Errors
    /// What does not fit.
    pub fn check(&self) -> Result<(), &'static str> {
        let b = &self.blocks;
        let of_blocks = [
            b.idle_from_seconds.len(),
            b.load_from_seconds.len(),
            b.measured_from_seconds.len(),
            b.warm_up_steady.len(),
        ];
        let gpu = self.gpu_seconds.as_ref().map_or(self.len(), Vec::len);
        let of_windows = [self.cpu_seconds.len(), self.work.len(), gpu];
        let counted = b.windows.iter().try_fold(0usize, |sum, n| sum.checked_add(*n));
        match () {
            () if of_blocks.iter().any(|n| *n != b.windows.len()) => {
                Err("blocks: the columns are not of one length")
            }
            () if of_windows.iter().any(|n| *n != self.len()) => {
                Err("the columns are not of one length")
            }
            () if counted != Some(self.len()) || b.windows.contains(&0) => {
                Err("blocks.windows: they are not as many as there are")
            }
            () => Ok(()),
        }
    }

    /// The blocks, one by one.
    pub fn blocks(&self) -> Vec<Block> {
        let mut first = 0;
        let of = |i: usize| {
            let windows = self.blocks.windows[i];
            let all = first..first + windows;
            first += windows;
            let from = Seconds(self.blocks.measured_from_seconds[i]);
            let length: f64 = self.wall_seconds[all.clone()].iter().sum();
            let measured = Stretch { from, to: Seconds(from.0 + length) };
            let gpu = self.gpu_seconds.as_ref().map(|gpu| gpu[all.clone()].iter().sum::<f64>());
            Block {
                windows: all,
                step: LoadStep {
                    idle_from: Seconds(self.blocks.idle_from_seconds[i]),
                    load_from: Seconds(self.blocks.load_from_seconds[i]),
                    measured,
                    busy: gpu.map(|seconds| (seconds / length).min(1.0)),
                },
                warm_up_steady: self.blocks.warm_up_steady[i],
            }
        };
        (0..self.blocks.windows.len()).map(of).collect()
    }

    /// The steps from idle to load.
    pub fn steps(&self) -> Vec<LoadStep> {
        self.blocks().iter().map(|block| block.step).collect()
    }

    /// The rates of each block's windows.
    pub fn rates_by_block(&self) -> Vec<Vec<f64>> {
        let rates = self.rates();
        self.blocks().into_iter().map(|block| rates[block.windows].to_vec()).collect()
    }

    /// When each window begins and ends, on the run's clock.
    pub fn stretches(&self) -> Vec<Stretch> {
        let mut stretches = Vec::with_capacity(self.len());
        for block in self.blocks() {
            let mut from = block.step.measured.from;
            for wall in &self.wall_seconds[block.windows] {
                let to = Seconds(from.0 + wall);
                stretches.push(Stretch { from, to });
                from = to;
            }
        }
        stretches
    }

    /// Looks at the machine: one at the start of each block and one at the end of each window.
    pub fn looks(&self) -> usize {
        self.len() + self.blocks.windows.len()
    }

    /// Which of these looks is the end of each window.
    pub fn looks_at_ends(&self) -> Vec<usize> {
        let blocks = self.blocks.windows.iter().enumerate();
        let mut window = 0;
        blocks
            .flat_map(|(block, n)| {
                let first = window + block + 1;
                window += n;
                first..first + n
            })
            .collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.wall_seconds.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.wall_seconds.is_empty()
    }

    /// The window at a place.
    pub fn at(&self, i: usize) -> Window {
        Window {
            wall: Seconds(self.wall_seconds[i]),
            cpu: Seconds(self.cpu_seconds[i]),
            gpu: self.gpu_seconds.as_ref().map(|gpu| Seconds(gpu[i])),
            work: Work(self.work[i]),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Window> + '_ {
        (0..self.len()).map(|i| self.at(i))
    }

    /// Units of work a second of each.
    pub fn rates(&self) -> Vec<f64> {
        self.iter().map(|window| window.work / window.wall).collect()
    }

    /// All time.
    pub fn seconds(&self) -> Seconds {
        Seconds(self.wall_seconds.iter().sum())
    }

    /// All work.
    pub fn total_work(&self) -> u128 {
        self.work.iter().map(|work| u128::from(*work)).sum()
    }

    /// Adds one. A device either has a clock in all windows or counts as one that has none.
    pub fn push(&mut self, window: Window) {
        let is_first = self.is_empty();
        self.wall_seconds.push(window.wall.0);
        self.cpu_seconds.push(to_tenths_of_milliseconds(window.cpu));
        self.work.push(window.work.0);
        self.gpu_seconds = match (self.gpu_seconds.take(), window.gpu) {
            (Some(mut column), Some(gpu)) => {
                column.push(to_tenths_of_milliseconds(gpu));
                Some(column)
            }
            (None, Some(gpu)) if is_first => Some(vec![to_tenths_of_milliseconds(gpu)]),
            _ => None,
        };
    }
}

/// No clock of a process or a device that matters here is better.
fn to_tenths_of_milliseconds(seconds: Seconds) -> f64 {
    (seconds.0 * 1e4).round() / 1e4
}

impl Blocks {
    /// Adds one.
    pub fn push(&mut self, step: LoadStep, windows: usize, warm_up_steady: bool) {
        self.idle_from_seconds.push(step.idle_from.0);
        self.load_from_seconds.push(step.load_from.0);
        self.measured_from_seconds.push(step.measured.from.0);
        self.windows.push(windows);
        self.warm_up_steady.push(warm_up_steady);
    }
}
