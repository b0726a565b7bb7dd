//! `peak` and `stream` on the CPU, on every hardware thread.

use super::turn::{FACTOR, Starts, allowed, turned};
use super::{Ceiling, stream_bytes};
use crate::device::Device;
use crate::kernels::{Arithmetic, Kernel};
use crate::oracle::Verdict;
use crate::units::Work;
use crate::workload::{Batch, Job, JobError, Proof, Seed, Variant};
use rayon::prelude::*;
use std::collections::VecDeque;
use std::hint::black_box;

/// The native kernels for a roofline ceiling.
pub(super) fn variants(ceiling: Ceiling) -> &'static [Variant] {
    match ceiling {
        Ceiling::Peak(Arithmetic::F32) => &[Variant::Cpu("peak-f32/native")],
        Ceiling::Stream => &[Variant::Cpu("stream/native")],
        Ceiling::Peak(_) => &[],
    }
}

/// Lanes of the widest vector, and vectors of them; every vector type divides these into whole groups.
const LANES: usize = 16;
const CHAINS: usize = 14;
const ROUNDS: u32 = 4096;

type Chains = [[f32; LANES]; CHAINS];

/// Defines a function that rotates chains with SIMD: target feature, lanes, pairs at a time, and intrinsics. Both values of all pairs and
/// the factor must stay in registers, or register spills would be timed.
#[cfg(target_arch = "x86_64")]
macro_rules! rotate_by {
    ($name:ident, $feature:literal, $lanes:literal, $pairs:literal, $set:ident, $load:ident, $store:ident, $add:ident, $subtract:ident) => {
        #[target_feature(enable = $feature)]
        fn $name(x: &mut Chains, y: &mut Chains) {
            use std::arch::x86_64::*;
            const GROUP: usize = $pairs * $lanes;
            let factor = $set(FACTOR);
            let groups = x.as_flattened_mut().chunks_exact_mut(GROUP);
            for (x, y) in groups.zip(y.as_flattened_mut().chunks_exact_mut(GROUP)) {
                // SAFETY: a group is as long as its vectors.
                let take =
                    |chains: &[f32], i: usize| unsafe { $load(chains[$lanes * i..].as_ptr()) };
                let mut a: [_; $pairs] = std::array::from_fn(|i| take(x, i));
                let mut b: [_; $pairs] = std::array::from_fn(|i| take(y, i));
                for _ in 0..ROUNDS {
                    // Keeps the compiler from holding the negated factor in a register that is needed.
                    let factor = black_box(factor);
                    for i in 0..$pairs {
                        a[i] = $add(factor, b[i], a[i]);
                    }
                    for i in 0..$pairs {
                        b[i] = $subtract(factor, a[i], b[i]);
                    }
                }
                for i in 0..$pairs {
                    // SAFETY: as above.
                    unsafe {
                        $store(x[$lanes * i..].as_mut_ptr(), a[i]);
                        $store(y[$lanes * i..].as_mut_ptr(), b[i]);
                    }
                }
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
rotate_by!(
    rotate_avx512,
    "avx512f",
    16,
    14,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_fnmadd_ps
);
#[cfg(target_arch = "x86_64")]
rotate_by!(
    rotate_avx2,
    "avx2,fma",
    8,
    7,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    _mm256_fnmadd_ps
);

/// Portable version: the compiler vectorizes it, and uses FMA where the target always has it.
fn rotate_portable(x: &mut Chains, y: &mut Chains) {
    /// 14 vectors of 4 lanes on aarch64, which has 32 registers; fewer elsewhere, to leave registers for products.
    const GROUP: usize = if cfg!(target_arch = "aarch64") { 56 } else { 16 };
    let factor = black_box(FACTOR);
    let fused = cfg!(any(target_arch = "aarch64", target_feature = "fma"));
    let multiply_add = |a: f32, b: f32, c: f32| if fused { a.mul_add(b, c) } else { a * b + c };
    let groups = x.as_flattened_mut().chunks_exact_mut(GROUP);
    for (x, y) in groups.zip(y.as_flattened_mut().chunks_exact_mut(GROUP)) {
        let mut a: [f32; GROUP] = std::array::from_fn(|i| x[i]);
        let mut b: [f32; GROUP] = std::array::from_fn(|i| y[i]);
        for _ in 0..ROUNDS {
            for i in 0..GROUP {
                a[i] = multiply_add(factor, b[i], a[i]);
            }
            for i in 0..GROUP {
                b[i] = multiply_add(-factor, a[i], b[i]);
            }
        }
        x.copy_from_slice(&a);
        y.copy_from_slice(&b);
    }
}

/// Rotates with the widest vectors of this CPU.
fn rotate_native(x: &mut Chains, y: &mut Chains) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the CPU has it.
            return unsafe { rotate_avx512(x, y) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the CPU has both.
            return unsafe { rotate_avx2(x, y) };
        }
    }
    rotate_portable(x, y);
}

/// `peak:f32`.
pub(super) struct Turning {
    seed: Seed,
    window: Option<u32>,
    repeats: u64,
    submitted: VecDeque<u64>,
    sums: Vec<f32>,
    windows: Vec<Vec<f32>>,
}

impl Turning {
    pub(super) fn new(seed: Seed) -> Turning {
        let (submitted, sums, windows) = (VecDeque::new(), Vec::new(), Vec::new());
        Turning { seed, window: None, repeats: 1, submitted, sums, windows }
    }

    /// Initial values of pair `chain` in a thread's lane.
    fn start(&self, window: Option<u32>, thread: usize, chain: usize, lane: usize) -> (f32, f32) {
        let starts = Starts::of_window(self.seed, window);
        let place = 2 * ((thread * CHAINS + chain) * LANES + lane) as u64;
        (starts.value(place), starts.value(place + 1))
    }

    fn run(&mut self, repeats: u64) {
        let threads = rayon::current_num_threads();
        let thread = |thread: usize| -> Vec<f32> {
            let starts = |select: fn((f32, f32)) -> f32| -> Chains {
                let start = |chain, lane| select(self.start(self.window, thread, chain, lane));
                std::array::from_fn(|chain| std::array::from_fn(|lane| start(chain, lane)))
            };
            let (first_x, first_y) = (starts(|s| s.0), starts(|s| s.1));
            let (mut x, mut y) = (first_x, first_y);
            for _ in 0..repeats {
                (x, y) = (black_box(first_x), black_box(first_y));
                rotate_native(&mut x, &mut y);
            }
            let sum = |lane: usize| x.iter().zip(&y).map(|(x, y)| x[lane] + y[lane]).sum();
            (0..LANES).map(sum).collect()
        };
        self.sums = (0..threads).into_par_iter().map(thread).flatten().collect();
    }

    fn judge(&self, window: Option<u32>, sums: &[f32]) -> Verdict {
        let bound = allowed(CHAINS as u32, ROUNDS, 2f64.powi(-24));
        let mut worst = 0.0f64;
        for (i, sum) in sums.iter().enumerate() {
            let (thread, lane) = (i / LANES, i % LANES);
            let pairs = (0..CHAINS).map(|chain| self.start(window, thread, chain, lane));
            let want = turned(pairs, ROUNDS);
            let error = (f64::from(*sum) - want).abs();
            if error.is_nan() || error > bound {
                return Verdict::Disagrees(format!("sum {i} is {sum}, should be {want}"));
            }
            worst = worst.max(error / bound);
        }
        Verdict::Agrees { checked: sums.len() as u64, worst }
    }
}

impl Job for Turning {
    fn verify(&mut self) -> Result<Verdict, JobError> {
        self.window = None;
        self.run(1);
        Ok(self.judge(None, &self.sums))
    }

    fn kernel(&self) -> Option<&Kernel> {
        None
    }

    fn arithmetic(&self) -> Option<Arithmetic> {
        Some(Arithmetic::F32)
    }

    fn resize(&mut self, factor: f64) {
        self.repeats = ((self.repeats as f64 * factor).round() as u64).max(1);
    }

    fn submit(&mut self) -> Result<(), JobError> {
        self.submitted.push_back(self.repeats);
        Ok(())
    }

    fn wait(&mut self) -> Result<Batch, JobError> {
        let repeats = self.submitted.pop_front().expect("a batch was submitted");
        self.run(repeats);
        // A pair takes two FMAs per round.
        let work = repeats * u64::from(ROUNDS) * (self.sums.len() * CHAINS) as u64 * 4;
        Ok(Batch { work: Work(work), gpu_seconds: None })
    }

    fn open_window(&mut self, window: u32) -> Result<(), JobError> {
        self.windows.truncate(window as usize);
        (self.window, self.sums) = (Some(window), Vec::new());
        Ok(())
    }

    fn close_window(&mut self) -> Result<(), JobError> {
        self.windows.push(self.sums.clone());
        Ok(())
    }

    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError> {
        let sums = &self.windows[window as usize];
        Ok(match sums.is_empty() {
            true => Verdict::Disagrees("nothing was computed".into()),
            false => self.judge(Some(window), sums),
        })
    }

    fn proof(&self, _: usize) -> Option<Proof> {
        None
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

fn sum_here(words: &[u32]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the CPU has it.
        return unsafe { sum_avx2(words) };
    }
    sum(words)
}

/// `stream`.
pub(super) struct Reading {
    seed: Seed,
    words: Vec<u32>,
    /// Sum of the first chunk's words except the first word.
    rest: u32,
    /// Chunks per batch, and the next chunk to read.
    chunks: usize,
    next: usize,
    submitted: VecDeque<usize>,
    /// Sums of the chunks, as last read in the window.
    sums: Vec<Option<u32>>,
    /// Sum of the words of any other chunk.
    sum: u32,
    windows: Vec<(u32, Vec<Option<u32>>)>,
}

impl Reading {
    pub(super) fn new(device: &Device, seed: Seed) -> Reading {
        let n = (stream_bytes(device).0 as usize / 4).next_multiple_of(CHUNK);
        // Bits of weight-like numbers. All chunks have the same words, which memory cannot exploit.
        let starts = seed.tensor("words");
        let chunk: Vec<u32> = (0..CHUNK as u64).map(|i| starts.value(i).to_bits()).collect();
        let words = chunk.repeat(n / CHUNK);
        let sum = chunk.iter().fold(0u32, |sum, word| sum.wrapping_add(*word));
        Reading {
            seed,
            rest: sum.wrapping_sub(words[0]),
            words,
            chunks: 1,
            next: 0,
            submitted: VecDeque::new(),
            sums: vec![None; n / CHUNK],
            sum,
            windows: Vec::new(),
        }
    }

    fn read(&mut self, chunks: usize) {
        let n = self.sums.len();
        let sums: Vec<(usize, u32)> = (self.next..self.next + chunks)
            .into_par_iter()
            .map(|i| (i % n, sum_here(&self.words[i % n * CHUNK..][..CHUNK])))
            .collect();
        self.next = (self.next + chunks) % n;
        sums.into_iter().for_each(|(i, sum)| self.sums[i] = Some(sum));
    }

    fn judge(&self, first: u32, sums: &[Option<u32>]) -> Verdict {
        let expected = |i: usize| if i == 0 { self.rest.wrapping_add(first) } else { self.sum };
        let wrong = (0..sums.len()).find(|&i| sums[i].is_some_and(|sum| sum != expected(i)));
        match (wrong, sums.iter().flatten().count() as u64) {
            (Some(i), _) => {
                Verdict::Disagrees(format!("the words of chunk {i} add up to something else"))
            }
            (None, 0) => Verdict::Disagrees("nothing was read".into()),
            (None, checked) => Verdict::Agrees { checked, worst: 0.0 },
        }
    }
}

impl Job for Reading {
    fn verify(&mut self) -> Result<Verdict, JobError> {
        self.sums.fill(None);
        self.read(self.sums.len());
        Ok(self.judge(self.words[0], &self.sums))
    }

    fn kernel(&self) -> Option<&Kernel> {
        None
    }

    fn resize(&mut self, factor: f64) {
        self.chunks = ((self.chunks as f64 * factor).round() as usize).clamp(1, 1 << 20);
    }

    fn submit(&mut self) -> Result<(), JobError> {
        self.submitted.push_back(self.chunks);
        Ok(())
    }

    fn wait(&mut self) -> Result<Batch, JobError> {
        let chunks = self.submitted.pop_front().expect("a batch was submitted");
        self.read(chunks);
        Ok(Batch { work: Work((chunks * CHUNK * 4) as u64), gpu_seconds: None })
    }

    fn open_window(&mut self, window: u32) -> Result<(), JobError> {
        self.windows.truncate(window as usize);
        self.words[0] =
            self.seed.tensor(&format!("first word of window {window}")).value(0).to_bits();
        self.sums.fill(None);
        Ok(())
    }

    fn close_window(&mut self) -> Result<(), JobError> {
        self.windows.push((self.words[0], self.sums.clone()));
        Ok(())
    }

    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError> {
        let (first, sums) = &self.windows[window as usize];
        Ok(self.judge(*first, sums))
    }

    fn proof(&self, _: usize) -> Option<Proof> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every vector version gives the portable result up to rounding.
    #[test]
    fn all_vector_versions_give_the_same_result() {
        let starts = Starts::of_window(Seed([1; 32]), None);
        let chains = |first: u64| -> Chains {
            let value = |i: usize, lane: usize| starts.value(first + (i * LANES + lane) as u64);
            std::array::from_fn(|i| std::array::from_fn(|lane| value(i, lane)))
        };
        let rotated = |rotate: &dyn Fn(&mut Chains, &mut Chains)| {
            let (mut x, mut y) = (chains(0), chains(1000));
            rotate(&mut x, &mut y);
            [x, y].as_flattened().as_flattened().to_vec()
        };
        let plain = rotated(&|x, y| rotate_portable(x, y));
        let mut versions = vec![rotated(&|x, y| rotate_native(x, y))];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the CPU has both.
            versions.push(rotated(&|x, y| unsafe { rotate_avx2(x, y) }));
        }
        for version in versions {
            for (a, b) in plain.iter().zip(&version) {
                assert!((a - b).abs() < 1e-3, "{a} {b}");
            }
        }
    }
}
