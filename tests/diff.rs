//! `flametop diff`: two files against each other, with numbers that Go agrees with, as a judge in CI.

mod support;

use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use support::pprof_go::GoPprof;
use support::program::{Ended, flametop};
use support::recorded::record_world;
use support::runtimes::require_go;

const PATIENCE: Duration = Duration::from_secs(30);

/// Thirty seconds of the made-up world: `loadCatalog` blocks the loop in the seconds 12 and 13.
fn world() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    record_world(&directory.path().join("w.ftrec"), 5, 30);
    directory
}

/// The quiet seconds against others.
fn diff(directory: &Path, from: &str, to: &str, args: &[&str]) -> Ended {
    let parts = ["--base-from", "+0s", "--base-to", "+10s", "--from", from, "--to", to];
    let args: Vec<&str> = ["diff", "w.ftrec", "w.ftrec"].iter().chain(&parts).chain(args).copied().collect();
    flametop(&args, directory, PATIENCE)
}

fn function<'a>(json: &'a Value, name: &str) -> &'a Value {
    let functions = json["functions"].as_array().expect("an array");
    functions.iter().find(|function| function["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn what_grew_is_judged_and_the_test_is_stated() {
    let directory = world();
    let ended = diff(directory.path(), "+12s", "+14s", &["--json", "-n", "1000"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let json = ended.json();
    let blocking = function(&json, "loadCatalog");
    assert_eq!(blocking["total"]["verdict"], "more");
    assert!(blocking["total"]["standard_errors"].as_f64().is_some_and(|errors| errors > 10.0), "{blocking}");
    let text = diff(directory.path(), "+12s", "+14s", &[]).stdout;
    assert!(text.contains("loadCatalog") && text.contains("standard errors"), "{text}");
}

#[test]
fn what_is_new_and_what_vanished_is_named() {
    let directory = world();
    let args = ["export", "w.ftrec", "--type", "cpu", "--focus", "loadCatalog", "-o", "part.pb.gz"];
    assert_eq!(flametop(&args, directory.path(), PATIENCE).code, Some(0));
    let named = |args: &[&str], title: &str| {
        let text = flametop(args, directory.path(), PATIENCE).stdout;
        let line = text.lines().find(|line| line.starts_with(title)).unwrap_or_else(|| panic!("{text}"));
        line.trim_start_matches(title).to_owned()
    };
    let gone = named(&["diff", "w.ftrec", "part.pb.gz", "--by", "second"], "vanished:");
    let new = named(&["diff", "part.pb.gz", "w.ftrec", "--by", "second"], "new:");
    assert!(!gone.contains("loadCatalog") && !new.contains("loadCatalog"), "{gone} {new}");
    assert_eq!(gone, new);
}

#[test]
fn nothing_has_changed_against_itself() {
    let directory = world();
    for by in ["second", "share"] {
        for kind in ["cpu", "inuse_space"] {
            let args = ["--by", by, "--type", kind, "--fail-above", "0%"];
            let ended = diff(directory.path(), "+0s", "+10s", &args);
            assert_eq!(ended.code, Some(0), "{by} {kind}: {}{}", ended.stdout, ended.stderr);
            assert!(ended.stdout.contains("no function changed"), "{by} {kind}: {}", ended.stdout);
        }
    }
}

#[test]
fn a_build_fails_when_something_grew_past_the_limit() {
    let directory = world();
    let failed = diff(directory.path(), "+12s", "+14s", &["--fail-above", "5%"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stdout);
    assert!(
        failed.stderr.contains("loadCatalog") && failed.stderr.contains("limit is 5"),
        "{}",
        failed.stderr
    );
    let tolerant = diff(directory.path(), "+12s", "+14s", &["--fail-above", "100000%"]);
    assert_eq!(tolerant.code, Some(0), "{}", tolerant.stderr);
    // Less is never a failure.
    let less = ["diff", "w.ftrec", "w.ftrec", "--base-from", "+12s", "--base-to", "+14s", "--from", "+0s"];
    let args: Vec<&str> =
        less.iter().copied().chain(["--to", "+10s", "--by", "share", "--type", "cpu"]).collect();
    let less = flametop(&[&args[..], &["--json", "-n", "1000"]].concat(), directory.path(), PATIENCE).json();
    assert_eq!(function(&less, "loadCatalog")["total"]["verdict"], "less");
}

#[test]
fn go_agrees_on_every_difference() {
    let go = GoPprof::new(require_go!());
    let directory = world();
    let export = |name: &str, from: &str, to: &str| {
        let args = ["export", "w.ftrec", "--type", "cpu", "--from", from, "--to", to, "-o", name];
        assert_eq!(flametop(&args, directory.path(), PATIENCE).code, Some(0));
    };
    export("base.pb.gz", "+0s", "+10s");
    export("other.pb.gz", "+10s", "+20s");
    let base = format!("-diff_base={}", directory.path().join("base.pb.gz").display());
    let raw = go.raw_with(&[&base], &directory.path().join("other.pb.gz"));
    let cpu = raw.index("cpu/nanoseconds");
    let args = ["diff", "base.pb.gz", "other.pb.gz", "--json", "-n", "10000"];
    let json = flametop(&args, directory.path(), PATIENCE).json();
    let functions = json["functions"].as_array().expect("an array");
    assert!(functions.len() > 10, "{}", functions.len());
    let mut compared = 0;
    for function in functions.iter().filter(|function| function["name"] != "(anonymous)") {
        let name = function["name"].as_str().expect("a name");
        let value = |side: &str| function["self"][side].as_i64().expect("a number");
        let go = raw.own.get(name).map_or(0, |values| values[cpu]);
        let same_name = functions.iter().filter(|other| other["name"] == name).count();
        if same_name == 1 {
            assert_eq!(value("other_value") - value("base_value"), go, "{name}");
            compared += 1;
        }
    }
    assert!(compared > 10, "{compared}");
}

#[test]
fn what_cannot_be_compared_is_refused_with_a_way_out() {
    let directory = world();
    for (args, code, word) in [
        (&["diff", "w.ftrec", "w.ftrec", "--type", "nothing"][..], 2, "cpu"),
        (&["diff", "w.ftrec", "w.ftrec", "--fail-above", "much"][..], 2, "percent"),
        (&["diff", "w.ftrec", "no.ftrec"][..], 3, "no.ftrec"),
    ] {
        let refused = flametop(args, directory.path(), PATIENCE);
        assert_eq!(refused.code, Some(code), "{args:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(word), "{args:?}: {}", refused.stderr);
    }
}
