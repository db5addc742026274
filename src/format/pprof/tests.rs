//! Writer and reader together: what one writes the other reads back, and prost agrees with both.

use super::super::fixture;
use super::message::{self, Function, Label, Line, Location, Mapping, Sample, ValueType};
use super::*;
use crate::profile::{
    Accumulation, Frame, FrameKind, Moment, Nanos, ProfileLane, ProfileNode, Sampling, Span, Thread, Unit,
    ValueKind,
};
use proptest::prelude::*;
use prost::Message as _;
use std::collections::{BTreeMap, HashMap};

/// What a profile says, however its tables are laid out: self values by kind, and samples by line, of
/// every thread and path.
type Said = HashMap<(Thread, Vec<Frame>), (BTreeMap<String, i64>, BTreeMap<u32, u32>)>;

fn path(profile: &Profile, mut node: u32) -> Vec<Frame> {
    let mut path = Vec::new();
    while node != 0 {
        let found = profile.nodes[node as usize];
        path.push(profile.frames[found.frame as usize].clone());
        node = found.parent;
    }
    path.reverse();
    if path.is_empty() { vec![Frame::named("(other)", FrameKind::Other)] } else { path }
}

fn said(profile: &Profile) -> Said {
    let mut said = Said::new();
    for lane in &profile.lanes {
        for (at, node) in lane.nodes.iter().enumerate() {
            if lane.columns.iter().all(|column| column[at] == 0) {
                continue;
            }
            let row = said.entry((lane.thread.clone(), path(profile, *node))).or_default();
            for (kind, column) in profile.kinds.iter().zip(&lane.columns) {
                *row.0.entry(kind.name.to_string()).or_insert(0) += column[at];
            }
            for line in lane.lines.iter().filter(|line| line.0 == *node) {
                *row.1.entry(line.1).or_insert(0) += line.2;
            }
        }
    }
    said
}

fn written(export: &Export<'_>) -> Vec<u8> {
    let mut file = Vec::new();
    Pprof.write(export, &mut file).expect("a vector takes every byte");
    file
}

fn read_back(file: &[u8]) -> Profile {
    assert!(Pprof.recognise(&file[..file.len().min(256)]));
    let profile = Pprof.read(file, &Limits::default().strict()).expect("our own file").remove(0);
    assert!(profile.is_sound());
    profile
}

fn replayed(profile: &Profile) -> Profile {
    read_back(&written(&Export::new(profile, &fixture::target()).for_replay()))
}

#[test]
fn a_recorded_window_comes_back_as_it_was() {
    for profile in [fixture::cpu(), fixture::heap()] {
        let back = replayed(&profile);
        assert_eq!(said(&back), said(&profile));
        assert_eq!(back.kinds, profile.kinds);
        assert_eq!((back.span, back.covered), (profile.span, profile.covered));
        assert_eq!(back.sampling, profile.sampling);
        assert_eq!(back.notes, profile.notes);
    }
}

#[test]
fn a_window_without_samples_comes_back_empty() {
    let empty = Profile { kinds: Vec::new(), lanes: Vec::new(), ..fixture::cpu() };
    let back = replayed(&empty);
    assert_eq!((back.kinds.len(), back.lanes.len(), back.span), (0, 0, empty.span));
}

#[test]
fn exports_leave_idle_time_out_of_cpu_and_put_the_main_kind_last() {
    let (profile, target) = (fixture::heap(), fixture::target());
    let heap = read_back(&written(&Export::new(&profile, &target)));
    let names: Vec<&str> = heap.kinds.iter().map(|kind| &*kind.name).collect();
    assert_eq!(names, ["samples", "alloc_space", "inuse_space"]);
    let profile = fixture::cpu();
    let cpu = read_back(&written(&Export::new(&profile, &target)));
    assert_eq!(cpu.total(0), profile.total(0) - 10);
    assert!(cpu.frames.iter().all(|frame| frame.kind != FrameKind::Idle));
}

