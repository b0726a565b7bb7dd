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
    ///
    /// # Errors
    /// If the host has no room for a copy, or the device is lost.
    pub fn write_memory(&self, memory: &Memory, first: u64, words: &[u32]) -> Result<(), GpuError> {
        match memory {
            Memory::Buffer(buffer) => self.write(buffer, TEXEL_BYTES * first, words),
            Memory::Texture(texture) => self.write_texels(texture, first, words),
        }
    }

    /// Room like this memory's, zero.
    ///
    /// # Errors
    /// If the device has none.
    pub fn memory_like(&self, memory: &Memory) -> Result<Memory, GpuError> {
        Ok(match memory {
            Memory::Buffer(buffer) => Memory::Buffer(self.storage(buffer.size())?),
            Memory::Texture(texture) => Memory::Texture(self.texture(texture.size())?),
        })
    }

    /// Copies all of a memory to another of its kind and size, after all that was submitted before.
    ///
    /// # Errors
    /// If the device is lost or refuses.
    pub fn copy_memory(&self, from: &Memory, to: &Memory) -> Result<(), GpuError> {
        match (from, to) {
            (Memory::Buffer(from), Memory::Buffer(to)) => self.fill(to, from),
            (Memory::Texture(from), Memory::Texture(to)) => self.copy_texture(from, to),
            _ => Err(GpuError::Refused("a buffer is no copy of a texture".into())),
        }
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
