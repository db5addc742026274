//! A small profile with one of everything, for the tests of formats.

use crate::feed::TargetInfo;
use crate::profile::{
    Frame, FrameKind, Moment, Nanos, Profile, ProfileLane, ProfileNode, Run, Sampling, Span, Thread,
    ValueKind,
};
use std::collections::BTreeMap;

/// The process that the fixtures are of.
pub(super) fn target() -> TargetInfo {
    TargetInfo {
        name: "api.js".into(),
        kind: "Node 22.3.0".into(),
        pid: Some(4242),
        executable: "/usr/bin/node".into(),
        ..TargetInfo::default()
    }
}

fn frames() -> Vec<Frame> {
    vec![
        Frame::named("all", FrameKind::Other),
        Frame::at("main", "/srv/api.js", 1, 1, FrameKind::Js),
        Frame::at("Array.map (native) [as foo]", "/srv/api.js", 10, 5, FrameKind::Js),
        Frame::at("(anonymous)", "/srv/api.js", 20, 9, FrameKind::Js),
        Frame::at("(anonymous)", "/srv/api.js", 20, 40, FrameKind::Js),
        Frame::named("(garbage collector)", FrameKind::Gc),
        Frame::named("(program)", FrameKind::Program),
        Frame::named("(idle)", FrameKind::Idle),
        Frame::at("odd", "/srv/api.js", 30, 0, FrameKind::Native),
        Frame::named("<Vec<T> as Debug>::fmt", FrameKind::Native),
    ]
}

fn nodes() -> Vec<ProfileNode> {
    let node = |parent, frame| ProfileNode { parent, frame };
    vec![
        node(0, 0),
        node(0, 1),
        node(1, 2),
        node(2, 3),
        node(2, 4),
        node(1, 5),
        node(0, 6),
        node(0, 7),
        node(1, 8),
        node(8, 9),
    ]
}

/// A second of CPU on two threads, 10 ms idle, with a gap, losses and notes.
pub(super) fn cpu() -> Profile {
    let lane = |tid, name: &str, rows: &[(u32, i64)], lines: &[(u32, u32, u32)]| ProfileLane {
        thread: Thread { pid: 4242, tid, name: name.into() },
        nodes: rows.iter().map(|row| row.0).collect(),
        columns: vec![
            rows.iter().map(|row| row.1).collect(),
            rows.iter().map(|row| row.1 * 1_000_003).collect(),
        ],
        lines: lines.to_vec(),
        runs: Vec::new(),
        runs_dropped: 0,
    };
    Profile {
        kinds: vec![ValueKind::samples(), ValueKind::cpu()],
        span: Span { start: Moment(1_790_000_000_000_000_123), length: Nanos::from_secs(1) },
        covered: Nanos(990_000_001),
        sampling: Sampling {
            period_name: "cpu".into(),
            period: 1_000_000,
            period_bytes: false,
            achieved: 1_013_000,
            taken: 977,
            lost: 3,
            truncated: 2,
            handover: Nanos(4_000_001),
            handover_bytes: 81_234,
        },
        frames: frames(),
        nodes: nodes(),
        lanes: vec![
            lane(
                4242,
                "main",
                &[(1, 50), (2, 100), (3, 300), (4, 200), (5, 30), (6, 20), (7, 10), (8, 40)],
                &[(1, 2, 49), (1, 7, 1), (3, 21, 100), (3, 22, 200), (8, 30, 40)],
            ),
            lane(4250, "worker 1", &[(1, 1), (9, 226)], &[]),
        ],
        notes: vec!["the window was merged from 2".into()],
    }
}

/// Live and allocated bytes of the same code.
pub(super) fn heap() -> Profile {
    let mut profile = cpu();
    profile.kinds = vec![ValueKind::samples(), ValueKind::inuse_space(), ValueKind::alloc_space()];
    profile.sampling = Sampling {
        period_name: "space".into(),
        period: 524_288,
        period_bytes: true,
        taken: 977,
        ..Sampling::default()
    };
    for lane in &mut profile.lanes {
        let counts = lane.columns[0].clone();
        let scaled = |by: i64| counts.iter().map(|count| count * by).collect();
        lane.columns = vec![counts.clone(), scaled(4096), scaled(524_288)];
        lane.lines.clear();
    }
    profile
}

/// The values of a kind by stack, as `root;caller;leaf`, over every thread.
pub(super) fn by_stack(profiles: &[Profile], kind: &str) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for profile in profiles {
        let Some(column) = profile.kind(kind) else { continue };
        for lane in &profile.lanes {
            for (node, value) in
                lane.nodes.iter().zip(&lane.columns[column]).filter(|(_, value)| **value != 0)
            {
                *sums.entry(stack(profile, *node)).or_insert(0) += value;
            }
        }
    }
    sums
}

fn stack(profile: &Profile, mut node: u32) -> String {
    let mut names = Vec::new();
    while node != 0 {
        let frame = &profile.frames[profile.nodes[node as usize].frame as usize];
        names.push(format!("{} {}:{}", frame.name, frame.file, frame.line));
        node = profile.nodes[node as usize].parent;
    }
    names.reverse();
    names.join(";")
}

/// The profile of one thread whose samples have times, with a gap of 5 ms among them.
pub(super) fn timed() -> Profile {
    let mut profile = cpu();
    profile.lanes.truncate(1);
    let lane = &mut profile.lanes[0];
    let mut offset = 0;
    for (node, time) in lane.nodes.iter().zip(&lane.columns[1]) {
        for half in 0..2 {
            let length = *time as u64 / 2 + (half * (*time as u64 % 2));
            lane.runs.push(Run { node: *node, offset, length });
            offset += length + if *node == 3 { 5_000_000 } else { 0 };
        }
    }
    profile.span.length = Nanos(offset);
    profile.covered = Nanos(lane.columns[1].iter().sum::<i64>() as u64);
    profile
}

/// Whether two sums by stack are the same but for `slack` in each stack.
pub(super) fn assert_near(found: &BTreeMap<String, i64>, wanted: &BTreeMap<String, i64>, slack: i64) {
    let far = |stack: &&String| {
        let of = |sums: &BTreeMap<String, i64>| sums.get(*stack).copied().unwrap_or(0);
        of(found).abs_diff(of(wanted)) > slack as u64
    };
    let far: Vec<&String> = found.keys().chain(wanted.keys()).filter(far).collect();
    assert!(far.is_empty(), "{far:#?}\n{found:#?}\n{wanted:#?}");
}
