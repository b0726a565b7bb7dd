//! `--power` specs. A figure that covers a card counts for that card, and one of the processor for what runs on the processor.

use crate::energy::fake::sysfs::Sysfs;
use crate::support;
use rigbench::device::{Class, Device, DeviceId, Gpu, Limits};
use rigbench::energy::{EnergyError, Metered, PowerSpec, Scope, Stated, open};
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

fn parsed(spec: &str) -> PowerSpec {
    spec.parse().unwrap()
}

#[test]
fn specs_parse_as_documented() {
    assert!(parsed("none") == PowerSpec::None);
    assert!(parsed("model") == PowerSpec::Model(None));
    let bounds = Some((Watts(60.0), Watts(280.0)));
    assert!(parsed("model:idle=60,max=280") == PowerSpec::Model(bounds));
    let all = vec![(None, Watts(240.0))];
    let declared = |scope, device| PowerSpec::Declared {
        watts: all.clone(),
        metered: Metered { scope, device },
    };
    assert!(parsed("declared:240") == declared(Scope::Wall, None));
    assert!(parsed("declared:240@gpu-board") == declared(Scope::GpuBoard, None));
    let second = Some(DeviceId::Gpu(1));
    assert!(parsed("declared:240@gpu-board@gpu:1") == declared(Scope::GpuBoard, second));
    let named = parsed("declared:sha256d=240,gemm=300");
    assert_eq!(named.workloads().collect::<Vec<_>>(), ["sha256d", "gemm"]);
    let gemm = Stated::Declared { power: Watts(300.0), scope: Scope::Wall };
    assert_eq!(named.stated(&Device::cpu(), "gemm").unwrap(), Ok((gemm, true)));
    let one = Stated::Declared { power: Watts(240.0), scope: Scope::Wall };
    let unnamed = parsed("declared:240").stated(&Device::cpu(), "gemm");
    assert_eq!(unnamed.unwrap(), Ok((one, false)));
    assert!(named.stated(&Device::cpu(), "decode").unwrap().is_err());
    assert!(parsed("shelly:http://192.168.1.20").stated(&Device::cpu(), "gemm").is_none());
    let command = |line: &str, scope, device| PowerSpec::Command {
        line: line.into(),
        metered: Metered { scope, device },
    };
    assert!(parsed("command:true") == command("true", Scope::Wall, None));
    assert!(
        parsed("command@machine:echo 'a:b'@x") == command("echo 'a:b'@x", Scope::Machine, None)
    );
}

#[test]
fn device_is_separated_from_command() {
    for (spec, device) in [
        ("command@gpu-board@gpu:1:cat a:b@c", DeviceId::Gpu(1)),
        ("command@gpu-board@gpu:pci-0000:01:00.0:cat a:b@c", DeviceId::Pci("0000:01:00.0".into())),
        ("command@gpu-board@cpu:cat a:b@c", DeviceId::Cpu),
    ] {
        let metered = Metered { scope: Scope::GpuBoard, device: Some(device) };
        assert!(parsed(spec) == PowerSpec::Command { line: "cat a:b@c".into(), metered }, "{spec}");
    }
}

#[test]
fn errors_are_one_line_without_secrets() {
    let invalid = "declared|declared:|declared:-5|declared:0|declared:nan|declared:inf|declared:many|\
        declared:240@moon|declared:240,300|model:280|model:idle=300,max=20|model:max=280,idle=60|nvml2||none:5|\
        nvml:0|nvml@wall|command:|command@moon:echo secret|command@gpu-board@moon:echo secret|\
        command@gpu-board@gpu:1|command@gpu-board@gpu:1:|command@gpu-board@|command@|declared:240@gpu-board@|\
        declared:240@gpu-board@gpu|declared:240@gpu-board@gpu:1:5|declared@gpu-board:240|shelly|shelly:secret|\
        tasmota:http://|shellyy:http://user:secret@host";
    for spec in invalid.split('|') {
        let Err(error) = spec.parse::<PowerSpec>() else { panic!("{spec} is taken") };
        let line = error.to_string();
        assert!(!line.contains('\n') && line.len() > 20, "{spec}: {line}");
        assert!(!line.contains("secret"), "{line}");
    }
}
