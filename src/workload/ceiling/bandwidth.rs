//! `stream`: memory bandwidth of a GPU, and of the CPU on every hardware thread. Reads memory and sums its words. All parts of memory
//! have the same words except the first, which memory cannot exploit: bits of weight-like numbers.

use super::{Compiled, MAX_DISPATCHES, Probe, stream_bytes};
use crate::device::Device;
use crate::gpu::{Bindings, Buffer, Gpu, GpuError, Memory, Resource, Snapshot, TEXEL_BYTES};
use crate::kernels::Kernel;
use crate::oracle::Verdict;
use crate::units::Seconds;
use crate::workload::{JobError, Seed, nan_buffer};
use rayon::prelude::*;

/// The words of a part, and their sum.
fn part(seed: Seed, words: usize) -> (Vec<u32>, u32) {
    let words: Vec<u32> =
        seed.tensor("words").values(words).into_iter().map(f32::to_bits).collect();
    let sum = words.iter().fold(0u32, |sum, word| sum.wrapping_add(*word));
    (words, sum)
}

/// `stream` on a GPU. A step reads a block.
pub(super) struct GpuStream {
    compiled: Compiled,
    seed: Seed,
    blocks: Vec<Block>,
    /// Workgroups per block.
    groups: u32,
    /// First words of a workgroup's part, and the sum of all its words.
    first: [u32; 4],
    sum: u32,
    /// The next block to read.
    next: usize,
    nan: Buffer,
}

/// Memory to read, as large as a binding may be.
struct Block {
    words: Memory,
    sums: Buffer,
    bindings: Bindings,
}

impl GpuStream {
    pub(super) fn new(gpu: &Gpu, kernel: Kernel, seed: Seed) -> Result<GpuStream, JobError> {
        let compiled = Compiled::new(gpu, kernel)?;
        let group_bytes = compiled.work_per_group();
        let max_groups =
            (gpu.largest_binding() / group_bytes).min(gpu.details().limits.workgroups.into());
        let all_groups = stream_bytes(gpu.description()).0.div_ceil(group_bytes);
        let blocks = all_groups.div_ceil(max_groups);
        let groups = all_groups.div_ceil(blocks);
        let (group_words, sum) = part(seed, group_bytes as usize / 4);
        // Allocates everything before it writes anything, since memory may run out.
        let texels = groups * group_bytes / TEXEL_BYTES;
        let allocate = |_| gpu.memory(compiled.kernel.bindings[1].kind, texels);
        let words = (0..blocks).map(allocate).collect::<Result<Vec<_>, _>>()?;
        for i in 0..groups {
            gpu.write_memory(&words[0], i * group_bytes / TEXEL_BYTES, &group_words)?;
        }
        for copy in &words[1..] {
            gpu.copy_memory(&words[0], copy)?;
        }
        let uniform = gpu.uniform(32)?;
        let block = |words: Memory| -> Result<Block, GpuError> {
            let sums = gpu.storage(4 * groups)?;
            let resources = [Resource::Buffer(&uniform), words.resource(), Resource::Buffer(&sums)];
            let bindings = gpu.bind(&compiled.pipeline, &resources)?;
            Ok(Block { words, sums, bindings })
        };
        Ok(GpuStream {
            blocks: words.into_iter().map(block).collect::<Result<_, _>>()?,
            nan: nan_buffer(gpu, 1 << 16)?,
            compiled,
            seed,
            groups: groups as u32,
            first: std::array::from_fn(|i| group_words[i]),
            sum,
            next: 0,
        })
    }

    /// The first word of a block in a window.
    fn first_word(&self, block: usize, window: Option<u32>) -> u32 {
        let name = format!("first word of block {block} in window {window:?}");
        self.seed.tensor(&name).value(0).to_bits()
    }
}

impl Probe for GpuStream {
    type Output = Vec<Snapshot>;
    const MAX_STEPS: u64 = MAX_DISPATCHES;

    fn kernel(&self) -> Option<&Kernel> {
        Some(&self.compiled.kernel)
    }

    fn work_per_step(&self) -> u64 {
        u64::from(self.groups) * self.compiled.work_per_group()
    }

    fn whole(&self) -> (usize, u64) {
        (self.blocks.len(), 1)
    }

    fn begin(&mut self, window: Option<u32>) -> Result<(), JobError> {
        let [_, a, b, c] = self.first;
        for (i, block) in self.blocks.iter().enumerate() {
            let first = [self.first_word(i, window), a, b, c];
            self.compiled.gpu.write_memory(&block.words, 0, &first)?;
            self.compiled.gpu.fill(&block.sums, &self.nan)?;
        }
        Ok(())
    }

    fn submit(&mut self, steps: u64) -> Result<(), JobError> {
        let (blocks, first, end) = (&self.blocks, self.next, self.next + steps as usize);
        self.next = end % blocks.len();
        let bindings = (first..end).map(|i| &blocks[i % blocks.len()].bindings);
        self.compiled.submit(bindings, self.groups)
    }

    fn wait(&mut self, _: u64) -> Result<Option<Seconds>, JobError> {
        self.compiled.wait()
    }

