//! sha256d on a GPU: one dispatch a scan, with a parameter and a share buffer for every slot in flight.

use super::{Scan, Scanned, Scanner};
use crate::gpu::{Batch, Bindings, Buffer, Dispatch, Flight, Gpu, Pipeline};
use crate::kernels::sha256d::{Generated, HeaderWords, INITIAL, generate};
use crate::kernels::{Entry, Kernel};
use crate::workload::{DEPTH, JobError};
use sha2::block_api::compress256;

pub(super) struct GpuScanner {
    gpu: Gpu,
    kernel: Kernel,
    pipeline: Pipeline,
    generated: Generated,
    slots: Vec<Slot>,
    flight: Flight,
}

struct Slot {
    scan: Buffer,
    shares: Buffer,
    bindings: Bindings,
}

/// Words of the scan's parameters before the header's terms.
const FIXED: usize = 4;

impl GpuScanner {
    pub(super) fn new(gpu: &Gpu, entry: &'static Entry) -> Result<GpuScanner, JobError> {
        let kernel = Kernel::build(entry)?;
        let pipeline = gpu.compile(&kernel)?;
        let generated = generate();
        let share_bytes = 4 + 4 * u64::from(kernel.number("SHARES"));
        let parameters = (FIXED + generated.term_count()).next_multiple_of(4) as u64 * 4;
        let slot = |_| -> Result<Slot, JobError> {
            let (scan, shares) = (gpu.uniform(parameters)?, gpu.storage(share_bytes)?);
            let bindings = gpu.bind(&pipeline, &[&scan, &shares])?;
            Ok(Slot { scan, shares, bindings })
        };
        let slots = (0..DEPTH).map(slot).collect::<Result<_, _>>()?;
        let flight = Flight::new(gpu, DEPTH, share_bytes)?;
        Ok(GpuScanner { gpu: gpu.clone(), kernel, pipeline, generated, slots, flight })
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
        parameters.extend(self.generated.terms(&header_words(scan)));
        parameters.resize(parameters.len().next_multiple_of(4), 0);
        self.gpu.write(&slot.scan, 0, &parameters);
        self.flight.submit(&Batch {
            clear: Some(&slot.shares),
            dispatches: vec![Dispatch {
                pipeline: &self.pipeline,
                bindings: &slot.bindings,
                groups: [(scan.count / self.granule()) as u32, 1, 1],
            }],
            read: Some(&slot.shares),
        })?;
        Ok(())
    }

    fn wait(&mut self) -> Result<Scanned, JobError> {
        let done = self.flight.wait()?.expect("a scan was submitted");
        let (count, words) = (done.words[0] as usize, &done.words[1..]);
        let words = words.get(..count).ok_or_else(|| {
            JobError::Wrong(format!("{count} shares in one batch, far more than chance gives"))
        })?;
        Ok(Scanned { words: words.to_vec(), gpu_seconds: done.gpu_seconds })
    }
}

fn header_words(scan: &Scan) -> HeaderWords {
    let (head, tail) = scan.header.split_at(64);
    let mut midstate = INITIAL;
    compress256(&mut midstate, &[head.try_into().expect("64 bytes")]);
    let word = |i: usize| u32::from_be_bytes(std::array::from_fn(|b| tail[4 * i + b]));
    HeaderWords { midstate, tail: [word(0), word(1), word(2)] }
}
