//! Bursts of readings. A command with one meter prints one reading at a time. Two readings per burst, repeatedly, come from two meters
//! (two cards, say). Hundreds of readings after a long silence come from a program that buffers its output.

use std::time::Duration;

/// Minimum gap between two bursts.
const PAUSE: Duration = Duration::from_millis(50);
/// A pause is at least this many times as long as the burst before it, so that a hiccup in a fast stream is not a pause.
const PAUSE_TO_SPAN: u32 = 10;
/// Readings that continue for this long without a pause come from a stream.
const FLOW: Duration = Duration::from_millis(500);
/// Programs that buffer their output write 4 KiB or more at a time; the readings of dozens of cards are shorter.
const CHUNK: usize = 2048;
/// Minimum silence before a burst that filled a buffer.
const SILENCE: Duration = Duration::from_secs(1);
/// Number of bursts that determine the pattern; two are enough with a long pause in between.
const ENOUGH: usize = 3;

/// The pattern of the readings so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// One reading at a time.
    Single,
    /// Several readings in one burst, not yet repeated.
    Unclear,
    /// This many readings in every burst.
    Several(u32),
    /// A program that buffers its output.
    Buffered,
}

/// Readings of a command in order of arrival. Times are since its start.
#[derive(Default)]
pub struct Bursts {
    finished: Vec<Burst>,
    newest: Option<Burst>,
}

#[derive(Clone, Copy)]
struct Burst {
    first: Duration,
    last: Duration,
    readings: u32,
    bytes: usize,
    /// Time without a reading before the burst.
    silence: Duration,
}

impl Burst {
    fn is_over(&self, now: Duration) -> bool {
        now.saturating_sub(self.last) >= PAUSE.max(PAUSE_TO_SPAN * (self.last - self.first))
    }
}

impl Bursts {
    /// Adds a reading of `bytes` bytes.
    pub fn add(&mut self, at: Duration, bytes: usize) {
        match &mut self.newest {
            Some(burst) if !burst.is_over(at) => {
                burst.last = at;
                burst.readings += 1;
                burst.bytes += bytes;
            }
            newest => {
                let end = newest.map_or(Duration::ZERO, |burst| burst.last);
                let burst = Burst { first: at, last: at, readings: 1, bytes, silence: at - end };
                let before = newest.replace(burst);
                // Later bursts are not needed.
                if self.finished.len() < ENOUGH {
                    self.finished.extend(before);
                }
            }
        }
    }

    /// Number of readings in the last burst: of a command that has exited, those printed at one instant.
    pub fn last(&self) -> u32 {
        self.newest.map_or(0, |burst| burst.readings)
    }

    /// Whether there was a pause between two readings.
    pub fn has_paused(&self) -> bool {
        !self.finished.is_empty()
    }

    /// Whether the readings continue without a pause.
    pub fn flow(&self) -> bool {
        self.newest.is_some_and(|burst| burst.last - burst.first >= FLOW)
    }

    /// The pattern of the finished bursts.
    pub fn pattern(&self, now: Duration) -> Pattern {
        let newest = self.newest.filter(|burst| burst.is_over(now));
        let bursts: Vec<Burst> = self.finished.iter().copied().chain(newest).collect();
        let buffered = |b: &Burst| b.readings > 1 && b.bytes >= CHUNK && b.silence >= SILENCE;
        if bursts.iter().any(buffered) {
            return Pattern::Buffered;
        }
        // A busy machine may merge bursts; the number of readings per tick divides that of the merged burst.
        let per_burst = bursts.iter().fold(0, |divisor, burst| gcd(divisor, burst.readings));
        let long_pause = bursts.iter().skip(1).any(|burst| burst.silence >= SILENCE);
        match per_burst {
            0 | 1 => Pattern::Single,
            _ if bursts.len() >= ENOUGH || long_pause => Pattern::Several(per_burst),
            _ => Pattern::Unclear,
        }
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
