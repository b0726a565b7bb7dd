//! The document's format, and nothing else: plain structs that serde reads and writes. Units stand in the names,
//! base SI throughout. The JSON Schema is generated from these types.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A run of rigbench. Every derived number can be computed again from the windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "rigbench result")]
pub struct Document {
    /// Version of this format: readers of 1.x read every 1.y.
    pub schema_version: String,
    /// When and how, and whether it counts.
    pub run: Run,
    /// The machine and the program. All data of the run follows from it and the user's seed.
    pub manifest: Manifest,
    /// One for each workload on each device.
    pub measurements: Vec<Measurement>,
    /// What a reader needs to check the run.
    pub proof: Proof,
}

/// When and how, and whether it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Random; tells one run from another.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC; null while the run is under way or if it was cut off.
    pub finished_at: Option<String>,
    /// How it measures.
    pub protocol: Protocol,
    /// `invalid` if any reason stands below or any row is invalid.
    pub verdict: Verdict,
    /// What makes it invalid.
    pub reasons: Vec<String>,
}

/// Whether a figure counts. It never turns a measured number into null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing speaks against it.
    Valid,
    /// Its reasons say what does.
    Invalid,
}

/// How a run measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Protocol {
    /// `quick`, `default` or `publish`.
    pub mode: String,
    /// Windows of each row.
    pub windows: u64,
    /// Shortest length of a window.
    pub window_seconds: f64,
    /// Batches that stay in flight.
    pub batches_in_flight: u64,
    /// Throughput is compared over slices of this length to tell when it is flat.
    pub warm_up_slice_seconds: f64,
    /// The warm-up ends then, steady or not.
    pub warm_up_longest_seconds: f64,
}

/// The machine and the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The program.
    pub rigbench: Program,
    /// The machine.
    pub host: Host,
    /// Devices that the run measures.
    pub devices: Vec<Device>,
    /// Energy sources, for each device and workload.
    pub sources: Vec<Source>,
    /// Settings of drivers and libraries that change how fast they are, as the environment gives them.
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
    /// The device whose runs it covers.
    pub device: String,
    /// The workload that it covers.
    pub workload: String,
    /// `declared` or `model`.
    pub kind: String,
    /// What its readings cover.
    pub scope: Scope,
    /// Where its figures come from.
    pub basis: String,
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

/// One workload on one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// The device's id.
    pub device: String,
    /// The device's class.
    pub class: String,
    /// What was run.
    pub workload: Workload,
    /// The kernel that ran; null if the row did not get that far.
    pub kernel: Option<Kernel>,
    /// How it was chosen, and the length of its batches; null if the row did not get that far.
    pub tuning: Option<Tuning>,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it is unsupported or failed.
    pub reason: Option<String>,
    /// What the oracle compared; null if nothing was measured.
    pub verification: Option<Verification>,
    /// How the warm-up went; null if nothing was measured.
    pub warm_up: Option<WarmUp>,
    /// In order, each beginning where the one before ended.
    pub windows: Vec<Window>,
    /// Median over the windows; null if nothing was measured.
    pub throughput: Option<Throughput>,
    /// How near that is to the device's limits; null if it is no product.
    pub roof: Option<Roof>,
    /// Joules, and what they are worth.
    pub energy: Energy,
    /// What other sources say.
    pub energy_other: Vec<Energy>,
    /// How long batches took; null if nothing was measured.
    pub latency: Option<Latency>,
    /// What shows that the windows' work was done; null if nothing was measured or the workload has no such thing.
    pub work_proof: Option<WorkProof>,
    /// Whether the row counts.
    pub verdict: Verdict,
    /// What makes it invalid.
    pub reasons: Vec<String>,
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workload {
    /// `sha256d`, `gemm`, `gemv`, `peak` or `stream`.
    pub id: String,
    /// The unit of its work: `hash`, `flop` or `byte`.
    pub unit: String,
    /// Shape and type as the command line writes them; null if it has none.
    pub shape: Option<String>,
    /// The layer of a model that it was asked for as, `llama-3-8b/ffn-up`; null if by its shape.
    pub layer: Option<String>,
}

/// The kernel that ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// The variant's name.
    pub id: String,
    /// Its parameters; empty for native code.
    pub params: BTreeMap<String, String>,
    /// Digest of the WGSL that was compiled; null for native code.
    pub wgsl_sha256: Option<String>,
    /// The arithmetic that multiplies: `f32`, `f16`, `dot4` or `matrix`; null if it does not multiply.
    pub arithmetic: Option<String>,
}

