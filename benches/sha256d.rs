//! `cargo bench --bench sha256d [-- PART-OF-A-NAME]`: the tuned variant on the first adapter and on the processor;
//! `RIGBENCH_VARIANTS=all` times every one.

mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;

fn sha256d(criterion: &mut Criterion) {
    support::bench(criterion, "sha256d", 1 << 24);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(5));
    targets = sha256d
}
criterion_main!(benches);
