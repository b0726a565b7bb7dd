//! Finds adapters: one entry per GPU, even if several backends and drivers expose it, in PCI order.

use crate::device::{Class, Device, DeviceId, Gpu, Limits};
use crate::text::plain;
use crate::units::Bytes;
use std::sync::OnceLock;

/// wgpu's environment variable that enables adapters that do not conform to their API.
pub const ALLOW_NONCONFORMANT: &str = "WGPU_ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER";

/// Optional features that kernels use, by the name shown to users.
const FEATURES: &[(&str, wgpu::Features)] = &[
    ("f16", wgpu::Features::SHADER_F16),
    ("subgroups", wgpu::Features::SUBGROUP),
    ("timestamps", wgpu::Features::TIMESTAMP_QUERY),
    ("matrices", wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX),
];

/// The features that a device is opened with, if the adapter has them.
pub(super) fn useful_features() -> wgpu::Features {
    FEATURES.iter().fold(wgpu::Features::empty(), |all, (_, feature)| all | *feature)
}

/// Every GPU of this machine: real ones, then software adapters, each in PCI order.
pub fn enumerate() -> Vec<Device> {
    found().cards.iter().map(|(device, _)| device.clone()).collect()
}

/// The adapter behind a device.
pub(super) fn find(device: &Device) -> Option<&'static wgpu::Adapter> {
    found().cards.iter().find(|(d, _)| d.id == device.id).map(|(_, adapter)| adapter)
}

/// Enumerates adapters once per process: drivers load slowly, and ids must not change.
fn found() -> &'static Found {
    static FOUND: OnceLock<Found> = OnceLock::new();
    FOUND.get_or_init(|| {
        let all = all(is_nonconformant_allowed());
        let shown: Vec<Shown> = all.iter().map(|a| Shown::from(&a.get_info())).collect();
        let mut all: Vec<Option<wgpu::Adapter>> = all.into_iter().map(Some).collect();
        let cards = group_by_gpu(shown.clone())
            .into_iter()
            .enumerate()
            .filter_map(|(number, card)| {
                let adapter = all[card.index].take()?;
                Some((describe(number as u32, &adapter, card.other_backends), adapter))
            })
            .collect();
        Found { cards, shown }
    })
}

/// The adapters found in this process.
struct Found {
    /// One adapter per GPU.
    cards: Vec<(Device, wgpu::Adapter)>,
    /// Every adapter.
    shown: Vec<Shown>,
}

/// Whether the user allows adapters that do not conform to their API.
pub fn is_nonconformant_allowed() -> bool {
    std::env::var_os(ALLOW_NONCONFORMANT).is_some_and(|value| value != "0")
}

/// Every adapter of every backend.
fn all(nonconformant: bool) -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    // No validation layers: they would cost time on every call.
    descriptor.flags = match nonconformant {
        true => wgpu::InstanceFlags::ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER,
        false => wgpu::InstanceFlags::empty(),
    };
    let instance = wgpu::Instance::new(descriptor);
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
}

/// Adapters that [`enumerate`] leaves out because their driver does not conform to its API, each as one line that says how to use it.
/// Loads the drivers a second time.
pub fn hidden() -> Vec<String> {
    if is_nonconformant_allowed() {
        return Vec::new();
    }
    let infos: Vec<_> = all(true).iter().map(wgpu::Adapter::get_info).collect();
    let all: Vec<Shown> = infos.iter().map(Shown::from).collect();
    left_out(&all, found().shown.clone()).into_iter().map(|i| hint(&infos[i])).collect()
}

/// Indices of the adapters in `all` that are not in `shown`. Adapters of the same name without a PCI address are only counted.
fn left_out(all: &[Shown], mut shown: Vec<Shown>) -> Vec<usize> {
    let is_left_out = |i: &usize| match shown.iter().position(|other| *other == all[*i]) {
        Some(at) => {
            shown.swap_remove(at);
            false
        }
        None => true,
    };
    (0..all.len()).filter(is_left_out).collect()
}

