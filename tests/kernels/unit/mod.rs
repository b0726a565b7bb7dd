//! The parts that kernels, models and oracles are made of, each alone.

mod adapters;
mod ceiling;
mod coverage;
mod data;
mod decoder;
mod elements;
mod faults;
mod gguf;
mod kernels;
mod layout;
mod native;
mod oracle_decoder;
mod oracle_matmul;
mod oracle_sha256d;
mod pci;
mod presets;
mod sha256d_cpu;
mod shares;
mod specs;
