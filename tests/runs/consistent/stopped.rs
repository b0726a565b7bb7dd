//! Runs that are stopped, at any moment and by any signal.

use super::{consistent, documents};
use crate::support::rigbench;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const SIGNALS: [&str; 3] = ["-INT", "-TERM", "-HUP"];

pub fn send(signal: &str, process: u32) {
    let status = Command::new("kill").args([signal, &process.to_string()]).status();
    assert!(status.unwrap().success());
}

/// A run of about five seconds that tells of every window.
pub fn short_run(out: &Path) -> Command {
    let mut run = rigbench(&["run", "--quick", "--device", "cpu", "--power", "none"]);
    run.args(["--workload", "gemm:64x64x64:f32", "--out"]).arg(out);
    run.env("RIGBENCH_LOG", "info").env("RAYON_NUM_THREADS", "1");
    run
}

/// Stops a run once it has told of so many windows and blocks, and a moment later. Its exit code.
fn stop(out: &Path, steps: usize, later: Duration, signal: &str) -> Option<i32> {
    let mut run = short_run(out);
    let mut child = run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let told = said.by_ref().map_while(Result::ok);
    let step = |line: &String| line.contains(": window ") || line.contains("is kept");
    told.filter(step).take(steps).for_each(drop);
    std::thread::sleep(later);
    send(signal, child.id());
    said.for_each(drop);
    child.wait().unwrap().code()
}

#[test]
fn a_run_that_is_stopped_at_any_moment_leaves_a_consistent_file() {
    const MOMENTS: u64 = 40;
    let out = tempfile::tempdir().unwrap();
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        // They mostly wait.
        for _ in 0..20 {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= MOMENTS {
                        break;
                    }
                    // The golden ratio spreads the moments over the length of a window.
                    let later = Duration::from_secs_f64((i as f64 * 0.618_034).fract() * 0.45);
                    let signal = SIGNALS[i as usize % SIGNALS.len()];
                    let code = stop(out.path(), i as usize % 10, later, signal);
                    // Before it listens, the signal itself ends it; after its end, nothing does.
                    assert!(matches!(code, Some(130 | 0) | None), "{code:?}");
                }
            });
        }
    });
    let files = documents(out.path());
    let documents: Vec<_> = files.iter().map(|file| consistent(file)).collect();
    let unfinished = documents.iter().filter(|d| d.evidence.run.finished_at.is_none());
    let with_windows = unfinished.filter(|d| d.rows().count() > 0).count();
    println!("{MOMENTS} moments, {} files, {with_windows} with some windows", files.len());
    assert!(with_windows > 0);
}
