//! `peak` on a GPU.

use super::repeated::Repeated;
use super::turn::{FACTOR, Starts, allowed, dotted, turned};
use crate::gpu::{Bindings, Buffer, Gpu, GpuError, Resource, Snapshot};
use crate::kernels::{Arithmetic, Kernel};
use crate::oracle::Verdict;
use crate::workload::{Batch, Job, JobError, Proof, Seed};
use half::f16;

/// Maximum workgroups per dispatch: their output is kept for every window.
const MAX_GROUPS: u32 = 1024;
/// Workgroups of the first dispatch, before the device's speed is known.
const FIRST_GROUPS: u32 = 8;
/// Results that are recomputed per check.
const SAMPLED: u32 = 64;

/// `peak`.
pub(super) struct Turning {
    repeated: Repeated,
    arithmetic: Arithmetic,
    seed: Seed,
    starts: Buffer,
    sums: Buffer,
    nan: Buffer,
    bindings: Bindings,
    /// Output bytes per workgroup, and the workgroups that fit the output buffer.
    group_bytes: u64,
    most_groups: u32,
    /// Workgroups per dispatch, and dispatches per submission.
    groups: u32,
    repeats: usize,
    windows: Vec<Snapshot>,
}

impl Turning {
    pub(super) fn new(
        gpu: &Gpu,
        kernel: Kernel,
        arithmetic: Arithmetic,
        seed: Seed,
    ) -> Result<Turning, JobError> {
        let repeated = Repeated::new(gpu, kernel)?;
        let number = |name| repeated.kernel.number(name);
        let (inputs, workgroup) = (u64::from(number("INPUTS")), u64::from(number("WORKGROUP")));
        let (start_bytes, group_bytes) = match arithmetic {
            Arithmetic::F32 | Arithmetic::F16 => (16 * inputs, 16 * workgroup),
            Arithmetic::Dot4 => (4 * inputs, 4 * workgroup),
            Arithmetic::Matrix => {
                let elements = number("SUBGROUPS") * number("CHAINS") * number("ELEMENTS");
                (2 * inputs, 4 * u64::from(elements))
            }
        };
        let room = gpu.details().limits.storage_binding.0 / group_bytes;
        let most_groups = MAX_GROUPS.min(room as u32);
        let (uniform, starts) = (gpu.uniform(32)?, gpu.storage(start_bytes)?);
        gpu.write(&uniform, 0, &[[FACTOR; 4], [-FACTOR; 4]])?;
        let sums = gpu.storage(group_bytes * u64::from(most_groups))?;
        let nan = gpu.storage(sums.size().min(1 << 20))?;
        gpu.write(&nan, 0, &vec![f32::NAN; nan.size() as usize / 4])?;
        let bound = |i: &usize| repeated.kernel.bindings.iter().any(|b| b.index as usize == *i);
        let all = [&uniform, &starts, &sums];
        let resources: Vec<Resource> =
            (0..3).filter(bound).map(|i| Resource::Buffer(all[i])).collect();
        let bindings = gpu.bind(&repeated.pipeline, &resources)?;
        Ok(Turning {
            repeated,
            arithmetic,
            seed,
            starts,
            sums,
            nan,
            bindings,
            group_bytes,
            most_groups,
            groups: FIRST_GROUPS,
            repeats: 1,
            windows: Vec::new(),
        })
    }

    /// Writes the initial values of a window and poisons the sums.
    fn begin(&mut self, window: Option<u32>) -> Result<(), JobError> {
        let Repeated { gpu, kernel, .. } = &self.repeated;
        let (starts, inputs) =
            (Starts::of_window(self.seed, window), u64::from(kernel.number("INPUTS")));
        match self.arithmetic {
            Arithmetic::F32 | Arithmetic::F16 => {
                let values: Vec<f32> = (0..4 * inputs).map(|i| starts.value(i)).collect();
                gpu.write(&self.starts, 0, &values)?;
            }
            Arithmetic::Dot4 => {
                let words: Vec<u32> = (0..inputs).map(|i| starts.word(i)).collect();
                gpu.write(&self.starts, 0, &words)?;
            }
            Arithmetic::Matrix => {
                let halves: Vec<u16> =
                    (0..inputs).map(|i| f16::from_f32(starts.value(i)).to_bits()).collect();
                gpu.write(&self.starts, 0, &halves)?;
            }
        }
        Ok(gpu.fill(&self.sums, &self.nan)?)
    }

    fn snapshot(&self) -> Result<Snapshot, GpuError> {
        self.repeated.gpu.snapshot(&self.sums, 0..self.group_bytes * u64::from(self.groups))
    }

