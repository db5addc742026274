//! The target can always leave: every way to end, in every state of flametop, with the same exit code and hardly
//! later than without us.

mod support;

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::pty::{Pty, PtyCommand};
use support::runtimes::every_node;
use support::tally;
use support::target::Target;

const SOON: Duration = Duration::from_secs(15);
/// The promise, where flametop runs or has been killed.
const AT_ONCE: Duration = Duration::from_millis(200);
/// The promise where flametop is stopped.
const WHEN_STOPPED: Duration = Duration::from_secs(6);
/// A machine that does other things as well may be late once, not always.
const TRIES: usize = 4;

/// What flametop is doing when the target ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Running,
    Frozen,
    SlowTerminal,
    Killed,
    Stopped,
}

const STATES: [State; 5] =
    [State::Running, State::Frozen, State::SlowTerminal, State::Killed, State::Stopped];
const WAYS: [&str; 5] = ["exit", "natural", "uncaught", "rejection", "sigterm"];

impl State {
    fn enter(self, pty: &Pty) {
        match self {
            Self::Running => {}
            Self::Frozen => {
                pty.send(" ");
                pty.wait_for_text("FROZEN", SOON);
            }
            Self::SlowTerminal => pty.stop_reading(),
            // And the target ends in that very moment, before or after its guard has cut the connection.
            Self::Killed => pty.signal(Signal::KILL),
            Self::Stopped => pty.signal(Signal::STOP),
        }
    }

    fn patience(self) -> Duration {
        if self == Self::Stopped { WHEN_STOPPED } else { AT_ONCE }
    }
}

/// Has a target end and returns how, and how long that took from its last word.
fn end(target: &mut Target, way: &str) -> (ExitStatus, Duration) {
    target.signal(if way == "sigterm" { Signal::TERM } else { Signal::USR2 });
    let asked = Instant::now();
    let status = target.wait_exit(SOON);
    (status, asked.elapsed())
}

fn start(node: &Path, way: &str) -> Target {
    Target::start_with(node, &["--inspect-port=0"], "exit_on.js", &[way, "asked"])
}

/// How much later a target under watch is gone, and how both ended.
fn later(node: &Path, way: &str, state: State) -> (Duration, ExitStatus, ExitStatus) {
    let (bare, without) = end(&mut start(node, way), way);
    let mut target = start(node, way);
    let pty = PtyCommand::flametop(&[&target.pid().to_string()]).size(120, 40).start();
    pty.wait_for_text("samples", SOON);
    state.enter(&pty);
    let (watched, with) = end(&mut target, way);
    pty.read_on();
    (with.saturating_sub(without), bare, watched)
}

#[expect(clippy::print_stdout, reason = "whoever runs it reads the figures")]
fn check(major: u32, node: &Path, way: &str, state: State) {
    let mut least = Duration::MAX;
    for _ in 0..TRIES {
        let (took, bare, watched) = later(node, way, state);
        assert_eq!(watched.code(), bare.code(), "node {major}, {way}, {state:?}");
        assert_eq!(watched.signal(), bare.signal(), "node {major}, {way}, {state:?}");
        least = least.min(took);
        if least <= state.patience() {
            break;
        }
    }
    println!("node {major}, {way}, {state:?}: {least:?} later");
    assert!(least <= state.patience(), "node {major}, {way}, {state:?}: {least:?} later");
    tally::count("exits of a watched target, same code", 1);
    let what = if state == State::Stopped { "exit later, flametop stopped, ms" } else { "exit later, ms" };
    tally::worst(what, least.as_secs_f64() * 1e3);
}

#[test]
fn every_way_in_every_state_on_the_oldest_and_the_newest_node() {
    let nodes = every_node();
    for (major, node) in nodes.iter().take(1).chain(nodes.iter().skip(1).last()) {
        for way in WAYS {
            STATES.into_iter().for_each(|state| check(*major, node, way, state));
        }
    }
}

#[test]
fn a_handled_signal_in_every_state_on_the_nodes_between() {
    let nodes = every_node();
    for (major, node) in nodes.iter().skip(1).take(nodes.len().saturating_sub(2)) {
        STATES.into_iter().for_each(|state| check(*major, node, "sigterm", state));
    }
}