#[test]
fn an_export_states_what_is_missing_from_it() {
    let (profile, target) = (fixture::cpu(), fixture::target());
    let notes = ["exported at 14:32".into()];
    let export = Export { host: "web-1", notes: &notes, ..Export::new(&profile, &target) };
    let message = message::Profile::decode(&*write::encode(&export).expect("encoded")).expect("prost");
    let comments: Vec<String> = message
        .comment
        .iter()
        .map(|at| String::from_utf8_lossy(&message.string_table[*at as usize]).into_owned())
        .filter(|comment| !comment.starts_with('#'))
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        comments,
        [
            &format!("flametop {version} of api.js, process 4242, Node 22.3.0 on web-1"),
            "asked for a sample every 1 ms, achieved 1.013 ms; 977 samples taken",
            "observed 0.990 s of 1.000 s",
            "3 samples were lost",
            "2 stacks were cut short by the runtime",
            "note: the window was merged from 2",
            "note: exported at 14:32",
        ]
    );
}

#[test]
fn the_file_has_the_canonical_form() {
    let (profile, target) = (fixture::cpu(), fixture::target());
    let file = written(&Export::new(&profile, &target));
    assert_eq!(file, written(&Export::new(&profile, &target)), "same input, same bytes");
    assert_eq!(file[4..8], [0; 4], "no time in the gzip header");
    let message = message::Profile::decode(&*unpacked(&file)).expect("prost");
    assert!(message.string_table[0].is_empty());
    assert!(message.location.iter().enumerate().all(|(at, location)| location.id == at as u64 + 1));
    assert!(message.function.iter().enumerate().all(|(at, function)| function.id == at as u64 + 1));
    assert!(message.location.iter().all(|location| location.mapping_id == 1 && location.line.len() == 1));
    assert!(message.sample.iter().all(|sample| !sample.location_id.is_empty() && sample.value.len() == 2));
    let name = |at: i64| String::from_utf8_lossy(&message.string_table[at as usize]);
    assert_eq!(name(message.default_sample_type), "cpu");
    assert_eq!(name(message.mapping[0].filename), "/usr/bin/node");
    let functions: Vec<_> = message.function.iter().map(|function| name(function.name)).collect();
    assert!(functions.contains(&"(anonymous:L#20:C#9)".into()), "{functions:?}");
}

#[test]
fn exceptions_hold_only_for_the_tables_they_were_written_with() {
    let (profile, target) = (fixture::cpu(), fixture::target());
    let bytes = write::encode(&Export::new(&profile, &target)).expect("encoded");
    let mut message = message::Profile::decode(&*bytes).expect("prost");
    let odd = |message: &message::Profile| {
        let read = read::decode(&message.encode_to_vec(), &Limits::default()).expect("read");
        read.frames.iter().find(|frame| &*frame.name == "odd").map(|frame| frame.kind)
    };
    assert_eq!(odd(&message), Some(FrameKind::Native));
    // Another tool renames a function, as merging and filtering do.
    let renamed = message.function[0].name as usize;
    message.string_table[renamed] = b"renamed".to_vec();
    assert_eq!(odd(&message), Some(FrameKind::Js));
}

#[test]
fn a_difference_is_refused_because_viewers_break_on_negative_values() {
    let mut profile = fixture::cpu();
    profile.lanes[0].columns[1][0] = -1;
    let refused = Pprof.write(&Export::new(&profile, &fixture::target()), &mut Vec::new());
    assert!(matches!(refused, Err(WriteError::Negative { kind, .. }) if kind == "cpu"));
}

#[test]
fn what_was_asked_for_must_exist() {
    let (profile, target) = (fixture::cpu(), fixture::target());
    let export = Export { kind: Some("wall"), ..Export::new(&profile, &target) };
    assert!(matches!(Pprof.write(&export, &mut Vec::new()), Err(WriteError::NoSuchKind { .. })));
}

fn unpacked(file: &[u8]) -> Vec<u8> {
    crate::format::unpack(file, &Limits::default()).expect("a gzip file").bytes.into_owned()
}

/// Frames of every sort, some of which break the rules by which kinds and columns are guessed.
fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let name = prop_oneof![Just("(anonymous)"), Just("f"), Just("g<T>"), Just("(idle)"), Just("函数")];
    let file = prop_oneof![Just(""), Just("/a.js"), Just("node:fs"), Just("/b.rs"), Just("x")];
    let frame = (name, file, 0u32..4, 0u32..3, 0..FrameKind::ALL.len()).prop_map(
        |(name, file, line, column, kind)| Frame::at(name, file, line, column, FrameKind::ALL[kind]),
    );
    prop::collection::vec(frame, 1..8)
}

