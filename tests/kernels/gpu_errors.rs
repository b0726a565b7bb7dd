//! Errors of a GPU belong to the operation that made them: what is refused, has no room or loses the device fails nothing else.

use crate::support;

use rigbench::gpu::{Gpu, GpuError};
use rigbench::kernels::{self, Kernel};
use rigbench::oracle::Verdict;
use rigbench::results::{Failure, FailureCode};
use rigbench::tune::{Effort, Tuner};
use rigbench::units::Unit;
use rigbench::workload::data::Seed;
use rigbench::workload::{Id, Job, JobError, Shape, Target, Variant, Workload, parse};
use std::ops::ControlFlow;

/// Kernels that no driver takes: text that is no WGSL, and a workgroup above every adapter's limit.
fn refused_kernels() -> [Kernel; 2] {
    let good = Kernel::build(kernels::of_workload("sha256d").next().unwrap()).unwrap();
    let of = |wgsl: &str| {
        let mut kernel = good.clone();
        (kernel.wgsl, kernel.bindings) = (wgsl.into(), Vec::new());
        kernel
    };
    [
        of("@compute @workgroup_size(1) fn main() { nonsense }"),
        of("@compute @workgroup_size(65536) fn main() {}"),
    ]
}

fn is_right(job: &mut dyn Job) -> bool {
    matches!(job.verify(), Ok(Verdict::Agrees { .. }))
}

fn works(target: &Target) -> bool {
    let workload = parse("gemm:33x17x9").unwrap();
    let variant = workload.variants(target).remove(0);
    is_right(workload.prepare(target, &variant, Seed([4; 32])).unwrap().as_mut())
}

#[test]
fn a_refused_kernel_fails_nothing_but_itself() {
    let Some(gpu) = support::own_gpu("a_refused_kernel_fails_nothing_but_itself") else { return };
    let target = Target::Gpu(gpu.clone());
    for kernel in refused_kernels() {
        assert!(works(&target), "before");
        match gpu.compile(&kernel) {
            Err(GpuError::Refused(why)) => assert!(!why.contains('\n') && !why.is_empty()),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("this was compiled: {}", kernel.wgsl),
        }
        assert!(works(&target), "afterwards");
        assert!(!gpu.is_lost());
    }
}

#[test]
fn an_allocation_without_room_fails_nothing_but_itself() {
    let Some(gpu) = support::own_gpu("an_allocation_without_room_fails_nothing_but_itself") else {
        return;
    };
    let target = Target::Gpu(gpu.clone());
    let before = gpu.storage(1 << 20).unwrap();
    let largest = gpu.details().limits.buffer.0;
    for size in [largest.saturating_add(4), 1 << 60] {
        match gpu.storage(size) {
            Err(GpuError::Refused(_) | GpuError::OutOfMemory(_)) => {}
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("there was room for {size} bytes"),
        }
    }
    let after = gpu.storage(1 << 20).unwrap();
    for buffer in [&before, &after] {
        gpu.write(buffer, 0, &[7u32, 8]).unwrap();
        let snapshot = gpu.snapshot(buffer, 0..8).unwrap();
        assert_eq!(gpu.read::<u32>(&snapshot).unwrap(), [7, 8]);
    }
    assert!(works(&target));
}

#[test]
fn a_lost_device_is_opened_again_for_the_next_row() {
    let test = "a_lost_device_is_opened_again_for_the_next_row";
    let Some(gpu) = support::own_gpu(test) else { return };
    let mut target = Target::Gpu(gpu.clone());
    let workload = parse("sha256d").unwrap();
    let variant = workload.variants(&target).remove(0);
    let mut job = workload.prepare(&target, &variant, Seed([4; 32])).unwrap();
    target.reopen_if_lost().unwrap();
    gpu.destroy();
    assert!(target.is_lost() && gpu.is_lost());
    let error = job.verify().unwrap_err().to_string();
    assert!(error.starts_with("the device was lost"), "{error}");
    assert!(matches!(gpu.storage(4), Err(GpuError::Lost(_))));
    target.reopen_if_lost().unwrap();
    assert!(!target.is_lost() && works(&target));
    assert!(job.verify().is_err(), "what was on the lost device stays lost");
}

