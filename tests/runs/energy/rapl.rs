//! The processor's counters as the kernel shows them.

use crate::energy::fake::sysfs::{Sysfs, put};
use rigbench::energy::source::rapl;
use rigbench::energy::{Basis, EnergySource, MeterKind, Quantity, Scope, SourceInfo};
use rigbench::units::{Seconds, Watts};
use std::os::unix::fs::symlink;
use std::sync::mpsc::sync_channel;
use std::thread;

const SERVER: &[(&str, &str)] = &[
    ("class/powercap/intel-rapl:0/name", "package-0"),
    ("class/powercap/intel-rapl:0/energy_uj", "1000000"),
    ("class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850"),
    ("class/powercap/intel-rapl:0/constraint_0_max_power_uw", "150000000"),
    ("class/powercap/intel-rapl:0:0/name", "dram"),
    ("class/powercap/intel-rapl:0:0/energy_uj", "300000"),
    ("class/powercap/intel-rapl:0:0/max_energy_range_uj", "65712999613"),
    ("class/powercap/intel-rapl:1/name", "package-1"),
    ("class/powercap/intel-rapl:1/energy_uj", "2500000"),
    ("class/powercap/intel-rapl:1/max_energy_range_uj", "262143328850"),
    ("class/powercap/intel-rapl:1/constraint_0_max_power_uw", "150000000"),
    ("class/powercap/intel-rapl:1:0/name", "dram"),
    ("class/powercap/intel-rapl:1:0/energy_uj", "400000"),
    ("class/powercap/intel-rapl:1:0/max_energy_range_uj", "65712999613"),
];

fn found(sysfs: &Sysfs) -> Vec<Box<dyn EnergySource>> {
    rapl::find(sysfs.path()).unwrap()
}

fn ranges(info: &SourceInfo) -> Vec<f64> {
    match &info.quantity {
        Quantity::Counter { ranges, .. } => ranges.iter().map(|range| range.unwrap().0).collect(),
        power => panic!("{power:?}"),
    }
}

#[test]
fn packages_are_the_domains_of_one_counter_and_their_memory_those_of_another() {
    let sysfs = Sysfs::with(SERVER);
    let mut sources = found(&sysfs);
    assert_eq!(sources.len(), 2);

    let packages = sources[0].describe();
    assert_eq!(
        (packages.kind, packages.model.as_str()),
        (MeterKind::Rapl, "package-0 + package-1")
    );
    assert_eq!(packages.scope, Scope::CpuPackage);
    assert_eq!(ranges(&packages), [262_143.328_85, 262_143.328_85]);
    assert_eq!(packages.ceiling, Watts(600.0));
    assert_eq!(packages.update_period, Some(Seconds(0.001)));
    assert_eq!(packages.poll, Seconds(0.02));
    assert_eq!(packages.accuracy.basis, Basis::Assumed);
    assert_eq!(sources[0].read().unwrap(), [1.0, 2.5]);

    let memory = sources[1].describe();
    assert_eq!(memory.scope, Scope::Dram);
    assert_eq!(ranges(&memory), [65_712.999_613; 2]);
    assert_eq!(memory.ceiling, Watts(2000.0), "it tells no limit");
    assert_eq!(sources[1].read().unwrap(), [0.3, 0.4]);
}

#[test]
fn memory_that_is_not_counted_is_no_source() {
    let sysfs = Sysfs::with(SERVER);
    sysfs.put(&[
        ("class/powercap/intel-rapl:0:0/energy_uj", "0"),
        ("class/powercap/intel-rapl:1:0/energy_uj", "0"),
    ]);
    let scopes: Vec<Scope> = found(&sysfs).iter().map(|source| source.describe().scope).collect();
    assert_eq!(scopes, [Scope::CpuPackage]);
}

#[test]
fn a_small_range_is_read_often_enough_to_see_every_wrap() {
    let sysfs = Sysfs::with(SERVER);
    sysfs.put(&[("class/powercap/intel-rapl:1/max_energy_range_uj", "4000000")]);
    let info = found(&sysfs)[0].describe();
    assert!(info.poll.0 > 0.0);
    assert!((info.ceiling * info.poll).0 <= 4.0 / 4.0 + 1e-9, "{info:?}");
}

