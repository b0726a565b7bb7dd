//! Ctrl-C, termination and hang-up: the run is asked to stop at the next batch, keeping finished windows. If a driver or a
//! sensor holds the program up, it ends all the same before a second is over; what was written stays written.

use super::say;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{sleep, spawn};
use std::time::Duration;

static STOP: AtomicBool = AtomicBool::new(false);

/// Longest time that the run may take to stop by itself.
const PATIENCE: Duration = Duration::from_millis(850);
/// Longest time that a terminal may take to show the last line.
const LAST_LINE: Duration = Duration::from_millis(50);

/// Begins to listen for Ctrl-C, termination and hang-up. Further signals change nothing: a dropped session sends several at
/// once, and the end is less than a second away.
pub(super) fn listen() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if !STOP.swap(true, Ordering::Relaxed) {
            spawn(|| {
                sleep(PATIENCE);
                // In a thread of its own: a terminal that takes nothing must not hold up the end.
                spawn(|| {
                    say(
                        "interrupted while the device was busy; rows that were finished are in the result file",
                    );
                });
                sleep(LAST_LINE);
                std::process::exit(130);
            });
        }
    })?;
    Ok(())
}

/// Whether the user asked to stop.
pub(super) fn asked() -> bool {
    STOP.load(Ordering::Relaxed)
}
