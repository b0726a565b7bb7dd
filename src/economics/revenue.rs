//! Revenue and cost per kWh: pure functions of energy per unit of work. One formula covers hashes and tokens; the price of a hash
//! follows from difficulty, block reward and bitcoin price.

use crate::units::{
    HOUR, Interval, KILOWATT_HOUR, MEGAWATT, Method, PETAHASH_DAY, Provenance, Unit, YEAR,
};
use serde::Serialize;

/// Expected hashes per block at difficulty 1: 2³².
const HASHES_PER_DIFFICULTY: f64 = 4_294_967_296.0;
/// Blocks between halvings.
pub(super) const HALVING_BLOCKS: u64 = 210_000;

/// State of the Bitcoin network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Network {
    /// Mining difficulty; 1 for the first block.
    pub difficulty: f64,
    /// Dollars per bitcoin.
    #[serde(rename = "bitcoin_dollars")]
    pub bitcoin: f64,
    /// Block subsidy in bitcoin.
    #[serde(rename = "subsidy_bitcoins_per_block")]
    pub subsidy: f64,
    /// Transaction fees per block, in bitcoin.
    #[serde(rename = "fees_bitcoins_per_block")]
    pub fees: f64,
}

impl Network {
    /// A network whose fees are a fraction of the block reward (subsidy plus fees), 0 to below 1.
    pub fn with_fee_share(difficulty: f64, bitcoin: f64, subsidy: f64, share: f64) -> Network {
        Network { difficulty, bitcoin, subsidy, fees: subsidy * share / (1.0 - share) }
    }

    /// Expected dollars per hash.
    pub fn dollars_per_hash(self) -> f64 {
        let reward = (self.subsidy + self.fees) * self.bitcoin;
        reward / (self.difficulty * HASHES_PER_DIFFICULTY)
    }

    /// Hashprice in dollars per PH/s and day.
    pub fn hashprice(self) -> f64 {
        self.dollars_per_hash() * PETAHASH_DAY
    }

    /// The same network at another hashprice, by a change of difficulty.
    pub fn at_hashprice(self, hashprice: f64) -> Network {
        Network { difficulty: self.difficulty * self.hashprice() / hashprice, ..self }
    }

    /// After the next halving: half the subsidy, all else unchanged.
    pub fn after_halving(self) -> Network {
        Network { subsidy: self.subsidy / 2.0, ..self }
    }
}

/// Block subsidy at a height, in bitcoin.
pub fn subsidy_at(height: u64) -> f64 {
    // It was 50 before the first halving.
    50.0 / 2f64.powi((height / HALVING_BLOCKS).min(64) as i32)
}

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
pub fn sales_revenue(energy: WorkEnergy, price: Price) -> Interval {
    assert_eq!(energy.unit, price.unit, "a price is of the work that it is paid for");
    price.dollars * KILOWATT_HOUR.0 / energy.joules
}

/// Revenue from renting out a device of the given power, in dollars per kWh.
pub fn rented(dollars_per_hour: Interval, watts: Interval) -> Interval {
    dollars_per_hour * KILOWATT_HOUR.0 / (watts * HOUR.0)
}

/// Straight-line depreciation of a megawatt at full load, in dollars per kWh.
pub fn depreciation(dollars_per_megawatt: Interval, years: Interval) -> Interval {
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
