//! Gauges from Prometheus' text format: the names that runtimes' own client libraries use.

use crate::gauges::{Gauge, GaugeBatch};
use crate::profile::Moment;
use rustc_hash::FxHashMap;

/// How a metric becomes a gauge.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reading {
    /// As it is.
    Value,
    /// Its growth since the figure before.
    Growth,
    /// Its growth by second: seconds used become a share.
    Rate,
    /// Its growth by second and by worker thread ([`WORKERS`]).
    RatePerWorker,
}

/// Where a gauge comes from. An earlier row wins over a later one of the same gauge.
struct Row {
    metric: &'static str,
    gauge: Gauge,
    reading: Reading,
}

const fn row(metric: &'static str, gauge: Gauge, reading: Reading) -> Row {
    Row { metric, gauge, reading }
}

/// How many worker threads share the busy time.
const WORKERS: &str = "tokio_workers";

const ROWS: &[Row] = &[
    row("process_cpu_seconds_total", Gauge::CpuProcess, Reading::Rate),
    row("process_resident_memory_bytes", Gauge::Rss, Reading::Value),
    row("process_threads", Gauge::Threads, Reading::Value),
    row("go_threads", Gauge::Threads, Reading::Value),
    row("go_goroutines", Gauge::Goroutines, Reading::Value),
    row("go_memstats_heap_alloc_bytes", Gauge::HeapUsed, Reading::Value),
    row("go_memstats_heap_sys_bytes", Gauge::HeapTotal, Reading::Value),
    row("go_gc_duration_seconds_count", Gauge::GcCount, Reading::Growth),
    row("go_gc_duration_seconds_sum", Gauge::GcShare, Reading::Rate),
    row("go_gc_duration_seconds{quantile=\"1\"}", Gauge::GcPauseMax, Reading::Value),
    row("heap_live_bytes", Gauge::HeapUsed, Reading::Value),
    row("tokio_alive_tasks", Gauge::Tasks, Reading::Value),
    row("tokio_worker_busy_seconds_total", Gauge::LoopUtilization, Reading::RatePerWorker),
    row("tokio_wake_delay_p50_seconds", Gauge::LoopDelayP50, Reading::Value),
    row("tokio_wake_delay_p99_seconds", Gauge::LoopDelayP99, Reading::Value),
    row("tokio_wake_delay_max_seconds", Gauge::LoopDelayMax, Reading::Value),
    row("nodejs_heap_size_used_bytes", Gauge::HeapUsed, Reading::Value),
    row("nodejs_heap_size_total_bytes", Gauge::HeapTotal, Reading::Value),
    row("nodejs_external_memory_bytes", Gauge::External, Reading::Value),
    row("nodejs_eventloop_lag_p50_seconds", Gauge::LoopDelayP50, Reading::Value),
    row("nodejs_eventloop_lag_p99_seconds", Gauge::LoopDelayP99, Reading::Value),
    row("nodejs_eventloop_lag_max_seconds", Gauge::LoopDelayMax, Reading::Value),
    row("nodejs_active_handles_total", Gauge::Handles, Reading::Value),
];

/// Turns readings into figures; knows the reading before for what is told as a sum.
#[derive(Default)]
pub(super) struct Figures {
    before: FxHashMap<&'static str, (Moment, f64)>,
}

impl Figures {
    /// The figures of a reading; empty when none of its metrics is known, or all need a second one.
    pub(super) fn read(&mut self, text: &str, at: Moment) -> GaugeBatch {
        let metrics = parse(text);
        let workers = metrics.get(WORKERS).copied().unwrap_or(1.0).max(1.0);
        let mut batch = GaugeBatch { at, values: Vec::new() };
        for row in ROWS {
            let Some(value) = metrics.get(row.metric) else { continue };
            let figure = self.figure(row, *value, at, workers);
            if let Some(figure) = figure.filter(|_| batch.get(row.gauge).is_none()) {
                batch.values.push((row.gauge, figure));
            }
        }
        batch
    }

    fn figure(&mut self, row: &Row, value: f64, at: Moment, workers: f64) -> Option<f64> {
        if row.reading == Reading::Value {
            return Some(value);
        }
        let (then, before) = self.before.insert(row.metric, (at, value))?;
        let growth = value - before;
        let seconds = at.since(then).as_secs_f64();
        // A counter that fell was started anew.
        if growth < 0.0 || seconds <= 0.0 {
            return None;
        }
        Some(match row.reading {
            Reading::Rate => growth / seconds,
            Reading::RatePerWorker => (growth / seconds / workers).min(1.0),
            Reading::Growth | Reading::Value => growth,
        })
    }
}

