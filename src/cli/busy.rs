//! CPU use of other processes.

use super::interrupt;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// CPU share of other processes, relative to all hardware threads, if it is above 10 %: the use of the whole machine while this process
/// sleeps.
pub(super) fn excessive_share() -> Option<f32> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_cpu_usage();
    sleep(2 * sysinfo::MINIMUM_CPU_UPDATE_INTERVAL);
    system.refresh_cpu_usage();
    Some(system.global_cpu_usage() / 100.0).filter(|share| *share > 0.1)
}

/// Waits up to 30 s for the CPU to be idle for 3 s; returns whether it was.
pub(super) fn wait_until_idle() -> bool {
    const TIMEOUT: Duration = Duration::from_secs(30);
    const IDLE_FOR: Duration = Duration::from_secs(3);
    let began = Instant::now();
    let mut idle_since = began;
    super::say("checking that the machine is idle");
    while began.elapsed() < TIMEOUT && !interrupt::asked() {
        if excessive_share().is_some() {
            idle_since = Instant::now();
        }
        if idle_since.elapsed() >= IDLE_FOR {
            return true;
        }
    }
    false
}
