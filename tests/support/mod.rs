//! What several tests need.

#![allow(dead_code)] // each test uses its part

pub mod punctual;
pub mod smollm2;

use rigbench::gpu::{self, Gpu};
use rigbench::oracle::decoder::Forward;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// The program, with a cache folder of the tests' own.
pub fn rigbench(args: &[&str]) -> Command {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rigbench"));
    command.args(args).env("XDG_CACHE_HOME", cache).stdin(Stdio::null());
    command
}

/// Runs a command that logs every window. `on_line` gets each line of its stderr and its process id. Returns its exit code and stderr.
pub fn followed(
    command: &mut Command,
    mut on_line: impl FnMut(&str, u32),
) -> (Option<i32>, String) {
    command.env("RIGBENCH_LOG", "info").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        on_line(&line, child.id());
        stderr += &(line + "\n");
    }
    (child.wait().unwrap().code(), stderr)
}

/// How far the reference's logit of `token` at a position is below the largest; 0 if it is the largest.
pub fn gap(reference: &Forward, position: usize, token: u32) -> f64 {
    let logits = reference.logits.row(position);
    logits.fold(f64::NEG_INFINITY, |most, logit| most.max(*logit)) - logits[token as usize]
}

/// Says that a test was not run, and why. Written past the test harness, which hides what passing tests print;
/// `scripts/test.sh` ends with the list of these lines.
pub fn not_run(test: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "not run: {test}: {reason}");
}

/// The first GPU, opened once for all tests of a program, so that each kernel is compiled once; or none with a word on it.
pub fn gpu(test: &str) -> Option<Gpu> {
    static GPU: LazyLock<Option<Gpu>> = LazyLock::new(open_first);
    or_not_run(test, GPU.clone())
}

/// The first GPU, opened for one test: for those that lose it, fill its memory or measure time.
pub fn own_gpu(test: &str) -> Option<Gpu> {
    or_not_run(test, open_first())
}

fn open_first() -> Option<Gpu> {
    gpu::enumerate().first().map(|device| Gpu::open(device).expect("the first adapter opens"))
}

fn or_not_run(test: &str, gpu: Option<Gpu>) -> Option<Gpu> {
    if gpu.is_none() {
        not_run(test, "this machine has no GPU adapter");
    }
    gpu
}