#[test]
fn a_burst_above_the_long_term_limit_of_a_laptop_is_below_the_ceiling() {
    let sysfs = Sysfs::with(SERVER);
    sysfs.put(&[
        ("class/powercap/intel-rapl:0/constraint_0_max_power_uw", "15000000"),
        ("class/powercap/intel-rapl:0/constraint_1_power_limit_uw", "64000000"),
        ("class/powercap/intel-rapl:1/constraint_0_max_power_uw", "0"),
        ("class/powercap/intel-rapl:1/constraint_1_power_limit_uw", "4095999999"),
    ]);
    // The other board says that it has no limit.
    assert_eq!(found(&sysfs)[0].describe().ceiling, Watts(128.0 + 1000.0));
}

/// A thread is the processor: it moves on as soon as it was read, so that no machine is too slow for this.
#[test]
fn a_counter_that_wraps_every_few_readings_adds_up() {
    const RANGE_UJ: u64 = 2_000_000;
    let sysfs = Sysfs::with(SERVER);
    let zone = |package: u64| sysfs.path().join(format!("class/powercap/intel-rapl:{package}"));
    for package in 0..2 {
        put(&zone(package).join("max_energy_range_uj"), &RANGE_UJ.to_string());
        put(&zone(package).join("energy_uj"), "1000000");
    }
    let mut source = found(&sysfs).remove(0);
    let ranges = ranges(&source.describe());
    let mut before = source.read().unwrap();

    let (moved, written) = sync_channel(0);
    let files = [0, 1].map(|package| zone(package).join("energy_uj"));
    let processor = thread::spawn(move || {
        let mut counts = [1_000_000; 2];
        for step in 0..200 {
            counts[0] += 700_000 + step * 13;
            counts[1] += 300_001;
            for (file, count) in files.iter().zip(counts) {
                put(file, &(count % RANGE_UJ).to_string());
            }
            moved.send(counts).unwrap();
        }
    });
    let (mut drawn, mut wraps) = ([0.0; 2], 0);
    let mut last = [0; 2];
    for counts in written {
        let now = source.read().unwrap();
        // The next step comes only after this was read, but may come before it is looked at.
        for domain in 0..2 {
            let step = now[domain] - before[domain];
            wraps += u32::from(step < 0.0);
            drawn[domain] += step.rem_euclid(ranges[domain]);
        }
        (before, last) = (now, counts);
    }
    processor.join().unwrap();
    let expected = last.map(|count| count as f64 / 1e6 - 1.0);
    for domain in 0..2 {
        assert!((drawn[domain] - expected[domain]).abs() < 1e-3, "{drawn:?} {expected:?}");
    }
    assert!(wraps > 50, "{wraps}");
}

#[test]
fn a_processor_that_counts_on_while_it_is_read_gives_no_torn_reading() {
    let sysfs = Sysfs::with(SERVER);
    let mut source = found(&sysfs).remove(0);
    let file = sysfs.path().join("class/powercap/intel-rapl:0/energy_uj");
    let processor = thread::spawn(move || {
        for count in 1..=2000u64 {
            put(&file, &(1_000_000 + count * 1_000_000).to_string());
        }
    });
    let mut last = 0.0;
    while !processor.is_finished() {
        let now = source.read().unwrap()[0];
        assert!(now >= last && now.fract() == 0.0 && now <= 2001.0, "{now} after {last}");
        last = now;
    }
    processor.join().unwrap();
    assert_eq!(source.read().unwrap()[0], 2001.0);
}

#[test]
fn a_counter_beyond_its_own_end_or_without_a_number_is_an_error() {
    let sysfs = Sysfs::with(SERVER);
    let mut source = found(&sysfs).remove(0);
    for garbage in ["262143328851", "", "-1", "nan", "99999999999999999999999"] {
        sysfs.put(&[("class/powercap/intel-rapl:0/energy_uj", garbage)]);
        let error = source.read().unwrap_err().to_string();
        assert!(error.contains("use another energy source"), "{error}");
    }
}

