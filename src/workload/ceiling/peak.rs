//! `peak`: what it computes, the error bound of its result, and its GPU kernels.
//!
//! Pairs are rotated: x += f·y, then y −= f·x. That preserves x² + y² + f·x·y, so values stay in range, every product depends on the
//! previous one, and nothing converges that a compiler or a chip could exploit.

use super::{Compiled, MAX_DISPATCHES, Probe};
use crate::gpu::{Bindings, Buffer, Gpu, Resource, Snapshot};
use crate::kernels::{Arithmetic, Kernel};
use crate::oracle::Verdict;
use crate::oracle::matmul::share_of_bound;
use crate::units::Seconds;
use crate::workload::data::{Seed, Tensor};
use crate::workload::{JobError, nan_buffer};
use half::f16;
use std::fmt::Display;

/// f, exact in every type.
pub const FACTOR: f32 = 0.5;

/// Initial values of a window, within −1 to 1, exact in f16.
#[derive(Clone, Copy)]
pub struct Starts(Tensor);

impl Starts {
    /// Those of a window; `None` outside windows.
    pub fn of_window(seed: Seed, window: Option<u32>) -> Starts {
        Starts(match window {
            Some(window) => seed.tensor(&format!("starts in window {window}")),
            None => seed.tensor("starts"),
        })
    }

    /// The value at `index`.
    pub fn value(&self, index: u64) -> f32 {
        (self.0.value(index) * 256.0).round_ties_even() / 1024.0
    }

    /// 32 bits that are never all equal.
    fn word(&self, index: u64) -> u32 {
        (self.0.value(2 * index).to_bits() << 9) ^ self.0.value(2 * index + 1).to_bits()
    }
}

/// Expected sum of all pairs after `rounds` rounds.
pub fn rotated_sum(pairs: impl Iterator<Item = (f32, f32)>, rounds: u32) -> f64 {
    let factor = f64::from(FACTOR);
    let pair = |(x, y): (f32, f32)| {
        let (mut x, mut y) = (f64::from(x), f64::from(y));
        for _ in 0..rounds {
            x += factor * y;
            y -= factor * x;
        }
        x + y
    };
    pairs.map(pair).sum()
}

/// Error bound of a sum of `chains` pairs. A step errs by two unit roundoffs at most and typically by a third of one. Errors of many
/// rounds and pairs add up as a root sum of squares; four unit roundoffs per step leave a margin.
pub fn error_bound(chains: u32, rounds: u32, roundoff: f64) -> f64 {
    4.0 * roundoff * f64::from(2 * chains * rounds).sqrt()
}

/// Expected sum of a ring of words after `rounds` rounds, which add to each word the dot product of the bytes of the next two.
fn dot_sum(mut ring: Vec<i32>, rounds: u32) -> i32 {
    let dot = |a: i32, b: i32| -> i32 {
        let bytes = a.to_le_bytes().into_iter().zip(b.to_le_bytes());
        bytes.map(|(a, b)| i32::from(a as i8) * i32::from(b as i8)).sum()
    };
    let n = ring.len();
    for _ in 0..rounds {
        for i in 0..n {
            ring[i] = ring[i].wrapping_add(dot(ring[(i + 1) % n], ring[(i + 2) % n]));
        }
    }
    ring.into_iter().fold(0, i32::wrapping_add)
}

/// Compares sums: index, value, expected value and error bound of each.
pub(super) fn judge_sums<T: Copy + Display + Into<f64>>(
    sums: impl Iterator<Item = (usize, T, f64, f64)>,
) -> Verdict {
    let (mut checked, mut worst) = (0, 0.0f64);
    for (i, got, want, bound) in sums {
        let Some(share) = share_of_bound(got.into() - want, bound) else {
            return Verdict::Disagrees(format!("sum {i} is {got}, should be {want}"));
        };
        (checked, worst) = (checked + 1, worst.max(share));
    }
    Verdict::Agrees { checked, worst }
}

