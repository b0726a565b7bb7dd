//! A figure that covers a card counts for that card, and one of the processor for what runs on the processor.

use crate::energy::fake::sysfs::Sysfs;
use crate::support;
use rigbench::device::{Class, Device, DeviceId, Gpu, Limits};
use rigbench::energy::{EnergyError, PowerSpec, Stated, open};
use rigbench::units::{Bytes, Watts};

fn gpu(number: u32, class: Class) -> Device {
    Device {
        id: DeviceId::Gpu(number),
        name: "made up".into(),
        class,
        features: vec![],
        threads: None,
        gpu: Some(Gpu {
            backend: "vulkan".into(),
            other_backends: vec![],
            driver: "made up".into(),
            vendor: 0x10de,
            device: 1,
            pci: Some(format!("0000:0{}:00.0", number + 1)),
            subgroup_min: 32,
            subgroup_max: 32,
            timestamps: false,
            limits: Limits {
                storage_binding: Bytes(1 << 30),
                buffer: Bytes(1 << 30),
                workgroup_memory: Bytes(1 << 15),
                workgroup_invocations: 1024,
                workgroups: 65_535,
            },
        }),
    }
}

/// Two cards, an integrated GPU, a software adapter and the processor.
fn everything() -> Vec<Device> {
    vec![
        gpu(0, Class::DiscreteGpu),
        gpu(1, Class::VirtualGpu),
        gpu(2, Class::IntegratedGpu),
        gpu(3, Class::SoftwareGpu),
        Device::cpu(),
    ]
}

fn one_card() -> Vec<Device> {
    vec![gpu(0, Class::DiscreteGpu), gpu(3, Class::SoftwareGpu), Device::cpu()]
}

/// The devices that a command's watts count for.
fn read(spec: &str, devices: &[Device]) -> Result<Vec<String>, EnergyError> {
    let specs = [spec.parse::<PowerSpec>().unwrap()];
    let placed = open(&specs, devices)?;
    assert_eq!(placed.len(), 1);
    Ok(placed[0].devices.iter().map(DeviceId::to_string).collect())
}

/// The devices that declared watts count for.
fn declared(spec: &str, devices: &[Device]) -> Result<Vec<String>, EnergyError> {
    let specs = [spec.parse::<PowerSpec>().unwrap()];
    open(&specs, devices)?;
    let covered = devices.iter().filter(|device| match specs[0].stated(device, "gemm").unwrap() {
        Ok((Stated::Declared { power, .. }, false)) => power == Watts(25.0),
        Ok(other) => panic!("{other:?}"),
        Err(why) => {
            assert!(why.to_string().contains(&format!("not of {}", device.id)), "{why}");
            false
        }
    });
    Ok(covered.map(|device| device.id.to_string()).collect())
}

fn both(target: &str, devices: &[Device]) -> Result<Vec<String>, EnergyError> {
    let read = read(&format!("command@{target}:echo 25"), devices);
    assert_eq!(read.is_ok(), declared(&format!("declared:25@{target}"), devices).is_ok());
    if let Ok(devices_read) = &read {
        assert_eq!(declared(&format!("declared:25@{target}"), devices).as_ref(), Ok(devices_read));
    }
    read
}

#[test]
fn watts_of_a_card_never_reach_the_processor_and_the_other_way_round() {
    for (target, covered) in [
        ("gpu-board", &["gpu:0"][..]),
        ("gpu-board@gpu:0", &["gpu:0"]),
        ("gpu-board@gpu:pci-0000:01:00.0", &["gpu:0"]),
        ("cpu-package", &["gpu:3", "cpu"]),
        ("cpu-package@cpu", &["cpu"]),
        ("dram", &["gpu:3", "cpu"]),
        ("machine", &["gpu:0", "gpu:3", "cpu"]),
        ("wall", &["gpu:0", "gpu:3", "cpu"]),
        // A card in a case with a plug of its own.
        ("wall@gpu:0", &["gpu:0"]),
    ] {
        assert_eq!(both(target, &one_card()).unwrap(), covered, "{target}");
    }
    // An integrated GPU is part of the processor's package.
    let package = both("cpu-package", &everything()).unwrap();
    assert_eq!(package, ["gpu:2", "gpu:3", "cpu"]);
}

#[test]
fn of_several_cards_one_must_be_named() {
    for (spec, spelling) in [
        ("command@gpu-board:echo 25", "command@gpu-board@gpu:0:CMD"),
        ("declared:25@gpu-board", "declared:WATTS@gpu-board@gpu:0"),
    ] {
        let specs = [spec.parse::<PowerSpec>().unwrap()];
        let error = open(&specs, &everything()).err().expect("two cards are there").to_string();
        assert!(error.contains("gpu:0, gpu:1") && error.contains(spelling), "{error}");
        assert!(!error.contains("echo") && !error.contains('\n'), "{error}");
    }
    assert_eq!(both("gpu-board@gpu:1", &everything()).unwrap(), ["gpu:1"]);
}

#[test]
fn a_scope_that_no_chosen_device_has_is_refused() {
    let cpu = [Device::cpu()];
    for target in ["gpu-board", "gpu-board@gpu:0", "gpu-board@cpu", "wall@gpu:7"] {
        let error = both(target, &cpu).unwrap_err().to_string();
        assert!(error.contains(&format!("no chosen device has the energy of {target}")), "{error}");
    }
    let card = [gpu(0, Class::DiscreteGpu)];
    for target in ["cpu-package", "dram", "cpu-package@gpu:0"] {
        assert!(both(target, &card).is_err(), "{target}");
    }
}

#[test]
fn a_run_with_such_a_scope_ends_in_one_line() {
    let nothing = Sysfs::with(&[]);
    for spec in ["command@gpu-board:echo 25", "declared:25@gpu-board"] {
        let output = support::rigbench(&["run", "--quick", "--device", "cpu", "--power", spec])
            .env("RIGBENCH_SYSFS", nothing.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("no chosen device has the energy of gpu-board"), "{said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
    }
}
