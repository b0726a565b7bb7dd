//! What a machine draws while a child process works: one power while threads of it want a processor, another while it is
//! idle. Whether its threads get a processor does not matter, so that a busy machine changes nothing.

#![allow(dead_code)] // each test binary uses its part

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A machine with a child process that works, once it is started.
#[derive(Clone)]
pub struct Draw(Arc<Machine>);

struct Machine {
    idle: f64,
    load: f64,
    child: AtomicU32,
    drawn: Mutex<Drawn>,
    /// Holds the file `watts`.
    folder: TempDir,
}

struct Drawn {
    joules: f64,
    watts: f64,
    since: Instant,
}

/// How often to look, and how many looks decide: a thread that wakes up for a moment is no load.
const LOOK: Duration = Duration::from_millis(8);
const LOOKS: u32 = 8;

impl Draw {
    /// Watts while nothing runs, and while the child works.
    pub fn new(idle: f64, load: f64) -> Draw {
        let drawn = Mutex::new(Drawn { joules: 0.0, watts: idle, since: Instant::now() });
        let folder = tempfile::tempdir().unwrap();
        let machine = Arc::new(Machine { idle, load, child: AtomicU32::new(0), drawn, folder });
        machine.show(idle);
        let watched = Arc::downgrade(&machine);
        thread::spawn(move || watch(&watched));
        Draw(machine)
    }

    /// Joules since the start.
    pub fn joules(&self) -> f64 {
        let drawn = self.0.drawn();
        drawn.joules + drawn.watts * drawn.since.elapsed().as_secs_f64()
    }

    /// Watts now.
    pub fn watts(&self) -> f64 {
        self.0.drawn().watts
    }

    /// Watts while nothing runs.
    pub fn idle(&self) -> f64 {
        self.0.idle
    }

    /// Watts while the child works.
    pub fn load(&self) -> f64 {
        self.0.load
    }

    /// A file with the watts of now.
    pub fn file(&self) -> PathBuf {
        self.0.folder.path().join("watts")
    }

    /// A shell command that prints these two idle powers in turns, and as much more under load as this machine draws.
    pub fn command(&self, watts: [&str; 2], seconds: &str) -> String {
        let print = |idle: &str| {
            let (whole, part) = idle.split_once('.').unwrap_or((idle, "0"));
            let (file, own) = (self.file(), self.0.idle);
            format!("echo $(($(cat {}) - {own} + {whole})).{part}; sleep {seconds}", file.display())
        };
        format!("command@wall:while :; do {}; {}; done", print(watts[0]), print(watts[1]))
    }

    /// Tells which child does the work.
    pub fn follow(&self, child: u32) {
        self.0.child.store(child, Ordering::Relaxed);
    }

    /// Runs what `command` makes for a folder of results and prints a document. Beside many other programs a source may be read too seldom
    /// for a figure, as the document then says: unless all have one and so many idle power, it is run again, and the third time counts.
    pub fn run_until_read(
        &self,
        baselines: usize,
        command: impl Fn(&Path) -> Command,
    ) -> (Output, TempDir) {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let out = tempfile::tempdir().unwrap();
            let output = self.run(&mut command(out.path()));
            let document = serde_json::from_slice(&output.stdout).unwrap_or_default();
            if attempts == 3 || is_whole(&document, baselines) {
                return (output, out);
            }
        }
    }

    /// Runs a command to its end.
    pub fn run(&self, command: &mut Command) -> Output {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        self.follow(child.id());
        child.wait_with_output().unwrap()
    }
}

/// Whether a document has a figure of every source, and idle power of so many.
fn is_whole(document: &Value, baselines: usize) -> bool {
    let idle = document.pointer("/evidence/baselines").and_then(Value::as_array);
    let rows = document.pointer("/derived/rows").and_then(Value::as_array);
    let energies = |row: &Value| {
        let others = row["energy_other"].as_array().cloned().unwrap_or_default();
        others.into_iter().chain([row["energy"].clone()]).collect::<Vec<_>>()
    };
    idle.is_some_and(|idle| idle.len() >= baselines)
        && rows.into_iter().flatten().flat_map(energies).all(|energy| energy["no_figure"].is_null())
}

impl Machine {
    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        self.drawn.lock().unwrap()
    }

    fn set(&self, watts: f64) {
        let mut drawn = self.drawn();
        if drawn.watts != watts {
            let now = Instant::now();
            drawn.joules += drawn.watts * (now - drawn.since).as_secs_f64();
            (drawn.watts, drawn.since) = (watts, now);
            self.show(watts);
        }
    }

    fn show(&self, watts: f64) {
        let (file, fresh) = (self.folder.path().join("watts"), self.folder.path().join("fresh"));
        std::fs::write(&fresh, format!("{watts:.0}\n")).unwrap();
        std::fs::rename(fresh, file).unwrap();
    }
}

/// Looks at the child until the machine is gone.
fn watch(machine: &Weak<Machine>) {
    let mut looks = 0u32;
    while let Some(machine) = machine.upgrade() {
        let child = machine.child.load(Ordering::Relaxed);
        looks = looks << 1 | u32::from(child != 0 && wants_a_processor(child));
        let at_work = (looks & ((1 << LOOKS) - 1)).count_ones() > LOOKS / 2;
        machine.set(if at_work { machine.load } else { machine.idle });
        drop(machine);
        thread::sleep(LOOK);
    }
}

/// Whether a thread of a process runs, or waits for a processor.
fn wants_a_processor(process: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { return false };
    threads.flatten().any(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('R'))
    })
}
