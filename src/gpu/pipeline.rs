//! Compiles kernels, each once per opened device. Bind group layouts come from the bindings that naga reflected.

use super::memory::{Resource, TEXELS};
use super::{Gpu, GpuError, spirv};
use crate::kernels::{self, BindingKind, Kernel};
use parking_lot::Mutex;
use std::collections::HashMap;

/// A compiled kernel.
#[derive(Clone)]
pub struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
    /// Its binding numbers.
    bindings: Vec<u32>,
}

/// Compiled kernels by the SHA-256 of their WGSL, shared by all handles of an opened device: drivers take up to seconds for one, and a
/// kernel's text does not depend on the shape.
pub(super) type Pipelines = Mutex<HashMap<String, Pipeline>>;

/// Buffers and textures bound to a kernel's bindings.
pub struct Bindings(pub(super) wgpu::BindGroup);

fn binding_type(kind: BindingKind) -> wgpu::BindingType {
    let buffer =
        |ty| wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None };
    let texture = |access| wgpu::BindingType::StorageTexture {
        access,
        format: TEXELS,
        view_dimension: wgpu::TextureViewDimension::D2,
    };
    match kind {
        BindingKind::Uniform => buffer(wgpu::BufferBindingType::Uniform),
        BindingKind::StorageRead => buffer(wgpu::BufferBindingType::Storage { read_only: true }),
        BindingKind::StorageWrite => buffer(wgpu::BufferBindingType::Storage { read_only: false }),
        BindingKind::Texture => texture(wgpu::StorageTextureAccess::ReadOnly),
        BindingKind::TextureWrite => texture(wgpu::StorageTextureAccess::WriteOnly),
    }
}

impl Gpu {
    /// Compiles a kernel, or returns it as compiled before. The driver may still compile at the first dispatch.
    ///
    /// # Errors
    /// If the driver rejects it.
    pub fn compile(&self, kernel: &Kernel) -> Result<Pipeline, GpuError> {
        self.reports.check_lost()?;
        let sha256 = kernel.sha256();
        if let Some(pipeline) = self.pipelines.lock().get(&sha256) {
            return Ok(pipeline.clone());
        }
        // Not under the lock, so that threads compile at the same time.
        let pipeline = self.compile_anew(kernel)?;
        self.pipelines.lock().insert(sha256, pipeline.clone());
        Ok(pipeline)
    }

    fn compile_anew(&self, kernel: &Kernel) -> Result<Pipeline, GpuError> {
        let label = Some(kernel.id.as_str());
        let entry = |binding: &kernels::Binding| wgpu::BindGroupLayoutEntry {
            binding: binding.index,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: binding_type(binding.kind),
            count: None,
        };
        let entries: Vec<_> = kernel.bindings.iter().map(entry).collect();
        let entry_point = wgpu::PassthroughShaderEntryPoint {
            name: spirv::ENTRY_POINT.into(),
            workgroup_size: kernel.workgroup.into(),
        };
        let device = &self.device;
        let spirv = self.spirv.map(|support| spirv::translate(kernel, support)).transpose();
        let spirv = spirv.map_err(GpuError::Refused)?;
        self.attempt(|| {
            let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label,
                entries: &entries,
            });
            let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label,
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
            // SAFETY: every kernel is part of this crate, indexes only within the buffers that its job allocated, and has loop counts set
            // by the host. wgpu's own loop check would end loops silently after 65,535 iterations.
            let module = unsafe {
                match &spirv {
                    Some(words) => device.create_shader_module_passthrough(
                        wgpu::ShaderModuleDescriptorPassthrough {
                            label,
                            entry_points: std::slice::from_ref(&entry_point).into(),
                            spirv: Some(words.into()),
                            ..Default::default()
                        },
                    ),
                    None => device.create_shader_module_trusted(
                        wgpu::ShaderModuleDescriptor {
                            label,
                            source: wgpu::ShaderSource::Wgsl(kernel.wgsl.as_str().into()),
                        },
                        wgpu::ShaderRuntimeChecks::unchecked(),
                    ),
                }
            };
            let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label,
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some(spirv::ENTRY_POINT),
                compilation_options: wgpu::PipelineCompilationOptions {
                    zero_initialize_workgroup_memory: false,
                    ..Default::default()
                },
                cache: None,
            });
            let bindings = entries.iter().map(|entry| entry.binding).collect();
            Pipeline { pipeline, layout, bindings }
        })
    }

    /// Binds buffers and textures to a kernel's bindings, in their order.
    ///
    /// # Errors
    /// If one does not fit its binding.
    pub fn bind(&self, pipeline: &Pipeline, resources: &[Resource]) -> Result<Bindings, GpuError> {
        let bound = pipeline.bindings.iter().zip(resources);
        let entries = bound.map(|(&binding, resource)| wgpu::BindGroupEntry {
            binding,
            resource: match resource {
                Resource::Buffer(buffer) => buffer.0.as_entire_binding(),
                Resource::Texture(texture) => wgpu::BindingResource::TextureView(&texture.0),
            },
        });
        let entries: Vec<_> = entries.collect();
        let descriptor =
            wgpu::BindGroupDescriptor { label: None, layout: &pipeline.layout, entries: &entries };
        Ok(Bindings(self.attempt(|| self.device.create_bind_group(&descriptor))?))
    }
}
