//! sha256d on a GPU: one dispatch a scan, with buffers of its own for every slot in flight. The kernel reports blocks of
//! words that hold a share; the processor finds which word it is.

use super::cpu::shares_among;
use super::{Scan, Scanned, Scanner, header_words};
use crate::gpu::{Batch, Bindings, Buffer, Dispatch, Flight, Gpu, Pipeline};
use crate::kernels::sha256d::{Program, ROTATIONS};
use crate::kernels::{Entry, Kernel};
use crate::workload::{DEPTH, JobError};
use std::collections::VecDeque;

pub(super) struct GpuScanner {
    gpu: Gpu,
    kernel: Kernel,
    pipeline: Pipeline,
    program: Program,
    slots: Vec<Slot>,
    flight: Flight,
    submitted: VecDeque<Scan>,
}

struct Slot {
    scan: Buffer,
    blocks: Buffer,
    bindings: Bindings,
}

/// Words of the scan's parameters before the header's terms.
const FIXED: usize = 4 + 12;

impl GpuScanner {
    pub(super) fn new(gpu: &Gpu, entry: &'static Entry) -> Result<GpuScanner, JobError> {
        let kernel = Kernel::build(entry)?;
        let pipeline = gpu.compile(&kernel)?;
        let program = Program::new();
        let block_bytes = 4 + 4 * u64::from(kernel.number("BLOCKS"));
        let parameters = (FIXED + program.term_count()).next_multiple_of(4) as u64 * 4;
        let slot = |_| -> Result<Slot, JobError> {
            let (scan, blocks) = (gpu.uniform(parameters)?, gpu.storage(block_bytes)?);
            let bindings = gpu.bind(&pipeline, &[&scan, &blocks])?;
            Ok(Slot { scan, blocks, bindings })
        };
        let slots = (0..DEPTH).map(slot).collect::<Result<_, _>>()?;
        let flight = Flight::new(gpu, DEPTH, block_bytes)?;
        let submitted = VecDeque::new();
        Ok(GpuScanner { gpu: gpu.clone(), kernel, pipeline, program, slots, flight, submitted })
    }
}

impl Scanner for GpuScanner {
    fn granule(&self) -> u64 {
        u64::from(self.kernel.workgroup[0]) * u64::from(self.kernel.number("NONCES"))
    }

    fn longest(&self) -> u64 {
        self.granule() * u64::from(self.gpu.details().limits.workgroups)
    }

    fn kernel(&self) -> Option<&Kernel> {
        Some(&self.kernel)
    }

    fn submit(&mut self, scan: &Scan) -> Result<(), JobError> {
        let slot = &self.slots[self.flight.next_slot()];
        let mut parameters = vec![scan.first, scan.mask(), 0, 0];
        parameters.extend(ROTATIONS);
        parameters.resize(FIXED, 0);
        parameters.extend(self.program.terms(&header_words(&scan.header)));
        parameters.resize(parameters.len().next_multiple_of(4), 0);
        self.gpu.write(&slot.scan, 0, &parameters);
        self.flight.submit(&Batch {
            clear: Some(&slot.blocks),
            dispatches: vec![Dispatch {
                pipeline: &self.pipeline,
                bindings: &slot.bindings,
                groups: [(scan.count / self.granule()) as u32, 1, 1],
            }],
            read: Some(&slot.blocks),
        })?;
        self.submitted.push_back(*scan);
        Ok(())
    }

    fn wait(&mut self) -> Result<Scanned, JobError> {
        let done = self.flight.wait()?.expect("a scan was submitted");
        let scan = self.submitted.pop_front().expect("a scan was submitted");
        let (count, blocks) = (done.words[0] as usize, &done.words[1..]);
        let blocks = blocks.get(..count).ok_or_else(|| {
            JobError::Wrong(format!(
                "{count} blocks with a share in one batch, far more than chance gives"
            ))
        })?;
        let mut words = Vec::new();
        for &block in blocks {
            let shares = shares_among(&scan, block, self.kernel.number("NONCES"));
            if shares.is_empty() {
                return Err(JobError::Wrong(format!(
                    "the block at word {block} was reported and has no share"
                )));
            }
            words.extend(shares);
        }
        Ok(Scanned { words, gpu_seconds: done.gpu_seconds })
    }
}
