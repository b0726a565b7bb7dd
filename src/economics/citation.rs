//! A figure that the advice is computed from, with its date and source.

use super::market::Figure;
use super::{DeviceRow, RowEnergy};
use crate::units::{EnergyPerWork, Interval};
use serde::Serialize;

/// A figure that the advice is computed from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Citation {
    /// Key in the market file, or label of a row.
    pub what: String,
    /// The figure, in `unit`.
    pub figure: Interval,
    /// `J/TH`, `$/Mtoken`.
    pub unit: &'static str,
    /// A day, a month or a year.
    pub date: String,
    /// The source; provenance and scope for a row.
    pub source: String,
}

impl From<&Figure> for Citation {
    fn from(figure: &Figure) -> Citation {
        Citation {
            what: figure.key.clone(),
            figure: figure.interval,
            unit: figure.unit,
            date: figure.date.clone(),
            source: figure.source.clone(),
        }
    }
}

/// Energy per unit of work of a row, in the customary unit.
pub(super) fn joules_of(row: &DeviceRow, energy: RowEnergy) -> Citation {
    let unit = energy.work.unit;
    let one = EnergyPerWork { joules: 1.0, unit }.quote();
    cite(row, energy, energy.work.joules * one, unit.energy_symbol())
}

/// Mean power of a row.
pub(super) fn watts_of(row: &DeviceRow, energy: RowEnergy) -> Citation {
    cite(row, energy, energy.watts, "W")
}

fn cite(row: &DeviceRow, energy: RowEnergy, figure: Interval, unit: &'static str) -> Citation {
    Citation {
        what: row.label(),
        figure,
        unit,
        date: row.date.to_string(),
        source: format!("{}, {}", energy.provenance().name(), energy.scope.name()),
    }
}
