//! One workload on one device, in the document.

use super::{Energy, Verdict, WorkProof};
use crate::units::Unit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One workload on one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// The device's id.
    pub device: String,
    /// The device's class.
    pub class: String,
    /// What was run.
    pub workload: Workload,
    /// The kernel that ran; null if the row did not get that far.
    pub kernel: Option<Kernel>,
    /// How it was chosen, and the length of its batches; null if the row did not get that far.
    pub tuning: Option<Tuning>,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it is unsupported or failed.
    pub reason: Option<String>,
    /// What the oracle compared; null if nothing was measured.
    pub verification: Option<Verification>,
    /// What a unit of its work must at least compute, read and write; null if it is no matter of that.
    pub traffic: Option<Traffic>,
    /// Windows come in blocks; between them rows of the same device have theirs.
    pub blocks: Vec<Block>,
    /// In order; those of a block each beginning where the one before ended.
    pub windows: Vec<Window>,
    /// Windows, from 0, in which others took over 10 % of the processor, or this process got far less of it than in the rest.
    pub disturbed_windows: Vec<u64>,
    /// Windows, from 0, whose rate is far from the others'.
    pub outlier_windows: Vec<u64>,
    /// How the rate changed from the first window to the last; null with fewer than six windows.
    pub drift: Option<Drift>,
    /// Median over the windows; null if nothing was measured.
    pub throughput: Option<Throughput>,
    /// How near that is to the device's limits; null if it is no product.
    pub roof: Option<Roof>,
    /// Joules, and what they are worth.
    pub energy: Energy,
    /// What other sources say.
    pub energy_other: Vec<Energy>,
    /// Of `decode`: what a query takes, if the run has the `prefill` row of the same model, type, batch and prompt; else null.
    pub query: Option<Query>,
    /// How long batches took; null if nothing was measured. A batch of `decode` is a token of each sequence.
    pub latency: Option<Latency>,
    /// What shows that the windows' work was done; null if nothing was measured or the workload has no such thing.
    pub work_proof: Option<WorkProof>,
    /// Whether the row counts.
    pub verdict: Verdict,
    /// What makes it invalid.
    pub reasons: Vec<String>,
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workload {
    /// `sha256d`, `gemm`, `gemv`, `prefill`, `decode`, `peak` or `stream`.
    pub id: String,
    /// The unit of its work: `hash`, `flop`, `byte` or `token`. Of `prefill` tokens are read, of `decode` written.
    pub unit: String,
    /// Shape and type as the command line writes them; null if it has none.
    pub shape: Option<String>,
    /// The layer of a model that it was asked for as, `llama-3-8b/ffn-up`; null if by its shape.
    pub layer: Option<String>,
    /// SHA-256 of the file that the model is in; null if its weights follow from the seed, or there is no model.
    pub model_sha256: Option<String>,
}

impl Workload {
    /// As the command line writes it: `gemm:64x64x64:f32`.
    pub fn spec(&self) -> String {
        match &self.shape {
            Some(shape) => format!("{}:{shape}", self.id),
            None => self.id.clone(),
        }
    }

    /// The unit of its work, if this version knows it.
    pub fn unit(&self) -> Option<Unit> {
        Unit::from_name(&self.unit)
    }
}

/// The kernel that ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// The variant's name.
    pub id: String,
    /// Its parameters; empty for native code.
    pub params: BTreeMap<String, String>,
    /// Digest of the WGSL that was compiled; null for native code.
    pub wgsl_sha256: Option<String>,
    /// The arithmetic that multiplies: `f32`, `f16`, `dot4` or `matrix`; null if it does not multiply.
    pub arithmetic: Option<String>,
}

/// How a kernel and the length of its batches were chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tuning {
    /// When the trials were made.
    pub source: TuningSource,
    /// The variant that was chosen.
    pub kernel: String,
    /// The length that its batches are sized for; null if they have a length of their own, as a token's step has.
    pub batch_seconds: Option<f64>,
    /// Everything that was tried, in turns: variants at one length, then lengths with the chosen variant.
    pub trials: Vec<Trial>,
}

/// When trials were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TuningSource {
    /// In this run.
    Trials,
    /// In an earlier run on the same device, driver, program and settings.
    Cache,
}

/// A variant at a length of batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// The variant's name.
    pub kernel: String,
    /// The length that its batches were sized for; null if they have a length of their own.
    pub batch_seconds: Option<f64>,
    /// Median of the slices, units of work a second; null if it was not timed.
    pub throughput: Option<f64>,
    /// Units of work a second of each slice.
    pub slices: Vec<f64>,
    /// Why it was not timed.
    pub reason: Option<String>,
}

/// What came of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// There are windows.
    Measured,
    /// The device cannot hold it.
    Unsupported,
    /// The kernel is wrong or the device gave up.
    Failed,
}

/// How near a row is to its device's limits, as rows of the same run measured them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Roof {
    /// The arithmetic that multiplies.
    pub arithmetic: String,
    /// Share of the rate of `peak` in this arithmetic; null if that was not measured.
    pub peak_share: Option<f64>,
    /// Bytes a second that it must read and write at least, as a share of `stream`; null if that was not measured.
    pub stream_share: Option<f64>,
    /// Share of the peak that the vendor publishes for this arithmetic; null if it is not known here.
    pub published_peak_share: Option<f64>,
    /// Where the vendor's peak is published.
    pub published_peak_source: Option<String>,
}

