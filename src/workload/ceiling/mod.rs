//! Roofline ceilings of a device, measured like any other workload: `peak` is peak compute from registers, `stream` is memory bandwidth.
//! Matrix products are compared with them to show whether the kernel or the device is the limit.

mod bandwidth;
mod peak;
mod peak_cpu;

pub use peak::{FACTOR, Starts, error_bound, rotated_sum};
pub use peak_cpu::{Chains, LANES, Rotation, rotations};

use super::{
    Batch, DEPTH, Id, Job, JobError, PreparedJob, Seed, Shape, Target, Variant, Workload,
    gpu_variants, unknown,
};
use crate::device::{Device, memory};
use crate::gpu::{Batch as Submission, Bindings, Dispatch, Flight, Gpu, GpuError, Pipeline};
use crate::kernels::{self, Arithmetic, Kernel};
use crate::oracle::Verdict;
use crate::units::{Bytes, Seconds, Work};
use anyhow::{bail, ensure};
use bandwidth::{CpuStream, GpuStream};
use peak::GpuPeak;
use peak_cpu::CpuPeak;
use std::collections::VecDeque;
use strum::VariantNames;

/// A roofline ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ceiling {
    /// Peak compute.
    Peak(Arithmetic),
    /// Memory bandwidth.
    Stream,
}

/// Parses the parts of a spec after `peak`.
pub(super) fn peak(id: Id, parts: &[&str]) -> anyhow::Result<Box<dyn Workload>> {
    let name = match parts {
        [] => "f32",
        [name] => name,
        _ => bail!("peak takes an arithmetic and nothing else; write peak:f32"),
    };
    match name.parse() {
        Ok(arithmetic) => Ok(Box::new(Ceiling::Peak(arithmetic))),
        Err(_) => bail!("{id}: {}", unknown("arithmetic", name, Arithmetic::VARIANTS)),
    }
}

/// Parses the parts of a spec after `stream`.
pub(super) fn stream(_: Id, parts: &[&str]) -> anyhow::Result<Box<dyn Workload>> {
    ensure!(parts.is_empty(), "stream takes nothing after its name; write stream");
    Ok(Box::new(Ceiling::Stream))
}

impl Ceiling {
    fn arithmetic(self) -> Option<Arithmetic> {
        match self {
            Ceiling::Peak(arithmetic) => Some(arithmetic),
            Ceiling::Stream => None,
        }
    }

    /// Main memory that it needs.
    fn host_bytes(self, device: &Device) -> Bytes {
        let reads = self == Ceiling::Stream && device.class.uses_main_memory();
        if reads { stream_bytes(device) } else { Bytes(0) }
    }
}

/// Bytes that `stream` reads before it starts over: more than caches hold.
fn stream_bytes(device: &Device) -> Bytes {
    Bytes(4 * device.last_level_cache().0)
}

impl Workload for Ceiling {
    fn id(&self) -> Id {
        match self {
            Ceiling::Peak(_) => Id::Peak,
            Ceiling::Stream => Id::Stream,
        }
    }

    fn arguments(&self) -> String {
        self.shape().arithmetic.unwrap_or_default()
    }

    fn shape(&self) -> Shape {
        let arithmetic = self.arithmetic().map(|arithmetic| arithmetic.into_str().to_string());
        Shape { arithmetic, ..Shape::default() }
    }

    fn unsupported(&self, target: &Target) -> Option<String> {
        if self.variants(target).is_empty() {
            return Some(format!("no kernel for {} runs on this device", self.spec()));
        }
        memory::check(self.host_bytes(target.device())).err().map(|why| why.to_string())
    }

    fn variants(&self, target: &Target) -> Vec<Variant> {
        let name = match self {
            Ceiling::Peak(arithmetic) => format!("peak-{}", arithmetic.into_str()),
            Ceiling::Stream => "stream".into(),
        };
        match (target, self) {
            (Target::Gpu(gpu), _) => gpu_variants(gpu, kernels::of_workload(&name), Kernel::build),
            (_, Ceiling::Peak(Arithmetic::F32)) => vec![Variant::Cpu("peak-f32/native")],
            (_, Ceiling::Peak(_)) => Vec::new(),
            (_, Ceiling::Stream) => vec![Variant::Cpu("stream/native")],
        }
    }

    fn prepare(&self, target: &Target, variant: &Variant, seed: Seed) -> PreparedJob {
        target.ensure_memory(self.host_bytes(target.device()))?;
        Ok(match (target, variant, *self) {
            (Target::Gpu(gpu), Variant::Gpu(entry), Ceiling::Peak(arithmetic)) => {
                job(*self, GpuPeak::new(gpu, Kernel::build(entry)?, arithmetic, seed)?)
            }
            (Target::Gpu(gpu), Variant::Gpu(entry), Ceiling::Stream) => {
                job(*self, GpuStream::new(gpu, Kernel::build(entry)?, seed)?)
            }
            (_, _, Ceiling::Peak(_)) => job(*self, CpuPeak::new(seed)),
            (_, _, Ceiling::Stream) => job(*self, CpuStream::new(target.device(), seed)),
        })
    }
}

