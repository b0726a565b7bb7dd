//! Compute devices of this machine: their classes, properties and names on the command line.

pub mod cgroup;
pub mod hardware;
pub mod memory;

use crate::units::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Hardware class. Results are ranked within a class.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
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
    /// Every class.
    pub const ALL: [Class; 5] = [
        Class::DiscreteGpu,
        Class::IntegratedGpu,
        Class::VirtualGpu,
        Class::SoftwareGpu,
        Class::Cpu,
    ];

    /// The name in results: `discrete-gpu`.
    pub fn name(self) -> &'static str {
        match self {
            Class::DiscreteGpu => "discrete-gpu",
            Class::IntegratedGpu => "integrated-gpu",
            Class::VirtualGpu => "virtual-gpu",
            Class::SoftwareGpu => "software-gpu",
            Class::Cpu => "cpu",
        }
    }

    /// Whether the device's data is in main memory, not in memory of its own.
    pub fn uses_main_memory(self) -> bool {
        matches!(self, Class::IntegratedGpu | Class::SoftwareGpu | Class::Cpu)
    }

    /// Whether the CPU's cores do the device's work.
    pub fn runs_on_cpu(self) -> bool {
        matches!(self, Class::SoftwareGpu | Class::Cpu)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Device name: `cpu`, `gpu:0` or `gpu:pci-0000:01:00.0`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub enum DeviceId {
    /// The CPU, running native code.
    Cpu,
    /// The GPU adapter with this number, in PCI order.
    Gpu(u32),
    /// The GPU adapter at this PCI address, in lower case.
    Pci(String),
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            DeviceId::Cpu => f.write_str("cpu"),
            DeviceId::Gpu(number) => write!(f, "gpu:{number}"),
            DeviceId::Pci(address) => write!(f, "gpu:pci-{address}"),
        }
    }
}

