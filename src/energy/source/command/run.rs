//! One run of a command: its processes, the newest line that it printed, and how it ended. When the run is dropped, or
//! rigbench dies in whatever way, its processes are killed.

use super::super::super::EnergyError;
use super::bursts::{Bursts, Pattern};
use super::words::{Reading, parse};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// Longest line that can be a reading, and most that is kept of what it complains of, in bytes.
const LONGEST: u64 = 1024;

/// How often to look whether the shell is gone while a process that it left holds its output open.
const LOOK: Duration = Duration::from_millis(100);

/// How often to look when its output is closed and its end is near.
const SOON: Duration = Duration::from_millis(2);

/// Waits on a pipe that only rigbench holds, in the command's own process group, and kills the group when the pipe
/// closes. That works for whatever ends rigbench, its handlers or the lack of them, and for children of children, unless
/// they leave the group. It is no child of the command, which gets neither the pipe nor a standard input.
#[cfg(unix)]
const GUARD: &str = r#"exec 3<&0 </dev/null
({ read -r end <&3; kill -9 0; } >/dev/null 2>&1 &)
exec 3<&-
exec sh -c "$1""#;

/// A line that is a reading.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub reading: Reading,
    pub arrived: Instant,
}

/// What came of waiting.
pub(super) enum Event {
    /// A new line; the newest, if there are several.
    Line(Line),
    /// Something that is no power.
    Nonsense(String),
    /// It ended by itself, or else how.
    Over(Result<(), String>),
    /// Nothing.
    Silence,
}

/// A command that runs or has run.
pub(super) struct Run {
    child: Child,
    /// The guard kills the group when this closes.
    lifeline: Option<ChildStdin>,
    heard: Arc<Heard>,
    started: Instant,
}

#[derive(Default)]
struct Heard {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    lines: u64,
    newest: Option<Line>,
    bursts: Bursts,
    /// The first that was not yet told.
    nonsense: Option<String>,
    /// A last line without an end: part of a number, perhaps, if the command did not end well.
    rest: Option<String>,
    complaint: Vec<u8>,
    /// Outputs that are closed, of two.
    closed: u8,
}

impl Run {
    /// Starts it.
    pub fn begin(line: &str) -> Result<Run, EnergyError> {
        let started = Instant::now();
        let mut child = shell(line)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|_| {
                EnergyError("no shell could be started for the power command; it needs 'sh'".into())
            })?;
        let heard = Arc::new(Heard::default());
        let lifeline = child.stdin.take();
        if let Some(output) = child.stdout.take() {
            let heard = Arc::clone(&heard);
            thread::spawn(move || listen(output, &heard, started));
        }
        if let Some(output) = child.stderr.take() {
            let heard = Arc::clone(&heard);
            thread::spawn(move || keep_end(output, &heard));
        }
        Ok(Run { child, lifeline, heard, started })
    }

    /// Readings that it has printed.
    pub fn lines(&self) -> u64 {
        self.heard.lock().lines
    }

    /// The newest of them.
    pub fn newest(&self) -> Option<Line> {
        self.heard.lock().newest
    }

    /// Whether its readings come one at a time.
    pub fn pattern(&self) -> Pattern {
        self.heard.lock().bursts.pattern(self.started.elapsed())
    }

    /// Whether there was a pause between two readings.
    pub fn has_paused(&self) -> bool {
        self.heard.lock().bursts.has_paused()
    }

    /// Whether its readings come without a pause.
    pub fn flows(&self) -> bool {
        self.heard.lock().bursts.flow()
    }

    /// Readings that came together last.
    pub fn last_burst(&self) -> u32 {
        self.heard.lock().bursts.last()
    }

    /// The last line of what it wrote to its standard error.
    pub fn complaint(&self) -> String {
        let state = self.heard.lock();
        let text = String::from_utf8_lossy(&state.complaint);
        text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().into()
    }

    /// Waits for a reading that comes after the first `seen`, for nonsense, or for its end.
    pub fn wait(&mut self, seen: u64, until: Instant) -> Event {
        loop {
            let status = match self.child.try_wait() {
                Ok(status) => status,
                Err(_) => return Event::Over(Err("in a way that the system does not tell".into())),
            };
            if let Some(status) = status {
                self.hear_out(status.success());
            }
            let mut state = self.heard.lock();
            if let Some(text) = state.nonsense.take() {
                return Event::Nonsense(text);
            }
            if let Some(line) = state.newest.filter(|_| state.lines > seen) {
                return Event::Line(line);
            }
            if let Some(status) = status {
                return Event::Over(ending(status));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Event::Silence;
            }
            let pause = left.min(if state.closed > 0 { SOON } else { LOOK });
            drop(self.heard.wait(state, pause));
        }
    }

    /// Ends what a shell that is gone has left behind, and takes in the last that was printed.
    fn hear_out(&mut self, well: bool) {
        self.lifeline = None;
        let until = Instant::now() + Duration::from_secs(1);
        let mut state = self.heard.lock();
        while state.closed < 2 && Instant::now() < until {
            state = self.heard.wait(state, LOOK);
        }
        if let Some(rest) = state.rest.take().filter(|_| well) {
            state.hear(&rest, self.started);
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.lifeline = None;
        let until = Instant::now() + Duration::from_secs(1);
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() > until {
                // The guard is gone, so that at least the shell is ended from here.
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(SOON);
        }
    }
}

