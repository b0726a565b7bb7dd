//! One run of a command: its processes, its newest line, and its exit. The processes are killed when the run is dropped or rigbench
//! exits in any way.

use super::bursts::Bursts;
use super::words::{Reading, parse, redacted};
use crate::energy::EnergyError;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Maximum length of a reading's line, and of the error output that is kept, in bytes.
const MAX_BYTES: u64 = 1024;
/// What to print, for error messages.
const ADVICE: &str = "it is to print watts, one line a reading, as in 240 or 240 W";
/// What to do about a program that buffers its output when it writes to a pipe.
pub(super) const BUFFERING: &str = "a program in a pipe may keep its output back: use stdbuf -oL, grep --line-buffered, or awk '{...; fflush()}'";
/// Poll interval for the exit of a shell whose children still hold its output open.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
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
    /// The command exited successfully.
    Over,
    /// Timeout.
    Silence,
}

/// A running or finished command.
pub(super) struct Run {
    child: Child,
    /// The guard kills the group when this closes.
    lifeline: Option<ChildStdin>,
    shared: Arc<Shared>,
    pub started: Instant,
    /// Whether its exit was seen.
    pub is_over: bool,
    /// The command line, which no error may show.
    line: String,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    news: Condvar,
}

/// What the command has printed.
#[derive(Default)]
pub(super) struct State {
    /// Number of readings.
    pub lines: u64,
    /// The newest reading.
    pub newest: Option<Line>,
    pub bursts: Bursts,
    /// The first invalid line that was not yet reported.
    invalid: Option<String>,
    /// A last line without a newline: possibly a truncated number if the command failed.
    unterminated: Option<String>,
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
            .map_err(|_| "no shell could be started for the power command; it needs 'sh'")?;
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
        Ok(Run { child, lifeline, shared, started, is_over: false, line: line.into() })
    }

    /// What it has printed so far.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock()
    }

    /// Waits for a reading after the first `seen`, or the exit.
    ///
    /// # Errors
    /// If it prints a line without a power, or fails.
    pub fn wait(&mut self, seen: u64, until: Instant) -> Result<Event, EnergyError> {
        loop {
            let Ok(status) = self.child.try_wait() else {
                self.is_over = true;
                return Err(self.ended("in a way that the system does not tell"));
            };
            if let Some(status) = status {
                self.finish(status.success());
            }
            let mut state = self.shared.state.lock();
            if let Some(text) = state.invalid.take() {
                let text = redacted(&text, &self.line);
                return Err(EnergyError(format!(
                    "the power command printed '{text}', which is no power; {ADVICE}"
                )));
            }
            if let Some(line) = state.newest.filter(|_| state.lines > seen) {
                return Ok(Event::Line(line));
            }
            if let Some(status) = status {
                drop(state);
                self.is_over = true;
                return match status.code() {
                    Some(0) => Ok(Event::Over),
                    Some(code) => Err(self.ended(&format!("with exit status {code}"))),
                    None => Err(self.ended("by a signal")),
                };
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Event::Silence);
            }
            let pause = left.min(if state.closed > 0 { SOON } else { POLL_INTERVAL });
            self.shared.news.wait_for(&mut state, pause);
        }
    }

    /// The error for a command that ended.
    pub fn ended(&self, how: &str) -> EnergyError {
        let complaint = self.error_suffix();
        EnergyError(format!(
            "the power command ended {how}{complaint}; run it by hand: {ADVICE}, and end with 0, if at all"
        ))
    }

    /// The error for a command that prints nothing.
    pub fn silent(&self, timeout: Duration) -> EnergyError {
        let (seconds, complaint) = (timeout.as_secs(), self.error_suffix());
        EnergyError(format!(
            "the power command printed nothing within {seconds} s{complaint}; {ADVICE}; {BUFFERING}"
        ))
    }

    /// The last line of its standard error, for a message.
    fn error_suffix(&self) -> String {
        let state = self.shared.state.lock();
        let text = String::from_utf8_lossy(&state.complaint);
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let complaint = redacted(last.trim(), &self.line);
        if complaint.is_empty() { complaint } else { format!(" ({complaint})") }
    }

    /// Kills the remaining processes of a shell that has exited, and reads the rest of the output.
    fn finish(&mut self, succeeded: bool) {
        self.lifeline = None;
        let until = Instant::now() + Duration::from_secs(1);
        let mut state = self.shared.state.lock();
        while state.closed < 2 && Instant::now() < until {
            self.shared.news.wait_for(&mut state, POLL_INTERVAL);
        }
        if let Some(text) = state.unterminated.take().filter(|_| succeeded) {
            state.add_line(&text, self.started);
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
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock());
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
        match output.by_ref().take(MAX_BYTES).read_until(b'\n', &mut line) {
            Ok(1..) => {}
            _ => break,
        }
        let text = String::from_utf8_lossy(&line);
        if line.ends_with(b"\n") {
            shared.change(|state| state.add_line(&text, started));
        } else if (line.len() as u64) < MAX_BYTES {
            shared.change(|state| state.unterminated = Some(text.into_owned()));
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
    let mut part = [0; MAX_BYTES as usize];
    while let Ok(count @ 1..) = output.read(&mut part) {
        let kept = &mut shared.state.lock().complaint;
        kept.extend_from_slice(&part[..count]);
        let surplus = kept.len().saturating_sub(MAX_BYTES as usize);
        kept.drain(..surplus);
    }
    shared.change(|state| state.closed += 1);
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
    Err("power commands are run by a Unix shell, which this system lacks; name another source"
        .into())
}
