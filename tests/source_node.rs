//! Real Node processes under watch: true shares, no gaps, nothing left behind, and no exit held up.

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use flametop::feed::{EndReason, HeapState, Phase};
use flametop::gauges::Gauge;
use flametop::profile::{FrameKind, Nanos, Profile};
use flametop::source::node::NODE_KIND;
use flametop::source::{Fit, HeapChoice, HeapMode, Order, SourceOptions, TargetSpec};
use rustix::process::Signal;
use support::process;
use support::runtimes::every_node;
use support::target::Target;
use support::watch::{Watch, by_function, total_of};

/// Long enough for anything on a loaded machine.
const LONG: Duration = Duration::from_secs(30);

/// Every target has a port of its own, so that tests need not take turns.
const OWN_PORT: &[&str] = &["--inspect-port=0"];

fn start(node: &Path, program: &str, args: &[&str]) -> Target {
    Target::start_with(node, OWN_PORT, program, args)
}

fn options() -> SourceOptions {
    SourceOptions { heap: HeapChoice::Off, ..SourceOptions::default() }
}

fn watch(target: &Target, options: SourceOptions) -> Watch {
    let spec = TargetSpec::Pid(target.pid());
    assert_eq!(NODE_KIND.recognise(&spec), Fit::Certain);
    Watch::start(NODE_KIND.open(spec, options))
}

fn assert_covered(windows: &[&Profile]) {
    for profile in windows {
        assert!(profile.is_sound());
        let (weight, covered) = (profile.total(1) as f64, profile.covered.0 as f64);
        assert!((weight / covered - 1.0).abs() < 0.01, "{weight} ns of {covered} ns");
    }
}

/// The longest hole between a window and the next.
fn longest_gap(windows: &[&Profile]) -> Nanos {
    let gaps = windows.windows(2).map(|pair| pair[1].span.start.since(pair[0].span.end()));
    gaps.max().unwrap_or_default()
}

#[test]
fn shares_of_cpu_are_true_on_every_node() {
    for (major, node) in every_node() {
        let mut target = start(&node, "split_cpu.js", &[]);
        let mut watch = watch(&target, options());
        watch.until("eight windows", LONG, |watch| (watch.windows("cpu").len() >= 8).then_some(()));
        assert_eq!(watch.stop().0, EndReason::Detached);
        let windows = watch.windows("cpu");
        assert_covered(&windows);
        let times: Vec<f64> =
            ["seventy", "twenty", "ten"].iter().map(|name| total_of(&windows, "cpu", name) as f64).collect();
        let all: f64 = times.iter().sum();
        let shares: Vec<f64> = times.iter().map(|time| time / all).collect();
        println!("node {major}: shares {shares:.4?}");
        for (share, nominal) in shares.iter().zip([0.7, 0.2, 0.1]) {
            assert!((share - nominal).abs() < 0.02, "node {major}: {shares:?}");
        }
        assert!(target.truth().is_object(), "the target lives and answers");
    }
}

#[test]
fn windows_follow_each_other_without_a_gap_and_the_first_picture_is_there_at_once() {
    for (major, node) in every_node() {
        let target = start(&node, "server.js", &[]);
        let load = support::load::Load::on(target.port());
        let mut watch = watch(&target, SourceOptions { window: Nanos::from_millis(300), ..options() });
        watch.until("22 windows", LONG, |watch| (watch.windows("cpu").len() >= 22).then_some(()));
        let stopped = watch.stop();
        let windows = watch.windows("cpu");
        assert_covered(&windows);
        assert_eq!(longest_gap(&windows), Nanos(0), "node {major}");
        let missing: u64 = windows.iter().map(|window| window.span.length.0 - window.covered.0).sum();
        assert_eq!(missing, 0, "node {major}");
        let (first, _) = watch.windows_at("cpu")[0];
        let handover = windows.iter().map(|window| window.sampling.handover).max().unwrap_or_default();
        let status = watch.status();
        println!(
            "node {major}: first picture {first:?}, start {:.1} ms, worst hand-over {:.1} ms, worst stall {:.1} ms, detach {:?}, {} requests",
            status.start_cost.as_millis_f64(),
            handover.as_millis_f64(),
            status.worst_stall.as_millis_f64(),
            stopped.1,
            load.served()
        );
        assert!(first < Duration::from_secs(3), "node {major}: {first:?}\n{}", watch.summary());
        assert!(stopped.1 < Duration::from_secs(2), "node {major}: {:?}", stopped.1);
        assert!(target.is_alive());
    }
}

#[test]
fn a_hanging_process_shows_its_guilty_function_within_two_seconds() {
    for (major, node) in every_node() {
        let mut target = start(&node, "hang.js", &[]);
        let mut watch = watch(&target, options());
        let at = watch.until("the guilty function", LONG, |watch| {
            let windows = watch.windows_at("cpu");
            let guilty = |profile: &Profile| total_of(&[profile], "cpu", "guiltyLoop") * 2 > profile.total(1);
            windows.iter().find(|(_, profile)| guilty(profile)).map(|(at, _)| *at)
        });
        let since = Instant::now();
        watch.until("the word that it is blocked", LONG, |watch| {
            watch.status().blocked.filter(|blocked| &*blocked.how == "in JavaScript")
        });
        println!("node {major}: guilty function after {at:?}, block told {:?} later", since.elapsed());
        assert!(at < Duration::from_secs(2), "node {major}: {at:?}");
        let (reason, took) = watch.stop();
        assert_eq!(reason, EndReason::Detached);
        assert!(took < Duration::from_secs(2), "node {major}: {took:?}");
        target.wait_ports(&[], LONG);
        assert!(target.is_alive());
        target.signal(Signal::KILL);
        target.wait_exit(LONG);
    }
}
