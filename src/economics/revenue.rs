//! Revenue and cost per kWh: pure functions of energy per unit of work. One formula covers hashes and tokens.

use crate::units::{HOUR, Interval, KILOWATT_HOUR, MEGAWATT, Method, Provenance, Unit, YEAR};

/// Energy per unit of work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorkEnergy {
    /// Joules per unit.
    pub joules: Interval,
    /// The unit of work.
    pub unit: Unit,
}

/// Price per unit of work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Dollars per unit.
    pub dollars: Interval,
    /// The unit of work.
    pub unit: Unit,
}

/// A number of the market file. Figures computed from it are at best published.
pub(super) fn quoted(value: f64) -> Interval {
    let (provenance, method) = (Provenance::Published, Method::Quoted);
    Interval { provenance, method, ..Interval::exact(value) }
}

/// Revenue from selling work, in dollars per kWh.
///
/// # Panics
/// If energy and price are of different units of work.
pub fn sold(energy: WorkEnergy, price: Price) -> Interval {
    assert_eq!(energy.unit, price.unit, "a price is of the work that it is paid for");
    price.dollars * KILOWATT_HOUR.0 / energy.joules
}

/// Revenue from renting out a device of the given power, in dollars per kWh.
pub fn rented(dollars_per_hour: Interval, watts: Interval) -> Interval {
    dollars_per_hour * KILOWATT_HOUR.0 / (watts * HOUR.0)
}

/// Straight-line depreciation of a megawatt at full load, in dollars per kWh.
pub fn written_off(dollars_per_megawatt: Interval, years: Interval) -> Interval {
    let kilowatt_hours = (MEGAWATT * YEAR).0 / KILOWATT_HOUR.0;
    dollars_per_megawatt / (years * kilowatt_hours)
}

/// Hashes that the energy of one token could have computed. Both energies have the same scope.
///
/// # Panics
/// If the units are not token and hash.
pub fn hashes_forgone(token: WorkEnergy, hash: WorkEnergy) -> Interval {
    assert_eq!((token.unit, hash.unit), (Unit::Token, Unit::Hash), "hashes are forgone for tokens");
    token.joules / hash.joules
}
