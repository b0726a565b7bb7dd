//! Why a row or a run does not count: codes with parameters. Programs match the codes; their sentences may be reworded.

use crate::energy::{MeterKind, Throttle};
use crate::units::Watts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What makes a row invalid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Reason {
    /// It failed, as its outcome says.
    #[error("it failed")]
    Failed,
    /// The run was interrupted before the row had its windows.
    #[error("interrupted after {windows} of {of} windows")]
    Interrupted {
        /// Windows that it has.
        windows: usize,
        /// Windows that the protocol asks for.
        of: usize,
    },
    /// The oracle disagreed with what windows put out.
    #[error("the output of {windows} windows is wrong")]
    WrongOutput {
        /// How many.
        windows: usize,
    },
    /// The board slowed itself down.
    #[error("the board was slowed down ({}) at {looks} of {of} looks", .throttle.name())]
    Throttled {
        /// For what.
        throttle: Throttle,
        /// How often it was seen.
        looks: usize,
        /// Of how many looks.
        of: usize,
    },
    /// Blocks began before throughput, temperature and power were steady.
    #[error("{blocks} of {of} blocks began before it was warm")]
    NotWarm {
        /// How many.
        blocks: usize,
        /// Of how many.
        of: usize,
    },
    /// Other programs used the processor.
    #[error("other programs used the processor in {windows} of {of} windows")]
    Disturbed {
        /// In how many windows.
        windows: usize,
        /// Of how many.
        of: usize,
    },
    /// The rate changed from the first window to the last.
    #[error(
        "its rate {} by {:.0} % from the first window to the last",
        if *change > 0.0 { "rose" } else { "fell" }, 100.0 * change.abs()
    )]
    Drift {
        /// As a share of the median.
        change: f64,
    },
    /// A meter shows less under load than at rest.
    #[error("{meter} shows {power} under load, less than the {idle} at rest")]
    LessThanIdle {
        /// The kind of meter.
        meter: MeterKind,
        /// Under load.
        #[serde(rename = "power_watts")]
        power: Watts,
        /// At rest.
        #[serde(rename = "idle_watts")]
        idle: Watts,
    },
    /// A meter shows more than the board's power limit.
    #[error("{meter} shows {power}, the power limit in force is {limit}")]
    AbovePowerLimit {
        /// The kind of meter.
        meter: MeterKind,
        /// What it shows.
        #[serde(rename = "power_watts")]
        power: Watts,
        /// The limit.
        #[serde(rename = "limit_watts")]
        limit: Watts,
    },
    /// The row is faster than a ceiling of its device in the same run.
    #[error("it is faster than {ceiling}, which nothing can be: one of the two is wrong")]
    AboveCeiling {
        /// The workload that measured the ceiling.
        ceiling: String,
    },
}

/// What makes a run invalid or incomplete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum RunReason {
    /// It has not finished.
    #[error("it was interrupted, or is under way: {rows} of {of} rows are there")]
    Unfinished {
        /// Rows that were measured, or cannot be.
        rows: usize,
        /// Rows that were asked for.
        of: usize,
    },
    /// It has not finished, and no row of it was.
    #[error("no row was finished")]
    NoRow,
    /// Other programs used the processor when a run to publish began.
    #[error("other programs used the processor when it began (--allow-busy)")]
    BeganBusy,
    /// Rows are invalid.
    #[error("{} of its rows {} invalid", rows.len(), if rows.len() == 1 { "is" } else { "are" })]
    InvalidRows {
        /// Which, by their places.
        rows: Vec<usize>,
    },
}
