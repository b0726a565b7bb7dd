//! Compute devices of this machine: their classes, properties and names on the command line.

pub mod cgroup;
pub mod hardware;
pub mod memory;
pub mod pci;

use crate::units::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::{DeserializeFromStr, SerializeDisplay};
use std::str::FromStr;

/// Hardware class. Results are ranked within a class.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[derive(PartialEq, Eq, Hash, PartialOrd, Ord, strum::IntoStaticStr, strum::Display)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Class {
    /// GPU with its own memory.
    DiscreteGpu,
    /// GPU that shares main memory with the CPU.
    IntegratedGpu,
    /// GPU passed through by a hypervisor, or of unknown type.
    VirtualGpu,
    /// GPU emulated by the CPU: its energy is the CPU's.
    SoftwareGpu,
    /// CPU, running native code.
    Cpu,
}

impl Class {
    /// Whether the device's data is in main memory, not in memory of its own.
    pub fn uses_main_memory(self) -> bool {
        matches!(self, Class::IntegratedGpu | Class::SoftwareGpu | Class::Cpu)
    }

    /// Whether the CPU's cores do the device's work.
    pub fn runs_on_cpu(self) -> bool {
        matches!(self, Class::SoftwareGpu | Class::Cpu)
    }
}

/// Device name: `cpu`, `gpu:0` or `gpu:pci-0000:01:00.0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema)]
#[schemars(with = "String")]
#[derive(SerializeDisplay, DeserializeFromStr, strum::Display)]
pub enum DeviceId {
    /// The CPU, running native code.
    #[strum(to_string = "cpu")]
    Cpu,
    /// The GPU adapter with this number, in PCI order.
    #[strum(to_string = "gpu:{0}")]
    Gpu(u32),
    /// The GPU adapter at this PCI address, in lower case.
    #[strum(to_string = "gpu:pci-{0}")]
    Pci(String),
}

impl FromStr for DeviceId {
    type Err = String;

    fn from_str(text: &str) -> Result<DeviceId, String> {
        let number = || text.strip_prefix("gpu:")?.parse().ok().map(DeviceId::Gpu);
        let pci = || Some(DeviceId::Pci(text.strip_prefix("gpu:pci-")?.to_lowercase()));
        (text == "cpu").then_some(DeviceId::Cpu).or_else(number).or_else(pci).ok_or_else(|| {
            format!("'{text}' is not a device id; write cpu, gpu:0 or gpu:pci-0000:01:00.0")
        })
    }
}

/// A compute device of this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// `cpu` or `gpu:N`.
    pub id: DeviceId,
    /// Name reported by the GPU's driver or the CPU.
    pub name: String,
    /// Hardware class.
    pub class: Class,
    /// Features that kernels may use: wgpu features of a GPU, instruction set extensions of a CPU.
    pub features: Vec<String>,
    /// Hardware threads available to the process; null for a GPU.
    pub threads: Option<usize>,
    /// Properties of a GPU; null for a CPU.
    pub gpu: Option<Gpu>,
}

/// Properties of a wgpu adapter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gpu {
    /// API in use: `vulkan`, `metal`, `dx12`.
    pub backend: String,
    /// Other APIs that expose the same GPU.
    pub other_backends: Vec<String>,
    /// Driver name and version, as the driver reports them.
    pub driver: String,
    /// Vendor ID, as the driver reports it.
    pub vendor: u32,
    /// Device ID, as the driver reports it.
    pub device: u32,
    /// PCI address; null if unknown.
    pub pci: Option<String>,
    /// Minimum subgroup size, in invocations.
    pub subgroup_min: u32,
    /// Maximum subgroup size, in invocations.
    pub subgroup_max: u32,
    /// Whether the device can time dispatches (timestamp queries).
    pub timestamps: bool,
    /// Buffer and workgroup limits.
    pub limits: Limits,
}

