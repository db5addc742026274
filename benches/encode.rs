//! How long an export takes: 100,000 stacks to a gzipped pprof file, and one window of a recording.

#![allow(missing_docs, reason = "the macros of criterion make public functions")]

mod generated;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use generated::{encode, profile};
use std::time::Duration;

fn encoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    for (name, stacks) in [("window of 2,000 stacks", 2_000), ("export of 100,000 stacks", 100_000)] {
        let profile = profile(stacks);
        group.throughput(Throughput::Elements(stacks as u64));
        group.bench_function(name, |bencher| bencher.iter(|| encode(&profile)));
    }
    group.finish();
}

criterion_group!(benches, encoding);
criterion_main!(benches);
