//! What a machine draws while a child process works: its idle power, and some joules for each second of processor time.
//! A meter that answers to the load can be made of it; what a run should find follows from its own `cpu_seconds`.

#![allow(dead_code)] // each test binary uses its part

use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// A machine with a child process that works, once it is started.
#[derive(Clone)]
pub struct Draw {
    start: Instant,
    child: Arc<AtomicU32>,
    /// Watts while nothing runs.
    pub idle: f64,
    /// Joules of a second of processor time.
    pub of_work: f64,
}

impl Draw {
    pub fn new(idle: f64, of_work: f64) -> Draw {
        Draw { start: Instant::now(), child: Arc::default(), idle, of_work }
    }

    /// Joules since the start.
    pub fn joules(&self) -> f64 {
        let child = self.child.load(Ordering::Relaxed);
        let worked = if child == 0 { 0.0 } else { processor_seconds(child).unwrap_or(0.0) };
        self.idle * self.start.elapsed().as_secs_f64() + self.of_work * worked
    }

    /// Joules of a time in which so many seconds of processor time passed.
    pub fn of(&self, wall_seconds: f64, cpu_seconds: f64) -> f64 {
        self.idle * wall_seconds + self.of_work * cpu_seconds
    }

    /// Tells which child does the work.
    pub fn follow(&self, child: u32) {
        self.child.store(child, Ordering::Relaxed);
    }

    /// Runs a command to its end.
    pub fn run(&self, command: &mut Command) -> Output {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        self.follow(child.id());
        child.wait_with_output().unwrap()
    }
}

/// A command that prints two idle powers in turns, and more for the processor time of rigbench, which started it.
pub fn command(watts: [&str; 2], seconds: &str) -> String {
    let [one, other] = watts;
    let ticks = "set -- $(cat /proc/$PPID/stat); now=$((${14} + ${15}))";
    let print = |idle: &str| {
        let (whole, part) = idle.split_once('.').unwrap_or((idle, "0"));
        format!("{ticks}; echo $(({whole} + now - last)).{part}; last=$now; sleep {seconds}")
    };
    format!("command@wall:{ticks}; last=$now; while :; do {}; {}; done", print(one), print(other))
}

/// Processor time of a process and all its threads, `None` once it is gone. Linux counts in hundredths of a second.
fn processor_seconds(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}