fn hint(info: &wgpu::AdapterInfo) -> String {
    let api = info.backend.to_str();
    let driver = Some(format!("{} {}", info.driver, info.driver_info).trim().to_string());
    let driver = driver.filter(|driver| !driver.is_empty()).map(|d| format!(", driver {d}"));
    format!(
        "{} ({api}{}) is left out because its {api} driver is not conformant: outputs may be wrong, which every run \
         verifies. To use it, set {ALLOW_NONCONFORMANT}=1",
        info.name,
        driver.unwrap_or_default(),
    )
}

/// What identifies a GPU.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    backend: &'static str,
    pci: Option<String>,
    name: String,
    ids: (u32, u32),
    software: bool,
}

impl From<&wgpu::AdapterInfo> for Shown {
    fn from(info: &wgpu::AdapterInfo) -> Shown {
        Shown {
            backend: info.backend.to_str(),
            pci: Some(info.device_pci_bus_id.to_lowercase()).filter(|p| !p.is_empty()),
            name: info.name.clone(),
            ids: (info.vendor, info.device),
            software: info.device_type == wgpu::DeviceType::Cpu,
        }
    }
}

/// A GPU, by the adapter that represents it.
struct Card {
    index: usize,
    other_backends: Vec<String>,
}

/// Groups adapters by GPU and sorts the GPUs. PCI addresses decide. Without one, the n-th adapter of a name and id in one backend is
/// taken for the n-th of that name and id in another.
fn group_by_gpu(shown: Vec<Shown>) -> Vec<Card> {
    let rank = |s: &Shown| ["vulkan", "metal", "dx12"].iter().position(|b| *b == s.backend);
    let mut order: Vec<usize> = (0..shown.len()).collect();
    order.sort_by_key(|&i| rank(&shown[i]).unwrap_or(usize::MAX));
    let mut cards: Vec<Card> = Vec::new();
    for i in order {
        let adapter = &shown[i];
        let same = cards.iter_mut().find(|card| {
            let other = &shown[card.index];
            match (&adapter.pci, &other.pci) {
                (Some(a), Some(b)) => a == b,
                _ => {
                    let unseen = other.backend != adapter.backend
                        && !card.other_backends.iter().any(|b| b == adapter.backend);
                    unseen && (&other.name, other.ids) == (&adapter.name, adapter.ids)
                }
            }
        });
        match same {
            Some(card) if shown[card.index].backend == adapter.backend => {} // a second driver
            Some(card) => card.other_backends.push(adapter.backend.to_string()),
            None => cards.push(Card { index: i, other_backends: Vec::new() }),
        }
    }
    let key = |card: &Card| {
        let s = &shown[card.index];
        (s.software, s.pci.is_none(), s.pci.clone(), card.index)
    };
    cards.sort_by_key(key);
    cards
}

fn describe(number: u32, adapter: &wgpu::Adapter, other_backends: Vec<String>) -> Device {
    let (info, limits, features) = (adapter.get_info(), adapter.limits(), adapter.features());
    let class = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => Class::DiscreteGpu,
        wgpu::DeviceType::IntegratedGpu => Class::IntegratedGpu,
        wgpu::DeviceType::Cpu => Class::SoftwareGpu,
        // A GPU passed through by a hypervisor, or of unknown type.
        wgpu::DeviceType::VirtualGpu | wgpu::DeviceType::Other => Class::VirtualGpu,
    };
    let present = FEATURES.iter().filter(|(_, feature)| features.contains(*feature));
    let present = present.map(|(name, _)| name.to_string());
    Device {
        id: DeviceId::Gpu(number),
        class,
        features: present.chain(matrices(adapter)).collect(),
        threads: None,
        gpu: Some(Gpu {
            backend: info.backend.to_str().to_string(),
            other_backends,
            driver: plain(format!("{} {}", info.driver, info.driver_info).trim()).into_owned(),
            vendor: info.vendor,
            device: info.device,
            pci: Shown::from(&info).pci,
            subgroup_min: info.subgroup_min_size,
            subgroup_max: info.subgroup_max_size,
            timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
            limits: Limits {
                storage_binding: Bytes(limits.max_storage_buffer_binding_size),
                buffer: Bytes(limits.max_buffer_size),
                workgroup_memory: Bytes(limits.max_compute_workgroup_storage_size.into()),
                workgroup_invocations: limits.max_compute_invocations_per_workgroup,
                workgroups: limits.max_compute_workgroups_per_dimension,
            },
        }),
        // The driver's string is untrusted.
        name: plain(&info.name).into_owned(),
    }
}