/// A row: its node by chance, samples on each of some lines, nanoseconds.
type AnyRow = (u32, Vec<(u32, u32)>, i64);

fn lane_of(tid: u64, nodes: u32, rows: &[AnyRow]) -> ProfileLane {
    let rows: BTreeMap<u32, &AnyRow> = rows.iter().map(|row| (row.0 % nodes, row)).collect();
    let lines_of = |row: &AnyRow| row.1.iter().copied().collect::<BTreeMap<u32, u32>>();
    let count = |row: &&AnyRow| lines_of(row).values().map(|n| i64::from(*n)).sum();
    let lined = rows.iter().filter(|(node, _)| **node != 0);
    ProfileLane {
        thread: Thread { pid: 7, tid, name: format!("t{tid}").into() },
        nodes: rows.keys().copied().collect(),
        columns: vec![rows.values().map(count).collect(), rows.values().map(|row| row.2).collect()],
        lines: lined.flat_map(|(n, row)| lines_of(row).into_iter().map(|(l, c)| (*n, l, c))).collect(),
        runs: Vec::new(),
        runs_dropped: 0,
    }
}

fn profiles() -> impl Strategy<Value = Profile> {
    let row = (any::<u32>(), prop::collection::vec((1u32..6, 1u32..9), 0..3), 0..i64::MAX / 1000);
    let lanes = prop::collection::vec(prop::collection::vec(row, 0..8), 0..3);
    let links = prop::collection::vec((any::<u32>(), any::<u32>()), 0..12);
    (frames(), links, lanes, any::<[u32; 6]>(), any::<bool>()).prop_map(|(frames, links, lanes, n, level)| {
        let mut nodes = vec![ProfileNode { parent: 0, frame: 0 }];
        for (parent, frame) in links {
            nodes.push(ProfileNode {
                parent: parent % nodes.len() as u32,
                frame: frame % frames.len() as u32,
            });
        }
        let accumulation = if level { Accumulation::Level } else { Accumulation::Delta };
        let lane = |(at, rows): (usize, &Vec<AnyRow>)| lane_of(at as u64, nodes.len() as u32, rows);
        Profile {
            kinds: vec![ValueKind::samples(), ValueKind::new("cpu", Unit::Nanoseconds, accumulation)],
            span: Span { start: Moment(n[0].into()), length: Nanos(n[1].into()) },
            covered: Nanos(n[1].min(n[2]).into()),
            sampling: Sampling {
                period_name: "cpu".into(),
                period: n[3].into(),
                taken: n[4].into(),
                lost: n[5].into(),
                ..Sampling::default()
            },
            lanes: lanes.iter().enumerate().map(lane).collect(),
            frames,
            nodes,
            notes: Vec::new(),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn decoding_undoes_encoding(profile in profiles()) {
        prop_assert!(profile.is_sound());
        let back = replayed(&profile);
        prop_assert_eq!(said(&back), said(&profile));
        prop_assert_eq!(&back.kinds, &profile.kinds);
        prop_assert_eq!((back.span, back.covered), (profile.span, profile.covered));
        prop_assert_eq!(&back.sampling, &profile.sampling);
        // A second trip changes nothing, not even a byte.
        let target = fixture::target();
        let (once, twice) = (written(&Export::new(&back, &target)), written(&Export::new(&read_back(
            &written(&Export::new(&back, &target).for_replay())), &target)));
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn the_reader_agrees_with_prost(message in messages()) {
        let bytes = message.encode_to_vec();
        let profile = read::decode(&bytes, &Limits::default()).expect("a valid message");
        prop_assert!(profile.is_sound());
        for (at, _) in message.sample_type.iter().enumerate() {
            let total: i64 = message.sample.iter().map(|sample| sample.value[at]).sum();
            prop_assert_eq!(profile.total(at), total);
        }
        prop_assert_eq!(stacks_of_profile(&profile), stacks_of_message(&message));
    }

    #[test]
    fn field_order_does_not_matter(message in messages()) {
        let (head, rest) = (message::Profile { sample: message.sample.clone(), ..Default::default() }, message);
        let mut bytes = message::Profile { sample: Vec::new(), ..rest.clone() }.encode_to_vec();
        bytes.extend(head.encode_to_vec());
        let (late, usual) = (read::decode(&bytes, &Limits::default()), rest.encode_to_vec());
        let usual = read::decode(&usual, &Limits::default()).expect("a valid message");
        prop_assert_eq!(late.expect("a valid message"), usual);
    }
}

/// Valid messages as other programs write them: sparse ids, several lines a location, unused entries.
fn messages() -> impl Strategy<Value = message::Profile> {
    let sample = (
        prop::collection::vec(0usize..5, 0..6),
        prop::collection::vec(-5i64..1000, 2..=2),
        prop::option::of(0i64..3),
    );
    let lines = prop::collection::vec(prop::collection::vec(0usize..4, 1..3), 5..=5);
    (prop::collection::vec(sample, 0..12), lines, 1u64..1 << 60).prop_map(|(samples, lines, step)| {
        let strings = ["", "samples", "count", "x", "f0", "f1", "f2", "f3", "thread name", "exe"];
        let id = |at: usize| (at as u64 + 1).wrapping_mul(step | 1);
        let location = |(at, lines): (usize, &Vec<usize>)| Location {
            id: id(at),
            mapping_id: 1,
            line: lines.iter().map(|f| Line { function_id: id(*f), line: 5, column: 0 }).collect(),
        };
        message::Profile {
            sample_type: vec![ValueType { r#type: 1, unit: 2 }, ValueType { r#type: 3, unit: 2 }],
            sample: samples
                .into_iter()
                .map(|(stack, value, label)| Sample {
                    location_id: stack.into_iter().map(id).collect(),
                    value,
                    label: label
                        .map(|n| Label { key: 8, str: 4 + n, num: 0, num_unit: 0 })
                        .into_iter()
                        .collect(),
                })
                .collect(),
            mapping: vec![Mapping { id: 1, filename: 9, ..Default::default() }],
            location: lines.iter().enumerate().map(location).collect(),
            function: (0..4)
                .map(|at| Function { id: id(at), name: 4 + at as i64, filename: 0, start_line: 1 })
                .collect(),
            string_table: strings.iter().map(|text| text.as_bytes().to_vec()).collect(),
            ..Default::default()
        }
    })
}

/// Values by thread name and function names, root first, without sums of zero.
type Stacks = BTreeMap<(String, Vec<String>), Vec<i64>>;

fn add(stacks: &mut Stacks, key: (String, Vec<String>), values: &[i64]) {
    let sums = stacks.entry(key).or_insert_with(|| vec![0; values.len()]);
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

fn stacks_of_profile(profile: &Profile) -> Stacks {
    let mut stacks = Stacks::new();
    for lane in &profile.lanes {
        for (at, node) in lane.nodes.iter().enumerate() {
            let frames = if *node == 0 { Vec::new() } else { path(profile, *node) };
            let names = frames.iter().map(|frame| frame.name.to_string()).collect();
            let values: Vec<i64> = lane.columns.iter().map(|column| column[at]).collect();
            add(&mut stacks, (lane.thread.name.to_string(), names), &values);
        }
    }
    stacks.retain(|_, values| values.iter().any(|value| *value != 0));
    stacks
}

fn stacks_of_message(message: &message::Profile) -> Stacks {
    let text = |at: i64| String::from_utf8_lossy(&message.string_table[at as usize]).into_owned();
    let name = |id: u64| {
        let function = message.function.iter().find(|function| function.id == id);
        function.map_or_else(String::new, |function| text(function.name))
    };
    let mut stacks = Stacks::new();
    for sample in &message.sample {
        let find = |id: &u64| message.location.iter().find(|location| location.id == *id);
        let lines = sample.location_id.iter().filter_map(find).flat_map(|location| &location.line);
        let mut names: Vec<String> = lines.map(|line| name(line.function_id)).collect();
        names.reverse();
        let thread = sample.label.first().map_or_else(String::new, |label| text(label.str));
        add(&mut stacks, (thread, names), &sample.value);
    }
    stacks.retain(|_, values| values.iter().any(|value| *value != 0));
    stacks
}
