//! Compiles kernels. Bind group layouts come from the bindings that naga reflected.

use super::texture::TEXELS;
use super::{Buffer, Gpu, GpuError, Texture};
use crate::kernels::{BindingKind, Kernel};

/// A compiled kernel.
pub struct Pipeline {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
    /// Its binding numbers.
    bindings: Vec<u32>,
}

/// Buffers and textures bound to a kernel's bindings.
pub struct Bindings(pub(super) wgpu::BindGroup);

/// A resource to bind.
pub enum Resource<'a> {
    /// A whole buffer.
    Buffer(&'a Buffer),
    /// A texture.
    Texture(&'a Texture),
}

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

impl Pipeline {
    pub(super) fn raw(&self) -> &wgpu::ComputePipeline {
        &self.pipeline
    }
}

impl Gpu {
    /// Compiles a kernel. The driver may still compile at the first dispatch.
    ///
    /// # Errors
    /// If the driver rejects it.
    pub fn compile(&self, kernel: &Kernel) -> Result<Pipeline, GpuError> {
        let entries: Vec<wgpu::BindGroupLayoutEntry> = kernel
            .bindings
            .iter()
            .map(|binding| wgpu::BindGroupLayoutEntry {
                binding: binding.index,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: binding_type(binding.kind),
                count: None,
            })
            .collect();
        let (pipeline, layout) = self.attempt(|| self.pipeline(kernel, &entries))?;
        let bindings = kernel.bindings.iter().map(|binding| binding.index).collect();
        Ok(Pipeline { pipeline, layout, bindings })
    }

    fn pipeline(
        &self,
        kernel: &Kernel,
        entries: &[wgpu::BindGroupLayoutEntry],
    ) -> (wgpu::ComputePipeline, wgpu::BindGroupLayout) {
        let layout = self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(&kernel.id),
            entries,
        });
        let pipeline_layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(&kernel.id),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let source = wgpu::ShaderModuleDescriptor {
            label: Some(&kernel.id),
            source: wgpu::ShaderSource::Wgsl(kernel.wgsl.as_str().into()),
        };
        // SAFETY: every kernel is part of this crate, indexes only within the buffers that its job allocated, and has loop counts set by
        // the host. wgpu's own loop check would end loops silently after 65,535 iterations.
        let module = unsafe {
            self.device.create_shader_module_trusted(source, wgpu::ShaderRuntimeChecks::unchecked())
        };
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&kernel.id),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: None,
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        (pipeline, layout)
    }

    /// Binds buffers and textures to a kernel's bindings, in their order.
    ///
    /// # Errors
    /// If one does not fit its binding.
    pub fn bind(&self, pipeline: &Pipeline, resources: &[Resource]) -> Result<Bindings, GpuError> {
        let entries: Vec<wgpu::BindGroupEntry> = pipeline
            .bindings
            .iter()
            .zip(resources)
            .map(|(&binding, resource)| wgpu::BindGroupEntry {
                binding,
                resource: match resource {
                    Resource::Buffer(buffer) => buffer.0.as_entire_binding(),
                    Resource::Texture(texture) => wgpu::BindingResource::TextureView(&texture.view),
                },
            })
            .collect();
        let descriptor =
            wgpu::BindGroupDescriptor { label: None, layout: &pipeline.layout, entries: &entries };
        Ok(Bindings(self.attempt(|| self.device.create_bind_group(&descriptor))?))
    }
}