/// Square cooperative matrices with f16 operands and f32 accumulators, as in `matrix-16x16x16`.
fn matrices(adapter: &wgpu::Adapter) -> impl Iterator<Item = String> {
    use wgpu::CooperativeScalarType::{F16, F32};
    let sides = adapter.cooperative_matrix_properties().into_iter().filter_map(|m| {
        let square = m.m_size == m.n_size && m.n_size == m.k_size;
        (square && m.ab_type == F16 && m.cr_type == F32).then_some(m.m_size)
    });
    sides
        .collect::<std::collections::BTreeSet<u32>>()
        .into_iter()
        .map(|side| format!("matrix-{side}x{side}x{side}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(backend: &'static str, pci: &str, name: &str) -> Shown {
        let pci = Some(pci.to_string()).filter(|p| !p.is_empty());
        Shown { backend, pci, name: name.into(), ids: (1, 2), software: name == "llvmpipe" }
    }

    fn cards(adapters: &[Shown]) -> Vec<(String, Vec<String>)> {
        group_by_gpu(adapters.to_vec())
            .into_iter()
            .map(|c| {
                let s = &adapters[c.index];
                (
                    format!("{} {} {}", s.backend, s.pci.as_deref().unwrap_or("-"), s.name),
                    c.other_backends,
                )
            })
            .collect()
    }

    #[test]
    fn adapters_of_one_gpu_are_merged() {
        let found = cards(&[
            shown("dx12", "0000:01:00.0", "card"),
            shown("vulkan", "0000:01:00.0", "card (radv)"),
            shown("vulkan", "0000:01:00.0", "card (amdvlk)"),
        ]);
        assert_eq!(found, [("vulkan 0000:01:00.0 card (radv)".into(), vec!["dx12".into()])]);
    }

    #[test]
    fn gpus_of_one_model_are_kept_apart_with_and_without_addresses() {
        let with = cards(&[
            shown("vulkan", "0000:41:00.0", "card"),
            shown("vulkan", "0000:01:00.0", "card"),
        ]);
        assert_eq!(with[0].0, "vulkan 0000:01:00.0 card");
        assert_eq!(with.len(), 2);
        let without = cards(&[
            shown("vulkan", "", "card"),
            shown("vulkan", "", "card"),
            shown("dx12", "", "card"),
            shown("dx12", "", "card"),
        ]);
        assert_eq!(without.len(), 2);
        assert!(without.iter().all(|(_, others)| others == &["dx12"]), "{without:?}");
    }

    #[test]
    fn nonconformant_adapters_are_reported_as_left_out() {
        let card = shown("vulkan", "0000:01:00.0", "card");
        let software = shown("vulkan", "", "llvmpipe");
        let like = shown("vulkan", "", "card");
        let all = [card.clone(), like.clone(), software.clone(), like.clone()];
        assert_eq!(left_out(&all, vec![software.clone(), card.clone()]), [1, 3]);
        assert_eq!(left_out(&all, vec![software, card, like]), [3], "one of two of a name");
        assert_eq!(left_out(&all, all.to_vec()), [0usize; 0]);
    }

    #[test]
    fn software_comes_last() {
        let found =
            cards(&[shown("vulkan", "", "llvmpipe"), shown("vulkan", "0000:01:00.0", "card")]);
        assert_eq!(found[0].0, "vulkan 0000:01:00.0 card");
    }
}
