//! Nothing dies of being taken for a Node, nor runs a handler of its own: the real binary on real programs.

mod support;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use support::process;
use support::runtimes::{every_node, other};
use support::tally;
use support::target::{START, Target};
use support::wait::{holds_for, wait_for};

fn top(pid: u32) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flametop"))
        .args(["top", &pid.to_string(), "--kind", "node", "--for", "300ms"])
        .stdin(Stdio::null())
        .output()
        .expect("the binary was built")
}

/// Tries to attach, and checks that the process neither ended nor ran a handler.
fn survives(what: &str, target: &Target) -> String {
    let output = top(target.pid());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{what} was attached to: {told}");
    holds_for("it lives on", Duration::from_millis(300), || target.is_alive());
    assert!(!target.stdout_text().contains("own handler ran"), "{what}: {told}");
    told
}

#[test]
fn programs_that_are_no_node_are_refused_by_name_and_live() {
    let mut python = Command::new("python3");
    python.args(["-c", "import time\nprint('ready', flush=True)\ntime.sleep(60)"]);
    let mut sleep = Command::new("sleep");
    sleep.arg("60");
    let mut caught = Command::new("python3");
    // It would survive, but the signal is none of our business.
    let script = "import signal,time\nsignal.signal(signal.SIGUSR1,lambda *_:print('own handler ran',flush=True))\n\
                  print('ready',flush=True)\nwhile True: time.sleep(1)";
    caught.args(["-c", script]);
    for (command, speaks) in [(python, true), (sleep, false), (caught, true)] {
        let mut target = Target::spawn(command);
        if speaks {
            target.wait_line("ready", START);
        } else {
            wait_for("it runs its own program", START, || {
                std::fs::read_link(format!("/proc/{}/exe", target.pid()))
                    .is_ok_and(|exe| !exe.to_string_lossy().contains("signals"))
            });
        }
        let told = survives("no Node", &target);
        assert!(told.contains("is not Node.js"), "{told}");
    }
}

#[test]
fn bun_and_deno_are_told_apart_and_live() {
    for (name, args) in [("bun", &["run"][..]), ("deno", &["run", "--no-prompt"])] {
        let Some(program) = other(name) else { continue };
        let mut script = tempfile::NamedTempFile::with_suffix(".js").expect("a file");
        script.write_all(b"console.log('ready');setInterval(()=>{},1000)").expect("written");
        let mut command = Command::new(program);
        command.args(args).arg(script.path()).env("DENO_NO_UPDATE_CHECK", "1");
        let mut target = Target::spawn(command);
        target.wait_line("ready", START);
        let told = survives(name, &target);
        assert!(told.to_lowercase().contains(name), "{told}");
    }
}

#[test]
fn a_node_with_a_handler_of_its_own_is_refused_and_does_not_run_it() {
    for (major, node) in every_node() {
        let target = Target::start(&node, "own_handler.js", &[]);
        let told = survives(&format!("node {major}"), &target);
        assert!(told.contains("handles SIGUSR1 itself"), "node {major}: {told}");
    }
}

#[test]
fn a_node_that_was_told_to_ignore_the_signal_is_refused() {
    for (major, node) in every_node().into_iter().filter(|(major, _)| *major >= 22) {
        let target = Target::start_with(&node, &["--disable-sigusr1"], "globals.js", &[]);
        let told = survives(&format!("node {major}"), &target);
        assert!(told.contains("does not open its inspector on SIGUSR1"), "node {major}: {told}");
    }
}

#[test]
fn a_node_of_a_few_milliseconds_does_not_die() {
    let mut attached = 0;
    for (major, node) in every_node() {
        for delay_ms in [0, 1, 3, 6, 12, 25] {
            let mut command = Command::new(&node);
            command.args(["--inspect-port=0", "-e", "console.log('ready');setInterval(()=>{},1000)"]);
            let mut target = Target::spawn(command);
            holds_for("it is young", Duration::from_millis(delay_ms), || true);
            let output = top(target.pid());
            attached += u32::from(output.status.success());
            target.wait_line("ready", START);
            assert!(target.is_alive(), "node {major}, {delay_ms} ms old: {output:?}");
            target.wait_ports(&[], START);
        }
    }
    println!("attached to {attached} of them");
    tally::count("Nodes a few ms old, none dead", 6 * every_node().len());
}

#[test]
fn what_runs_is_never_traced_nor_stopped() {
    for (major, node) in every_node() {
        let target = Target::start_with(&node, &["--inspect-port=0"], "split_cpu.js", &[]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_flametop"))
            .args(["top", &target.pid().to_string(), "--for", "1s"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary was built");
        while child.try_wait().expect("it is our child").is_none() {
            assert_eq!(process::tracer(target.pid()), None, "node {major}");
            assert!(!matches!(process::state(target.pid()), Some('T' | 't')), "node {major}");
        }
    }
}
