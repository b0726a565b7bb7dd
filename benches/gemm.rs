//! `cargo bench --bench gemm [-- PART-OF-A-NAME]`: every variant on the first adapter and on the processor.

mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;

fn gemm(criterion: &mut Criterion) {
    support::bench(criterion, "gemm:1024x1024x1024:f32", 2 << 30);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(5));
    targets = gemm
}
criterion_main!(benches);
