//! Windows of the made-up world.

use super::world::World;
use super::{Dice, HEAP_SECONDS, PID, is_blocked, load};
use crate::profile::{Moment, Nanos, Profile, ProfileLane, Run, Sampling, Span, Thread, ValueKind};

/// Samples asked for in a second.
const RATE: u64 = 1000;
/// Samples in a row with the same stack, at most.
const LONGEST_RUN: u64 = 24;
/// Bytes between sampled allocations.
const HEAP_INTERVAL: u64 = 512 * 1024;

/// Samples the world.
pub(super) struct Sampler {
    world: World,
    dice: Dice,
}

impl Sampler {
    pub(super) fn new(seed: u64) -> Self {
        Self { world: World::new(), dice: Dice(seed) }
    }

    /// One second of CPU samples.
    pub(super) fn cpu_window(&mut self, second: u64, start: Moment) -> Profile {
        let counts = self.counts(second);
        let taken: u64 = counts.iter().map(|(_, count)| count).sum();
        let second_ns = 1_000_000_000;
        let nodes: Vec<u32> = counts.iter().map(|(node, _)| *node).collect();
        let samples: Vec<i64> = counts.iter().map(|(_, count)| *count as i64).collect();
        let times = share_time(&counts, second_ns);
        let lines = self.lines(&counts);
        let runs = if is_blocked(second) {
            one_after_the_other(&counts, second_ns / taken)
        } else {
            self.shuffled_runs(&counts, second_ns / taken)
        };
        let lane = ProfileLane { columns: vec![samples, times], lines, runs, ..lane(nodes) };
        let sampling = Sampling {
            period_name: "cpu".into(),
            period: second_ns / RATE,
            achieved: second_ns / taken,
            taken,
            handover: Nanos::from_millis(3),
            handover_bytes: 48 * 1024,
            ..Sampling::default()
        };
        self.profile(vec![ValueKind::samples(), ValueKind::cpu()], span(start, 1), sampling, lane)
    }

    /// What is live at the end of a heap window, and what was allocated in it.
    pub(super) fn heap_window(&mut self, second: u64, start: Moment) -> Profile {
        let (mut nodes, mut live, mut allocated) = (Vec::new(), Vec::new(), Vec::new());
        for (at, cost) in self.world.costs.iter().enumerate().filter(|(_, c)| c.alloc_kib + c.live_kib > 0) {
            let growth = 1.0 + second as f64 / 600.0 + 0.1 * self.dice.share();
            let rate = f64::from(cost.alloc_kib) * load(second) * (0.9 + 0.2 * self.dice.share());
            nodes.push(at as u32);
            live.push((f64::from(cost.live_kib) * growth) as i64 * 1024);
            allocated.push((rate * HEAP_SECONDS as f64) as i64 * 1024);
        }
        let taken = allocated.iter().sum::<i64>() as u64 / HEAP_INTERVAL;
        let lane = ProfileLane { columns: vec![live, allocated], ..lane(nodes) };
        let sampling = Sampling {
            period_name: "space".into(),
            period: HEAP_INTERVAL,
            period_bytes: true,
            taken,
            handover: Nanos::from_millis(9),
            handover_bytes: 90 * 1024,
            ..Sampling::default()
        };
        let kinds = vec![ValueKind::inuse_space(), ValueKind::alloc_space()];
        self.profile(kinds, span(start, HEAP_SECONDS), sampling, lane)
    }

    /// Samples of each node in this second, the idle node taking what is left; ascending.
    fn counts(&mut self, second: u64) -> Vec<(u32, u64)> {
        let taken = RATE - self.dice.below(6);
        let idle = self.world.node_of("(idle)");
        let mut counts =
            if is_blocked(second) { self.blocked_counts(taken) } else { self.busy_counts(second) };
        let busy: u64 = counts.iter().sum();
        counts[idle] = taken.saturating_sub(busy);
        let present = counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
        present.map(|(node, count)| (node as u32, count)).collect()
    }

