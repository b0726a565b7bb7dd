//! `stream` on a GPU.

use super::repeated::Repeated;
use super::stream_bytes;
use crate::gpu::{Bindings, Buffer, Gpu, GpuError, Resource, Snapshot};
use crate::kernels::Kernel;
use crate::oracle::Verdict;
use crate::workload::{Batch, Job, JobError, Proof, Seed};
use rayon::prelude::*;

/// `stream`.
pub(super) struct Reading {
    repeated: Repeated,
    seed: Seed,
    blocks: Vec<Block>,
    /// The block whose turn is next.
    next: usize,
    /// Blocks of a submission.
    repeats: usize,
    nan: Buffer,
    windows: Vec<Vec<Snapshot>>,
}

/// A buffer that is read.
struct Block {
    words: Buffer,
    sums: Buffer,
    bindings: Bindings,
    groups: u32,
    /// What the words of each workgroup add up to, but for its first word.
    rest: u32,
}

impl Reading {
    pub(super) fn new(gpu: &Gpu, kernel: Kernel, seed: Seed) -> Result<Reading, JobError> {
        let repeated = Repeated::new(gpu, kernel)?;
        let bytes_of_group =
            u64::from(repeated.kernel.number("WORK_PER_INVOCATION") * repeated.kernel.workgroup[0]);
        let limits = gpu.details().limits;
        let most = (limits.storage_binding.0.min(limits.buffer.0) / bytes_of_group)
            .min(limits.workgroups.into());
        let words_of_group = bytes_of_group / 4;
        let uniform = gpu.uniform(32)?;
        let mut blocks = Vec::new();
        let mut left = stream_bytes().0 / bytes_of_group;
        while left > 0 {
            let groups = left.min(most);
            left -= groups;
            let (words, sums) = (gpu.storage(groups * bytes_of_group)?, gpu.storage(4 * groups)?);
            let starts = seed.tensor(&format!("words of block {}", blocks.len()));
            // Bits of numbers that spread like weights; a stretch of them again and again, which memory cannot know.
            let stretch: Vec<u32> =
                (0..words_of_group).map(|i| starts.value(i).to_bits()).collect();
            let sum = stretch[1..].iter().fold(0u32, |sum, word| sum.wrapping_add(*word));
            let chunk: Vec<u32> = stretch
                .iter()
                .copied()
                .cycle()
                .take((words_of_group * 64.min(groups)) as usize)
                .collect();
            let source = gpu.storage(4 * chunk.len() as u64)?;
            gpu.write(&source, 0, &chunk);
            gpu.fill(&words, &source);
            let bindings =
                gpu.bind(&repeated.pipeline, &[&uniform, &words, &sums].map(Resource::Buffer))?;
            blocks.push(Block { words, sums, bindings, groups: groups as u32, rest: sum });
        }
        let nan = gpu.storage(1 << 16)?;
        gpu.write(&nan, 0, &vec![f32::NAN; 1 << 14]);
        Ok(Reading { repeated, seed, blocks, next: 0, repeats: 1, nan, windows: Vec::new() })
    }

    /// The first word of a workgroup's part in a window; only the first workgroups of a block change.
    fn first_word(&self, block: usize, window: Option<u32>) -> u32 {
        let name = format!("first word of block {block} in window {window:?}");
        self.seed.tensor(&name).value(0).to_bits()
    }

    fn begin(&mut self, window: Option<u32>) -> Result<(), JobError> {
        for (i, block) in self.blocks.iter().enumerate() {
            self.repeated.gpu.write(&block.words, 0, &[self.first_word(i, window)]);
            self.repeated.gpu.fill(&block.sums, &self.nan);
        }
        Ok(self.repeated.gpu.check()?)
    }

    fn snapshots(&self) -> Result<Vec<Snapshot>, GpuError> {
        let snapshot =
            |block: &Block| self.repeated.gpu.snapshot(&block.sums, 0..block.sums.size());
        self.blocks.iter().map(snapshot).collect()
    }

    /// Judges blocks; one that was never read in the window is passed over, but not all are.
    fn judge(&self, window: Option<u32>, snapshots: &[Snapshot]) -> Result<Verdict, JobError> {
        let mut checked = 0;
        for (i, (block, snapshot)) in self.blocks.iter().zip(snapshots).enumerate() {
            let sums: Vec<u32> = self.repeated.gpu.read(snapshot)?;
            let unread = sums.iter().all(|sum| *sum == f32::NAN.to_bits());
            if unread && window.is_some() {
                continue;
            }
            let original = self.seed.tensor(&format!("words of block {i}")).value(0).to_bits();
            let wrong = sums.par_iter().enumerate().find_any(|(group, sum)| {
                let first = if *group == 0 { self.first_word(i, window) } else { original };
                **sum != block.rest.wrapping_add(first)
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
            self.repeated.submit([(&block.bindings, block.groups)].into_iter())?;
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
        let each = (first..first + n).map(|i| &blocks[i % blocks.len()]);
        let each: Vec<_> = each.map(|block| (&block.bindings, block.groups)).collect();
        Ok(self.repeated.submit(each.into_iter())?)
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