    fn judge(&self, window: Option<u32>, snapshot: &Snapshot) -> Result<Verdict, JobError> {
        let words: Vec<u32> = self.repeated.gpu.read(snapshot)?;
        let starts = Starts::of_window(self.seed, window);
        let number = |name| self.repeated.kernel.number(name);
        let (chains, rounds, inputs) =
            (number("CHAINS"), number("ROUNDS"), u64::from(number("INPUTS")));
        let mut worst = 0.0f64;
        for i in 0..SAMPLED as usize {
            let place = i * (words.len() - 1) / (SAMPLED as usize - 1);
            let (got, want, bound) = match self.arithmetic {
                Arithmetic::F32 | Arithmetic::F16 => {
                    let half = self.arithmetic == Arithmetic::F16;
                    let (invocation, lane) = (place as u64 / 4, place as u64 % 4);
                    let start = |n: u64| starts.value(4 * (n % inputs) + lane);
                    let first = 2 * invocation * u64::from(chains);
                    let pairs = (0..u64::from(chains))
                        .map(|c| (start(first + 2 * c), start(first + 2 * c + 1)));
                    let bound = allowed(chains, rounds, 2f64.powi(if half { -11 } else { -24 }));
                    (f32::from_bits(words[place]).into(), turned(pairs, rounds), bound)
                }
                Arithmetic::Dot4 => {
                    let first = place as u64 * u64::from(chains);
                    let ring =
                        (0..u64::from(chains)).map(|c| starts.word((first + c) % inputs) as i32);
                    (f64::from(words[place] as i32), dotted(ring.collect(), rounds).into(), 0.0)
                }
                Arithmetic::Matrix => {
                    let (side, elements) =
                        (u64::from(number("MATRIX")), u64::from(number("ELEMENTS")));
                    let chain = place as u64 / elements % u64::from(chains);
                    let (row, column) = (place as u64 % elements / side, place as u64 % side);
                    let term = |k: u64| {
                        let a = starts.value(chain * elements + row * side + k);
                        f64::from(a)
                            * f64::from(
                                starts.value(u64::from(chains) * elements + k * side + column),
                            )
                    };
                    let (sum, spread) =
                        (0..side).map(term).fold((0.0, 0.0), |(s, a), t| (s + t, a + t.abs()));
                    let rounds = f64::from(rounds);
                    let bound = rounds * spread * (rounds + side as f64) * 2f64.powi(-24);
                    (f32::from_bits(words[place]).into(), rounds * sum, bound)
                }
            };
            let error = (got - want).abs();
            if error.is_nan() || error > bound {
                return Ok(Verdict::Disagrees(format!("sum {place} is {got}, should be {want}")));
            }
            if bound > 0.0 {
                worst = worst.max(error / bound);
            }
        }
        Ok(Verdict::Agrees { checked: SAMPLED.into(), worst })
    }
}

impl Job for Turning {
    fn verify(&mut self) -> Result<Verdict, JobError> {
        self.begin(None)?;
        self.repeated.submit([(&self.bindings, self.groups)].into_iter())?;
        self.repeated.wait()?;
        let sums = self.snapshot()?;
        self.judge(None, &sums)
    }

    fn kernel(&self) -> Option<&Kernel> {
        Some(&self.repeated.kernel)
    }

    fn arithmetic(&self) -> Option<Arithmetic> {
        Some(self.arithmetic)
    }

    fn resize(&mut self, factor: f64) {
        let groups = f64::from(self.groups) * self.repeats as f64 * factor;
        self.groups = (groups as u32).clamp(1, self.most_groups);
        self.repeats = ((groups / f64::from(self.groups)).round() as usize).clamp(1, 1 << 12);
    }

    fn submit(&mut self) -> Result<(), JobError> {
        let dispatches = std::iter::repeat_n((&self.bindings, self.groups), self.repeats);
        Ok(self.repeated.submit(dispatches)?)
    }

    fn wait(&mut self) -> Result<Batch, JobError> {
        self.repeated.wait()
    }

    fn open_window(&mut self, window: u32) -> Result<(), JobError> {
        self.windows.truncate(window as usize);
        self.begin(Some(window))
    }

    fn close_window(&mut self) -> Result<(), JobError> {
        let sums = self.snapshot()?;
        self.windows.push(sums);
        Ok(())
    }

    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError> {
        self.judge(Some(window), &self.windows[window as usize])
    }

    fn proof(&self, _: usize) -> Option<Proof> {
        None
    }
}
