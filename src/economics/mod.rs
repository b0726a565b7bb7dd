//! What a kilowatt-hour earns: pure functions over energy per work and a market file, and the answer that they add up to.
//! Nothing here measures, prints or fetches.

pub mod advice;
mod choices;
mod citation;
mod estimate;
mod flip;
mod hash;
pub mod market;
mod megawatt;
mod query;
mod recommend;
mod record;
mod revenue;
pub mod row;
mod rows;
mod tokens;
mod venture;
pub mod wire;

pub use advice::{Advice, Ranking, advise, advise_on};
pub use choices::{Absent, Choice, Factor, Kind, On, Origin, Standing};
pub use citation::Citation;
pub use estimate::{Corner, Estimate};
pub use flip::{Answer, Era, Flip, Outcome, Question, flip};
pub use hash::{Network, subsidy_at};
pub use market::{Market, MarketError};
pub use megawatt::{Megawatt, Megawatts, Yardstick};
pub use query::{Factors, Query, QueryEnergy, watt_hours};
pub use recommend::Recommendation;
pub use revenue::{Price, WorkEnergy, hashes_forgone, rented, sold, written_off};
pub use row::{MeasuredRow, RowEnergy, Sequences, Stage};
pub use rows::{Rows, rows};
pub use tokens::Exchange;
pub use venture::{Capital, Conditions, Parameter, Plan, Venture};
