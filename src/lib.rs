//! What a joule buys on this machine: Bitcoin hashes or AI tokens.
//!
//! rigbench measures throughput and energy of verified kernels (double SHA-256, matrix products, a language model's decoder, peak compute
//! and memory bandwidth) on GPUs and the CPU of one machine, writes what it observed to a result file that anybody can check, and says
//! what the next kilowatt-hour should do. Most people want the command, `rigbench run --quick`; the library is what it is made of.
//!
//! # Example
//!
//! A product of matrices on the CPU, compared with the oracle before it is timed:
//!
//! ```
//! use rigbench::{device::Device, oracle::Verdict, seed::Seed, units::Rate};
//! use rigbench::workload::{self, Target};
//!
//! let workload = workload::parse("gemm:64x64x64:f32")?;
//! let target = Target::open(&Device::cpu())?;
//! let variant = workload.variants(&target).remove(0);
//! let mut job = workload.prepare(&target, &variant, Seed([7; 32]))?;
//! assert!(matches!(job.verify()?, Verdict::Agrees { .. }));
//!
//! let began = std::time::Instant::now();
//! job.submit()?;
//! let work = job.wait()?.work.0 as f64;
//! let rate = Rate { per_second: work / began.elapsed().as_secs_f64(), unit: workload.unit() };
//! println!("{} on {}: {rate}", workload.spec(), target.device().name);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//!
//! - What runs: [`workload`] has every workload and its jobs, [`kernels`] the WGSL files and their variants, [`model`] the weights of a
//!   decoder, [`seed`] the test data, [`oracle`] the references that judge outputs.
//! - Where it runs: [`device`] describes the CPU and GPUs, [`gpu`] drives GPUs through wgpu.
//! - How it is measured: [`energy`] has the meters, [`measure`] windows and statistics, [`tune`] the choice of the fastest variant.
//! - What comes of it: [`results`] has the document, its derivation and its judges, [`economics`] prices and what follows from them,
//!   [`report`] tables and pages, [`units`] joules per unit of work.
//! - [`cli`] has the commands, [`text`] what a terminal may be shown.
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