/// How a kernel and the length of its batches were chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tuning {
    /// When the trials were made.
    pub source: TuningSource,
    /// The variant that was chosen.
    pub kernel: String,
    /// The length that its batches are sized for.
    pub batch_seconds: f64,
    /// Everything that was tried, in turns: variants at one length, then lengths with the chosen variant.
    pub trials: Vec<Trial>,
}

/// When trials were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TuningSource {
    /// In this run.
    Trials,
    /// In an earlier run on the same device, driver, program and settings.
    Cache,
}

/// A variant at a length of batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// The variant's name.
    pub kernel: String,
    /// The length that its batches were sized for.
    pub batch_seconds: f64,
    /// Median of the slices, units of work a second; null if it was not timed.
    pub throughput: Option<f64>,
    /// Units of work a second of each slice.
    pub slices: Vec<f64>,
    /// Why it was not timed.
    pub reason: Option<String>,
}

/// What came of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// There are windows.
    Measured,
    /// The device cannot hold it.
    Unsupported,
    /// The kernel is wrong or the device gave up.
    Failed,
}

/// How near a row is to its device's limits, as rows of the same run measured them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Roof {
    /// The arithmetic that multiplies.
    pub arithmetic: String,
    /// Share of the rate of `peak` in this arithmetic; null if that was not measured.
    pub peak_share: Option<f64>,
    /// Bytes a second that it must read and write at least, as a share of `stream`; null if that was not measured.
    pub stream_share: Option<f64>,
    /// Share of the peak that the vendor publishes for this arithmetic; null if it is not known here.
    pub published_peak_share: Option<f64>,
    /// Where the vendor's peak is published.
    pub published_peak_source: Option<String>,
}

/// What the oracle compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// Outputs compared before anything was timed.
    pub checked: u64,
    /// Outputs of the measured windows compared afterwards.
    pub checked_in_windows: u64,
    /// The largest error as a share of what rounding may explain; 0 where outputs are exact.
    pub worst_error_share: f64,
}

/// How the warm-up went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WarmUp {
    /// How long it took.
    pub seconds: f64,
    /// Whether throughput was flat at its end.
    pub steady: bool,
}

/// One slice of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// Since the row's first window began.
    pub started_seconds: f64,
    /// From mark to mark, the device idle at both.
    pub wall_seconds: f64,
    /// Processor time of the process, all threads.
    pub cpu_seconds: f64,
    /// Time on the device's own clock; null if it has none.
    pub gpu_seconds: Option<f64>,
    /// Units of work that were dispatched and done.
    pub work: u64,
    /// The machine's state over the window.
    pub telemetry: Telemetry,
}

/// The machine's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Telemetry {
    /// Use of all processor threads together, 0 to 1.
    pub cpu_use: Option<f64>,
    /// Mean frequency of the processor's threads.
    pub cpu_hertz: Option<f64>,
    /// Sensors.
    pub temperatures: Vec<Temperature>,
    /// Use of the GPU, 0 to 1: some kernel ran.
    pub gpu_use: Option<f64>,
}

/// A sensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Temperature {
    /// The sensor's name.
    pub sensor: String,
    /// Degrees Celsius.
    pub celsius: f64,
}

/// Units of work a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Throughput {
    /// Median over the windows.
    pub value: f64,
    /// `hash/s` or `flop/s`.
    pub unit: String,
    /// Lower end of the 95 % interval; null with fewer than six windows.
    pub ci95_low: Option<f64>,
    /// Upper end of the 95 % interval; null with fewer than six windows.
    pub ci95_high: Option<f64>,
    /// Windows.
    pub n: u64,
    /// How the interval was found.
    pub method: String,
}

/// Joules, and what they are worth. A modelled figure has no joules-per-unit value, only a low and a high one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "provenance", rename_all = "kebab-case")]
pub enum Energy {
    /// A user typed watts.
    Declared(PointEnergy),
    /// Nobody measured: somewhere between two bounds.
    Modelled(ModelledEnergy),
    /// Nothing is known.
    None(NoEnergy),
}

/// Energy with a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PointEnergy {
    /// What it covers.
    pub scope: Scope,
    /// The source's kind.
    pub source: String,
    /// Gross joules a unit of work: all joules over all work.
    pub joules_per_unit: PerUnit,
    /// All joules over the windows, idle draw included.
    pub gross_joules: f64,
    /// Joules above the idle baseline; null if none was taken.
    pub net_joules: Option<f64>,
    /// Mean power over the windows.
    pub power_watts: f64,
}

