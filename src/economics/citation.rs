//! A figure that an answer rests on, with its date and where it comes from.

use super::market::Figure;
use super::{Estimate, MeasuredRow, RowEnergy};
use crate::units::EnergyPerWork;

/// A figure that an answer rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Citation {
    /// What it is.
    pub what: String,
    /// In its unit.
    pub estimate: Estimate,
    /// `J/TH`, `$/Mtoken`.
    pub unit: String,
    /// As exact as it is known.
    pub date: String,
    /// Where it comes from.
    pub source: String,
}

impl From<&Figure> for Citation {
    fn from(figure: &Figure) -> Citation {
        Citation {
            what: figure.key.clone(),
            estimate: figure.estimate,
            unit: figure.unit.to_string(),
            date: figure.date.clone(),
            source: figure.source.clone(),
        }
    }
}

/// What a row says of its joules, in the customary unit.
pub(super) fn joules_of(row: &MeasuredRow, energy: RowEnergy) -> Citation {
    let one = EnergyPerWork { joules: 1.0, unit: row.unit }.quote();
    cite(row, energy, energy.joules_per_unit * one, row.unit.energy_symbol())
}

/// What a row says of its power.
pub(super) fn watts_of(row: &MeasuredRow, energy: RowEnergy) -> Citation {
    cite(row, energy, energy.watts, "W")
}

fn cite(row: &MeasuredRow, energy: RowEnergy, estimate: Estimate, unit: &str) -> Citation {
    Citation {
        what: row.label(),
        estimate,
        unit: unit.to_string(),
        date: row.date.to_string(),
        source: format!("{}, {}", energy.provenance.name(), energy.scope.name()),
    }
}
