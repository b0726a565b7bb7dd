//! GPUs through wgpu: finds and opens them, compiles kernels, keeps several submissions in flight and reads results back. Nothing outside
//! this folder imports wgpu.

mod adapters;
mod buffer;
mod flight;
mod layout;
mod memory;
mod pipeline;
mod scope;
pub mod spirv;
mod subgroups;
#[cfg(not(target_vendor = "apple"))]
mod vulkan;

pub use adapters::{
    ALLOW_NONCONFORMANT, enumerate, hidden, is_nonconformant_allowed, left_out, one_per_gpu,
};
pub use buffer::{Buffer, Snapshot};
pub use flight::{Batch, Completed, Dispatch, Flight};
pub use memory::{Memory, Resource, TEXEL_BYTES, Texture};
pub use pipeline::{Bindings, Pipeline};

use crate::device::{self, Device};
use crate::kernels::Kernel;
use crate::units::Bytes;
use pipeline::Pipelines;
use scope::Reports;
use std::sync::Arc;
use std::time::Duration;

/// Timeout of one submission. A dispatch takes 50 ms at most, but the first one may compile.
const TIMEOUT: Duration = Duration::from_secs(60);

/// An error of a GPU.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GpuError {
    /// The adapter has disappeared.
    #[error("{0} is not there any more")]
    Gone(String),
    /// The device was lost: reset, unplugged, or its driver gave up.
    #[error("the device was lost: {0}")]
    Lost(String),
    /// The device is out of memory.
    #[error("the device is out of memory: {0}")]
    OutOfMemory(String),
    /// A buffer or a grid of workgroups would exceed a limit of the adapter.
    #[error("{0}")]
    TooLarge(String),
    /// The driver or wgpu rejected an operation.
    #[error("the driver refused: {0}")]
    Refused(String),
    /// A submission did not finish in time.
    #[error("the device did not answer within {} s", TIMEOUT.as_secs())]
    Hung,
}

/// A device that was opened without wgpu.
struct Opened {
    device: wgpu::Device,
    queue: wgpu::Queue,
    /// SPIR-V that it takes, if wgpu passes that through.
    support: Option<spirv::Support>,
}

/// Apple's devices are opened by wgpu: they have no Vulkan.
#[cfg(target_vendor = "apple")]
mod vulkan {
    pub(super) fn open(
        _: &wgpu::Adapter,
        _: &wgpu::DeviceDescriptor,
    ) -> Option<Result<super::Opened, String>> {
        None
    }
}

/// An opened GPU.
#[derive(Clone)]
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    description: Arc<Device>,
    /// Seconds per tick of the device's clock.
    tick_seconds: f64,
    reports: Arc<Reports>,
    pipelines: Arc<Pipelines>,
    probed: Arc<subgroups::Probed>,
    /// What its driver takes, if kernels are translated here and not by wgpu.
    spirv: Option<spirv::Support>,
}

impl Gpu {
    /// Opens a GPU that [`enumerate`] found.
    ///
    /// # Errors
    /// If it has disappeared, or its driver fails to open it.
    pub fn open(description: &Device) -> Result<Gpu, GpuError> {
        let adapter = adapters::find(description)
            .ok_or_else(|| GpuError::Gone(description.id.to_string()))?;
        let wanted = adapters::useful_features() | wgpu::Features::PASSTHROUGH_SHADERS;
        let features = adapter.features() & wanted;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("rigbench"),
            required_features: features,
            required_limits: adapter.limits(),
            experimental_features: experimental(features),
            ..Default::default()
        };
        let (device, queue, spirv) = match vulkan::open(adapter, &descriptor) {
            Some(Ok(opened)) => (opened.device, opened.queue, opened.support),
            _ => {
                let opened = pollster::block_on(adapter.request_device(&descriptor));
                let (device, queue) =
                    opened.map_err(|error| GpuError::Refused(one_line(&error)))?;
                (device, queue, None)
            }
        };
        let reports = Reports::register(&device);
        let tick_seconds = f64::from(queue.get_timestamp_period()) * 1e-9;
        let description = Arc::new(description.clone());
        let pipelines = Arc::default();
        let probed = Arc::default();
        Ok(Gpu { device, queue, description, tick_seconds, reports, pipelines, probed, spirv })
    }

    /// The device's description.
    pub fn description(&self) -> &Device {
        &self.description
    }

    /// The adapter's properties.
    pub fn details(&self) -> &device::Gpu {
        adapters::details(&self.description)
    }

    /// What a kernel needs that this device lacks; `None` if it can run there.
    pub fn lacks(&self, kernel: &Kernel) -> Option<String> {
        let details = self.details();
        let absent = |feature: &&String| !self.description.features.contains(feature);
        if let Some(feature) = kernel.needs.iter().find(absent) {
            return Some(format!("this adapter has no {feature}"));
        }
        let limits = details.limits;
        if u64::from(kernel.workgroup_bytes) > limits.workgroup_memory.0 {
            let (needed, there) = (Bytes(kernel.workgroup_bytes.into()), limits.workgroup_memory);
            return Some(format!("its workgroups share {needed}, this adapter's at most {there}"));
        }
        self.subgroups_do_not_fit(kernel)
    }

    /// Submits pending writes and blocks until they are done. Until then they take host memory.
    ///
    /// # Errors
    /// If the device is lost or does not answer.
    pub fn flush(&self) -> Result<(), GpuError> {
        let index = self.attempt(|| self.queue.submit([]))?;
        self.wait_for(Some(index))
    }

    /// Destroys the device, as if it were lost: later operations fail.
    pub fn destroy(&self) {
        self.device.destroy();
        self.reports.lose("it was given up".into());
    }

    fn wait_for(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<(), GpuError> {
        let wait = wgpu::PollType::Wait { submission_index: submission, timeout: Some(TIMEOUT) };
        match self.attempt(|| self.device.poll(wait))? {
            Ok(_) => Ok(()),
            Err(wgpu::PollError::Timeout) => {
                // Later submissions would not come back either.
                self.reports.lose(GpuError::Hung.to_string());
                Err(GpuError::Hung)
            }
            Err(error) => Err(GpuError::Refused(one_line(&error))),
        }
    }
}

/// Enables wgpu's experimental features if any is used.
fn experimental(features: wgpu::Features) -> wgpu::ExperimentalFeatures {
    if !features.intersects(wgpu::Features::all_experimental_mask()) {
        return wgpu::ExperimentalFeatures::disabled();
    }
    // SAFETY: such features may have undefined behaviour, which wgpu requires the caller to accept. They are used for cooperative
    // matrices alone, by kernels that are fixed at build time and whose outputs are verified.
    unsafe { wgpu::ExperimentalFeatures::enabled() }
}

/// An error with its causes on one line.
fn one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let parts: Vec<String> = anyhow::Chain::new(error).map(|part| part.to_string()).collect();
    parts.join(": ").split_whitespace().collect::<Vec<_>>().join(" ")
}
