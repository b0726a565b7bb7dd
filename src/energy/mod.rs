//! Energy: sources that read joules or watts, and the meter that turns their readings into joules for a stretch of
//! time. What was measured, what a user declared and what is only modelled are different types, so that none can
//! pass for another.

mod declared;
mod meter;
mod model;
mod spec;

pub use declared::Declared;
pub use meter::{Mark, Meter};
pub use model::Model;
pub use spec::{PowerSpec, PowerSpecError};

use crate::units::{Joules, Seconds, Watts};

/// What a reading covers. Nested scopes are never added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
}

/// What a source is. Never an address, a path or a command line.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceInfo {
    /// `declared`, `model`.
    pub kind: &'static str,
    /// What its readings cover.
    pub scope: Scope,
    /// Where its figures come from, in a sentence.
    pub basis: String,
}

/// A reading with the moments before and after it was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stamped<T> {
    /// Just before, since the meter's start.
    pub before: Seconds,
    /// Just after, since the meter's start.
    pub after: Seconds,
    /// What was read.
    pub value: T,
}

/// What a source can say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// Power that a user vouches for.
    Declared(Watts),
    /// Power that nobody measured: somewhere between two bounds.
    Bounds {
        /// No less than this.
        low: Watts,
        /// No more than this.
        high: Watts,
    },
}

/// A source that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct EnergyError(pub String);

/// Something that can be read for energy.
pub trait EnergySource: Send {
    /// What it is.
    fn describe(&self) -> SourceInfo;
    /// One reading; blocks while the source answers.
    ///
    /// # Errors
    /// If the source does not answer or answers nonsense.
    fn read(&mut self) -> Result<Reading, EnergyError>;
}

/// What a source makes of a stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub enum Energy {
    /// From watts that a user typed.
    Declared {
        /// The source.
        source: SourceInfo,
        /// All that the scope drew, idle draw included.
        gross: Joules,
    },
    /// An interval; it has no point value, here or anywhere after.
    Modelled {
        /// The source.
        source: SourceInfo,
        /// No less than this.
        low: Joules,
        /// No more than this.
        high: Joules,
    },
    /// Nothing is known.
    None {
        /// Why.
        reason: String,
    },
}
