//! Go's own pprof reads what flametop exports: without a complaint, and with the same totals.

mod support;

use flametop::feed::TargetInfo;
use flametop::files::write_new;
use flametop::format::{Export, by_name};
use flametop::profile::{
    Frame, FrameKind, Moment, Nanos, Profile, ProfileLane, ProfileNode, Sampling, Span, Thread, ValueKind,
};
use std::path::{Path, PathBuf};
use support::pprof_go::{GoPprof, RawProfile};
use support::runtimes::require_go;

/// Names on which viewers have stumbled, each with a call of the next.
fn frames() -> Vec<Frame> {
    vec![
        Frame::named("all", FrameKind::Other),
        Frame::at("main", "/srv/api.js", 1, 1, FrameKind::Js),
        Frame::at("Array.map (native) [as foo]", "/srv/api.js", 10, 5, FrameKind::Js),
        Frame::at("(anonymous)", "/srv/api.js", 20, 9, FrameKind::Js),
        Frame::at("(anonymous)", "/srv/api.js", 20, 40, FrameKind::Js),
        Frame::at("Foo<T>.bar::baz", "/srv/a b.js", 30, 3, FrameKind::Js),
        Frame::named("(garbage collector)", FrameKind::Gc),
        Frame::named("(program)", FrameKind::Program),
        Frame::named("(idle)", FrameKind::Idle),
    ]
}

/// One chain through all functions, each with a value of its own, on two threads.
fn profile(kinds: Vec<ValueKind>, period_name: &str, period_bytes: bool) -> Profile {
    let frames = frames();
    let nodes = (0..frames.len() as u32).map(|at| ProfileNode { parent: at.saturating_sub(1), frame: at });
    let counts: Vec<i64> = (1..frames.len() as i64).map(|at| at * 7).collect();
    let column = |at: usize| counts.iter().map(|count| count * [1, 1_000_003, 777][at]).collect();
    let lane = |tid: u64, name: &str| ProfileLane {
        thread: Thread { pid: 42, tid, name: name.into() },
        nodes: (1..frames.len() as u32).collect(),
        columns: (0..kinds.len()).map(column).collect(),
        lines: vec![(3, 21, 10), (3, 22, 11)],
        runs: Vec::new(),
        runs_dropped: 0,
    };
    Profile {
        span: Span { start: Moment(1_790_000_000_000_000_123), length: Nanos::from_secs(1) },
        covered: Nanos(990_000_000),
        sampling: Sampling {
            period_name: period_name.into(),
            period: 1_000_000,
            period_bytes,
            taken: 504,
            lost: 3,
            ..Sampling::default()
        },
        lanes: vec![lane(42, "main"), lane(43, "worker 1")],
        kinds,
        frames,
        nodes: nodes.collect(),
        notes: vec!["the window was merged from 2".into()],
    }
}

fn cpu() -> Profile {
    profile(vec![ValueKind::samples(), ValueKind::cpu()], "cpu", false)
}

fn heap() -> Profile {
    let kinds = vec![ValueKind::samples(), ValueKind::inuse_space(), ValueKind::alloc_space()];
    profile(kinds, "space", true)
}

fn export(profile: &Profile, directory: &Path) -> PathBuf {
    let target = TargetInfo {
        name: "api.js".into(),
        kind: "Node 22.3.0".into(),
        pid: Some(42),
        executable: "/usr/bin/node".into(),
        ..TargetInfo::default()
    };
    let pprof = by_name("pprof").expect("a format of that name");
    let export = Export { host: "web-1", ..Export::new(profile, &target) };
    write_new(&directory.join("export.pb.gz"), |out| pprof.write(&export, out)).expect("written")
}

fn totals(raw: &RawProfile) -> Vec<(&str, i64)> {
    raw.sample_types.iter().map(String::as_str).zip(raw.totals.iter().copied()).collect()
}

#[test]
fn go_reads_a_cpu_export_without_complaint_and_to_the_last_sample() {
    let go = GoPprof::new(require_go!());
    let (profile, home) = (cpu(), tempfile::tempdir().expect("a directory"));
    let raw = go.raw(&export(&profile, home.path()));
    // Idle is the last function: 8 * 7 samples on each of two threads are no CPU time.
    let samples = profile.total(0) - 2 * 8 * 7;
    assert_eq!(totals(&raw), [("samples/count", samples), ("cpu/nanoseconds", samples * 1_000_003)]);
    // Seven functions on two threads, one of them with two lines.
    assert_eq!(raw.sample_count, 2 * (7 + 1));
}

