//! CPU use of a process and its main thread between two looks, from outside the target.
//!
//! The scheduler's own figures are in nanoseconds; the usual clock ticks (10 ms) are too coarse for a quarter of a
//! second, and serve where the kernel does not give the former.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use crate::gauges::Gauge;
use crate::source::procfs::Process;

/// Two looks at a process.
#[derive(Debug)]
pub struct CpuTime {
    process: Process,
    before: Option<Look>,
}

#[derive(Debug)]
struct Look {
    at: Instant,
    threads: BTreeMap<u32, Duration>,
}

impl CpuTime {
    /// Starts looking at a process.
    pub fn new(pid: u32) -> Self {
        Self { process: Process::new(pid), before: None }
    }

    /// What the process has used since the look before, what memory it holds, and its threads.
    pub fn look(&mut self, now: Instant) -> Vec<(Gauge, f64)> {
        let Ok(status) = self.process.status() else { return Vec::new() };
        let Ok(threads) = self.process.threads() else { return Vec::new() };
        let precise = |tid: u32, ticks: Duration| schedstat(self.process.pid(), tid).unwrap_or(ticks);
        let threads: BTreeMap<u32, Duration> =
            threads.iter().map(|thread| (thread.tid, precise(thread.tid, thread.cpu))).collect();
        let mut values =
            vec![(Gauge::Rss, status.resident_bytes as f64), (Gauge::Threads, threads.len() as f64)];
        let look = Look { at: now, threads };
        if let Some(before) = &self.before {
            values.extend(usage(before, &look, self.process.pid()));
        }
        self.before = Some(look);
        values
    }
}

/// CPU use between two looks. A thread that ended in between keeps its last stretch to itself.
fn usage(before: &Look, after: &Look, main: u32) -> Vec<(Gauge, f64)> {
    let span = after.at.saturating_duration_since(before.at).as_secs_f64();
    if span <= 0.0 {
        return Vec::new();
    }
    let used = |tid: &u32, cpu: &Duration| {
        cpu.saturating_sub(before.threads.get(tid).copied().unwrap_or_default()).as_secs_f64() / span
    };
    let all: f64 = after.threads.iter().map(|(tid, cpu)| used(tid, cpu)).sum();
    let mut values = vec![(Gauge::CpuProcess, all)];
    values.extend(after.threads.get(&main).map(|cpu| (Gauge::CpuLoop, used(&main, cpu).min(1.0))));
    values
}

/// Time on a CPU, the first figure of `schedstat`.
fn schedstat(pid: u32, tid: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/schedstat")).ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_is_what_was_added_by_each_thread() {
        let now = Instant::now();
        let look = |at: Instant, threads: &[(u32, u64)]| Look {
            at,
            threads: threads.iter().map(|(tid, ms)| (*tid, Duration::from_millis(*ms))).collect(),
        };
        let before = look(now, &[(1, 100), (2, 900)]);
        let after = look(now + Duration::from_secs(1), &[(1, 400), (3, 200)]);
        let values = usage(&before, &after, 1);
        assert_eq!(values, [(Gauge::CpuProcess, 0.5), (Gauge::CpuLoop, 0.3)]);
    }

    #[test]
    fn our_own_process_can_be_looked_at() {
        let mut cpu = CpuTime::new(std::process::id());
        let now = Instant::now();
        assert!(cpu.look(now).iter().any(|(gauge, bytes)| *gauge == Gauge::Rss && *bytes > 0.0));
        let later = cpu.look(now + Duration::from_millis(250));
        assert!(later.iter().any(|(gauge, _)| *gauge == Gauge::CpuLoop));
    }
}
