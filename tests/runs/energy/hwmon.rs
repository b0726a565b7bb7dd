//! AMD and Intel cards as the kernel's sensors show them.

use crate::energy::fake::sysfs::{Sysfs, put};
use rigbench::energy::source::{CardSensors, hwmon};
use rigbench::energy::{Basis, BoardState, MeterKind, Quantity, Scope};
use rigbench::units::{Seconds, Watts};
use std::sync::mpsc::sync_channel;

const PCI: &str = "0000:03:00.0";
const CARD: &str = "bus/pci/devices/0000:03:00.0/hwmon/hwmon4";

/// A card of these files.
fn card(files: &[(&str, &str)]) -> Sysfs {
    let sysfs = Sysfs::with(&[]);
    change(&sysfs, files);
    sysfs
}

fn change(sysfs: &Sysfs, files: &[(&str, &str)]) {
    for (file, text) in files {
        sysfs.put(&[(&format!("{CARD}/{file}"), text)]);
    }
}

fn find(sysfs: &Sysfs) -> CardSensors {
    hwmon::find(sysfs.path(), PCI).unwrap()
}

const RX_6800: &[(&str, &str)] = &[
    ("name", "amdgpu"),
    ("power1_average", "203000000"),
    ("power1_cap", "230000000"),
    ("power1_cap_max", "264000000"),
    ("in0_label", "vddgfx"),
    ("temp1_input", "67000"),
    ("freq1_input", "2250000000"),
    ("freq2_input", "1000000000"),
];

const ARC: &[(&str, &str)] = &[
    ("name", "i915"),
    ("energy1_input", "710520000000"),
    ("power1_max", "190000000"),
    ("power1_rated_max", "225000000"),
];

#[test]
fn an_amd_card_gives_its_average_power_and_its_state() {
    let sysfs = card(RX_6800);
    let CardSensors { mut sources, mut board, .. } = find(&sysfs);
    assert_eq!(sources.len(), 1);
    let info = sources[0].describe();
    assert_eq!((info.kind, info.model.as_str(), info.driver), (MeterKind::Hwmon, "amdgpu", None));
    assert_eq!(info.scope, Scope::GpuBoard);
    assert_eq!(info.quantity, Quantity::Power { averaging: Seconds(1.0) });
    assert_eq!(info.ceiling, Watts(528.0));
    assert_eq!((info.accuracy.share, info.accuracy.basis), (0.05, Basis::Assumed));
    assert!(info.poll.0 >= 0.02 && info.poll.0 <= 1.0);
    assert_eq!(sources[0].read().unwrap(), [203.0]);
    assert_eq!(
        board.state(),
        BoardState {
            celsius: Some(67.0),
            core_hertz: Some(2.25e9),
            memory_hertz: Some(1e9),
            power_limit: Some(Watts(230.0)),
            throttle: None,
        }
    );
}

#[test]
fn an_amd_card_without_an_average_gives_the_power_of_the_moment() {
    let sysfs = card(&[("name", "amdgpu"), ("power1_input", "31500000")]);
    let mut source = find(&sysfs).sources.remove(0);
    assert_eq!(source.describe().quantity, Quantity::Power { averaging: Seconds(0.0) });
    assert_eq!(source.describe().ceiling, Watts(2000.0));
    assert_eq!(source.read().unwrap(), [31.5]);
}

#[test]
fn a_processor_with_graphics_reads_all_of_the_processor() {
    let sysfs = card(&[("name", "amdgpu"), ("power1_average", "28000000"), ("in1_label", "vddnb")]);
    assert_eq!(find(&sysfs).sources[0].describe().scope, Scope::CpuPackage);
}

#[test]
fn a_driver_of_its_own_version_tells_it() {
    let sysfs = card(RX_6800);
    sysfs.put(&[("module/amdgpu/version", "6.10.5")]);
    assert_eq!(find(&sysfs).sources[0].describe().driver.as_deref(), Some("amdgpu 6.10.5"));
}

#[test]
fn an_amd_card_is_followed_as_its_load_changes() {
    let sysfs = card(RX_6800);
    let mut source = find(&sysfs).sources.remove(0);
    let file = sysfs.path().join(CARD).join("power1_average");
    let (moved, written) = sync_channel(0);
    let card = std::thread::spawn(move || {
        for watts in (20..220).step_by(10) {
            put(&file, &format!("{watts}000000"));
            // Twice: the next step waits until this one was read.
            moved.send(watts).unwrap();
            moved.send(watts).unwrap();
        }
    });
    while let Ok(watts) = written.recv() {
        assert_eq!(source.read().unwrap(), [f64::from(watts)]);
        written.recv().unwrap();
    }
    card.join().unwrap();
}

