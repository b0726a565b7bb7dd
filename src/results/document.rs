//! The result document: the evidence of a run and what is derived from it, in memory and as a file. Names contain the (SI) unit. The
//! JSON Schema is generated from these types.

use super::derived::{Derived, RowFigures};
use super::failure::Failure;
use super::manifest::{Manifest, Source};
use super::newer::OrNewer;
use super::tuning::Tuning;
use crate::device::DeviceId;
use crate::energy::{Idle, Readings};
use crate::measure::{Latency, Measurement, Telemetry, Verification, Windows};
use crate::workload::{self, Description};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the document's format: readers of 2.x read every 2.y.
pub const SCHEMA_VERSION: &str = "2.0.0";

/// A run of rigbench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "rigbench result")]
pub struct Document {
    /// Version of this format. Within 2.x, optional fields are added; readers ignore unknown ones.
    pub schema_version: String,
    /// Version of the rules by which `derived` follows from `evidence`.
    pub rules: u32,
    /// Observations, which cannot be recomputed.
    pub evidence: Evidence,
    /// Figures and verdicts derived from the evidence.
    pub derived: Derived,
    /// Digest of the document.
    pub proof: Proof,
}

/// Observations of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Time and user's choices.
    pub run: Run,
    /// Number chosen by whoever requested the run, in hex; null if there is none. The seed of all data depends on it.
    pub challenge: Option<String>,
    /// Bitcoin block header, 80 bytes in hex: the run began after that block was found; null if there is none. The seed depends on it, too.
    pub beacon: Option<String>,
    /// The machine, the program and the request.
    pub manifest: Manifest,
    /// The clock of all rows.
    pub clock: Clock,
    /// Idle power as read by each source.
    pub baselines: Vec<Baseline>,
    /// One row per workload, device and condition.
    #[schemars(with = "Vec<Row>")]
    pub rows: Vec<OrNewer<Row>>,
}

/// Time of a run, and its user's choices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Random id of the run.
    pub id: String,
    /// RFC 3339, UTC.
    #[schemars(with = "String")]
    pub started_at: Timestamp,
    /// RFC 3339, UTC; null while the run is under way, or if it was interrupted.
    #[schemars(with = "Option<String>")]
    pub finished_at: Option<Timestamp>,
    /// Number of the attempt at the same job, as counted by a scheduler; null without one.
    pub attempt: Option<u32>,
    /// Labels given by the user.
    pub labels: BTreeMap<String, String>,
    /// Seed chosen by the user, or at random; the seed of all data depends on it.
    pub user_seed: u32,
    /// Whether other programs used the processor at the start of a publish run.
    pub began_busy: bool,
}

/// The clock of all rows: seconds of the system's monotonic clock since `zero_at`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// System time at 0 seconds. RFC 3339, UTC.
    #[schemars(with = "String")]
    pub zero_at: Timestamp,
}

/// Idle power as read by a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// Index of the source in the manifest.
    pub source: usize,
    /// Its idle power.
    pub idle: Idle,
}

/// One workload on one device under one condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Id of the device.
    pub device: DeviceId,
    /// The workload.
    pub workload: Description,
    /// Condition under which it ran.
    pub condition: Condition,
    /// The kernel that ran; null if the row did not get that far.
    pub kernel: Option<Kernel>,
    /// How the kernel was chosen; null if the row did not get that far.
    pub tuning: Option<Tuning>,
    /// Outcome of the row.
    pub outcome: Outcome,
    /// The windows; null if nothing was measured.
    pub windows: Option<Windows>,
    /// Readings around the blocks, by source.
    pub readings: Vec<Readings>,
    /// State of the machine at the start of each block and the end of each window, in order; null if nothing was measured.
    pub telemetry: Option<Telemetry>,
    /// Histogram of batch service times; null if nothing was measured. A batch of `decode` is one token of each sequence.
    pub latency: Option<Latency>,
    /// The oracle's comparison; null if nothing was measured.
    pub verification: Option<Verification>,
    /// Proof of the windows' work; null if nothing was measured or the workload has none.
    pub proof: Option<workload::Proof>,
    /// Why no source covers the row; null if one does.
    pub no_source: Option<String>,
}

