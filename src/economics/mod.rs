//! Revenue per kilowatt-hour: pure functions of energy per unit of work and a market file, and the advice built from them.
//! Nothing here measures, prints or fetches.

mod advice;
mod break_even;
mod choices;
mod citation;
mod hash;
pub mod market;
mod megawatt;
mod query;
mod recommend;
mod revenue;
mod rows;
mod scenario;
mod tokens;

pub use advice::{Advice, QueryAbsent, QueryInHashes, Ranked, Ranking, advise_on};
pub use break_even::{Answer, BreakEven, Crossing, HalvingEpoch, Never, Question};
pub use choices::{Absent, Choice, Factor, Kind};
pub use citation::Citation;
pub use hash::{Network, subsidy_at};
pub use market::{Market, MarketError};
pub use megawatt::{Megawatt, Megawatts, Yardstick};
pub use query::{Factors, Query, QueryEnergy, watt_hours};
pub use recommend::Recommendation;
pub use revenue::{Price, WorkEnergy, hashes_forgone, rented, sold, written_off};
pub use rows::{DeviceRow, MeasuredDevice, RowEnergy, Rows, rows};
pub use scenario::{Capital, Conditions, Parameter, RevenueModel, Scenario};
pub use tokens::Exchange;