#[test]
fn an_intel_card_gives_its_counter_in_joules() {
    let sysfs = card(ARC);
    let CardSensors { mut sources, mut board, .. } = find(&sysfs);
    let info = sources[0].describe();
    assert_eq!(info.model, "i915");
    assert_eq!(info.scope, Scope::GpuBoard);
    assert_eq!(info.ceiling, Watts(450.0));
    assert_eq!(sources[0].read().unwrap(), [710_520.0], "a sum of 64 bits, beyond any 32");
    assert_eq!(board.state().power_limit, Some(Watts(190.0)));
}

#[test]
fn a_channel_that_stands_at_nought_gives_way_to_the_one_that_counts() {
    let sysfs = card(&[
        ("name", "xe"),
        ("energy1_input", "0"),
        ("energy1_label", "card"),
        ("energy2_input", "977130000"),
        ("energy2_label", "pkg"),
    ]);
    let mut source = find(&sysfs).sources.remove(0);
    assert_eq!(source.describe().model, "xe pkg");
    assert!(source.describe().accuracy.reference.contains("processor alone"));
    assert_eq!(source.read().unwrap(), [977.13]);
}

#[test]
fn an_intel_register_of_32_bits_is_read_before_it_wraps_unseen() {
    let info = find(&card(ARC)).sources[0].describe();
    // The register counts in 2^-14 J, and the driver undoes its wraps only if it is read in time.
    let register = 2f64.powi(32 - 14);
    assert!((info.ceiling * info.poll).0 < register / 4.0);
}

#[test]
fn folders_of_tiles_and_other_drivers_are_left_alone() {
    let sysfs = card(ARC);
    sysfs.put(&[
        ("bus/pci/devices/0000:03:00.0/hwmon/hwmon1/name", "i915_gt0"),
        ("bus/pci/devices/0000:03:00.0/hwmon/hwmon1/energy1_input", "5"),
        ("bus/pci/devices/0000:03:00.0/hwmon/hwmon2/name", "nouveau"),
        ("bus/pci/devices/0000:03:00.0/hwmon/hwmon2/power1_input", "5"),
    ]);
    let mut sources = find(&sysfs).sources;
    assert_eq!(sources.len(), 1);
    assert_eq!(sources[0].read().unwrap(), [710_520.0]);
}

#[test]
fn a_card_is_found_by_its_address_alone() {
    let sysfs = card(RX_6800);
    assert_eq!(hwmon::find(sysfs.path(), "00000000:03:00.0").unwrap().sources.len(), 1);
    for other in ["0000:04:00.0", "../../etc", ""] {
        let error = hwmon::find(sysfs.path(), other).err().expect("no such card").to_string();
        assert!(!error.contains("04:00") && !error.contains(".."), "{error}");
    }
}

#[test]
fn a_card_that_sleeps_or_goes_gives_an_error_without_a_path() {
    let sysfs = card(RX_6800);
    let mut found = find(&sysfs);
    std::fs::remove_dir_all(sysfs.path().join(CARD)).unwrap();
    let error = found.sources[0].read().unwrap_err().to_string();
    assert!(error.contains("gives nothing") && !error.contains("hwmon4"), "{error}");
    assert_eq!(found.board.state(), BoardState::default());
}

#[test]
fn a_card_without_energy_or_power_has_no_sources_and_still_a_state() {
    let sysfs = card(&[("name", "amdgpu"), ("temp1_input", "40000")]);
    let mut found = find(&sysfs);
    assert!(found.sources.is_empty());
    assert_eq!(found.board.state().celsius, Some(40.0));
}

#[test]
fn a_card_whose_folder_a_container_hides_is_told_from_one_without_sensors() {
    let sysfs = Sysfs::with(&[]);
    let devices = sysfs.path().join("bus/pci/devices");
    std::fs::create_dir_all(&devices).unwrap();
    std::os::unix::fs::symlink("../../../devices/pci0000:00/x", devices.join(PCI)).unwrap();
    let error = hwmon::find(sysfs.path(), PCI).err().expect("nothing is there").to_string();
    assert!(error.contains("container hides") && !error.contains("load the driver"), "{error}");
}

#[test]
fn a_sensor_that_gives_nothing_is_told_from_none() {
    let sysfs = card(&[("name", "amdgpu"), ("power1_average", "no number")]);
    let found = find(&sysfs);
    assert!(found.sources.is_empty());
    let why = found.absence.expect("there is a sensor").to_string();
    assert!(why.contains("has a sensor that gives nothing"), "{why}");
    let none = find(&card(&[("name", "amdgpu")]));
    assert!(none.sources.is_empty() && none.absence.is_none());
}