/// Device limits on shapes and kernels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Maximum size of a storage binding, in bytes.
    #[serde(rename = "storage_binding_bytes")]
    pub storage_binding: Bytes,
    /// Maximum size of a buffer, in bytes.
    #[serde(rename = "buffer_bytes")]
    pub buffer: Bytes,
    /// Maximum shared memory of a workgroup, in bytes.
    #[serde(rename = "workgroup_memory_bytes")]
    pub workgroup_memory: Bytes,
    /// Maximum invocations per workgroup.
    pub workgroup_invocations: u32,
    /// Maximum workgroups per dimension of a dispatch.
    pub workgroups: u32,
}

impl Device {
    /// The CPU of this machine.
    pub fn cpu() -> Device {
        let name = sysinfo::System::new().ok().and_then(|mut system| {
            system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
            Some(system.cpus().first()?.brand().trim().to_string()).filter(|n| !n.is_empty())
        });
        Device {
            id: DeviceId::Cpu,
            name: name.unwrap_or_else(|| std::env::consts::ARCH.to_string()),
            class: Class::Cpu,
            features: cpu_features(),
            threads: Some(std::thread::available_parallelism().map_or(1, |n| n.get())),
            gpu: None,
        }
    }

    /// Whether `id` names this device.
    pub fn is(&self, id: &DeviceId) -> bool {
        match (id, &self.gpu) {
            (DeviceId::Pci(address), Some(gpu)) => gpu.pci.as_ref() == Some(address),
            _ => self.id == *id,
        }
    }

    /// Last-level cache in bytes, which a working set must exceed to be read from memory. For the CPU and for devices in main memory it
    /// is the CPU's largest cache as Linux reports it; otherwise 256 MiB, an upper bound for GPUs.
    pub fn last_level_cache(&self) -> Bytes {
        let size = |index: u32| {
            let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/size");
            let text = std::fs::read_to_string(path).ok()?;
            text.trim().strip_suffix('K')?.parse::<u64>().ok()
        };
        let of_cpu = self.class.uses_main_memory().then(|| (0..8).filter_map(size).max());
        of_cpu.flatten().map_or(Bytes(256 << 20), |kib| Bytes(kib << 10))
    }
}

/// The devices that are wanted, each once; if none is named all, but software adapters only if there is no real GPU.
///
/// # Errors
/// If an id names no device; the message lists the known ones.
pub fn select(found: Vec<Device>, wanted: &[DeviceId]) -> Result<Vec<Device>, String> {
    let mut chosen: Vec<Device> = Vec::new();
    for id in wanted {
        let Some(device) = found.iter().find(|device| device.is(id)) else {
            let known: Vec<_> = found.iter().map(|d| format!("{} ({})", d.id, d.name)).collect();
            return Err(format!("there is no device {id} here; known: {}", known.join(", ")));
        };
        if !chosen.contains(device) {
            chosen.push(device.clone());
        }
    }
    if wanted.is_empty() {
        let real_gpu = found.iter().any(|device| !device.class.runs_on_cpu());
        chosen = found;
        chosen.retain(|device| !(real_gpu && device.class == Class::SoftwareGpu));
    }
    Ok(chosen)
}

/// Those of the named instruction set extensions that the CPU has.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! present {
    ($is_detected:ident: $($name:tt)*) => {
        [$(std::arch::$is_detected!($name).then_some($name)),*]
            .into_iter()
            .flatten()
            .map(String::from)
            .collect()
    };
}

fn cpu_features() -> Vec<String> {
    #[cfg(target_arch = "x86_64")]
    return present!(is_x86_feature_detected: "avx2" "fma" "f16c" "sha" "avx512f" "avx512bw" "avx512vl" "avx512vnni" "avx512fp16");
    #[cfg(target_arch = "aarch64")]
    return present!(is_aarch64_feature_detected: "neon" "sha2" "dotprod" "i8mm" "fp16" "sve");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return Vec::new();
}