    fn output(&self) -> Result<Vec<Snapshot>, JobError> {
        let snapshot =
            |block: &Block| self.compiled.gpu.snapshot(&block.sums, 0..block.sums.size());
        Ok(self.blocks.iter().map(snapshot).collect::<Result<_, _>>()?)
    }

    /// A block that was not read in the window is skipped, but at least one must have been read.
    fn judge(&self, window: Option<u32>, snapshots: &Vec<Snapshot>) -> Result<Verdict, JobError> {
        let mut checked = 0;
        for (i, snapshot) in snapshots.iter().enumerate() {
            let sums: Vec<u32> = self.compiled.gpu.read(snapshot)?;
            let unread = sums.iter().all(|sum| *sum == f32::NAN.to_bits());
            if unread && window.is_some() {
                continue;
            }
            let first =
                self.sum.wrapping_sub(self.first[0]).wrapping_add(self.first_word(i, window));
            let expected = |group| if group == 0 { first } else { self.sum };
            let groups = sums.par_iter().enumerate();
            if let Some((group, sum)) = groups.find_any(|(group, sum)| **sum != expected(*group)) {
                return Ok(Verdict::Disagrees(format!(
                    "words of group {group} add up to something else than {sum}"
                )));
            }
            checked += sums.len() as u64;
        }
        Ok(agrees_if_any(checked))
    }
}

fn agrees_if_any(checked: u64) -> Verdict {
    match checked {
        0 => Verdict::Disagrees("nothing was read".into()),
        checked => Verdict::Agrees { checked, worst: 0.0 },
    }
}

/// Words that a thread reads at a time: 1 MiB.
const CHUNK: usize = 1 << 18;

/// The sum of all words.
#[inline(always)]
fn sum(words: &[u32]) -> u32 {
    // Enough independent accumulators to fill several of the widest vectors, which hides the latency of additions.
    let (wide, rest) = words.as_chunks::<128>();
    let mut sums = [0u32; 128];
    for words in wide {
        sums.iter_mut().zip(words).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
    }
    sums.iter().chain(rest).fold(0, |sum, word| sum.wrapping_add(*word))
}

/// The same, compiled for AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn sum_avx2(words: &[u32]) -> u32 {
    sum(words)
}

fn sum_native(words: &[u32]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the CPU has it.
        return unsafe { sum_avx2(words) };
    }
    sum(words)
}

/// `stream` on the CPU. A step reads a chunk.
pub(super) struct CpuStream {
    seed: Seed,
    words: Vec<u32>,
    /// The first word of every chunk except the first, and the sum of its words.
    first: u32,
    sum: u32,
    /// The next chunk to read.
    next: usize,
    /// Sums of the chunks, as last read in the window.
    sums: Vec<Option<u32>>,
}

impl CpuStream {
    pub(super) fn new(device: &Device, seed: Seed) -> CpuStream {
        let chunks = (stream_bytes(device).0 as usize / 4).div_ceil(CHUNK);
        let (chunk, sum) = part(seed, CHUNK);
        let (first, words) = (chunk[0], chunk.repeat(chunks));
        CpuStream { seed, words, first, sum, next: 0, sums: vec![None; chunks] }
    }
}

impl Probe for CpuStream {
    /// The first word, and the sums.
    type Output = (u32, Vec<Option<u32>>);
    const MAX_STEPS: u64 = 1 << 20;

    fn work_per_step(&self) -> u64 {
        4 * CHUNK as u64
    }

    fn whole(&self) -> (usize, u64) {
        (1, self.sums.len() as u64)
    }

    fn begin(&mut self, window: Option<u32>) -> Result<(), JobError> {
        if let Some(window) = window {
            let first = self.seed.tensor(&format!("first word of window {window}"));
            self.words[0] = first.value(0).to_bits();
        }
        self.sums.fill(None);
        Ok(())
    }

    fn wait(&mut self, steps: u64) -> Result<Option<Seconds>, JobError> {
        let (n, end) = (self.sums.len(), self.next + steps as usize);
        let read = |i| (i % n, sum_native(&self.words[i % n * CHUNK..][..CHUNK]));
        let sums: Vec<(usize, u32)> = (self.next..end).into_par_iter().map(read).collect();
        self.next = end % n;
        sums.into_iter().for_each(|(i, sum)| self.sums[i] = Some(sum));
        Ok(None)
    }

    fn output(&self) -> Result<Self::Output, JobError> {
        Ok((self.words[0], self.sums.clone()))
    }

    fn judge(&self, _: Option<u32>, (first, sums): &Self::Output) -> Result<Verdict, JobError> {
        let whole = self.sum.wrapping_sub(self.first).wrapping_add(*first);
        let expected = |i: usize| if i == 0 { whole } else { self.sum };
        let wrong = (0..sums.len()).find(|&i| sums[i].is_some_and(|sum| sum != expected(i)));
        Ok(match wrong {
            Some(i) => {
                Verdict::Disagrees(format!("the words of chunk {i} add up to something else"))
            }
            None => agrees_if_any(sums.iter().flatten().count() as u64),
        })
    }
}
