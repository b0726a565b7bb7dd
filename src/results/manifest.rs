//! The manifest: which machine, which program, what was asked for, under which settings. Nothing that tells whose machine it is.

use super::environment::{driver_layers, environment};
use super::newer::OrNewer;
use crate::device::{Device, DeviceId, cgroup, memory};
use crate::energy::{Scope, SourceInfo, Stated};
use crate::kernels::{self, hex};
use crate::measure::{Mode, Protocol};
use crate::units::Provenance;
use crate::workload::{DEPTH, Id};
use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::path::Path;

/// The machine, the program and what was asked for. All data of the run follow from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The program.
    pub rigbench: Program,
    /// The machine.
    pub host: Host,
    /// Devices that are measured.
    pub devices: Vec<OrNewer<Device>>,
    /// What tells joules. Rows and figures name a source by its place here.
    pub sources: Vec<OrNewer<Source>>,
    /// How it measures.
    pub protocol: ProtocolNumbers,
    /// What is measured, as the command line writes it.
    pub workloads: Vec<String>,
    /// Settings that change what is measured. What could name a path or a user is `set`.
    pub environment: BTreeMap<String, String>,
}

/// This program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Program {
    /// Version of rigbench.
    pub version: String,
    /// Commit that it was built from; null if that is not known.
    pub commit: Option<String>,
    /// SHA-256 of all kernels.
    pub kernels_sha256: String,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Tells machines apart and not whose they are: HMAC-SHA256 of the system's machine id, 16 hex digits; null if it is left out.
    pub id: Option<String>,
    /// The processor.
    pub cpu: String,
    /// Its threads.
    pub threads: usize,
    /// Main memory; null if that is not known.
    pub memory_bytes: Option<u64>,
    /// Processors that the control group allows; null if it does not limit them.
    pub cpu_quota: Option<f64>,
    /// GPUs that are not emulated, measured or not.
    pub gpus: usize,
    /// The operating system.
    pub os: String,
    /// Its kernel.
    pub kernel: String,
    /// Whether it runs under a hypervisor; null if that is not known.
    pub virtualized: Option<bool>,
    /// Vulkan layers between the program and the driver, by name, and variables that switch one on.
    pub driver_layers: Vec<String>,
}

/// Something that tells joules of some devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Whose work it covers.
    pub devices: Vec<DeviceId>,
    /// The workload that it is stated for; null if all.
    pub workload: Option<Id>,
    /// What it is.
    pub origin: Origin,
}

/// Where joules come from; never an address, a path or a command line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A meter is read.
    Meter(SourceInfo),
    /// Nothing is read: power is declared by the user, or only its bounds are known.
    Stated(Stated),
}

impl Source {
    /// Whether it covers a workload on a device.
    pub fn covers(&self, device: &DeviceId, workload: Id) -> bool {
        self.devices.contains(device) && self.workload.is_none_or(|own| own == workload)
    }

    /// What it covers.
    pub fn scope(&self) -> Scope {
        match &self.origin {
            Origin::Meter(info) => info.scope,
            Origin::Stated(stated) => stated.scope(),
        }
    }

    /// How its joules come about.
    pub fn provenance(&self) -> Provenance {
        match &self.origin {
            Origin::Meter(info) => info.provenance(),
            Origin::Stated(Stated::Declared { .. }) => Provenance::Declared,
            Origin::Stated(Stated::Modelled { .. }) => Provenance::Modelled,
        }
    }

    /// `nvml`, `declared`, `model`.
    pub fn name(&self) -> &'static str {
        match &self.origin {
            Origin::Meter(info) => info.kind.name(),
            Origin::Stated(Stated::Declared { .. }) => "declared",
            Origin::Stated(Stated::Modelled { .. }) => "model",
        }
    }

    /// The meter, if one is read.
    pub fn meter(&self) -> Option<&SourceInfo> {
        match &self.origin {
            Origin::Meter(info) => Some(info),
            Origin::Stated(_) => None,
        }
    }
}

