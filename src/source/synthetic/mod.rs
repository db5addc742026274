//! A deterministic made-up world for snapshots, laws and benches: an API server on Node, watched for
//! as long as asked. Not a source that users can choose.
//!
//! Every second brings a CPU window, every five seconds a heap window, every quarter a batch of
//! gauges. Load drifts slowly; from second 12 to 14 of every 20 the event loop is blocked by
//! `loadCatalog`. The same seed gives the same events, to the last bit.

mod figures;
mod windows;
mod world;

use crate::feed::{Blocked, Capability, Event, Feed, HeapState, Phase, SourceId, Status, TargetInfo};
use crate::profile::{Moment, Nanos};
use figures::figures;
use windows::Sampler;

/// When the made-up world begins: 2026-03-02 14:00:00 UTC.
pub const START: Moment = Moment(1_772_460_000_000_000_000);
/// The made-up process.
pub const PID: u32 = 4711;

/// Gauges a second.
const BATCHES: u64 = 4;
/// Seconds between heap windows.
const HEAP_SECONDS: u64 = 5;

/// What one source says of `seconds` of the world, in the order of time.
pub fn events(seed: u64, seconds: u64) -> Vec<Event> {
    let mut sampler = Sampler::new(seed);
    let mut told = vec![at(START, Feed::Attached(target())), at(START, Feed::Status(status(START, None)))];
    for second in 0..seconds {
        let begin = START + Nanos::from_secs(second);
        let end = begin + Nanos::from_secs(1);
        for quarter in 0..BATCHES {
            let batch = figures(seed, second, quarter, begin + Nanos::from_millis(250 * (quarter + 1)));
            told.push(at(batch.at, Feed::Gauges(batch)));
        }
        told.extend(blocked_change(second, end).map(|status| at(end, Feed::Status(status))));
        told.push(at(end, Feed::Window(Box::new(sampler.cpu_window(second, begin)))));
        if (second + 1) % HEAP_SECONDS == 0 {
            let start = end - Nanos::from_secs(HEAP_SECONDS);
            told.push(at(end, Feed::Window(Box::new(sampler.heap_window(second, start)))));
        }
    }
    told
}

/// Whether the event loop is blocked throughout this second.
fn is_blocked(second: u64) -> bool {
    (12..14).contains(&(second % 20))
}

/// The state to tell at the end of a second, where it changes.
fn blocked_change(second: u64, now: Moment) -> Option<Status> {
    match (is_blocked(second), is_blocked(second + 1)) {
        (true, true) => {
            let since = now - Nanos::from_secs(1);
            Some(status(now, Some(Blocked { since, how: "in JavaScript".into() })))
        }
        (true, false) => Some(status(now, None)),
        _ => None,
    }
}

fn at(moment: Moment, feed: Feed) -> Event {
    Event { source: SourceId(0), at: moment, feed }
}

fn target() -> TargetInfo {
    TargetInfo {
        name: "api.js".into(),
        kind: "Node 22.14.0".into(),
        pid: Some(PID),
        started: Some(START - Nanos::from_secs(3 * 3600 + 12 * 60)),
        executable: "/usr/bin/node".into(),
        capabilities: vec![
            Capability::Cpu,
            Capability::HeapLive,
            Capability::HeapAllocated,
            Capability::HeapSwitch,
            Capability::EventLoop,
            Capability::WindowLength,
        ],
        interval: Nanos::from_millis(1),
        address: "127.0.0.1:9229".into(),
    }
}

fn status(now: Moment, blocked: Option<Blocked>) -> Status {
    let read = now.since(START) >= Nanos::from_secs(HEAP_SECONDS);
    let cost = if read { Nanos::from_millis(9) } else { Nanos(0) };
    Status {
        phase: Phase::Sampling,
        blocked,
        heap: HeapState::On { window: Nanos::from_secs(HEAP_SECONDS), cost },
        exposure: "inspector 127.0.0.1:9229 (opened by us)".into(),
        worst_stall: if read { Nanos::from_millis(9) } else { Nanos::from_millis(4) },
        start_cost: Nanos::from_millis(4),
        window: Nanos::from_secs(1),
    }
}

/// Numbers that look random and are the same on every machine (splitmix64).
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// A number from 0 to 1.
    fn share(&mut self) -> f64 {
        self.below(1 << 20) as f64 / f64::from(1 << 20)
    }
}

/// Load of a second compared with the ordinary: a slow triangle between 0.7 and 1.1, free of
/// transcendental functions, whose last bits differ between machines.
fn load(second: u64) -> f64 {
    let phase = (second % 60) as f64 / 30.0;
    0.7 + 0.4 * (1.0 - (phase - 1.0).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_events() {
        assert_eq!(events(7, 20), events(7, 20));
        assert_ne!(events(7, 20), events(8, 20));
    }

    #[test]
    fn windows_are_sound_and_add_up_to_the_time_they_cover() {
        for event in events(1, 30) {
            let Feed::Window(profile) = event.feed else { continue };
            assert!(profile.is_sound());
            assert_eq!(profile.span.end(), event.at);
            if let Some(cpu) = profile.kind("cpu") {
                assert_eq!(profile.total(cpu), profile.covered.0 as i64);
                let runs: u64 = profile.lanes[0].runs.iter().map(|run| run.length).sum();
                assert!(runs <= profile.covered.0 && runs > profile.covered.0 * 9 / 10, "{runs}");
            }
        }
    }

    #[test]
    fn events_come_in_the_order_of_time() {
        let told = events(3, 25);
        assert!(told.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }
}
