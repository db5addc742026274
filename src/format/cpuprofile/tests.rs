//! What is written is read back; what others write is read; what nobody should write is refused.

use super::super::fixture::{self, assert_near, by_stack};
use super::*;
use crate::profile::{FrameKind, Moment, Nanos};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(text: &str) -> Result<Vec<Profile>, ReadError> {
    let windows = CpuProfile.read(text.as_bytes(), &Limits::default())?;
    assert!(!windows.is_empty() && windows.iter().all(Profile::is_sound));
    Ok(windows)
}

fn written(profile: &Profile) -> String {
    let target = fixture::target();
    let mut file = Vec::new();
    CpuProfile.write(&Export::new(profile, &target), &mut file).expect("a vector takes every byte");
    let mut again = Vec::new();
    CpuProfile.write(&Export::new(profile, &target), &mut again).expect("a vector takes every byte");
    assert_eq!(file, again, "the same export gives the same bytes");
    assert!(CpuProfile.recognise(&file[..512]));
    String::from_utf8(file).expect("JSON is text")
}

/// Nodes (id, name, children) and samples (id, delta).
fn profile(nodes: &[(u32, &str, &[u32])], samples: &[(u32, i64)]) -> Value {
    let nodes: Vec<Value> = nodes
        .iter()
        .map(|(id, name, children)| {
            let state = name.starts_with('(');
            let (url, script) = if state { ("", "0") } else { ("file:///a.js", "9") };
            let frame = json!({"functionName": name, "scriptId": script, "url": url, "lineNumber": 4, "columnNumber": 0});
            json!({"id": id, "callFrame": frame, "hitCount": 2, "children": children, "$more": [1, {"x": 2}]})
        })
        .collect();
    let ids: Vec<u32> = samples.iter().map(|sample| sample.0).collect();
    let deltas: Vec<i64> = samples.iter().map(|sample| sample.1).collect();
    let end = 5_000_000 + deltas.iter().sum::<i64>() + 1000;
    json!({"nodes": nodes, "startTime": 5_000_000, "endTime": end, "samples": ids, "timeDeltas": deltas})
}

const TREE: &[(u32, &str, &[u32])] =
    &[(1, "(root)", &[2, 4]), (2, "a", &[3]), (3, "b", &[]), (4, "(idle)", &[])];

#[test]
fn what_is_written_is_read_back_stack_by_stack() {
    for profile in [fixture::timed(), fixture::cpu()] {
        let text = written(&profile);
        let windows = read(&text).expect("our own file");
        let one = Profile { lanes: profile.lanes[..1].to_vec(), ..profile.clone() };
        let one = std::slice::from_ref(&one);
        assert_near(&by_stack(&windows, "cpu"), &by_stack(one, "cpu"), 3_000);
        assert_eq!(by_stack(&windows, "samples"), by_stack(one, "samples"));
        assert_eq!(
            windows[0].span.start,
            Moment(profile.span.start.0 / 1000 * 1000),
            "the time of day is kept"
        );
        let lines: u32 = windows.iter().flat_map(|window| &window.lanes[0].lines).map(|line| line.2).sum();
        assert_eq!(lines, profile.lanes[0].lines.iter().map(|line| line.2).sum::<u32>());
        assert!(windows[0].frames.iter().any(|frame| frame.kind == FrameKind::Idle), "idle time is kept");
    }
}

#[test]
fn losses_and_what_is_left_out_stand_in_the_file_and_come_back() {
    let text = written(&fixture::cpu());
    let notes = read(&text).expect("our own file")[0].notes.join("\n");
    for said in [
        "3 samples were lost",
        "2 stacks were cut short",
        "the busiest; 1 other threads",
        "in no order of time",
    ] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
}

#[test]
fn gaps_stay_gaps() {
    let profile = fixture::timed();
    let windows = read(&written(&profile)).expect("our own file");
    let covered: u64 = windows.iter().map(|window| window.covered.0).sum();
    assert!(covered.abs_diff(profile.covered.0) < 10_000);
}

#[test]
fn a_file_of_others_is_cut_into_seconds() {
    let samples: Vec<(u32, i64)> = (0..2500).map(|n| (2 + n % 3, 1000)).collect();
    let windows = read(&profile(TREE, &samples).to_string()).expect("a profile");
    assert_eq!(windows.len(), 3);
    assert_eq!(by_stack(&windows, "samples").values().sum::<i64>(), 2500);
    assert_eq!(windows[0].span.start, Moment(5_001_000_000));
    assert_eq!(windows[0].sampling.period, 1_000_000);
    assert_eq!(windows[0].span.length, Nanos::from_secs(1));
    assert!(windows[0].notes[0].contains("no time of day"));
    assert!(windows.iter().all(|window| !window.lanes[0].runs.is_empty()));
}

#[test]
fn replies_of_the_inspector_are_unwrapped() {
    let inner = profile(TREE, &[(2, 1000)]);
    for wrapped in [json!({"profile": inner}), json!({"id": 3, "result": {"profile": inner}})] {
        let text = wrapped.to_string();
        assert!(CpuProfile.recognise(text.as_bytes()), "{text}");
        assert_eq!(by_stack(&read(&text).expect("a profile"), "samples").len(), 1);
    }
}

