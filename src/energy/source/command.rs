//! Watts that a command prints, one line a reading: a stream that goes on by itself, or a command that is run again for
//! every reading. It reaches what rigbench itself cannot: `ipmitool`, `snmpget`, a meter on a serial line.

mod run;
mod words;

use super::super::{Accuracy, Basis, EnergyError, EnergySource, Quantity, Scope, SourceInfo};
use super::ASSUMED_SHARE;
use crate::units::{Seconds, Watts};
use run::{Event, Line, Run};
use std::thread::sleep;
use std::time::{Duration, Instant};
use words::told;

/// For the first line.
const FIRST: Duration = Duration::from_secs(10);

/// For every other line.
const PATIENCE: Duration = Duration::from_secs(5);

/// A command that has printed a line and neither ends nor prints another for so long is taken for a stream.
const SETTLE: Duration = Duration::from_secs(2);

/// How long a command that is run again for every reading may take to end after its line.
const GRACE: Duration = Duration::from_secs(1);

/// No command is started again sooner, be it ever so short or broken.
const PACE: Duration = Duration::from_millis(500);

/// What to print, for errors.
const ADVICE: &str = "it is to print watts, one line a reading, as in 240 or 240 W";

/// A command that prints watts.
pub struct Command {
    line: String,
    scope: Scope,
    run: Option<Run>,
    started: Option<Instant>,
    /// Whether it ends after its reading and is run again for the next.
    again: bool,
    arrived: Option<Instant>,
}

impl Command {
    /// Has the shell run a line and takes a first reading, for at most 10 s and some. The command line is never shown.
    ///
    /// # Errors
    /// If it prints no watts; one line that says what it did.
    pub fn start(line: &str, scope: Scope) -> Result<Command, EnergyError> {
        let (run, started) = (None, None);
        let mut command =
            Command { line: line.into(), scope, run, started, again: false, arrived: None };
        command.next(FIRST)?;
        command.settle()?;
        Ok(command)
    }

    /// Finds out whether it goes on or is to be run again.
    fn settle(&mut self) -> Result<(), EnergyError> {
        let Some(mut run) = self.run.take() else { return Ok(()) };
        match run.wait(run.lines(), Instant::now() + SETTLE) {
            Event::Line(_) | Event::Silence => {}
            Event::Nonsense(text) => return Err(self.nonsense(&text)),
            Event::Over(Ok(())) => self.again = true,
            Event::Over(Err(how)) => return Err(self.ended(&how, &run)),
        }
        self.run = Some(run);
        Ok(())
    }

    /// Waits for a line that comes after this call, so that a reading is never an old one, and runs the command again
    /// when it is over.
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
                    let line = if self.again { self.last(&mut run, line, until)? } else { line };
                    self.run = Some(run);
                    return Ok(line);
                }
                Event::Nonsense(text) => {
                    self.run = Some(run);
                    return Err(self.nonsense(&text));
                }
                Event::Over(Err(how)) => return Err(self.ended(&how, &run)),
                Event::Over(Ok(())) if run.lines() == 0 => {
                    return Err(self.ended("without printing a line", &run));
                }
                Event::Over(Ok(())) => {
                    drop(run);
                    self.again = true;
                    run = self.begin()?;
                    seen = 0;
                }
                Event::Silence => {
                    let seconds = patience.as_secs();
                    let said = self.said(&run);
                    return Err(EnergyError(format!(
                        "the power command printed nothing within {seconds} s{said}; {ADVICE}"
                    )));
                }
            }
        }
    }

    /// The last line of a run that is soon over, once it is known to have ended well.
    fn last(&self, run: &mut Run, line: Line, until: Instant) -> Result<Line, EnergyError> {
        let grace = until.min(Instant::now() + GRACE);
        loop {
            match run.wait(run.lines(), grace) {
                Event::Line(_) => {}
                Event::Over(Ok(())) | Event::Silence => return Ok(run.newest().unwrap_or(line)),
                Event::Nonsense(text) => return Err(self.nonsense(&text)),
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

    fn nonsense(&self, text: &str) -> EnergyError {
        let text = told(text, &self.line);
        EnergyError(format!("the power command printed '{text}', which is no power; {ADVICE}"))
    }

    fn ended(&self, how: &str, run: &Run) -> EnergyError {
        let said = self.said(run);
        EnergyError(format!(
            "the power command ended {how}{said}; run it by hand: {ADVICE}, and end with 0, if at all"
        ))
    }

    /// What it complained of, as part of an error.
    fn said(&self, run: &Run) -> String {
        let complaint = told(&run.complaint(), &self.line);
        if complaint.is_empty() { complaint } else { format!(" ({complaint})") }
    }
}

impl EnergySource for Command {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            kind: "command",
            model: "command".into(),
            driver: None,
            scope: self.scope,
            quantity: Quantity::Power { averaging: Seconds(0.0) },
            update_period: None,
            // A stream is read as its lines come, since reading waits for them; the rest keeps a failing one in check.
            poll: Seconds(if self.again { 1.0 } else { 0.01 }),
            ceiling: Watts(1e6),
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
        self.arrived = (!self.again).then_some(line.arrived);
        Ok(vec![line.watts])
    }

    fn arrived(&self) -> Option<Instant> {
        self.arrived
    }
}
