//! The manifest: which machine, which program, under which settings. Nothing that tells whose machine it is.

use super::environment::environment;
use super::wire;
use crate::device::{self, Details, Device, DeviceId, cgroup, memory};
use crate::energy::{SourceInfo, Stated};
use crate::kernels;
use std::path::Path;

/// The manifest of a run of these workloads on these devices, of those `attached`, with what tells its joules.
pub fn manifest(
    devices: &[Device],
    attached: &[Device],
    workloads: Vec<String>,
    sources: Vec<wire::Source>,
) -> wire::Manifest {
    let gpus = attached.iter().filter(|device| !device.class.runs_on_cpu()).count();
    wire::Manifest {
        rigbench: program(),
        host: host(gpus as u64),
        devices: devices.iter().map(wire::Device::from).collect(),
        workloads,
        sources,
        environment: environment(),
    }
}

impl wire::Source {
    /// A source that is read of all of a device's work.
    pub fn read(device: &DeviceId, info: &SourceInfo) -> wire::Source {
        wire::Source {
            device: device.to_string(),
            workload: None,
            kind: info.kind.to_string(),
            scope: info.scope.into(),
            basis: info.basis(),
            meter: Some(info.into()),
        }
    }

    /// What is stated of one workload on a device.
    pub fn stated(device: &DeviceId, workload: &str, stated: &Stated) -> wire::Source {
        wire::Source {
            device: device.to_string(),
            workload: Some(workload.to_string()),
            kind: stated.kind().to_string(),
            scope: stated.scope().into(),
            basis: stated.basis(),
            meter: None,
        }
    }
}

/// This program.
pub fn program() -> wire::Program {
    wire::Program {
        version: env!("CARGO_PKG_VERSION").to_string(),
        commit: option_env!("RIGBENCH_COMMIT").map(str::to_string),
        kernels_sha256: kernels::all_sha256().to_string(),
    }
}

fn host(gpus: u64) -> wire::Host {
    let cpu = Device::cpu();
    let cores = sysinfo::System::new().map_or(0, |mut system| {
        system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
        system.cpus().len()
    });
    wire::Host {
        cpu: cpu.name,
        cores: cores as u64,
        memory_bytes: memory::installed().map(|bytes| bytes.0),
        cpu_quota: cgroup::Limits::read(Path::new("/")).cpus,
        gpus: Some(gpus),
        os: sysinfo::System::long_os_version().unwrap_or_else(|_| "unknown".into()),
        kernel: sysinfo::System::kernel_version().unwrap_or_else(|_| "unknown".into()),
        virtualized: virtualized(),
    }
}

/// Whether the processor says that it runs under a hypervisor.
fn virtualized() -> Option<bool> {
    #[cfg(target_arch = "x86_64")]
    {
        // Bit 31 of ECX of leaf 1 is reserved for hypervisors to set (Intel SDM vol. 2A, AMD APM vol. 3).
        Some(std::arch::x86_64::__cpuid(1).ecx >> 31 & 1 == 1)
    }
    #[cfg(not(target_arch = "x86_64"))]
    None
}

impl From<&Device> for wire::Device {
    fn from(device: &Device) -> wire::Device {
        let mut out = wire::Device {
            id: device.id.to_string(),
            name: device.name.clone(),
            class: device.class.name().to_string(),
            software: device.class == device::Class::SoftwareGpu,
            features: Vec::new(),
            gpu: None,
            threads: None,
        };
        match &device.details {
            Details::Cpu(cpu) => {
                out.features = cpu.features.clone();
                out.threads = Some(cpu.threads as u64);
            }
            Details::Gpu(gpu) => {
                out.features = gpu.features.clone();
                out.gpu = Some(wire::Gpu {
                    backend: gpu.backend.clone(),
                    other_backends: gpu.other_backends.clone(),
                    driver: gpu.driver.clone(),
                    vendor: gpu.vendor_device.0,
                    device: gpu.vendor_device.1,
                    pci: gpu.pci.clone(),
                    subgroup_min: gpu.subgroup.0,
                    subgroup_max: gpu.subgroup.1,
                    storage_binding_bytes: gpu.limits.storage_binding.0,
                    buffer_bytes: gpu.limits.buffer.0,
                    workgroup_memory_bytes: gpu.limits.workgroup_memory.0,
                    workgroup_invocations: gpu.limits.workgroup_invocations,
                    workgroups: gpu.limits.workgroups,
                });
            }
        }
        out
    }
}
