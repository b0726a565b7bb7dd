//! Joules, in the document. What was measured, what a user declared and what is only modelled have fields of their own:
//! a modelled figure has no joules-per-unit value, only a low and a high one.

use super::Scope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Joules, and what they are worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "provenance", rename_all = "kebab-case")]
pub enum Energy {
    /// Read from a counter of joules.
    MeasuredCounter(MeasuredEnergy),
    /// Integrated from readings of watts.
    MeasuredSampled(MeasuredEnergy),
    /// A user typed watts.
    Declared(DeclaredEnergy),
    /// Nobody measured: somewhere between two bounds.
    Modelled(ModelledEnergy),
    /// Nothing is known.
    None(NoEnergy),
}

/// Energy that was measured. Every figure follows from the readings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeasuredEnergy {
    /// What it covers.
    pub scope: Scope,
    /// What the scope takes in.
    pub includes: String,
    /// What it leaves out.
    pub excludes: String,
    /// What was read.
    pub source: Meter,
    /// What it says of each block.
    pub blocks: Vec<BlockEnergy>,
    /// Gross joules a unit of work: all joules of the blocks that have a figure, over their work.
    pub joules_per_unit: PerUnit,
    /// All joules of these blocks' windows, idle draw included.
    pub gross_joules: f64,
    /// Joules above what the same source read at rest over the same time; null if no baseline was taken.
    pub net_joules: Option<f64>,
    /// Mean power over these windows.
    pub power_watts: f64,
    /// The source at rest; null if it was not taken.
    pub idle: Option<Idle>,
    /// Parts of the interval of `gross_joules`, each half of a 95 % interval; together their root sum of squares.
    pub uncertainty: Uncertainty,
    /// How often its value changed, as the readings show it; null if it never did.
    pub update_period_seconds: Option<f64>,
    /// Readings that the figure rests on.
    pub samples: u64,
    /// Readings that cannot be true and were left out.
    pub rejected_samples: u64,
    /// Reads that gave nothing.
    pub failed_reads: u64,
    /// The share of the time that the readings cover.
    pub coverage: f64,
    /// Times that a counter began again at 0.
    pub wraps: u64,
    /// This source held against the others.
    pub cross_checks: Vec<CrossCheck>,
    /// How it answered to the steps from idle to load; absent in files of versions that did not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// Share of one processor core that reading took.
    pub sampler_core_share: f64,
    /// The readings themselves.
    pub readings: Readings,
    /// SHA-256 of `readings` as canonical JSON (RFC 8785).
    pub readings_sha256: String,
}

/// What a source says of a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BlockEnergy {
    /// All joules of its windows; null if there is no figure.
    pub gross_joules: Option<f64>,
    /// Why there is none.
    pub reason: Option<String>,
}

/// A source that is read; never an address, a path or a command line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Meter {
    /// `nvml`, `rapl`, `hwmon`, `shelly`, `tasmota` or `command`.
    pub kind: String,
    /// What it calls itself.
    pub model: String,
    /// The driver or firmware that answers; null if it is not known.
    pub driver: Option<String>,
    /// What it reads.
    pub quantity: Quantity,
    /// How often its value changes, where that is documented.
    pub update_period_seconds: Option<f64>,
    /// How often it is read.
    pub poll_seconds: f64,
    /// More than this it cannot truly draw.
    pub ceiling_watts: f64,
    /// How far its figures may be off, as a share of them.
    pub accuracy: f64,
    /// `datasheet`, `paper` or `assumed`.
    pub accuracy_basis: String,
    /// The data sheet or paper, or why it is assumed.
    pub accuracy_reference: String,
}

/// What a source reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Quantity {
    /// Joules since some moment, for each of some domains that are added.
    Counter {
        /// For each domain, the joules at which it begins again at 0; null if that is not known.
        range_joules: Vec<Option<f64>>,
        /// The share of time that the counter's own sensor looks at.
        duty: f64,
    },
    /// Watts.
    Power {
        /// A reading is the mean over so long before it was made; 0 if of an instant.
        averaging_seconds: f64,
    },
}

/// A source at rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Idle {
    /// Mean power.
    pub power_watts: f64,
    /// Half of its 95 % interval.
    pub half_width_watts: f64,
    /// How long it was taken.
    pub seconds: f64,
    /// How it was taken.
    pub method: String,
}

/// Parts of an interval, each half of a 95 % interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Uncertainty {
    /// How far the source's own figures may be off.
    pub meter_joules: f64,
    /// The ends of the windows lie between updates, and the source may need time to follow.
    pub window_joules: f64,
    /// Chance, where readings are samples of what happened.
    pub statistical_joules: f64,
}

/// A source held against another of the same run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CrossCheck {
    /// The other's kind.
    pub with: String,
    /// What the other covers.
    pub scope: Scope,
    /// Joules of this one over joules of the other.
    pub ratio: f64,
    /// What is remarkable about that; null if nothing is.
    pub complaint: Option<String>,
}

/// How a source answered to the steps from idle to load, one at the start of each block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Response {
    /// How late its readings follow the load.
    pub lag_seconds: f64,
    /// Half of the interval in which the lag lies.
    pub lag_half_width_seconds: f64,
    /// Whether the lag is longer than the start of a block covers; its readings were then moved by the lag.
    pub late: bool,
    /// Mean power before the steps.
    pub idle_watts: f64,
    /// Mean power after the steps.
    pub load_watts: f64,
    /// Share of the variance of the readings around the steps that the steps explain, 0 to 1.
    pub explained: f64,
}

/// Readings, on a clock that is 0 where the first window begins; some are of before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Readings {
    /// Just before each was taken.
    pub before_seconds: Vec<f64>,
    /// Just after each was taken.
    pub after_seconds: Vec<f64>,
    /// For each domain, joules or watts.
    pub values: Vec<Vec<f64>>,
}

/// Energy from watts that a user typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeclaredEnergy {
    /// What it covers.
    pub scope: Scope,
    /// Joules a unit of work; its interval is of the speed alone.
    pub joules_per_unit: PerUnit,
    /// All joules over the windows, idle draw included.
    pub gross_joules: f64,
    /// Null: nobody took a baseline.
    pub net_joules: Option<f64>,
    /// The watts that were typed.
    pub power_watts: f64,
    /// Whether they were typed for this workload; if once for all, rows with them compare in speed only.
    pub for_this_workload: bool,
}

/// Energy for a unit of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerUnit {
    /// Joules a unit of work.
    pub value: f64,
    /// Lower end of the 95 % interval; null if there is too little to tell.
    pub ci95_low: Option<f64>,
    /// Upper end of the 95 % interval; null if there is too little to tell.
    pub ci95_high: Option<f64>,
    /// Windows, or readings.
    pub n: u64,
    /// How the interval was found.
    pub method: String,
}

/// Energy without a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelledEnergy {
    /// What it covers.
    pub scope: Scope,
    /// No fewer joules a unit of work than this.
    pub modelled_joules_per_unit_low: f64,
    /// No more joules a unit of work than this.
    pub modelled_joules_per_unit_high: f64,
    /// No less power than this.
    pub modelled_power_watts_low: f64,
    /// No more power than this.
    pub modelled_power_watts_high: f64,
    /// Where the bounds come from.
    pub basis: String,
}

/// No energy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoEnergy {
    /// Why.
    pub reason: String,
}
