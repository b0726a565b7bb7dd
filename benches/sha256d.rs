//! `cargo bench --bench sha256d [-- PART-OF-A-NAME]`: every variant on the first adapter and on the processor.

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
