//! Why a row or a run is invalid: codes with parameters. Programs match the codes; the sentences may change.

use crate::energy::{MeterKind, Throttle};
use crate::units::Watts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a row is invalid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Reason {
    /// Its outcome is `failed`.
    #[error("it failed")]
    Failed,
    /// The run was interrupted before the row had all its windows.
    #[error("interrupted after {windows} of {of} windows")]
    Interrupted {
        /// Number of its windows.
        windows: usize,
        /// Number of windows in the protocol.
        of: usize,
    },
    /// The oracle found wrong output of windows.
    #[error("the output of {windows} windows is wrong")]
    WrongOutput {
        /// Number of windows with wrong output.
        windows: usize,
    },
    /// The board throttled.
    #[error("the board was slowed down ({}) at {samples} of {of} samples", .throttle.into_str())]
    Throttled {
        /// The throttle reason.
        throttle: Throttle,
        /// Number of samples at which it was active.
        samples: usize,
        /// Total number of samples.
        of: usize,
    },
    /// Blocks started before throughput, temperature and power were steady.
    #[error("{blocks} of {of} blocks began before it was warm")]
    NotWarm {
        /// Number of such blocks.
        blocks: usize,
        /// Total number of blocks.
        of: usize,
    },
    /// Other programs used the processor.
    #[error("other programs used the processor in {windows} of {of} windows")]
    Disturbed {
        /// Number of disturbed windows.
        windows: usize,
        /// Total number of windows.
        of: usize,
    },
    /// The rate drifted from the first window to the last.
    #[error(
        "its rate {} by {:.0} % from the first window to the last",
        if *change > 0.0 { "rose" } else { "fell" }, 100.0 * change.abs()
    )]
    Drift {
        /// Change as a share of the median.
        change: f64,
    },
    /// A meter shows less power under load than idle.
    #[error("{meter} shows {power} under load, less than the {idle} idle")]
    LessThanIdle {
        /// Kind of meter.
        meter: MeterKind,
        /// Power under load.
        #[serde(rename = "power_watts")]
        power: Watts,
        /// Idle power.
        #[serde(rename = "idle_watts")]
        idle: Watts,
    },
    /// A meter shows more power than the board's power limit.
    #[error("{meter} shows {power}, the power limit in force is {limit}")]
    AbovePowerLimit {
        /// Kind of meter.
        meter: MeterKind,
        /// Mean power.
        #[serde(rename = "power_watts")]
        power: Watts,
        /// Power limit in force.
        #[serde(rename = "limit_watts")]
        limit: Watts,
    },
    /// The row exceeds a roofline ceiling of its device in the same run.
    #[error("it is faster than {ceiling}, which nothing can be: one of the two is wrong")]
    AboveCeiling {
        /// The workload that measured the ceiling.
        ceiling: String,
    },
}

/// Why a run is invalid or incomplete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum RunReason {
    /// It has not finished, but has measured rows.
    #[error("it was interrupted, or is under way: {rows} of {of} rows are there")]
    Unfinished {
        /// Number of rows measured, or found impossible to measure.
        rows: usize,
        /// Number of rows requested.
        of: usize,
    },
    /// It has not finished, and has no measured row.
    #[error("no row was finished")]
    NoRow,
    /// Other programs used the processor at the start of a publish run.
    #[error("other programs used the processor when it began (--allow-busy)")]
    BeganBusy,
    /// Some rows are invalid.
    #[error("{} of its rows {} invalid", rows.len(), if rows.len() == 1 { "is" } else { "are" })]
    InvalidRows {
        /// Their indices.
        rows: Vec<usize>,
    },
}
