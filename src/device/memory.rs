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
    pub by: LimitKind,
}

/// More memory is needed than is available.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("it needs {needed} of memory, {available}")]
pub struct InsufficientMemory {
    /// Memory needed.
    pub needed: Bytes,
    /// Memory available.
    pub available: Limit,
}

/// What imposes a memory limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LimitKind {
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
    pub fn tightest<const N: usize>(limits: [(Option<Bytes>, LimitKind); N]) -> Option<Limit> {
        let known = limits.into_iter().filter_map(|(bytes, by)| Some(Limit { bytes: bytes?, by }));
        let is_hidden = |limit: &Limit| {
            limit.bytes.0 == 0 && matches!(limit.by, LimitKind::Machine | LimitKind::OtherPrograms)
        };
        known.filter(|limit| !is_hidden(limit)).min_by_key(|limit| limit.bytes)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Limit { bytes, by } = self;
        match by {
            LimitKind::Machine => write!(f, "this machine has {bytes}"),
            LimitKind::OtherPrograms => write!(f, "this machine has {bytes} free"),
            LimitKind::ControlGroup => write!(f, "its control group allows {bytes}"),
            LimitKind::AddressSpace => {
                write!(f, "its address space has room for {bytes} (ulimit -v)")
            }
        }
    }
}

/// Main memory of this machine, if the system reports it.
pub fn installed() -> Option<Bytes> {
    let total = system().map(|system| Bytes(system.total_memory()));
    Limit::tightest([(total, LimitKind::Machine)]).map(|limit| limit.bytes)
}

/// The tightest limit on this process's memory.
pub fn limit() -> Option<Limit> {
    Limit::tightest([
        (installed(), LimitKind::Machine),
        (cgroup::Limits::read(Path::new("/")).memory, LimitKind::ControlGroup),
        (address_space(), LimitKind::AddressSpace),
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
        Some(available) if needed > available.bytes => {
            Err(InsufficientMemory { needed, available })
        }
        _ => Ok(()),
    }
}

/// Memory that this process can still allocate.
pub fn available() -> Option<Limit> {
    Limit::tightest([
        (system().map(|system| Bytes(system.available_memory())), LimitKind::OtherPrograms),
        (cgroup::Limits::read(Path::new("/")).memory_left, LimitKind::ControlGroup),
        (address_space_left(), LimitKind::AddressSpace),
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
