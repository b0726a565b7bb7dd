//! `peak:f32` on the CPU, on every hardware thread.

use super::Probe;
use super::peak::{FACTOR, Starts, error_bound, judge_sums, rotated_sum};
use crate::oracle::Verdict;
use crate::units::Seconds;
use crate::workload::{JobError, Seed};
use rayon::prelude::*;
use std::hint::black_box;

/// Lanes of the widest vector, and vectors of them; every vector type divides these into whole groups.
pub const LANES: usize = 16;
const CHAINS: usize = 14;
const ROUNDS: u32 = 4096;

/// One value of every pair of a thread.
pub type Chains = [[f32; LANES]; CHAINS];

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
rotate_by! {
    rotate_avx512, "avx512f", 16, 14, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps, _mm512_fnmadd_ps
}
#[cfg(target_arch = "x86_64")]
rotate_by! {
    rotate_avx2, "avx2,fma", 8, 7, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps, _mm256_fnmadd_ps
}

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

/// Rotates the pairs `ROUNDS` times.
pub type Rotation = fn(&mut Chains, &mut Chains);

/// The versions that this CPU supports, widest vectors first.
pub fn rotations() -> impl Iterator<Item = Rotation> {
    let mut versions: Vec<Rotation> = vec![rotate_portable];
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the CPU has both.
            versions.push(|x, y| unsafe { rotate_avx2(x, y) });
        }
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the CPU has it.
            versions.push(|x, y| unsafe { rotate_avx512(x, y) });
        }
    }
    versions.into_iter().rev()
}

/// Initial values of pair `chain` in a thread's lane.
fn start(starts: Starts, thread: usize, chain: usize, lane: usize) -> (f32, f32) {
    let place = 2 * ((thread * CHAINS + chain) * LANES + lane) as u64;
    (starts.value(place), starts.value(place + 1))
}

/// `peak:f32`. In a step, every thread computes all rounds once.
pub(super) struct CpuPeak {
    seed: Seed,
    window: Option<u32>,
    sums: Vec<f32>,
}

impl CpuPeak {
    pub(super) fn new(seed: Seed) -> CpuPeak {
        CpuPeak { seed, window: None, sums: Vec::new() }
    }
}

impl Probe for CpuPeak {
    type Output = Vec<f32>;
    const MAX_STEPS: u64 = u64::MAX;

    fn work_per_step(&self) -> u64 {
        // A pair takes two FMAs per round.
        u64::from(ROUNDS) * (rayon::current_num_threads() * LANES * CHAINS) as u64 * 4
    }

    fn begin(&mut self, window: Option<u32>) -> Result<(), JobError> {
        (self.window, self.sums) = (window, Vec::new());
        Ok(())
    }

    fn wait(&mut self, steps: u64) -> Result<Option<Seconds>, JobError> {
        let starts = Starts::of_window(self.seed, self.window);
        let rotate = rotations().next().expect("the portable version runs everywhere");
        let thread = |thread: usize| -> Vec<f32> {
            let chains = |select: fn((f32, f32)) -> f32| -> Chains {
                let start = |chain, lane| select(start(starts, thread, chain, lane));
                std::array::from_fn(|chain| std::array::from_fn(|lane| start(chain, lane)))
            };
            let (first_x, first_y) = (chains(|s| s.0), chains(|s| s.1));
            let (mut x, mut y) = (first_x, first_y);
            for _ in 0..steps {
                (x, y) = (black_box(first_x), black_box(first_y));
                rotate(&mut x, &mut y);
            }
            let sum = |lane: usize| x.iter().zip(&y).map(|(x, y)| x[lane] + y[lane]).sum();
            (0..LANES).map(sum).collect()
        };
        let threads = (0..rayon::current_num_threads()).into_par_iter();
        self.sums = threads.map(thread).flatten().collect();
        Ok(None)
    }

    fn output(&self) -> Result<Vec<f32>, JobError> {
        Ok(self.sums.clone())
    }

    fn judge(&self, window: Option<u32>, sums: &Vec<f32>) -> Result<Verdict, JobError> {
        if sums.is_empty() {
            return Ok(Verdict::Disagrees("nothing was computed".into()));
        }
        let starts = Starts::of_window(self.seed, window);
        let bound = error_bound(CHAINS as u32, ROUNDS, 2f64.powi(-24));
        Ok(judge_sums(sums.iter().enumerate().map(|(i, sum)| {
            let pairs = (0..CHAINS).map(|chain| start(starts, i / LANES, chain, i % LANES));
            (i, *sum, rotated_sum(pairs, ROUNDS), bound)
        })))
    }
}
