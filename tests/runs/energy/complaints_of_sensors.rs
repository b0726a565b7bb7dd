//! What users of other tools complained of in public. Each test bears the complaint's name.

use crate::energy::fake::nvml::{Driver, GTX_970, RTX_3080, but};
use crate::energy::fake::sysfs::Sysfs;
use nix::unistd::{Uid, setfsuid};
use proptest::prelude::*;
use rigbench::energy::source::{hwmon, rapl};
use rigbench::energy::{EnergySource, Quantity};
use rigbench::units::{Seconds, Watts};
use std::fs::{File, Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

const NVIDIA: &str = "0000:01:00.0";
const OLD: &str = "0000:0a:00.0";
const PCI: &str = "0000:03:00.0";
const HWMON: &str = "bus/pci/devices/0000:03:00.0/hwmon/hwmon0";

/// A megajoule on an electricity bill.
const WATT_HOURS_IN_A_MEGAJOULE: f64 = 277.777_777_777_777_8;

fn zone(sysfs: &Sysfs, id: &str, name: &str, microjoules: &str) {
    let folder = format!("class/powercap/{id}");
    sysfs.put(&[
        (&format!("{folder}/name"), name),
        (&format!("{folder}/energy_uj"), microjoules),
        (&format!("{folder}/max_energy_range_uj"), "65532610987"),
    ]);
}

fn processor(sysfs: &Sysfs) -> Vec<Box<dyn EnergySource>> {
    rapl::find(sysfs.path()).unwrap()
}

fn hwmon_card(files: &[(&str, &str)]) -> (Sysfs, Box<dyn EnergySource>) {
    let sysfs = Sysfs::with(&[]);
    for (file, text) in files {
        sysfs.put(&[(&format!("{HWMON}/{file}"), text)]);
    }
    let source = hwmon::find(sysfs.path(), PCI).unwrap().sources.remove(0);
    (sysfs, source)
}

/// "package-0-die-0 68 W, package-0-die-1 68 W, tool 137 W, plug 125 W."
#[test]
fn threadripper_dies_were_counted_twice() {
    let sysfs =
        Sysfs::with(&[("devices/system/cpu/modalias", "cpu:type:x86,ven0002fam0017mod0001")]);
    zone(&sysfs, "intel-rapl:0", "package-0-die-0", "68000000");
    zone(&sysfs, "intel-rapl:1", "package-0-die-1", "68000000");
    let mut sources = processor(&sysfs);
    assert_eq!(sources[0].describe().model, "package-0-die-0");
    assert_eq!(sources[0].read().unwrap(), [68.0]);

    // A second socket is no second die.
    zone(&sysfs, "intel-rapl:2", "package-1-die-0", "51000000");
    zone(&sysfs, "intel-rapl:3", "package-1-die-1", "51000000");
    assert_eq!(processor(&sysfs)[0].read().unwrap(), [68.0, 51.0]);

    // Intel's dies count their own.
    sysfs.put(&[("devices/system/cpu/modalias", "cpu:type:x86,ven0000fam0006mod0055")]);
    assert_eq!(processor(&sysfs)[0].read().unwrap(), [68.0, 68.0, 51.0, 51.0]);
}

#[test]
fn psys_and_package_and_core_were_added_up() {
    let sysfs = Sysfs::with(&[]);
    zone(&sysfs, "intel-rapl:0", "package-0", "40000000");
    zone(&sysfs, "intel-rapl:0:0", "core", "30000000");
    zone(&sysfs, "intel-rapl:0:1", "uncore", "5000000");
    zone(&sysfs, "intel-rapl:1", "psys", "90000000");
    // The same package through another register.
    zone(&sysfs, "intel-rapl-mmio:0", "package-0", "40000000");
    let mut sources = processor(&sysfs);
    assert_eq!(sources.len(), 1);
    assert_eq!(sources[0].read().unwrap(), [40.0]);

    zone(&sysfs, "intel-rapl:0:2", "dram", "7000000");
    let mut sources = processor(&sysfs);
    assert_eq!(sources[0].read().unwrap(), [40.0], "memory is not part of the package");
    assert_eq!(sources[1].read().unwrap(), [7.0]);
}

#[test]
fn registers_of_0xffff_were_read_as_66_watts() {
    let driver = Driver::with(&[RTX_3080, GTX_970]);
    let mut instant = driver.power(NVIDIA);
    let mut usage = driver.power(OLD);
    for ones in ["65535", "4294967295", "0"] {
        let first = but(RTX_3080, &[("field186", ones), ("energy", "4294967295")]);
        driver.answers(&[&first, &but(GTX_970, &[("power", ones)])]);
        assert!(instant.read().is_err() && usage.read().is_err(), "{ones}");
    }
    driver.answers(&[RTX_3080, &but(GTX_970, &[("power", "65534")])]);
    assert_eq!(usage.read().unwrap(), [65.534], "a card may draw that");

    let (sysfs, mut amd) = hwmon_card(&[("name", "amdgpu"), ("power1_average", "60000000")]);
    assert_eq!(amd.read().unwrap(), [60.0]);
    // As they are, as milliwatts, as amdgpu rounds those, as watts, and 32 of them.
    for ones in ["65535", "65535000", "65136000", "65535000000", "4294967295", "0"] {
        sysfs.put(&[(&format!("{HWMON}/power1_average"), ones)]);
        let error = amd.read().unwrap_err().to_string();
        assert!(error.contains("cannot be true"), "{ones}: {error}");
    }
}

#[test]
fn garbage_of_42_kilowatts_was_taken_for_power() {
    let driver = Driver::with(&[RTX_3080]);
    let mut sources = driver.find(NVIDIA).unwrap().sources;
    for garbage in ["42000000", "740001", "nan"] {
        driver.answers(&[&but(RTX_3080, &[("field186", garbage)])]);
        let error = sources[1].read().unwrap_err().to_string();
        assert!(error.contains("cannot be true") && !error.contains('\n'), "{error}");
    }
    driver.answers(&[&but(RTX_3080, &[("field186", "739999"), ("energy", "0")])]);
    assert_eq!(sources[1].read().unwrap(), [739.999], "a peak above the limit is none");
    assert!(sources[0].read().is_err(), "a counter that stands at nought has no content");

    // A limit that is garbage itself lets no garbage through.
    let lost_limits = but(RTX_3080, &[("limit", "4294967295"), ("max-limit", "4294967295")]);
    driver.answers(&[&lost_limits]);
    let mut power = driver.power(NVIDIA);
    assert_eq!(power.describe().ceiling, Watts(2000.0));
    driver.answers(&[&but(&lost_limits, &[("field186", "42000000")])]);
    assert!(power.read().is_err());

    let (_sysfs, mut amd) = hwmon_card(&[("name", "amdgpu"), ("power1_average", "42000000000")]);
    assert!(amd.read().is_err());
}

/// Nothing was drawn when the driver took a reset of its register for a wrap, or the counter began anew.
#[test]
fn an_arc_drew_millions_of_watts_when_its_counter_wrapped() {
    let (sysfs, mut arc) =
        hwmon_card(&[("name", "xe"), ("energy1_input", "300000000"), ("power1_max", "190000000")]);
    let info = arc.describe();
    let Quantity::Counter { ranges, .. } = &info.quantity else { panic!("{info:?}") };
    assert_eq!(ranges, &[None], "with a range a reset would pass for a wrap");

    let before = arc.read().unwrap()[0];
    sysfs.put(&[(&format!("{HWMON}/energy1_input"), "200000")]);
    let after = arc.read().unwrap()[0];
    assert_eq!((before, after), (300.0, 0.2), "a fall is shown as it is, for the meter to refuse");

    // One register's worth at once: 2^32 of 2^-14 J.
    let leap = 300_000_000u64 + (1 << 18) * 1_000_000;
    sysfs.put(&[(&format!("{HWMON}/energy1_input"), &leap.to_string())]);
    let drawn = arc.read().unwrap()[0] - before;
    assert!(drawn > 262_000.0);
    assert!(drawn > (info.ceiling * Seconds(60.0)).0, "no minute can hold that");
    // A number that went below nought.
    for negative in ["-5000000", "18446744073709551615"] {
        sysfs.put(&[(&format!("{HWMON}/energy1_input"), negative)]);
        assert!(arc.read().is_err(), "{negative}");
    }
}

#[test]
fn a_power_cap_was_set_but_never_read_back() {
    let driver = Driver::with(&[RTX_3080]);
    let mut board = driver.find(NVIDIA).unwrap().board;
    assert_eq!(board.state().power_limit, Some(Watts(320.0)));
    // Asked for 220 W, the board enforces 240 W.
    driver.answers(&[&but(RTX_3080, &[("requested-limit", "220000"), ("limit", "240000")])]);
    assert_eq!(board.state().power_limit, Some(Watts(240.0)));
    driver.answers(&[&but(RTX_3080, &[("limit", "")])]);
    assert_eq!(board.state().power_limit, None, "nothing is made up");

    let sysfs = Sysfs::with(&[]);
    let cap = |microwatts| sysfs.put(&[(&format!("{HWMON}/power1_cap"), microwatts)]);
    sysfs.put(&[(&format!("{HWMON}/name"), "amdgpu")]);
    cap("203000000");
    let mut board = hwmon::find(sysfs.path(), PCI).unwrap().board;
    assert_eq!(board.state().power_limit, Some(Watts(203.0)));
    cap("150000000");
    assert_eq!(board.state().power_limit, Some(Watts(150.0)));
}

/// The kernel's own refusal: the file has no mode bits, and the thread gives up root's right to pass over that.
#[test]
fn a_lack_of_permission_ended_without_a_word_of_what_to_do() {
    let sysfs = Sysfs::with(&[]);
    // As on a real machine: the zones' names are links to where they really are.
    let real = sysfs.path().join("devices/virtual/powercap/intel-rapl/intel-rapl:0");
    for (file, text) in [("name", "package-0"), ("energy_uj", "5"), ("max_energy_range_uj", "9")] {
        crate::energy::fake::sysfs::put(&real.join(file), text);
    }
    std::fs::create_dir_all(sysfs.path().join("class/powercap")).unwrap();
    symlink(&real, sysfs.path().join("class/powercap/intel-rapl:0")).unwrap();
    set_permissions(sysfs.path(), Permissions::from_mode(0o755)).unwrap();
    let counter = real.join("energy_uj");
    set_permissions(&counter, Permissions::from_mode(0o0)).unwrap();

    let find_as_nobody = || {
        let (root, counter) = (sysfs.path().to_path_buf(), counter.clone());
        let nobody = move || {
            if Uid::effective().is_root() {
                // This thread's alone.
                setfsuid(Uid::from_raw(65_534));
            }
            let readable = File::open(counter).is_ok();
            let found = rapl::find(&root).map(|mut found| found[0].read().unwrap());
            (readable, found)
        };
        std::thread::spawn(nobody).join().unwrap()
    };
    let (readable, found) = find_as_nobody();
    assert!(!readable, "the test could not give up root's rights");
    let error = found.unwrap_err().to_string();
    assert!(!error.contains('\n'));
    let command = error.split('`').nth(1).expect("it names a command");
    assert_eq!(command, "sudo chmod a+r /sys/class/powercap/intel-rapl:*/*_uj");

    // The command does what it is said to.
    let here =
        command.replace("sudo ", "").replace("/sys/", &format!("{}/", sysfs.path().display()));
    assert!(Command::new("sh").args(["-c", &here]).status().unwrap().success());
    assert_eq!(find_as_nobody(), (true, Ok(vec![5e-6])));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// "A field named mJ held joules." Held against watt-hours, which no source has.
    #[test]
    fn a_field_named_millijoules_held_joules(megajoules in 1u32..1_000_000) {
        let watt_hours = f64::from(megajoules) * WATT_HOURS_IN_A_MEGAJOULE;
        let zeros = |count| format!("{megajoules}{}", "0".repeat(count));
        let close = |joules: f64| (joules / 3600.0 / watt_hours - 1.0).abs() < 1e-12;

        // 1 MJ is a thousand million mJ and a million million uJ.
        let millijoules = zeros(9);
        let card = but(RTX_3080, &[("energy", &millijoules)]);
        let driver = Driver::with(&[&card]);
        prop_assert!(close(driver.find(NVIDIA).unwrap().sources[0].read().unwrap()[0]));

        let (_sysfs, mut arc) = hwmon_card(&[("name", "i915"), ("energy1_input", &zeros(12))]);
        prop_assert!(close(arc.read().unwrap()[0]));

        let sysfs = Sysfs::with(&[]);
        zone(&sysfs, "intel-rapl:0", "package-0", &zeros(12));
        sysfs.put(&[("class/powercap/intel-rapl:0/max_energy_range_uj", &zeros(13))]);
        let mut package = processor(&sysfs).remove(0);
        prop_assert!(close(package.read().unwrap()[0]));
        match package.describe().quantity {
            Quantity::Counter { ranges, .. } => prop_assert!(close(ranges[0].unwrap().0 / 10.0)),
            power => panic!("{power:?}"),
        }
    }
}
