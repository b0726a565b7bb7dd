//! Keeps several submissions in flight, so that the device does not idle while the host checks results. The host blocks on the oldest
//! submission; it never spins.

use super::{Bindings, Buffer, Gpu, GpuError, Pipeline};
use crate::units::Seconds;
use std::collections::VecDeque;

/// One kernel over some workgroups.
pub struct Dispatch<'a> {
    /// The compiled kernel.
    pub pipeline: &'a Pipeline,
    /// Its buffers and textures.
    pub bindings: &'a Bindings,
    /// Workgroups along x, y, z.
    pub groups: [u32; 3],
}

/// One submission: clears a counter, dispatches in order, then reads `read` back.
#[derive(Default)]
pub struct Batch<'a> {
    /// A counter: its first four bytes are zeroed before the dispatches.
    pub clear: Option<&'a Buffer>,
    /// Kernels to run, in order.
    pub dispatches: Vec<Dispatch<'a>>,
    /// A buffer to read back afterwards, no larger than `read_bytes` of the flight.
    pub read: Option<&'a Buffer>,
}

/// A finished submission.
#[derive(Debug)]
pub struct Completed {
    /// Time of the dispatches on the device's clock, if it supports timestamps.
    pub gpu_seconds: Option<Seconds>,
    /// The buffer that was read back, as 32-bit words; empty if there was none.
    pub words: Vec<u32>,
}

/// A ring of submissions.
pub struct Flight {
    gpu: Gpu,
    slots: Vec<Slot>,
    next: usize,
    pending: VecDeque<Pending>,
}

/// Resources of one submission.
struct Slot {
    /// Two timestamps, and where they are resolved to; `None` if the device has none.
    clock: Option<(wgpu::QuerySet, wgpu::Buffer)>,
    /// Begin and end timestamps of the pass, then the data that is read back.
    readback: wgpu::Buffer,
}

struct Pending {
    slot: usize,
    bytes: u64,
    index: wgpu::SubmissionIndex,
}

/// Bytes of the two timestamps at the start of a readback buffer.
const STAMPS: u64 = 16;

impl Flight {
    /// A ring of `depth` submissions that each read back at most `read_bytes`.
    ///
    /// # Errors
    /// If the device is out of memory.
    pub fn new(gpu: &Gpu, depth: usize, read_bytes: u64) -> Result<Flight, GpuError> {
        use wgpu::BufferUsages as U;
        let clock = || -> Result<_, GpuError> {
            let ty = wgpu::QueryType::Timestamp;
            let descriptor = wgpu::QuerySetDescriptor { label: None, ty, count: 2 };
            let queries = gpu.attempt(|| gpu.device.create_query_set(&descriptor))?;
            Ok((queries, gpu.allocate(STAMPS, U::QUERY_RESOLVE | U::COPY_SRC)?.0))
        };
        let slot = |_| -> Result<Slot, GpuError> {
            let clock = gpu.details().timestamps.then(clock).transpose()?;
            let readback = gpu.allocate(STAMPS + read_bytes, U::MAP_READ | U::COPY_DST)?.0;
            Ok(Slot { clock, readback })
        };
        let slots = (0..depth).map(slot).collect::<Result<_, _>>()?;
        Ok(Flight { gpu: gpu.clone(), slots, next: 0, pending: VecDeque::new() })
    }

    /// The slot of the next submission; buffers that it writes should belong to this slot alone.
    pub fn next_slot(&self) -> usize {
        self.next
    }

    /// Submits a batch.
    ///
    /// # Panics
    /// If every slot is in flight: the caller must wait first.
    ///
    /// # Errors
    /// If the device is lost or rejects the batch.
    pub fn submit(&mut self, batch: &Batch) -> Result<(), GpuError> {
        assert!(self.pending.len() < self.slots.len(), "wait before submitting more");
        let slot = &self.slots[self.next];
        let bytes = STAMPS + batch.read.map_or(0, Buffer::size);
        let index = self.gpu.attempt(|| {
            let index = self.record(batch, slot);
            slot.readback.slice(..bytes).map_async(wgpu::MapMode::Read, |_| {});
            index
        })?;
        self.pending.push_back(Pending { slot: self.next, bytes, index });
        self.next = (self.next + 1) % self.slots.len();
        Ok(())
    }

    fn record(&self, batch: &Batch, slot: &Slot) -> wgpu::SubmissionIndex {
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        if let Some(buffer) = batch.clear {
            encoder.clear_buffer(&buffer.0, 0, Some(4));
        }
        let timestamp_writes =
            slot.clock.as_ref().map(|(query_set, _)| wgpu::ComputePassTimestampWrites {
                query_set,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            });
        let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
        let mut pass = encoder.begin_compute_pass(&descriptor);
        for Dispatch { pipeline, bindings, groups: [x, y, z] } in &batch.dispatches {
            pass.set_pipeline(&pipeline.pipeline);
            pass.set_bind_group(0, &bindings.0, &[]);
            pass.dispatch_workgroups(*x, *y, *z);
        }
        drop(pass);
        if let Some((queries, resolved)) = &slot.clock {
            encoder.resolve_query_set(queries, 0..2, resolved, 0);
            encoder.copy_buffer_to_buffer(resolved, 0, &slot.readback, 0, STAMPS);
        }
        if let Some(buffer) = batch.read {
            encoder.copy_buffer_to_buffer(&buffer.0, 0, &slot.readback, STAMPS, buffer.size());
        }
        self.gpu.queue.submit([encoder.finish()])
    }

    /// Blocks until the oldest submission is done; `None` if nothing is in flight.
    ///
    /// # Errors
    /// If the device is lost or does not answer.
    pub fn wait(&mut self) -> Result<Option<Completed>, GpuError> {
        let Some(Pending { slot, bytes, index }) = self.pending.pop_front() else {
            return Ok(None);
        };
        self.gpu.wait_for(Some(index))?;
        let slot = &self.slots[slot];
        let mut stamps: Vec<u32> = self.gpu.unmap(&slot.readback, bytes)?;
        let words = stamps.split_off(STAMPS as usize / 4);
        let tick = |i: usize| u64::from(stamps[i]) | u64::from(stamps[i + 1]) << 32;
        let ticks = slot.clock.as_ref().and_then(|_| tick(2).checked_sub(tick(0)));
        let gpu_seconds = ticks.map(|ticks| Seconds(ticks as f64 * self.gpu.tick_seconds));
        Ok(Some(Completed { gpu_seconds, words }))
    }
}
