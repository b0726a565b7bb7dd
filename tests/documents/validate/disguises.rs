//! Devices and meters under the names of others.

use crate::validate::honest::{RUN, findings, forged, mine, refused, row_of, rows, sign};
use rigbench::device::{Class, Device, DeviceId, Gpu, Limits};
use rigbench::energy::{Scope, SourceInfo};
use rigbench::results::{self, Document, OrNewer, Origin, Source};
use rigbench::units::{Bytes, Seconds, Watts};
use rigbench::workload::Id;

/// lavapipe as it shows itself here, by another name.
fn emulated(name: &str, vendor: u32, driver: &str, subgroups: [u32; 2]) -> Device {
    Device {
        id: DeviceId::Gpu(0),
        name: name.into(),
        class: Class::DiscreteGpu,
        features: vec!["subgroups".into()],
        threads: None,
        gpu: Some(Gpu {
            backend: "vulkan".into(),
            other_backends: Vec::new(),
            driver: driver.into(),
            vendor,
            device: 0,
            pci: None,
            subgroup_min: subgroups[0],
            subgroup_max: subgroups[1],
            timestamps: true,
            limits: Limits {
                storage_binding: Bytes(1 << 27),
                buffer: Bytes(1 << 31),
                workgroup_memory: Bytes(1 << 15),
                workgroup_invocations: 1024,
                workgroups: 65535,
            },
        }),
    }
}

/// All rows are of this device, and hashes were computed for it.
fn on(device: Device) -> Document {
    let mut document = RUN.document.clone();
    let evidence = &mut document.evidence;
    let id = device.id.clone();
    evidence.manifest.devices = vec![OrNewer::Known(device)];
    for source in &mut evidence.manifest.sources {
        source.known_mut().unwrap().devices = vec![id.clone()];
    }
    rows(&mut document).for_each(|row| row.device = id.clone());
    let seed = results::seed(&document.evidence);
    mine(row_of(&mut document, Id::Sha256d), seed, 450);
    sign(&mut document);
    document
}

#[test]
fn another_cards_name_on_a_software_adapter() {
    let (llvmpipe, nvidia) = ("llvmpipe Mesa 25.0.7 (LLVM 19.1.7)", "NVIDIA 580.95.05");
    let rtx = "NVIDIA GeForce RTX 3060";
    let said = |device: Device| {
        let name = format!("device: {} does not have the limits", device.name);
        findings(&on(device)).faults.iter().any(|fault| fault.contains(&name))
    };
    // With lavapipe's numbers, with the right vendor's, with the right driver's name too.
    assert!(said(emulated(rtx, 0x10005, llvmpipe, [8, 8])));
    assert!(said(emulated(rtx, 0x10de, llvmpipe, [32, 32])));
    assert!(said(emulated(rtx, 0x10de, nvidia, [8, 8])));
    assert!(said(emulated(rtx, 0x10005, nvidia, [32, 32])));
    assert!(said(emulated("AMD Radeon RX 6800 (RADV NAVI21)", 0x1002, "radv", [8, 8])));
    assert!(said(emulated("A card of my own", 0x10de, nvidia, [4, 8])));
    assert!(said(emulated("A card of my own", 0x1, llvmpipe, [32, 32])));
    // No-break spaces and Cyrillic letters look like the card's name.
    assert!(said(emulated(&rtx.replace(' ', "\u{a0}"), 0x1, nvidia, [8, 8])));
    assert!(said(emulated(&rtx.replace('e', "\u{435}"), 0x1, nvidia, [8, 8])));
    // What a driver says of a true one.
    assert!(!said(emulated(rtx, 0x10de, nvidia, [32, 32])));
    assert!(!said(emulated("AMD Radeon RX 6800 (RADV NAVI21)", 0x1002, "radv", [32, 64])));
    let software = emulated("llvmpipe (LLVM 19.1.7, 256 bits)", 0x10005, llvmpipe, [8, 8]);
    assert!(!said(Device { class: Class::SoftwareGpu, ..software }));
}

/// The processor's rows under the name of a card, or of another processor that is duplicated.
#[test]
fn a_processor_is_no_graphics_card() {
    let cpu = RUN.document.evidence.manifest.devices().next().unwrap().clone();
    let said = |device: Device, what: &str| {
        let faults = findings(&on(device)).faults;
        assert!(faults.iter().any(|fault| fault.contains(what)), "{what}: {faults:?}");
    };
    let rtx = "NVIDIA GeForce RTX 3060";
    let of_class = |id, class| Device { id, class, name: rtx.into(), ..cpu.clone() };
    said(of_class(DeviceId::Cpu, Class::DiscreteGpu), "cpu does not fit its class, discrete-gpu");
    said(
        of_class(DeviceId::Gpu(0), Class::DiscreteGpu),
        "gpu:0 does not fit its class, discrete-gpu",
    );
    said(of_class(DeviceId::Gpu(0), Class::Cpu), "gpu:0 does not fit its class, cpu");
    // Native code as a card's.
    said(emulated(rtx, 0x10de, "NVIDIA 580.95.05", [32, 32]), "does not run on gpu:0");
    let mut twice = RUN.document.clone();
    twice.evidence.manifest.devices.push(OrNewer::Known(cpu));
    sign(&mut twice);
    let faults = findings(&twice).faults;
    assert!(faults.iter().any(|fault| fault.contains("cpu is duplicated")), "{faults:?}");
}

#[test]
fn meters_that_cannot_be() {
    type Change = (&'static str, fn(&mut SourceInfo));
    let changes: [Change; 5] = [
        (".accuracy.share", |info| info.accuracy.share = -0.5),
        (".update_period_seconds", |info| info.update_period = Some(Seconds(-1.0))),
        (".poll_seconds", |info| info.poll = Seconds(-1.0)),
        (".ceiling_watts", |info| info.ceiling = Watts(-1.0)),
        (": cpu has no gpu-board", |info| info.scope = Scope::GpuBoard),
    ];
    for (fault, change) in changes {
        let forgery = forged(|d| match d.evidence.manifest.sources[0].known_mut() {
            Some(Source { origin: Origin::Meter(info), .. }) => change(info),
            _ => panic!("the first source is a meter"),
        });
        refused(&forgery, &format!("evidence.manifest.sources[0]{fault}"));
    }
}