/// What the oracle compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// Outputs compared before anything was timed.
    pub checked: u64,
    /// Outputs of the measured windows compared afterwards.
    pub checked_in_windows: u64,
    /// The largest error as a share of what rounding may explain; 0 where outputs are exact.
    pub worst_error_share: f64,
}

/// What a unit of work must at least compute, read and write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Traffic {
    /// Operations for a unit of work.
    pub operations_per_unit: f64,
    /// Bytes for a unit of work.
    pub bytes_per_unit: f64,
    /// Whether they must come from memory, since more than a cache holds is read before the same again.
    pub from_memory: bool,
}

/// What went before a block's windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Block {
    /// Nothing ran for so long.
    pub rest_seconds: f64,
    /// How long the warm-up took.
    pub warm_up_seconds: f64,
    /// Whether throughput was flat at its end, and temperature and power where they are read.
    pub warm_up_steady: bool,
    /// The machine's state where the first window begins.
    pub telemetry_at_start: Telemetry,
}

/// A change from the first window to the last, by Theil and Sen's slope of the windows' rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// As a share of the median.
    pub change: f64,
    /// Lower end of its 95 % interval.
    pub ci95_low: f64,
    /// Upper end of its 95 % interval.
    pub ci95_high: f64,
}

/// One slice of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The block that it belongs to, from 0.
    pub block: u64,
    /// Since the row's first window began.
    pub started_seconds: f64,
    /// From mark to mark, the device idle at both.
    pub wall_seconds: f64,
    /// Processor time of the process, all threads.
    pub cpu_seconds: f64,
    /// Time on the device's own clock; null if it has none.
    pub gpu_seconds: Option<f64>,
    /// Units of work that were dispatched and done.
    pub work: u64,
    /// The machine's state at its end; at its start it is that of the window before.
    pub telemetry: Telemetry,
}

/// The machine's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Telemetry {
    /// Use of all processor threads together, 0 to 1.
    pub cpu_use: Option<f64>,
    /// Mean frequency of the processor's threads.
    pub cpu_hertz: Option<f64>,
    /// Sensors.
    pub temperatures: Vec<Temperature>,
    /// Use of the GPU, 0 to 1: some kernel ran.
    pub gpu_use: Option<f64>,
    /// The card's own state; null if nothing tells it.
    pub board: Option<Board>,
}

/// A card's own state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Board {
    /// Degrees Celsius of its processor.
    pub celsius: Option<f64>,
    /// Clock of its cores.
    pub core_hertz: Option<f64>,
    /// Clock of its memory.
    pub memory_hertz: Option<f64>,
    /// The power limit in force.
    pub power_limit_watts: Option<f64>,
    /// What holds its clocks down: `power-cap` is normal, `thermal-software`, `thermal-hardware`, `hardware-slowdown` and
    /// `power-brake` make the row invalid, `other`; null if nothing tells it.
    pub throttle: Option<Vec<String>>,
}

/// A sensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Temperature {
    /// The sensor's name.
    pub sensor: String,
    /// Degrees Celsius.
    pub celsius: f64,
}

/// Units of work a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Throughput {
    /// Median over the windows.
    pub value: f64,
    /// `hash/s` or `flop/s`.
    pub unit: String,
    /// Lower end of the 95 % interval; null with fewer than six windows.
    pub ci95_low: Option<f64>,
    /// Upper end of the 95 % interval; null with fewer than six windows.
    pub ci95_high: Option<f64>,
    /// Windows.
    pub n: u64,
    /// How the interval was found.
    pub method: String,
}

/// How long batches took: from the later of a batch's submission and the end of the one before, to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// Batches.
    pub n: u64,
    /// Null with fewer than 20 batches.
    pub p50_seconds: Option<f64>,
    /// Null with fewer than 100 batches.
    pub p90_seconds: Option<f64>,
    /// Null with fewer than 1,000 batches.
    pub p99_seconds: Option<f64>,
    /// Null with fewer than 10,000 batches.
    pub p999_seconds: Option<f64>,
    /// HdrHistogram, V2 serialisation in base64, nanoseconds: histograms of several runs can be merged.
    pub hdr_v2_base64: String,
}

/// What a query takes: a prompt that is read and an answer that is written, beside the others of the batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Query {
    /// Tokens that are read.
    pub prompt_tokens: u64,
    /// Tokens that are written.
    pub answer_tokens: u64,
    /// Until the first of them.
    pub first_token_seconds: f64,
    /// Until the last of them.
    pub seconds: f64,
    /// Joules, if those of both are of one kind.
    pub energy: PerQuery,
}

/// Joules of a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PerQuery {
    /// Measured or declared, as the energy of the row.
    Joules {
        /// Joules a query.
        value: f64,
        /// Lower ends of both intervals, added; null if one is not known.
        ci95_low: Option<f64>,
        /// Upper ends of both intervals, added; null if one is not known.
        ci95_high: Option<f64>,
    },
    /// Somewhere between two bounds.
    Modelled {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// Nothing is known.
    None {
        /// Why.
        reason: String,
    },
}
