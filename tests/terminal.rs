//! The program in a real terminal: it opens, follows the size, and gives the terminal back in every
//! ending. The built-in demo is the target, so that nothing need be installed.

mod support;

use rustix::process::Signal;
use std::process::Command;
use std::time::Duration;
use support::process;
use support::pty::{Pty, PtyCommand};
use support::wait::wait_for;

const SOON: Duration = Duration::from_secs(10);

fn demo(columns: u16, rows: u16) -> Pty {
    let pty = PtyCommand::flametop(&["demo"]).size(columns, rows).start();
    pty.wait_for_text("samples", SOON);
    pty
}

/// The demo's workload, which must not outlive the screen.
fn workload(pty: &Pty) -> Vec<u32> {
    process::children(pty.pid())
}

fn ends_clean(pty: &mut Pty, code: u32) {
    let children = workload(pty);
    let status = pty.wait_exit(SOON);
    assert_eq!(status.exit_code(), code, "{}", pty.screen());
    pty.assert_given_back();
    wait_for("the workload to end", SOON, || !children.iter().any(|pid| process::is_alive(*pid)));
}

#[test]
fn q_gives_the_terminal_back() {
    let mut pty = demo(80, 24);
    assert!(pty.in_alternate_screen());
    pty.send("q");
    ends_clean(&mut pty, 0);
}

#[test]
fn ctrl_c_gives_the_terminal_back() {
    let mut pty = demo(80, 24);
    pty.send("\u{3}");
    ends_clean(&mut pty, 0);
}

#[test]
fn leaving_with_the_last_frame_gives_the_terminal_back_and_shows_it() {
    let mut pty = demo(80, 24);
    pty.send("Q");
    ends_clean(&mut pty, 0);
    assert!(!pty.in_alternate_screen() && pty.shows("samples"), "{}", pty.screen());
}

/// Nothing of ours runs any more when these strike: the guard does it.
#[test]
fn signals_that_cannot_be_caught_or_are_crashes_give_the_terminal_back_too() {
    for signal in [Signal::KILL, Signal::ABORT, Signal::ILL, Signal::TRAP] {
        let mut pty = demo(80, 24);
        pty.signal(signal);
        pty.wait_exit(SOON);
        wait_for("the terminal to be given back", SOON, || pty.modes_left_on().is_empty());
        pty.assert_given_back();
    }
}

#[test]
fn the_picker_gives_the_terminal_back() {
    let mut pty = PtyCommand::flametop(&[]).size(80, 24).start();
    pty.wait_for_screen("the list of processes", SOON, |screen| !screen.trim().is_empty());
    pty.send("\u{3}");
    pty.wait_exit(SOON);
    pty.assert_given_back();
}

#[test]
fn a_stop_and_a_continuation_from_outside_keep_the_screen_whole() {
    let mut pty = demo(80, 24);
    pty.signal(Signal::STOP);
    wait_for("it to stop", SOON, || process::state(pty.pid()) == Some('T'));
    pty.signal(Signal::CONT);
    pty.wait_for_screen("the screen again", SOON, |screen| screen.contains("samples"));
    assert!(pty.in_alternate_screen());
    pty.send("q");
    ends_clean(&mut pty, 0);
}

#[test]
fn every_ending_signal_gives_the_terminal_back_and_tells_its_number() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129), (Signal::QUIT, 131)] {
        let mut pty = demo(80, 24);
        pty.signal(signal);
        ends_clean(&mut pty, code);
    }
}

#[test]
fn a_terminal_that_hangs_up_ends_the_program_and_its_workload() {
    let mut pty = demo(80, 24);
    let (pid, children) = (pty.pid(), workload(&pty));
    pty.hang_up();
    wait_for("flametop to end", Duration::from_secs(5), || !process::is_alive(pid));
    wait_for("the workload to end", SOON, || !children.iter().any(|child| process::is_alive(*child)));
}

#[test]
fn a_terminal_that_nobody_reads_holds_up_neither_sampling_nor_leaving() {
    let mut pty = demo(200, 60);
    pty.stop_reading();
    pty.signal(Signal::TERM);
    let children = workload(&pty);
    wait_for("the workload to end", SOON, || !children.iter().any(|child| process::is_alive(*child)));
    pty.read_on();
    assert_eq!(pty.wait_exit(SOON).exit_code(), 143);
}

#[test]
fn any_size_is_survived_and_followed() {
    let mut pty = demo(80, 24);
    for (columns, rows) in [(1, 1), (300, 100), (1, 50), (200, 1), (39, 9), (120, 40)] {
        pty.resize(columns, rows);
        wait_for("the program to live on", SOON, || process::is_alive(pty.pid()));
    }
    pty.wait_for_text("samples", SOON);
    pty.resize(20, 5);
    pty.wait_for_text("too small", SOON);
    pty.resize(80, 24);
    pty.wait_for_text("samples", SOON);
    pty.send("q");
    ends_clean(&mut pty, 0);
}

#[test]
fn nothing_changes_nothing_is_written_while_frozen_and_maximised() {
    let pty = demo(120, 40);
    pty.send(" ");
    pty.wait_for_text("FROZEN", SOON);
    pty.send("e");
    pty.wait_for_screen("the sparklines to be gone", SOON, |screen| !screen.contains("gc"));
    assert!(pty.screen().contains("FROZEN"));
}

/// Output to a pipe, no controlling terminal: `setsid` starts the program without one.
fn without_terminal(args: &[&str], term: &str) -> std::process::Output {
    Command::new("setsid")
        .arg("--wait")
        .arg(env!("CARGO_BIN_EXE_flametop"))
        .args(args)
        .env("TERM", term)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("setsid is part of util-linux")
}

#[test]
fn without_a_terminal_it_says_so_writes_no_escape_and_exits_with_2() {
    for args in [&["demo"][..], &[], &["1"]] {
        let output = without_terminal(args, "xterm-256color");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b));
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("needs a terminal") && text.contains("hint:"), "{text}");
    }
}

#[test]
fn a_dumb_terminal_is_refused_before_anything_is_written_to_it() {
    let mut pty = PtyCommand::flametop(&["demo"]).env("TERM", "dumb").start();
    assert_eq!(pty.wait_exit(SOON).exit_code(), 2);
    pty.wait_for_text("TERM=dumb", SOON);
    assert!(!pty.output().contains(&0x1b));
}

#[test]
fn no_colour_keeps_the_selection_visible() {
    let pty = PtyCommand::flametop(&["demo"]).env("NO_COLOR", "1").size(80, 24).start();
    pty.wait_for_text("samples", SOON);
    pty.wait_for_screen("a frame to be drawn", SOON, |screen| screen.contains("all"));
    let output = String::from_utf8_lossy(&pty.output()).into_owned();
    assert!(!output.contains("\u{1b}[38;") && !output.contains("\u{1b}[48;"));
    assert!(output.contains(";7m") || output.contains("[7m"), "the cursor is shown in reverse");
}
