//! How much memory this process may use: the least of what the machine has, what its control group allows and what its address
//! space may hold. Asked before anything large is allocated, since the kernel kills what takes too much.

use super::cgroup;
use crate::units::Bytes;
use std::fmt;
use std::path::Path;

/// The tightest limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// How much may be used.
    pub bytes: Bytes,
    /// Who limits it.
    pub by: By,
}

/// More memory is needed than there is.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("it needs {needed} of memory, {there}")]
pub struct NoRoom {
    /// What is needed.
    pub needed: Bytes,
    /// What there is.
    pub there: Limit,
}

impl Limit {
    /// # Errors
    /// If more is needed.
    fn check(self, needed: Bytes) -> Result<(), NoRoom> {
        if needed > self.bytes { Err(NoRoom { needed, there: self }) } else { Ok(()) }
    }
}

/// Who limits memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum By {
    /// The memory that the machine has.
    Machine,
    /// What other programs leave of it.
    OtherPrograms,
    /// The process's control group, as of a container.
    ControlGroup,
    /// The process's own limit, as `ulimit -v` sets it.
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

/// Main memory of this machine, where the system tells.
pub fn installed() -> Option<Bytes> {
    known(system()?.total_memory())
}

/// What this process may use at most.
pub fn limit() -> Option<Limit> {
    tightest([
        (installed(), By::Machine),
        (cgroup::Limits::read(Path::new("/")).memory, By::ControlGroup),
        (address_space(), By::AddressSpace),
    ])
}

/// Whether so much could ever be used, with all else out of the way.
///
/// # Errors
/// What limits it.
pub fn check(needed: Bytes) -> Result<(), NoRoom> {
    limit().map_or(Ok(()), |limit| limit.check(needed))
}

/// Whether so much can be taken now.
///
/// # Errors
/// What limits it.
pub fn check_now(needed: Bytes) -> Result<(), NoRoom> {
    available().map_or(Ok(()), |there| there.check(needed))
}

/// What this process may still take now.
pub fn available() -> Option<Limit> {
    tightest([
        (system().and_then(|system| known(system.available_memory())), By::OtherPrograms),
        (cgroup::Limits::read(Path::new("/")).memory_left, By::ControlGroup),
        (address_space_left(Path::new("/")), By::AddressSpace),
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

/// The limit without what is taken of it, where the system tells: the first number of `statm`, in pages.
fn address_space_left(root: &Path) -> Option<Bytes> {
    let limit = address_space()?;
    let taken = || {
        let pages = std::fs::read_to_string(root.join("proc/self/statm")).ok()?;
        let pages: u64 = pages.split(' ').next()?.parse().ok()?;
        Some(pages * page_bytes())
    };
    Some(Bytes(limit.0.saturating_sub(taken().unwrap_or(0))))
}

#[cfg(unix)]
fn page_bytes() -> u64 {
    rustix::param::page_size() as u64
}

#[cfg(not(unix))]
fn page_bytes() -> u64 {
    4096
}

#[cfg(not(unix))]
fn address_space() -> Option<Bytes> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_of_memory_and_the_control_groups_limit_decides() {
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
    fn nothing_told_is_unknown_rather_than_no_memory() {
        assert_eq!(known(0), None);
        assert_eq!(known(1), Some(Bytes(1)));
    }

    #[test]
    fn what_is_left_is_no_more_than_what_is_allowed() {
        if let (Some(limit), Some(available)) = (limit(), available()) {
            assert!(available.bytes <= limit.bytes, "{available:?} of {limit:?}");
        }
    }
}
