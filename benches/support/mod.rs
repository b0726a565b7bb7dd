//! One workload on the first adapter and on the processor, by the library's own jobs.

use criterion::{BenchmarkId, Criterion, Throughput};
use rigbench::device::Device;
use rigbench::gpu;
use rigbench::workload::data::Seed;
use rigbench::workload::{DEPTH, Job, Target, parse};
use std::time::{Duration, Instant};

/// Length that batches are sized for.
const BATCH: f64 = 0.02;

/// Benches the default variant of `spec`, with its work as throughput.
pub fn bench(criterion: &mut Criterion, spec: &str) {
    let workload = parse(spec).expect("a bench names a workload");
    let mut group = criterion.benchmark_group(workload.spec());
    let devices = gpu::enumerate().into_iter().take(1).chain([Device::cpu()]);
    for device in devices {
        let target = Target::open(&device).expect("the device opens");
        let variant = workload.variants(&target).swap_remove(0);
        let mut job =
            workload.prepare(&target, &variant, Seed([1; 32])).expect("the kernel compiles");
        job.verify().expect("the device works");
        // Sized in a few steps: the first batch may still compile.
        for _ in 0..5 {
            let began = Instant::now();
            run(job.as_mut(), 1);
            job.resize((BATCH / began.elapsed().as_secs_f64()).clamp(0.05, 16.0));
        }
        let (_, work) = run(job.as_mut(), 1);
        group.throughput(Throughput::Elements(work));
        let id = BenchmarkId::new(device.id.to_string(), variant.id());
        group.bench_function(id, |bencher| bencher.iter_custom(|n| run(job.as_mut(), n).0));
    }
    group.finish();
}

/// Runs `batches` with several in flight: the time they took and the work of the last.
fn run(job: &mut dyn Job, batches: u64) -> (Duration, u64) {
    let began = Instant::now();
    let (mut submitted, mut done, mut work) = (0, 0, 0);
    while done < batches {
        while submitted < batches && submitted - done < DEPTH as u64 {
            job.submit().expect("the device works");
            submitted += 1;
        }
        work = job.wait().expect("the device works").work.0;
        done += 1;
    }
    (began.elapsed(), work)
}
