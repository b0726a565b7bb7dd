//! Graphics cards on the PCI bus, from Linux's sysfs: a card without a Vulkan driver is invisible to every graphics API.

use super::Device;
use std::path::Path;

/// A card of a vendor whose GPUs this program can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Address, as `0000:01:00.0`.
    pub address: String,
    /// Its vendor.
    pub vendor: Vendor,
}

/// A vendor of GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::FromRepr)]
#[repr(u32)]
pub enum Vendor {
    /// AMD.
    #[strum(serialize = "AMD")]
    Amd = 0x1002,
    /// NVIDIA.
    #[strum(serialize = "NVIDIA")]
    Nvidia = 0x10de,
    /// Intel.
    Intel = 0x8086,
}

/// The graphics cards below `root`, which is `/` except in tests, in order of their addresses.
pub fn cards(root: &Path) -> Vec<Card> {
    let Ok(entries) = std::fs::read_dir(root.join("sys/bus/pci/devices")) else {
        return Vec::new();
    };
    let card = |folder: &Path| {
        let number = |file: &str| {
            let text = std::fs::read_to_string(folder.join(file)).ok()?;
            u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
        };
        // Base class 3: display controllers, among them those without an output.
        let is_display = number("class")? >> 16 == 3;
        let vendor = Vendor::from_repr(number("vendor")?).filter(|_| is_display)?;
        Some(Card { address: folder.file_name()?.to_str()?.to_lowercase(), vendor })
    };
    let mut cards: Vec<Card> = entries.flatten().filter_map(|entry| card(&entry.path())).collect();
    cards.sort_by(|a, b| a.address.cmp(&b.address));
    cards
}

/// The cards that no adapter is. An adapter without an address counts for every card of its vendor.
pub fn without_driver(cards: Vec<Card>, adapters: &[Device]) -> Vec<Card> {
    let is = |card: &Card, adapter: &Device| {
        adapter.gpu.as_ref().is_some_and(|gpu| match &gpu.pci {
            Some(address) => *address == card.address,
            None => gpu.vendor == card.vendor as u32,
        })
    };
    cards.into_iter().filter(|card| !adapters.iter().any(|adapter| is(card, adapter))).collect()
}

/// What to do for a card without a Vulkan driver, in one line.
pub fn missing_driver(card: &Card, root: &Path) -> String {
    let Card { address, vendor } = card;
    format!("An {vendor} card is at {address}, its Vulkan driver is not: {}", cure(*vendor, root))
}

fn cure(vendor: Vendor, root: &Path) -> &'static str {
    let release = std::fs::read_to_string(root.join("etc/os-release")).unwrap_or_default();
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_default().trim_matches('"').to_string()
    };
    let names = format!("{} {}", value("ID="), value("ID_LIKE="));
    // The first name is the distribution, the others are those that it derives from.
    let family = names.split_whitespace().find_map(|name| match name {
        "ubuntu" => Some(Family::Ubuntu),
        "debian" => Some(Family::Debian),
        "fedora" | "rhel" => Some(Family::Fedora),
        "arch" => Some(Family::Arch),
        _ => None,
    });
    if matches!(vendor, Vendor::Nvidia) && root.join("proc/driver/nvidia/version").exists() {
        return "its kernel driver is loaded; in a container, start that with NVIDIA_DRIVER_CAPABILITIES=all and install \
                the Vulkan loader (libvulkan1)";
    }
    match (vendor, family) {
        (Vendor::Nvidia, Some(Family::Ubuntu)) => "sudo ubuntu-drivers install, then reboot",
        (Vendor::Nvidia, Some(Family::Debian)) => {
            "enable non-free in apt's sources, then sudo apt-get install nvidia-driver libvulkan1, then reboot"
        }
        (Vendor::Nvidia, Some(Family::Fedora)) => {
            "enable RPM Fusion, then sudo dnf install akmod-nvidia vulkan-loader, then reboot"
        }
        (Vendor::Nvidia, Some(Family::Arch)) => {
            "sudo pacman -S nvidia-open vulkan-icd-loader, then reboot"
        }
        (Vendor::Nvidia, None) => "install NVIDIA's driver and the Vulkan loader",
        (_, Some(Family::Ubuntu | Family::Debian)) => {
            "sudo apt-get install mesa-vulkan-drivers; your user must be in the group render"
        }
        (_, Some(Family::Fedora)) => {
            "sudo dnf install mesa-vulkan-drivers vulkan-loader; your user must be in the group render"
        }
        (Vendor::Amd, Some(Family::Arch)) => "sudo pacman -S vulkan-radeon vulkan-icd-loader",
        (Vendor::Intel, Some(Family::Arch)) => "sudo pacman -S vulkan-intel vulkan-icd-loader",
        (_, None) => "install Mesa's Vulkan drivers and the Vulkan loader",
    }
}

/// Distributions with the same packages.
#[derive(Clone, Copy)]
enum Family {
    Ubuntu,
    Debian,
    Fedora,
    Arch,
}
