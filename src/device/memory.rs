//! Memory available to this process: the least of the machine's memory, the cgroup limit and the address-space limit. Checked before
//! large allocations, since the kernel's OOM killer ends a process that takes too much.

use super::cgroup;
use crate::units::Bytes;
use std::fmt;
use std::path::Path;

/// A memory limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Usable memory.
    pub bytes: Bytes,
    /// What imposes the limit.
    pub by: By,
}

/// More memory is needed than is available.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("it needs {needed} of memory, {there}")]
pub struct InsufficientMemory {
    /// Memory needed.
    pub needed: Bytes,
    /// Memory available.
    pub there: Limit,
}

/// What imposes a memory limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum By {
    /// The machine's installed memory.
    Machine,
    /// The machine's free memory.
    OtherPrograms,
    /// The process's cgroup, such as a container's.
    ControlGroup,
    /// The process's address-space limit, set by `ulimit -v`.
    AddressSpace,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Limit { bytes, by } = self;
        match by {
            By::Machine => write!(f, "this machine has {bytes}"),
            By::OtherPrograms => write!(f, "this machine has {bytes} free"),
            By::ControlGroup => write!(f, "its control group allows {bytes}"),
            By::AddressSpace => write!(f, "its address space has room for {bytes} (ulimit -v)"),
        }
    }
}

/// Main memory of this machine, if the system reports it.
pub fn installed() -> Option<Bytes> {
    known(system()?.total_memory())
}

/// The tightest limit on this process's memory.
fn limit() -> Option<Limit> {
    tightest([
        (installed(), By::Machine),
        (cgroup::Limits::read(Path::new("/")).memory, By::ControlGroup),
        (address_space(), By::AddressSpace),
    ])
}

/// Checks `needed` against the total limit, as if no other program used memory.
///
/// # Errors
/// If `needed` exceeds the limit.
pub fn check(needed: Bytes) -> Result<(), InsufficientMemory> {
    within(limit(), needed)
}

/// Checks `needed` against the memory available now.
///
/// # Errors
/// If `needed` exceeds the limit.
pub fn check_now(needed: Bytes) -> Result<(), InsufficientMemory> {
    within(available(), needed)
}

fn within(limit: Option<Limit>, needed: Bytes) -> Result<(), InsufficientMemory> {
    match limit {
        Some(there) if needed > there.bytes => Err(InsufficientMemory { needed, there }),
        _ => Ok(()),
    }
}

/// Memory that this process can still allocate.
fn available() -> Option<Limit> {
    tightest([
        (system().and_then(|system| known(system.available_memory())), By::OtherPrograms),
        (cgroup::Limits::read(Path::new("/")).memory_left, By::ControlGroup),
        (address_space_left(), By::AddressSpace),
    ])
}

/// Some containers hide the machine's memory, which then reads as 0 bytes.
fn known(bytes: u64) -> Option<Bytes> {
    Some(Bytes(bytes)).filter(|bytes| bytes.0 > 0)
}

fn tightest(limits: [(Option<Bytes>, By); 3]) -> Option<Limit> {
    let known = limits.into_iter().filter_map(|(bytes, by)| Some(Limit { bytes: bytes?, by }));
    known.min_by_key(|limit| limit.bytes)
}

fn system() -> Option<sysinfo::System> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory_specifics(sysinfo::MemoryRefreshKind::nothing().with_ram());
    Some(system)
}

#[cfg(unix)]
fn address_space() -> Option<Bytes> {
    rustix::process::getrlimit(rustix::process::Resource::As).current.map(Bytes)
}

/// The address-space limit minus the current virtual size, which Linux reports as `VmSize:  1234 kB` (0 if unknown).
fn address_space_left() -> Option<Bytes> {
    let limit = address_space()?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib = size.and_then(|size| size.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Some(Bytes(limit.0.saturating_sub(kib.unwrap_or(0) << 10)))
}

#[cfg(not(unix))]
fn address_space() -> Option<Bytes> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_limit_applies() {
        let least = |machine, group, space| {
            tightest([(machine, By::Machine), (group, By::ControlGroup), (space, By::AddressSpace)])
        };
        let (small, large) = (Some(Bytes(1 << 30)), Some(Bytes(1 << 34)));
        assert_eq!(least(large, small, None).unwrap().by, By::ControlGroup);
        assert_eq!(least(small, large, large).unwrap().by, By::Machine);
        assert_eq!(
            least(large, None, small).unwrap().to_string(),
            "its address space has room for 1.00 GiB (ulimit -v)"
        );
        assert_eq!(least(None, None, None), None);
    }

    #[test]
    fn zero_bytes_mean_unknown() {
        assert_eq!(known(0), None);
        assert_eq!(known(1), Some(Bytes(1)));
    }

    #[test]
    fn available_is_at_most_the_limit() {
        if let (Some(limit), Some(available)) = (limit(), available()) {
            assert!(available.bytes <= limit.bytes, "{available:?} of {limit:?}");
        }
    }
}
