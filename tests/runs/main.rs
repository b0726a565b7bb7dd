//! Runs: the program from its start to its file, meters, stand-in cards, interruptions. These tests mostly wait.

#[cfg(target_os = "linux")]
mod card;
mod cli;
mod consistent;
#[cfg(target_os = "linux")]
mod energy;
mod joules;
mod protocol;
#[cfg(unix)]
mod publish;
#[path = "../support/mod.rs"]
mod support;
