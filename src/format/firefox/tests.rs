//! What is written is read back; the versions of others; what is refused.

use super::super::fixture::{self, assert_near, by_stack};
use super::super::unpack;
use super::*;
use crate::profile::FrameKind;
use proptest::prelude::*;
use serde_json::{Value, json};

fn written(export: &Export<'_>) -> Vec<u8> {
    let mut file = Vec::new();
    Firefox.write(export, &mut file).expect("a vector takes every byte");
    assert!(Firefox.recognise(&file[..file.len().min(4096)]));
    file
}

fn read(file: &[u8]) -> Result<Vec<Profile>, ReadError> {
    let profiles = Firefox.read(file, &Limits::default())?;
    assert!(!profiles.is_empty() && profiles.iter().all(Profile::is_sound));
    Ok(profiles)
}

fn json_of(file: &[u8]) -> Value {
    let unpacked = unpack(file, &Limits::default()).expect("gzip");
    serde_json::from_slice(&unpacked.bytes).expect("JSON")
}

#[test]
fn what_is_written_is_read_back_stack_by_stack_and_thread_by_thread() {
    let target = fixture::target();
    for profile in [fixture::cpu(), fixture::timed()] {
        let export = Export::new(&profile, &target);
        let file = written(&export);
        assert_eq!(file, written(&export), "the same export gives the same bytes");
        let back = read(&file).expect("our own file");
        let wanted = std::slice::from_ref(&profile);
        assert_near(&by_stack(&back, "cpu"), &by_stack(wanted, "cpu"), 1000);
        assert_eq!(by_stack(&back, "samples"), by_stack(wanted, "samples"));
        assert_eq!(back[0].lanes[0].thread, profile.lanes[0].thread);
        assert!(back[0].notes.iter().any(|note| note.contains("merged from 2")), "{:?}", back[0].notes);
        assert!(back[0].span.start.0.abs_diff(profile.span.start.0) < 1000, "the time of day is kept");
        let kinds = |kind| back[0].frames.iter().any(|frame| frame.kind == kind);
        assert!(kinds(FrameKind::Idle) && kinds(FrameKind::Gc) && kinds(FrameKind::Native));
    }
    let heap = fixture::heap();
    for kind in ["inuse_space", "alloc_space"] {
        let back = read(&written(&Export { kind: Some(kind), ..Export::new(&heap, &target) }))
            .expect("our own file");
        assert_eq!(by_stack(&back, kind), by_stack(std::slice::from_ref(&heap), kind));
    }
}

#[test]
fn garbage_collection_is_marked_where_times_are_known() {
    let target = fixture::target();
    let timed = json_of(&written(&Export::new(&fixture::timed(), &target)));
    assert!(timed["threads"][0]["markers"]["length"].as_u64() > Some(0));
    let untimed = json_of(&written(&Export::new(&fixture::cpu(), &target)));
    assert_eq!(untimed["threads"][0]["markers"]["length"], 0);
}

/// A file of a version, whose two samples are of `a` and of `b` called by `a`.
fn version(version: u32) -> Value {
    let strings = json!(["a", "/a.js", "b"]);
    let mut tables = json!({
        "stackTable": {"length": 2, "frame": [0, 1], "prefix": [null, 0]},
        "frameTable": {"length": 2, "func": [0, 1], "line": [3, null], "category": [1, 0]},
        "funcTable": {"length": 2, "name": [0, 2], "fileName": [1, null], "lineNumber": [1, null], "columnNumber": [null, null]},
        "stringArray": strings,
    });
    let samples = json!({"length": 3, "stack": [0, 1, null], "time": [10.0, 11.0, 13.5], "weight": null, "weightType": "samples"});
    let mut thread =
        json!({"name": "GeckoMain", "pid": "7", "tid": 9, "samples": samples, "markers": {"length": 0}});
    let categories = json!([{"name": "Other", "color": "grey"}, {"name": "JavaScript", "color": "yellow"}]);
    let meta = json!({"interval": 1, "startTime": 1_700_000_000_000_i64, "processType": 0, "preprocessedProfileVersion": version, "categories": categories});
    if version >= 58 {
        tables["funcTable"]["fileName"].take();
        tables["funcTable"]["source"] = json!([0, null]);
        tables["funcTable"].as_object_mut().expect("an object").remove("fileName");
        tables["sources"] = json!({"length": 1, "id": [null], "filename": [1]});
    }
    if version >= 66 {
        tables["stackTable"] = json!({"length": 2, "frame": [0, 1], "prefixOffset": [0, 1]});
    }
    if version >= 60 {
        return json!({"meta": meta, "libs": [], "shared": tables, "threads": [thread]});
    }
    let thread = thread.as_object_mut().expect("an object");
    thread.extend(tables.as_object().expect("an object").clone());
    json!({"meta": meta, "libs": [], "threads": [thread]})
}

