//! Limits on memory and CPUs: control groups from files in place of the kernel's, and the tightest limit.

use rigbench::device::cgroup::Limits;
use rigbench::device::memory::{Limit, LimitKind, available, limit};
use rigbench::units::Bytes;

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

#[test]
fn the_tightest_limit_applies() {
    let least = |machine, group, space| {
        let limits = [
            (machine, LimitKind::Machine),
            (group, LimitKind::ControlGroup),
            (space, LimitKind::AddressSpace),
        ];
        Limit::tightest(limits)
    };
    let (small, large) = (Some(Bytes(1 << 30)), Some(Bytes(1 << 34)));
    assert_eq!(least(large, small, None).unwrap().by, LimitKind::ControlGroup);
    assert_eq!(least(small, large, large).unwrap().by, LimitKind::Machine);
    assert_eq!(
        least(large, None, small).unwrap().to_string(),
        "its address space has room for 1.00 GiB (ulimit -v)"
    );
    assert_eq!(least(None, None, None), None);
}

#[test]
fn zero_bytes_mean_unknown() {
    for by in [LimitKind::Machine, LimitKind::OtherPrograms] {
        assert_eq!(Limit::tightest([(Some(Bytes(0)), by)]), None);
        let one = Limit { bytes: Bytes(1), by };
        assert_eq!(Limit::tightest([(Some(Bytes(1)), by)]), Some(one));
    }
}

#[test]
fn available_is_at_most_the_limit() {
    if let (Some(limit), Some(available)) = (limit(), available()) {
        assert!(available.bytes <= limit.bytes, "{available:?} of {limit:?}");
    }
}
