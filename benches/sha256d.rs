//! `cargo bench --bench sha256d`: the default kernel on the first adapter and on the processor.

mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use std::time::Duration;

fn sha256d(criterion: &mut Criterion) {
    support::bench(criterion, "sha256d");
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(8));
    targets = sha256d
}
criterion_main!(benches);
