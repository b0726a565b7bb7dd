//! The manifest: machine, program, request and settings. It does not identify the machine's owner.

use super::environment::{enabled_layers, environment, variables};
use super::newer::OrNewer;
use crate::device::{Device, DeviceId, cgroup, memory};
use crate::energy::{Scope, SourceInfo, Stated};
use crate::kernels;
use crate::measure::Protocol;
use crate::text::hex;
use crate::workload::Id;
use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::path::Path;

/// The machine, the program and the request. The seed of all data depends on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The program.
    pub rigbench: Program,
    /// The machine.
    pub host: Host,
    /// Devices to be measured.
    #[schemars(with = "Vec<Device>")]
    pub devices: Vec<OrNewer<Device>>,
    /// Energy sources. Rows and figures refer to a source by its index here.
    #[schemars(with = "Vec<Source>")]
    pub sources: Vec<OrNewer<Source>>,
    /// The measurement protocol.
    pub protocol: Protocol,
    /// Workloads to be measured, as on the command line.
    pub workloads: Vec<String>,
    /// Environment variables that affect the measurement. A value that may name a path or a user is recorded as `set`.
    pub environment: BTreeMap<String, String>,
}

/// This program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Program {
    /// Version of rigbench.
    pub version: String,
    /// Commit that it was built from; null if unknown.
    pub commit: Option<String>,
    /// SHA-256 of all kernels.
    pub kernels_sha256: String,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Identifies the machine but not its owner: HMAC-SHA256 of the system's machine id, 16 hex digits; null if omitted.
    pub id: Option<String>,
    /// Name of the processor.
    pub cpu: String,
    /// Number of CPU threads.
    pub threads: usize,
    /// Installed main memory; null if unknown.
    pub memory_bytes: Option<u64>,
    /// CPU quota of the control group, in CPUs; null if unlimited.
    pub cpu_quota: Option<f64>,
    /// Number of GPUs that are not emulated, measured or not.
    pub gpus: usize,
    /// The operating system.
    pub os: String,
    /// Version of its kernel.
    pub kernel: String,
    /// Whether it runs under a hypervisor; null if unknown.
    pub virtualized: Option<bool>,
    /// Vulkan layers between the program and the driver, by name, and variables that enable one.
    pub driver_layers: Vec<String>,
}

/// An energy source of some devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Devices that it covers.
    pub devices: Vec<DeviceId>,
    /// Workload for which power is stated; null for all.
    pub workload: Option<Id>,
    /// Origin of the joules.
    pub origin: Origin,
}

/// Origin of joules; never an address, a path or a command line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A meter.
    Meter(SourceInfo),
    /// A declared or modelled power, without a meter.
    Stated(Stated),
}

impl Source {
    /// Whether it covers a workload on a device.
    pub fn covers(&self, device: &DeviceId, workload: Id) -> bool {
        self.devices.contains(device) && self.workload.is_none_or(|stated| stated == workload)
    }

    /// Its scope.
    pub fn scope(&self) -> Scope {
        match &self.origin {
            Origin::Meter(info) => info.scope,
            Origin::Stated(stated) => stated.scope(),
        }
    }

    /// `nvml`, `declared`, `model`.
    pub fn name(&self) -> &'static str {
        match &self.origin {
            Origin::Meter(info) => info.kind.into_str(),
            Origin::Stated(Stated::Declared { .. }) => "declared",
            Origin::Stated(Stated::Modelled { .. }) => "model",
        }
    }

    /// Its meter, if it has one.
    pub fn meter(&self) -> Option<&SourceInfo> {
        match &self.origin {
            Origin::Meter(info) => Some(info),
            Origin::Stated(_) => None,
        }
    }
}

impl Manifest {
    /// The manifest of a run on a machine with this number of GPUs that are not emulated.
    pub fn new(
        devices: &[Device],
        gpus: usize,
        workloads: Vec<String>,
        sources: Vec<Source>,
        protocol: &Protocol,
        anonymous: bool,
    ) -> Manifest {
        Manifest {
            rigbench: program(),
            host: host(gpus, anonymous),
            devices: devices.iter().cloned().map(OrNewer::Known).collect(),
            sources: sources.into_iter().map(OrNewer::Known).collect(),
            protocol: protocol.clone(),
            workloads,
            environment: environment(),
        }
    }

    /// The devices that this version can read.
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter_map(OrNewer::known)
    }

    /// The device with this id.
    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.devices().find(|device| device.id == *id)
    }

    /// The source at an index.
    pub fn source(&self, index: usize) -> Option<&Source> {
        self.sources.get(index)?.known()
    }
}

/// This program.
pub fn program() -> Program {
    Program {
        version: env!("CARGO_PKG_VERSION").to_string(),
        commit: option_env!("RIGBENCH_COMMIT").map(str::to_string),
        kernels_sha256: kernels::all_sha256().to_string(),
    }
}

fn host(gpus: usize, anonymous: bool) -> Host {
    let listed = sysinfo::System::new().map_or(0, |mut system| {
        system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
        system.cpus().len()
    });
    // Where the system lists none, those that this process may use.
    let threads = listed.max(std::thread::available_parallelism().map_or(1, |n| n.get()));
    Host {
        id: machine_uid::get().ok().filter(|_| !anonymous).map(|id| host_id(id.trim())),
        cpu: Device::cpu().name,
        threads,
        memory_bytes: memory::installed().map(|bytes| bytes.0),
        cpu_quota: cgroup::Limits::read(Path::new("/")).cpus,
        gpus,
        os: sysinfo::System::long_os_version().unwrap_or_else(|_| "unknown".into()),
        kernel: sysinfo::System::kernel_version().unwrap_or_else(|_| "unknown".into()),
        virtualized: virtualized(),
        driver_layers: enabled_layers(variables()),
    }
}

/// Application-specific machine id, as systemd's: it does not reveal the system's id and differs from other programs' ids.
pub fn host_id(machine_id: &str) -> String {
    const KEY: &[u8] = b"rigbench host id, version 1";
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).expect("HMAC takes keys of any length");
    mac.update(machine_id.as_bytes());
    hex(&mac.finalize().into_bytes())[..16].to_string()
}

/// Whether the processor reports a hypervisor.
fn virtualized() -> Option<bool> {
    #[cfg(target_arch = "x86_64")]
    {
        // Bit 31 of ECX of leaf 1 is reserved for hypervisors to set (Intel SDM vol. 2A, AMD APM vol. 3).
        Some(std::arch::x86_64::__cpuid(1).ecx >> 31 & 1 == 1)
    }
    #[cfg(not(target_arch = "x86_64"))]
    None
}
