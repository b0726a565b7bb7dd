//! Watts that a command prints, one line a reading: a stream that goes on by itself, or a command that is run again for
//! every reading. It reaches what rigbench itself cannot: `ipmitool`, `snmpget`, a meter on a serial line.

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

/// For the first line.
const FIRST: Duration = Duration::from_secs(10);

/// For every other line.
const PATIENCE: Duration = Duration::from_secs(5);

/// A command that has printed a line and neither ends nor prints another for so long is taken for a stream.
const SETTLE: Duration = Duration::from_secs(2);

/// How often to look at the pattern of the readings.
const LOOK: Duration = Duration::from_millis(20);

/// How long a command that is run again for every reading may take to end after its line.
const GRACE: Duration = Duration::from_secs(1);

/// No command is started again sooner, be it ever so short or broken.
const PACE: Duration = Duration::from_millis(500);

/// More than this no command's meter shows: a hall of machines.
const CEILING: Watts = Watts(1e6);

/// What to print, for errors.
const ADVICE: &str = "it is to print watts, one line a reading, as in 240 or 240 W";

/// What to do about a program that keeps its output back when it writes to a pipe.
const BUFFERING: &str = "a program in a pipe may keep its output back: use stdbuf -oL, grep --line-buffered, or awk '{...; fflush()}'";

/// A command that prints watts.
pub struct Command {
    line: String,
    scope: Scope,
    run: Option<Run>,
    started: Option<Instant>,
    /// Whether it ends after its reading and is run again for the next.
    again: bool,
    arrived: Option<Instant>,
    separator: Separator,
}

impl Command {
    /// Has the shell run a line and takes a first reading, for at most 10 s and some. The command line is never shown.
    ///
    /// # Errors
    /// If it prints no watts; one line that says what it did.
    pub fn start(line: &str, scope: Scope) -> Result<Command, EnergyError> {
        let mut command = Command {
            line: line.into(),
            scope,
            run: None,
            started: None,
            again: false,
            arrived: None,
            separator: Separator::default(),
        };
        let until = Instant::now() + FIRST;
        let first = command.next(FIRST)?;
        command.settle(until)?;
        command.check(first)?;
        Ok(command)
    }

    /// Finds out whether it goes on or is to be run again, and whether it prints one reading at a time.
    fn settle(&mut self, longest: Instant) -> Result<(), EnergyError> {
        let Some(mut run) = self.run.take() else { return Ok(()) };
        let until = Instant::now() + SETTLE;
        loop {
            let pattern = run.pattern();
            let now = Instant::now();
            // Several readings together are looked at for longer, until they have repeated.
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
                // A second burst shows that it goes on, and so does a stream without a pause.
                Pattern::Single if is_settled || run.has_paused() => break,
                _ if run.flows() => break,
                _ => {}
            }
            match run.wait(run.lines(), until.min(now + LOOK)) {
                Event::Line(_) | Event::Silence => {}
                Event::Nonsense(text) => return Err(self.nonsense(&text)),
                Event::Over(Ok(())) => {
                    self.again = true;
                    self.run = Some(run);
                    return self.check_single(longest);
                }
                Event::Over(Err(how)) => return Err(self.ended(&how, &run)),
            }
        }
        self.run = Some(run);
        Ok(())
    }

    /// Refuses a command that ends after several readings at one instant, if a second run does the same: a busy machine
    /// may hear readings together that were apart.
    fn check_single(&mut self, longest: Instant) -> Result<(), EnergyError> {
        let together = |command: &Command| command.run.as_ref().map_or(0, Run::last_burst);
        let count = together(self);
        if count > 1 {
            self.run = None;
            self.next(longest.saturating_duration_since(Instant::now()).max(GRACE))?;
            if together(self) > 1 {
                return Err(several(count));
            }
        }
        Ok(())
    }

    /// Watts of a line, unless they cannot be right.
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
                        "the power command printed nothing within {seconds} s{said}; {ADVICE}; {BUFFERING}"
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

/// The error for a command whose readings are of several meters.
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
            // A stream is read as its lines come, since reading waits for them; the rest keeps a failing one in check.
            poll: Seconds(if self.again { 1.0 } else { 0.01 }),
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
        self.arrived = (!self.again).then_some(line.arrived);
        Ok(vec![self.check(line)?])
    }

    fn arrived(&self) -> Option<Instant> {
        self.arrived
    }
}
