//! The machine and the program, in the document.

use super::Meter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The machine and the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The program.
    pub rigbench: Program,
    /// The machine.
    pub host: Host,
    /// Devices that the run measures.
    pub devices: Vec<Device>,
    /// Workloads that each of them runs, as the command line writes them.
    pub workloads: Vec<String>,
    /// Energy sources, for each device and workload.
    pub sources: Vec<Source>,
    /// Settings of drivers and libraries that change what is measured, as the environment gives them; `set` instead of a path.
    pub environment: BTreeMap<String, String>,
}

/// The program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// The commit it was built from; null if it was not built in a checkout.
    pub commit: Option<String>,
    /// Digest over all its kernels.
    pub kernels_sha256: String,
}

/// The machine. No name, serial or address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// What the processor calls itself.
    pub cpu: String,
    /// Hardware threads.
    pub cores: u64,
    /// Main memory.
    pub memory_bytes: Option<u64>,
    /// How many of these threads the process's control group lets work at once, in the mean: 2.5 is two and a half. Absent if
    /// it does not limit them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<f64>,
    /// GPUs in it, measured or not, without software adapters: those that idle are in what is read at its plug. Absent in
    /// files of versions that did not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpus: Option<u64>,
    /// Operating system and its version.
    pub os: String,
    /// Its kernel's version.
    pub kernel: String,
    /// Whether it is a virtual machine; null if that cannot be told.
    pub virtualized: Option<bool>,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// `cpu`, `gpu:0`, …
    pub id: String,
    /// As its driver or the processor calls itself.
    pub name: String,
    /// `discrete-gpu`, `integrated-gpu`, `virtual-gpu`, `software-gpu` or `cpu`.
    pub class: String,
    /// Whether it is a CPU that emulates a GPU, so that its joules are the CPU's.
    pub software: bool,
    /// What kernels may use.
    pub features: Vec<String>,
    /// Of a GPU.
    pub gpu: Option<Gpu>,
    /// Threads, of a processor.
    pub threads: Option<u64>,
}

/// What is particular to a GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gpu {
    /// The API it is driven through.
    pub backend: String,
    /// Other APIs that show the same card.
    pub other_backends: Vec<String>,
    /// Driver and version.
    pub driver: String,
    /// Vendor number.
    pub vendor: u32,
    /// Device number.
    pub device: u32,
    /// Address on the PCI bus.
    pub pci: Option<String>,
    /// Smallest subgroup.
    pub subgroup_min: u32,
    /// Largest subgroup.
    pub subgroup_max: u32,
    /// Largest storage binding.
    pub storage_binding_bytes: u64,
    /// Largest buffer.
    pub buffer_bytes: u64,
    /// Memory shared in a workgroup.
    pub workgroup_memory_bytes: u64,
    /// Most invocations of a workgroup.
    pub workgroup_invocations: u32,
    /// Most workgroups along one dimension.
    pub workgroups: u32,
}

/// An energy source, by kind and model; never an address or a command line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The device whose rows it covers.
    pub device: String,
    /// The workload that it covers; null if all.
    pub workload: Option<String>,
    /// `nvml`, `rapl`, `hwmon`, `shelly`, `tasmota`, `command`, `declared` or `model`.
    pub kind: String,
    /// What its readings cover.
    pub scope: Scope,
    /// Where its figures come from.
    pub basis: String,
    /// What is read; null if nothing is.
    pub meter: Option<Meter>,
}

/// A device as `rigbench devices --json` lists it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// The device.
    #[serde(flatten)]
    pub device: Device,
    /// What the machine can read of its joules by itself.
    pub sources: Vec<FoundSource>,
    /// Why there is none; null if there is one.
    pub no_source_reason: Option<String>,
}

/// A source that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundSource {
    /// What it covers.
    pub scope: Scope,
    /// What it is.
    #[serde(flatten)]
    pub source: Meter,
}

/// What a reading covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// A graphics card with its memory.
    GpuBoard,
    /// The processor's package.
    CpuPackage,
    /// Main memory.
    Dram,
    /// All of the machine behind its power supply.
    Machine,
    /// All that hangs on a plug.
    Wall,
}
