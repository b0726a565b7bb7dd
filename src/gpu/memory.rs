//! Words on the device that kernels read, in a buffer or a texture, as the kernel declares them.

use super::{Buffer, Gpu, GpuError, Resource, Texture};
use crate::kernels::BindingKind;

/// Bytes of a texel.
pub const TEXEL_BYTES: u64 = 16;

/// Texels of four words, one after another.
pub enum Memory {
    /// In a storage buffer.
    Buffer(Buffer),
    /// In a folded texture.
    Texture(Texture),
}

impl Gpu {
    /// Room for so many texels, zero, to be bound to a binding of this kind.
    ///
    /// # Errors
    /// If the device has none.
    pub fn memory(&self, kind: BindingKind, texels: u64) -> Result<Memory, GpuError> {
        let bytes = TEXEL_BYTES * texels;
        Ok(match kind {
            BindingKind::Texture => Memory::Texture(self.texture(bytes)?),
            _ => Memory::Buffer(self.storage(bytes)?),
        })
    }

    /// Writes whole texels from `first` on, before all that is submitted later.
    pub fn write_memory(&self, memory: &Memory, first: u64, words: &[u32]) {
        match memory {
            Memory::Buffer(buffer) => self.write(buffer, TEXEL_BYTES * first, words),
            Memory::Texture(texture) => self.write_texels(texture, first, words),
        }
    }

    /// A second memory like this one.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn duplicate(&self, memory: &Memory) -> Result<Memory, GpuError> {
        Ok(match memory {
            Memory::Buffer(buffer) => Memory::Buffer(self.duplicate_buffer(buffer)?),
            Memory::Texture(texture) => Memory::Texture(self.duplicate_texture(texture)?),
        })
    }
}

impl Memory {
    /// What binds it.
    pub fn resource(&self) -> Resource<'_> {
        match self {
            Memory::Buffer(buffer) => Resource::Buffer(buffer),
            Memory::Texture(texture) => Resource::Texture(texture),
        }
    }
}
