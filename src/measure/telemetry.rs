//! State of the machine beside the windows: CPU use and frequency, temperatures, GPU use, state of the card. It explains a figure; no
//! energy is derived from it.

use crate::device::Device;
use crate::energy::{self, Board, BoardState, Throttle};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use sysinfo::{Components, CpuRefreshKind, Gpus, System};

/// A sample of the machine, over the time since the previous one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Use of all CPU threads together, 0 to 1.
    pub cpu_use: Option<f64>,
    /// Mean frequency of the CPU threads, in hertz.
    pub cpu_hertz: Option<f64>,
    /// Temperatures of the machine's sensors in degrees Celsius, by name.
    pub celsius: BTreeMap<String, f64>,
    /// GPU use, 0 to 1: the share of time in which some kernel ran.
    pub gpu_use: Option<f64>,
    /// State of the card, if its driver reports it.
    pub board: Option<BoardState>,
}

impl Sample {
    /// Temperature of the card in degrees Celsius, or else of the hottest sensor; `None` if there is none.
    pub fn hottest(&self) -> Option<f64> {
        let of_board = self.board.as_ref().and_then(|board| board.celsius);
        of_board.or(self.celsius.values().copied().reduce(f64::max))
    }
}

/// Samples in columns. Columns without any value are omitted; constant columns have one entry.
#[serde_with::apply(Vec => #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "constant_as_one")])]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Telemetry {
    /// Number of samples.
    pub samples: usize,
    /// Use of all CPU threads together, 0 to 1.
    pub cpu_use: Vec<Option<f64>>,
    /// Mean frequency of the CPU threads.
    pub cpu_hertz: Vec<Option<f64>>,
    /// Temperatures of the machine's sensors in degrees Celsius, by name.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        serialize_with = "constants_as_one"
    )]
    pub celsius: BTreeMap<String, Vec<Option<f64>>>,
    /// GPU use, 0 to 1: the share of time in which some kernel ran.
    pub gpu_use: Vec<Option<f64>>,
    /// State of the card; null if its driver does not report it.
    pub board: Option<BoardTelemetry>,
}

/// State of a card in columns.
#[serde_with::apply(Vec => #[serde(serialize_with = "constant_as_one")])]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BoardTelemetry {
    /// Temperature of the GPU in degrees Celsius.
    pub celsius: Vec<Option<f64>>,
    /// Core clock.
    pub core_hertz: Vec<Option<f64>>,
    /// Memory clock.
    pub memory_hertz: Vec<Option<f64>>,
    /// Power limit in force.
    pub power_limit_watts: Vec<Option<f64>>,
    /// Active throttle reasons; `power-cap` is normal; null if unknown.
    pub throttle: Vec<Option<Vec<Throttle>>>,
}

impl Telemetry {
    /// Adds a sample.
    pub fn push(&mut self, sample: &Sample) {
        let samples = self.samples;
        add(&mut self.cpu_use, samples, sample.cpu_use.map(|share| rounded(share, 1e4)));
        add(&mut self.cpu_hertz, samples, sample.cpu_hertz.map(f64::round));
        add(&mut self.gpu_use, samples, sample.gpu_use.map(|share| rounded(share, 1e4)));
        for name in sample.celsius.keys() {
            self.celsius.entry(name.clone()).or_default();
        }
        for (name, column) in &mut self.celsius {
            add(column, samples, sample.celsius.get(name).map(|celsius| rounded(*celsius, 10.0)));
        }
        if samples == 0 {
            self.board = sample.board.as_ref().map(|_| BoardTelemetry::default());
        }
        self.board = self.board.take().zip(sample.board.as_ref()).map(|(mut board, state)| {
            board.push(state);
            board
        });
        self.samples += 1;
    }

    /// Whether every column has `n` entries, or one for all.
    pub fn has_length(&self, n: usize) -> bool {
        let columns = [&self.cpu_use, &self.cpu_hertz, &self.gpu_use];
        let or_none = |column: &Vec<Option<f64>>| column.is_empty() || is_whole(column, n);
        self.samples == n
            && columns.into_iter().all(or_none)
            && self.celsius.values().all(or_none)
            && self.board.as_ref().is_none_or(|board| board.has_length(n))
    }

    /// CPU use at a sample.
    pub fn cpu_use_at(&self, sample: usize) -> Option<f64> {
        let index = if self.cpu_use.len() == 1 { 0 } else { sample };
        self.cpu_use.get(index).copied().flatten()
    }

