//! Watts printed by a command, one line per reading: a continuous stream, or a command that is rerun for every reading. It gives access
//! to what rigbench cannot read itself: `ipmitool`, `snmpget`, a meter on a serial port.

mod bursts;
mod run;
mod words;

use super::super::{
    Accuracy, Basis, EnergyError, EnergySource, MeterKind, Quantity, Scope, SourceInfo,
};
use super::{ASSUMED_SHARE, garbage, is_all_ones};
use crate::units::{Seconds, Watts};
use bursts::Pattern;
use run::{Event, Line, Run};
use std::thread::sleep;
use std::time::{Duration, Instant};
use words::{Separator, told};

/// Timeout for the first line.
const FIRST: Duration = Duration::from_secs(10);

/// Timeout for every other line.
const PATIENCE: Duration = Duration::from_secs(5);

/// A command that has printed a line and then neither exits nor prints for this long is treated as a stream.
const SETTLE: Duration = Duration::from_secs(2);

/// Poll interval while the pattern of the readings is being determined.
const LOOK: Duration = Duration::from_millis(20);

/// Time in which a command that is rerun for every reading must exit after its line.
const GRACE: Duration = Duration::from_secs(1);

/// Minimum time between two starts of a command, even of a short or failing one.
const PACE: Duration = Duration::from_millis(500);

/// Maximum plausible power: a hall of machines.
const CEILING: Watts = Watts(1e6);

/// What to print, for error messages.
const ADVICE: &str = "it is to print watts, one line a reading, as in 240 or 240 W";

/// What to do about a program that buffers its output when it writes to a pipe.
const BUFFERING: &str = "a program in a pipe may keep its output back: use stdbuf -oL, grep --line-buffered, or awk '{...; fflush()}'";

/// A command that prints watts.
pub struct Command {
    line: String,
    scope: Scope,
    run: Option<Run>,
    started: Option<Instant>,
    /// Whether it exits after its reading and is rerun for the next.
    reruns: bool,
    arrived: Option<Instant>,
    separator: Separator,
}

impl Command {
    /// Runs a line in the shell and takes a first reading, within about 10 s. The command line is never shown.
    ///
    /// # Errors
    /// If it prints no watts; one line that says what it did.
    pub fn start(line: &str, scope: Scope) -> Result<Command, EnergyError> {
        let mut command = Command {
            line: line.into(),
            scope,
            run: None,
            started: None,
            reruns: false,
            arrived: None,
            separator: Separator::default(),
        };
        let until = Instant::now() + FIRST;
        let first = command.next(FIRST)?;
        command.settle(until)?;
        command.check(first)?;
        Ok(command)
    }

    /// Determines whether the command is a stream or has to be rerun, and whether it prints one reading at a time.
    fn settle(&mut self, longest: Instant) -> Result<(), EnergyError> {
        let Some(mut run) = self.run.take() else { return Ok(()) };
        let until = Instant::now() + SETTLE;
        loop {
            let pattern = run.pattern();
            let now = Instant::now();
            // Several readings in one burst are observed for longer, until the pattern has repeated.
            let until = if pattern == Pattern::Unclear { longest.max(until) } else { until };
            let is_settled = now >= until;
            match pattern {
                Pattern::Buffered => {
                    return Err(EnergyError(format!(
                        "the power command prints many readings at once after a silence; {BUFFERING}"
                    )));
                }
                Pattern::Several(count) => return Err(several(count)),
                Pattern::Unclear if is_settled && !run.flows() => {
                    return Err(several(run.last_burst()));
                }
                // A second burst proves a stream, and so do readings without a pause.
                Pattern::Single if is_settled || run.has_paused() => break,
                _ if run.flows() => break,
                _ => {}
            }
            match run.wait(run.lines(), until.min(now + LOOK)) {
                Event::Line(_) | Event::Silence => {}
                Event::Nonsense(text) => return Err(self.invalid_line(&text)),
                Event::Over(Ok(())) => {
                    self.reruns = true;
                    self.run = Some(run);
                    return self.check_single(longest);
                }
                Event::Over(Err(how)) => return Err(self.ended(&how, &run)),
            }
        }
        self.run = Some(run);
        Ok(())
    }

    /// Rejects a command that exits after several readings in one burst, if a second run does the same: a busy machine may merge separate
    /// readings into one burst.
    fn check_single(&mut self, longest: Instant) -> Result<(), EnergyError> {
        let burst_size = |command: &Command| command.run.as_ref().map_or(0, Run::last_burst);
        let count = burst_size(self);
        if count > 1 {
            self.run = None;
            self.next(longest.saturating_duration_since(Instant::now()).max(GRACE))?;
            if burst_size(self) > 1 {
                return Err(several(count));
            }
        }
        Ok(())
    }