    fn busy_counts(&mut self, second: u64) -> Vec<u64> {
        let mut counts = Vec::with_capacity(self.world.costs.len());
        for cost in &self.world.costs {
            let exact = f64::from(cost.cpu_ms) * load(second) * (0.85 + 0.3 * self.dice.share());
            counts.push((exact + self.dice.share()) as u64);
        }
        counts
    }

    /// A second in which nothing but the catalog is loaded.
    fn blocked_counts(&mut self, taken: u64) -> Vec<u64> {
        let mut counts = vec![0; self.world.costs.len()];
        let collecting = 60 + self.dice.below(20);
        let reading = 40 + self.dice.below(10);
        counts[self.world.node_of("(garbage collector)")] = collecting;
        counts[self.world.node_of("readFileSync")] = reading;
        counts[self.world.callee("loadCatalog", "parse")] = taken - collecting - reading;
        counts
    }

    /// Two hot lines in each function of the program itself.
    fn lines(&self, counts: &[(u32, u64)]) -> Vec<(u32, u32, u32)> {
        let own = counts.iter().filter(|(node, _)| self.world.frames[*node as usize].line > 0);
        own.flat_map(|(node, count)| {
            let line = self.world.frames[*node as usize].line;
            let first = *count as u32 * 2 / 3;
            [(*node, line + 2, first), (*node, line + 5, *count as u32 - first)]
        })
        .filter(|(_, _, samples)| *samples > 0)
        .collect()
    }

    /// The samples in time, as requests come and go: short runs in an order like chance.
    fn shuffled_runs(&mut self, counts: &[(u32, u64)], interval: u64) -> Vec<Run> {
        let mut pieces: Vec<(u32, u64)> = Vec::new();
        for (node, count) in counts {
            let mut left = *count;
            while left > 0 {
                let piece = (1 + self.dice.below(LONGEST_RUN)).min(left);
                pieces.push((*node, piece));
                left -= piece;
            }
        }
        for last in (1..pieces.len()).rev() {
            pieces.swap(last, self.dice.below(last as u64 + 1) as usize);
        }
        one_after_the_other(&pieces, interval)
    }

    fn profile(&self, kinds: Vec<ValueKind>, span: Span, sampling: Sampling, lane: ProfileLane) -> Profile {
        Profile {
            kinds,
            span,
            covered: span.length,
            sampling,
            frames: self.world.frames.clone(),
            nodes: self.world.nodes.clone(),
            lanes: vec![lane],
            notes: Vec::new(),
        }
    }
}

fn span(start: Moment, seconds: u64) -> Span {
    Span { start, length: Nanos::from_secs(seconds) }
}

/// The main thread with these nodes and nothing else yet.
fn lane(nodes: Vec<u32>) -> ProfileLane {
    ProfileLane {
        thread: Thread { pid: PID, tid: u64::from(PID), name: "main".into() },
        nodes,
        columns: Vec::new(),
        lines: Vec::new(),
        runs: Vec::new(),
        runs_dropped: 0,
    }
}

/// Time by samples; what division leaves over goes to the last node, so that all of it is spent.
fn share_time(counts: &[(u32, u64)], whole: u64) -> Vec<i64> {
    let taken: u64 = counts.iter().map(|(_, count)| count).sum();
    let mut times: Vec<i64> = counts.iter().map(|(_, count)| (count * whole / taken) as i64).collect();
    let spent: i64 = times.iter().sum();
    if let Some(last) = times.last_mut() {
        *last += whole as i64 - spent;
    }
    times
}

fn one_after_the_other(pieces: &[(u32, u64)], interval: u64) -> Vec<Run> {
    let mut offset = 0;
    let mut runs = Vec::with_capacity(pieces.len());
    for (node, count) in pieces {
        let length = count * interval;
        runs.push(Run { node: *node, offset, length });
        offset += length;
    }
    runs
}
