//! `rigbench doctor` and `rigbench devices`: what was found, and the exact command where something better could be had.

use crate::energy::fake::sysfs::Sysfs;
use crate::support;
use nix::unistd::Uid;
use serde_json::Value;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

const ZONE: &[(&str, &str)] = &[
    ("class/powercap/intel-rapl:0/name", "package-0"),
    ("class/powercap/intel-rapl:0/energy_uj", "5000000"),
    ("class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850"),
];

fn told(sysfs: &Sysfs, args: &[&str]) -> String {
    let output = support::rigbench(args).env("RIGBENCH_SYSFS", sysfs.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_source_is_listed_with_its_scope_period_and_accuracy() {
    let sysfs = Sysfs::with(ZONE);
    let doctor = told(&sysfs, &["doctor", "--device", "cpu"]);
    for word in ["rapl", "package-0", "cpu-package", "joules", "0.00100 s", "±5.00 %", "assumed"] {
        assert!(doctor.contains(word), "{word}: {doctor}");
    }
    // What it covers is not all: a plug would be better, and its spec is named.
    assert!(doctor.contains("--power shelly:http://HOST"), "{doctor}");
    let table = told(&sysfs, &["devices"]);
    let line = "rapl counter, cpu-package, every 0.00100 s, ±5.00 % (assumed)";
    let words = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(line), "{words}");
    let json: Value = serde_json::from_str(&told(&sysfs, &["devices", "--json"])).unwrap();
    let source = &json.as_array().unwrap().last().unwrap()["sources"][0];
    assert_eq!((&source["kind"], &source["scope"]), (&"rapl".into(), &"cpu-package".into()));
    assert_eq!(source["update_period_seconds"], 0.001);
    let accuracy = &source["accuracy"];
    assert_eq!((&accuracy["share"], &accuracy["basis"]), (&0.05.into(), &"assumed".into()));
}

#[test]
fn where_nothing_is_found_it_says_what_to_do() {
    let nothing = Sysfs::with(&[]);
    let doctor = told(&nothing, &["doctor", "--device", "cpu"]);
    assert!(doctor.contains("Energy sources: none was found."), "{doctor}");
    assert!(doctor.contains("No joules of cpu can be read: no energy counter"), "{doctor}");
    assert!(doctor.contains("sudo modprobe intel_rapl_msr"), "{doctor}");
    assert!(doctor.contains("--power declared:WATTS"), "{doctor}");
    assert!(told(&nothing, &["devices"]).contains("No energy source: rigbench doctor lists"));
}

/// As a user who is not root, since root may read everything.
#[test]
fn a_counter_that_only_root_may_read_comes_with_the_command_that_allows_it() {
    let sysfs = Sysfs::with(ZONE);
    let counter = sysfs.path().join("class/powercap/intel-rapl:0/energy_uj");
    set_permissions(&counter, Permissions::from_mode(0o0)).unwrap();
    set_permissions(sysfs.path(), Permissions::from_mode(0o755)).unwrap();
    // Where anybody may run it.
    let folder = tempfile::tempdir().unwrap();
    set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("rigbench");
    std::fs::copy(env!("CARGO_BIN_EXE_rigbench"), &program).unwrap();
    let mut doctor = Command::new(&program);
    doctor.args(["doctor", "--device", "cpu"]).env("RIGBENCH_SYSFS", sysfs.path());
    doctor.env("HOME", folder.path()).current_dir(folder.path()).stdin(Stdio::null());
    if Uid::effective().is_root() {
        doctor.uid(65_534);
    }
    let output = doctor.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let command = "`sudo chmod a+r /sys/class/powercap/intel-rapl:*/*_uj`";
    let line = said.lines().find(|line| line.contains(command));
    assert!(
        line.is_some_and(|l| l.starts_with("- No joules of cpu can be read: only root")),
        "{said}"
    );
}
