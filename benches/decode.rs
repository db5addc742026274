//! How long reading takes: a pprof file of 100,000 stacks, gzipped and not, into a profile.

#![allow(missing_docs, reason = "the macros of criterion make public functions")]

mod generated;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flametop::format::{Limits, by_name, unpack};
use generated::{encode, profile};
use std::time::Duration;

fn decoding(criterion: &mut Criterion) {
    let (pprof, limits) = (by_name("pprof").expect("a format of that name"), Limits::default());
    let gzipped = encode(&profile(100_000));
    let plain = unpack(&gzipped, &limits).expect("our own file").bytes.into_owned();
    let mut group = criterion.benchmark_group("decode");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    for (name, file) in [("100,000 stacks, gzipped", &gzipped), ("100,000 stacks, plain", &plain)] {
        group.throughput(Throughput::Bytes(plain.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| pprof.read(file, &limits)));
    }
    group.finish();
}

criterion_group!(benches, decoding);
criterion_main!(benches);
