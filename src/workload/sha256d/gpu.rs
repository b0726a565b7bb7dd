//! sha256d on a GPU: one dispatch per scan, with separate buffers for every slot in flight. The kernel reports blocks of words that
//! contain a share; the CPU finds the word.

use super::cpu::scan_by_sha2;
use super::{Limits, Scan, Scanner, ShareHit};
use crate::gpu::{Batch, Bindings, Buffer, Dispatch, Flight, Gpu, Pipeline, Resource};
use crate::kernels::sha256d::{K, Program, ROTATIONS};
use crate::kernels::{Entry, Kernel};
use crate::units::Seconds;
use crate::workload::{DEPTH, JobError};

/// A WGSL scan kernel with its buffers.
pub struct GpuScanner {
    gpu: Gpu,
    kernel: Kernel,
    pipeline: Pipeline,
    program: Program,
    slots: Vec<Slot>,
    flight: Flight,
}

struct Slot {
    scan: Buffer,
    blocks: Buffer,
    bindings: Bindings,
}

/// 32-bit words of the scan's parameters before the header's terms.
const FIXED: usize = 4 + 4 + 12 + 64;

impl GpuScanner {
    /// Compiles a variant.
    ///
    /// # Errors
    /// If the kernel does not build, or the device fails.
    pub fn new(gpu: &Gpu, entry: &'static Entry) -> Result<GpuScanner, JobError> {
        let kernel = Kernel::build(entry)?;
        let pipeline = gpu.compile(&kernel)?;
        let program = Program::new();
        let block_bytes = 4 + 4 * u64::from(kernel.number("BLOCKS"));
        let padded = |terms: usize| terms.next_multiple_of(4);
        let words = FIXED
            + padded(program.schedule_terms.len())
            + kernel.number("VERSIONS") as usize * (8 + padded(program.round_terms.len()));
        let parameters = 4 * words as u64;
        let slot = |_| -> Result<Slot, JobError> {
            let (scan, blocks) = (gpu.uniform(parameters)?, gpu.storage(block_bytes)?);
            let bindings =
                gpu.bind(&pipeline, &[Resource::Buffer(&scan), Resource::Buffer(&blocks)])?;
            Ok(Slot { scan, blocks, bindings })
        };
        let slots = (0..DEPTH).map(slot).collect::<Result<_, _>>()?;
        let flight = Flight::new(gpu, DEPTH, block_bytes)?;
        Ok(GpuScanner { gpu: gpu.clone(), kernel, pipeline, program, slots, flight })
    }
}

impl Scanner for GpuScanner {
    fn limits(&self) -> Limits {
        let granule = u64::from(self.kernel.workgroup[0]) * u64::from(self.kernel.number("NONCES"));
        Limits {
            versions: self.kernel.number("VERSIONS"),
            granule,
            longest: granule * u64::from(self.gpu.details().limits.workgroups),
        }
    }

    fn kernel(&self) -> Option<&Kernel> {
        Some(&self.kernel)
    }

    fn submit(&mut self, scan: &Scan) -> Result<(), JobError> {
        let slot = &self.slots[self.flight.next_slot()];
        let (headers, program) = (scan.headers(), &self.program);
        let mut parameters = vec![scan.first, scan.mask()];
        let mut put = |words: &[u32]| {
            parameters.resize(parameters.len().next_multiple_of(4), 0);
            parameters.extend(words);
        };
        put(&headers[0].tail);
        put(&ROTATIONS);
        put(&K);
        put(&program.values(&program.schedule_terms, &headers[0]));
        for header in &headers {
            put(&header.midstate);
            put(&program.values(&program.round_terms, header));
        }
        parameters.resize(parameters.len().next_multiple_of(4), 0);
        self.gpu.write(&slot.scan, 0, &parameters)?;
        self.flight.submit(&Batch {
            clear: Some(&slot.blocks),
            dispatches: vec![Dispatch {
                pipeline: &self.pipeline,
                bindings: &slot.bindings,
                groups: [(scan.count / self.limits().granule) as u32, 1, 1],
            }],
            read: Some(&slot.blocks),
        })?;
        Ok(())
    }

    fn wait(&mut self, scan: &Scan) -> Result<(Vec<ShareHit>, Option<Seconds>), JobError> {
        let done = self.flight.wait()?.expect("a scan was submitted");
        let (count, blocks) = (done.words[0] as usize, &done.words[1..]);
        let blocks = blocks.get(..count).ok_or_else(|| {
            JobError::Wrong(format!(
                "{count} blocks with a share in one batch, far more than chance gives"
            ))
        })?;
        let headers = scan.headers();
        let mut found = Vec::new();
        for &block in blocks {
            let nonces = self.kernel.number("NONCES");
            let shares = scan_by_sha2(&headers, block, nonces, scan.mask());
            if shares.is_empty() {
                return Err(JobError::Wrong(format!(
                    "the block at word {block} was reported and has no share"
                )));
            }
            found.extend(shares);
        }
        Ok((found, done.gpu_seconds))
    }
}
