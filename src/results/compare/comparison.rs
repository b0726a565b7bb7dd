//! The output of `rigbench compare --json`: two documents, with their rows in pairs.

use crate::results::{Row, View};
use crate::units::{Interval, Unit};
use serde::Serialize;
use std::fmt::Display;

/// Comparison of two documents. Ratios are new / base.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The reference run.
    pub base: Side,
    /// The run that is compared with it.
    pub new: Side,
    /// Other differences between the two runs, in words.
    pub differs: Vec<String>,
    /// Maximum regression in percent; null without a gate.
    pub gate_percent: Option<f64>,
    /// Comparable rows.
    pub pairs: Vec<Pair>,
    /// Corresponding rows that are not comparable, or have no figures.
    pub refused: Vec<Refused>,
    /// Rows of the base without a counterpart.
    pub base_only: Vec<RowName>,
    /// Rows of the new run without a counterpart.
    pub new_only: Vec<RowName>,
    /// Whether a regression is past the gate; null without a gate.
    pub past_gate: Option<bool>,
    /// Rows of the base that the gate cannot judge, and why; empty without a gate.
    pub not_judged: Vec<String>,
}

/// One of the two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Id of the run.
    pub run_id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Why the run as a whole is invalid or unfinished.
    pub reasons: Vec<String>,
}

/// A row, by device and workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RowName {
    /// Id of the device.
    pub device: String,
    /// The workload, as on the command line.
    pub workload: String,
}

impl RowName {
    pub(super) fn of(view: View) -> RowName {
        let Row { device, workload, .. } = view.row;
        RowName { device: device.to_string(), workload: workload.spec.clone() }
    }
}

impl Display for RowName {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} on {}", self.workload, self.device)
    }
}

/// Two comparable rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// The row of the base.
    pub base: RowName,
    /// The row of the new run.
    pub new: RowName,
    /// Unit of their work.
    pub unit: Unit,
    /// Other differences between the two rows, in words.
    pub differs: Vec<String>,
    /// Why either row is invalid. Such a pair may fail a gate, but cannot pass it.
    pub invalid: Vec<String>,
    /// Change in units of work per second.
    pub throughput: Change,
    /// Change in joules per unit of work; null unless both rows have a figure.
    pub joules_per_unit: Option<Change>,
    /// Reason for a missing change; null if there is a change.
    pub no_joules_reason: Option<String>,
}

/// The change of a figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The figure of the base, as `rigbench report` shows it.
    pub base: f64,
    /// The figure of the new run, as `rigbench report` shows it.
    pub new: f64,
    /// New / base: of the geometric means of the blocks' medians if there are at least two blocks, as `method` says. Its ends are null if
    /// the sample is too small.
    pub ratio: Interval,
    /// Two-sided p-value; null if the sample is too small.
    pub p: Option<f64>,
    /// Whether the interval leaves out the meter's accuracy, because both figures are from the same meter on the same machine.
    pub one_meter: bool,
    /// Whether the interval excludes 1 for the worse.
    pub regression: bool,
    /// Whether the interval excludes 1 for the better.
    pub improvement: bool,
    /// Whether it is a regression that may exceed the gate; null without a gate.
    pub past_gate: Option<bool>,
}

/// Corresponding rows that are not comparable.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refused {
    /// The row of the base.
    pub base: RowName,
    /// The row of the new run.
    pub new: RowName,
    /// The reason, in words.
    pub reason: String,
    /// Differences of their keys; empty if a row has no figures.
    pub fields: Vec<KeyField>,
}

/// A field of the key that comparable rows have in common.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyField {
    /// `workload`, `shape`, `precision`, `model`, `protocol…`, `provenance`, `scope` or `power limit`.
    pub field: String,
    /// Value in the base.
    pub base: String,
    /// Value in the new run.
    pub new: String,
}
