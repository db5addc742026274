//! What being watched costs a real server: requests a second bare, under flametop (1 kHz and heap
//! sampling), and under Node's own `--cpu-prof`, in turn, so that a machine that drifts drifts for all.
//!
//! `cargo bench --bench overhead -- [NODE] [ROUNDS] [SECONDS]`. Prints medians, their ratio to the bare
//! run, and flametop's own CPU and memory. NODE is a path; without one, `node` from `PATH`.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 10;
/// What each run is called, and flametop's arguments where it watches.
const MODES: [(&str, Option<&[&str]>); 4] =
    [("bare", None), ("--cpu-prof", None), ("flametop", Some(&[])), ("without heap", Some(&["--no-heap"]))];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let node = args.first().map_or("node", String::as_str);
    let number = |at: usize, default: u64| args.get(at).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let (rounds, seconds) = (number(1, 5), number(2, 5));
    let mut rates = vec![Vec::new(); MODES.len()];
    let mut own = Vec::new();
    for round in 0..rounds {
        for at in 0..MODES.len() {
            // Each round begins with another mode, so that none is always first.
            let mode = (at + round as usize) % MODES.len();
            let (rate, cost) = run(node, mode, Duration::from_secs(seconds));
            println!("round {round} {:<20} {rate:8.0} requests/s", MODES[mode].0);
            rates[mode].push(rate);
            own.extend(cost);
        }
    }
    let bare = median(&mut rates[0].clone());
    for ((mode, _), rates) in MODES.iter().zip(&mut rates) {
        let median = median(rates);
        println!("{mode:<20} median {median:8.0} requests/s, {:.3} of bare", median / bare);
    }
    let (mut cpu, mut rss): (Vec<f64>, Vec<f64>) = own.into_iter().unzip();
    println!("flametop itself: median {:.2} % of one core, {:.0} MB", median(&mut cpu), median(&mut rss));
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Requests a second, and flametop's own CPU percentage and megabytes where it watches.
fn run(node: &str, mode: usize, length: Duration) -> (f64, Option<(f64, f64)>) {
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
    // The one-off cost of attaching is told apart in the README; the others warm up as long.
    load(port, Duration::from_secs(3));
    let before = watcher.as_ref().map(|watcher| ticks(watcher.id()));
    let started = Instant::now();
    let rate = load(port, length);
    let own = watcher.as_ref().zip(before).map(|(watcher, before)| {
        let used = (ticks(watcher.id()) - before) as f64 / started.elapsed().as_secs_f64();
        (used, resident_mb(watcher.id()))
    });
    if let Some(watcher) = &mut watcher {
        interrupt(watcher);
    }
    interrupt(&mut server);
    let _ = std::fs::remove_dir_all(&directory);
    (rate, own)
}

fn watch(pid: u32, args: &[&str], directory: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_flametop"))
        .args(["record", &pid.to_string()])
        .args(args)
        .arg("-o")
        .arg(directory.join("x.pb.gz"))
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary was built")
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
