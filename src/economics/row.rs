//! What advice takes of a measured row: energy for a unit of work, and what it covers.

use super::{Estimate, WorkEnergy};
use crate::device::Class;
use crate::energy::{Provenance, Scope};
use crate::units::Unit;
use jiff::civil::Date;

/// A measured row, as the results have it.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredRow {
    /// The device's id in its run, with whatever tells runs of several files apart: rows of one device have the same.
    pub device: String,
    /// As its driver calls it.
    pub device_name: String,
    /// Its hardware class.
    pub class: Class,
    /// The whole spec: `decode:llama-3-8b:int8:batch=8`.
    pub workload: String,
    /// What the work is.
    pub unit: Unit,
    /// For work in tokens, whose.
    pub sequences: Option<Sequences>,
    /// The headline energy, or the reason why there is none: no meter, an invalid row, a failed one.
    pub energy: Result<RowEnergy, String>,
    /// The day of the run.
    pub date: Date,
}

/// The headline energy of a row, gross.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowEnergy {
    /// Joules for one unit, with the 95 % interval; what is modelled has bounds and no value.
    pub joules_per_unit: Estimate,
    /// Mean power over the windows, in watts.
    pub watts: Estimate,
    /// What it covers.
    pub scope: Scope,
    /// How it came about.
    pub provenance: Provenance,
}

/// The model and the sequences that tokens belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequences {
    /// `llama-3-8b`.
    pub model: String,
    /// The type of its weights: `f16`, `int8`, `int4`.
    pub weights: String,
    /// Sequences at once.
    pub batch: u64,
    /// Whether they are read or written.
    pub stage: Stage,
}

impl std::fmt::Display for Sequences {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Sequences { model, weights, batch, stage } = self;
        write!(f, "{} tokens of {model} ({weights}, batch {batch})", stage.tokens())
    }
}

/// What is done to tokens. The two differ in joules and in price by far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Tokens of a prompt are read.
    Prefill,
    /// Tokens of an answer are written.
    Decode,
}

impl Stage {
    /// What sellers call such tokens: `input`, `output`.
    pub fn tokens(self) -> &'static str {
        match self {
            Stage::Prefill => "input",
            Stage::Decode => "output",
        }
    }
}

impl MeasuredRow {
    /// What stands for the row in a table: its workload on its device.
    pub fn label(&self) -> String {
        format!("{} on {}", self.workload, self.device_name)
    }

    /// Its energy for a unit of its own work.
    pub fn work_energy(&self) -> Option<WorkEnergy> {
        let energy = self.energy.as_ref().ok()?;
        Some(WorkEnergy { joules: energy.joules_per_unit, unit: self.unit })
    }

    /// Whether a row is of the same device and its energy of the same scope.
    pub fn shares_scope(&self, other: &MeasuredRow) -> bool {
        let scope = |row: &MeasuredRow| row.energy.as_ref().map(|energy| energy.scope).ok();
        self.device == other.device && scope(self).is_some() && scope(self) == scope(other)
    }

    /// The device's name without what Mesa adds to it in parentheses.
    pub(super) fn card(&self) -> &str {
        self.device_name.split_once(" (").map_or(&self.device_name, |(card, _)| card)
    }
}