#[test]
fn a_device_that_is_lost_between_batches_is_an_error_of_the_next_batch() {
    let test = "a_device_that_is_lost_between_batches_is_an_error_of_the_next_batch";
    let Some(gpu) = support::own_gpu(test) else { return };
    for spec in ["sha256d", "gemm:200x200x200", "peak:f32"] {
        let target = Target::open(gpu.description()).unwrap();
        let Target::Gpu(own) = &target else { unreachable!("it is a GPU") };
        let workload = parse(spec).unwrap();
        let variant = workload.variants(&target).remove(0);
        let mut job = workload.prepare(&target, &variant, Seed([4; 32])).unwrap();
        assert!(is_right(job.as_mut()), "{spec}");
        own.destroy();
        job.resize(0.5);
        let error = job.submit().unwrap_err().to_string();
        assert!(error.starts_with("the device was lost"), "{spec}: {error}");
    }
}

/// Another device of the same adapter, as each row of a run has one.
#[test]
fn a_row_that_loses_its_device_leaves_the_other_rows_theirs() {
    let test = "a_row_that_loses_its_device_leaves_the_other_rows_theirs";
    let Some(lost) = support::own_gpu(test) else { return };
    let other = Target::open(lost.description()).unwrap();
    let workload = parse("gemm:33x17x9").unwrap();
    let variant = workload.variants(&other).remove(0);
    let mut job = workload.prepare(&other, &variant, Seed([4; 32])).unwrap();
    lost.destroy();
    assert!(is_right(job.as_mut()));
}

/// `sha256d`, of whose variants the first is refused and the third loses the device.
struct Troubled(Box<dyn Workload>);

impl Workload for Troubled {
    fn id(&self) -> Id {
        self.0.id()
    }
    fn unit(&self) -> Unit {
        self.0.unit()
    }
    fn arguments(&self) -> String {
        "troubled".into()
    }
    fn shape(&self) -> Shape {
        self.0.shape()
    }
    fn unsupported(&self, target: &Target) -> Option<String> {
        self.0.unsupported(target)
    }
    fn variants(&self, target: &Target) -> Vec<Variant> {
        self.0.variants(target).into_iter().take(4).collect()
    }
    fn prepare(&self, target: &Target, v: &Variant, seed: Seed) -> Result<Box<dyn Job>, JobError> {
        let gpu: &Gpu = match target {
            Target::Gpu(gpu) => gpu,
            Target::Cpu(_) => unreachable!("only GPUs are tried"),
        };
        match self.variants(target).iter().position(|known| known.id() == v.id()) {
            Some(0) => drop(gpu.compile(&refused_kernels()[1])?),
            // The second is ready by then and is lost with the device.
            Some(2) => gpu.destroy(),
            _ => {}
        }
        self.0.prepare(target, v, seed)
    }
}

#[test]
fn the_tuner_leaves_out_what_is_refused_or_loses_the_device_and_compares_the_others() {
    let test = "the_tuner_leaves_out_what_is_refused_or_loses_the_device_and_compares_the_others";
    let Some(gpu) = support::own_gpu(test) else { return };
    let troubled = Troubled(parse("sha256d").unwrap());
    let mut target = Target::Gpu(gpu);
    let ids: Vec<&str> = troubled.variants(&target).iter().map(Variant::id).collect();
    let tuner = Tuner { cache: None, ..Tuner::new(Effort::Quick, true) };
    let choice = tuner
        .choose(&troubled, &mut target, &mut |_| ControlFlow::Continue(()))
        .unwrap_or_else(|error| panic!("{error}"));
    assert!([ids[1], ids[3]].contains(&choice.variant.id()));
    let of = |id: &str| choice.record.trials.iter().find(|trial| trial.kernel == id).unwrap();
    for (id, begins) in [(ids[0], "the driver refused"), (ids[2], "the device was lost")] {
        let Failure { code, message } = of(id).failure.clone().unwrap();
        assert_eq!(code, FailureCode::Driver, "{message}");
        assert!(message.starts_with(begins), "{message}");
    }
    for id in [ids[1], ids[3]] {
        assert!(of(id).throughput > Some(0.0), "{id}");
    }
    assert!(!target.is_lost());
}
