//! One run of a command: its processes, its newest line, and its exit. The processes are killed when the run is dropped or rigbench
//! exits in any way.

use super::super::super::EnergyError;
use super::bursts::{Bursts, Pattern};
use super::words::{Reading, parse};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// Maximum length of a reading's line, and of the error output that is kept, in bytes.
const LONGEST: u64 = 1024;

/// Poll interval for the exit of a shell whose children still hold its output open.
const LOOK: Duration = Duration::from_millis(100);

/// Poll interval once the output is closed and the exit is near.
const SOON: Duration = Duration::from_millis(2);

/// Waits on a pipe held only by rigbench, in the command's process group, and kills the group when the pipe closes. This works however
/// rigbench exits, and for descendants of the command unless they leave the group. The guard is not a child of the
/// command, which inherits neither the pipe nor a standard input.
#[cfg(unix)]
const GUARD: &str = r#"exec 3<&0 </dev/null
({ read -r end <&3; kill -9 0; } >/dev/null 2>&1 &)
exec 3<&-
exec sh -c "$1""#;

/// A line that contains a reading.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub reading: Reading,
    pub arrived: Instant,
}

/// Result of waiting.
pub(super) enum Event {
    /// A new line; the newest if there are several.
    Line(Line),
    /// A line without a power.
    Nonsense(String),
    /// The command exited: successfully, or how it failed.
    Over(Result<(), String>),
    /// Timeout.
    Silence,
}

/// A running or finished command.
pub(super) struct Run {
    child: Child,
    /// The guard kills the group when this closes.
    lifeline: Option<ChildStdin>,
    shared: Arc<Shared>,
    started: Instant,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    lines: u64,
    newest: Option<Line>,
    bursts: Bursts,
    /// The first invalid line that was not yet reported.
    invalid: Option<String>,
    /// A last line without a newline: possibly a truncated number if the command failed.
    rest: Option<String>,
    complaint: Vec<u8>,
    /// Number of closed outputs, 0 to 2.
    closed: u8,
}

impl Run {
    /// Starts the command.
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
        let shared = Arc::new(Shared::default());
        let lifeline = child.stdin.take();
        if let Some(output) = child.stdout.take() {
            let shared = Arc::clone(&shared);
            thread::spawn(move || read_lines(output, &shared, started));
        }
        if let Some(output) = child.stderr.take() {
            let shared = Arc::clone(&shared);
            thread::spawn(move || keep_tail(output, &shared));
        }
        Ok(Run { child, lifeline, shared, started })
    }

    /// Number of readings printed.
    pub fn lines(&self) -> u64 {
        self.shared.lock().lines
    }

    /// The newest reading.
    pub fn newest(&self) -> Option<Line> {
        self.shared.lock().newest
    }

    /// The pattern of its readings.
    pub fn pattern(&self) -> Pattern {
        self.shared.lock().bursts.pattern(self.started.elapsed())
    }

    /// Whether there was a pause between two readings.
    pub fn has_paused(&self) -> bool {
        self.shared.lock().bursts.has_paused()
    }

    /// Whether the readings continue without a pause.
    pub fn flows(&self) -> bool {
        self.shared.lock().bursts.flow()
    }

    /// Number of readings in the last burst.
    pub fn last_burst(&self) -> u32 {
        self.shared.lock().bursts.last()
    }

    /// The last line of its standard error.
    pub fn complaint(&self) -> String {
        let state = self.shared.lock();
        let text = String::from_utf8_lossy(&state.complaint);
        text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().into()
    }

    /// Waits for a reading after the first `seen`, an invalid line, or the exit.
    pub fn wait(&mut self, seen: u64, until: Instant) -> Event {
        loop {
            let status = match self.child.try_wait() {
                Ok(status) => status,
                Err(_) => return Event::Over(Err("in a way that the system does not tell".into())),
            };
            if let Some(status) = status {
                self.finish(status.success());
            }
            let mut state = self.shared.lock();
            if let Some(text) = state.invalid.take() {
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
            drop(self.shared.wait(state, pause));
        }
    }

    /// Kills the remaining processes of a shell that has exited, and reads the rest of the output.
    fn finish(&mut self, well: bool) {
        self.lifeline = None;
        let until = Instant::now() + Duration::from_secs(1);
        let mut state = self.shared.lock();
        while state.closed < 2 && Instant::now() < until {
            state = self.shared.wait(state, LOOK);
        }
        if let Some(rest) = state.rest.take().filter(|_| well) {
            state.add_line(&rest, self.started);
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.lifeline = None;
        let until = Instant::now() + Duration::from_secs(1);
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() > until {
                // Without the guard, at least the shell is killed.
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(SOON);
        }
    }
}

impl Shared {
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
    fn add_line(&mut self, text: &str, started: Instant) {
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
            None => _ = self.invalid.get_or_insert_with(|| text.to_string()),
        }
    }
}

/// Reads lines until the output closes. Only the newest is kept.
fn read_lines(output: ChildStdout, shared: &Shared, started: Instant) {
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
            shared.change(|state| state.add_line(&text, started));
        } else if (line.len() as u64) < LONGEST {
            shared.change(|state| state.rest = Some(text.into_owned()));
        } else {
            shared.change(|state| _ = state.invalid.get_or_insert_with(|| text.into_owned()));
            if output.skip_until(b'\n').is_err() {
                break;
            }
        }
    }
    shared.change(|state| state.closed += 1);
}

/// Keeps the end of the error output, so that the command never blocks on a full pipe.
fn keep_tail(mut output: ChildStderr, shared: &Shared) {
    let mut part = [0; LONGEST as usize];
    while let Ok(count @ 1..) = output.read(&mut part) {
        let kept = &mut shared.lock().complaint;
        kept.extend_from_slice(&part[..count]);
        let surplus = kept.len().saturating_sub(LONGEST as usize);
        kept.drain(..surplus);
    }
    shared.change(|state| state.closed += 1);
}

fn ending(status: ExitStatus) -> Result<(), String> {
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(format!("with exit status {code}")),
        None => Err("by a signal".into()),
    }
}

/// The shell with its guard, in a process group of its own.
#[cfg(unix)]
fn shell(line: &str) -> Result<std::process::Command, EnergyError> {
    use std::os::unix::process::CommandExt;
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", GUARD, "sh", line]).process_group(0);
    Ok(shell)
}

/// Without process groups, the guard cannot kill the command.
#[cfg(not(unix))]
fn shell(_line: &str) -> Result<std::process::Command, EnergyError> {
    Err(EnergyError(
        "power commands are run by a Unix shell, which this system lacks; name another source"
            .into(),
    ))
}