/// Maximum workgroups per dispatch, WebGPU's. The last ones of a dispatch leave a part of the device idle, so a dispatch is long: 62 rounds
/// of the 1056 workgroups that a card with 132 multiprocessors holds at once.
const MAX_GROUPS: u32 = 65_535;
/// Maximum workgroups that have an output of their own, which is kept for every window. A multiple of the period of initial values.
const MAX_OUTPUTS: u32 = 1024;
/// Results that are recomputed per check.
const SAMPLED: usize = 64;

/// `peak` on a GPU. A step is a workgroup.
pub(super) struct GpuPeak {
    compiled: Compiled,
    arithmetic: Arithmetic,
    seed: Seed,
    starts: Buffer,
    sums: Buffer,
    nan: Buffer,
    bindings: Bindings,
    /// Output bytes per workgroup.
    group_bytes: u64,
    /// Workgroups of the last dispatch.
    groups: u32,
}

impl GpuPeak {
    pub(super) fn new(
        gpu: &Gpu,
        kernel: Kernel,
        arithmetic: Arithmetic,
        seed: Seed,
    ) -> Result<GpuPeak, JobError> {
        let compiled = Compiled::new(gpu, kernel)?;
        let number = |name| u64::from(compiled.kernel.number(name));
        let inputs = number("INPUTS");
        let workgroup = u64::from(compiled.kernel.workgroup.iter().product::<u32>());
        let (start_bytes, group_bytes) = match arithmetic {
            Arithmetic::F32 | Arithmetic::F16 => (16 * inputs, 16 * workgroup),
            Arithmetic::Dot4 => (4 * inputs, 4 * workgroup),
            Arithmetic::Matrix => {
                (2 * inputs, 4 * number("SUBGROUPS") * number("CHAINS") * number("ELEMENTS"))
            }
        };
        let (uniform, starts) = (gpu.uniform(32)?, gpu.storage(start_bytes)?);
        gpu.write(&uniform, 0, &[[FACTOR; 4], [-FACTOR; 4]])?;
        let sums = gpu.storage(group_bytes * u64::from(MAX_OUTPUTS))?;
        let bound = compiled.kernel.bindings.iter();
        let resources: Vec<Resource> =
            bound.map(|b| Resource::Buffer([&uniform, &starts, &sums][b.index as usize])).collect();
        Ok(GpuPeak {
            nan: nan_buffer(gpu, sums.size().min(1 << 20))?,
            bindings: gpu.bind(&compiled.pipeline, &resources)?,
            compiled,
            arithmetic,
            seed,
            starts,
            sums,
            group_bytes,
            groups: 0,
        })
    }

    /// Value, expected value and error bound of the sum `bits` at `place`.
    fn sum(&self, starts: Starts, place: u64, bits: u32) -> (f64, f64, f64) {
        let number = |name| u64::from(self.compiled.kernel.number(name));
        let (chains, inputs) = (number("CHAINS"), number("INPUTS"));
        let rounds = self.compiled.kernel.number("ROUNDS");
        let value = f64::from(f32::from_bits(bits));
        match self.arithmetic {
            Arithmetic::F32 | Arithmetic::F16 => {
                let (invocation, lane) = (place / 4, place % 4);
                let start = |n: u64| starts.value(4 * (n % inputs) + lane);
                let first = 2 * invocation * chains;
                let pairs = (0..chains).map(|c| (start(first + 2 * c), start(first + 2 * c + 1)));
                let half = self.arithmetic == Arithmetic::F16;
                let roundoff = 2f64.powi(if half { -11 } else { -24 });
                let bound = error_bound(chains as u32, rounds, roundoff);
                (value, rotated_sum(pairs, rounds), bound)
            }
            Arithmetic::Dot4 => {
                let first = place * chains;
                let ring = (0..chains).map(|c| starts.word((first + c) % inputs) as i32).collect();
                (f64::from(bits as i32), dot_sum(ring, rounds).into(), 0.0)
            }
            Arithmetic::Matrix => {
                let (side, elements) = (number("MATRIX"), number("ELEMENTS"));
                let chain = place / elements % chains;
                let (row, column) = (place % elements / side, place % side);
                let a = |k| f64::from(starts.value(chain * elements + row * side + k));
                let b = |k| f64::from(starts.value(chains * elements + k * side + column));
                let terms = (0..side).map(|k| a(k) * b(k));
                let (sum, spread) = terms.fold((0.0, 0.0), |(s, a), t| (s + t, a + t.abs()));
                let rounds = f64::from(rounds);
                let bound = rounds * spread * (rounds + side as f64) * 2f64.powi(-24);
                (value, rounds * sum, bound)
            }
        }
    }
}

