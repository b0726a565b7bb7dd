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
        let mut limits = Limits::default();
        let memory = groups(root, "memory");
        for group in &memory {
            let Some(allowed) = group.memory() else { continue };
            let left = Bytes(allowed.0.saturating_sub(group.memory_used()));
            limits.memory = Some(limits.memory.map_or(allowed, |least| least.min(allowed)));
            limits.memory_left = Some(limits.memory_left.map_or(left, |least| least.min(left)));
        }
        let quotas = groups(root, "cpu");
        limits.cpus = quotas.iter().filter_map(Group::cpus).min_by(f64::total_cmp);
        limits
    }
}

/// One cgroup: its folder, and the version, which determines its file names.
struct Group {
    folder: PathBuf,
    version: Version,
}

#[derive(Clone, Copy, PartialEq)]
enum Version {
    One,
    Two,
}

impl Group {
    fn text(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.join(file)).ok()
    }

    fn number(&self, file: &str) -> Option<u64> {
        self.text(file)?.trim().parse().ok()
    }

    /// Memory limit, if any. No limit is `max` in version 2, which does not parse, and a huge number in version 1.
    fn memory(&self) -> Option<Bytes> {
        const UNLIMITED: u64 = 1 << 60;
        let bytes = match self.version {
            Version::One => self.number("memory.limit_in_bytes"),
            Version::Two => self.number("memory.max"),
        };
        bytes.filter(|bytes| *bytes < UNLIMITED).map(Bytes)
    }

    /// Memory usage without the page cache, which the kernel reclaims on demand.
    fn memory_used(&self) -> u64 {
        let (usage, files) = match self.version {
            Version::One => ("memory.usage_in_bytes", ["total_inactive_file", "total_active_file"]),
            Version::Two => ("memory.current", ["inactive_file", "active_file"]),
        };
        let statistics = self.text("memory.stat").unwrap_or_default();
        let pairs = statistics.lines().filter_map(|line| line.split_once(' '));
        let cached = pairs.filter(|(name, _)| files.contains(name));
        let cached: u64 = cached.filter_map(|(_, bytes)| bytes.trim().parse::<u64>().ok()).sum();
        self.number(usage).unwrap_or(0).saturating_sub(cached)
    }

    fn cpus(&self) -> Option<f64> {
        let (quota, period) = match self.version {
            // -1 means no quota; it does not parse.
            Version::One => (self.number("cpu.cfs_quota_us")?, self.number("cpu.cfs_period_us")?),
            Version::Two => {
                let text = self.text("cpu.max")?;
                let (quota, period) = text.trim().split_once(' ')?;
                (quota.parse().ok()?, period.parse().ok()?)
            }
        };
        (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
    }
}

/// The cgroups of this process that have `controller`, its own first, up to the mount point.
fn groups(root: &Path, controller: &str) -> Vec<Group> {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let (cgroups, mounts) = (read("proc/self/cgroup"), read("proc/self/mountinfo"));
    // `4:memory:/a/b` in version 1, `0::/a/b` in version 2. A controller is in one of the two hierarchies; version 1 names it.
    let mut found = Vec::new();
    for line in cgroups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(names), Some(path)) = (parts.next(), parts.next()) else { continue };
        let version = match names {
            "" => Version::Two,
            names if names.split(',').any(|name| name == controller) => Version::One,
            _ => continue,
        };
        let Some((base, mount)) = mounts.lines().find_map(|l| mounted(l, version, controller))
        else {
            continue;
        };
        // Inside a container the mount may show only part of the hierarchy.
        let below = Path::new(path).strip_prefix(base).unwrap_or(Path::new(""));
        let top = root.join(mount.trim_start_matches('/'));
        let group = top.join(below);
        let up = group.ancestors().take_while(|folder| folder.starts_with(&top));
        found.extend(up.map(|folder| Group { folder: folder.to_path_buf(), version }));
    }
    found
}

