//! Ctrl-C: the first asks the run to stop at the next batch, keeping finished windows. If a driver holds the program
//! up, it ends all the same before a second is over; what was written stays written.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

static STOP: AtomicBool = AtomicBool::new(false);

/// Longest time that the run may take to stop by itself.
const PATIENCE: Duration = Duration::from_millis(900);

/// Begins to listen for Ctrl-C and termination.
pub(super) fn listen() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        std::thread::spawn(|| {
            std::thread::sleep(PATIENCE);
            eprintln!(
                "interrupted while the device was busy; rows that were finished are in the result file"
            );
            std::process::exit(130);
        });
    })?;
    Ok(())
}

/// Whether the user asked to stop.
pub(super) fn asked() -> bool {
    STOP.load(Ordering::Relaxed)
}
