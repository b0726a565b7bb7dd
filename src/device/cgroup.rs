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
        let left = |(group, most): (&Group, u64)| Bytes(most.saturating_sub(group.memory_used()));
        Limits {
            memory: limited().map(|(_, most)| Bytes(most)).min(),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The limits of a process with these `/proc/self/cgroup`, `/proc/self/mountinfo` and files under `/sys/fs/cgroup`.
    fn limits(cgroups: &str, mounts: &str, files: &[(&str, &str)]) -> Limits {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("proc/self/cgroup", cgroups);
        write("proc/self/mountinfo", mounts);
        files.iter().for_each(|(path, text)| write(&format!("sys/fs/cgroup/{path}"), text));
        Limits::read(root.path())
    }

    const MOUNT_2: &str = "23 1 0:1 / / rw - ext4 /dev/vda rw\n30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_tightest_limit_of_nested_version_2_groups_applies() {
        let files = [
            ("a/memory.max", "8000000000\n"),
            ("a/memory.current", "3000000000\n"),
            ("a/memory.stat", "anon 1\ninactive_file 400000000\nactive_file 600000000\n"),
            ("a/cpu.max", "250000 100000\n"),
            ("a/b/memory.max", "7000000000\n"),
            ("a/b/memory.current", "500000000\n"),
            ("a/b/c/memory.max", "max\n"),
            ("a/b/c/cpu.max", "max 100000\n"),
        ];
        let found = limits("0::/a/b/c\n", MOUNT_2, &files);
        assert_eq!(found.memory, Some(Bytes(7_000_000_000)));
        assert_eq!(found.memory_left, Some(Bytes(6_000_000_000)), "of the group above");
        assert_eq!(found.cpus, Some(2.5));
    }

    #[test]
    fn unlimited_groups_and_no_groups_mean_no_limit() {
        assert_eq!(Limits::read(tempfile::tempdir().unwrap().path()), Limits::default());
        let files = [("memory.max", "max\n"), ("cpu.max", "max 100000\n")];
        assert_eq!(limits("0::/\n", MOUNT_2, &files), Limits::default());
        let files = [
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("cpu/cpu.cfs_quota_us", "-1\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
        ];
        let found = limits("3:cpu,cpuacct:/\n2:memory:/\n", MOUNTS_1, &files);
        assert_eq!(found, Limits::default());
    }

    const MOUNTS_1: &str = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
         35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
         41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn version_1_controllers_are_read_beside_a_version_2_hierarchy() {
        let files = [
            ("memory/slice/memory.limit_in_bytes", "500000\n"),
            ("memory/slice/memory.usage_in_bytes", "300000\n"),
            ("memory/slice/memory.stat", "inactive_file 9\ntotal_inactive_file 100000\n"),
            ("memory/slice/job/memory.limit_in_bytes", "600000\n"),
            ("cpu/slice/cpu.cfs_quota_us", "150000\n"),
            ("cpu/slice/cpu.cfs_period_us", "100000\n"),
        ];
        let cgroups = "4:memory:/slice/job\n2:cpuacct,cpu:/slice\n0::/slice/job\n";
        let (memory, left) = (Some(Bytes(500_000)), Some(Bytes(300_000)));
        let expected = Limits { memory, memory_left: left, cpus: Some(1.5) };
        assert_eq!(limits(cgroups, MOUNTS_1, &files), expected);
    }

    /// A container sees its own group at the mount point, whatever its path is.
    #[test]
    fn a_container_finds_its_group_at_the_mount_point() {
        for (path, base) in [("/docker/0123", "/docker/0123"), ("/../../other", "/"), ("/", "/")] {
            let mounts = format!("30 23 0:26 {base} /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
            let files = [("memory.max", "536870912\n")];
            let found = limits(&format!("0::{path}\n"), &mounts, &files);
            assert_eq!(found.memory, Some(Bytes(512 << 20)), "{path}");
        }
    }
}
