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

impl Limit {
    /// The tightest of these limits, without those that are unknown. Some containers hide the machine's memory, which then reads as 0
    /// bytes.
    pub fn tightest<const N: usize>(limits: [(Option<Bytes>, By); N]) -> Option<Limit> {
        let known = limits.into_iter().filter_map(|(bytes, by)| Some(Limit { bytes: bytes?, by }));
        let is_hidden = |limit: &Limit| {
            limit.bytes.0 == 0 && matches!(limit.by, By::Machine | By::OtherPrograms)
        };
        known.filter(|limit| !is_hidden(limit)).min_by_key(|limit| limit.bytes)
    }
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
    let total = system().map(|system| Bytes(system.total_memory()));
    Limit::tightest([(total, By::Machine)]).map(|limit| limit.bytes)
}

/// The tightest limit on this process's memory.
pub fn limit() -> Option<Limit> {
    Limit::tightest([
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
pub fn available() -> Option<Limit> {
    Limit::tightest([
        (system().map(|system| Bytes(system.available_memory())), By::OtherPrograms),
        (cgroup::Limits::read(Path::new("/")).memory_left, By::ControlGroup),
        (address_space_left(), By::AddressSpace),
    ])
}

fn system() -> Option<sysinfo::System> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory_specifics(sysinfo::MemoryRefreshKind::nothing().with_ram());
    Some(system)
}

fn address_space() -> Option<Bytes> {
    #[cfg(unix)]
    return rustix::process::getrlimit(rustix::process::Resource::As).current.map(Bytes);
    #[cfg(not(unix))]
    return None;
}

/// The address-space limit minus the current virtual size, which Linux reports as `VmSize:  1234 kB` (0 if unknown).
fn address_space_left() -> Option<Bytes> {
    let limit = address_space()?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib = size.and_then(|size| size.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Some(Bytes(limit.0.saturating_sub(kib.unwrap_or(0) << 10)))
}
