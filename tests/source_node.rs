//! Real Node processes under watch: true shares, no gaps, nothing left behind, and no exit held up.

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use flametop::feed::{EndReason, HeapState};
use flametop::gauges::Gauge;
use flametop::profile::{Nanos, Profile};
use flametop::source::node::spawn::spawn;
use flametop::source::node::{NODE_KIND, NodeSource, Run};
use flametop::source::{Fit, HeapChoice, HeapMode, SourceOptions, TargetSpec};
use rustix::process::Signal;
use support::process;
use support::runtimes::every_node;
use support::target::Target;
use support::wait::wait_for;
use support::watch::{Watch, total_of};

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
        watch.until("twelve windows", LONG, |watch| (watch.windows("cpu").len() >= 12).then_some(()));
        assert_eq!(watch.stop().0, EndReason::Detached);
        let windows = watch.windows("cpu");
        assert_covered(&windows);
        let times: Vec<f64> =
            ["seventy", "twenty", "ten"].iter().map(|name| total_of(&windows, "cpu", name) as f64).collect();
        let all: f64 = times.iter().sum();
        let shares: Vec<f64> = times.iter().map(|time| time / all).collect();
        println!("node {major}: shares {shares:.4?}");
        // The target's own account, not the nominal split: a busy machine keeps it from that.
        let truth = target.truth();
        let spent = ["seventy", "twenty", "ten"].map(|name| truth[name].as_f64().expect("a time"));
        for (share, spent) in shares.iter().zip(spent.iter().map(|time| time / spent.iter().sum::<f64>())) {
            assert!((share - spent).abs() < 0.02, "node {major}: {shares:?} instead of {truth}");
        }
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
        // A machine too busy to run V8's sampler for 250 ms leaves a hole, which is told and is none of ours.
        let told = windows.iter().any(|window| !window.notes.is_empty());
        assert!(missing == 0 || told, "node {major}: {missing} ns");
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
        assert!(first < Duration::from_secs(6), "node {major}: {first:?}\n{}", watch.summary());
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

#[test]
fn every_way_to_end_is_free_to_the_target_and_known_to_us() {
    let ways = [
        ("exit", Some(7)),
        ("natural", Some(0)),
        ("uncaught", Some(1)),
        ("rejection", Some(1)),
        ("kill", None),
    ];
    for (major, node) in every_node() {
        for (way, code) in ways {
            let mut target = start(&node, "exit_on.js", &[way, "4000"]);
            let mut watch = watch(&target, options());
            target.wait_line("ending", LONG);
            let since = Instant::now();
            let status = target.wait_exit(LONG);
            let took = since.elapsed();
            assert_eq!(status.code(), code, "node {major}, {way}: {status}");
            assert_eq!(watch.end(LONG).expect("a target that ends is no failure"), EndReason::TargetExited);
            println!(
                "node {major}, {way}: gone {took:?} after its end, {} windows",
                watch.windows("cpu").len()
            );
            assert!(took < Duration::from_secs(2), "node {major}, {way}: {took:?}");
        }
        let mut target = start(&node, "exit_on.js", &["sigterm"]);
        let mut watch = watch(&target, options());
        watch.until("a window", LONG, |watch| (!watch.windows("cpu").is_empty()).then_some(()));
        target.signal(Signal::TERM);
        let since = Instant::now();
        assert_eq!(target.wait_exit(LONG).code(), Some(9));
        println!("node {major}, SIGTERM: gone after {:?}", since.elapsed());
        assert_eq!(watch.end(LONG).expect("ends well"), EndReason::TargetExited);
    }
}

#[test]
fn nothing_is_left_behind_by_any_way_out() {
    for (major, node) in every_node() {
        for dropped in [false, true] {
            let mut target = start(&node, "globals.js", &[]);
            let before = target.report();
            let full = SourceOptions { heap: HeapChoice::On, ..SourceOptions::default() };
            let mut watch = watch(&target, full);
            watch.until("figures and a window", LONG, |watch| {
                let told = watch.gauges().iter().any(|batch| batch.get(Gauge::LoopDelayMax).is_some());
                (told && !watch.windows("cpu").is_empty()).then_some(())
            });
            if dropped {
                watch.drop_it();
            } else {
                let (reason, took) = watch.stop();
                assert_eq!(reason, EndReason::Detached);
                assert!(took < Duration::from_secs(3), "node {major}: {took:?}");
            }
            target.wait_ports(&[], LONG);
            let after = target.report();
            assert_eq!(after["globals"], before["globals"], "node {major}, dropped: {dropped}");
            assert_eq!(after["listeners"], before["listeners"], "node {major}, dropped: {dropped}");
        }
    }
}

#[test]
fn an_inspector_that_was_open_stays_open() {
    for (major, node) in every_node() {
        let target = Target::start_with(&node, &["--inspect=0"], "globals.js", &[]);
        let ports = process::listening_ports(target.pid());
        let address = format!("127.0.0.1:{}", ports[0]);
        let spec = TargetSpec::Address(address.clone());
        assert_eq!(NODE_KIND.recognise(&spec), Fit::Possible);
        let mut watch = Watch::start(NODE_KIND.open(spec, options()));
        watch.until("a window", LONG, |watch| (!watch.windows("cpu").is_empty()).then_some(()));
        assert_eq!(&*watch.status().exposure, format!("inspector open on {address} (was open)"));
        watch.stop();
        assert_eq!(process::listening_ports(target.pid()), ports, "node {major}");
    }
}

