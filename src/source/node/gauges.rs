//! Figures and liveness from the polls: what the target says of itself, and whether its loop turns.
//!
//! Pure. A poll that is not answered means native code (V8 serves us inside JavaScript); polls that are answered while
//! the loop stands still mean JavaScript.

use std::ops::Add;
use std::time::{Duration, Instant};

use super::agent::Poll;
use crate::gauges::Gauge;

/// How often the figures are read.
pub const EVERY: Duration = Duration::from_millis(250);

/// A loop that has not turned for this long is called blocked.
pub const BLOCKED_AFTER: Duration = Duration::from_millis(250);

/// What the polls so far have told.
#[derive(Debug, Default)]
pub struct Pulse {
    before: Option<(Instant, Poll)>,
    turned: Option<Instant>,
}

/// Where the loop is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// In a native call, since.
    Native(Instant),
    /// In JavaScript, since.
    JavaScript(Instant),
}

impl Pulse {
    /// Takes in a poll's answer and tells the figures since the one before.
    pub fn beat(&mut self, poll: Poll, received: Instant) -> Vec<(Gauge, f64)> {
        let before = self.before.take();
        let span = before.as_ref().map(|(at, _)| received.saturating_duration_since(*at));
        let last = before.map(|(_, poll)| poll);
        if last.as_ref().is_none_or(|last| has_turned(last, &poll)) {
            self.turned = Some(received);
        }
        let mut values = memory(&poll);
        values.extend(loop_delay(&poll));
        values.extend(last.as_ref().and_then(|last| utilization(last, &poll)));
        values.extend(collections(&poll, span));
        values.extend(
            poll.resources.as_ref().map(|all| (Gauge::Handles, f64::from(all.values().sum::<u32>()))),
        );
        values.retain(|(_, value)| value.is_finite() && *value >= 0.0);
        self.before = Some((received, poll));
        values
    }

    /// Where the loop is held, given since when a poll is outstanding.
    pub fn held(&self, outstanding: Option<Instant>, now: Instant) -> Option<Held> {
        if let Some(sent) = outstanding
            && now.saturating_duration_since(sent) >= BLOCKED_AFTER
        {
            return Some(Held::Native(sent));
        }
        let (turned, (last, _)) = (self.turned?, self.before.as_ref()?);
        let still = last.saturating_duration_since(turned);
        (still >= BLOCKED_AFTER.saturating_sub(Duration::from_millis(50))).then_some(Held::JavaScript(turned))
    }
}

/// Whether the loop has turned between two polls: it counted a turn, waited for events, or its clock ticked.
fn has_turned(before: &Poll, after: &Poll) -> bool {
    let counted = before.loops != after.loops;
    let waited = (after.idle_ms - before.idle_ms).abs() > f64::EPSILON;
    let ticked = after.loops.is_none() && after.delay.is_some_and(|delay| delay.n > 0.0);
    counted || waited || ticked
}

fn memory(poll: &Poll) -> Vec<(Gauge, f64)> {
    let mut values = vec![
        (Gauge::HeapUsed, poll.heap_used),
        (Gauge::HeapTotal, poll.heap_total),
        (Gauge::External, poll.external),
    ];
    values.extend(poll.array_buffers.map(|bytes| (Gauge::ArrayBuffers, bytes)));
    values
}

fn loop_delay(poll: &Poll) -> Vec<(Gauge, f64)> {
    let Some(delay) = poll.delay.filter(|delay| delay.n > 0.0) else { return Vec::new() };
    vec![
        (Gauge::LoopDelayP50, delay.p50_ns / 1e9),
        (Gauge::LoopDelayP99, delay.p99_ns / 1e9),
        (Gauge::LoopDelayMax, delay.max_ns / 1e9),
    ]
}

/// The share of time the loop worked. A loop that stands still counts nothing, and is at work.
fn utilization(before: &Poll, after: &Poll) -> Option<(Gauge, f64)> {
    let (idle, active) = (after.idle_ms - before.idle_ms, after.active_ms - before.active_ms);
    let all = idle + active;
    (all > 0.0).then(|| (Gauge::LoopUtilization, (active / all).clamp(0.0, 1.0)))
}

fn collections(poll: &Poll, span: Option<Duration>) -> Vec<(Gauge, f64)> {
    let Some(kinds) = &poll.gc else { return Vec::new() };
    // Not `sum`, whose nothing is a negative zero.
    let seconds = |minor: bool| -> f64 {
        kinds
            .iter()
            .filter(|(kind, _)| is_minor(kind) == minor)
            .map(|(_, gc)| gc.us / 1e6)
            .fold(0.0, f64::add)
    };
    let (minor, major) = (seconds(true), seconds(false));
    let longest = kinds.values().map(|gc| gc.max_us).fold(0.0, f64::max);
    let mut values = vec![
        (Gauge::GcCount, kinds.values().map(|gc| f64::from(gc.n)).fold(0.0, f64::add)),
        (Gauge::GcMinor, minor),
        (Gauge::GcMajor, major),
        (Gauge::GcPauseMax, longest / 1e6),
    ];
    let span = span.filter(|span| !span.is_zero());
    values.extend(span.map(|span| (Gauge::GcShare, ((minor + major) / span.as_secs_f64()).min(1.0))));
    values
}

