//! Traces as browsers write them, as they are cut off, and as nobody should write them.

use super::super::fixture::by_stack;
use super::*;
use proptest::prelude::*;

const NAME: &str = r#"{"args":{"name":"CrRendererMain"},"cat":"__metadata","name":"thread_name","ph":"M","pid":7,"tid":3,"ts":0}"#;
const BEGIN: &str = r#"{"args":{"data":{"startTime":1000000}},"cat":"disabled-by-default-v8.cpu_profiler","id":"0x2","name":"Profile","ph":"P","pid":7,"tid":3,"ts":1000010}"#;

/// A piece from the profiler's own thread.
fn chunk(nodes: &str, samples: &str, deltas: &str) -> String {
    format!(
        r#"{{"args":{{"data":{{"cpuProfile":{{"nodes":[{nodes}],"samples":{samples}}},"lines":[1],"timeDeltas":{deltas}}}}},"cat":"x","id":"0x2","name":"ProfileChunk","ph":"P","pid":7,"tid":9,"ts":1000020.5}}"#
    )
}

fn node(id: u32, parent: Option<u32>, name: &str) -> String {
    let script = if name.starts_with('(') { 0 } else { 5 };
    let url = if script == 0 { "" } else { "http://localhost/a.js?token=s3cret" };
    let parent = parent.map_or(String::new(), |parent| format!(r#","parent":{parent}"#));
    format!(
        r#"{{"callFrame":{{"codeType":"JS","functionName":"{name}","scriptId":{script},"url":"{url}","lineNumber":1,"columnNumber":2}},"id":{id}{parent}}}"#
    )
}

fn events() -> Vec<String> {
    let nodes = [node(1, None, "(root)"), node(2, Some(1), "a"), node(3, Some(2), "b")].join(",");
    vec![
        r#"{"ph":"X","name":"Task","pid":7,"tid":3,"ts":1.5,"dur":3,"args":{}}"#.into(),
        BEGIN.into(),
        chunk(&nodes, "[2,3]", "[1000,500]"),
        chunk(&node(4, Some(2), "c"), "[4,2]", "[2000,-1000]"),
        NAME.into(),
    ]
}

fn read(text: &str) -> Result<Vec<Profile>, ReadError> {
    assert!(ChromeTrace.recognise(&text.as_bytes()[..text.len().min(4096)]), "{text}");
    let windows = ChromeTrace.read(text.as_bytes(), &Limits::default())?;
    assert!(!windows.is_empty() && windows.iter().all(Profile::is_sound));
    Ok(windows)
}

#[test]
fn pieces_are_joined_and_named_after_their_thread() {
    for text in [
        format!("[{}]", events().join(",\n")),
        format!(r#"{{"metadata":{{"source":"DevTools"}},"traceEvents":[{}]}}"#, events().join(",")),
        format!(r#"{{"traceEvents":[{}],"displayTimeUnit":"ms"}}"#, events().join(",")),
    ] {
        let windows = read(&text).expect("a trace");
        assert_eq!(
            (&*windows[0].lanes[0].thread.name, windows[0].lanes[0].thread.pid),
            ("CrRendererMain", 7)
        );
        let cpu = by_stack(&windows, "cpu");
        let a = "a http://localhost/a.js:2";
        // In the order of time: a at 1.0 ms, b at 1.5, a again at 2.5, c at 3.5, which is the end.
        assert_eq!(
            (cpu[a], cpu[&format!("{a};b http://localhost/a.js:2")]),
            (500_000 + 1_000_000, 1_000_000)
        );
        assert_eq!(by_stack(&windows, "samples").values().sum::<i64>(), 4);
    }
}

#[test]
fn a_trace_that_was_cut_off_is_read_as_far_as_it_goes() {
    let whole = format!("[{},\n", events().join(",\n"));
    let windows = read(&whole).expect("a trace without its end");
    assert!(
        windows[0].notes.iter().any(|note| note.contains("ends in the middle")),
        "{:?}",
        windows[0].notes
    );
    assert_eq!(by_stack(&windows, "samples").values().sum::<i64>(), 4);
    let torn = &whole[..whole.find("thread_name").expect("it is there")];
    let windows = read(torn).expect("a trace torn in an event");
    assert_eq!(&*windows[0].lanes[0].thread.name, "thread 3");
}

#[test]
fn threads_are_lanes() {
    let second: Vec<String> = events()
        .iter()
        .map(|event| event.replace("0x2", "0x9").replace(r#""tid":3"#, r#""tid":4"#))
        .collect();
    let windows = read(&format!("[{},{}]", events().join(","), second.join(","))).expect("a trace");
    assert_eq!(windows[0].lanes.len(), 2);
}

#[test]
fn what_is_no_profile_is_refused_with_its_place() {
    for (text, expected) in [
        (format!("[{}]", events()[0]), "it has no CPU profile"),
        (r#"{"traceEvents":7}"#.into(), "no list"),
        (format!("[{},{}]", BEGIN, chunk(&node(2, Some(1), "a"), "[2]", "[1]")), "not met before"),
        (format!("[{},{}]", BEGIN, chunk(&node(1, None, "a"), "[1]", "[]")), "differ in number"),
        (format!("[{},{}]", BEGIN, chunk(&node(1, None, "a"), "[8]", "[1]")), "a sample has no node"),
        (
            format!(
                "[{},{}]",
                BEGIN,
                chunk(&[node(1, None, "a"), node(2, None, "b")].join(","), "[1]", "[1]")
            ),
            "one root",
        ),
        (format!("[{} 7]", events().join(",")), "(at byte"),
        (format!(r#"{{"traceEvents":{}"#, "[".repeat(100_000)), "(at byte"),
    ] {
        let error = read(&text).expect_err("refused").to_string();
        assert!(error.contains(expected) && error.contains("(at byte"), "{expected}: {error}");
    }
}

#[test]
fn other_lists_are_not_taken() {
    for text in [r#"[{"ph":"x"}]"#, "[1,2]", r#"{"metadata":{"source":"me"}}"#, "main;work 3"] {
        assert!(!ChromeTrace.recognise(text.as_bytes()), "{text}");
    }
}

proptest! {
    #[test]
    fn broken_traces_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut file = format!("[{}]", events().join(",")).into_bytes();
        let at = at.index(file.len());
        file[at] = byte;
        file.truncate(cut.index(file.len()).max(file.len() / 2));
        if let Ok(windows) = ChromeTrace.read(&file, &Limits::default()) {
            prop_assert!(windows.iter().all(Profile::is_sound));
        }
    }
}
