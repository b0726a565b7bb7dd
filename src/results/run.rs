//! A run in memory.

use super::wire;
use crate::device::Device;
use crate::measure::{Measurement, Protocol};
use crate::units::Unit;
use crate::workload::Traffic;
use jiff::Timestamp;

/// A run, finished or under way.
pub struct Run {
    /// Random; tells one run from another.
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended by itself.
    pub finished_at: Option<Timestamp>,
    /// How it measures.
    pub protocol: Protocol,
    /// What the user chose the data with.
    pub user_seed: u32,
    /// The machine and the program.
    pub manifest: wire::Manifest,
    /// A row for each workload on each device.
    pub rows: Vec<Row>,
    /// What makes the whole run invalid.
    pub faults: Vec<String>,
}

/// One workload on one device.
#[derive(Clone)]
pub struct Row {
    /// The device.
    pub device: Device,
    /// `sha256d`, `gemm`.
    pub workload: &'static str,
    /// Shape and type; empty if it has none.
    pub shape: String,
    /// The layer of a model that it was asked for as.
    pub layer: Option<String>,
    /// SHA-256 of the model's file.
    pub model_sha256: Option<String>,
    /// The unit of its work.
    pub unit: Unit,
    /// What a unit of its work must move, if it is bound by that or by arithmetic.
    pub traffic: Option<Traffic>,
    /// The kernel that ran, if it got that far.
    pub kernel: Option<wire::Kernel>,
    /// How the kernel was chosen.
    pub tuning: Option<wire::Tuning>,
    /// What came of it; nothing yet while it waits for its first block.
    pub outcome: Option<Outcome>,
}

/// What came of a row.
#[derive(Clone)]
pub enum Outcome {
    /// It was measured.
    Measured(Box<Measurement>),
    /// The device cannot hold it; says which limit.
    Unsupported(String),
    /// It failed: the kernel is wrong, or the device gave up.
    Failed(String),
}
