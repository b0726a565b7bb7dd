//! Device memory that kernels read: a buffer or a texture, as the kernel declares.

use super::{Buffer, Gpu, GpuError, Resource, Texture};
use crate::kernels::BindingKind;

/// Bytes of a texel.
pub const TEXEL_BYTES: u64 = 16;

/// An array of texels of four 32-bit words.
pub enum Memory {
    /// In a storage buffer.
    Buffer(Buffer),
    /// In a 2D texture.
    Texture(Texture),
}

impl Gpu {
    /// Zeroed memory of `texels` for a binding of this kind.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn memory(&self, kind: BindingKind, texels: u64) -> Result<Memory, GpuError> {
        let bytes = TEXEL_BYTES * texels;
        Ok(match kind {
            BindingKind::Texture => Memory::Texture(self.texture(bytes)?),
            _ => Memory::Buffer(self.storage(bytes)?),
        })
    }

    /// Writes whole texels from `first` on, before any later submission.
    ///
    /// # Errors
    /// If the host has no memory for a copy, or the device is lost.
    pub fn write_memory(&self, memory: &Memory, first: u64, words: &[u32]) -> Result<(), GpuError> {
        match memory {
            Memory::Buffer(buffer) => self.write(buffer, TEXEL_BYTES * first, words),
            Memory::Texture(texture) => self.write_texels(texture, first, words),
        }
    }

    /// Zeroed memory of the same kind and size.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn memory_like(&self, memory: &Memory) -> Result<Memory, GpuError> {
        Ok(match memory {
            Memory::Buffer(buffer) => Memory::Buffer(self.storage(buffer.size())?),
            Memory::Texture(texture) => Memory::Texture(self.texture(texture.size())?),
        })
    }

    /// Copies a memory to another of its kind and size, after all earlier submissions.
    ///
    /// # Errors
    /// If the device is lost or rejects the copy.
    pub fn copy_memory(&self, from: &Memory, to: &Memory) -> Result<(), GpuError> {
        match (from, to) {
            (Memory::Buffer(from), Memory::Buffer(to)) => self.fill(to, from),
            (Memory::Texture(from), Memory::Texture(to)) => self.copy_texture(from, to),
            _ => Err(GpuError::Refused("a buffer is no copy of a texture".into())),
        }
    }
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
