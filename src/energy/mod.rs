//! Energy: sources that read joules or watts, and the meter that turns their readings into joules for a stretch of
//! time. What was measured, what a user declared and what is only modelled are different types, so that none can
//! pass for another.

mod agreement;
mod counter;
mod fault;
mod figures;
mod find;
mod integral;
mod meter;
mod metered;
mod power;
mod readings;
mod response;
mod rules;
mod sampling;
pub mod source;
mod spec;
mod stated;

pub use agreement::{CrossCheck, Finding};
pub use fault::NoFigure;
pub use figures::{Figures, Read, figures};
pub use find::{Listing, Placed, board, find, open};
pub use integral::{Integral, Stretch, Terms, integrate};
pub use meter::{Idle, Meter};
pub use metered::Metered;
pub use readings::Readings;
pub use response::{LoadStep, Response};
pub use rules::Rules;
pub use sampling::Sampling;
pub use spec::{PowerSpec, PowerSpecError};
pub use stated::Stated;

use crate::units::{Joules, Provenance, Seconds, Watts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What a reading covers. Nested scopes are never added up.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// A graphics card with its memory.
    GpuBoard,
    /// The processor's package.
    CpuPackage,
    /// Main memory.
    Dram,
    /// All of the machine behind its power supply.
    Machine,
    /// All that hangs on a plug, the power supply's losses included.
    Wall,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 5] =
        [Scope::GpuBoard, Scope::CpuPackage, Scope::Dram, Scope::Machine, Scope::Wall];

    /// The name in results and specs: `gpu-board`.
    pub fn name(self) -> &'static str {
        match self {
            Scope::GpuBoard => "gpu-board",
            Scope::CpuPackage => "cpu-package",
            Scope::Dram => "dram",
            Scope::Machine => "machine",
            Scope::Wall => "wall",
        }
    }

    /// Whether this scope lies within another, so that the two are never added up.
    pub fn within(self, other: Scope) -> bool {
        match other {
            Scope::Wall => self != Scope::Wall,
            Scope::Machine => self < Scope::Machine,
            _ => false,
        }
    }

    /// Nothing of this scope draws less under load: less is a reading in another unit, or of another thing. An idle
    /// laptop draws 2 W at its plug, an idle graphics card 3 W or more, a phone's processor under load half a watt.
    pub fn least(self) -> Watts {
        match self {
            Scope::GpuBoard => Watts(1.5),
            Scope::CpuPackage => Watts(0.2),
            Scope::Dram => Watts(0.02),
            Scope::Machine | Scope::Wall => Watts(1.0),
        }
    }

    /// Nothing of this scope draws more: the largest cards draw 1.4 kW, a rack of 72 of them 140 kW.
    pub fn most(self) -> Watts {
        match self {
            Scope::GpuBoard => Watts(3e3),
            Scope::CpuPackage => Watts(5e3),
            Scope::Dram => Watts(2e3),
            Scope::Machine | Scope::Wall => Watts(200e3),
        }
    }

    /// What it takes in, and what it leaves out.
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

/// What a source is. Never an address, a path or a command line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceInfo {
    /// What kind of meter it is.
    pub kind: MeterKind,
    /// What the meter calls itself: `NVIDIA GeForce RTX 3080`, `amdgpu`, `SHPLG-S`, `package-0`. Never an address, serial or path.
    pub model: String,
    /// The driver or firmware that answers, with its version, where it is known.
    pub driver: Option<String>,
    /// What its readings cover.
    pub scope: Scope,
    /// What it reads.
    pub quantity: Quantity,
    /// How often its value changes, where that is documented; the meter finds it out otherwise.
    #[serde(rename = "update_period_seconds")]
    pub update_period: Option<Seconds>,
    /// How often to read it.
    #[serde(rename = "poll_seconds")]
    pub poll: Seconds,
    /// More than this no such source can truly draw; a reading above it is garbage.
    #[serde(rename = "ceiling_watts")]
    pub ceiling: Watts,
    /// How far its figures may be off.
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
}

/// What a source reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Quantity {
    /// Joules since some moment. One value a reading for each domain (processor packages, say); they are added.
    Counter {
        /// For each domain, the joules at which it begins again at 0, where it does at a known value.
        #[serde(rename = "range_joules")]
        ranges: Vec<Option<Joules>>,
        /// The share of time that the counter's own sensor looks at, 0 to 1.
        duty: f64,
    },
    /// Watts.
    Power {
        /// A reading is the mean over so long before it was made; 0 if of an instant.
        #[serde(rename = "averaging_seconds")]
        averaging: Seconds,
    },
}

impl Quantity {
    /// Values of a reading.
    pub fn domains(&self) -> usize {
        match self {
            Quantity::Counter { ranges, .. } => ranges.len(),
            Quantity::Power { .. } => 1,
        }
    }
}

