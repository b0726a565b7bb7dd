//! The result document: the evidence of a run, and what follows from it. These types are the run in memory and its file. Units
//! stand in the names, base SI throughout; the JSON Schema is generated from them.

use super::derived::Derived;
use super::failure::Failure;
use super::manifest::Manifest;
use super::newer::OrNewer;
use crate::device::DeviceId;
use crate::energy::{Idle, Readings};
use crate::measure::{Latency, Measurement, Telemetry, Verification, Windows};
use crate::workload::{self, Description};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the document's format: readers of 2.x read every 2.y.
pub const SCHEMA_VERSION: &str = "2.0.0";

/// A run of rigbench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "rigbench result")]
pub struct Document {
    /// Version of this format. Within 2.x fields are added that may be absent; unknown ones are to be ignored.
    pub schema_version: String,
    /// Version of the rules by which `derived` follows from `evidence`.
    pub rules: u32,
    /// What was observed and cannot be computed again.
    pub evidence: Evidence,
    /// What follows from it.
    pub derived: Derived,
    /// What binds the two.
    pub proof: Proof,
}

/// What was observed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// When and by whose choice.
    pub run: Run,
    /// A number that whoever asked for the run chose, in hex; null if nobody did. All data follow from it too.
    pub challenge: Option<String>,
    /// A Bitcoin block header, 80 bytes in hex, that shows that the run began after that block was found; null without one.
    pub beacon: Option<String>,
    /// The machine, the program and what was asked for.
    pub manifest: Manifest,
    /// The clock of all rows.
    pub clock: Clock,
    /// What sources read while nothing ran.
    pub baselines: Vec<Baseline>,
    /// One for each workload on each device, under each condition.
    pub rows: Vec<OrNewer<Row>>,
}

/// When a run was and what its user chose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Random; tells one run from another.
    pub id: String,
    /// RFC 3339, UTC.
    #[schemars(with = "String")]
    pub started_at: Timestamp,
    /// RFC 3339, UTC; null while the run is under way or if it was cut off.
    #[schemars(with = "Option<String>")]
    pub finished_at: Option<Timestamp>,
    /// Which attempt at the same job it is, counted by a scheduler; null if nothing counts.
    pub attempt: Option<u32>,
    /// Words of the user's.
    pub labels: BTreeMap<String, String>,
    /// What the user chose the data with.
    pub user_seed: u32,
    /// Whether other programs used the processor when a run to publish began.
    pub began_busy: bool,
}

/// The clock of all rows: seconds since a moment, of the system's monotonic clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// What the system's clock showed at 0 seconds. RFC 3339, UTC.
    #[schemars(with = "String")]
    pub zero_at: Timestamp,
}

/// What a source read while nothing ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// The source, by its place in the manifest.
    pub source: usize,
    /// What it read.
    pub idle: Idle,
}

/// One workload on one device, under one condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The device's id.
    pub device: DeviceId,
    /// What was run.
    pub workload: Description,
    /// What was set or true while it ran.
    pub condition: Condition,
    /// The kernel that ran; null if the row did not get that far.
    pub kernel: Option<Kernel>,
    /// How it was chosen; null if the row did not get that far.
    pub tuning: Option<Tuning>,
    /// What came of it.
    pub outcome: Outcome,
    /// Windows, each from mark to mark; null if nothing was measured.
    pub windows: Option<Windows>,
    /// What each source that is read said around the blocks.
    pub readings: Vec<Readings>,
    /// The machine's state at the start of each block and the end of each window, in order; null if nothing was measured.
    pub telemetry: Option<Telemetry>,
    /// How long batches took; null if nothing was measured. A batch of `decode` is a token of each sequence.
    pub latency: Option<Latency>,
    /// What the oracle compared; null if nothing was measured.
    pub verification: Option<Verification>,
    /// What shows that the windows' work was done; null if nothing was measured or the workload has no such thing.
    pub proof: Option<workload::Proof>,
    /// Why no source covers the row; null if one does.
    pub no_source: Option<String>,
}

/// What was set or true while a row was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// The power limit of the board, or of the processor's package, where it is known.
    pub power_limit_watts: Option<f64>,
    /// The clock that the device was locked to.
    pub locked_clock_hertz: Option<f64>,
    /// Other devices that were loaded through all of its windows.
    pub together_with: Vec<DeviceId>,
}

/// What came of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Outcome {
    /// There are windows.
    Measured,
    /// The device cannot hold or do it.
    Unsupported(Failure),
    /// The kernel is wrong, or the device gave up.
    Failed(Failure),
}

impl Outcome {
    /// In a word.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Measured => "measured",
            Outcome::Unsupported(_) => "unsupported",
            Outcome::Failed(_) => "failed",
        }
    }

    /// Why there is no figure.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Outcome::Measured => None,
            Outcome::Unsupported(failure) | Outcome::Failed(failure) => Some(failure),
        }
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
    #[serde(with = "super::trials")]
    #[schemars(with = "super::trials::Columns")]
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
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The variant's name.
    pub kernel: String,
    /// The length that its batches were sized for; null if they have a length of their own.
    pub batch_seconds: Option<f64>,
    /// Median over the slices, units of work a second; null if it was not timed.
    pub throughput: Option<f64>,
    /// Why it was not timed.
    pub failure: Option<Failure>,
}

/// What binds a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// SHA-256 of this document's canonical JSON (RFC 8785) without this member.
    pub document_sha256: String,
}

impl Row {
    /// A row of which nothing is known yet but what is to be run; it waits for its first block.
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

    /// Takes over what was measured so far.
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

    /// Whether anything is known of it.
    pub fn is_known(&self) -> bool {
        self.windows.is_some() || self.outcome != Outcome::Measured
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

    /// The sources that cover a row, with their places in the manifest.
    pub fn sources_of<'a>(
        &'a self,
        row: &'a Row,
    ) -> impl Iterator<Item = (usize, &'a super::manifest::Source)> {
        let sources = self.manifest.sources.iter().enumerate();
        sources.filter_map(|(i, source)| {
            let source = source.known()?;
            source.covers(&row.device, row.workload.id).then_some((i, source))
        })
    }
}

impl Document {
    /// The rows that this version can read, each with its figures.
    pub fn rows(&self) -> impl Iterator<Item = (&Row, &super::derived::RowFigures)> {
        let rows = self.evidence.rows.iter().zip(&self.derived.rows);
        rows.filter_map(|(row, figures)| Some((row.known()?, figures.known()?)))
    }

    /// Rows of a newer version of rigbench, each by its place and what can be said of it.
    pub fn newer_rows(&self) -> impl Iterator<Item = (usize, String)> {
        let rows = self.evidence.rows.iter().zip(&self.derived.rows).enumerate();
        rows.filter(|(_, (row, figures))| row.known().is_none() || figures.known().is_none())
            .map(|(i, (row, _))| (i, row.summary()))
    }
}
