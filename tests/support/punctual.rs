//! A source whose readings carry exact times, however late its thread runs, so that a busy machine changes none of them.

use rigbench::energy::{EnergyError, EnergySource, SourceInfo};
use rigbench::units::Seconds;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Gives a reading for every `period` since its first, each with the time for which it was made.
pub struct Punctual<F> {
    info: SourceInfo,
    period: Duration,
    value: F,
    next: Instant,
    newest: Arc<Mutex<Instant>>,
}

/// Tells how far a source has been read.
pub struct Progress {
    newest: Arc<Mutex<Instant>>,
    period: Duration,
}

impl<F: FnMut(Instant) -> f64> Punctual<F> {
    /// Shows `value` of a moment, every `period`. It is polled four times as often, so that a thread that is late catches up.
    pub fn new(mut info: SourceInfo, period: Duration, value: F) -> (Punctual<F>, Progress) {
        info.poll = Seconds(period.as_secs_f64() / 4.0);
        let next = Instant::now();
        let newest = Arc::new(Mutex::new(next));
        let progress = Progress { newest: Arc::clone(&newest), period };
        (Punctual { info, period, value, next, newest }, progress)
    }
}

impl<F: FnMut(Instant) -> f64 + Send> EnergySource for Punctual<F> {
    fn describe(&self) -> SourceInfo {
        self.info.clone()
    }

    fn read(&mut self) -> Result<Vec<f64>, EnergyError> {
        sleep(self.next.saturating_duration_since(Instant::now()));
        *self.newest.lock().unwrap() = self.next;
        let value = (self.value)(self.next);
        self.next += self.period;
        Ok(vec![value])
    }

    fn arrived(&self) -> Option<Instant> {
        Some(*self.newest.lock().unwrap())
    }
}

impl Progress {
    /// Waits until a reading of a later moment has been taken.
    pub fn wait_beyond(&self, moment: Instant) {
        let hung = Instant::now() + Duration::from_secs(60);
        // The reading before the newest one has been taken for certain.
        while *self.newest.lock().unwrap() <= moment + self.period {
            assert!(Instant::now() < hung, "the source is no longer read");
            sleep(Duration::from_millis(1));
        }
    }
}
