//! What being watched costs a target itself: CPU time for a piece of JSON work, bare, under flametop (1 kHz and heap
//! sampling) and under Node's own `--cpu-prof`, in turn. One busy process on an otherwise idle machine, so that it
//! resolves a few percent where requests a second of a loaded server vary by 20.
//!
//! `cargo bench --bench work -- [NODE] [ROUNDS]`. Prints medians and their ratio to the bare run, half a minute a round
//! and mode. NODE is a path; without one, `node` from `PATH`.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod watcher;

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;
use watcher::watch;

/// How long each run lasts, in seconds; the second half counts.
const SECONDS: &str = "20";
/// When flametop comes: its one-off cost is over before the second half begins.
const WARM_UP: Duration = Duration::from_secs(2);
/// What each run is called, and flametop's arguments where it watches.
const MODES: [(&str, Option<&[&str]>); 4] = [
    ("bare", None),
    ("--cpu-prof", None),
    ("flametop", Some(&[])),
    ("gauges-only", Some(&["--no-heap", "--no-cpu"])),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let node = args.first().map_or("node", String::as_str);
    let rounds: usize = args.get(1).and_then(|arg| arg.parse().ok()).unwrap_or(5);
    let mut costs = vec![Vec::new(); MODES.len()];
    for round in 0..rounds {
        for at in 0..MODES.len() {
            // Each round begins with another mode, so that none is always first.
            let mode = (at + round) % MODES.len();
            let cost = run(node, mode);
            println!("round {round} {:<12} {cost:7.2} us", MODES[mode].0);
            costs[mode].push(cost);
        }
    }
    let bare = median(&mut costs[0].clone());
    for ((mode, _), costs) in MODES.iter().zip(&mut costs) {
        let cost = median(costs);
        println!("{mode:<12} median {cost:7.2} us of CPU for a piece of work, {:.3} of bare", cost / bare);
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn run(node: &str, mode: usize) -> f64 {
    let directory = std::env::temp_dir().join(format!("flametop-work-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("the temporary directory can be written to");
    let (name, watching) = MODES[mode];
    let mut command = Command::new(node);
    if name == "--cpu-prof" {
        command.args(["--cpu-prof", "--cpu-prof-interval=1000", "--cpu-prof-dir"]).arg(&directory);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/work_loop.js");
    command.arg(script).arg(SECONDS).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut target = command.spawn().expect("node can be started");
    let mut lines = BufReader::new(target.stdout.take().expect("it is piped")).lines();
    assert_eq!(next(&mut lines), "ready");
    let watcher = watching.map(|args| {
        std::thread::park_timeout(WARM_UP);
        watch(target.id(), args, &directory)
    });
    let cost = next(&mut lines).strip_prefix("cost ").and_then(|cost| cost.parse().ok()).expect("`cost US`");
    target.wait().expect("it is our child");
    if let Some(mut watcher) = watcher {
        watcher.wait().expect("it is our child");
    }
    let _ = std::fs::remove_dir_all(&directory);
    cost
}

fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    lines.next().expect("it says more").expect("text")
}
