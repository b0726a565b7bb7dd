//! Subgroup sizes. A driver whose sizes vary chooses one for each kernel and wgpu cannot require one, so a probe shows what it takes for a
//! workgroup. It may still choose another for a kernel that needs more registers, which verification finds.

use super::{Gpu, GpuError};
use crate::kernels::Kernel;
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Every invocation of a workgroup writes the size of its subgroup.
const PROBE: &str = "
override WORKGROUP: u32;
@group(0) @binding(0) var<storage, read_write> sizes: array<u32>;
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) thread: u32, @builtin(subgroup_size) size: u32) {
    sizes[thread] = size;
}
";

/// The smallest and the largest subgroup that a probe found, by the invocations of its workgroup.
pub(super) type Probed = Mutex<BTreeMap<u32, (u32, u32)>>;

impl Gpu {
    /// Why the subgroups that this device makes do not fit a kernel; `None` if they do or it has none.
    pub(super) fn subgroups_do_not_fit(&self, kernel: &Kernel) -> Option<String> {
        let (exact, least) = (kernel.constant("LANES"), kernel.constant("MIN_SUBGROUP"));
        if exact.is_none() && least.is_none() {
            return None;
        }
        let (min, max) = self.subgroup_sizes(kernel.workgroup.iter().product());
        let here = if min == max { format!("{min}") } else { format!("{min} to {max}") };
        if let Some(lanes) = exact.filter(|lanes| (*lanes, *lanes) != (min, max)) {
            return Some(format!("it is written for subgroups of {lanes}, here they have {here}"));
        }
        let least = least.filter(|least| min < *least)?;
        Some(format!("it needs subgroups of {least} or more, here they have {here}"))
    }

    /// Whether a kernel's driver may choose a subgroup size that it is not written for.
    pub fn may_change_subgroups(&self, kernel: &Kernel) -> bool {
        let depends = ["LANES", "MIN_SUBGROUP"].iter().any(|name| kernel.constant(name).is_some());
        depends && self.details().subgroup_min != self.details().subgroup_max
    }

    /// The smallest and the largest subgroup of a workgroup of so many invocations.
    fn subgroup_sizes(&self, invocations: u32) -> (u32, u32) {
        let limits = (self.details().subgroup_min, self.details().subgroup_max);
        if limits.0 == limits.1 {
            return limits;
        }
        if let Some(known) = self.probed.lock().get(&invocations) {
            return *known;
        }
        let sizes = self.probe_subgroups(invocations).unwrap_or_default();
        let found = sizes.iter().copied().min().zip(sizes.iter().copied().max()).unwrap_or(limits);
        self.probed.lock().insert(invocations, found);
        found
    }

    /// The subgroup size that each invocation of a workgroup sees.
    ///
    /// # Errors
    /// If the device has no subgroups, is out of memory or lost.
    pub fn probe_subgroups(&self, invocations: u32) -> Result<Vec<u32>, GpuError> {
        let sizes = self.storage(4 * u64::from(invocations))?;
        self.attempt(|| {
            let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: None,
                source: wgpu::ShaderSource::Wgsl(PROBE.into()),
            });
            let constants = [("WORKGROUP", f64::from(invocations))];
            let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: None,
                layout: None,
                module: &module,
                entry_point: None,
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &constants,
                    ..Default::default()
                },
                cache: None,
            });
            let bindings = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &pipeline.get_bind_group_layout(0),
                entries: &[wgpu::BindGroupEntry {
                    binding: 0,
                    resource: sizes.0.as_entire_binding(),
                }],
            });
            let mut encoder = self.device.create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &bindings, &[]);
            pass.dispatch_workgroups(1, 1, 1);
            drop(pass);
            self.queue.submit([encoder.finish()]);
        })?;
        let snapshot = self.snapshot(&sizes, 0..sizes.size())?;
        self.read(&snapshot)
    }
}
