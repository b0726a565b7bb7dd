//! What several tests need.

#![allow(dead_code)] // each test uses its part

pub mod punctual;
pub mod smollm2;

use rigbench::gpu::{self, Gpu};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The program, with a cache folder of the tests' own.
pub fn rigbench(args: &[&str]) -> Command {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rigbench"));
    command.args(args).env("XDG_CACHE_HOME", cache).stdin(Stdio::null());
    command
}

/// Says that a test was not run, and why. Written past the test harness, which hides what passing tests print;
/// `scripts/test.sh` ends with the list of these lines.
pub fn not_run(test: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "not run: {test}: {reason}");
}

/// The first GPU, opened, or none with a word on it.
pub fn gpu(test: &str) -> Option<Gpu> {
    match gpu::enumerate().first() {
        Some(device) => Some(Gpu::open(device).expect("the first adapter opens")),
        None => {
            not_run(test, "this machine has no GPU adapter");
            None
        }
    }
}