#[test]
fn a_profile_without_times_is_one_window_by_hits() {
    let mut json = profile(TREE, &[]);
    json["samples"] = Value::Null;
    json["endTime"] = json!(5_008_000);
    let json = json.to_string().replace("\"samples\":null,", "").replace("\"timeDeltas\":[]", "\"x\":0");
    let windows = read(&json).expect("a profile");
    let (samples, cpu) = (by_stack(&windows, "samples"), by_stack(&windows, "cpu"));
    assert_eq!((samples["a /a.js:5"], cpu["a /a.js:5"]), (2, 2_000_000));
    assert!(windows[0].lanes[0].runs.is_empty());
}

#[test]
fn the_old_form_with_a_head_is_read() {
    let node = |name: &str, id: u32, hits: u32, children: &str| {
        format!(
            r#"{{"functionName":"{name}","url":"/a.js","lineNumber":7,"columnNumber":2,"hitCount":{hits},"id":{id},"callUID":9,"children":[{children}]}}"#
        )
    };
    let head = node("(root)", 1, 0, &[node("a", 2, 2, &node("b", 3, 1, "")), node("c", 4, 0, "")].join(","));
    let text = format!(
        r#"{{"typeId":"CPU","head":{head},"startTime":7519.366,"endTime":7519.370,"samples":[2,3,2],"timestamps":[7519366000,7519367000,7519369000]}}"#
    );
    assert!(CpuProfile.recognise(text.as_bytes()));
    let windows = read(&text).expect("a profile");
    let cpu = by_stack(&windows, "cpu");
    assert_eq!((cpu["a /a.js:7"], cpu["a /a.js:7;b /a.js:7"]), (2_000_000, 2_000_000));
    let no_times = text.replace("timestamps", "stamps");
    assert_eq!(by_stack(&read(&no_times).expect("a profile"), "samples")["a /a.js:7"], 2);
    let deep = (0..600).fold(String::new(), |below, id| node("f", id, 1, &below));
    let deep = format!(r#"{{"head":{deep},"startTime":0,"endTime":1}}"#);
    assert!(read(&deep).expect_err("refused").to_string().contains("512 levels"));
}

#[test]
fn other_json_is_not_taken() {
    for text in [
        r#"{"nodes":[{"id":1}]}"#,
        r#"{"head":{"callFrame":{"functionName":"(root)"},"selfSize":0}}"#,
        r#"{"profile":{"name":"x"}}"#,
        "[]",
        "main;work 3",
        "",
    ] {
        assert!(!CpuProfile.recognise(text.as_bytes()), "{text}");
    }
}

#[test]
fn what_contradicts_itself_is_refused_with_its_place() {
    let good = profile(TREE, &[(2, 1000)]).to_string();
    for (text, expected) in [
        (good.replace("\"samples\":[2]", "\"samples\":[99]"), "a sample has no node"),
        (good.replace("\"id\":3", "\"id\":2"), "two nodes have one id"),
        (good.replace("\"startTime\":5000000", "\"startTime\":-1"), "its times are none"),
        (good.replace("[1,{\"x\":2}]", "[1,{\"x\":2]"), "(at byte"),
        (good[..good.len() - 2].to_owned(), "EOF"),
        (r#"{"profile":{"profile":{"profile":{"profile":{}}}}}"#.into(), "no profile"),
        ("[".repeat(100_000), "(at byte"),
        (r#"{"nodes":"#.to_owned() + &"[".repeat(100_000), "(at byte"),
    ] {
        let error = read(&text).expect_err("refused").to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_heap_profile_is_not_written_as_time() {
    let (profile, target) = (fixture::heap(), fixture::target());
    let refused = CpuProfile.write(&Export::new(&profile, &target), &mut Vec::new());
    assert!(matches!(refused, Err(WriteError::NoSuchKind { .. })));
}

#[test]
fn the_file_looks_as_v8_writes_it() {
    let mut profile = fixture::timed();
    profile.lanes[0].runs.truncate(0);
    for column in &mut profile.lanes[0].columns {
        column.iter_mut().for_each(|value| *value /= 25);
    }
    let text = written(&profile).replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!(text.replace("},{", "},\n{"));
}

proptest! {
    #[test]
    fn broken_files_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut file = profile(TREE, &[(2, 1000), (3, 500), (4, 0)]).to_string().into_bytes();
        let at = at.index(file.len());
        file[at] = byte;
        file.truncate(cut.index(file.len()).max(file.len() / 2));
        if let Ok(windows) = CpuProfile.read(&file, &Limits::default()) {
            prop_assert!(windows.iter().all(Profile::is_sound));
        }
    }

    #[test]
    fn any_samples_keep_their_number_and_time(samples in prop::collection::vec((2..=4_u32, 0..200_000_i64), 1..60)) {
        let windows = read(&profile(TREE, &samples).to_string()).expect("a profile");
        let time: i64 = samples[1..].iter().map(|sample| sample.1).sum::<i64>() + 1000;
        prop_assert_eq!(by_stack(&windows, "cpu").values().sum::<i64>(), time * 1000);
        prop_assert_eq!(by_stack(&windows, "samples").values().sum::<i64>(), samples.len() as i64);
    }
}
