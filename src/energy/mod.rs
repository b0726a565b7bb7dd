//! Energy: sources of joules or watts, and the meter that integrates their readings over time. Measured, declared and modelled power
//! have different types and cannot be confused.

mod counter;
mod fault;
mod figures;
mod find;
mod integral;
mod meter;
mod power;
mod readings;
mod response;
mod rules;
mod sampling;
pub mod source;
mod spec;
mod stated;

pub use fault::NoFigure;
pub use figures::{CrossCheck, Figures, Finding, Read, figures, integrate};
pub use find::{Listing, SourceBinding, board, find, open};
pub use integral::{Integral, Terms, TimeSpan};
pub use meter::Meter;
pub use readings::Readings;
pub use response::{LoadStep, Response};
pub use rules::Rules;
pub use sampling::{Idle, Sampling};
pub use spec::{Metered, PowerSpec};
pub use stated::Stated;

use crate::device::Class;
use crate::units::{Joules, Provenance, Seconds, Watts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What a reading covers. Nested scopes are never added up.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[derive(strum::IntoStaticStr, strum::EnumString, strum::VariantArray, strum::VariantNames)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Scope {
    /// A graphics card with its memory.
    GpuBoard,
    /// The processor package.
    CpuPackage,
    /// Main memory.
    Dram,
    /// The whole machine, without the losses of its power supply.
    Machine,
    /// Everything on the wall plug, with the losses of the power supply.
    Wall,
}

impl Scope {
    /// Whether this scope is part of another.
    pub fn within(self, other: Scope) -> bool {
        other >= Scope::Machine && self < other
    }

    /// Whether a device of this class has it. An integrated GPU is part of the processor package and uses main memory; a software adapter
    /// runs on the processor.
    pub fn covers(self, class: Class) -> bool {
        let on_cpu = class.runs_on_cpu();
        match self {
            Scope::GpuBoard => !on_cpu,
            Scope::CpuPackage | Scope::Dram => on_cpu || class == Class::IntegratedGpu,
            Scope::Machine | Scope::Wall => true,
        }
    }

    /// What it includes and what it excludes.
    pub fn extent(self) -> (&'static str, &'static str) {
        match self {
            Scope::GpuBoard => (
                "the card: its processor, memory, fans and voltage regulators",
                "the rest of the machine and the losses of its power supply",
            ),
            Scope::CpuPackage => (
                "the processor's package: cores, caches, memory controller, integrated graphics",
                "memory, board, fans, other devices and the losses of the power supply",
            ),
            Scope::Dram => ("main memory", "everything else"),
            Scope::Machine => (
                "the whole machine behind its power supply, with every device in it, idle or not",
                "the losses of the power supply",
            ),
            Scope::Wall => (
                "everything on the plug: power supply, all devices of the machine, idle or not",
                "cooling of the room and losses before the plug",
            ),
        }
    }
}

/// Description of a source. It never contains an address, a path or a command line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceInfo {
    /// Kind of meter.
    pub kind: MeterKind,
    /// Model name that the meter reports: `NVIDIA GeForce RTX 3080`, `amdgpu`, `SHPLG-S`, `package-0`. Never an address, serial or path.
    pub model: String,
    /// Driver or firmware with its version; null if unknown.
    pub driver: Option<String>,
    /// Scope of its readings.
    pub scope: Scope,
    /// Quantity that it reads.
    pub quantity: Quantity,
    /// Documented time between updates; null if undocumented, in which case it is estimated from readings.
    #[serde(rename = "update_period_seconds")]
    pub update_period: Option<Seconds>,
    /// Time between reads.
    #[serde(rename = "poll_seconds")]
    pub poll: Seconds,
    /// Maximum plausible power; readings above it are rejected.
    #[serde(rename = "ceiling_watts")]
    pub ceiling: Watts,
    /// Accuracy of its readings.
    pub accuracy: Accuracy,
}

impl SourceInfo {
    /// Counter or samples.
    pub fn provenance(&self) -> Provenance {
        match self.quantity {
            Quantity::Counter { .. } => Provenance::MeasuredCounter,
            Quantity::Power { .. } => Provenance::MeasuredSampled,
        }
    }

    /// The error in its numbers, which start with the name of the field; `None` if they can be a meter's.
    pub fn fault(&self) -> Option<&'static str> {
        let positive = |seconds: Seconds| seconds.0.is_finite() && seconds.0 >= 0.0;
        let quantity = match &self.quantity {
            Quantity::Counter { ranges, duty } => {
                (0.0..=1.0).contains(duty) && ranges.iter().flatten().all(|range| range.0 > 0.0)
            }
            Quantity::Power { averaging } => positive(*averaging),
        };
        let checks = [
            (quantity, "quantity: no meter's"),
            (self.update_period.is_none_or(positive), "update_period_seconds: no meter's"),
            (positive(self.poll), "poll_seconds: no meter's"),
            (self.ceiling.0 > 0.0, "ceiling_watts: it would reject every reading"),
            ((0.0..1.0).contains(&self.accuracy.share), "accuracy.share: a share from 0 to 1"),
        ];
        checks.into_iter().find(|(sound, _)| !sound).map(|(_, what)| what)
    }

    /// Maximum plausible reading; infinite for a counter.
    fn largest(&self) -> f64 {
        match self.quantity {
            Quantity::Counter { .. } => f64::INFINITY,
            Quantity::Power { .. } => self.ceiling.0,
        }
    }
}

