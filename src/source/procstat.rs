//! CPU use, memory and threads of a process, as gauges: differences between readings of `/proc`.

use super::Clock;
use super::procfs::{ProcError, Process};
use crate::gauges::{Gauge, GaugeBatch};
use crate::profile::{Moment, Nanos};
use std::fs;
use std::time::Duration;

/// Readings of one process.
///
/// The kernel counts a process's CPU time in ticks of 10 ms, and, where it keeps scheduler figures, a
/// thread's in nanoseconds. Where the finer one says more, it is right for both.
#[derive(Debug)]
pub struct ProcStat {
    process: Process,
    last: Option<Reading>,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Moment,
    process: Duration,
    main_thread: Duration,
}

impl ProcStat {
    /// Of the process with that PID. Nothing is read yet.
    pub fn new(pid: u32) -> Self {
        Self { process: Process::new(pid), last: None }
    }

    /// When the process started.
    pub fn started(&self) -> Result<Moment, ProcError> {
        Ok(Clock::get().now() - Nanos::from(self.process.age()?))
    }

    /// The figures now. CPU use is that since the reading before, so the first has none.
    pub fn read(&mut self) -> Result<GaugeBatch, ProcError> {
        let status = self.process.status()?;
        let main_thread = self.main_thread()?;
        let now = Reading { at: Clock::get().now(), process: status.cpu, main_thread };
        let mut values = vec![(Gauge::Rss, status.resident_bytes as f64)];
        if let Some(threads) = self.threads() {
            values.push((Gauge::Threads, threads as f64));
        }
        values.extend(self.last.and_then(|last| ratios(last, now)).into_iter().flatten());
        // A reading too close to the last would only show the ticks' grain.
        if self.last.is_none_or(|last| ratios(last, now).is_some()) {
            self.last = Some(now);
        }
        Ok(GaugeBatch { at: now.at, values })
    }

    /// CPU time of the main thread: the event loop's in Node.
    fn main_thread(&self) -> Result<Duration, ProcError> {
        let pid = self.process.pid();
        let fine = fs::read_to_string(format!("/proc/{pid}/task/{pid}/schedstat"));
        let nanos =
            fine.ok().and_then(|text| text.split(' ').next()?.parse().ok()).filter(|nanos| *nanos > 0);
        nanos.map_or_else(|| Ok(self.process.thread(pid)?.cpu), |nanos| Ok(Duration::from_nanos(nanos)))
    }

    /// The links of the directory are the threads and two: one call, however many there are.
    fn threads(&self) -> Option<u64> {
        use std::os::unix::fs::MetadataExt;
        let links = fs::metadata(format!("/proc/{}/task", self.process.pid())).ok()?.nlink();
        links.checked_sub(2)
    }
}

/// Less time than this says nothing about CPU use in ticks.
const SHORTEST: Nanos = Nanos::from_millis(50);

fn ratios(last: Reading, now: Reading) -> Option<[(Gauge, f64); 2]> {
    let span = now.at.since(last.at);
    if span < SHORTEST {
        return None;
    }
    let ratio =
        |before: Duration, after: Duration| after.saturating_sub(before).as_secs_f64() / span.as_secs_f64();
    let main = ratio(last.main_thread, now.main_thread).min(1.0);
    let whole = ratio(last.process, now.process).max(main);
    Some([(Gauge::CpuProcess, whole), (Gauge::CpuLoop, main)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(at_ms: i64, process_ms: u64, main_ms: u64) -> Reading {
        let (process, main_thread) = (Duration::from_millis(process_ms), Duration::from_millis(main_ms));
        Reading { at: Moment(at_ms * 1_000_000), process, main_thread }
    }

    #[test]
    fn use_is_the_difference_over_the_time_between() {
        let [(_, whole), (_, main)] =
            ratios(reading(0, 100, 50), reading(500, 1100, 300)).expect("long enough");
        assert!((whole - 2.0).abs() < 1e-9 && (main - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_process_uses_no_less_than_its_thread_and_a_thread_no_more_than_a_core() {
        let [(_, whole), (_, main)] = ratios(reading(0, 0, 0), reading(250, 240, 251)).expect("long enough");
        assert_eq!((whole, main), (1.0, 1.0));
    }

    #[test]
    fn time_that_runs_backwards_is_no_use() {
        let [(_, whole), (_, main)] = ratios(reading(0, 90, 90), reading(100, 10, 10)).expect("long enough");
        assert_eq!((whole, main), (0.0, 0.0));
        assert!(ratios(reading(9, 0, 0), reading(9, 0, 0)).is_none());
    }

    #[test]
    fn we_can_read_ourselves() {
        let mut stat = ProcStat::new(std::process::id());
        let first = stat.read().expect("reads");
        assert!(first.get(Gauge::Rss).is_some_and(|rss| rss > 1e6));
        assert!(first.get(Gauge::Threads).is_some_and(|threads| threads >= 1.0));
        assert_eq!(first.get(Gauge::CpuProcess), None);
        assert!(stat.started().expect("reads") < Clock::get().now());
        assert!(matches!(ProcStat::new(0).read(), Err(ProcError::NoSuchProcess { .. })));
    }
}