/// Parses a line of `mountinfo`: the mounted part of the hierarchy and the mount point, if it has this controller.
fn mounted<'a>(line: &'a str, version: Version, controller: &str) -> Option<(&'a str, &'a str)> {
    // 35 31 0:32 /part /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
    let (place, kind) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(3);
    let mut kind = kind.split(' ');
    let (base, mount) = (place.next()?, place.next()?);
    let fits = match (kind.next()?, version) {
        ("cgroup2", Version::Two) => true,
        ("cgroup", Version::One) => kind.nth(1)?.split(',').any(|option| option == controller),
        _ => false,
    };
    fits.then_some((base, mount))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A temporary root folder with these files.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    fn limits(files: &[(&str, &str)]) -> Limits {
        Limits::read(root(files).path())
    }

    const MOUNT_2: (&str, &str) = (
        "proc/self/mountinfo",
        "23 1 0:1 / / rw - ext4 /dev/vda rw\n30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
    );

    #[test]
    fn the_tightest_limit_of_nested_version_2_groups_applies() {
        let found = limits(&[
            ("proc/self/cgroup", "0::/a/b/c\n"),
            MOUNT_2,
            ("sys/fs/cgroup/a/memory.max", "8000000000\n"),
            ("sys/fs/cgroup/a/memory.current", "3000000000\n"),
            (
                "sys/fs/cgroup/a/memory.stat",
                "anon 1\ninactive_file 400000000\nactive_file 600000000\n",
            ),
            ("sys/fs/cgroup/a/cpu.max", "250000 100000\n"),
            ("sys/fs/cgroup/a/b/memory.max", "7000000000\n"),
            ("sys/fs/cgroup/a/b/memory.current", "500000000\n"),
            ("sys/fs/cgroup/a/b/c/memory.max", "max\n"),
            ("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n"),
        ]);
        assert_eq!(found.memory, Some(Bytes(7_000_000_000)));
        assert_eq!(found.memory_left, Some(Bytes(6_000_000_000)), "of the group above");
        assert_eq!(found.cpus, Some(2.5));
    }

    #[test]
    fn unlimited_groups_and_no_groups_mean_no_limit() {
        assert_eq!(limits(&[]), Limits::default());
        let unlimited = limits(&[
            ("proc/self/cgroup", "0::/\n"),
            MOUNT_2,
            ("sys/fs/cgroup/memory.max", "max\n"),
            ("sys/fs/cgroup/cpu.max", "max 100000\n"),
        ]);
        assert_eq!(unlimited, Limits::default());
        let unlimited = limits(&[
            ("proc/self/cgroup", "3:cpu,cpuacct:/\n2:memory:/\n"),
            MOUNTS_1,
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ]);
        assert_eq!(unlimited, Limits::default());
    }

    const MOUNTS_1: (&str, &str) = (
        "proc/self/mountinfo",
        "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
         35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
         41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
    );

    #[test]
    fn version_1_controllers_are_read_beside_a_version_2_hierarchy() {
        let found = limits(&[
            ("proc/self/cgroup", "4:memory:/slice/job\n2:cpuacct,cpu:/slice\n0::/slice/job\n"),
            MOUNTS_1,
            ("sys/fs/cgroup/memory/slice/memory.limit_in_bytes", "500000\n"),
            ("sys/fs/cgroup/memory/slice/memory.usage_in_bytes", "300000\n"),
            (
                "sys/fs/cgroup/memory/slice/memory.stat",
                "inactive_file 9\ntotal_inactive_file 100000\n",
            ),
            ("sys/fs/cgroup/memory/slice/job/memory.limit_in_bytes", "600000\n"),
            ("sys/fs/cgroup/cpu/slice/cpu.cfs_quota_us", "150000\n"),
            ("sys/fs/cgroup/cpu/slice/cpu.cfs_period_us", "100000\n"),
        ]);
        let (memory, left) = (Some(Bytes(500_000)), Some(Bytes(300_000)));
        assert_eq!(found, Limits { memory, memory_left: left, cpus: Some(1.5) });
    }

    /// A container sees its own group at the mount point, whatever its path is.
    #[test]
    fn a_container_finds_its_group_at_the_mount_point() {
        for (path, base) in [("/docker/0123", "/docker/0123"), ("/../../other", "/"), ("/", "/")] {
            let mounts = format!("30 23 0:26 {base} /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
            let found = limits(&[
                ("proc/self/cgroup", &format!("0::{path}\n")),
                ("proc/self/mountinfo", &mounts),
                ("sys/fs/cgroup/memory.max", "536870912\n"),
            ]);
            assert_eq!(found.memory, Some(Bytes(512 << 20)), "{path}");
        }
    }
}
