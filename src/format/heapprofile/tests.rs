//! What is written is read back; what nobody should write is refused.

use super::super::fixture::{self, by_stack};
use super::*;
use crate::profile::{Frame, FrameKind, ProfileLane, ProfileNode, ValueKind};
use proptest::prelude::*;

fn written(export: &Export<'_>) -> Vec<u8> {
    let mut file = Vec::new();
    HeapProfile.write(export, &mut file).expect("a vector takes every byte");
    file
}

fn read(file: &[u8]) -> Profile {
    assert!(HeapProfile.recognise(&file[..file.len().min(512)]));
    let profile = HeapProfile.read(file, &Limits::default()).expect("our own file").remove(0);
    assert!(profile.is_sound());
    profile
}

#[test]
fn what_is_written_is_read_back_stack_by_stack() {
    let (profile, target) = (fixture::heap(), fixture::target());
    for kind in ["inuse_space", "alloc_space"] {
        let back = read(&written(&Export { kind: Some(kind), ..Export::new(&profile, &target) }));
        assert_eq!(
            by_stack(std::slice::from_ref(&back), kind),
            by_stack(std::slice::from_ref(&profile), kind)
        );
        assert_eq!((back.span, back.sampling.period), (profile.span, profile.sampling.period));
        assert!(back.notes.iter().any(|note| note.contains("2 threads are added up")), "{:?}", back.notes);
        assert!(back.notes.iter().any(|note| note.contains("merged from 2")), "{:?}", back.notes);
    }
    let live = read(&written(&Export::new(&profile, &target)));
    assert_eq!(live.kinds, [ValueKind::inuse_space()], "what is alive is shown where nothing is asked for");
}

#[test]
fn the_file_looks_as_v8_writes_it() {
    let (profile, target) = (fixture::heap(), fixture::target());
    let file = written(&Export::new(&profile, &target));
    assert_eq!(file, written(&Export::new(&profile, &target)), "the same export gives the same bytes");
    let text = String::from_utf8(file).expect("JSON is text").replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!(text.replace("[{", "[\n{").replace("},{", "},\n{"));
}

/// A chain of calls with a byte each.
fn chain(depth: u32) -> Profile {
    let mut profile = fixture::heap();
    profile.kinds = vec![ValueKind::inuse_space()];
    profile.frames = vec![Frame::at("f", "/a.js", 1, 1, FrameKind::Js)];
    profile.nodes = (0..=depth).map(|at| ProfileNode { parent: at.saturating_sub(1), frame: 0 }).collect();
    let lane = ProfileLane {
        nodes: (1..=depth).collect(),
        columns: vec![vec![1; depth as usize]],
        ..profile.lanes.remove(0)
    };
    profile.lanes = vec![lane];
    profile
}

#[test]
fn stacks_deeper_than_v8_keeps_them_are_whole_and_endless_ones_need_no_recursion() {
    let target = fixture::target();
    let deep = chain(512);
    let back = read(&written(&Export::new(&deep, &target)));
    assert_eq!(by_stack(&[back], "inuse_space"), by_stack(&[deep], "inuse_space"));
    let endless = written(&Export::new(&chain(100_000), &target));
    assert!(HeapProfile.read(&endless, &Limits::default()).is_err());
}

#[test]
fn a_cpu_profile_is_not_written_as_bytes_and_not_taken_for_one() {
    let (profile, target) = (fixture::cpu(), fixture::target());
    let refused = HeapProfile.write(&Export::new(&profile, &target), &mut Vec::new());
    assert!(matches!(refused, Err(WriteError::NoSuchKind { .. })));
    for text in [r#"{"head":{"hitCount":1}}"#, r#"{"nodes":[{"callFrame":{}}]}"#, "{}", ""] {
        assert!(!HeapProfile.recognise(text.as_bytes()), "{text}");
    }
}

#[test]
fn replies_of_the_inspector_are_unwrapped_and_faults_have_places() {
    let inner =
        r#"{"head":{"callFrame":{"functionName":"(root)"},"selfSize":8,"id":1,"children":[]},"samples":[]}"#;
    let profile = read(format!(r#"{{"id":1,"result":{{"profile":{inner}}}}}"#).as_bytes());
    assert_eq!(profile.total(0), 8);
    for text in [&inner[..40], &inner.replace('8', "-8"), r#"{"profile":7}"#, r#"{"profile":{}}"#] {
        let error = HeapProfile.read(text.as_bytes(), &Limits::default()).expect_err("refused").to_string();
        assert!(error.contains("not a valid heapprofile profile") && error.contains("(at byte"), "{error}");
    }
}

proptest! {
    #[test]
    fn broken_files_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let (profile, target) = (fixture::heap(), fixture::target());
        let mut file = written(&Export::new(&profile, &target));
        let at = at.index(file.len());
        file[at] = byte;
        file.truncate(cut.index(file.len()).max(file.len() / 2));
        if let Ok(read) = HeapProfile.read(&file, &Limits::default()) {
            prop_assert!(read.iter().all(Profile::is_sound));
        }
    }
}
