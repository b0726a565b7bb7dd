//! Finds adapters: one entry per GPU, even if several backends and drivers expose it, in PCI order.

use crate::device::{Class, Device, DeviceId, Gpu, Limits, pci};
use crate::text::plain;
use crate::units::Bytes;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

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

/// The adapters found in this process. Enumerated once: drivers load slowly, and ids must not change.
static FOUND: LazyLock<AdapterList> = LazyLock::new(|| {
    let adapters = adapters(is_nonconformant_allowed());
    let all = adapters.iter().map(|(device, _)| device.clone()).collect();
    AdapterList { all, gpus: one_per_gpu(adapters) }
});

struct AdapterList {
    /// Every adapter.
    all: Vec<Device>,
    /// One adapter per GPU.
    gpus: Vec<(Device, wgpu::Adapter)>,
}

/// Every GPU of this machine: real ones, then software adapters, each in PCI order.
pub fn enumerate() -> Vec<Device> {
    FOUND.gpus.iter().map(|(device, _)| device.clone()).collect()
}

/// The adapter behind a device.
pub(super) fn find(device: &Device) -> Option<&'static wgpu::Adapter> {
    FOUND.gpus.iter().find(|(known, _)| known.id == device.id).map(|(_, adapter)| adapter)
}

/// Whether the user allows adapters that do not conform to their API.
pub fn is_nonconformant_allowed() -> bool {
    std::env::var_os(ALLOW_NONCONFORMANT).is_some_and(|value| value != "0")
}

/// Every adapter of every backend. All have the number 0.
fn adapters(nonconformant: bool) -> Vec<(Device, wgpu::Adapter)> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    // No validation layers: they would cost time on every call.
    descriptor.flags = wgpu::InstanceFlags::empty();
    descriptor.flags.set(wgpu::InstanceFlags::ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER, nonconformant);
    let instance = wgpu::Instance::new(descriptor);
    let all = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    all.into_iter().map(|adapter| (describe(&adapter), adapter)).collect()
}

/// GPUs that [`enumerate`] leaves out, each as one line that says how to use it: adapters whose driver does not conform to its API, and
/// cards without a Vulkan driver. Loads the drivers a second time.
pub fn hidden() -> Vec<String> {
    let all: Vec<Device> = adapters(true).into_iter().map(|(device, _)| device).collect();
    let root = Path::new("/");
    let without_driver = pci::without_driver(pci::cards(root), &all);
    let missing = without_driver.iter().map(|card| pci::missing_driver(card, root));
    left_out(all, &FOUND.all).iter().map(hint).chain(missing).collect()
}

/// The adapters in `all` that are not in `shown`. Adapters of the same name without a PCI address are only counted.
pub fn left_out(mut all: Vec<Device>, shown: &[Device]) -> Vec<Device> {
    for known in shown {
        if let Some(at) = all.iter().position(|device| device == known) {
            all.remove(at);
        }
    }
    all
}

fn hint(device: &Device) -> String {
    let Gpu { backend, driver, .. } = details(device);
    let driver = if driver.is_empty() { String::new() } else { format!(", driver {driver}") };
    format!(
        "{} ({backend}{driver}) is left out because its {backend} driver is not conformant: outputs may be wrong, which \
         every run verifies. To use it, set {ALLOW_NONCONFORMANT}=1",
        device.name,
    )
}

/// The properties of an adapter.
pub(super) fn details(device: &Device) -> &Gpu {
    device.gpu.as_ref().expect("it describes an adapter")
}

/// One adapter per GPU, sorted and numbered. PCI addresses decide. Without one, the n-th adapter of a name and id in one backend is taken
/// for the n-th of that name and id in another.
pub fn one_per_gpu<A>(mut adapters: Vec<(Device, A)>) -> Vec<(Device, A)> {
    let rank = |(device, _): &(Device, A)| {
        ["vulkan", "metal", "dx12"].iter().position(|backend| *backend == details(device).backend)
    };
    adapters.sort_by_key(|adapter| rank(adapter).unwrap_or(usize::MAX));
    let mut gpus: Vec<(Device, A)> = Vec::new();
    for (device, adapter) in adapters {
        let new = details(&device);
        let same = gpus.iter_mut().find_map(|(known, _)| {
            let gpu = known.gpu.as_mut()?;
            let is_same = match (&gpu.pci, &new.pci) {
                (Some(a), Some(b)) => a == b,
                _ => {
                    known.name == device.name
                        && (gpu.vendor, gpu.device) == (new.vendor, new.device)
                        && gpu.backend != new.backend
                        && !gpu.other_backends.contains(&new.backend)
                }
            };
            is_same.then_some(gpu)
        });
        match same {
            Some(gpu) if gpu.backend == new.backend => {} // a second driver
            Some(gpu) => gpu.other_backends.push(new.backend.clone()),
            None => gpus.push((device, adapter)),
        }
    }
    gpus.sort_by_key(|(device, _)| {
        let pci = details(device).pci.clone();
        (device.class == Class::SoftwareGpu, pci.is_none(), pci)
    });
    for (number, (device, _)) in (0..).zip(&mut gpus) {
        device.id = DeviceId::Gpu(number);
    }
    gpus
}

fn describe(adapter: &wgpu::Adapter) -> Device {
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
        id: DeviceId::Gpu(0),
        class,
        features: present.chain(matrices(adapter)).collect(),
        threads: None,
        gpu: Some(Gpu {
            backend: info.backend.to_str().to_string(),
            other_backends: Vec::new(),
            driver: plain(format!("{} {}", info.driver, info.driver_info).trim()).into_owned(),
            vendor: info.vendor,
            device: info.device,
            pci: Some(info.device_pci_bus_id.to_lowercase()).filter(|pci| !pci.is_empty()),
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
    let sides: BTreeSet<u32> = sides.collect();
    sides.into_iter().map(|side| format!("matrix-{side}x{side}x{side}"))
}