    /// The power limits in force, without consecutive repetitions.
    pub fn power_limits(&self) -> Vec<f64> {
        let column = self.board.iter().flat_map(|board| &board.power_limit_watts);
        let mut limits: Vec<f64> = column.flatten().copied().collect();
        limits.dedup();
        limits
    }
}

impl BoardTelemetry {
    fn push(&mut self, state: &BoardState) {
        self.celsius.push(state.celsius);
        self.core_hertz.push(state.core_hertz);
        self.memory_hertz.push(state.memory_hertz);
        self.power_limit_watts.push(state.power_limit.map(|watts| watts.0));
        self.throttle.push(state.throttle.clone());
    }

    fn has_length(&self, n: usize) -> bool {
        let columns =
            [&self.celsius, &self.core_hertz, &self.memory_hertz, &self.power_limit_watts];
        columns.into_iter().all(|column| is_whole(column, n)) && is_whole(&self.throttle, n)
    }
}

/// Whether a column has `n` entries, or one for all.
fn is_whole<T>(column: &[T], n: usize) -> bool {
    column.len() == n || (column.len() == 1 && n > 0)
}

/// Serializes a column; a constant one as one entry.
fn constant_as_one<T: Serialize + PartialEq, S: Serializer>(
    column: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    compacted(column).serialize(serializer)
}

/// A column, or its first entry if it is constant.
fn compacted<T: PartialEq>(column: &[T]) -> &[T] {
    let is_constant = column.windows(2).all(|pair| pair[0] == pair[1]);
    if is_constant { &column[..column.len().min(1)] } else { column }
}

/// The same for a map of columns.
fn constants_as_one<S: Serializer>(
    columns: &BTreeMap<String, Vec<Option<f64>>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(columns.iter().map(|(name, column)| (name, compacted(column))))
}

/// Appends to a column, which starts with the first known value and is padded before it.
fn add(column: &mut Vec<Option<f64>>, samples: usize, value: Option<f64>) {
    if column.is_empty() && value.is_some() {
        column.resize(samples, None);
    }
    if value.is_some() || !column.is_empty() {
        column.push(value);
    }
}

fn rounded(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}

/// Observes the machine.
pub struct Observer {
    system: Option<System>,
    components: Option<Components>,
    gpus: Option<Gpus>,
    pci: Option<String>,
    board: Option<Box<dyn Board>>,
}

impl Observer {
    /// An observer of the machine and of `device`.
    pub fn new(device: &Device) -> Observer {
        let pci = device.gpu.as_ref().and_then(|gpu| gpu.pci.clone());
        // Listing GPUs loads their drivers' libraries, and a device without a PCI address would not be found.
        let gpus = pci.as_ref().and_then(|_| Gpus::new_with_refreshed_list().ok());
        Observer {
            system: System::new().ok(),
            components: Components::new_with_refreshed_list().ok(),
            gpus,
            pci,
            board: energy::board(device),
        }
    }

    /// The state since the last call; the first call only starts the measurement of use.
    pub fn sample(&mut self) -> Sample {
        let mut sample = Sample::default();
        if let Some(system) = &mut self.system {
            system.refresh_cpu_specifics(CpuRefreshKind::everything());
            let cpus = system.cpus();
            if !cpus.is_empty() {
                sample.cpu_use = Some(f64::from(system.global_cpu_usage()) / 100.0);
                let sum: f64 = cpus.iter().map(|cpu| cpu.frequency() as f64).sum();
                let mean = sum / cpus.len() as f64;
                sample.cpu_hertz = Some(mean * 1e6).filter(|hertz| *hertz > 0.0);
            }
        }
        if let Some(components) = &mut self.components {
            components.refresh(false);
            for component in components.iter() {
                if let Some(celsius) = component.temperature().filter(|t| t.is_finite()) {
                    sample.celsius.insert(component.label().to_string(), f64::from(celsius));
                }
            }
        }
        if let (Some(gpus), Some(pci)) = (&mut self.gpus, &self.pci) {
            gpus.refresh(false);
            let this = gpus.iter().find(|gpu| gpu.pci().to_string() == *pci);
            sample.gpu_use = this.and_then(|gpu| gpu.usage()).map(|u| f64::from(u) / 100.0);
        }
        sample.board = self.board.as_mut().map(|board| board.state());
        sample
    }
}
