//! Reports: a document becomes tables, and tables become text.

mod devices;
mod run;
mod table;
mod tune;

pub use devices::devices;
pub use run::run;
pub use table::Table;
pub use tune::tuning;
