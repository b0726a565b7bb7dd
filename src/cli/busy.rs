//! Whether other programs use the processor.

use super::interrupt;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// More than this share of all threads is too much.
pub(super) const TOO_MUCH: f32 = 0.1;

/// The share of all processor threads that is in use, over a moment in which this process rests; none if nothing tells.
pub(super) fn share() -> Option<f32> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_cpu_usage();
    sleep(2 * sysinfo::MINIMUM_CPU_UPDATE_INTERVAL);
    system.refresh_cpu_usage();
    Some(system.global_cpu_usage() / 100.0)
}

/// Looks for up to half a minute whether the machine is at rest for three seconds.
pub(super) fn await_rest() -> bool {
    const PATIENCE: Duration = Duration::from_secs(30);
    const QUIET: Duration = Duration::from_secs(3);
    let began = Instant::now();
    let mut quiet_since = began;
    super::say("looking whether the machine is at rest");
    while began.elapsed() < PATIENCE && !interrupt::asked() {
        if share().is_some_and(|share| share > TOO_MUCH) {
            quiet_since = Instant::now();
        }
        if quiet_since.elapsed() >= QUIET {
            return true;
        }
    }
    false
}