#[test]
fn go_shows_the_names_as_they_are_and_the_losses() {
    let go = GoPprof::new(require_go!());
    let (profile, home) = (cpu(), tempfile::tempdir().expect("a directory"));
    let top = go.top(&export(&profile, home.path()), None);
    for shown in [
        "File: node",
        "Type: cpu",
        "Duration: 1s, Total samples = 392",
        " Array.map (native) [as foo]\n",
        " (anonymous:L#20:C#9)\n",
        " (anonymous:L#20:C#40)\n",
        " Foo<T>.bar::baz\n",
        " (garbage collector)\n",
        "api.js, process 42, Node 22.3.0 on web-1",
        "observed 0.990 s of 1.000 s",
        "3 samples were lost",
        "note: the window was merged from 2",
    ] {
        assert!(top.contains(shown), "{shown:?} is not in\n{top}");
    }
    assert!(!top.contains("#flametop"), "lines for flametop alone stay hidden\n{top}");
    assert!(!top.contains("(idle)"), "{top}");
}

#[test]
fn go_tells_the_threads_apart() {
    let go = GoPprof::new(require_go!());
    let (profile, home) = (cpu(), tempfile::tempdir().expect("a directory"));
    let file = export(&profile, home.path());
    let tags = go.run(&["-tags"], &file);
    for shown in ["thread name", "worker 1", "thread id", "process"] {
        assert!(tags.contains(shown), "{shown:?} is not in\n{tags}");
    }
    let worker = go.run(&["-top", "-sample_index=samples", "-tagfocus=thread name=worker 1"], &file);
    assert!(worker.contains("of 392 total"), "{worker}");
}

#[test]
fn go_reads_a_heap_export_with_live_bytes_first() {
    let go = GoPprof::new(require_go!());
    let (profile, home) = (heap(), tempfile::tempdir().expect("a directory"));
    let file = export(&profile, home.path());
    let raw = go.raw(&file);
    let total = |name: &str| profile.total(profile.kind(name).expect("a kind of the profile"));
    assert_eq!(raw.total("samples/count"), total("samples"));
    assert_eq!(raw.total("inuse_space/bytes"), total("inuse_space"));
    assert_eq!(raw.total("alloc_space/bytes"), total("alloc_space"));
    assert!(go.top(&file, None).contains("Type: inuse_space"));
}

#[test]
fn go_reads_a_window_of_a_recording() {
    let go = GoPprof::new(require_go!());
    let (profile, home) = (cpu(), tempfile::tempdir().expect("a directory"));
    let (target, path) = (TargetInfo::default(), home.path().join("window.pb.gz"));
    let pprof = by_name("pprof").expect("a format of that name");
    let export = Export::new(&profile, &target).for_replay();
    write_new(&path, |out| pprof.write(&export, out)).expect("written");
    assert_eq!(go.raw(&path).total("samples/count"), profile.total(0));
}

#[test]
fn the_top_table_has_the_figures_of_gos() {
    let go = GoPprof::new(require_go!());
    let (profile, home) = (cpu(), tempfile::tempdir().expect("a directory"));
    let file = export(&profile, home.path());
    let mut ours = Vec::new();
    let target = TargetInfo::default();
    let table = by_name("top").expect("a format of that name");
    let export = Export { kind: Some("samples"), ..Export::new(&profile, &target) };
    table.write(&export, &mut ours).expect("written");
    let rows = |text: &str| {
        let body = text.split_once("cum%\n").map_or("", |(_, body)| body);
        // The third column depends on the order of rows with equal values.
        let cells = |line: &str| {
            let cells = line.split_whitespace().enumerate().filter(|(nth, _)| *nth != 2);
            cells.map(|(_, cell)| cell.to_owned()).collect::<Vec<_>>()
        };
        let mut rows: Vec<Vec<String>> = body.lines().map(cells).collect();
        rows.sort();
        rows
    };
    assert_eq!(rows(&String::from_utf8_lossy(&ours)), rows(&go.top(&file, Some("samples"))));
}
