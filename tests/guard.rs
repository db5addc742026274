//! Whatever becomes of flametop, its target and its terminal are as they were: killed, stopped, with or without its
//! guard, while the target is blocked. The real binary on real Node processes.

mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use support::process;
use support::pty::{Pty, PtyCommand};
use support::runtimes::{every_node, require_node};
use support::tally;
use support::target::Target;
use support::wait::{holds_for, wait_for, wait_for_value};

const SOON: Duration = Duration::from_secs(15);
/// What we opened is closed within this time after any end of ours.
const CLOSED: Duration = Duration::from_secs(5);
const ANY_PORT: &[&str] = &["--inspect-port=0"];

fn screen(target: &Target) -> Pty {
    let pty = PtyCommand::flametop(&[&target.pid().to_string()]).size(120, 40).start();
    pty.wait_for_text("samples", SOON);
    pty
}

/// A recording flametop, for what needs no screen. Killed when dropped.
struct Recorder {
    child: Child,
    _directory: tempfile::TempDir,
}

impl Recorder {
    fn start(target: &Target) -> Recorder {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let child = Command::new(env!("CARGO_BIN_EXE_flametop"))
            .args(["record", &target.pid().to_string(), "-o"])
            .arg(directory.path().join("x.pb.gz"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary was built");
        Recorder { child, _directory: directory }
    }

    fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it is our child");
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid as i32).expect("a process id is above zero");
    kill_process(pid, signal).expect("it can be signalled");
}

/// The guard of a flametop.
fn guard_of(pid: u32) -> u32 {
    wait_for_value("the guard", SOON, || {
        process::children(pid).into_iter().find(|child| {
            let line = std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            line.ends_with(b"\0guard\0")
        })
    })
}

fn start(node: &Path, program: &str, args: &[&str]) -> Target {
    Target::start_with(node, ANY_PORT, program, args)
}

/// Everything a target can say of itself, but for what an inspector once opened leaves for ever.
fn same_state(before: &serde_json::Value, after: &serde_json::Value, what: &str) {
    for part in ["globals", "globalSymbols", "listeners", "inspectorUrl", "execArgv"] {
        assert_eq!(after[part], before[part], "{what}: {part}");
    }
}

#[test]
fn killed_it_leaves_nothing_behind_in_target_and_terminal() {
    for (major, node) in every_node() {
        let mut target = start(&node, "globals.js", &[]);
        let before = target.report();
        let mut pty = screen(&target);
        let guard = guard_of(pty.pid());
        pty.signal(Signal::KILL);
        let since = Instant::now();
        target.wait_ports(&[], CLOSED);
        println!("node {major}: port closed {:?} after the kill", since.elapsed());
        pty.wait_exit(SOON);
        pty.assert_given_back();
        same_state(&before, &target.report(), &format!("node {major}"));
        wait_for("the guard to end", CLOSED, || !process::is_alive(guard));
        assert!(target.is_alive());
    }
}

#[test]
fn killed_together_with_its_guard_the_lease_in_the_target_closes() {
    for (major, node) in every_node() {
        let mut target = start(&node, "globals.js", &[]);
        let before = target.report();
        let mut pty = screen(&target);
        // The lease begins with the first poll, the figures on screen.
        pty.wait_for_text("loop p99", SOON);
        signal(guard_of(pty.pid()), Signal::KILL);
        pty.signal(Signal::KILL);
        let since = Instant::now();
        pty.wait_exit(SOON);
        target.wait_ports(&[], CLOSED + Duration::from_secs(1));
        println!("node {major}: port closed {:?} after both kills", since.elapsed());
        same_state(&before, &target.report(), &format!("node {major}"));
        assert!(target.is_alive());
    }
}

#[test]
fn a_guard_that_is_killed_is_replaced() {
    let node = require_node!(22);
    let target = start(&node, "globals.js", &[]);
    let mut recorder = Recorder::start(&target);
    let first = guard_of(recorder.child.id());
    signal(first, Signal::KILL);
    wait_for("another guard", SOON, || guard_of(recorder.child.id()) != first);
    let second = guard_of(recorder.child.id());
    target.wait_new_port(&[], SOON);
    recorder.kill();
    target.wait_ports(&[], CLOSED);
    wait_for("the guard to end", CLOSED, || !process::is_alive(second));
}

#[test]
fn what_the_user_opened_stays_open_after_a_kill() {
    for (major, node) in every_node() {
        let mut target = Target::start_with(&node, &["--inspect=0"], "globals.js", &[]);
        let before = target.report();
        let ports = process::listening_ports(target.pid());
        let mut pty = screen(&target);
        let guard = guard_of(pty.pid());
        pty.signal(Signal::KILL);
        pty.wait_exit(SOON);
        wait_for("the guard to end", CLOSED, || !process::is_alive(guard));
        assert_eq!(process::listening_ports(target.pid()), ports, "node {major}");
        same_state(&before, &target.report(), &format!("node {major}"));
    }
}

#[test]
fn stopped_it_lets_the_target_exit_and_closes_its_port() {
    for (major, node) in every_node() {
        let mut target = start(&node, "exit_on.js", &["sigterm"]);
        let pty = screen(&target);
        pty.signal(Signal::STOP);
        target.signal(Signal::TERM);
        let since = Instant::now();
        assert_eq!(target.wait_exit(Duration::from_secs(6)).code(), Some(9), "node {major}");
        println!("node {major}: exit took {:?} while flametop was stopped", since.elapsed());

        let target = start(&node, "globals.js", &[]);
        let pty = screen(&target);
        pty.signal(Signal::STOP);
        let since = Instant::now();
        target.wait_ports(&[], Duration::from_secs(6));
        println!("node {major}: port closed {:?} after flametop was stopped", since.elapsed());
        assert!(target.is_alive());
    }
}

#[test]
fn stopped_for_long_and_continued_it_attaches_again_and_says_what_is_missing() {
    for (major, node) in every_node() {
        let target = start(&node, "split_cpu.js", &[]);
        let mut pty = screen(&target);
        pty.signal(Signal::STOP);
        target.wait_ports(&[], Duration::from_secs(6));
        pty.signal(Signal::CONT);
        pty.wait_for_text("attached again after", SOON);
        target.wait_new_port(&[], SOON);
        pty.wait_for_screen("new windows", SOON, |screen| {
            screen.contains("LIVE") && screen.contains("seventy")
        });
        pty.send("q");
        assert_eq!(pty.wait_exit(SOON).exit_code(), 0, "node {major}");
        pty.assert_given_back();
        target.wait_ports(&[], CLOSED);
    }
}

/// Ctrl-Z needs a shell with job control.
fn shell_with_flametop(target: &Target) -> Pty {
    let pty = PtyCommand::program("bash", &["--norc", "--noprofile", "--noediting", "-i"])
        .size(120, 40)
        .env("PS1", "shell> ")
        .start();
    pty.wait_for_text("shell>", SOON);
    pty.send(&format!("{} {}\r", env!("CARGO_BIN_EXE_flametop"), target.pid()));
    pty.wait_for_text("samples", SOON);
    pty
}

#[test]
fn ctrl_z_leaves_the_target_and_the_terminal_and_fg_comes_back() {
    let node = require_node!(22);
    let target = start(&node, "split_cpu.js", &[]);
    let pty = shell_with_flametop(&target);
    for round in 0..5 {
        pty.send("\u{1a}");
        pty.wait_for_text("Stopped", SOON);
        assert!(!pty.in_alternate_screen(), "round {round}");
        assert!(process::listening_ports(target.pid()).is_empty(), "left before we stop, not after");
        pty.send("clear; fg\r");
        pty.wait_for_text("samples", SOON);
        target.wait_new_port(&[], SOON);
        assert!(pty.in_alternate_screen(), "round {round}");
        pty.wait_for_text("seventy", SOON);
    }
    pty.wait_for_text("suspended for", SOON);
    pty.send("q");
    pty.wait_for_screen("the shell's prompt", SOON, |screen| screen.trim_end().ends_with("shell>"));
    assert_eq!(pty.modes_left_on(), Vec::<String>::new());
    target.wait_ports(&[], CLOSED);
}

#[test]
fn in_the_background_it_samples_and_leaves_the_terminal_alone() {
    let node = require_node!(22);
    let target = start(&node, "split_cpu.js", &[]);
    let pty = shell_with_flametop(&target);
    pty.send("\u{1a}");
    pty.wait_for_text("Stopped", SOON);
    pty.send("bg\r");
    // It attaches again, without a screen, and is not stopped for touching the terminal.
    target.wait_new_port(&[], SOON);
    pty.send("echo here; jobs\r");
    pty.wait_for_screen("a running job", SOON, |screen| {
        screen.contains("Running") && screen.contains("here")
    });
    holds_for("no screen of ours", Duration::from_millis(600), || !pty.in_alternate_screen());
    pty.send("fg\r");
    pty.wait_for_text("seventy", SOON);
    pty.send("q");
    pty.wait_for_screen("the shell's prompt", SOON, |screen| screen.trim_end().ends_with("shell>"));
    target.wait_ports(&[], CLOSED);
}

#[test]
fn a_port_that_opens_after_we_are_gone_is_closed() {
    let node = require_node!(24);
    let mut target = start(&node, "blocked_native.js", &["exec", "5"]);
    wait_for("it is blocked", SOON, || !process::children(target.pid()).is_empty());
    let mut recorder = Recorder::start(&target);
    let guard = guard_of(recorder.child.id());
    // The signal waits for the end of the block.
    wait_for("the signal", SOON, || is_signalled(target.pid()));
    recorder.kill();
    assert!(process::listening_ports(target.pid()).is_empty());
    target.wait_line("unblocked", SOON);
    wait_for("the guard to have done its work", Duration::from_secs(10), || !process::is_alive(guard));
    assert!(process::listening_ports(target.pid()).is_empty());
    assert!(target.stderr_text().contains("Debugger listening"), "it did open: {}", target.stderr_text());
    assert!(target.is_alive());
}

/// Whether our signal has reached the process: its handler has run, or it is pending.
fn is_signalled(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let pending = |name: &str| {
        let mask = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
        u64::from_str_radix(mask.trim(), 16).unwrap_or(0) & (1 << 9) != 0
    };
    pending("ShdPnd:")
        || pending("SigPnd:")
        || process::thread_names(pid).iter().any(|name| name == "SignalInspector")
}

#[test]
fn killed_at_any_moment_it_leaves_the_port_closed() {
    let nodes = every_node();
    let (Some((_, oldest)), Some((_, newest))) = (nodes.first(), nodes.last()) else { return };
    let kills: u32 = std::env::var("FLAMETOP_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(50);
    let mut worst = Duration::ZERO;
    for node in [oldest, newest] {
        let target = start(node, "globals.js", &[]);
        for kill in 0..kills / 2 {
            let mut recorder = Recorder::start(&target);
            // Spread over start, attach, first windows: 0 to 1.2 s.
            let moment = Duration::from_millis(u64::from(kill * 7919 % 1200));
            holds_for("time passes", moment, || true);
            let guards: Vec<u32> = process::children(recorder.child.id());
            recorder.kill();
            let since = Instant::now();
            wait_for("the guard to end", CLOSED, || !guards.iter().any(|guard| process::is_alive(*guard)));
            target.wait_ports(&[], CLOSED);
            worst = worst.max(since.elapsed());
            assert!(target.is_alive(), "killed after {moment:?}");
        }
    }
    tally::count("kills at random moments, port closed", kills as usize);
    tally::worst("port open after a kill, ms", worst.as_secs_f64() * 1e3);
}
