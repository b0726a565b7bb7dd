//! `stream` on a GPU.

use super::repeated::Repeated;
use super::stream_bytes;
use crate::gpu::{Bindings, Buffer, Gpu, GpuError, Memory, Resource, Snapshot, TEXEL_BYTES};
use crate::kernels::Kernel;
use crate::oracle::Verdict;
use crate::workload::{Batch, Job, JobError, Proof, Seed};
use rayon::prelude::*;

/// `stream`.
pub(super) struct Reading {
    repeated: Repeated,
    seed: Seed,
    blocks: Vec<Block>,
    /// Workgroups per block.
    groups: u32,
    /// First words of a workgroup's part, and the sum of all its words except the first.
    first: [u32; 4],
    rest: u32,
    /// The next block to read.
    next: usize,
    /// Blocks per submission.
    repeats: usize,
    nan: Buffer,
    windows: Vec<Vec<Snapshot>>,
}

/// Memory to read, as large as a binding may be.
struct Block {
    words: Memory,
    sums: Buffer,
    bindings: Bindings,
}

impl Reading {
    pub(super) fn new(gpu: &Gpu, kernel: Kernel, seed: Seed) -> Result<Reading, JobError> {
        let repeated = Repeated::new(gpu, kernel)?;
        let kernel = &repeated.kernel;
        let group = u64::from(kernel.number("WORK_PER_INVOCATION") * kernel.workgroup[0]);
        let limits = gpu.details().limits;
        let largest = limits.storage_binding.0.min(limits.buffer.0).min(gpu.largest_texture());
        let most = (largest / group).min(limits.workgroups.into());
        let all = stream_bytes(gpu.description()).0.div_ceil(group);
        let count = all.div_ceil(most);
        let groups = all.div_ceil(count);
        // Bits of weight-like numbers. All workgroups have the same words, which memory cannot exploit.
        let tensor = seed.tensor("words");
        let stretch: Vec<u32> = (0..group / 4).map(|i| tensor.value(i).to_bits()).collect();
        let rest = stretch[1..].iter().fold(0u32, |sum, word| sum.wrapping_add(*word));
        let first = [stretch[0], stretch[1], stretch[2], stretch[3]];
        // Allocates everything before it writes anything, since memory may run out.
        let texels = groups * group / TEXEL_BYTES;
        let room = |_| gpu.memory(kernel.bindings[1].kind, texels);
        let words = (0..count).map(room).collect::<Result<Vec<_>, _>>()?;
        for i in 0..groups {
            gpu.write_memory(&words[0], i * group / TEXEL_BYTES, &stretch)?;
        }
        for copy in &words[1..] {
            gpu.copy_memory(&words[0], copy)?;
        }
        let uniform = gpu.uniform(32)?;
        let block = |words: Memory| -> Result<Block, GpuError> {
            let sums = gpu.storage(4 * groups)?;
            let resources = [Resource::Buffer(&uniform), words.resource(), Resource::Buffer(&sums)];
            let bindings = gpu.bind(&repeated.pipeline, &resources)?;
            Ok(Block { words, sums, bindings })
        };
        let blocks = words.into_iter().map(block).collect::<Result<_, _>>()?;
        let nan = gpu.storage(1 << 16)?;
        gpu.write(&nan, 0, &vec![f32::NAN; 1 << 14])?;
        Ok(Reading {
            repeated,
            seed,
            blocks,
            groups: groups as u32,
            first,
            rest,
            next: 0,
            repeats: 1,
            nan,
            windows: Vec::new(),
        })
    }

    /// The first word of a block in a window.
    fn first_word(&self, block: usize, window: Option<u32>) -> u32 {
        let name = format!("first word of block {block} in window {window:?}");
        self.seed.tensor(&name).value(0).to_bits()
    }

    fn begin(&mut self, window: Option<u32>) -> Result<(), JobError> {
        for (i, block) in self.blocks.iter().enumerate() {
            let [_, a, b, c] = self.first;
            let first = [self.first_word(i, window), a, b, c];
            self.repeated.gpu.write_memory(&block.words, 0, &first)?;
            self.repeated.gpu.fill(&block.sums, &self.nan)?;
        }
        Ok(())
    }

    fn snapshots(&self) -> Result<Vec<Snapshot>, GpuError> {
        let snapshot =
            |block: &Block| self.repeated.gpu.snapshot(&block.sums, 0..block.sums.size());
        self.blocks.iter().map(snapshot).collect()
    }

    /// Judges the blocks' sums. A block that was not read in the window is skipped, but at least one must have been read.
    fn judge(&self, window: Option<u32>, snapshots: &[Snapshot]) -> Result<Verdict, JobError> {
        let mut checked = 0;
        for (i, snapshot) in snapshots.iter().enumerate() {
            let sums: Vec<u32> = self.repeated.gpu.read(snapshot)?;
            let unread = sums.iter().all(|sum| *sum == f32::NAN.to_bits());
            if unread && window.is_some() {
                continue;
            }
            let wrong = sums.par_iter().enumerate().find_any(|(group, sum)| {
                let first = if *group == 0 { self.first_word(i, window) } else { self.first[0] };
                **sum != self.rest.wrapping_add(first)
            });
            if let Some((group, sum)) = wrong {
                return Ok(Verdict::Disagrees(format!(
                    "words of group {group} add up to something else than {sum}"
                )));
            }
            checked += sums.len() as u64;
        }
        Ok(match checked {
            0 => Verdict::Disagrees("nothing was read".into()),
            checked => Verdict::Agrees { checked, worst: 0.0 },
        })
    }
}

impl Job for Reading {
    fn verify(&mut self) -> Result<Verdict, JobError> {
        self.begin(None)?;
        for i in 0..self.blocks.len() {
            let block = &self.blocks[i];
            self.repeated.submit([(&block.bindings, self.groups)].into_iter())?;
            self.repeated.wait()?;
        }
        let snapshots = self.snapshots()?;
        self.judge(None, &snapshots)
    }

    fn kernel(&self) -> Option<&Kernel> {
        Some(&self.repeated.kernel)
    }

    fn resize(&mut self, factor: f64) {
        self.repeats = ((self.repeats as f64 * factor).round() as usize).clamp(1, 1 << 12);
    }

    fn submit(&mut self) -> Result<(), JobError> {
        let (blocks, first, n) = (&self.blocks, self.next, self.repeats);
        self.next = (first + n) % blocks.len();
        let dispatches = (first..first + n).map(|i| &blocks[i % blocks.len()]);
        let dispatches: Vec<_> = dispatches.map(|block| (&block.bindings, self.groups)).collect();
        Ok(self.repeated.submit(dispatches.into_iter())?)
    }

    fn wait(&mut self) -> Result<Batch, JobError> {
        self.repeated.wait()
    }

    fn open_window(&mut self, window: u32) -> Result<(), JobError> {
        self.windows.truncate(window as usize);
        self.begin(Some(window))
    }

    fn close_window(&mut self) -> Result<(), JobError> {
        let snapshots = self.snapshots()?;
        self.windows.push(snapshots);
        Ok(())
    }

    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError> {
        self.judge(Some(window), &self.windows[window as usize])
    }

    fn proof(&self, _: usize) -> Option<Proof> {
        None
    }
}