impl Heard {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, pause: Duration) -> MutexGuard<'a, State> {
        match self.news.wait_timeout(state, pause) {
            Ok((state, _)) => state,
            Err(poisoned) => poisoned.into_inner().0,
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.news.notify_all();
    }
}

impl State {
    fn hear(&mut self, text: &str, started: Instant) {
        if text.trim().is_empty() {
            return;
        }
        match parse(text) {
            Some(reading) => {
                let arrived = Instant::now();
                self.lines += 1;
                self.newest = Some(Line { reading, arrived });
                self.bursts.add(arrived - started, text.len());
            }
            None => _ = self.nonsense.get_or_insert_with(|| text.to_string()),
        }
    }
}

/// Takes in lines until the output closes. Only the newest is kept, however fast they come.
fn listen(output: ChildStdout, heard: &Heard, started: Instant) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        match output.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(1..) => {}
            _ => break,
        }
        let text = String::from_utf8_lossy(&line);
        if line.ends_with(b"\n") {
            heard.change(|state| state.hear(&text, started));
        } else if (line.len() as u64) < LONGEST {
            heard.change(|state| state.rest = Some(text.into_owned()));
        } else {
            heard.change(|state| _ = state.nonsense.get_or_insert_with(|| text.into_owned()));
            if output.skip_until(b'\n').is_err() {
                break;
            }
        }
    }
    heard.change(|state| state.closed += 1);
}

/// Keeps the end of what it complains of, so that it never blocks on a full pipe.
fn keep_end(mut output: ChildStderr, heard: &Heard) {
    let mut part = [0; LONGEST as usize];
    while let Ok(count @ 1..) = output.read(&mut part) {
        let kept = &mut heard.lock().complaint;
        kept.extend_from_slice(&part[..count]);
        let surplus = kept.len().saturating_sub(LONGEST as usize);
        kept.drain(..surplus);
    }
    heard.change(|state| state.closed += 1);
}

fn ending(status: ExitStatus) -> Result<(), String> {
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(format!("with exit status {code}")),
        None => Err("by a signal".into()),
    }
}

/// The shell under its guard, in a process group of its own.
#[cfg(unix)]
fn shell(line: &str) -> Result<std::process::Command, EnergyError> {
    use std::os::unix::process::CommandExt;
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", GUARD, "sh", line]).process_group(0);
    Ok(shell)
}

/// Elsewhere the guard would not know whom to kill.
#[cfg(not(unix))]
fn shell(_line: &str) -> Result<std::process::Command, EnergyError> {
    Err(EnergyError(
        "power commands are run by a Unix shell, which this system lacks; name another source"
            .into(),
    ))
}
