//! Cards on the PCI bus whose Vulkan driver is missing, in a folder that looks like a machine's.

use rigbench::device::pci::{Card, Vendor, cards, missing_driver, without_driver};
use rigbench::device::{Class, Device, Gpu};
use std::path::Path;

/// A machine with devices of (address, class, vendor) and this distribution.
fn machine(devices: &[(&str, &str, &str)], release: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (address, class, vendor) in devices {
        let folder = root.path().join("sys/bus/pci/devices").join(address);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("class"), format!("{class}\n")).unwrap();
        std::fs::write(folder.join("vendor"), format!("{vendor}\n")).unwrap();
    }
    std::fs::create_dir_all(root.path().join("etc")).unwrap();
    std::fs::write(root.path().join("etc/os-release"), release).unwrap();
    root
}

fn adapter(class: Class, vendor: u32, pci: Option<&str>) -> Device {
    let gpu = Gpu { vendor, pci: pci.map(str::to_string), ..Gpu::default() };
    Device { class, gpu: Some(gpu), ..Device::cpu() }
}

#[test]
fn cards_are_display_controllers_of_known_vendors() {
    let root = machine(
        &[
            ("0000:41:00.0", "0x030200", "0x10de"),
            ("0000:03:00.0", "0x030000", "0x1002"),
            ("0000:00:02.0", "0x038000", "0x8086"),
            // A network card of Intel's, and displays that are no GPU: QEMU's, a server's, virtio's.
            ("0000:00:1f.6", "0x020000", "0x8086"),
            ("0000:00:01.0", "0x030000", "0x1234"),
            ("0000:02:00.0", "0x030000", "0x1a03"),
            ("0000:05:00.0", "0x038000", "0x1af4"),
        ],
        "",
    );
    let found = cards(root.path());
    let found: Vec<_> = found.iter().map(|card| (card.address.as_str(), card.vendor)).collect();
    let wanted = [
        ("0000:00:02.0", Vendor::Intel),
        ("0000:03:00.0", Vendor::Amd),
        ("0000:41:00.0", Vendor::Nvidia),
    ];
    assert_eq!(found, wanted);
    assert_eq!(cards(Path::new("/nowhere")), []);
}

#[test]
fn a_card_counts_as_driven_by_its_address_or_by_its_vendor() {
    let card = |address: &str, vendor| Card { address: address.into(), vendor };
    let all = vec![card("0000:01:00.0", Vendor::Nvidia), card("0000:02:00.0", Vendor::Nvidia)];
    let left = |adapters: &[Device]| without_driver(all.clone(), adapters).len();
    let emulation = adapter(Class::SoftwareGpu, 0x10005, None);
    assert_eq!(left(&[]), 2);
    assert_eq!(left(std::slice::from_ref(&emulation)), 2);
    let with_address = adapter(Class::DiscreteGpu, 0x10de, Some("0000:02:00.0"));
    assert_eq!(left(&[emulation, with_address]), 1);
    assert_eq!(left(&[adapter(Class::DiscreteGpu, 0x10de, None)]), 0);
}

#[test]
fn the_distributions_own_command_is_named() {
    let nvidia = Card { address: "0000:01:00.0".into(), vendor: Vendor::Nvidia };
    let amd = Card { vendor: Vendor::Amd, ..nvidia.clone() };
    for (release, card, wanted) in [
        ("ID=debian\n", &nvidia, "apt-get install nvidia-driver"),
        (
            "NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
            &nvidia,
            "ubuntu-drivers",
        ),
        ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", &nvidia, "akmod-nvidia"),
        ("ID=arch\n", &amd, "pacman -S vulkan-radeon"),
        ("ID=ubuntu\n", &amd, "apt-get install mesa-vulkan-drivers"),
        ("ID=void\n", &amd, "install Mesa's Vulkan drivers"),
    ] {
        let root = machine(&[], release);
        let line = missing_driver(card, root.path());
        assert!(line.contains(wanted) && line.contains("0000:01:00.0"), "{line}");
    }
    let container = machine(&[], "ID=ubuntu\n");
    let driver = container.path().join("proc/driver/nvidia");
    std::fs::create_dir_all(&driver).unwrap();
    std::fs::write(driver.join("version"), "NVRM version: 580.95.05\n").unwrap();
    assert!(missing_driver(&nvidia, container.path()).contains("NVIDIA_DRIVER_CAPABILITIES=all"));
}
