//! Textures as arrays of four-word texels: texture loads may be fast where buffer loads are slow.

use super::memory::TEXEL_BYTES;
use super::{Gpu, GpuError};
use crate::units::Bytes;

/// Four 32-bit words per texel.
pub(super) const TEXELS: wgpu::TextureFormat = wgpu::TextureFormat::Rgba32Uint;

/// Texels per row: texel p is at (p mod 1024, p / 1024). Rows as long as a matrix's rows may thrash the caches.
const WIDTH: u32 = 1024;

/// An array of texels that kernels read, folded into the rows of a 2D texture.
pub struct Texture {
    texture: wgpu::Texture,
    pub(super) view: wgpu::TextureView,
}

impl Texture {
    /// Size in bytes.
    pub(super) fn size(&self) -> u64 {
        TEXEL_BYTES * u64::from(WIDTH) * u64::from(self.texture.height())
    }
}

impl Gpu {
    /// A zeroed texture of `bytes`, rounded up to whole rows.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub(super) fn texture(&self, bytes: u64) -> Result<Texture, GpuError> {
        let height = bytes.div_ceil(TEXEL_BYTES * u64::from(WIDTH)) as u32;
        let descriptor = wgpu::TextureDescriptor {
            label: None,
            size: wgpu::Extent3d { width: WIDTH, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: TEXELS,
            usage: wgpu::TextureUsages::STORAGE_BINDING
                | wgpu::TextureUsages::COPY_DST
                | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        };
        let what = || format!("a texture of {}", Bytes(bytes));
        let texture = self.make(what, || self.device.create_texture(&descriptor))?;
        let view = self.attempt(|| texture.create_view(&wgpu::TextureViewDescriptor::default()))?;
        Ok(Texture { texture, view })
    }

    /// Maximum size of a texture in bytes.
    pub fn largest_texture(&self) -> u64 {
        TEXEL_BYTES * u64::from(WIDTH) * u64::from(self.device.limits().max_texture_dimension_2d)
    }

    /// Writes whole texels from texel `first` on, before any later submission.
    ///
    /// # Errors
    /// If the host has no memory for a copy, or the device is lost.
    pub(super) fn write_texels(
        &self,
        texture: &Texture,
        first: u64,
        data: &[u32],
    ) -> Result<(), GpuError> {
        let (mut x, mut y) = ((first % u64::from(WIDTH)) as u32, (first / u64::from(WIDTH)) as u32);
        let mut rest = data;
        while !rest.is_empty() {
            let texels = rest.len() as u32 / 4;
            // Part of a row, or all the whole rows at once.
            let (width, height) = match x {
                0 if texels >= WIDTH => (WIDTH, texels / WIDTH),
                _ => (texels.min(WIDTH - x), 1),
            };
            let (now, later) = rest.split_at(4 * (width * height) as usize);
            let destination = wgpu::TexelCopyTextureInfo {
                origin: wgpu::Origin3d { x, y, z: 0 },
                ..texture.texture.as_image_copy()
            };
            let layout = wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(TEXEL_BYTES as u32 * width),
                rows_per_image: None,
            };
            let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
            self.attempt(|| {
                self.queue.write_texture(destination, bytemuck::cast_slice(now), layout, size);
            })?;
            (x, y, rest) = (0, y + height, later);
        }
        Ok(())
    }

    /// Copies a texture to another of the same size.
    pub(super) fn copy_texture(&self, from: &Texture, to: &Texture) -> Result<(), GpuError> {
        let (from, to) = (&from.texture, &to.texture);
        self.copy(|encoder| {
            let size = from.size();
            encoder.copy_texture_to_texture(from.as_image_copy(), to.as_image_copy(), size);
        })
    }
}
