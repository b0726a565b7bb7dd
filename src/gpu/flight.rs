//! Several submissions in flight, so that the device does not starve while the host looks at what came back.
//! The host blocks on the oldest; it never spins.

use super::{Bindings, Buffer, Gpu, GpuError, Pipeline};
use crate::units::Seconds;
use std::collections::VecDeque;

/// One kernel over some workgroups.
pub struct Dispatch<'a> {
    /// The compiled kernel.
    pub pipeline: &'a Pipeline,
    /// What it works on.
    pub bindings: &'a Bindings,
    /// Workgroups along x, y, z.
    pub groups: [u32; 3],
}

/// What one submission does: clear, dispatch in order, then bring `read` to the host.
#[derive(Default)]
pub struct Batch<'a> {
    /// Its first four bytes are zeroed before the dispatches: a counter.
    pub clear: Option<&'a Buffer>,
    /// Kernels to run, one after the other.
    pub dispatches: Vec<Dispatch<'a>>,
    /// A buffer to bring to the host afterwards, no larger than the flight was made for.
    pub read: Option<&'a Buffer>,
}

/// A submission that the device has done.
#[derive(Debug)]
pub struct Completed {
    /// Time that the dispatches took on the device's own clock, where it has one.
    pub gpu_seconds: Option<Seconds>,
    /// The buffer that was asked for, as 32-bit words; empty if none was.
    pub words: Vec<u32>,
}

/// A ring of submissions.
pub struct Flight {
    gpu: Gpu,
    slots: Vec<Slot>,
    next: usize,
    pending: VecDeque<Pending>,
}

/// What one submission needs of its own.
struct Slot {
    clock: Option<Clock>,
    /// Begin and end of the pass, then what is read.
    readback: wgpu::Buffer,
}

struct Pending {
    slot: usize,
    bytes: u64,
    index: wgpu::SubmissionIndex,
}

struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

/// Bytes of the two timestamps at the head of a readback buffer.
const STAMPS: u64 = 16;

impl Flight {
    /// A ring of `depth` submissions that each bring back at most `read_bytes`.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn new(gpu: &Gpu, depth: usize, read_bytes: u64) -> Result<Flight, GpuError> {
        use wgpu::BufferUsages as U;
        let slot = |_| -> Result<Slot, GpuError> {
            let clock = if gpu.details().timestamps {
                let descriptor = wgpu::QuerySetDescriptor {
                    label: None,
                    ty: wgpu::QueryType::Timestamp,
                    count: 2,
                };
                let queries = gpu.attempt(|| gpu.device.create_query_set(&descriptor))?;
                let resolved = gpu.allocate(STAMPS, U::QUERY_RESOLVE | U::COPY_SRC)?.0;
                Some(Clock { queries, resolved })
            } else {
                None
            };
            let readback = gpu.allocate(STAMPS + read_bytes, U::MAP_READ | U::COPY_DST)?.0;
            Ok(Slot { clock, readback })
        };
        let slots = (0..depth).map(slot).collect::<Result<_, _>>()?;
        Ok(Flight { gpu: gpu.clone(), slots, next: 0, pending: VecDeque::new() })
    }

    /// The slot that the next submission takes; buffers that it writes should be this slot's own.
    pub fn next_slot(&self) -> usize {
        self.next
    }

    /// Hands a batch to the device.
    ///
    /// # Panics
    /// If every slot is in flight: the caller waits first.
    ///
    /// # Errors
    /// If the device is lost or refuses.
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
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes: slot.clock.as_ref().map(|clock| {
                    wgpu::ComputePassTimestampWrites {
                        query_set: &clock.queries,
                        beginning_of_pass_write_index: Some(0),
                        end_of_pass_write_index: Some(1),
                    }
                }),
            });
            for dispatch in &batch.dispatches {
                let [x, y, z] = dispatch.groups;
                pass.set_pipeline(dispatch.pipeline.raw());
                pass.set_bind_group(0, &dispatch.bindings.0, &[]);
                pass.dispatch_workgroups(x, y, z);
            }
        }
        if let Some(clock) = &slot.clock {
            encoder.resolve_query_set(&clock.queries, 0..2, &clock.resolved, 0);
            encoder.copy_buffer_to_buffer(&clock.resolved, 0, &slot.readback, 0, STAMPS);
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
        let gpu_seconds = slot
            .clock
            .as_ref()
            .and_then(|_| tick(2).checked_sub(tick(0)))
            .map(|ticks| Seconds(ticks as f64 * self.gpu.tick_seconds));
        Ok(Some(Completed { gpu_seconds, words }))
    }
}