/// A kernel that reaches a ceiling. Batches consist of steps: workgroups, or parts of memory.
trait Probe {
    /// Saved output of a window.
    type Output;
    /// Steps of the first batch, about.
    const FIRST_STEPS: f64 = 1.0;
    /// Maximum steps of a batch.
    const MAX_STEPS: u64;
    fn kernel(&self) -> Option<&Kernel> {
        None
    }
    fn work_per_step(&self) -> u64;
    /// The number of steps nearest to `steps` that a batch can have.
    fn batch_of(&self, steps: f64) -> u64 {
        (steps.round() as u64).clamp(1, Self::MAX_STEPS)
    }
    /// How many batches of how many steps write the whole output.
    fn whole(&self) -> (usize, u64) {
        (1, 1)
    }
    /// Poisons the output and changes the input to that of a window, or of the verification.
    fn begin(&mut self, window: Option<u32>) -> Result<(), JobError>;
    /// Submits a batch to a GPU; the CPU computes it in `wait`.
    fn submit(&mut self, _steps: u64) -> Result<(), JobError> {
        Ok(())
    }
    /// Waits for the oldest batch, which has so many steps. Returns its time on the device's clock.
    fn wait(&mut self, steps: u64) -> Result<Option<Seconds>, JobError>;
    fn output(&self) -> Result<Self::Output, JobError>;
    fn judge(&self, window: Option<u32>, output: &Self::Output) -> Result<Verdict, JobError>;
}

/// A ceiling as a job.
struct CeilingJob<P: Probe> {
    probe: P,
    arithmetic: Option<Arithmetic>,
    /// Steps of the next batch, and of those in flight.
    steps: u64,
    in_flight: VecDeque<u64>,
    windows: Vec<P::Output>,
}

fn job<P: Probe + 'static>(ceiling: Ceiling, probe: P) -> Box<dyn Job> {
    let (arithmetic, steps) = (ceiling.arithmetic(), probe.batch_of(P::FIRST_STEPS));
    let (in_flight, windows) = (VecDeque::new(), Vec::new());
    Box::new(CeilingJob { probe, arithmetic, steps, in_flight, windows })
}

impl<P: Probe> Job for CeilingJob<P> {
    fn verify(&mut self) -> Result<Verdict, JobError> {
        self.probe.begin(None)?;
        let (batches, steps) = self.probe.whole();
        for _ in 0..batches {
            self.probe.submit(steps)?;
            self.probe.wait(steps)?;
        }
        self.probe.judge(None, &self.probe.output()?)
    }

    fn kernel(&self) -> Option<&Kernel> {
        self.probe.kernel()
    }

    fn arithmetic(&self) -> Option<Arithmetic> {
        self.arithmetic
    }

    fn resize(&mut self, factor: f64) {
        self.steps = self.probe.batch_of(self.steps as f64 * factor);
    }

    fn submit(&mut self) -> Result<(), JobError> {
        self.probe.submit(self.steps)?;
        self.in_flight.push_back(self.steps);
        Ok(())
    }

    fn wait(&mut self) -> Result<Batch, JobError> {
        let steps = self.in_flight.pop_front().expect("a batch was submitted");
        let gpu_seconds = self.probe.wait(steps)?;
        Ok(Batch { work: Work(steps * self.probe.work_per_step()), gpu_seconds })
    }

    fn open_window(&mut self, window: u32) -> Result<(), JobError> {
        self.windows.truncate(window as usize);
        self.probe.begin(Some(window))
    }

    fn close_window(&mut self) -> Result<(), JobError> {
        self.windows.push(self.probe.output()?);
        Ok(())
    }

    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError> {
        self.probe.judge(Some(window), &self.windows[window as usize])
    }
}

/// Maximum dispatches of a batch.
const MAX_DISPATCHES: u64 = 1 << 12;

/// A compiled kernel with its submissions in flight.
struct Compiled {
    gpu: Gpu,
    kernel: Kernel,
    pipeline: Pipeline,
    flight: Flight,
}

impl Compiled {
    fn new(gpu: &Gpu, kernel: Kernel) -> Result<Compiled, GpuError> {
        let (pipeline, flight) = (gpu.compile(&kernel)?, Flight::new(gpu, DEPTH, 0)?);
        Ok(Compiled { gpu: gpu.clone(), kernel, pipeline, flight })
    }

    fn work_per_group(&self) -> u64 {
        let invocations: u32 = self.kernel.workgroup.iter().product();
        u64::from(invocations) * u64::from(self.kernel.number("WORK_PER_INVOCATION"))
    }

    /// Dispatches workgroups with each of these bindings, in order.
    fn submit<'a>(
        &mut self,
        bindings: impl Iterator<Item = &'a Bindings>,
        groups: u32,
    ) -> Result<(), JobError> {
        let pipeline = &self.pipeline;
        let dispatch = |bindings| Dispatch { pipeline, bindings, groups: [groups, 1, 1] };
        let dispatches = bindings.map(dispatch).collect();
        Ok(self.flight.submit(&Submission { dispatches, ..Submission::default() })?)
    }

    fn wait(&mut self) -> Result<Option<Seconds>, JobError> {
        Ok(self.flight.wait()?.expect("a batch is in flight").gpu_seconds)
    }
}