/// `Scavenge`, `MinorMarkSweep`, `MinorMarkCompact`; the others go through the whole heap.
fn is_minor(kind: &str) -> bool {
    kind == "Scavenge" || kind.starts_with("Minor")
}

#[cfg(test)]
mod tests {
    use super::super::agent::{Collections, LoopDelay};
    use super::*;

    fn poll(idle_ms: f64, active_ms: f64, loops: Option<f64>) -> Poll {
        Poll { idle_ms, active_ms, loops, ..Poll::default() }
    }

    fn value(values: &[(Gauge, f64)], gauge: Gauge) -> Option<f64> {
        values.iter().find(|(id, _)| *id == gauge).map(|(_, value)| *value)
    }

    #[test]
    fn an_unanswered_poll_is_native_code_and_clears_with_its_answer() {
        let (mut pulse, now) = (Pulse::default(), Instant::now());
        assert_eq!(pulse.held(Some(now), now + EVERY / 2), None);
        assert_eq!(pulse.held(Some(now), now + EVERY), Some(Held::Native(now)));
        pulse.beat(poll(1.0, 1.0, Some(1.0)), now + EVERY * 9);
        assert_eq!(pulse.held(None, now + EVERY * 9), None);
    }

    #[test]
    fn a_loop_that_stands_still_between_answers_is_in_javascript() {
        let (mut pulse, now) = (Pulse::default(), Instant::now());
        for turn in 0..3 {
            pulse.beat(poll(5.0, f64::from(turn), Some(7.0)), now + EVERY * turn as u32);
        }
        assert_eq!(pulse.held(None, now + EVERY * 2), Some(Held::JavaScript(now)));
        pulse.beat(poll(5.0, 9.0, Some(8.0)), now + EVERY * 3);
        assert_eq!(pulse.held(None, now + EVERY * 3), None);
    }

    #[test]
    fn node_18_counts_no_turns_and_is_told_by_its_clock() {
        let (mut pulse, now) = (Pulse::default(), Instant::now());
        let ticking = |n| Poll {
            delay: Some(LoopDelay { n, p50_ns: 1e6, p99_ns: 2e6, max_ns: 3e6 }),
            ..poll(5.0, 5.0, None)
        };
        pulse.beat(ticking(9.0), now);
        let values = pulse.beat(ticking(9.0), now + EVERY);
        assert_eq!(pulse.held(None, now + EVERY), None);
        assert_eq!(value(&values, Gauge::LoopDelayMax), Some(0.003));
        let values = pulse.beat(ticking(0.0), now + EVERY * 2);
        assert_eq!(pulse.held(None, now + EVERY * 2), Some(Held::JavaScript(now + EVERY)));
        assert_eq!(value(&values, Gauge::LoopDelayMax), None, "no readings, no figure");
    }

    #[test]
    fn collections_are_told_by_kind_and_as_a_share() {
        let (mut pulse, now) = (Pulse::default(), Instant::now());
        pulse.beat(poll(0.0, 0.0, None), now);
        let kinds = [("Scavenge", 3, 5e4, 3e4), ("MarkSweepCompact", 1, 1e5, 1e5)];
        let gc = kinds
            .into_iter()
            .map(|(kind, n, us, max_us)| (kind.to_owned(), Collections { n, us, max_us }))
            .collect();
        let values =
            pulse.beat(Poll { gc: Some(gc), ..poll(750.0, 250.0, None) }, now + Duration::from_secs(1));
        assert_eq!(value(&values, Gauge::GcCount), Some(4.0));
        assert_eq!(value(&values, Gauge::GcMinor), Some(0.05));
        assert_eq!(value(&values, Gauge::GcMajor), Some(0.1));
        assert_eq!(value(&values, Gauge::GcPauseMax), Some(0.1));
        assert!(value(&values, Gauge::GcShare).is_some_and(|share| (share - 0.15).abs() < 1e-9));
        assert_eq!(value(&values, Gauge::LoopUtilization), Some(0.25));
    }

    #[test]
    fn figures_that_are_none_are_left_out() {
        let values = Pulse::default()
            .beat(Poll { heap_used: f64::NAN, external: -1.0, ..Poll::default() }, Instant::now());
        assert_eq!(value(&values, Gauge::HeapUsed), None);
        assert_eq!(value(&values, Gauge::External), None);
    }
}