#[test]
fn the_versions_of_others_are_read() {
    for number in [40, 55, 60, 70, 75] {
        let text = version(number).to_string();
        assert!(Firefox.recognise(text.as_bytes()));
        let windows = read(text.as_bytes()).unwrap_or_else(|error| panic!("{number}: {error}"));
        let cpu = by_stack(&windows, "cpu");
        assert_eq!((cpu["a /a.js:1"], cpu["a /a.js:1;b :0"]), (1_000_000, 2_500_000), "{number}");
        assert_eq!(windows[0].span.start.0, 1_700_000_000_010_000_000);
        assert_eq!(windows[0].lanes[0].lines.len(), 1);
        assert_eq!((windows[0].lanes[0].thread.pid, windows[0].lanes[0].thread.tid), (7, 9));
    }
}

#[test]
fn what_contradicts_itself_is_refused_with_its_place() {
    let changed = |pointer: &str, value: Value| {
        let mut file = version(55);
        *file.pointer_mut(pointer).expect("it is there") = value;
        file.to_string()
    };
    for (text, expected) in [
        (
            changed("/meta/preprocessedProfileVersion", json!(76)),
            "it is of version 76; versions 24 to 75 are read",
        ),
        (changed("/meta/preprocessedProfileVersion", json!(null)), "raw profile of Gecko"),
        (changed("/threads/0/stackTable/prefix", json!([1, 0])), "before its caller"),
        (changed("/threads/0/stackTable/frame", json!([0, 9])), "frame 9 of 2"),
        (changed("/threads/0/frameTable/func", json!([0, 9])), "function 9 of 2"),
        (changed("/threads/0/funcTable/name", json!([0, 9])), "string 9 of 3"),
        (changed("/threads/0/samples/stack", json!([0, 9, 0])), "stack 9 of 2"),
        (changed("/threads/0/samples/time", json!([0])), "differ in number"),
        (changed("/threads/0/samples/weight", json!([1, -1, 1])), "negative"),
        (changed("/threads/0/stringArray", json!(7)), "invalid type"),
        (changed("/threads/0/stackTable", json!(null)), "no stackTable"),
        ("[".repeat(100_000), "(at byte"),
    ] {
        let error = read(text.as_bytes()).expect_err("refused").to_string();
        assert!(error.contains(expected) && error.contains("(at byte"), "{expected}: {error}");
    }
}

#[test]
fn other_json_is_not_taken() {
    for text in [r#"{"meta":{"version":1}}"#, r#"{"meta":{"interval":1}}"#, "{}", "main;work 3"] {
        assert!(!Firefox.recognise(text.as_bytes()), "{text}");
    }
}

#[test]
fn the_file_looks_as_the_front_end_wants_it() {
    let (profile, target) = (fixture::timed(), fixture::target());
    let text = json_of(&written(&Export::new(&profile, &target))).to_string();
    let text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    // Samples are many and alike.
    let samples = text.find("\"samples\":").expect("it has samples");
    let after = text.find("\"stackTable\":").expect("it has stacks");
    insta::assert_snapshot!((text[..samples].to_owned() + &text[after..]).replace("},", "},\n"));
}

proptest! {
    #[test]
    fn broken_files_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(), number in prop::sample::select(vec![55, 75])) {
        let mut file = version(number).to_string().into_bytes();
        let at = at.index(file.len());
        file[at] = byte;
        file.truncate(cut.index(file.len()).max(file.len() / 2));
        if let Ok(profiles) = Firefox.read(&file, &Limits::default()) {
            prop_assert!(profiles.iter().all(Profile::is_sound));
        }
    }
}
