//! What a joule buys on this machine: Bitcoin hashes or AI tokens.
//!
//! A module imports only modules to its left in this order; `tests/documents/house.rs` enforces it:
//! `text`, `units`, `seed`, `kernels`, `device`, `gpu`, `model`, `oracle`, `workload`, `energy`, `measure`, `results`, `tune`,
//! `economics`, `report`, `cli`.

pub mod cli;
pub mod device;
pub mod economics;
pub mod energy;
pub mod gpu;
pub mod kernels;
pub mod measure;
pub mod model;
pub mod oracle;
pub mod report;
pub mod results;
pub mod seed;
pub mod text;
pub mod tune;
pub mod units;
pub mod workload;