/// Condition of a row: what was set while it ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// Power limit of the board or of the processor package; null if unknown.
    pub power_limit_watts: Option<f64>,
    /// Clock to which the device was locked; null if none is known.
    pub locked_clock_hertz: Option<f64>,
    /// Other devices under load during all of its windows.
    pub together_with: Vec<DeviceId>,
}

/// Outcome of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
#[derive(strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Outcome {
    /// It has windows.
    Measured,
    /// The device does not have the memory or the features for it.
    Unsupported(Failure),
    /// The kernel's output is wrong, or the device failed.
    Failed(Failure),
    /// The driver crashed in every kernel that it was tried with.
    Crashed(Failure),
}

impl Outcome {
    /// Why there is no figure.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Outcome::Measured => None,
            Outcome::Unsupported(failure)
            | Outcome::Failed(failure)
            | Outcome::Crashed(failure) => Some(failure),
        }
    }
}

/// A kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// Name of the variant.
    pub id: String,
    /// Its parameters; empty for native code.
    pub params: BTreeMap<String, String>,
    /// SHA-256 of the compiled WGSL; null for native code.
    pub wgsl_sha256: Option<String>,
    /// Arithmetic of the multiplication: `f32`, `f16`, `dot4` or `matrix`; null if the kernel does not multiply.
    pub arithmetic: Option<String>,
}

/// Digest of a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// SHA-256 of this document's canonical JSON (RFC 8785) without this member.
    pub document_sha256: String,
}

impl Row {
    /// A row before its first block: only device and workload are known.
    pub fn new(device: DeviceId, workload: Description) -> Row {
        Row {
            device,
            workload,
            condition: Condition::default(),
            kernel: None,
            tuning: None,
            outcome: Outcome::Measured,
            windows: None,
            readings: Vec::new(),
            telemetry: None,
            latency: None,
            verification: None,
            proof: None,
            no_source: None,
        }
    }

    /// Stores the measurement so far.
    pub fn measured(&mut self, measurement: Measurement) {
        let Measurement { windows, readings, telemetry, latency, verification, proof } =
            measurement;
        self.condition.power_limit_watts = telemetry.power_limits().first().copied();
        self.outcome = Outcome::Measured;
        self.readings = readings;
        self.proof = proof;
        (self.windows, self.telemetry) = (Some(windows), Some(telemetry));
        (self.latency, self.verification) = (Some(latency), Some(verification));
    }

    /// `gemm:64x64x64:f32 on gpu:0`.
    pub fn label(&self) -> String {
        format!("{} on {}", self.workload.spec, self.device)
    }
}

impl Evidence {
    /// The rows that this version can read.
    pub fn known_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter_map(OrNewer::known)
    }

    /// The idle power of the source at an index of the manifest; `None` without a baseline.
    pub fn idle(&self, source: usize) -> Option<Idle> {
        self.baselines.iter().find(|baseline| baseline.source == source).map(|found| found.idle)
    }

    /// The sources that cover a row, with their indices in the manifest.
    pub fn sources_of<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (usize, &'a Source)> {
        let sources = self.manifest.sources.iter().enumerate();
        sources.filter_map(|(i, source)| {
            let source = source.known()?;
            source.covers(&row.device, row.workload.id).then_some((i, source))
        })
    }
}

impl Document {
    /// The rows that this version can read, with their figures.
    pub fn rows(&self) -> impl Iterator<Item = (&Row, &RowFigures)> {
        let rows = self.evidence.rows.iter().zip(&self.derived.rows);
        rows.filter_map(|(row, figures)| Some((row.known()?, figures.known()?)))
    }

    /// Rows of a newer version of rigbench: index and summary.
    pub fn newer_rows(&self) -> impl Iterator<Item = (usize, String)> {
        let rows = self.evidence.rows.iter().zip(&self.derived.rows).enumerate();
        rows.filter(|(_, (row, figures))| row.known().is_none() || figures.known().is_none())
            .map(|(i, (row, _))| (i, row.summary()))
    }
}