/// How a run measures, in full: the mode is a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProtocolNumbers {
    /// `quick`, `default` or `publish`.
    pub mode: String,
    /// Blocks of each row, at least; rows of one device take turns.
    pub blocks: usize,
    /// Windows of each block, at least.
    pub windows: usize,
    /// Mean length of a window; their lengths vary by 15 % either way.
    pub window_seconds: f64,
    /// A block's windows end then, though a slow meter would need longer.
    pub block_longest_seconds: f64,
    /// Blocks are added until the figures' intervals are within this share of them.
    pub precision: f64,
    /// No block is added once a row's windows last so long.
    pub longest_seconds: f64,
    /// Nothing runs for so long before each block.
    pub rest_seconds: f64,
    /// What meters read at rest is taken over so long.
    pub baseline_seconds: f64,
    /// Or over as long as a slow meter needs, but no longer than this.
    pub baseline_longest_seconds: f64,
    /// Meters are read no more often than this.
    pub least_poll_seconds: f64,
    /// Batches that stay in flight.
    pub batches_in_flight: usize,
    /// The warm-up is steady once slices of this length are alike.
    pub warm_up_slice_seconds: f64,
    /// The warm-up ends then, steady or not.
    pub warm_up_longest_seconds: f64,
    /// Whether a block that began before the device was warm makes its row invalid.
    pub warm_up_required: bool,
}

impl From<&Protocol> for ProtocolNumbers {
    fn from(protocol: &Protocol) -> ProtocolNumbers {
        let Protocol {
            mode,
            blocks,
            windows,
            window,
            block_longest,
            precision,
            longest,
            rest,
            baseline,
            baseline_longest,
            poll,
            batch: _,
            warm_up_slice,
            warm_up_longest,
        } = *protocol;
        ProtocolNumbers {
            mode: mode.name().to_string(),
            blocks,
            windows,
            window_seconds: window.0,
            block_longest_seconds: block_longest.0,
            precision,
            longest_seconds: longest.0,
            rest_seconds: rest.0,
            baseline_seconds: baseline.0,
            baseline_longest_seconds: baseline_longest.0,
            least_poll_seconds: poll.0,
            batches_in_flight: DEPTH,
            warm_up_slice_seconds: warm_up_slice.0,
            warm_up_longest_seconds: warm_up_longest.0,
            // A shorter run has less time to warm up.
            warm_up_required: mode == Mode::Publish,
        }
    }
}

impl Manifest {
    /// The manifest of a run of these workloads on these devices, of a machine with so many GPUs that are not emulated.
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
            protocol: protocol.into(),
            workloads,
            environment: environment(),
        }
    }

    /// The devices that this version can read.
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter_map(OrNewer::known)
    }

    /// The device of this id.
    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.devices().find(|device| device.id == *id)
    }

    /// The source at a place.
    pub fn source(&self, place: usize) -> Option<&Source> {
        self.sources.get(place)?.known()
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
    let threads = sysinfo::System::new().map_or(0, |mut system| {
        system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
        system.cpus().len()
    });
    Host {
        id: machine_uid::get().ok().filter(|_| !anonymous).map(|id| hashed(id.trim())),
        cpu: Device::cpu().name,
        threads,
        memory_bytes: memory::installed().map(|bytes| bytes.0),
        cpu_quota: cgroup::Limits::read(Path::new("/")).cpus,
        gpus,
        os: sysinfo::System::long_os_version().unwrap_or_else(|_| "unknown".into()),
        kernel: sysinfo::System::kernel_version().unwrap_or_else(|_| "unknown".into()),
        virtualized: virtualized(),
        driver_layers: driver_layers(),
    }
}

/// What results say of a machine's id: nobody who does not know the id learns it, and other programs' ids of the same machine
/// are others, as systemd's application-specific ids are.
fn hashed(machine_id: &str) -> String {
    const KEY: &[u8] = b"rigbench host id, version 1";
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).expect("HMAC takes keys of any length");
    mac.update(machine_id.as_bytes());
    hex(&mac.finalize().into_bytes())[..16].to_string()
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A manifest of this program on this processor.
    pub fn made_up() -> Manifest {
        let protocol = Protocol::of(Mode::Quick);
        Manifest::new(&[Device::cpu()], 0, vec!["sha256d".into()], Vec::new(), &protocol, true)
    }

    /// Results of one machine must keep its id for ever. By `printf ID | openssl dgst -sha256 -hmac KEY`.
    #[test]
    fn the_id_of_a_machine_never_changes() {
        assert_eq!(hashed("0123456789abcdef0123456789abcdef"), "db89c17ff7f046d2");
    }
}
