//! `--follow`: a target that is restarted is watched again, by the same command or under the same supervisor.

mod support;

use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use support::process;
use support::pty::{Pty, PtyCommand};
use support::runtimes::require_node;
use support::target::{START, Target, script};
use support::wait::wait_for_value;

const SOON: Duration = Duration::from_secs(15);

fn watch(pid: u32, args: &[&str]) -> Pty {
    let pid = pid.to_string();
    let args: Vec<&str> = [pid.as_str()].into_iter().chain(args.iter().copied()).collect();
    let pty = PtyCommand::flametop(&args).size(120, 40).start();
    pty.wait_for_text("seventy", SOON);
    pty
}

fn ends_well(pty: &mut Pty) {
    pty.send("q");
    assert_eq!(pty.wait_exit(SOON).exit_code(), 0, "{}", pty.screen());
    pty.assert_given_back();
}

#[test]
fn a_restarted_command_is_watched_again() {
    let node = require_node!(24);
    let start = || Target::start_with(&node, &["--inspect-port=0"], "split_cpu.js", &["50", "5", "followed"]);
    let mut first = start();
    let mut pty = watch(first.pid(), &["--follow"]);
    first.truth();
    first.wait_exit(START);
    pty.wait_for_text("waiting for its successor", SOON);
    let second = start();
    pty.wait_for_text(&format!("pid {}", second.pid()), SOON);
    pty.wait_for_text("LIVE", SOON);
    second.wait_new_port(&[], SOON);
    ends_well(&mut pty);
    second.wait_ports(&[], SOON);
    assert!(second.is_alive());
}

#[test]
fn the_next_child_of_the_same_supervisor_is_watched_whatever_its_arguments() {
    let node = require_node!(22);
    let mut supervisor = Command::new("bash");
    let program = script("split_cpu.js");
    let node = node.display();
    let text = format!(
        "n=0; while true; do n=$((n+1)); {node} --inspect-port=0 {} 50 5 round$n; done",
        program.display()
    );
    supervisor.args(["-c", &text]);
    let mut supervisor = Target::spawn(supervisor);
    supervisor.wait_line("ready", START);
    let child = || process::children(supervisor.pid()).first().copied();
    let first = child().expect("it said that it is ready");
    let mut pty = watch(first, &["--follow"]);
    kill_process(Pid::from_raw(first as i32).expect("a process id"), Signal::TERM).expect("it is signalled");
    let second = wait_for_value("the next child", SOON, || child().filter(|pid| *pid != first));
    pty.wait_for_text(&format!("pid {second}"), SOON);
    ends_well(&mut pty);
    assert!(process::is_alive(second));
}

#[test]
fn without_being_asked_it_stays_with_what_has_ended() {
    let node = require_node!(24);
    let mut target = Target::start_with(&node, &["--inspect-port=0"], "split_cpu.js", &[]);
    let mut pty = watch(target.pid(), &[]);
    target.truth();
    pty.wait_for_text("ENDED", SOON);
    ends_well(&mut pty);
}
