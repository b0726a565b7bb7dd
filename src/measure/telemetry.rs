//! The machine's state beside each window: processor use and frequency, temperatures, GPU use. It explains a
//! figure; no energy is derived from it.

use crate::device::Device;
use crate::energy::{self, Board, BoardState};
use sysinfo::{Components, CpuRefreshKind, Gpus, System};

/// One look at the machine, over the time since the last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Use of all processor threads together, 0 to 1.
    pub cpu_use: Option<f64>,
    /// Mean frequency of the processor's threads, in hertz.
    pub cpu_hertz: Option<f64>,
    /// What the machine's sensors say.
    pub temperatures: Vec<Temperature>,
    /// Use of the GPU that runs the job, 0 to 1; says that some kernel ran, no more.
    pub gpu_use: Option<f64>,
    /// The card's own state, where its driver tells it.
    pub board: Option<BoardState>,
}

impl Sample {
    /// Degrees Celsius of the card, or else of the hottest sensor; none if nothing tells it.
    pub fn hottest(&self) -> Option<f64> {
        let sensors = self.temperatures.iter().map(|sensor| sensor.celsius);
        self.board.as_ref().and_then(|board| board.celsius).or(sensors.reduce(f64::max))
    }
}

/// One sensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Temperature {
    /// The sensor's name.
    pub sensor: String,
    /// Degrees Celsius.
    pub celsius: f64,
}

/// Looks at the machine.
pub struct Telemetry {
    system: Option<System>,
    components: Option<Components>,
    gpus: Option<Gpus>,
    pci: Option<String>,
    board: Option<Box<dyn Board>>,
}

impl Telemetry {
    /// Telemetry for a run on `device`.
    pub fn new(device: &Device) -> Telemetry {
        let pci = device.gpu().and_then(|gpu| gpu.pci.clone());
        // Looking for GPUs loads their drivers' libraries; a device without an address would not be found.
        let gpus = pci.as_ref().and_then(|_| Gpus::new_with_refreshed_list().ok());
        Telemetry {
            system: System::new().ok(),
            components: Components::new_with_refreshed_list().ok(),
            gpus,
            pci,
            board: energy::board(device),
        }
    }

    /// The state since the last call; the first call only begins.
    pub fn sample(&mut self) -> Sample {
        let mut sample = Sample::default();
        if let Some(system) = &mut self.system {
            system.refresh_cpu_specifics(CpuRefreshKind::everything());
            let cpus = system.cpus();
            if !cpus.is_empty() {
                sample.cpu_use = Some(f64::from(system.global_cpu_usage()) / 100.0);
                let mean =
                    cpus.iter().map(|cpu| cpu.frequency() as f64).sum::<f64>() / cpus.len() as f64;
                sample.cpu_hertz = Some(mean * 1e6).filter(|hertz| *hertz > 0.0);
            }
        }
        if let Some(components) = &mut self.components {
            components.refresh(false);
            for component in components.iter() {
                let Some(celsius) = component.temperature().filter(|t| t.is_finite()) else {
                    continue;
                };
                sample.temperatures.push(Temperature {
                    sensor: component.label().to_string(),
                    celsius: f64::from(celsius),
                });
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