impl Probe for GpuPeak {
    type Output = Snapshot;
    /// Before the device's speed is known.
    const FIRST_STEPS: f64 = 8.0;
    const MAX_STEPS: u64 = MAX_DISPATCHES * MAX_GROUPS as u64;

    fn kernel(&self) -> Option<&Kernel> {
        Some(&self.compiled.kernel)
    }

    fn work_per_step(&self) -> u64 {
        self.compiled.work_per_group()
    }

    /// One dispatch, or several of as many workgroups as it may have.
    fn batch_of(&self, steps: f64) -> u64 {
        let max_groups = u64::from(MAX_GROUPS);
        match steps.round() as u64 {
            groups if groups <= max_groups => groups.max(1),
            _ => max_groups * ((steps / max_groups as f64).round() as u64).min(MAX_DISPATCHES),
        }
    }

    fn whole(&self) -> (usize, u64) {
        (1, self.batch_of(Self::FIRST_STEPS))
    }

    fn begin(&mut self, window: Option<u32>) -> Result<(), JobError> {
        let Compiled { gpu, kernel, .. } = &self.compiled;
        let starts = Starts::of_window(self.seed, window);
        let (n, to) = (u64::from(kernel.number("INPUTS")), &self.starts);
        match self.arithmetic {
            Arithmetic::F32 | Arithmetic::F16 => {
                gpu.write(to, 0, &(0..4 * n).map(|i| starts.value(i)).collect::<Vec<f32>>())?
            }
            Arithmetic::Dot4 => {
                gpu.write(to, 0, &(0..n).map(|i| starts.word(i)).collect::<Vec<u32>>())?
            }
            Arithmetic::Matrix => {
                let half = |i| f16::from_f32(starts.value(i)).to_bits();
                gpu.write(to, 0, &(0..n).map(half).collect::<Vec<u16>>())?
            }
        }
        Ok(gpu.fill(&self.sums, &self.nan)?)
    }

    fn submit(&mut self, steps: u64) -> Result<(), JobError> {
        self.groups = steps.min(MAX_GROUPS.into()) as u32;
        let dispatches = (steps / u64::from(self.groups)) as usize;
        self.compiled.submit(std::iter::repeat_n(&self.bindings, dispatches), self.groups)
    }

    fn wait(&mut self, _: u64) -> Result<Option<Seconds>, JobError> {
        self.compiled.wait()
    }

    fn output(&self) -> Result<Snapshot, JobError> {
        let bytes = self.group_bytes * u64::from(self.groups.min(MAX_OUTPUTS));
        Ok(self.compiled.gpu.snapshot(&self.sums, 0..bytes)?)
    }

    fn judge(&self, window: Option<u32>, snapshot: &Snapshot) -> Result<Verdict, JobError> {
        let words: Vec<u32> = self.compiled.gpu.read(snapshot)?;
        let starts = Starts::of_window(self.seed, window);
        let places = (0..SAMPLED).map(|i| i * (words.len() - 1) / (SAMPLED - 1));
        Ok(judge_sums(places.map(|place| {
            let (got, want, bound) = self.sum(starts, place as u64, words[place]);
            (place, got, want, bound)
        })))
    }
}
