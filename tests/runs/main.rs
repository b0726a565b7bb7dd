//! Runs: the program from start to result file, with live meters, simulated cards and interruptions. These tests mostly wait.

#[cfg(target_os = "linux")]
mod awaited;
#[cfg(target_os = "linux")]
mod card;
mod cli;
mod consistent;
#[cfg(unix)]
mod ends;
#[cfg(target_os = "linux")]
mod energy;
mod joules;
mod protocol;
#[cfg(unix)]
mod publish;
#[path = "../support/mod.rs"]
mod support;
mod unit;
