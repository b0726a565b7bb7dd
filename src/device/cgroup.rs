//! cgroup limits of this process, version 1 or 2. Groups nest: the tightest limit from the process's group up to the hierarchy's mount
//! point applies.

use crate::units::Bytes;
use std::path::{Path, PathBuf};

/// Limits set by cgroups; all `None` without cgroups.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Memory limit, if any.
    pub memory: Option<Bytes>,
    /// Memory limit minus usage; the page cache counts as free.
    pub memory_left: Option<Bytes>,
    /// CPU quota in CPUs, if any: 2.5 is two and a half CPUs.
    pub cpus: Option<f64>,
}

impl Limits {
    /// Reads the limits below `root`, which is `/` except in tests.
    pub fn read(root: &Path) -> Limits {
        let memory = groups(root, "memory");
        let limited = || memory.iter().filter_map(|group| Some((group, group.memory()?)));
        let left = |(group, limit): (&Group, u64)| Bytes(limit.saturating_sub(group.memory_used()));
        Limits {
            memory: limited().map(|(_, limit)| Bytes(limit)).min(),
            memory_left: limited().map(left).min(),
            cpus: groups(root, "cpu").iter().filter_map(Group::cpus).min_by(f64::total_cmp),
        }
    }
}

/// One cgroup: its folder, and whether it is of version 2, which determines its file names.
struct Group {
    folder: PathBuf,
    is_v2: bool,
}

impl Group {
    fn text(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.join(file)).ok()
    }

    fn number(&self, file: &str) -> Option<u64> {
        self.text(file)?.trim().parse().ok()
    }

    /// Memory limit in bytes, if any. No limit is `max` in version 2, which does not parse, and a huge number in version 1.
    fn memory(&self) -> Option<u64> {
        const UNLIMITED: u64 = 1 << 60;
        let file = if self.is_v2 { "memory.max" } else { "memory.limit_in_bytes" };
        self.number(file).filter(|bytes| *bytes < UNLIMITED)
    }

    /// Memory usage in bytes without the page cache, which the kernel reclaims on demand.
    fn memory_used(&self) -> u64 {
        let (usage, files) = match self.is_v2 {
            false => ("memory.usage_in_bytes", ["total_inactive_file", "total_active_file"]),
            true => ("memory.current", ["inactive_file", "active_file"]),
        };
        let statistics = self.text("memory.stat").unwrap_or_default();
        let pairs = statistics.lines().filter_map(|line| line.split_once(' '));
        let cached = pairs.filter(|(name, _)| files.contains(name));
        let cached: u64 = cached.filter_map(|(_, bytes)| bytes.trim().parse::<u64>().ok()).sum();
        self.number(usage).unwrap_or(0).saturating_sub(cached)
    }

    /// CPU quota in CPUs. No quota is `max` in version 2 and -1 in version 1, neither of which parses.
    fn cpus(&self) -> Option<f64> {
        let text = match self.is_v2 {
            false => self.text("cpu.cfs_quota_us")? + " " + &self.text("cpu.cfs_period_us")?,
            true => self.text("cpu.max")?,
        };
        let mut numbers = text.split_whitespace().map(str::parse::<u64>);
        let (quota, period) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
    }
}

/// The cgroups of this process that have `controller`, its own first, up to the mount point.
fn groups(root: &Path, controller: &str) -> Vec<Group> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let (cgroups, mounts) = (read("proc/self/cgroup"), read("proc/self/mountinfo"));
    // `4:memory:/a/b` in version 1, `0::/a/b` in version 2. A controller is in one of the two hierarchies; version 1 names it.
    let folders = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (names, path) = (parts.next()?, parts.next()?);
        let is_v2 = names.is_empty();
        if !is_v2 && !names.split(',').any(|name| name == controller) {
            return None;
        }
        let (base, mount) = mounts.lines().find_map(|line| mounted(line, is_v2, controller))?;
        // Inside a container the mount may show only part of the hierarchy.
        let below = Path::new(path).strip_prefix(base).unwrap_or(Path::new(""));
        let top = root.join(mount.trim_start_matches('/'));
        let group = top.join(below);
        let up = group.ancestors().take_while(|folder| folder.starts_with(&top));
        Some(up.map(|folder| Group { folder: folder.into(), is_v2 }).collect::<Vec<_>>())
    };
    cgroups.lines().filter_map(folders).flatten().collect()
}

/// Parses a line of `mountinfo`: the mounted part of the hierarchy and the mount point, if it has this controller.
fn mounted<'a>(line: &'a str, is_v2: bool, controller: &str) -> Option<(&'a str, &'a str)> {
    // 35 31 0:32 /part /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
    let (place, kind) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(3);
    let mut kind = kind.split(' ');
    let has_controller = match kind.next()? {
        "cgroup2" => is_v2,
        "cgroup" if !is_v2 => kind.nth(1)?.split(',').any(|option| option == controller),
        _ => false,
    };
    has_controller.then_some((place.next()?, place.next()?))
}
