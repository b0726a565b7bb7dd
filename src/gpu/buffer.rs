//! Device buffers, and snapshots of parts of them to be read later.

use super::{Gpu, GpuError, one_line};
use crate::units::Bytes;
use std::ops::Range;
use wgpu::BufferUsages as U;

/// A device buffer.
#[derive(Clone)]
pub struct Buffer(pub(super) wgpu::Buffer);

impl Buffer {
    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.0.size()
    }
}

/// A copy of part of a buffer, kept on the device until it is read.
pub struct Snapshot(wgpu::Buffer);

impl Gpu {
    /// A zeroed storage buffer of `size` bytes.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn storage(&self, size: u64) -> Result<Buffer, GpuError> {
        self.allocate(size, U::STORAGE | U::COPY_SRC | U::COPY_DST)
    }

    /// A zeroed uniform buffer of `size` bytes.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn uniform(&self, size: u64) -> Result<Buffer, GpuError> {
        self.allocate(size, U::UNIFORM | U::COPY_DST)
    }

    /// Writes `data` at `offset` (bytes, a multiple of four), before any later submission.
    ///
    /// # Errors
    /// If the host has no memory for a copy, or the device is lost.
    pub fn write<T: bytemuck::NoUninit>(
        &self,
        buffer: &Buffer,
        offset: u64,
        data: &[T],
    ) -> Result<(), GpuError> {
        self.attempt(|| self.queue.write_buffer(&buffer.0, offset, bytemuck::cast_slice(data)))
    }

    /// Fills `buffer` by repeating `pattern`, after all earlier submissions.
    ///
    /// # Errors
    /// If the device is lost or rejects the copy.
    pub fn fill(&self, buffer: &Buffer, pattern: &Buffer) -> Result<(), GpuError> {
        self.copy(|encoder| {
            let mut at = 0;
            while at < buffer.size() {
                let bytes = pattern.size().min(buffer.size() - at);
                encoder.copy_buffer_to_buffer(&pattern.0, 0, &buffer.0, at, bytes);
                at += bytes;
            }
        })
    }

    /// Copies `range` (bytes, multiples of four), after all earlier submissions.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn snapshot(&self, buffer: &Buffer, range: Range<u64>) -> Result<Snapshot, GpuError> {
        let size = range.end - range.start;
        let Buffer(copy) = self.allocate(size, U::MAP_READ | U::COPY_DST)?;
        self.copy(|encoder| encoder.copy_buffer_to_buffer(&buffer.0, range.start, &copy, 0, size))?;
        Ok(Snapshot(copy))
    }

    /// The contents of a snapshot.
    ///
    /// # Errors
    /// If the device was lost.
    pub fn read<T: bytemuck::Pod>(&self, snapshot: &Snapshot) -> Result<Vec<T>, GpuError> {
        self.attempt(|| snapshot.0.slice(..).map_async(wgpu::MapMode::Read, |_| {}))?;
        self.wait_for(None)?;
        self.unmap(&snapshot.0, snapshot.0.size())
    }

    pub(super) fn allocate(&self, size: u64, usage: U) -> Result<Buffer, GpuError> {
        let descriptor =
            wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        let what = || format!("a buffer of {}", Bytes(size));
        Ok(Buffer(self.make(what, || self.device.create_buffer(&descriptor))?))
    }

    /// Submits copies between buffers or textures.
    pub(super) fn copy(
        &self,
        record: impl FnOnce(&mut wgpu::CommandEncoder),
    ) -> Result<(), GpuError> {
        self.attempt(|| {
            let mut encoder = self.device.create_command_encoder(&Default::default());
            record(&mut encoder);
            self.queue.submit([encoder.finish()]);
        })
    }

    /// Copies the first `bytes` of a mapped buffer to the host and unmaps it.
    pub(super) fn unmap<T: bytemuck::Pod>(
        &self,
        buffer: &wgpu::Buffer,
        bytes: u64,
    ) -> Result<Vec<T>, GpuError> {
        self.attempt(|| {
            let view = buffer.get_mapped_range(..bytes)?;
            let out = bytemuck::pod_collect_to_vec::<u8, T>(&view);
            drop(view);
            buffer.unmap();
            Ok(out)
        })?
        .map_err(|e: wgpu::MapRangeError| GpuError::Refused(one_line(&e)))
    }
}
