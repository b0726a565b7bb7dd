//! Readings that come together. A command that watches one meter prints one reading at a time. Two readings at one
//! instant are of two meters, such as two cards, if that repeats; hundreds of them after a long silence come from a program
//! that buffers its output.

use std::time::Duration;

/// A shorter gap between two readings is no pause.
const PAUSE: Duration = Duration::from_millis(50);

/// A pause is so many times as long as the burst before it, so that a busy machine's hiccup in a quick stream is none.
const PAUSE_TO_SPAN: u32 = 10;

/// A stream that goes on for so long without a pause prints one reading after another.
const FLOW: Duration = Duration::from_millis(500);

/// Programs that buffer write 4 KiB or more at a time; the readings of dozens of cards are less than this.
const CHUNK: usize = 2048;

/// What filled a buffer came over a time, before which there was nothing.
const SILENCE: Duration = Duration::from_secs(1);

/// So many bursts are enough to tell, or two with a long pause in between.
const ENOUGH: usize = 3;

/// What the readings so far say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Pattern {
    /// One reading at a time.
    Single,
    /// Several readings came together, and that may not repeat.
    Unclear,
    /// So many readings come together again and again.
    Several(u32),
    /// A program that buffers its output.
    Buffered,
}

/// Readings of a command in the order in which they came. Times are from its start.
#[derive(Default)]
pub(super) struct Bursts {
    finished: Vec<Burst>,
    newest: Option<Burst>,
}

#[derive(Clone, Copy)]
struct Burst {
    first: Duration,
    last: Duration,
    readings: u32,
    bytes: usize,
    /// Time without a reading before it.
    silence: Duration,
}

impl Burst {
    fn is_over(&self, now: Duration) -> bool {
        now.saturating_sub(self.last) >= PAUSE.max(PAUSE_TO_SPAN * (self.last - self.first))
    }
}

impl Bursts {
    /// Takes in a reading of so many bytes.
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
                // No more are looked at.
                if self.finished.len() < ENOUGH {
                    self.finished.extend(before);
                }
            }
        }
    }

    /// Readings of the last burst: those that a command which has ended printed at one instant.
    pub fn last(&self) -> u32 {
        self.newest.map_or(0, |burst| burst.readings)
    }

    /// Whether there was a pause between two readings.
    pub fn has_paused(&self) -> bool {
        !self.finished.is_empty()
    }

    /// Whether readings come without a pause.
    pub fn flow(&self) -> bool {
        self.newest.is_some_and(|burst| burst.last - burst.first >= FLOW)
    }

    /// What the bursts that are over say.
    pub fn pattern(&self, now: Duration) -> Pattern {
        let newest = self.newest.filter(|burst| burst.is_over(now));
        let bursts: Vec<Burst> = self.finished.iter().copied().chain(newest).collect();
        let buffered = |b: &Burst| b.readings > 1 && b.bytes >= CHUNK && b.silence >= SILENCE;
        if bursts.iter().any(buffered) {
            return Pattern::Buffered;
        }
        // Where a busy machine merges the readings of two ticks, each tick's number divides theirs.
        let together = bursts.iter().fold(0, |divisor, burst| gcd(divisor, burst.readings));
        let apart = bursts.iter().skip(1).any(|burst| burst.silence >= SILENCE);
        match together {
            0 | 1 => Pattern::Single,
            _ if bursts.len() >= ENOUGH || apart => Pattern::Several(together),
            _ => Pattern::Unclear,
        }
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pattern of readings at these milliseconds, some time after the last.
    fn pattern(at: impl IntoIterator<Item = u64>, bytes: usize, now: u64) -> Pattern {
        let mut bursts = Bursts::default();
        for at in at {
            bursts.add(Duration::from_millis(at), bytes);
        }
        bursts.pattern(Duration::from_millis(now))
    }

    #[test]
    fn two_readings_a_tick_are_two_meters_once_that_repeats() {
        assert_eq!(pattern([3, 4], 9, 20), Pattern::Single, "they may go on");
        assert_eq!(pattern([3, 4], 9, 2000), Pattern::Unclear);
        assert_eq!(pattern([3, 4, 503, 504], 9, 900), Pattern::Unclear);
        assert_eq!(pattern([3, 4, 503, 504, 1003, 1004], 9, 1500), Pattern::Several(2));
        assert_eq!(pattern([3, 4, 5003, 5004], 9, 5200), Pattern::Several(2), "a slow tick");
        let eight =
            [0, 1000, 2000].into_iter().flat_map(|tick| (0..8).map(move |card| tick + card));
        assert_eq!(pattern(eight, 9, 3000), Pattern::Several(8));
        // The second tick came with the third.
        assert_eq!(pattern([3, 4, 503, 503, 504, 504, 1003, 1004], 9, 1500), Pattern::Several(2));
    }

    #[test]
    fn one_reading_a_tick_is_one_meter_even_where_a_busy_machine_merges_some() {
        assert_eq!(pattern([3, 503, 1003], 9, 1500), Pattern::Single);
        assert_eq!(pattern([3, 4, 503, 1003, 1004], 9, 1500), Pattern::Single);
        // A hundred a second, with a hiccup.
        let quick = (0..40).map(|i| i * 10 + if i > 20 { 200 } else { 0 });
        assert_eq!(pattern(quick, 9, 611), Pattern::Single);
    }

    #[test]
    fn hundreds_of_readings_after_a_silence_were_buffered() {
        let burst = |start: u64| (0..585).map(move |_| start);
        assert_eq!(pattern(burst(4000), 7, 4200), Pattern::Buffered);
        assert_eq!(pattern(burst(10).chain(burst(5010)), 7, 5200), Pattern::Buffered);
        // What a quick stream prints before anybody looks.
        assert_eq!(pattern(burst(10), 7, 200), Pattern::Unclear);
    }
}
