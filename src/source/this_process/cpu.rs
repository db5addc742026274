//! CPU profiles of this process, by pprof-rs: a timer signal that walks the stack of the thread it
//! interrupts.

use super::{RawStack, Taken, assemble, heap::unsampled};
use crate::profile::{Moment, Nanos, Profile, Sampling, Span, Thread, ValueKind};
use crate::source::Clock;
use pprof::{ProfilerGuard, ProfilerGuardBuilder};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Libraries in which a sample is dropped: walking a stack from inside the unwinder, the loader or
/// an allocator lock can hang, and the vdso has no sound unwind tables. Whole file names, because
/// a bare `libc` would also match a program below some `/home/me/libcurl/`.
const NOT_IN: &[&str] =
    &["/libc.so", "/libc-2", "/libgcc_s", "/libpthread", "/ld-linux", "/ld-2", "linux-vdso"];

/// Why a CPU window could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum CpuError {
    /// There is one timer a process.
    #[error("cpu profiling already in use")]
    InUse,
    /// The profiler refused.
    #[error("failed to profile the CPU: {0}")]
    Profiler(#[from] pprof::Error),
}

/// A window that is being taken. Dropped, it ends without a result.
pub struct CpuWindow {
    guard: ProfilerGuard<'static>,
    start: Moment,
    cpu_at_start: Nanos,
    interval: Nanos,
}

impl CpuWindow {
    /// Starts sampling every thread of this process, `frequency` times per second of CPU time. The
    /// kernel's tick is a limit: above it (100 to 1000 Hz) samples come less often than asked.
    pub fn start(frequency: u32) -> Result<Self, CpuError> {
        let frequency = frequency.clamp(1, 1000);
        let builder = ProfilerGuardBuilder::default().frequency(frequency as i32).blocklist(NOT_IN);
        let guard = unsampled(|| builder.build()).map_err(|error| match error {
            pprof::Error::Running => CpuError::InUse,
            other => CpuError::Profiler(other),
        })?;
        let interval = Nanos(1_000_000_000 / u64::from(frequency));
        Ok(Self { guard, start: Clock::get().now(), cpu_at_start: process_cpu(), interval })
    }

    /// Ends the window and names its stacks. Takes milliseconds, and far longer the first time in a
    /// process: for a thread that may block.
    pub fn finish(self) -> Result<Profile, CpuError> {
        let Self { guard, start, cpu_at_start, interval } = self;
        unsampled(|| {
            let span = Span::between(start, Clock::get().now());
            let used = Nanos(process_cpu().0.saturating_sub(cpu_at_start.0));
            let report = guard.report().build_unresolved()?;
            // Stopped before names are looked up, or the next window would have to wait for them.
            drop(guard);
            let threads = threads_by_name();
            let stacks: Vec<RawStack> = report
                .data
                .iter()
                .map(|(stack, count)| RawStack {
                    thread: thread(&threads, &stack.thread_name[..stack.thread_name_length], stack.thread_id),
                    addresses: stack.frames.iter().map(|frame| frame.ip() as usize).collect(),
                    values: vec![*count as i64, (*count as i64).saturating_mul(interval.0 as i64)],
                })
                .collect();
            drop(report);
            Ok(named(stacks, span, used, interval))
        })
    }
}

fn named(stacks: Vec<RawStack>, span: Span, used: Nanos, interval: Nanos) -> Profile {
    let taken: u64 = stacks.iter().map(|stack| stack.values[0] as u64).sum();
    let expected = used.0 / interval.0;
    let sampling = Sampling {
        period_name: "cpu".into(),
        period: interval.0,
        taken,
        lost: expected.saturating_sub(taken),
        ..Sampling::default()
    };
    let kinds = vec![ValueKind::samples(), ValueKind::cpu()];
    let mut profile = assemble(stacks, Taken { kinds, span, covered: span.length, sampling });
    if expected > taken + taken / 10 + 2 {
        let missing = Nanos((expected - taken) * interval.0).as_millis_f64();
        profile.notes.push(
            format!("{missing:.0} ms of CPU time were spent in the kernel or in system libraries, where pprof-rs takes no samples").into(),
        );
    }
    profile
}

/// CPU time of all threads of this process, living and ended.
fn process_cpu() -> Nanos {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Nanos(used.tv_sec as u64 * 1_000_000_000 + used.tv_nsec as u64)
}

/// Kernel thread ids by name: pprof-rs knows a thread by its pthread handle, which says nothing to
/// anybody else. Names that several threads share are left out.
fn threads_by_name() -> FxHashMap<String, Option<u64>> {
    let mut threads = FxHashMap::default();
    for entry in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        let tid = entry.file_name().to_str().and_then(|tid| tid.parse().ok());
        threads.entry(name.trim_end().to_owned()).and_modify(|known| *known = None).or_insert(tid);
    }
    threads
}

fn thread(threads: &FxHashMap<String, Option<u64>>, name: &[u8], handle: u64) -> Thread {
    let name = String::from_utf8_lossy(name);
    let name = name.trim_end_matches('\0');
    let tid = threads.get(name).copied().flatten().unwrap_or(handle);
    let name: Arc<str> = crate::profile::clean_name(name);
    Thread { pid: std::process::id(), tid, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn burn(until: std::time::Instant) -> u64 {
        let mut sum = 0u64;
        while std::time::Instant::now() < until {
            sum = std::hint::black_box((0..20_000u64).fold(sum, |sum, i| sum ^ i.wrapping_mul(0x9e37)));
        }
        sum
    }

    #[test]
    fn a_window_names_who_burned_and_a_second_one_is_refused() {
        let window = CpuWindow::start(200).expect("nobody else profiles");
        assert!(matches!(CpuWindow::start(200), Err(CpuError::InUse)));
        burn(std::time::Instant::now() + std::time::Duration::from_millis(400));
        let profile = window.finish().expect("finishes");
        assert!(profile.is_sound());
        assert!(profile.sampling.taken > 20, "{:?}", profile.sampling);
        assert!(profile.frames.iter().any(|frame| frame.name.ends_with("tests::burn")));
        assert_eq!(profile.total(0) as u64, profile.sampling.taken);
    }
}
