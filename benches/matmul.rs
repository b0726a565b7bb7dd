//! `cargo bench --bench matmul [-- PART-OF-A-NAME]`: the tuned variant on the first adapter and on the processor;
//! `RIGBENCH_VARIANTS=all` times every one.

mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;

/// A weight takes two operations.
const GEMV: u64 = 2 * 4096 * 4096;

fn matmul(criterion: &mut Criterion) {
    support::bench(criterion, "gemm:1024x1024x1024:f32", 2 << 30);
    support::bench(criterion, "gemm:1021x1019x1031:f32", 2 * 1021 * 1019 * 1031);
    support::bench(criterion, "gemm:1024x1024x1024:f16", 2 << 30);
    support::bench(criterion, "gemm:1024x1024x1024:int4", 2 << 30);
    support::bench(criterion, "gemv:4096x4096:f32", GEMV);
    support::bench(criterion, "gemv:4096x4096:int4", GEMV);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(5));
    targets = matmul
}
criterion_main!(benches);