/// The value of a metric without labels.
pub(super) fn plain(text: &str, metric: &str) -> Option<f64> {
    let mut values = text.lines().filter_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    values.next()?.trim().parse().ok()
}

/// Whether the text tells how late an event loop or scheduler runs.
pub(super) fn has_loop(text: &str) -> bool {
    let known = parse(text);
    ROWS.iter().any(|row| row.gauge == Gauge::LoopDelayMax && known.contains_key(row.metric))
}

/// Whether any metric of the text is known.
pub(super) fn knows(text: &str) -> bool {
    !parse(text).is_empty()
}

/// The value of a label of the first sample of a metric: `version` of `go_info`.
pub(super) fn label<'a>(text: &'a str, metric: &str, label: &str) -> Option<&'a str> {
    let line =
        text.lines().find(|line| line.strip_prefix(metric).is_some_and(|rest| rest.starts_with('{')))?;
    let (_, from) = line.split_once(label)?;
    from.strip_prefix("=\"")?.split('"').next()
}

/// The known metrics of a text, finite values only.
fn parse(text: &str) -> FxHashMap<&'static str, f64> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.filter_map(sample).collect()
}

fn sample(line: &str) -> Option<(&'static str, f64)> {
    let end_of_name = line.rfind('}').map_or_else(|| line.find([' ', '\t']), |brace| Some(brace + 1))?;
    let (name, rest) = line.split_at(end_of_name);
    let name = name.trim_end();
    let known = ROWS.iter().map(|row| row.metric).chain([WORKERS]).find(|metric| *metric == name)?;
    let value: f64 = rest.split_ascii_whitespace().next()?.parse().ok()?;
    value.is_finite().then_some((known, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_become_shares_and_levels_stay() {
        let mut figures = Figures::default();
        let first = figures.read("process_cpu_seconds_total 1.5\ngo_goroutines 7\n", Moment(0));
        assert_eq!(first.values, [(Gauge::Goroutines, 7.0)]);
        let second = figures.read("process_cpu_seconds_total 1.75 1700000000\n", Moment(500_000_000));
        assert_eq!(second.get(Gauge::CpuProcess), Some(0.5));
    }

    #[test]
    fn busy_time_is_shared_by_the_workers() {
        let mut figures = Figures::default();
        figures.read("tokio_workers 4\ntokio_worker_busy_seconds_total 0\n", Moment(0));
        let batch =
            figures.read("tokio_workers 4\ntokio_worker_busy_seconds_total 2\n", Moment(1_000_000_000));
        assert_eq!(batch.get(Gauge::LoopUtilization), Some(0.5));
    }

    #[test]
    fn a_counter_that_fell_was_started_anew() {
        let mut figures = Figures::default();
        figures.read("process_cpu_seconds_total 90\n", Moment(0));
        assert!(figures.read("process_cpu_seconds_total 1\n", Moment(1_000_000_000)).values.is_empty());
        assert_eq!(figures.read("process_cpu_seconds_total 2\n", Moment(2_000_000_000)).values.len(), 1);
    }

    #[test]
    fn labels_comments_and_nonsense_are_taken_in_stride() {
        let text = "# HELP go_info x\ngo_info{version=\"go1.27\"} 1\ngo_gc_duration_seconds{quantile=\"1\"} 0.25\n\
            go_goroutines NaN\n}\n{\nprocess_threads\n\u{1b}[31m 7\n";
        let batch = Figures::default().read(text, Moment(0));
        assert_eq!(batch.values, [(Gauge::GcPauseMax, 0.25)]);
        assert_eq!(label(text, "go_info", "version"), Some("go1.27"));
        assert_eq!(label(text, "go_nothing", "version"), None);
        assert_eq!(plain("a_b 1\na 2.5\n", "a"), Some(2.5));
    }

    #[test]
    fn every_known_metric_is_of_a_gauge_that_exists_once() {
        for (at, row) in ROWS.iter().enumerate() {
            assert!(ROWS[..at].iter().all(|other| other.metric != row.metric), "{}", row.metric);
        }
    }
}
