//! The workload's figures in Prometheus' text format, named as Prometheus client libraries name them.

use crate::source::this_process;
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, RuntimeMetrics};

/// Time from one probe of the runtime to the next.
const PROBE_EVERY: Duration = Duration::from_millis(10);
/// How far back the delays go.
const DELAYS_FOR: Duration = Duration::from_secs(1);
/// Content type of the text.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is measured of the workload's runtime.
pub(super) struct Figures {
    runtime: Handle,
    delays: Mutex<VecDeque<(Instant, Duration)>>,
}

/// Runs on the watched runtime and notes how much later than asked it is woken: what every other
/// task waits too.
pub(super) async fn probe(figures: std::sync::Arc<Figures>) {
    loop {
        let due = Instant::now() + PROBE_EVERY;
        tokio::time::sleep_until(due.into()).await;
        figures.note(due, due.elapsed());
    }
}

impl Figures {
    pub(super) fn new(runtime: Handle) -> Self {
        Self { runtime, delays: Mutex::default() }
    }

    fn note(&self, due: Instant, delay: Duration) {
        let mut delays = self.delays.lock().unwrap_or_else(PoisonError::into_inner);
        delays.push_back((due, delay));
        let gone = delays.iter().take_while(|(at, _)| at.elapsed() > DELAYS_FOR).count();
        delays.drain(..gone);
    }

    /// Median, 99th percentile and longest delay of late.
    fn delays(&self) -> [Duration; 3] {
        let delays = self.delays.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<Duration> = delays.iter().map(|(_, delay)| *delay).collect();
        sorted.sort_unstable();
        let at = |share: f64| {
            let last = sorted.len().saturating_sub(1) as f64;
            sorted.get((last * share).round() as usize).copied().unwrap_or_default()
        };
        [at(0.5), at(0.99), at(1.0)]
    }

    /// All figures as text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let runtime = self.runtime.metrics();
        let [p50, p99, max] = self.delays();
        let mut row = |name: &str, kind: &str, help: &str, value: f64| {
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
        };
        row("process_cpu_seconds_total", "counter", "CPU time of the process.", process_cpu());
        row("process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
        row("process_threads", "gauge", "Threads of the process.", threads());
        row("heap_live_bytes", "gauge", "Live heap, as sampled.", this_process::live_bytes() as f64);
        row("tokio_workers", "gauge", "Worker threads of the runtime.", runtime.num_workers() as f64);
        row("tokio_alive_tasks", "gauge", "Tasks alive.", runtime.num_alive_tasks() as f64);
        row(
            "tokio_global_queue_depth",
            "gauge",
            "Tasks waiting for a worker.",
            runtime.global_queue_depth() as f64,
        );
        row("tokio_worker_busy_seconds_total", "counter", "Time workers were busy.", busy(&runtime));
        row("tokio_worker_park_total", "counter", "Times workers went to sleep.", parks(&runtime));
        row("tokio_wake_delay_p50_seconds", "gauge", "Median delay of a due task.", p50.as_secs_f64());
        row("tokio_wake_delay_p99_seconds", "gauge", "99th percentile of it.", p99.as_secs_f64());
        row("tokio_wake_delay_max_seconds", "gauge", "Longest in a second.", max.as_secs_f64());
        text
    }
}

fn busy(runtime: &RuntimeMetrics) -> f64 {
    (0..runtime.num_workers()).map(|worker| runtime.worker_total_busy_duration(worker).as_secs_f64()).sum()
}

fn parks(runtime: &RuntimeMetrics) -> f64 {
    (0..runtime.num_workers()).map(|worker| runtime.worker_park_count(worker) as f64).sum()
}

fn process_cpu() -> f64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

fn resident_bytes() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0.0);
    pages * rustix::param::page_size() as f64
}

fn threads() -> f64 {
    std::fs::read_dir("/proc/self/task").map_or(0.0, |tasks| tasks.count() as f64)
}
