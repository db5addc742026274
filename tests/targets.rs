//! The programs in `tests/targets` do what their first lines say, on every Node, judged by Node itself:
//! flametop's own figures are compared with them elsewhere, so they must be right without flametop.

mod support;

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use support::process;
use support::runtimes::every_node;
use support::target::{START, Target};
use support::wait::{holds_for, wait_for};
use tempfile::TempDir;

/// How far a share may lie from its nominal value: sampling noise of a few seconds at 1 kHz.
const SHARE_TOLERANCE: f64 = 0.015;

fn assert_split(what: &str, values: [f64; 3]) {
    let total: f64 = values.iter().sum();
    for (value, nominal) in values.into_iter().zip([0.7, 0.2, 0.1]) {
        let share = value / total;
        assert!(
            (share - nominal).abs() < SHARE_TOLERANCE,
            "{what}: {share:.3} instead of {nominal} in {values:?}"
        );
    }
}

/// Runs a program under one of Node's own profilers for `span` and returns the profile it leaves.
fn profile_by_node(
    node: &Path,
    options: &[&str],
    program: &str,
    args: &[&str],
    span: Duration,
) -> (Value, Value) {
    let dir = TempDir::new().expect("a temporary directory can be made");
    let place = format!("--diagnostic-dir={}", dir.path().display());
    let mut target = Target::start_with(node, &[options, &[place.as_str()]].concat(), program, args);
    holds_for("the program runs", span, || target.is_alive());
    let truth = target.truth();
    target.wait_exit(START);
    let mut files = fs::read_dir(dir.path()).expect("the directory is there").flatten();
    let text =
        fs::read_to_string(files.next().expect("node leaves a profile").path()).expect("the profile is text");
    (serde_json::from_str(&text).expect("the profile is JSON"), truth)
}

/// Microseconds on top of the stack, by function, in a V8 CPU profile.
fn cpu_of(profile: &Value, function: &str) -> f64 {
    let nodes = profile["nodes"].as_array().expect("nodes are a list");
    let named = nodes.iter().filter(|node| node["callFrame"]["functionName"] == function);
    let ids: Vec<&Value> = named.map(|node| &node["id"]).collect();
    let samples = profile["samples"].as_array().into_iter().flatten();
    let deltas = profile["timeDeltas"].as_array().into_iter().flatten();
    samples.zip(deltas).filter(|(id, _)| ids.contains(id)).filter_map(|(_, delta)| delta.as_f64()).sum()
}

/// Bytes in the subtrees of a function of a V8 heap profile: builtins it calls are its own doing.
fn heap_of(node: &Value, function: &str) -> f64 {
    let inside = node["callFrame"]["functionName"] == function;
    let children = node["children"].as_array().into_iter().flatten();
    if inside { subtree(node) } else { children.map(|child| heap_of(child, function)).sum() }
}

fn subtree(node: &Value) -> f64 {
    let children = node["children"].as_array().into_iter().flatten();
    node["selfSize"].as_f64().unwrap_or(0.0) + children.map(subtree).sum::<f64>()
}

#[test]
fn split_cpu_is_split_70_20_10_by_clock_and_by_nodes_profiler() {
    for (major, node) in every_node() {
        let span = Duration::from_secs(2);
        let (profile, truth) = profile_by_node(&node, &["--cpu-prof"], "split_cpu.js", &[], span);
        let functions = ["seventy", "twenty", "ten"];
        assert_split(
            &format!("clock on {major}"),
            functions.map(|name| truth[name].as_f64().expect("a number")),
        );
        assert_split(&format!("profile on {major}"), functions.map(|name| cpu_of(&profile, name)));
    }
}

#[test]
fn split_alloc_is_split_70_20_10_by_nodes_heap_profiler() {
    for (major, node) in every_node() {
        let options = ["--heap-prof", "--heap-prof-interval=2048"];
        let span = Duration::from_millis(500);
        let (profile, _) = profile_by_node(&node, &options, "split_alloc.js", &[], span);
        let functions = ["seventyArrays", "twentyStrings", "tenObjects"];
        assert_split(&format!("heap on {major}"), functions.map(|name| heap_of(&profile["head"], name)));
    }
}

