//! A workload on the first adapter and on the processor, by the library's own jobs: the variant that the tuner takes, or with
//! `RIGBENCH_VARIANTS=all` every one.

use criterion::{BenchmarkId, Criterion, Throughput};
use rigbench::device::Device;
use rigbench::gpu;
use rigbench::measure::size;
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
        for (id, variant) in chosen(workload.as_ref(), &mut target) {
            // Prepared only if the command line asks for it.
            let mut prepared: Option<Box<dyn Job>> = None;
            group.bench_function(id, |bencher| {
                let job = prepared.get_or_insert_with(|| {
                    let job = workload.prepare(&target, &variant, Seed([1; 32]));
                    let mut job = job.expect("the kernel compiles");
                    let verdict = job.verify().expect("the device works");
                    assert!(matches!(verdict, Verdict::Agrees { .. }), "{verdict:?}");
                    size(job.as_mut(), BATCH).expect("the device works");
                    job
                });
                bencher.iter_custom(|n| {
                    let (time, done) = run(job.as_mut(), n * work);
                    time.mul_f64((n * work) as f64 / done as f64)
                });
            });
        }
    }
    group.finish();
}

/// Names of benches, with the variants that they time.
fn chosen(workload: &dyn Workload, target: &mut Target) -> Vec<(BenchmarkId, Variant)> {
    let device = target.device().id.to_string();
    let variants = workload.variants(target);
    if std::env::var_os("RIGBENCH_VARIANTS").is_some_and(|which| which == "all") {
        return variants.into_iter().map(|v| (BenchmarkId::new(&device, v.id()), v)).collect();
    }
    // `cargo test` only wants to see that a bench runs; tests/kernels/gpu.rs has every variant.
    let variant = if std::env::args().any(|arg| arg == "--bench") {
        let tuner = Tuner::new(Effort::Quick, false);
        let choice = tuner.choose(workload, target, &mut |_| ControlFlow::Continue(()));
        choice.expect("the device works").variant
    } else {
        variants.into_iter().next().expect("every workload has a variant")
    };
    eprintln!("{} on {device}: {}", workload.spec(), variant.id());
    vec![(BenchmarkId::from_parameter(device), variant)]
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
