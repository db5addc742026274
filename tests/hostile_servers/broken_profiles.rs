//! Profiles that are broken: each gives a note or what can be right of it, and never a wrong total.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::fake_inspector::{Call, Server, Socket, Window};
use crate::support::program::{Ended, flametop, tally};

const SOON: Duration = Duration::from_secs(20);

/// A way to break a profile, and what becomes of it.
struct Case {
    what: &'static str,
    broken: fn(Window) -> String,
    /// The reason to be given; none where the profile can be used.
    refused: Option<&'static str>,
}

const CASES: &[Case] = &[
    refused(
        "nodes in a circle",
        |w| with_nodes(w, &[(1, "[2]"), (2, "[]"), (3, "[4]"), (4, "[3]")]),
        "circle",
    ),
    refused("a node that is its own child", |w| with_nodes(w, &[(1, "[2]"), (2, "[2]")]), "two parents"),
    refused("a root that is its own child", |w| with_nodes(w, &[(1, "[1]")]), "exactly one root"),
    refused("a child that does not exist", |w| with_nodes(w, &[(1, "[7]")]), "a child does not exist"),
    refused("one id twice", |w| with_nodes(w, &[(1, "[2]"), (2, "[]"), (2, "[]")]), "two nodes have one id"),
    refused(
        "a node with two parents",
        |w| with_nodes(w, &[(1, "[2,3]"), (2, "[3]"), (3, "[]")]),
        "two parents",
    ),
    refused("two roots", |w| with_nodes(w, &[(1, "[]"), (2, "[]")]), "exactly one root"),
    refused("no nodes", |w| with_nodes(w, &[]), "exactly one root"),
    refused("no ids", |w| poison(w).replace("\"id\":2,", ""), "missing field `id`"),
    refused("ids of 2^53", |w| poison(w).replace("\"id\":2,", "\"id\":9007199254740993,"), "invalid value"),
    refused("ids below zero", |w| poison(w).replace("\"id\":2,", "\"id\":-2,"), "invalid value"),
    refused("samples of no node", |w| with(w, "samples", &json!([9, 9])), "a sample has no node"),
    refused("samples of 2^53", |w| with(w, "samples", &json!([9_007_199_254_740_993_u64])), "invalid value"),
    refused("more samples than times", |w| with(w, "samples", &json!([2, 2, 2])), "differ in number"),
    refused("times that are text", |w| with(w, "timeDeltas", &json!(["1", "2"])), "invalid type"),
    refused("times of 1e300", |w| with(w, "timeDeltas", &json!([1e300, 1.0])), "invalid type"),
    refused("an end before the beginning", |w| with(w, "endTime", &json!(w.start_us - 1)), "ends before"),
    refused("a beginning in 2^60", |w| with(w, "startTime", &json!(1_u64 << 60)), "its times are none"),
    refused("an end below zero", |w| with(w, "endTime", &json!(-1)), "its times are none"),
    refused("times of 1e308", |w| with(w, "endTime", &json!(1e308)), "its times are none"),
    refused(
        "a number too large for any",
        |w| poison(w).replace("\"endTime\":", "\"endTime\":1e999,\"x\":"),
        "number",
    ),
    refused("no samples", without_samples, "it has no samples"),
    refused("no profile", |_| "null".into(), "not the JSON of a profile"),
    refused("a profile of another type", |_| "[[[1,2,3]]]".into(), "not the JSON of a profile"),
    refused(
        "a profile 100,000 deep",
        |_| "[".repeat(100_000) + &"]".repeat(100_000),
        "not the JSON of a profile",
    ),
    refused("children 100,000 deep", deep_children, "not the JSON of a profile"),
    refused("more nodes than any", many_nodes, "longer than"),
    used("times below zero", |w| with(w, "timeDeltas", &json!([2000, -1000]))),
    used("times of zero", |w| with(w, "timeDeltas", &json!([0, 0]))),
    used("times that overflow", |w| with(w, "timeDeltas", &json!([i64::MAX, i64::MAX]))),
    used("times that overflow below", |w| with(w, "timeDeltas", &json!([i64::MIN, i64::MIN]))),
    used("lines and columns out of range", |w| {
        poison(w).replace("\"lineNumber\":2", "\"lineNumber\":9223372036854775807")
    }),
    used("ticks out of range", |w| poison(w).replace("\"id\":2,", TICKS)),
    used("a chain of 100,000 calls", chain),
];

const TICKS: &str =
    r#""id":2,"positionTicks":[{"line":-1,"ticks":-9},{"line":9007199254740993,"ticks":9007199254740993}],"#;

const fn refused(what: &'static str, broken: fn(Window) -> String, why: &'static str) -> Case {
    Case { what, broken, refused: Some(why) }
}

const fn used(what: &'static str, broken: fn(Window) -> String) -> Case {
    Case { what, broken, refused: None }
}

/// A profile of one function that must show in no table when the profile is broken.
fn poison(window: Window) -> String {
    window.profile(&[("\"poison\"".into(), "\"/srv/poison.js\"".into())])
}

