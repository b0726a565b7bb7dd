//! A figure that an answer rests on, with its date and where it comes from.

use super::market::Figure;
use super::{DeviceRow, RowEnergy};
use crate::units::{EnergyPerWork, Interval};
use serde::Serialize;

/// A figure that an answer rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Citation {
    /// What it is.
    pub what: String,
    /// In its unit.
    pub figure: Interval,
    /// `J/TH`, `$/Mtoken`.
    pub unit: &'static str,
    /// As exact as it is known.
    pub date: String,
    /// Where it comes from.
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

/// What a row says of its joules, in the customary unit.
pub(super) fn joules_of(row: &DeviceRow, energy: RowEnergy) -> Citation {
    let unit = energy.work.unit;
    let one = EnergyPerWork { joules: 1.0, unit }.quote();
    cite(row, energy, energy.work.joules * one, unit.energy_symbol())
}

/// What a row says of its power.
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
