//! What is written is read back; sampled and evented profiles of others; what is refused.

use super::super::fixture::{self, by_stack};
use super::*;
use crate::profile::{FrameKind, Moment, Nanos};
use proptest::prelude::*;

fn written(profile: &Profile) -> Vec<u8> {
    let target = fixture::target();
    let mut file = Vec::new();
    Speedscope.write(&Export::new(profile, &target), &mut file).expect("a vector takes every byte");
    assert!(Speedscope.recognise(&file[..300]));
    file
}

fn read(file: &[u8]) -> Result<Vec<Profile>, ReadError> {
    let profiles = Speedscope.read(file, &Limits::default())?;
    assert!(!profiles.is_empty() && profiles.iter().all(Profile::is_sound));
    Ok(profiles)
}

/// A file of two functions with these profiles.
fn file(profiles: &str) -> String {
    format!(
        r#"{{"version":"0.0.1","$schema":"{SCHEMA}","shared":{{"frames":[{{"name":"a","file":"/a.js","line":1}},{{"name":"b","extra":{{"x":[1]}}}}]}},"profiles":[{profiles}]}}"#
    )
}

/// Without idle time, which exports leave out.
fn busy(profile: &Profile) -> Profile {
    let mut busy = profile.clone();
    for lane in &mut busy.lanes {
        for (row, node) in lane.nodes.iter().enumerate() {
            if profile.frames[profile.nodes[*node as usize].frame as usize].kind == FrameKind::Idle {
                lane.columns.iter_mut().for_each(|column| column[row] = 0);
            }
        }
    }
    busy
}

#[test]
fn what_is_written_is_read_back_stack_by_stack_and_thread_by_thread() {
    for (profile, kinds) in [
        (fixture::cpu(), &["samples", "cpu"][..]),
        (fixture::timed(), &["samples", "cpu"]),
        (fixture::heap(), &["samples", "inuse_space", "alloc_space"]),
    ] {
        let file = written(&profile);
        assert_eq!(file, written(&profile), "the same export gives the same bytes");
        let back = read(&file).expect("our own file");
        for kind in kinds {
            let wanted = if profile.kind("cpu").is_some() { busy(&profile) } else { profile.clone() };
            assert_eq!(by_stack(&back, kind), by_stack(&[wanted], kind), "{kind}");
        }
        let threads =
            |profile: &Profile| profile.lanes.iter().map(|lane| lane.thread.name.clone()).collect::<Vec<_>>();
        assert_eq!(threads(&back[0]), threads(&profile));
        assert!(back[0].notes.iter().any(|note| note.contains("merged from 2")));
        assert_eq!(back[0].span.start, profile.span.start);
    }
}

#[test]
fn the_order_of_time_is_kept_where_there_is_one() {
    let timed = read(&written(&fixture::timed())).expect("our own file");
    assert!(!timed[0].lanes[0].runs.is_empty() && timed[0].covered < timed[0].span.length);
    let untimed = read(&written(&fixture::cpu())).expect("our own file");
    assert!(untimed[0].lanes[0].runs.is_empty());
}

#[test]
fn events_are_stretches_of_stacks() {
    let events = r#"{"type":"O","frame":0,"at":10},{"type":"O","frame":1,"at":12},{"type":"C","frame":1,"at":15},{"type":"C","frame":0,"at":16},{"type":"O","frame":1,"at":2510}"#;
    let text = file(&format!(
        r#"{{"type":"evented","name":"x","unit":"milliseconds","startValue":10,"endValue":2520,"events":[{events}]}}"#
    ));
    let windows = read(text.as_bytes()).expect("a profile");
    let cpu = by_stack(&windows, "cpu");
    assert_eq!(cpu["a /a.js:1"], 3_000_000);
    assert_eq!(cpu["a /a.js:1;b :0"], 3_000_000);
    assert_eq!(cpu["b :0"], 10_000_000);
    assert_eq!(
        (windows.len(), windows[0].span.start, windows[0].covered),
        (2, Moment(10_000_000), Nanos(6_000_000))
    );
}

