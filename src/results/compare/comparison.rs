//! What `rigbench compare --json` prints: two documents, row beside row.

use crate::units::{Interval, Unit};
use serde::Serialize;

/// Two documents, row beside row. Ratios are of the new one to the base.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The run that is held to.
    pub base: Side,
    /// The run that is judged.
    pub new: Side,
    /// What else differs between the two runs, each in words.
    pub differs: Vec<String>,
    /// A regression past this is too much; null if nothing is judged.
    pub gate_percent: Option<f64>,
    /// Rows of one kind.
    pub pairs: Vec<Pair>,
    /// Rows that belong together and are not of one kind, or have no figures.
    pub refused: Vec<Refused>,
    /// Rows of the base without a partner.
    pub base_only: Vec<RowName>,
    /// Rows of the new run without a partner.
    pub new_only: Vec<RowName>,
    /// Whether a regression is past the gate; null if nothing is judged.
    pub past_gate: Option<bool>,
    /// Rows of the base that the gate cannot judge, and why; empty without a gate.
    pub not_judged: Vec<String>,
}

/// One of the two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Its id.
    pub run_id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// What makes the run as a whole invalid, or unfinished.
    pub reasons: Vec<String>,
}

/// A row, by device and workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RowName {
    /// The device's id.
    pub device: String,
    /// As the command line writes it.
    pub workload: String,
}

/// Two rows of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// The row of the base.
    pub base: RowName,
    /// The row of the new run.
    pub new: RowName,
    /// The unit of their work.
    pub unit: Unit,
    /// What else differs between the two, each in words.
    pub differs: Vec<String>,
    /// What makes either row invalid; such a pair may fail a gate and cannot pass it.
    pub invalid: Vec<String>,
    /// Units of work a second.
    pub throughput: Change,
    /// Joules a unit of work; null if there is no figure for both.
    pub joules_per_unit: Option<Change>,
    /// Why there are none; null if there are.
    pub no_joules_reason: Option<String>,
}

/// From one figure to another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The figure of the base, as `rigbench report` shows it.
    pub base: f64,
    /// The figure of the new run, as `rigbench report` shows it.
    pub new: f64,
    /// The new one over the base: of the geometric means of the blocks' medians where there are two blocks or more, as `method` says; its
    /// ends are null if there is too little to tell.
    pub ratio: Interval,
    /// Two-sided p-value; null if there is too little to tell.
    pub p: Option<f64>,
    /// Whether the accuracy of the meter is left out of the interval: it is the same meter on the same machine.
    pub one_meter: bool,
    /// Whether the interval excludes that nothing changed, for the worse.
    pub regression: bool,
    /// Whether it does so for the better.
    pub improvement: bool,
    /// Whether it is a regression that may be past the gate; null without one.
    pub past_gate: Option<bool>,
}

/// Rows that belong together and cannot be compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refused {
    /// The row of the base.
    pub base: RowName,
    /// The row of the new run.
    pub new: RowName,
    /// Why, in words.
    pub reason: String,
    /// What of their key differs; empty if one has no figures.
    pub fields: Vec<KeyField>,
}

/// A part of the key by which rows are of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeyField {
    /// `workload`, `shape`, `precision`, `model`, `protocol…`, `provenance`, `scope` or `power limit`.
    pub field: String,
    /// In the base.
    pub base: String,
    /// In the new run.
    pub new: String,
}
