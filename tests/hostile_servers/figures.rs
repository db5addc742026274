//! Figures and heap profiles that make no sense: what can be shown is shown, and nothing breaks.

use std::time::Duration;

use serde_json::{Value, json};

use crate::servers::SOON;
use crate::support::fake_inspector::{Call, Server, Socket, Window};
use crate::support::harmless::{assert_harmless, written};
use crate::support::program::{flametop, survived, tally};
use crate::support::pty::PtyCommand;

fn decent(window: Window) -> String {
    window.profile(&[("\"work\"".into(), "\"/srv/a.js\"".into())])
}

/// What a poll tells, with every figure the same.
fn poll(figure: &Value) -> Value {
    let collection = json!({ "n": 4_294_967_295_u32, "us": figure, "max_us": figure });
    json!({
        "rss": figure, "heap_total": figure, "heap_used": figure, "external": figure,
        "array_buffers": figure, "idle_ms": figure, "active_ms": figure, "loops": figure,
        "delay": { "n": figure, "p50_ns": figure, "p99_ns": figure, "max_ns": figure },
        "gc": { "\u{1b}[31m": collection, "major": collection },
        "resources": { "\u{202e}Timeout\u{7}": 4_294_967_295_u32 },
        "cost_us": figure,
    })
}

/// An inspector whose polls tell these figures, one after another.
fn server(figures: Vec<Value>) -> Server {
    Server::start(move |stream| {
        let Some(mut socket) = Socket::accept(stream) else { return };
        let mut next = figures.iter().cycle();
        let special = |call: &Call| {
            if call.runs("agent") {
                return Some(call.value(&json!({ "ok": true })));
            }
            call.runs("poll").then(|| call.value(&poll(next.next().unwrap_or(&Value::Null))))
        };
        socket.serve(special, decent);
    })
}

fn figures() -> Vec<Value> {
    let extreme = [1e308, -1e308, -1.0, 0.0, 1.8e19, 1e-300, -9.3e18, 9_007_199_254_740_993.0];
    extreme.into_iter().map(Value::from).chain([json!("text"), Value::Null]).collect()
}

#[test]
fn figures_out_of_range_are_shown_and_recorded_without_harm() {
    let home = tempfile::tempdir().expect("a directory");
    let server = server(figures());
    let args = ["record", &server.session(), "--for", "3s", "-o", "x.ftrec"];
    let ended = flametop(&args, home.path(), SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut pty = PtyCommand::flametop(&["./x.ftrec"]).size(160, 50).current_dir(home.path()).start();
    pty.wait_for_text("work", SOON);
    pty.send("[[e1\u{3}");
    assert_eq!(pty.wait_exit(SOON).exit_code(), 0, "{}", pty.screen());
    let mut live = PtyCommand::flametop(&[&server.session()]).size(160, 50).start();
    live.wait_for_text("work", SOON);
    live.send(" ");
    live.wait_for_text("FROZEN", SOON);
    live.send("\u{3}");
    assert_eq!(live.wait_exit(SOON).exit_code(), 0, "{}", live.screen());
    for output in [pty.output(), live.output()] {
        assert_harmless(&written(&output).text, "the screen");
    }
    survived(figures().len());
}

/// A heap profile, and why it can't be used; none where it can.
type HeapCase = (&'static str, fn() -> String, Option<&'static str>);

const HEAPS: &[HeapCase] = &[
    ("a tree 100,000 deep", || chain(100_000), Some("more than 512 levels")),
    ("a tree of 600 levels", || chain(600), Some("more than")),
    ("a size below zero", || heap("\"f\"", "-1"), Some("a size is none")),
    ("a size of 1e300", || heap("\"f\"", "1e300"), Some("a size is none")),
    ("a size that is text", || heap("\"f\"", "\"9\""), Some("invalid type")),
    ("no name", || heap("null", "9"), Some("invalid type")),
    ("no tree", || "null".into(), Some("can't be used")),
    ("a name that is half a surrogate pair", || heap("\"a\\ud800\\u001b[31m\"", "9"), None),
];

fn heap(name: &str, size: &str) -> String {
    format!(
        r#"{{"head":{{"callFrame":{{"functionName":"(root)"}},"selfSize":0,"children":[{{"callFrame":{{"functionName":{name}}},"selfSize":{size},"children":[]}}]}},"samples":[]}}"#
    )
}

fn chain(levels: usize) -> String {
    let level = r#"{"callFrame":{"functionName":"f"},"selfSize":1,"children":["#;
    format!(r#"{{"head":{}{},"samples":[]}}"#, level.repeat(levels), "]}".repeat(levels))
}

/// An inspector whose first heap profile is broken; the next are decent.
fn heap_server(profile: fn() -> String) -> Server {
    Server::start(move |stream| {
        let Some(mut socket) = Socket::accept(stream) else { return };
        let mut asked = 0;
        while let Some(call) = socket.call() {
            let mut reply = call.usual_reply();
            if call.runs("poll") {
                reply = call.value(&poll(&json!(1000.0)));
            } else if call.method.ends_with("SamplingProfile") || call.method == "HeapProfiler.stopSampling" {
                let given = match asked {
                    0 => None,
                    1 => Some(profile()),
                    _ => Some(heap("\"decent\"", "9")),
                };
                if let Some(profile) = given {
                    reply = format!(r#"{{"id":{},"result":{{"profile":{profile}}}}}"#, call.id);
                }
                asked += 1;
            }
            if socket.send(&reply).is_err() {
                return;
            }
        }
    })
}

#[test]
fn broken_heap_profiles_are_told_and_never_counted() {
    tally(
        HEAPS,
        HEAPS.len(),
        |case| case.0.to_owned(),
        |(what, profile, refused)| {
            let server = heap_server(*profile);
            let home = tempfile::tempdir().expect("a directory");
            let args = [
                "top",
                &server.session(),
                "--no-cpu",
                "--heap",
                "--type",
                "inuse_space",
                "--json",
                "--for",
                "1s",
            ];
            let ended = flametop(&args, home.path(), Duration::from_secs(30));
            assert_eq!(
                (ended.code, &ended.json()["total"]),
                (Some(0), &json!(9)),
                "{what}: {}",
                ended.stderr
            );
            let told = ended.stderr.contains("a heap window can't be used");
            assert_eq!(told, refused.is_some(), "{what}: {}", ended.stderr);
            assert!(refused.is_none_or(|why| ended.stderr.contains(why)), "{what}: {}", ended.stderr);
            assert_eq!(ended.stdout.contains("decent"), told, "{what}: {}", ended.stdout);
        },
    );
}
