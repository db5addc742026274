//! Reading and writing folded stacks: the laws between both, and what other tools' files look like.

use super::super::fixture;
use super::super::names::kind_of;
use super::*;
use crate::profile::{Frame, FrameKind, Nanos, ProfileLane, ProfileNode, Sampling, Span, Thread, ValueKind};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn written(profile: &Profile) -> String {
    let mut out = Vec::new();
    let target = fixture::target();
    Folded.write(&Export::new(profile, &target), &mut out).expect("a vector takes every byte");
    String::from_utf8(out).expect("text")
}

fn read(file: &[u8]) -> Profile {
    let profile = Folded.read(file, &Limits::default()).expect("readable").remove(0);
    assert!(profile.is_sound());
    profile
}

/// The values of a column by the names on the stack.
fn totals(profile: &Profile, column: usize) -> BTreeMap<String, i64> {
    let mut totals = BTreeMap::new();
    for lane in &profile.lanes {
        for (node, value) in lane.nodes.iter().zip(&lane.columns[column]) {
            let (mut path, mut at) = (Vec::new(), *node);
            while at != 0 {
                let node = profile.nodes[at as usize];
                path.insert(0, written_name(&profile.frames[node.frame as usize]).into_owned());
                at = node.parent;
            }
            *totals.entry(path.join(";")).or_insert(0) += value;
        }
    }
    totals
}

#[test]
fn each_stack_is_a_line_and_idle_time_is_left_out() {
    insta::assert_snapshot!(written(&fixture::cpu()));
}

#[test]
fn names_cannot_break_lines() {
    assert_eq!(escaped("a;b\nc"), "a:b c");
}

#[test]
fn what_was_written_is_read_with_the_kinds_of_special_frames() {
    let text = written(&fixture::cpu());
    assert!(Folded.recognise(text.as_bytes()));
    let profile = read(text.as_bytes());
    assert_eq!(written(&profile), text);
    let kind = |name: &str| profile.frames.iter().find(|frame| &*frame.name == name).map(|frame| frame.kind);
    assert_eq!(kind("(garbage collector)"), Some(FrameKind::Gc));
    assert_eq!(kind("(program)"), Some(FrameKind::Program));
    let place = profile.frames.iter().find(|frame| frame.line == 20).map(|frame| (frame.column, frame.kind));
    assert_eq!(place, Some((9, FrameKind::Js)));
}

#[test]
fn names_keep_their_spaces_and_lose_the_remarks_on_them() {
    let file =
        b"node;JS:*fib /srv/a.js:1:13;do idle_[k] 3\nnode;x_[j];y_[i] 2\r\n\n# made by hand\nnode;x;y 1\n";
    let profile = read(file);
    assert_eq!(
        totals(&profile, 0).into_iter().collect::<Vec<_>>(),
        [("node;fib;do idle".into(), 3), ("node;x;y".into(), 3)]
    );
    assert_eq!(profile.frames[1], Frame::at("fib", "/srv/a.js", 1, 13, FrameKind::Js));
    assert_eq!(profile.frames[2].kind, FrameKind::Kernel);
    assert!(profile.notes.is_empty());
}

#[test]
fn two_numbers_on_every_line_are_before_and_after() {
    let profile = read(b"a;b 5 7\na;c 0 2\n");
    let kinds: Vec<&str> = profile.kinds.iter().map(|kind| &*kind.name).collect();
    assert_eq!(kinds, ["samples_before", "samples"]);
    assert_eq!((profile.total(0), profile.total(1)), (5, 9));
    let one = read(b"read 2 3\na;c 2\n");
    assert_eq!(totals(&one, 0)["read 2"], 3);
}

#[test]
fn fractions_are_rounded_and_lines_without_numbers_skipped_and_both_told() {
    let file = b"a;b 1.6\nsee above\na 9007199254740993\n";
    let profile = read(file);
    assert_eq!(totals(&profile, 0)["a;b"], 2);
    assert_eq!(totals(&profile, 0)["a"], 9_007_199_254_740_993);
    assert_eq!(
        profile.notes.iter().map(|note| &**note).collect::<Vec<_>>(),
        ["1 line was not understood (at byte 8)", "1 values with fractions were rounded"]
    );
    let strict = Folded.read(file, &Limits::default().strict()).expect_err("strict");
    assert!(strict.to_string().ends_with("the line does not end in a number (at byte 8)"), "{strict}");
}

#[test]
fn limits_and_empty_files_are_refused() {
    let limits = Limits { stack_frames: 2, table_entries: 3, ..Limits::default() };
    for (file, expected) in [
        (&b"a;b;c 1\n"[..], "more than 2 frames in a stack"),
        (b"a;b 1\nc;d 1\n", "more than 3 functions (found at byte 6)"),
        (b"\n\n", "there is no stack with a number in it"),
        (b"hello\n", "there is no stack with a number in it (at byte 0)"),
    ] {
        let error = Folded.read(file, &limits).expect_err("refused");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn other_text_is_not_taken_for_stacks() {
    let long = format!("{}leaf 3\n", "main;".repeat(300));
    for yes in [&b"main 3\n"[..], b"a;b c 1.5\na;b 1 2\n", b"a;b 3", &long.as_bytes()[..512]] {
        assert!(Folded.recognise(yes), "{}", String::from_utf8_lossy(yes));
    }
    for no in [&b"hello\n"[..], b"", b"\n", b"listening on port 3000\n", b"a;b 3\n\0\0 4\n", b"{\"a\": 3\n"] {
        assert!(!Folded.recognise(no), "{}", String::from_utf8_lossy(no));
    }
}

/// A profile of one stack a row.
fn profile_of(stacks: &[(Vec<String>, i64)]) -> Profile {
    let (mut frames, mut nodes, mut values) =
        (Vec::new(), vec![ProfileNode { parent: 0, frame: 0 }], BTreeMap::new());
    for (stack, value) in stacks {
        let mut at = 0;
        for name in stack {
            frames.push(Frame::named(name, kind_of(name, "", "")));
            nodes.push(ProfileNode { parent: at, frame: frames.len() as u32 - 1 });
            at = nodes.len() as u32 - 1;
        }
        values.insert(at, *value);
    }
    let lane = ProfileLane {
        thread: Thread { pid: 0, tid: 0, name: "".into() },
        nodes: values.keys().copied().collect(),
        columns: vec![values.values().copied().collect()],
        lines: vec![],
        runs: vec![],
        runs_dropped: 0,
    };
    Profile {
        kinds: vec![ValueKind::samples()],
        span: Span::default(),
        covered: Nanos(0),
        sampling: Sampling::default(),
        frames,
        nodes,
        lanes: vec![lane],
        notes: vec![],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn reading_what_was_written_keeps_the_totals_of_every_stack(
        stacks in prop::collection::vec(
            (prop::collection::vec("[a-z<>:.() 0-9é]{0,5}[a-z>)]", 1..6), 1i64..1 << 50), 1..20)
    ) {
        let profile = profile_of(&stacks);
        prop_assert_eq!(totals(&read(written(&profile).as_bytes()), 0), totals(&profile, 0));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(file in prop::collection::vec(
        prop::sample::select(&b"ab; \n\r\t0123456789.-e_[k]\xff\x00#:"[..]), 0..200)) {
        Folded.recognise(&file);
        if let Ok(profiles) = Folded.read(&file, &Limits::default()) {
            prop_assert!(profiles.iter().all(Profile::is_sound));
        }
    }
}