/// How far a source's figures may be off, as a share of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Accuracy {
    /// 0.01 is 1 %.
    pub share: f64,
    /// Where that comes from.
    pub basis: Basis,
    /// The data sheet or paper, or why it is assumed, in a few words.
    pub reference: String,
}

/// A kind of meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MeterKind {
    /// NVIDIA's management library.
    Nvml,
    /// The Linux kernel's hardware monitoring.
    Hwmon,
    /// The processor's own energy counters.
    Rapl,
    /// A Shelly plug.
    Shelly,
    /// A plug with Tasmota.
    Tasmota,
    /// A command that the user gave.
    Command,
}

impl MeterKind {
    /// The name in results and specs.
    pub fn name(self) -> &'static str {
        match self {
            MeterKind::Nvml => "nvml",
            MeterKind::Hwmon => "hwmon",
            MeterKind::Rapl => "rapl",
            MeterKind::Shelly => "shelly",
            MeterKind::Tasmota => "tasmota",
            MeterKind::Command => "command",
        }
    }

    /// Whether it is a sensor of a graphics card, which tells the card's state too.
    pub fn is_of_a_card(self) -> bool {
        matches!(self, MeterKind::Nvml | MeterKind::Hwmon)
    }
}

impl std::fmt::Display for MeterKind {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Where an accuracy comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The maker says so.
    Datasheet,
    /// Somebody measured it and published that.
    Paper,
    /// Nobody known to us does.
    Assumed,
}

impl Basis {
    /// The name in results.
    pub fn name(self) -> &'static str {
        match self {
            Basis::Datasheet => "datasheet",
            Basis::Paper => "paper",
            Basis::Assumed => "assumed",
        }
    }
}

/// A reading with the moments before and after it was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Stamped {
    /// Just before, on the meter's clock.
    pub before: Seconds,
    /// Just after, on the meter's clock.
    pub after: Seconds,
    /// What was read: joules of each domain, or watts (one value), as the source's quantity says.
    pub values: Vec<f64>,
}

/// A source that cannot be read. One line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EnergyError(pub String);

/// Something that can be read for energy.
pub trait EnergySource: Send {
    /// What it is.
    fn describe(&self) -> SourceInfo;
    /// One reading: joules of each domain, or watts (one value). Blocks while the source answers, at most a few seconds.
    ///
    /// # Errors
    /// If the source does not answer or answers nonsense.
    fn read(&mut self) -> Result<Vec<f64>, EnergyError>;

    /// When the last reading came, if it came by itself while `read` waited for it: it was not made over all of that time.
    fn arrived(&self) -> Option<Instant> {
        None
    }
}

/// The state of a board beside its windows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoardState {
    /// Degrees Celsius of its processor.
    pub celsius: Option<f64>,
    /// Clock of its cores.
    pub core_hertz: Option<f64>,
    /// Clock of its memory.
    pub memory_hertz: Option<f64>,
    /// The power limit that is in force.
    pub power_limit: Option<Watts>,
    /// What holds its clocks down; none if nothing tells it.
    pub throttle: Option<Vec<Throttle>>,
}

/// What holds a board's clocks down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Throttle {
    /// It draws as much as it may: normal, and recorded.
    PowerCap,
    /// The driver slows it down for its heat.
    ThermalSoftware,
    /// The board slows itself down for its heat.
    ThermalHardware,
    /// The board slows itself down: heat, or power that is not as it should be.
    HardwareSlowdown,
    /// The power supply told it to brake.
    PowerBrake,
    /// Something else.
    Other,
}

impl Throttle {
    /// Everything.
    pub const ALL: [Throttle; 6] = [
        Throttle::PowerCap,
        Throttle::ThermalSoftware,
        Throttle::ThermalHardware,
        Throttle::HardwareSlowdown,
        Throttle::PowerBrake,
        Throttle::Other,
    ];

    /// The name in results: `power-cap`.
    pub fn name(self) -> &'static str {
        match self {
            Throttle::PowerCap => "power-cap",
            Throttle::ThermalSoftware => "thermal-software",
            Throttle::ThermalHardware => "thermal-hardware",
            Throttle::HardwareSlowdown => "hardware-slowdown",
            Throttle::PowerBrake => "power-brake",
            Throttle::Other => "other",
        }
    }

    /// Whether figures taken under it do not count.
    pub fn spoils(self) -> bool {
        !matches!(self, Throttle::PowerCap | Throttle::Other)
    }
}

/// Something that tells a board's state.
pub trait Board: Send {
    /// Its state now.
    fn state(&mut self) -> BoardState;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_scopes_are_told_from_disjoint_ones() {
        use Scope::*;
        let nested = [
            (GpuBoard, Machine),
            (CpuPackage, Machine),
            (Dram, Machine),
            (GpuBoard, Wall),
            (CpuPackage, Wall),
            (Dram, Wall),
            (Machine, Wall),
        ];
        for a in Scope::ALL {
            for b in Scope::ALL {
                assert_eq!(a.within(b), nested.contains(&(a, b)), "{a:?} in {b:?}");
            }
        }
    }
}
