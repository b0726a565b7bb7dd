//! Watts that a user typed: from a plug that was read by eye, or a data sheet.

use super::{EnergyError, EnergySource, Reading, Scope, SourceInfo};
use crate::units::Watts;

/// A constant power that the user vouches for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Declared {
    /// What the user typed.
    pub watts: Watts,
    /// What the figure covers.
    pub scope: Scope,
}

impl EnergySource for Declared {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            kind: "declared",
            scope: self.scope,
            basis: format!("{} typed by the user", self.watts),
        }
    }

    fn read(&mut self) -> Result<Reading, EnergyError> {
        Ok(Reading::Declared(self.watts))
    }
}