#[test]
fn a_native_block_is_told_while_it_lasts_and_its_samples_come_after() {
    for (major, node) in every_node() {
        for way in ["pbkdf2", "exec"] {
            let mut target = Target::start_with(&node, &["--inspect=0"], "blocked_native.js", &[way, "2"]);
            let address = format!("127.0.0.1:{}", process::listening_ports(target.pid())[0]);
            let mut watch = Watch::start(NODE_KIND.open(TargetSpec::Address(address), options()));
            let blocked = watch.until("the word that it is blocked", LONG, |watch| watch.status().blocked);
            assert_eq!(&*blocked.how, "in native code", "node {major}, {way}");
            let pulse = watch.gauges().len();
            watch.until("figures while it is blocked, or its end", LONG, |watch| {
                (watch.gauges().len() > pulse || watch.status().blocked.is_none()).then_some(())
            });
            target.wait_line("unblocked", LONG);
            watch.until("the word that it is free", LONG, |watch| {
                watch.status().blocked.is_none().then_some(())
            });
            watch.until("a window", LONG, |watch| (!watch.windows("cpu").is_empty()).then_some(()));
            watch.stop();
            assert_covered(&watch.windows("cpu"));
        }
    }
}

#[test]
fn live_and_allocated_bytes_have_their_true_shares() {
    for (major, node) in every_node() {
        for mode in [HeapMode::Live, HeapMode::Allocated] {
            if major < 20 && mode == HeapMode::Allocated {
                continue;
            }
            // Many small samples: a share is no truer than the number of samples behind it.
            let mut target = start(&node, "split_alloc.js", &["40", "32"]);
            let heap = SourceOptions {
                cpu: false,
                heap: HeapChoice::On,
                heap_mode: mode,
                heap_interval: 16 * 1024,
                ..options()
            };
            let mut watch = watch(&target, heap);
            let kind = if mode == HeapMode::Live { "inuse_space" } else { "alloc_space" };
            watch.until("a heap window", LONG * 2, |watch| (!watch.windows(kind).is_empty()).then_some(()));
            let HeapState::On { cost, window } = watch.status().heap else {
                panic!("the heap profile is on")
            };
            watch.stop();
            let last = [*watch.windows(kind).last().expect("there is one")];
            let bytes: Vec<f64> = ["seventyArrays", "twentyStrings", "tenObjects"]
                .iter()
                .map(|name| total_of(&last, kind, name) as f64)
                .collect();
            let all: f64 = bytes.iter().sum();
            println!(
                "node {major}, {kind}: {:.1} MB, shares {:.3?}, read {:.1} ms every {:.0} s",
                all / 1e6,
                bytes.iter().map(|bytes| bytes / all).collect::<Vec<_>>(),
                cost.as_millis_f64(),
                window.as_secs_f64()
            );
            for (bytes, nominal) in bytes.iter().zip([0.7, 0.2, 0.1]) {
                assert!((bytes / all - nominal).abs() < 0.03, "node {major}, {kind}: {bytes} of {all}");
            }
            assert!(target.truth().is_object());
        }
    }
}

#[test]
fn a_command_is_watched_from_its_first_instruction_and_its_code_passed_on() {
    for (major, node) in every_node() {
        let script = support::target::script("exit_on.js");
        let words = [node.as_path(), &script].map(|path| path.to_string_lossy().into_owned());
        let words = words.into_iter().chain(["exit".into(), "300".into()]).collect();
        let (source, run) = NodeSource::command(words, options());
        let mut watch = Watch::start(Box::new(source));
        assert_eq!(watch.end(LONG).expect("ends well"), EndReason::TargetExited);
        assert_eq!(run.exit_code(), Some(7), "node {major}: {}", watch.summary());
        assert_eq!(run.tail(), ["ready", "ending exit"], "node {major}");
        let windows = watch.windows("cpu");
        let started = total_of(&windows, "cpu", "Module._compile") + total_of(&windows, "cpu", "(anonymous)");
        assert!(started > 0, "node {major}: the start of the program is seen");
        assert!(windows.iter().all(|window| window.is_sound()));
    }
}

#[test]
fn a_command_may_write_what_it_likes() {
    let Some((_, node)) = every_node().pop() else { return };
    let script = "process.stderr.write(Buffer.from([0xff,10]));process.stdout.write(Buffer.from([0xfe,10]));
        setTimeout(()=>{process.stdout.write('x'.repeat(1<<20));process.stderr.write('y'.repeat(1<<20))},300);
        setTimeout(()=>process.exit(5),800)";
    let words = vec![node.to_string_lossy().into_owned(), "-e".into(), script.into()];
    let (source, run) = NodeSource::command(words, options());
    let mut watch = Watch::start(Box::new(source));
    assert_eq!(watch.end(LONG).expect("ends well"), EndReason::TargetExited);
    assert_eq!(run.exit_code(), Some(5), "{}", watch.summary());
    assert!(run.tail().iter().all(|line| line.len() <= 4096));
}

#[test]
fn a_command_that_was_never_let_run_does_not_outlive_us() {
    /// What the command line of the child has and no other.
    const MARK: &str = "54321";
    let Some((_, node)) = every_node().pop() else { return };
    let words =
        vec![node.to_string_lossy().into_owned(), "-e".into(), format!("setInterval(()=>{{}},{MARK})")];
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let spawned = runtime.block_on(spawn(&words, &Run::default())).expect("it starts");
    let pid = spawned.inspector.process.expect("a process of this machine").pid;
    assert!(process::is_alive(pid));
    drop(spawned);
    wait_for("the end of the child", LONG, || !process::is_alive(pid));
    // Nor when it is stopped before it is reached.
    let (source, _) = NodeSource::command(words, options());
    let mut watch = Watch::start(Box::new(source));
    assert_eq!(watch.stop().0, EndReason::Detached);
    let ours = |pid: &u32| {
        let arguments = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.contains(MARK) && process::is_alive(*pid)
    };
    wait_for("no child", LONG, || !process::children(std::process::id()).iter().any(ours));
}
