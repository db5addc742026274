//! `/proc/PID/stat` and `/proc/PID/status`: state, signals, user, times.

use std::time::Duration;

/// What a process is doing and how it treats signals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// R running, S sleeping, D waiting for a device, T or t stopped, Z ended and not yet collected.
    pub state: char,
    /// The process that started it, or that adopted it.
    pub parent: u32,
    /// The user it belongs to.
    pub uid: u32,
    /// When it started, in clock ticks since boot.
    pub start_ticks: u64,
    /// CPU time of all its threads.
    pub cpu: Duration,
    /// Resident memory.
    pub resident_bytes: u64,
    /// Its PID in its own, innermost namespace: what it calls itself.
    pub inner_pid: u32,
    /// How it treats signals.
    pub signals: Signals,
}

impl Status {
    /// Whether it is stopped and would handle nothing until it is continued.
    pub const fn is_stopped(&self) -> bool {
        matches!(self.state, 'T' | 't')
    }

    /// Whether it has ended.
    pub const fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// Which signals a process catches, blocks and ignores; bit 0 is signal 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signals {
    /// Has a handler.
    pub caught: u64,
    /// Blocked in the main thread.
    pub blocked: u64,
    /// Ignored.
    pub ignored: u64,
}

impl Signals {
    /// Whether a signal would reach a handler: it would neither kill nor wait.
    pub const fn would_handle(self, signal: u32) -> bool {
        let bit = 1 << (signal - 1);
        self.caught & bit != 0 && self.blocked & bit == 0 && self.ignored & bit == 0
    }
}

/// State and CPU time of a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadTime {
    /// Its id.
    pub tid: u32,
    /// Its name, of at most 15 bytes.
    pub name: String,
    /// Its state letter, as in [`Status::state`].
    pub state: char,
    /// User and system time so far.
    pub cpu: Duration,
}

/// The fields of a `stat` line that we use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatLine {
    pub comm: String,
    pub state: char,
    pub parent: u32,
    pub cpu: Duration,
    pub start_ticks: u64,
}

/// Reads a `stat` line. The name may hold spaces and brackets, so the fields begin after the last bracket.
pub(super) fn parse_stat(text: &str) -> Option<StatLine> {
    let (head, tail) = text.rsplit_once(')')?;
    let comm = head.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // proc(5) counts from 1 and from the PID; the state, our first, is its third.
    let ticks = number(11)? + number(12)?;
    Some(StatLine {
        comm,
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        cpu: duration_of_ticks(ticks),
        start_ticks: number(19)?,
    })
}

/// Reads `status`, adding what only `stat` has.
pub(super) fn parse_status(text: &str, stat: StatLine) -> Option<Status> {
    let field =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let mask = |name: &str| u64::from_str_radix(field(name)?, 16).ok();
    let resident_kib = field("VmRSS").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    Some(Status {
        state: stat.state,
        parent: stat.parent,
        uid: field("Uid")?.split_whitespace().nth(1)?.parse().ok()?,
        start_ticks: stat.start_ticks,
        cpu: stat.cpu,
        resident_bytes: resident_kib.unwrap_or(0) * 1024,
        inner_pid: field("NSpid").or_else(|| field("Pid"))?.split_whitespace().last()?.parse().ok()?,
        signals: Signals { caught: mask("SigCgt")?, blocked: mask("SigBlk")?, ignored: mask("SigIgn")? },
    })
}

fn duration_of_ticks(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "7 (a) b (c) T 1 7 7 0 -1 0 0 0 0 0 150 50 0 0 20 0 11 0 4242 1 2 3";
    const STATUS: &str = "Name:\tnode\nUid:\t1000\t1001\t1000\t1000\nNSpid:\t700\t7\nVmRSS:\t   12 kB\n\
        SigBlk:\t0000000000000000\nSigIgn:\t0000000001001000\nSigCgt:\t0000000108004602\n";

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let stat = parse_stat(STAT).expect("parses");
        assert_eq!((stat.comm.as_str(), stat.state, stat.start_ticks), ("a) b (c", 'T', 4242));
        assert_eq!(stat.cpu, duration_of_ticks(200));
    }

    #[test]
    fn a_status_names_user_inner_pid_and_signals() {
        let status = parse_status(STATUS, parse_stat(STAT).expect("parses")).expect("parses");
        assert_eq!((status.uid, status.inner_pid, status.resident_bytes), (1001, 7, 12 * 1024));
        assert!(status.is_stopped());
        assert!(status.signals.would_handle(10));
        assert!(!status.signals.would_handle(13));
    }

    #[test]
    fn a_blocked_or_ignored_signal_is_not_handled() {
        let usr1 = 1 << 9;
        assert!(Signals { caught: usr1, ..Signals::default() }.would_handle(10));
        assert!(!Signals { caught: usr1, blocked: usr1, ignored: 0 }.would_handle(10));
        assert!(!Signals { caught: usr1, blocked: 0, ignored: usr1 }.would_handle(10));
        assert!(!Signals::default().would_handle(10));
    }

    #[test]
    fn half_a_file_is_no_status() {
        assert_eq!(parse_stat("7 (a"), None);
        assert_eq!(parse_stat("7 (a) S 1"), None);
        assert_eq!(parse_status("Uid:\t1", parse_stat(STAT).expect("parses")), None);
    }
}
