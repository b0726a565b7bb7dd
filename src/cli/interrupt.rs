//! Ctrl-C, SIGTERM and SIGHUP: the run stops at the next batch and keeps finished windows. If a driver or a sensor blocks, the
//! process exits within a second anyway; what was written is kept.

use super::say;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{sleep, spawn};
use std::time::Duration;

static STOP: AtomicBool = AtomicBool::new(false);

/// Maximum time for the run to stop by itself.
const STOP_TIMEOUT: Duration = Duration::from_millis(850);
/// Maximum time for the terminal to show the last line.
const LAST_LINE_TIMEOUT: Duration = Duration::from_millis(50);

/// Installs the handler of Ctrl-C, SIGTERM and SIGHUP. Only the first signal counts: a dropped session sends several at once, and
/// the process exits within a second.
pub(super) fn listen() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if !STOP.swap(true, Ordering::Relaxed) {
            spawn(|| {
                sleep(STOP_TIMEOUT);
                // On its own thread, since a blocked terminal must not delay the exit.
                spawn(|| {
                    say(
                        "interrupted while the device was busy; rows that were finished are in the result file",
                    );
                });
                sleep(LAST_LINE_TIMEOUT);
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
