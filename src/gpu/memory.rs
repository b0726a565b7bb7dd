//! Device memory that kernels read: a buffer or a texture, as the kernel declares. Texture loads may be fast where buffer loads are slow.

use super::{Buffer, Gpu, GpuError};
use crate::kernels::BindingKind;
use crate::units::Bytes;

/// Bytes of a texel.
pub const TEXEL_BYTES: u64 = 16;

/// Four 32-bit words per texel.
pub(super) const TEXELS: wgpu::TextureFormat = wgpu::TextureFormat::Rgba32Uint;

/// Texels per row of a texture: texel p is at (p mod 1024, p / 1024). Rows as long as a matrix's rows may thrash the caches.
const WIDTH: u32 = 1024;
const ROW_BYTES: u64 = TEXEL_BYTES * WIDTH as u64;

/// An array of texels of four 32-bit words.
pub enum Memory {
    /// In a storage buffer.
    Buffer(Buffer),
    /// In a 2D texture.
    Texture(Texture),
}

/// An array of texels, folded into the rows of a 2D texture.
pub struct Texture(pub(super) wgpu::TextureView);

/// A resource to bind.
pub enum Resource<'a> {
    /// A whole buffer.
    Buffer(&'a Buffer),
    /// A texture.
    Texture(&'a Texture),
}

impl Memory {
    /// The resource to bind.
    pub fn resource(&self) -> Resource<'_> {
        match self {
            Memory::Buffer(buffer) => Resource::Buffer(buffer),
            Memory::Texture(texture) => Resource::Texture(texture),
        }
    }
}

impl Gpu {
    /// Zeroed memory of `texels` for a binding of this kind.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn memory(&self, kind: BindingKind, texels: u64) -> Result<Memory, GpuError> {
        let bytes = TEXEL_BYTES * texels;
        match kind {
            BindingKind::Texture => self.texture(bytes).map(Memory::Texture),
            _ => self.storage(bytes).map(Memory::Buffer),
        }
    }

    /// A zeroed texture of `bytes`, rounded up to whole rows.
    fn texture(&self, bytes: u64) -> Result<Texture, GpuError> {
        use wgpu::TextureUsages as U;
        let height = bytes.div_ceil(ROW_BYTES) as u32;
        let descriptor = wgpu::TextureDescriptor {
            label: None,
            size: wgpu::Extent3d { width: WIDTH, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: TEXELS,
            usage: U::STORAGE_BINDING | U::COPY_DST | U::COPY_SRC,
            view_formats: &[],
        };
        let what = || format!("a texture of {}", Bytes(bytes));
        let texture = self.make(what, || self.device.create_texture(&descriptor))?;
        Ok(Texture(self.attempt(|| texture.create_view(&Default::default()))?))
    }

    /// Maximum bytes that a kernel can read through one binding, whatever its kind.
    pub fn largest_binding(&self) -> u64 {
        let limits = self.details().limits;
        limits.storage_binding.0.min(limits.buffer.0).min(self.largest_texture())
    }

    /// Maximum size of a texture in bytes.
    pub fn largest_texture(&self) -> u64 {
        ROW_BYTES * u64::from(self.device.limits().max_texture_dimension_2d)
    }

    /// Writes whole texels from `first` on, before any later submission.
    ///
    /// # Errors
    /// If the host has no memory for a copy, or the device is lost.
    pub fn write_memory(&self, memory: &Memory, first: u64, words: &[u32]) -> Result<(), GpuError> {
        let texture = match memory {
            Memory::Buffer(buffer) => return self.write(buffer, TEXEL_BYTES * first, words),
            Memory::Texture(Texture(view)) => view.texture(),
        };
        let row = u64::from(WIDTH);
        let (mut x, mut y, mut rest) = ((first % row) as u32, (first / row) as u32, words);
        while !rest.is_empty() {
            let texels = rest.len() as u32 / 4;
            // Part of a row, or all the whole rows at once.
            let (width, height) = match x {
                0 if texels >= WIDTH => (WIDTH, texels / WIDTH),
                _ => (texels.min(WIDTH - x), 1),
            };
            let (now, later) = rest.split_at(4 * (width * height) as usize);
            let origin = wgpu::Origin3d { x, y, z: 0 };
            let to = wgpu::TexelCopyTextureInfo { origin, ..texture.as_image_copy() };
            let bytes_per_row = Some(TEXEL_BYTES as u32 * width);
            let layout = wgpu::TexelCopyBufferLayout { bytes_per_row, ..Default::default() };
            let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
            self.attempt(|| self.queue.write_texture(to, bytemuck::cast_slice(now), layout, size))?;
            (x, y, rest) = (0, y + height, later);
        }
        Ok(())
    }

    /// Copies a memory to another of its kind and size, after all earlier submissions.
    ///
    /// # Errors
    /// If the device is lost or rejects the copy.
    pub fn copy_memory(&self, from: &Memory, to: &Memory) -> Result<(), GpuError> {
        match (from, to) {
            (Memory::Buffer(from), Memory::Buffer(to)) => self.fill(to, from),
            (Memory::Texture(from), Memory::Texture(to)) => self.copy(|encoder| {
                let (from, to) = (from.0.texture(), to.0.texture());
                let size = from.size();
                encoder.copy_texture_to_texture(from.as_image_copy(), to.as_image_copy(), size);
            }),
            _ => Err(GpuError::Refused("a buffer is not a copy of a texture".into())),
        }
    }
}