#[test]
fn hang_burns_a_core_and_answers_nothing() {
    for (major, node) in every_node() {
        let mut target = Target::start(&node, "hang.js", &[]);
        let before = process::cpu_ticks(target.pid());
        wait_for("the loop to burn CPU", START, || {
            process::cpu_ticks(target.pid()) > before.map(|ticks| ticks + 20)
        });
        assert!(target.is_alive(), "on {major}");
        target.signal(Signal::TERM);
        assert_eq!(target.wait_exit(START).signal(), Some(15), "on {major}");
    }
}

#[test]
fn esm_and_own_handler_and_globals_run_and_report() {
    for (major, node) in every_node() {
        for program in ["esm.mjs", "own_handler.js", "globals.js"] {
            let mut target = Target::start(&node, program, &[]);
            let first = target.report();
            assert_eq!(target.report(), first, "{program} on {major} is at rest");
            assert!(
                first["globals"].as_array().is_some_and(|names| names.len() > 50),
                "{program} on {major}"
            );
        }
    }
}

#[test]
fn own_handler_keeps_the_inspector_shut() {
    for (major, node) in every_node() {
        let mut target = Target::start(&node, "own_handler.js", &[]);
        target.signal(Signal::USR1);
        target.wait_line("own handler ran", START);
        assert!(process::listening_ports(target.pid()).is_empty(), "on {major}");
    }
}

type EndedAsTold = fn(ExitStatus) -> bool;

#[test]
fn exit_on_ends_in_the_way_it_is_told() {
    let ways: &[(&str, EndedAsTold)] = &[
        ("exit", |status| status.code() == Some(7)),
        ("natural", |status| status.code() == Some(0)),
        ("uncaught", |status| status.code() == Some(1)),
        ("rejection", |status| status.code() == Some(1)),
        ("abort", |status| status.signal() == Some(6)),
        ("kill", |status| status.signal() == Some(9)),
    ];
    for (major, node) in every_node() {
        for (way, as_told) in ways {
            let status = Target::start(&node, "exit_on.js", &[way, "20"]).wait_exit(START);
            assert!(as_told(status), "{way} on {major}: {status}");
        }
        let mut target = Target::start(&node, "exit_on.js", &["sigterm"]);
        target.signal(Signal::TERM);
        assert_eq!(target.wait_exit(START).code(), Some(9), "sigterm on {major}");
    }
}

#[test]
fn execve_becomes_another_program_under_the_same_pid() {
    for (major, node) in every_node().into_iter().filter(|(major, _)| *major >= 24) {
        let target = Target::start(&node, "exit_on.js", &["execve", "20"]);
        let became = || process::thread_names(target.pid()) == ["sleep"];
        wait_for(&format!("Node {major} to become sleep"), START, became);
    }
}

#[test]
fn blocked_native_blocks_for_about_the_time_asked() {
    for (_, node) in every_node() {
        for way in ["pbkdf2", "exec"] {
            let mut target = Target::start(&node, "blocked_native.js", &[way, "1"]);
            holds_for(way, Duration::from_millis(300), || !target.stdout_text().contains("unblocked"));
            target.wait_line("unblocked", START);
        }
    }
}

#[test]
fn stalls_are_planted_in_turn_with_their_times() {
    for (major, node) in every_node() {
        let mut target = Target::start(&node, "stalls.js", &["20"]);
        for (name, length_us) in [("block50", 50_000), ("block200", 200_000), ("block800", 800_000)] {
            let line = target.wait_line(&format!("stall {name} "), START);
            let times: Vec<i64> =
                line.split(' ').skip(2).map(|time| time.parse().expect("microseconds")).collect();
            assert!(times[1] - times[0] >= length_us, "{name} on {major}: {line}");
        }
    }
}