/// The same with two samples and a field that is another.
fn with(window: Window, field: &str, value: &Value) -> String {
    let mut profile: Value = serde_json::from_str(&poison(window)).expect("it is JSON");
    profile["samples"] = json!([2, 2]);
    profile["timeDeltas"] = json!([1000, 1000]);
    profile[field] = value.clone();
    profile.to_string()
}

fn without_samples(window: Window) -> String {
    let mut profile: Value = serde_json::from_str(&with(window, "samples", &json!([]))).expect("it is JSON");
    profile["timeDeltas"] = json!([]);
    profile.to_string()
}

fn node(id: usize, children: &str) -> String {
    format!(
        r#"{{"id":{id},"callFrame":{{"functionName":"poison","scriptId":"9","url":"/p.js"}},"children":{children}}}"#
    )
}

fn with_nodes(window: Window, nodes: &[(usize, &str)]) -> String {
    let nodes: Vec<String> = nodes.iter().map(|(id, children)| node(*id, children)).collect();
    with_raw_nodes(window, &nodes.join(","), 1, 1)
}

/// With `count` samples of one node, 1 ms apart.
fn with_raw_nodes(window: Window, nodes: &str, sampled: usize, count: usize) -> String {
    let (samples, deltas) = (vec![sampled; count], vec![1000; count]);
    format!(
        r#"{{"nodes":[{nodes}],"startTime":{},"endTime":{},"samples":{samples:?},"timeDeltas":{deltas:?}}}"#,
        window.start_us, window.end_us
    )
}

fn deep_children(window: Window) -> String {
    with_nodes(window, &[(1, &("[".repeat(100_000) + &"]".repeat(100_000)))])
}

fn many_nodes(window: Window) -> String {
    let count = (1 << 20) + 1;
    let nodes: Vec<String> =
        (1..=count).map(|id| format!(r#"{{"id":{id},"callFrame":{{"functionName":"p"}}}}"#)).collect();
    with_raw_nodes(window, &nodes.join(","), 1, 1)
}

fn chain(window: Window) -> String {
    let last = 100_000;
    let mut nodes: Vec<String> = (1..last).map(|id| node(id, &format!("[{}]", id + 1))).collect();
    nodes.push(node(last, "[]"));
    with_raw_nodes(window, &nodes.join(","), last, 100)
}

/// What decent windows hold: three samples of four are of one function.
fn decent(window: Window) -> String {
    let function = |name: &str, file: &str| (format!("\"{name}\""), format!("\"/srv/{file}.js\""));
    let three = ["a", "b", "c"].map(|file| function("three", file));
    window.profile(&[&three[..], &[function("one", "d")]].concat())
}

/// An inspector whose first windows are broken.
fn server(broken: fn(Window) -> String) -> Server {
    Server::start(move |stream| {
        let Some(mut socket) = Socket::accept(stream) else { return };
        let profile = |window: Window| if window.number < 2 { broken(window) } else { decent(window) };
        socket.serve(|_: &Call| None, profile);
    })
}

#[test]
fn broken_profiles_are_told_and_never_counted() {
    tally(
        CASES,
        12,
        |case| case.what.to_owned(),
        |case| {
            let server = server(case.broken);
            let home = tempfile::tempdir().expect("a directory");
            let length = if case.refused.is_some() { "250ms" } else { "1s" };
            let args = ["top", &server.session(), "--no-heap", "--json", "--for", length];
            let ended = flametop(&args, home.path(), SOON);
            assert_eq!(ended.code, Some(0), "{}: {}", case.what, ended.stderr);
            match case.refused {
                Some(why) => {
                    let told =
                        ended.stderr.contains("a CPU window can't be used") && ended.stderr.contains(why);
                    assert!(told, "{} does not say {why:?}: {}", case.what, ended.stderr);
                    assert_decent(&ended, case.what);
                }
                None => assert_possible(&ended, case.what),
            }
        },
    );
}

fn rows(table: &Value) -> Vec<(String, i64)> {
    let rows = table["functions"].as_array().expect("a list").iter();
    rows.map(|row| {
        (row["name"].as_str().expect("a name").to_owned(), row["self"].as_i64().expect("a number"))
    })
    .collect()
}

/// Nothing is in the table but what the decent windows held, in its shares.
#[track_caller]
fn assert_decent(ended: &Ended, what: &str) {
    assert!(!ended.stdout.contains("poison"), "{what}: {}", ended.stdout);
    let rows = rows(&ended.json());
    let of = |wanted: &str| rows.iter().filter(|(name, _)| name == wanted).map(|(_, own)| own).sum::<i64>();
    let share = of("three") as f64 / (of("three") + of("one")) as f64;
    assert!((share - 0.75).abs() < 0.03, "{what}: {share} in {rows:?}");
}

/// The sum of all rows is the total, and no more than the time that is said to be covered.
#[track_caller]
fn assert_possible(ended: &Ended, what: &str) {
    let table = ended.json();
    let total = table["total"].as_i64().expect("a number");
    let sum: i64 = rows(&table).iter().map(|(_, own)| own).sum();
    assert_eq!(sum, total, "{what}: {table}");
    let covered = table["covered_seconds"].as_f64().expect("a number");
    assert!(total > 0 && total as f64 <= covered * 1e9 + 1.0 && covered < 20.0, "{what}: {table}");
}