/// The links that the kernel makes, and nothing behind them: Docker and Podman mount an empty folder there.
#[test]
fn a_masked_counter_is_told_from_one_that_is_not_there() {
    let sysfs = Sysfs::with(&[]);
    let powercap = sysfs.path().join("class/powercap");
    std::fs::create_dir_all(&powercap).unwrap();
    for zone in ["intel-rapl", "intel-rapl/intel-rapl:0", "intel-rapl-mmio"] {
        let target = format!("../../devices/virtual/powercap/{zone}");
        symlink(target, powercap.join(zone.rsplit('/').next().unwrap())).unwrap();
    }
    let error = rapl::find(sysfs.path()).err().expect("all of it is masked").to_string();
    assert!(error.contains("masked") && !error.contains("modprobe"), "{error}");
    assert!(error.contains("-v /sys/class/powercap/intel-rapl:/sys/class/powercap:ro"), "{error}");
    assert!(error.contains("--security-opt systempaths=unconfined"), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

/// What a container sees after each of the two ways to give it the counters.
#[test]
fn counters_that_were_mounted_into_a_container_are_read() {
    for folder in ["class/powercap", "class/powercap/intel-rapl"] {
        let sysfs = Sysfs::with(&[]);
        let zone = format!("{folder}/intel-rapl:0");
        for (file, text) in [
            ("name", "package-0"),
            ("energy_uj", "1000000"),
            ("intel-rapl:0:0/name", "core"),
            ("intel-rapl:0:0/energy_uj", "5"),
            ("intel-rapl:0:1/name", "dram"),
            ("intel-rapl:0:1/energy_uj", "300000"),
        ] {
            sysfs.put(&[(&format!("{zone}/{file}"), text)]);
        }
        let read: Vec<_> = found(&sysfs).iter_mut().map(|source| source.read().unwrap()).collect();
        assert_eq!(read, [[1.0], [0.3]], "{folder}");
    }
}

#[test]
fn the_memory_mapped_interface_is_read_where_it_is_the_only_one() {
    let mmio: &[(&str, &str)] = &[
        ("class/powercap/intel-rapl-mmio:0/name", "package-0"),
        ("class/powercap/intel-rapl-mmio:0/energy_uj", "7000000"),
        ("class/powercap/intel-rapl-mmio:0/max_energy_range_uj", "262143328850"),
    ];
    let sysfs = Sysfs::with(mmio);
    let mut sources = found(&sysfs);
    assert_eq!(sources.len(), 1);
    assert_eq!(sources[0].describe().model, "package-0 (MMIO)");
    assert_eq!(sources[0].read().unwrap(), [7.0]);

    sysfs.put(SERVER);
    let packages = &mut found(&sysfs)[0];
    assert_eq!(packages.describe().model, "package-0 + package-1");
    assert_eq!(packages.read().unwrap(), [1.0, 2.5], "the same package is not counted twice");
}

#[test]
fn registers_without_content_are_no_joules() {
    let sysfs = Sysfs::with(SERVER);
    let mut source = found(&sysfs).remove(0);
    for ones in ["65535", "4294967295"] {
        sysfs.put(&[("class/powercap/intel-rapl:0/energy_uj", ones)]);
        let error = source.read().unwrap_err().to_string();
        assert!(error.contains("cannot be true"), "{ones}: {error}");
    }
    // Of 64 bits it is beyond the counter's end too.
    sysfs.put(&[("class/powercap/intel-rapl:0/energy_uj", "18446744073709551615")]);
    assert!(source.read().is_err());
}

#[test]
fn a_virtual_machine_without_counters_says_so() {
    let error = |files| {
        let sysfs = Sysfs::with(files);
        rapl::find(sysfs.path()).err().expect("there is no package").to_string()
    };
    let only_psys: &[(&str, &str)] = &[
        ("class/powercap/intel-rapl:0/name", "psys"),
        ("class/powercap/intel-rapl:0/energy_uj", "5"),
    ];
    for files in [&[("class/powercap/intel-rapl/enabled", "1")][..], &[], only_psys] {
        let error = error(files);
        assert!(error.contains("most virtual machines have none"), "{error}");
    }
}
