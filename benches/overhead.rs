//! What being watched costs a real server: requests a second, and the server's CPU time for each, bare, under
//! flametop (1 kHz and heap sampling), and under Node's own `--cpu-prof`, in turn, so that a machine that drifts
//! drifts for all.
//!
//! `cargo bench --bench overhead -- [NODE] [ROUNDS] [SECONDS] [MODE,MODE...]`. Prints medians, their ratio to the
//! bare run, and flametop's own CPU and memory. NODE is a path; without one, `node` from `PATH`. Without modes, those
//! that the README states; the others tell apart what costs what.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod watcher;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use watcher::watch;

const CONNECTIONS: usize = 10;
/// What each run is called, and flametop's arguments where it watches.
const MODES: [(&str, Option<&[&str]>); 7] = [
    ("bare", None),
    ("--cpu-prof", None),
    ("flametop", Some(&[])),
    ("no-heap", Some(&["--no-heap"])),
    ("no-recompile", Some(&["--no-recompile"])),
    ("cpu-only", Some(&["--no-heap", "--no-recompile"])),
    ("gauges-only", Some(&["--no-heap", "--no-cpu"])),
];
/// How long after attaching the target's code is still being compiled anew.
const SETTLING: Duration = Duration::from_secs(8);
/// So many of them are compared unless others are asked for.
const USUAL: usize = 3;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let node = args.first().map_or("node", String::as_str);
    let number = |at: usize, default: u64| args.get(at).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let (rounds, seconds) = (number(1, 5), number(2, 5));
    let modes = chosen(args.get(3).map(String::as_str));
    let mut runs: Vec<Vec<Run>> = vec![Vec::new(); modes.len()];
    for round in 0..rounds {
        for at in 0..modes.len() {
            // Each round begins with another mode, so that none is always first.
            let at = (at + round as usize) % modes.len();
            let run = run(node, modes[at], Duration::from_secs(seconds));
            println!(
                "round {round} {:<14} {:8.0} requests/s {:7.1} us each",
                MODES[modes[at]].0, run.rate, run.cpu_us
            );
            runs[at].push(run);
        }
    }
    let figures = |runs: &[Run]| {
        [median(runs, |run| run.rate), median(runs, |run| run.cpu_us), median(runs, |run| run.first)]
    };
    let bare = figures(&runs[0]);
    for (mode, runs) in modes.iter().zip(&runs) {
        let [rate, cpu, first] = figures(runs);
        println!(
            "{:<14} median {rate:8.0} requests/s, {:.3} of bare; {cpu:7.1} us of the server's CPU each, {:.3} of bare; \
             first {} s {:.3} of bare",
            MODES[*mode].0,
            rate / bare[0],
            cpu / bare[1],
            SETTLING.as_secs(),
            first / bare[2]
        );
    }
    let own: Vec<(f64, f64)> = runs.iter().flatten().filter_map(|run| run.own).collect();
    println!(
        "flametop itself: median {:.2} % of one core, {:.0} MB",
        median(&own, |own| own.0),
        median(&own, |own| own.1)
    );
}

/// The modes named, after the bare one that all are compared with.
fn chosen(names: Option<&str>) -> Vec<usize> {
    let Some(names) = names else { return (0..USUAL).collect() };
    let find = |name: &str| MODES.iter().position(|mode| mode.0 == name).expect("a mode that is listed");
    std::iter::once(0).chain(names.split(',').map(find).filter(|mode| *mode > 0)).collect()
}

fn median<T>(all: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = all.iter().map(figure).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What one run has shown.
#[derive(Clone, Copy)]
struct Run {
    /// Requests a second in the first seconds under watch.
    first: f64,
    /// Requests a second after that.
    rate: f64,
    /// CPU time of the server for each, in microseconds.
    cpu_us: f64,
    /// flametop's own CPU in percent and megabytes, where it watches.
    own: Option<(f64, f64)>,
}

fn run(node: &str, mode: usize, length: Duration) -> Run {
    let directory = std::env::temp_dir().join(format!("flametop-overhead-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("the temporary directory can be written to");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/server.js");
    let mut command = Command::new(node);
    let (name, watching) = MODES[mode];
    if name == "--cpu-prof" {
        command.args(["--cpu-prof", "--cpu-prof-interval=1000", "--cpu-prof-dir"]).arg(&directory);
    }
    let mut server = command
        .arg(script)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("node can be started");
    let port = ready_port(&mut server);
    load(port, Duration::from_secs(1));
    let mut watcher = watching.map(|args| watch(server.id(), args, &directory));
    // The one-off cost of attaching is a figure of its own; the others warm up as long.
    let first = load(port, SETTLING);
    let before = watcher.as_ref().map(|watcher| ticks(watcher.id()));
    let (started, served) = (Instant::now(), ticks(server.id()));
    let rate = load(port, length);
    let took = started.elapsed().as_secs_f64();
    let cpu_us = (ticks(server.id()) - served) as f64 * 1e4 / (rate * took);
    let own = watcher.as_ref().zip(before).map(|(watcher, before)| {
        let used = (ticks(watcher.id()) - before) as f64 / took;
        (used, resident_mb(watcher.id()))
    });
    if let Some(watcher) = &mut watcher {
        interrupt(watcher);
    }
    interrupt(&mut server);
    let _ = std::fs::remove_dir_all(&directory);
    Run { first, rate, cpu_us, own }
}

fn interrupt(child: &mut Child) {
    let pid = rustix::process::Pid::from_child(child);
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
    let _ = child.wait();
}

fn ready_port(server: &mut Child) -> u16 {
    let out = server.stdout.take().expect("it is piped");
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).expect("the server says that it is ready");
    line.trim().rsplit(' ').next().and_then(|port| port.parse().ok()).expect("`ready PORT`")
}

/// Requests answered a second by several connections for that long.
fn load(port: u16, length: Duration) -> f64 {
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let started = Instant::now();
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (stop, answered) = (stop.clone(), answered.clone());
            std::thread::spawn(move || client(port, &stop, &answered))
        })
        .collect();
    std::thread::park_timeout(length);
    stop.store(true, Ordering::Relaxed);
    let rate = answered.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
    clients.into_iter().for_each(|client| client.join().expect("a client did not panic"));
    rate
}

fn client(port: u16, stop: &AtomicBool, answered: &AtomicU64) {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.set_nodelay(true).expect("a TCP option");
    let mut reader = BufReader::new(stream.try_clone().expect("a socket can be cloned"));
    while !stop.load(Ordering::Relaxed) {
        (&stream).write_all(b"GET /work?n=50 HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("the server reads");
        read_answer(&mut reader);
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

fn read_answer(reader: &mut impl BufRead) {
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line).expect("the server answers");
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the server sends all of it");
}

/// CPU time of a process in hundredths of a second: over a second, that is a percentage.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("stat has a name").split(' ').collect();
    fields[11].parse::<u64>().expect("a number") + fields[12].parse::<u64>().expect("a number")
}

fn resident_mb(pid: u32) -> f64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).expect("it runs");
    let pages: f64 = statm.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a number");
    pages * 4096.0 / 1e6
}