    /// The watts of a line, if they are plausible.
    fn check(&mut self, line: Line) -> Result<f64, EnergyError> {
        let watts = line.reading.watts;
        if is_all_ones(watts) {
            return Err(garbage(watts));
        }
        if watts > CEILING.0 {
            return Err(EnergyError(
                "the power command printed more than a million watts: check the unit that it prints".into(),
            ));
        }
        match self.separator.contradiction(line.reading) {
            Some((whole, grouped)) => Err(EnergyError(format!(
                "the power command printed both {whole} and {grouped:.3}, which may be {:.0}: have it print watts \
                 without a separator of thousands",
                1000.0 * grouped
            ))),
            None => Ok(watts),
        }
    }

    /// Waits for a line that arrives after this call, so that no reading is stale, and reruns the command when it has exited.
    fn next(&mut self, patience: Duration) -> Result<Line, EnergyError> {
        let until = Instant::now() + patience;
        let mut run = match self.run.take() {
            Some(run) => run,
            None => self.begin()?,
        };
        let mut seen = run.lines();
        loop {
            match run.wait(seen, until) {
                Event::Line(line) => {
                    let line = if self.reruns { self.last(&mut run, line, until)? } else { line };
                    self.run = Some(run);
                    return Ok(line);
                }
                Event::Nonsense(text) => {
                    self.run = Some(run);
                    return Err(self.invalid_line(&text));
                }
                Event::Over(Err(how)) => return Err(self.ended(&how, &run)),
                Event::Over(Ok(())) if run.lines() == 0 => {
                    return Err(self.ended("without printing a line", &run));
                }
                Event::Over(Ok(())) => {
                    drop(run);
                    self.reruns = true;
                    run = self.begin()?;
                    seen = 0;
                }
                Event::Silence => {
                    let seconds = patience.as_secs();
                    let said = self.error_suffix(&run);
                    return Err(EnergyError(format!(
                        "the power command printed nothing within {seconds} s{said}; {ADVICE}; {BUFFERING}"
                    )));
                }
            }
        }
    }

    /// The last line of a run that is about to exit, once it has exited successfully.
    fn last(&self, run: &mut Run, line: Line, until: Instant) -> Result<Line, EnergyError> {
        let grace = until.min(Instant::now() + GRACE);
        loop {
            match run.wait(run.lines(), grace) {
                Event::Line(_) => {}
                Event::Over(Ok(())) | Event::Silence => return Ok(run.newest().unwrap_or(line)),
                Event::Nonsense(text) => return Err(self.invalid_line(&text)),
                Event::Over(Err(how)) => return Err(self.ended(&how, run)),
            }
        }
    }

    fn begin(&mut self) -> Result<Run, EnergyError> {
        if let Some(started) = self.started {
            sleep(PACE.saturating_sub(started.elapsed()));
        }
        self.started = Some(Instant::now());
        Run::begin(&self.line)
    }

    fn invalid_line(&self, text: &str) -> EnergyError {
        let text = told(text, &self.line);
        EnergyError(format!("the power command printed '{text}', which is no power; {ADVICE}"))
    }

    fn ended(&self, how: &str, run: &Run) -> EnergyError {
        let said = self.error_suffix(run);
        EnergyError(format!(
            "the power command ended {how}{said}; run it by hand: {ADVICE}, and end with 0, if at all"
        ))
    }

    /// The command's last error output, for a message.
    fn error_suffix(&self, run: &Run) -> String {
        let complaint = told(&run.complaint(), &self.line);
        if complaint.is_empty() { complaint } else { format!(" ({complaint})") }
    }
}

/// The error for a command that prints readings of several meters.
fn several(count: u32) -> EnergyError {
    EnergyError(format!(
        "the power command prints {count} readings at one instant, as nvidia-smi does of {count} cards: name one card \
         (nvidia-smi -i 0), or add them up (| awk)"
    ))
}

impl EnergySource for Command {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            kind: MeterKind::Command,
            model: "command".into(),
            driver: None,
            scope: self.scope,
            quantity: Quantity::Power { averaging: Seconds(0.0) },
            update_period: None,
            // `read` waits for the lines of a stream; the poll interval only limits retries after an error.
            poll: Seconds(if self.reruns { 1.0 } else { 0.01 }),
            ceiling: CEILING,
            accuracy: Accuracy {
                share: ASSUMED_SHARE,
                basis: Basis::Assumed,
                reference: "the meter behind the command is not known".into(),
            },
        }
    }

    fn read(&mut self) -> Result<Vec<f64>, EnergyError> {
        self.arrived = None;
        let line = self.next(PATIENCE)?;
        self.arrived = (!self.reruns).then_some(line.arrived);
        Ok(vec![self.check(line)?])
    }

    fn arrived(&self) -> Option<Instant> {
        self.arrived
    }
}