impl From<DeviceId> for String {
    fn from(id: DeviceId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for DeviceId {
    type Error = String;

    fn try_from(text: String) -> Result<DeviceId, String> {
        text.parse()
    }
}

impl FromStr for DeviceId {
    type Err = String;

    fn from_str(text: &str) -> Result<DeviceId, String> {
        let number = || text.strip_prefix("gpu:")?.parse().ok().map(DeviceId::Gpu);
        let pci = || Some(DeviceId::Pci(text.strip_prefix("gpu:pci-")?.to_lowercase()));
        match text {
            "cpu" => Ok(DeviceId::Cpu),
            _ => number().or_else(pci).ok_or_else(|| {
                format!("'{text}' is no device id; write cpu, gpu:0 or gpu:pci-0000:01:00.0")
            }),
        }
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
        const MAX_OF_GPU: Bytes = Bytes(256 << 20);
        let size = |index: u32| {
            let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/size");
            let text = std::fs::read_to_string(path).ok()?;
            text.trim().strip_suffix('K')?.parse::<u64>().ok()
        };
        let largest = || (0..8).filter_map(size).max().map(|kib| Bytes(kib << 10));
        match self.class {
            Class::Cpu | Class::SoftwareGpu | Class::IntegratedGpu => {
                largest().unwrap_or(MAX_OF_GPU)
            }
            _ => MAX_OF_GPU,
        }
    }
}

/// The devices that a command uses: those requested, else all, without software adapters if there is a real GPU.
///
/// # Errors
/// One line that lists the known ids, if a requested device does not exist.
pub fn select(found: Vec<Device>, wanted: &[DeviceId]) -> Result<Vec<Device>, String> {
    if wanted.is_empty() {
        let real_gpu = found.iter().any(|d| !d.class.runs_on_cpu());
        let keep = |d: &Device| !(real_gpu && d.class == Class::SoftwareGpu);
        return Ok(found.into_iter().filter(keep).collect());
    }
    let mut chosen: Vec<Device> = Vec::new();
    for id in wanted {
        let device = found.iter().find(|d| d.is(id)).ok_or_else(|| {
            let known: Vec<String> =
                found.iter().map(|d| format!("{} ({})", d.id, d.name)).collect();
            format!("there is no device {id} here; known: {}", known.join(", "))
        })?;
        if !chosen.iter().any(|d| d.id == device.id) {
            chosen.push(device.clone());
        }
    }
    Ok(chosen)
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<String> {
    macro_rules! present {
        ($($name:tt)*) => {
            [$(($name, std::arch::is_x86_feature_detected!($name))),*]
        };
    }
    let all = present!["avx2" "fma" "f16c" "sha" "avx512f" "avx512bw" "avx512vl" "avx512vnni" "avx512fp16"];
    all.iter().filter(|(_, here)| *here).map(|(name, _)| name.to_string()).collect()
}

#[cfg(target_arch = "aarch64")]
fn cpu_features() -> Vec<String> {
    macro_rules! present {
        ($($name:tt)*) => {
            [$(($name, std::arch::is_aarch64_feature_detected!($name))),*]
        };
    }
    let all = present!["neon" "sha2" "dotprod" "i8mm" "fp16" "sve"];
    all.iter().filter(|(_, here)| *here).map(|(name, _)| name.to_string()).collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn cpu_features() -> Vec<String> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu(number: u32, class: Class, pci: Option<&str>) -> Device {
        let limits = Limits {
            storage_binding: Bytes(1 << 27),
            buffer: Bytes(1 << 31),
            workgroup_memory: Bytes(1 << 15),
            workgroup_invocations: 1024,
            workgroups: 65535,
        };
        Device {
            id: DeviceId::Gpu(number),
            name: format!("card {number}"),
            class,
            features: vec![],
            threads: None,
            gpu: Some(Gpu {
                backend: "vulkan".into(),
                other_backends: vec![],
                driver: "test".into(),
                vendor: 1,
                device: 2,
                pci: pci.map(str::to_string),
                subgroup_min: 32,
                subgroup_max: 32,
                timestamps: true,
                limits,
            }),
        }
    }

    fn ids(devices: &[Device]) -> Vec<String> {
        devices.iter().map(|d| d.id.to_string()).collect()
    }

    #[test]
    fn ids_round_trip() {
        for text in ["cpu", "gpu:0", "gpu:12", "gpu:pci-0000:01:00.0"] {
            assert_eq!(text.parse::<DeviceId>().unwrap().to_string(), text);
        }
        for text in ["", "gpu", "gpu:", "gpu:-1", "cpu:0", "cuda:0"] {
            assert!(text.parse::<DeviceId>().unwrap_err().contains("gpu:0"), "{text}");
        }
    }

    #[test]
    fn software_is_left_out_only_beside_a_real_gpu() {
        let (software, card) =
            (gpu(0, Class::SoftwareGpu, None), gpu(1, Class::DiscreteGpu, Some("0000:01:00.0")));
        let both = select(vec![software.clone(), card.clone(), Device::cpu()], &[]).unwrap();
        assert_eq!(ids(&both), ["gpu:1", "cpu"]);
        let alone = select(vec![software.clone(), Device::cpu()], &[]).unwrap();
        assert_eq!(ids(&alone), ["gpu:0", "cpu"]);
        let named = select(vec![software, card], &[DeviceId::Gpu(0)]).unwrap();
        assert_eq!(ids(&named), ["gpu:0"]);
    }

    #[test]
    fn duplicate_ids_are_merged_and_an_unknown_id_lists_the_known() {
        let card = gpu(0, Class::DiscreteGpu, Some("0000:01:00.0"));
        let twice = ["gpu:0", "gpu:pci-0000:01:00.0"].map(|t| t.parse().unwrap());
        assert_eq!(ids(&select(vec![card.clone()], &twice).unwrap()), ["gpu:0"]);
        let error = select(vec![card, Device::cpu()], &[DeviceId::Gpu(7)]).unwrap_err();
        assert!(error.contains("gpu:7") && error.contains("gpu:0 (card 0)"), "{error}");
        assert!(error.contains("cpu ("), "{error}");
    }
}
