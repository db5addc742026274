//! A line of a kilobyte a second: the screen lags, sampling does not, and leaving works.

mod support;

use std::path::Path;
use std::time::Duration;

use flametop::feed::Feed;
use flametop::profile::Profile;
use flametop::record::Reader;
use rustix::process::Signal;
use support::pty::PtyCommand;
use support::runtimes::require_node;
use support::tally;
use support::target::Target;
use support::wait::wait_for;

const SOON: Duration = Duration::from_secs(20);
const SECONDS: f64 = 15.0;

fn covered(path: &Path) -> f64 {
    let span = Reader::open(path).ok().and_then(|reader| reader.span().ok()?);
    span.map_or(0.0, |span| span.length.as_secs_f64())
}

fn cpu_windows(path: &Path) -> Vec<Profile> {
    let mut reader = Reader::open(path).expect("it was finished in order");
    let events = std::iter::from_fn(|| reader.next_event()).map(|event| event.expect("a whole recording"));
    events
        .filter_map(|event| match event.feed {
            Feed::Window(profile) if profile.kind("cpu").is_some() => Some(*profile),
            _ => None,
        })
        .collect()
}

#[test]
fn a_reader_of_a_kilobyte_a_second_costs_no_window_and_does_not_hold_up_the_end() {
    let node = require_node!(22);
    let target = Target::start_with(&node, &["--inspect-port=0"], "split_cpu.js", &[]);
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let path = directory.path().join("slow.ftrec");
    let record = format!("--record={}", path.display());
    let mut pty = PtyCommand::flametop(&[&target.pid().to_string(), &record]).size(200, 60).start();
    pty.wait_for_text("samples", SOON);
    pty.read_slowly(1000);
    wait_for("windows", SOON * 3, || covered(&path) > SECONDS);
    let written = pty.output().len();
    pty.signal(Signal::TERM);
    target.wait_ports(&[], Duration::from_secs(5));
    pty.read_on();
    assert_eq!(pty.wait_exit(SOON).exit_code(), 143);
    pty.assert_given_back();

    let windows = cpu_windows(&path);
    let covered: f64 = windows.iter().map(|window| window.covered.as_secs_f64()).sum();
    let span = windows.last().expect("windows").span.end().since(windows[0].span.start).as_secs_f64();
    println!("{} windows over {span:.1} s cover {covered:.1} s; {written} bytes read", windows.len());
    assert!(covered > span * 0.98, "{covered} of {span} s are covered");
    let lost: u64 = windows.iter().map(|window| window.sampling.lost).sum();
    assert_eq!(lost, 0);
    tally::worst("samples lost on a line of 1 KB/s", lost as f64);
}
