//! GPUs through wgpu: find them, open one, compile kernels, keep several submissions in flight and read back
//! what they produced. Nothing outside this folder imports wgpu.

mod adapters;
mod buffer;
mod flight;
mod memory;
mod pipeline;
mod scope;
mod texture;

pub use adapters::{ALLOW_NONCONFORMANT, enumerate, hidden, is_nonconformant_allowed};
pub use buffer::{Buffer, Snapshot};
pub use flight::{Batch, Completed, Dispatch, Flight};
pub use memory::{Memory, TEXEL_BYTES};
pub use pipeline::{Bindings, Pipeline, Resource};
use texture::Texture;

use crate::device::{self, Device};
use crate::kernels::Kernel;
use crate::units::Bytes;
use scope::Reports;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for one submission. A dispatch lasts 50 ms at most, but the first one may compile.
const PATIENCE: Duration = Duration::from_secs(60);

/// What can go wrong with a GPU that was found.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GpuError {
    /// The adapter is not here any more.
    #[error("{0} is not there any more")]
    Gone(String),
    /// The device was lost: reset, unplugged, or its driver gave up.
    #[error("the device was lost: {0}")]
    Lost(String),
    /// The device has no memory left for what was asked.
    #[error("the device is out of memory: {0}")]
    OutOfMemory(String),
    /// A buffer or a grid of workgroups would exceed a limit of the adapter.
    #[error("{0}")]
    TooLarge(String),
    /// The driver or wgpu refused something.
    #[error("the driver refused: {0}")]
    Refused(String),
    /// A submission did not end in time.
    #[error("the device did not answer within {} s", PATIENCE.as_secs())]
    Hung,
}

/// An opened GPU.
#[derive(Clone)]
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    description: Arc<Device>,
    /// Seconds of one tick of the device's clock.
    tick_seconds: f64,
    reports: Arc<Reports>,
}

impl Gpu {
    /// Opens a GPU that [`enumerate`] found.
    ///
    /// # Errors
    /// If it has gone since, or its driver refuses.
    pub fn open(description: &Device) -> Result<Gpu, GpuError> {
        let adapter = adapters::find(description)
            .ok_or_else(|| GpuError::Gone(description.id.to_string()))?;
        let features = adapter.features() & adapters::useful_features();
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("rigbench"),
            required_features: features,
            required_limits: adapter.limits(),
            experimental_features: experimental(features),
            ..Default::default()
        }))
        .map_err(|e| GpuError::Refused(one_line(&e)))?;
        let reports = Reports::of(&device);
        let tick_seconds = f64::from(queue.get_timestamp_period()) * 1e-9;
        let description = Arc::new(description.clone());
        Ok(Gpu { device, queue, description, tick_seconds, reports })
    }

    /// The device's description.
    pub fn description(&self) -> &Device {
        &self.description
    }

    /// The adapter's particulars.
    pub fn details(&self) -> &device::Gpu {
        self.description.gpu.as_ref().expect("only adapters are opened as a Gpu")
    }

    /// What a kernel needs that this device lacks; nothing if it can run there.
    pub fn lacks(&self, kernel: &Kernel) -> Option<String> {
        let details = self.details();
        let absent = |feature: &&String| !self.description.features.contains(feature);
        if let Some(feature) = kernel.needs.iter().find(absent) {
            return Some(format!("this adapter has no {feature}"));
        }
        let (limits, least, most) = (details.limits, details.subgroup_min, details.subgroup_max);
        if u64::from(kernel.workgroup_bytes) > limits.workgroup_memory.0 {
            let needed = Bytes(kernel.workgroup_bytes.into());
            let there = limits.workgroup_memory;
            return Some(format!("its workgroups share {needed}, this adapter's at most {there}"));
        }
        // Where the driver chooses, it mostly takes the largest; verification tells.
        kernel.constant("LANES").filter(|lanes| *lanes != most).map(|lanes| {
            format!("it is written for subgroups of {lanes}, here they have {least} to {most}")
        })
    }

    /// Blocks until the device has done all that was submitted.
    ///
    /// # Errors
    /// If the device is lost or does not answer.
    pub fn wait_idle(&self) -> Result<(), GpuError> {
        self.wait_for(None)
    }

    /// Hands over all that was written and blocks until the device has it. Until then, what is written takes host memory.
    ///
    /// # Errors
    /// If the device is lost or does not answer.
    pub fn flush(&self) -> Result<(), GpuError> {
        let index = self.attempt(|| self.queue.submit([]))?;
        self.wait_for(Some(index))
    }

    /// Gives the device up, as when it is lost: what follows fails.
    pub fn destroy(&self) {
        self.device.destroy();
        self.reports.lose("it was given up".into());
    }

    fn wait_for(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<(), GpuError> {
        let wait = wgpu::PollType::Wait { submission_index: submission, timeout: Some(PATIENCE) };
        match self.attempt(|| self.device.poll(wait))? {
            Ok(_) => Ok(()),
            Err(wgpu::PollError::Timeout) => {
                // Nothing that is submitted later would come back either.
                self.reports.lose(GpuError::Hung.to_string());
                Err(GpuError::Hung)
            }
            Err(error) => Err(GpuError::Refused(one_line(&error))),
        }
    }
}

/// Leave to use what wgpu calls experimental, if it is used at all.
fn experimental(features: wgpu::Features) -> wgpu::ExperimentalFeatures {
    if features.intersects(wgpu::Features::all_experimental_mask()) {
        // SAFETY: wgpu asks its user to accept that such features may have undefined behaviour. They are used for
        // cooperative matrices alone, by kernels that are fixed at build time and whose outputs are verified.
        unsafe { wgpu::ExperimentalFeatures::enabled() }
    } else {
        wgpu::ExperimentalFeatures::disabled()
    }
}

/// An error with its causes on one line.
fn one_line(error: &dyn std::error::Error) -> String {
    let mut parts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        parts.push(cause.to_string());
        source = cause.source();
    }
    parts.join(": ").split_whitespace().collect::<Vec<_>>().join(" ")
}
