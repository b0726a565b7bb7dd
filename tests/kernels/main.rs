//! Kernels and models on this machine's adapter and processor: right, faults seen, the tuner's choice; statistics.

mod decoder;
mod gpu;
mod gpu_errors;
mod isolation;
mod model;
mod stats;
mod subgroups;
#[path = "../support/mod.rs"]
mod support;
mod tune;
mod unit;