#[test]
fn units_and_sample_types_are_told_apart() {
    let sampled = |unit: &str, weights: &str| {
        format!(
            r#"{{"type":"sampled","name":"t","unit":"{unit}","startValue":0,"endValue":3,"samples":[[0],[0,1]],"weights":{weights}}}"#
        )
    };
    let text = file(
        &[sampled("none", "[1,2]"), sampled("bytes", "[5,6]"), sampled("seconds", "[0.01,0.02]")].join(","),
    );
    let profiles = read(text.as_bytes()).expect("three profiles");
    let kinds: Vec<&str> = profiles.iter().map(|profile| &*profile.kinds[0].name).collect();
    assert_eq!(kinds, ["cpu", "samples", "space"], "time comes first");
    assert_eq!(by_stack(&profiles, "cpu")["a /a.js:1;b :0"], 20_000_000);
    assert_eq!(by_stack(&profiles, "space")["a /a.js:1"], 5);
}

#[test]
fn what_contradicts_itself_is_refused_with_its_place() {
    let sampled = |samples: &str, weights: &str| {
        file(&format!(
            r#"{{"type":"sampled","name":"","unit":"none","samples":{samples},"weights":{weights}}}"#
        ))
    };
    let evented = |events: &str| {
        file(&format!(
            r#"{{"type":"evented","name":"","unit":"none","startValue":0,"endValue":9,"events":[{events}]}}"#
        ))
    };
    for (text, expected) in [
        (sampled("[[2]]", "[1]"), "frame 2 of 2"),
        (sampled("[[0],[1]]", "[1]"), "fewer weights"),
        (sampled("[[0]]", "[1,2]"), "more weights"),
        (sampled("[[0]]", "[-1]"), "negative"),
        (sampled("[[0]]", "[1e300]"), "too great"),
        (sampled("[[-1]]", "[1]"), "invalid value"),
        (sampled("[0]", "[1]"), "invalid type"),
        (sampled("[[0]", "[1]"), "(at byte"),
        (evented(r#"{"type":"C","frame":0,"at":1}"#), "do not nest"),
        (evented(r#"{"type":"O","frame":0,"at":5},{"type":"C","frame":0,"at":1}"#), "run backwards"),
        (evented(r#"{"type":"X","frame":0,"at":5}"#), "neither opens nor closes"),
        (file(r#"{"type":"other","unit":"none"}"#), "neither sampled"),
        (file(r#"{"type":"sampled","unit":"furlongs","samples":[],"weights":[]}"#), "furlongs is no unit"),
        (file(""), "no profile"),
        (file("7"), "invalid type"),
        ("[".repeat(100_000), "(at byte"),
        (sampled(&"[".repeat(100_000), "[1]"), "(at byte"),
    ] {
        let error = read(text.as_bytes()).expect_err("refused").to_string();
        assert!(error.contains(expected) && error.contains("(at byte"), "{expected}: {error}");
    }
}

#[test]
fn limits_are_asked() {
    let limits = Limits { table_entries: 1, ..Limits::default() };
    assert!(matches!(
        Speedscope.read(file("").as_bytes(), &limits),
        Err(ReadError::TooMuch { what: "frames", .. })
    ));
    let deep = format!(
        r#"{{"type":"sampled","name":"","unit":"none","samples":[[{}]],"weights":[1]}}"#,
        vec!["0"; 5000].join(",")
    );
    let limits = Limits { stack_frames: 4000, ..Limits::default() };
    assert!(Speedscope.read(file(&deep).as_bytes(), &limits).is_err());
    assert_eq!(read(file(&deep).as_bytes()).expect("deep")[0].nodes.len(), 5001);
}

#[test]
fn files_are_told_by_what_they_say() {
    assert!(Speedscope.recognise(br#"{"exporter":"x","profiles":[{"type":"evented","name":"#));
    assert!(Speedscope.recognise(br#"{"shared":{"frames":[{"name":"main"#));
    for text in [
        &br#"{"shared":{"stackTable":{}}}"#[..],
        br#"{"profiles":[]}"#,
        br#"{"$schema":"http://json-schema.org"}"#,
    ] {
        assert!(!Speedscope.recognise(text));
    }
}

#[test]
fn the_file_looks_as_speedscope_wants_it() {
    let text = String::from_utf8(written(&fixture::cpu())).expect("JSON is text");
    insta::assert_snapshot!(
        text.replace(env!("CARGO_PKG_VERSION"), "VERSION").replace("},{", "},\n{").replace("],", "],\n")
    );
}

proptest! {
    #[test]
    fn broken_files_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut file = written(&fixture::timed());
        let at = at.index(file.len());
        file[at] = byte;
        file.truncate(cut.index(file.len()).max(file.len() / 2));
        if let Ok(profiles) = Speedscope.read(&file, &Limits::default()) {
            prop_assert!(profiles.iter().all(Profile::is_sound));
        }
    }
}
