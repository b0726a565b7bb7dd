//! Watts printed by a command, one line per reading: a continuous stream, or a command that is rerun for every reading. It gives access
//! to what rigbench cannot read itself: `ipmitool`, `snmpget`, a meter on a serial port.

pub mod bursts;
mod run;
pub mod words;

use super::{garbage, is_all_ones};
use crate::energy::{Accuracy, EnergyError, EnergySource, MeterKind, Quantity, Scope, SourceInfo};
use crate::units::{Seconds, Watts};
use bursts::Pattern;
use run::{BUFFERING, Event, Line, Run};
use std::thread::sleep;
use std::time::{Duration, Instant};
use words::Separator;

/// Timeout for the first line.
const FIRST: Duration = Duration::from_secs(10);
/// Timeout for every other line.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A command that has printed a line and then neither exits nor prints for this long is treated as a stream.
const SETTLE: Duration = Duration::from_secs(2);
/// Poll interval while the pattern of the readings is being determined.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Time in which a command that is rerun for every reading must exit after its line.
const GRACE: Duration = Duration::from_secs(1);
/// Minimum time between two starts of a command, even of a short or failing one.
const PACE: Duration = Duration::from_millis(500);
/// Maximum plausible power: a hall of machines.
const CEILING: Watts = Watts(1e6);

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
        let Some(run) = &mut self.run else { return Ok(()) };
        let settled = Instant::now() + SETTLE;
        loop {
            let (now, state) = (Instant::now(), run.state());
            let (bursts, seen) = (&state.bursts, state.lines);
            let pattern = bursts.pattern(run.started.elapsed());
            // Several readings in one burst are observed for longer, until the pattern has repeated.
            let until = if pattern == Pattern::Unclear { longest.max(settled) } else { settled };
            match pattern {
                Pattern::Buffered => {
                    return Err(EnergyError(format!(
                        "the power command prints many readings at once after a silence; {BUFFERING}"
                    )));
                }
                Pattern::Several(count) => return Err(several(count)),
                Pattern::Unclear if now >= until && !bursts.flow() => {
                    return Err(several(bursts.last()));
                }
                // A second burst proves a stream, and so do readings without a pause.
                Pattern::Single if now >= until || bursts.has_paused() => return Ok(()),
                _ if bursts.flow() => return Ok(()),
                _ => drop(state),
            }
            if let Event::Over = run.wait(seen, until.min(now + POLL_INTERVAL))? {
                break;
            }
        }
        self.reruns = true;
        // A busy machine may merge separate readings into one burst: a second run must do the same.
        let count = self.last_burst();
        if count > 1 {
            self.run = None;
            self.next(longest.saturating_duration_since(Instant::now()).max(GRACE))?;
            if self.last_burst() > 1 {
                return Err(several(count));
            }
        }
        Ok(())
    }

    /// Number of readings in the last burst.
    fn last_burst(&self) -> u32 {
        self.run.as_ref().map_or(0, |run| run.state().bursts.last())
    }

    /// The watts of a line, if they are plausible.
    fn check(&mut self, line: Line) -> Result<f64, EnergyError> {
        let watts = line.reading.watts;
        if is_all_ones(watts) {
            return Err(garbage(watts));
        }
        if watts > CEILING.0 {
            return Err("the power command printed more than a million watts: check the unit that it prints".into());
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
    fn next(&mut self, timeout: Duration) -> Result<Line, EnergyError> {
        let until = Instant::now() + timeout;
        let running = self.run.as_ref().filter(|run| !run.is_over);
        let mut seen = running.map_or(0, |run| run.state().lines);
        loop {
            let reruns = self.reruns;
            let run = self.running()?;
            match run.wait(seen, until)? {
                Event::Line(line) if reruns => return self.last(line, until),
                Event::Line(line) => return Ok(line),
                Event::Over if run.state().lines == 0 => {
                    return Err(run.ended("without printing a line"));
                }
                Event::Over => (self.reruns, seen) = (true, 0),
                Event::Silence => {
                    let error = run.silent(timeout);
                    self.run = None;
                    return Err(error);
                }
            }
        }
    }

    /// The last line of a run that is about to exit, once it has exited successfully.
    fn last(&mut self, line: Line, until: Instant) -> Result<Line, EnergyError> {
        let grace = until.min(Instant::now() + GRACE);
        let run = self.running()?;
        loop {
            let seen = run.state().lines;
            match run.wait(seen, grace) {
                Ok(Event::Line(_)) => {}
                Ok(Event::Over | Event::Silence) => return Ok(run.state().newest.unwrap_or(line)),
                Err(error) => {
                    self.run = None;
                    return Err(error);
                }
            }
        }
    }

    /// The running command; starts it if it is not running.
    fn running(&mut self) -> Result<&mut Run, EnergyError> {
        if self.run.as_ref().is_none_or(|run| run.is_over) {
            self.run = None;
            if let Some(started) = self.started {
                sleep(PACE.saturating_sub(started.elapsed()));
            }
            self.started = Some(Instant::now());
            self.run = Some(Run::begin(&self.line)?);
        }
        Ok(self.run.as_mut().expect("it is running"))
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
            accuracy: Accuracy::assumed("the meter behind the command is not known"),
        }
    }

    fn read(&mut self) -> Result<Vec<f64>, EnergyError> {
        self.arrived = None;
        let line = self.next(TIMEOUT)?;
        self.arrived = (!self.reruns).then_some(line.arrived);
        Ok(vec![self.check(line)?])
    }

    fn arrived(&self) -> Option<Instant> {
        self.arrived
    }
}