/// Energy for a unit of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerUnit {
    /// Joules a unit of work.
    pub value: f64,
    /// Lower end of the 95 % interval; null with fewer than six windows.
    pub ci95_low: Option<f64>,
    /// Upper end of the 95 % interval; null with fewer than six windows.
    pub ci95_high: Option<f64>,
    /// Windows.
    pub n: u64,
    /// How the interval was found.
    pub method: String,
}

/// Energy without a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelledEnergy {
    /// What it covers.
    pub scope: Scope,
    /// The source's kind.
    pub source: String,
    /// No fewer joules a unit of work than this.
    pub modelled_joules_per_unit_low: f64,
    /// No more joules a unit of work than this.
    pub modelled_joules_per_unit_high: f64,
    /// No less power than this.
    pub modelled_power_watts_low: f64,
    /// No more power than this.
    pub modelled_power_watts_high: f64,
    /// Where the bounds come from.
    pub basis: String,
}

/// No energy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoEnergy {
    /// Why.
    pub reason: String,
}

/// How long batches took: from the later of a batch's submission and the end of the one before, to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// Batches.
    pub n: u64,
    /// Null with fewer than 20 batches.
    pub p50_seconds: Option<f64>,
    /// Null with fewer than 100 batches.
    pub p90_seconds: Option<f64>,
    /// Null with fewer than 1,000 batches.
    pub p99_seconds: Option<f64>,
    /// Null with fewer than 10,000 batches.
    pub p999_seconds: Option<f64>,
    /// HdrHistogram, V2 serialisation in base64, nanoseconds: histograms of several runs can be merged.
    pub hdr_v2_base64: String,
}

/// What shows that work was done. It does not show when, where, how fast or at what joules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum WorkProof {
    /// Of sha256d: hashes that met a target.
    Shares(Shares),
    /// Of a matrix product: elements of it. They show that it is right, not how often it was computed.
    Elements(Elements),
}

/// Hashes that met a target. One in 2^zero_bits does, so their number shows how many were computed. A header's bytes:
/// version 0x20000000, exclusive or the share's `version` shifted left by 13; 32 zero bytes; SHA-256 of the row's seed
/// and `header N`; N; 0x1d00ffff; the nonce. Numbers are little-endian, 4 bytes. The row's seed is SHA-256 of the run's seed
/// and `DEVICE WORKLOAD` as the row has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shares {
    /// Zero bits that a share's hash begins with.
    pub zero_bits: u32,
    /// Versions of the header in which every word was hashed.
    pub versions: u32,
    /// Where the scan of the first window began.
    pub from: Place,
    /// Where the scan of the last window ended.
    pub to: Place,
    /// Every share between them.
    pub shares: Vec<Share>,
}

/// A place in the scan: header after header, and of each the words 0 to 2^32 − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Index of the header.
    pub header: u64,
    /// The nonce with its bytes swapped, as the hash reads it.
    pub word: u32,
}

/// A hash that met the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// Index of the header.
    pub header: u64,
    /// Its version.
    pub version: u32,
    /// The nonce.
    pub nonce: u32,
}

/// Elements of C = A·B that windows put out. The values of A and B follow from the row's seed, which is SHA-256 of the run's
/// seed and `DEVICE WORKLOAD` as the row has them. A tensor's key is the first 8 bytes of SHA-256 of the row's seed and the
/// tensor's name; element i adds the four 16-bit parts of SplitMix64's output for key and i, less 131070, over 37837.227.
/// A's index is m·K + k, B's k·N + n; the first 16 terms of A's rows are of the tensor `A in window W`. Integer types round
/// 48 (int8) or 3 (int4) times the value; their scales, one for 32 terms, are 1 and an eighth of tensor `A, scales` or
/// `B, scales`, over 48 or 3, in f16.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Elements {
    /// How often a product may have been rounded to f16 on its way into the sum, which is otherwise in f32.
    pub f16_roundings: u32,
    /// By how much weights may have been added up larger than they are, which was taken off again: unsigned integers.
    pub weight_excess: u32,
    /// The elements, some of each window.
    pub elements: Vec<Element>,
}

/// An element of C.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Element {
    /// The window, from 0.
    pub window: u32,
    /// Its row.
    pub row: u64,
    /// Its column.
    pub column: u64,
    /// Its value.
    pub value: f32,
}

/// What a reader needs to check the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// What the user chose the data with.
    pub user_seed: u32,
    /// SHA-256 of the manifest's canonical JSON (RFC 8785) and the user's seed (8 bytes, little-endian).
    pub seed_sha256: String,
    /// SHA-256 of this document's canonical JSON without this field.
    pub document_sha256: String,
}
