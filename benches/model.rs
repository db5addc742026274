//! What a window costs: taking it in, merging a minute, building the flame, laying it out.
//!
//! `cargo bench --bench model`. Read the figures as ratios between runs on one machine.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use flametop::feed::{Event, Feed, SourceId};
use flametop::profile::{
    Flame, Frame, FrameKind, Moment, Nanos, Profile, ProfileLane, ProfileNode, Sampling, Shape, Span, Thread,
    ValueKind, layout_rows,
};
use flametop::session::{Range, Scope, Selection, Session};
use std::hint::black_box;

/// A window of a busy server: that many call paths below a few dozen entry points, 20 deep.
fn window(second: u64, paths: u32) -> Event {
    let frames =
        (0..2000).map(|n| Frame::at(&format!("function{n}"), "/srv/app.js", n + 1, 1, FrameKind::Js));
    let mut nodes = vec![ProfileNode { parent: 0, frame: 0 }];
    let mut seed = 7u64 + second / 10;
    while nodes.len() < paths as usize {
        let mut parent = 0;
        for _ in 0..20 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            nodes.push(ProfileNode { parent, frame: (seed >> 33) as u32 % 2000 });
            parent = nodes.len() as u32 - 1;
        }
    }
    let valued: Vec<u32> = (1..nodes.len() as u32).collect();
    let values = vec![1i64; valued.len()];
    let profile = Profile {
        kinds: vec![ValueKind::samples(), ValueKind::cpu()],
        span: Span { start: Moment(second as i64 * 1_000_000_000), length: Nanos::from_secs(1) },
        covered: Nanos::from_secs(1),
        sampling: Sampling { taken: 1000, achieved: 1_000_000, ..Sampling::default() },
        frames: frames.collect(),
        nodes,
        lanes: vec![ProfileLane {
            thread: Thread { pid: 1, tid: 1, name: "main".into() },
            nodes: valued,
            columns: vec![values.clone(), values],
            lines: Vec::new(),
            runs: Vec::new(),
            runs_dropped: 0,
        }],
        notes: Vec::new(),
    };
    Event { source: SourceId(0), at: profile.span.end(), feed: Feed::Window(Box::new(profile)) }
}

fn session(seconds: u64, paths: u32) -> Session {
    let mut session = Session::default();
    (0..seconds).for_each(|second| session.ingest(&window(second, paths)));
    session
}

fn ingest(c: &mut Criterion) {
    for paths in [1_000, 7_000] {
        let (known, new) = (session(1, paths), window(0, paths));
        drop(known);
        c.bench_function(&format!("ingest a window of {paths} paths, all known"), |b| {
            b.iter_batched_ref(|| session(1, paths), |session| session.ingest(&new), BatchSize::LargeInput);
        });
    }
}

fn merge(c: &mut Criterion) {
    let session = session(60, 7_000);
    let span = Span { start: Moment(0), length: Nanos::from_secs(60) };
    let minute = Selection { range: Range::Span(span), kind: "cpu".into(), scope: Scope::All };
    c.bench_function("merge 60 windows of 7,000 paths", |b| b.iter(|| black_box(session.select(&minute))));
}

fn draw_ready(c: &mut Criterion) {
    let session = session(1, 7_000);
    let selected = session.select(&Selection::default()).expect("there is a window");
    let build = || Flame::build(session.tree(), &selected.fold, selected.column, &Shape::default());
    c.bench_function("build the flame of 7,000 paths", |b| b.iter(|| black_box(build())));
    let flame = build();
    c.bench_function("lay out 7,000 paths in 200 cells", |b| {
        b.iter(|| black_box(layout_rows(&flame, 0, 200)));
    });
}

criterion_group!(benches, ingest, merge, draw_ready);
criterion_main!(benches);
