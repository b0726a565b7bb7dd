//! A workload on the first adapter and on the processor, by the library's own jobs: the variant that the tuner takes, or with
//! `RIGBENCH_VARIANTS=all` every one.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use rigbench::device::Device;
use rigbench::gpu;
use rigbench::measure::calibrate_batch;
use rigbench::oracle::Verdict;
use rigbench::tune::{Effort, Tuner};
use rigbench::units::Seconds;
use rigbench::workload::data::Seed;
use rigbench::workload::{DEPTH, Job, Target, Variant, Workload, parse};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Length that batches are sized for.
const BATCH: Seconds = Seconds(0.04);

/// Benches `spec`; one iteration is `work` units of it.
pub fn bench(criterion: &mut Criterion, spec: &str, work: u64) {
    let workload = parse(spec).expect("a bench names a workload");
    let mut group = criterion.benchmark_group(workload.spec());
    group.throughput(Throughput::Elements(work));
    let devices = gpu::enumerate().into_iter().take(1).chain([Device::cpu()]);
    for device in devices {
        let mut target = Target::open(&device).expect("the device opens");
        let name = device.id.to_string();
        if std::env::var_os("RIGBENCH_VARIANTS").is_some_and(|which| which == "all") {
            for variant in workload.variants(&target) {
                let id = BenchmarkId::new(&name, variant.id());
                time(&mut group, id, work, || prepare(workload.as_ref(), &target, &variant));
            }
        } else {
            time(&mut group, BenchmarkId::from_parameter(&name), work, || {
                let variant = tuned(workload.as_ref(), &mut target);
                eprintln!("{} on {name}: {}", workload.spec(), variant.id());
                prepare(workload.as_ref(), &target, &variant)
            });
        }
    }
    group.finish();
}

/// The variant that the tuner takes. `cargo test` only wants to see that a bench runs and gets the first; tests/kernels/gpu.rs has every one.
fn tuned(workload: &dyn Workload, target: &mut Target) -> Variant {
    if !std::env::args().any(|arg| arg == "--bench") {
        return workload.variants(target).remove(0);
    }
    let tuner = Tuner::new(Effort::Quick, false);
    let choice = tuner.choose(workload, target, &mut |_| ControlFlow::Continue(()));
    choice.expect("the device works").variant
}

/// A verified job, its batches sized.
fn prepare(workload: &dyn Workload, target: &Target, variant: &Variant) -> Box<dyn Job> {
    let mut job = workload.prepare(target, variant, Seed([1; 32])).expect("the kernel compiles");
    let verdict = job.verify().expect("the device works");
    assert!(matches!(verdict, Verdict::Agrees { .. }), "{verdict:?}");
    calibrate_batch(job.as_mut(), BATCH).expect("the device works");
    job
}

/// Times a job, which is prepared only if the command line asks for this bench.
fn time(
    group: &mut BenchmarkGroup<WallTime>,
    id: BenchmarkId,
    work: u64,
    mut prepare: impl FnMut() -> Box<dyn Job>,
) {
    let mut prepared: Option<Box<dyn Job>> = None;
    group.bench_function(id, |bencher| {
        let job = prepared.get_or_insert_with(&mut prepare);
        bencher.iter_custom(|n| {
            let (time, done) = run(job.as_mut(), n * work);
            time.mul_f64((n * work) as f64 / done as f64)
        });
    });
}

/// Runs batches, several in flight, until at least `work` is done: the time they took and the work they did.
fn run(job: &mut dyn Job, work: u64) -> (Duration, u64) {
    let began = Instant::now();
    let (mut in_flight, mut done) = (0, 0);
    while done < work || in_flight > 0 {
        while done < work && in_flight < DEPTH {
            job.submit().expect("the device works");
            in_flight += 1;
        }
        done += job.wait().expect("the device works").work.0;
        in_flight -= 1;
    }
    (began.elapsed(), done)
}