/// Quantity that a source reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Quantity {
    /// Cumulative energy. A reading has one value per domain (processor packages, say); the domains are summed.
    Counter {
        /// Joules at which each domain's counter wraps to 0; null if it has no known range.
        #[serde(rename = "range_joules")]
        ranges: Vec<Option<Joules>>,
        /// Duty cycle of the counter's sensor: the share of time that it samples, 0 to 1.
        duty: f64,
    },
    /// Power.
    Power {
        /// Averaging time of a reading, before it is made; 0 if instantaneous.
        #[serde(rename = "averaging_seconds")]
        averaging: Seconds,
    },
}

impl Quantity {
    /// Averaging time of a reading; 0 for a counter.
    fn averaging(&self) -> Seconds {
        match self {
            Quantity::Counter { .. } => Seconds(0.0),
            Quantity::Power { averaging } => *averaging,
        }
    }

    /// Number of values in a reading.
    pub fn domains(&self) -> usize {
        match self {
            Quantity::Counter { ranges, .. } => ranges.len(),
            Quantity::Power { .. } => 1,
        }
    }
}

/// Accuracy of a source, relative to its readings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Accuracy {
    /// Half-width: 0.01 is ±1 %.
    pub share: f64,
    /// Origin of this value.
    pub basis: Basis,
    /// Data sheet or paper, or the reason for the assumption, in a few words.
    pub reference: String,
}

impl Accuracy {
    /// The accuracy assumed of meters without a published test.
    fn assumed(reference: &str) -> Accuracy {
        Accuracy { share: 0.05, basis: Basis::Assumed, reference: reference.into() }
    }
}

/// Kind of meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[derive(strum::IntoStaticStr, strum::Display)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum MeterKind {
    /// NVML, NVIDIA's management library.
    Nvml,
    /// hwmon, the Linux kernel's hardware monitoring.
    Hwmon,
    /// RAPL, the processor's energy counters.
    Rapl,
    /// A Shelly smart plug.
    Shelly,
    /// A smart plug with Tasmota firmware.
    Tasmota,
    /// A user's command.
    Command,
}

/// Origin of an accuracy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[derive(strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Basis {
    /// The manufacturer's data sheet.
    Datasheet,
    /// A published measurement.
    Paper,
    /// An assumption: no published source is known.
    Assumed,
}

/// A reading with the moments before and after it was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Stamped {
    /// Just before the read, on the meter's clock.
    pub before: Seconds,
    /// Just after the read, on the meter's clock.
    pub after: Seconds,
    /// Joules per domain, or watts (one value), according to the source's quantity.
    pub values: Vec<f64>,
}

/// A source cannot be read, or a spec of one is invalid. One line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EnergyError(pub String);

impl<T: Into<String>> From<T> for EnergyError {
    fn from(text: T) -> EnergyError {
        EnergyError(text.into())
    }
}

/// An energy source.
pub trait EnergySource: Send {
    /// Its description.
    fn describe(&self) -> SourceInfo;
    /// Takes a reading: joules per domain, or watts (one value). Blocks until the source answers, for a few seconds at most.
    ///
    /// # Errors
    /// If the source does not answer or its answer is invalid.
    fn read(&mut self) -> Result<Vec<f64>, EnergyError>;

    /// Arrival time of the last reading if the source pushed it while `read` waited: it does not cover the whole wait.
    fn arrived(&self) -> Option<Instant> {
        None
    }
}

/// State of a board at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoardState {
    /// Temperature of the GPU in degrees Celsius.
    pub celsius: Option<f64>,
    /// Core clock.
    pub core_hertz: Option<f64>,
    /// Memory clock.
    pub memory_hertz: Option<f64>,
    /// Power limit in force.
    pub power_limit: Option<Watts>,
    /// Active throttle reasons; `None` if unknown.
    pub throttle: Option<Vec<Throttle>>,
}

/// A reason for reduced clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Throttle {
    /// Power limit reached: normal, and recorded.
    PowerCap,
    /// Thermal slowdown by the driver.
    ThermalSoftware,
    /// Thermal slowdown by the hardware.
    ThermalHardware,
    /// Hardware slowdown: temperature or power out of range.
    HardwareSlowdown,
    /// Power brake signal from the power supply.
    PowerBrake,
    /// Any other reason.
    Other,
}

impl Throttle {
    /// Whether it invalidates figures.
    pub fn invalidates(self) -> bool {
        !matches!(self, Throttle::PowerCap | Throttle::Other)
    }
}

/// Reads a board's state.
pub trait Board: Send {
    /// The current state.
    fn state(&mut self) -> BoardState;
}
