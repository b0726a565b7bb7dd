//! Revenue per kilowatt-hour: pure functions of energy per unit of work and a market file, and the advice built from them.
//! Nothing here measures, prints or fetches.

mod advice;
mod break_even;
mod choices;
mod exchange;
pub mod market;
mod megawatt;
mod query;
mod ranking;
mod revenue;
mod rows;
mod scenario;

pub use advice::{Advice, advise_on};
pub use break_even::{Answer, BreakEven, Crossing, HalvingEpoch, NoBreakEven, Question, Sides};
pub use choices::{Choice, Factor, Kind, MissingChoice, best_of};
pub use exchange::{AsicComparison, Exchange, QueryInHashes};
pub use market::{Market, MarketError};
pub use megawatt::{Megawatt, Megawatts};
pub use query::{MissingQuery, QueryEnergy, watt_hours};
pub use ranking::{Ranked, Ranking, Recommendation};
pub use revenue::{
    Network, Price, WorkEnergy, depreciation, hashes_forgone, rented, sales_revenue, subsidy_at,
};
pub use rows::{DeviceRow, MeasuredDevice, RowEnergy, Rows, rows};
pub use scenario::{Capital, Conditions, Parameter, RevenueModel, Scenario};
