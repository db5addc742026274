//! The command line from outside: every bad input has its own message, hint and exit code.

mod support;

use std::process::{Command, Output, Stdio};
use std::time::Duration;
use support::target::Target;
use support::wait::wait_for;

fn flametop(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flametop"));
    command.args(args).stdin(Stdio::null()).env("XDG_CONFIG_HOME", "/nonexistent");
    command.output().expect("the binary was built")
}

/// Asserts the exit code, and that the message says all of `words` and gives a hint.
#[track_caller]
fn refused(args: &[&str], code: i32, words: &[&str]) {
    let output = flametop(args);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
    for word in words {
        assert!(text.contains(word), "{args:?} does not say {word:?}: {text}");
    }
    assert!(text.contains("hint:"), "{args:?} gives no way out: {text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn a_pid_that_does_not_exist_is_named() {
    refused(&["top", "4194303"], 3, &["4194303"]);
}

#[test]
fn a_name_that_nobody_has_is_named() {
    refused(&["top", "no-such-process-name"], 3, &["no-such-process-name"]);
}

#[test]
fn a_process_that_is_not_node_is_refused_and_lives_on() {
    let mut sleep = Command::new("sleep").arg("60").spawn().expect("sleep is everywhere");
    let pid = sleep.id().to_string();
    refused(&["top", &pid], 1, &[&pid, "sleep"]);
    assert!(sleep.try_wait().expect("it is our child").is_none(), "it must live on");
    sleep.kill().expect("it is our child");
    sleep.wait().expect("it was killed");
}

#[test]
fn a_port_where_nobody_answers_is_named() {
    refused(&["top", "127.0.0.1:1"], 1, &["127.0.0.1:1"]);
}

#[test]
fn a_directory_that_cannot_be_written_to_is_known_before_sampling() {
    refused(&["record", "1", "--for", "10s", "-o", "/proc/x.pb.gz"], 1, &["/proc/x.pb.gz"]);
    refused(&["record", "1", "--for", "10s", "-o", "/nonexistent/x.pb.gz"], 1, &["/nonexistent"]);
    refused(&["record", "1", "--for", "10s", "-o", "/proc/x.ftrec"], 1, &["/proc/x.ftrec"]);
}

#[test]
fn a_recording_never_replaces_a_file_and_says_so_before_sampling() {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let path = directory.path().join("old.ftrec");
    std::fs::write(&path, "mine").expect("the directory is ours");
    let name = path.to_string_lossy();
    refused(&["record", "1", "--for", "10s", "-o", &name], 1, &[&name, "exists already"]);
    assert_eq!(std::fs::read(&path).expect("it is still there"), b"mine");
}

#[test]
fn a_start_that_takes_long_can_be_left() {
    // Accepts by its backlog and never answers.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = mute.local_addr().expect("it is bound").to_string();
    let mut child = Command::new(env!("CARGO_BIN_EXE_flametop"))
        .args(["top", &address])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built");
    // It listens to signals before it connects.
    let _connection = mute.accept().expect("it connects");
    let asked = std::time::Instant::now();
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is our child");
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(143));
    assert!(asked.elapsed() < Duration::from_secs(8), "it took {:?}", asked.elapsed());
}

#[test]
fn a_file_that_is_no_profile_is_bad_input() {
    refused(&["top", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")], 5, &["Cargo.toml"]);
    refused(&["top", "./missing.pb.gz"], 3, &["missing.pb.gz"]);
}

#[test]
fn names_cannot_drive_the_terminal() {
    // `refused` looks for escape characters in what was printed.
    refused(&["top", "./missing\u{1b}[31m.pb.gz"], 3, &["missing␛[31m.pb.gz"]);
    refused(&["record", "1", "-o", "/proc/x\u{1b}]0;t\u{7}.ftrec"], 1, &["x␛]0;t␇.ftrec"]);
    let usage = flametop(&["top", "1", "--\u{1b}[31m"]);
    assert_eq!(usage.status.code(), Some(2));
    assert!(!usage.stderr.is_empty() && !usage.stderr.contains(&0x1b), "{usage:?}");
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [&["--no-such-flag"][..], &["record"], &["top", "1", "--for", "x"], &["1", "--rate", "0"]] {
        assert_eq!(flametop(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    for args in [&["--help"][..], &["--version"], &["record", "--help"], &["man"], &["completions", "bash"]] {
        let output = flametop(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_flametop"))
        .arg("list")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn list_knows_a_running_node() {
    let node = support::runtimes::require_node!(22);
    let target = Target::start(&node, "server.js", &[]);
    let mut text = String::new();
    wait_for("the process to be listed", Duration::from_secs(10), || {
        text = String::from_utf8_lossy(&flametop(&["list"]).stdout).into_owned();
        text.lines()
            .any(|line| line.trim_start().starts_with(&target.pid().to_string()) && line.contains("Node"))
    });
}
