//! V8's CPU profiles of a file, of one thread or several, as one [`Timeline`].

use super::cpu_json::{CpuJson, ProfileError, TreeOrder};
use super::cpu_profile::{SILENCE_US, SILENT_INTERVALS, V8_DEPTH, in_time, micros};
use super::paths::Paths;
use super::stacks::Stacks;
use crate::format::windows::{MOST_SAMPLES, Timed, Timeline};
use crate::profile::{Frame, FrameKind, Sampling, Thread, ValueKind};
use std::sync::Arc;

/// Times from here on count from 1970, smaller ones from the start of the machine: in microseconds, 2001.
const WALL_CLOCK_US: f64 = 1e15;

/// Profiles on their way into a timeline.
pub(in crate::format) struct Gathered {
    paths: Paths,
    threads: Vec<Thread>,
    samples: Vec<Timed>,
    lines: Vec<(u32, u32, u32, u32)>,
    interval_us: u64,
    /// What a reader should know.
    pub notes: Vec<Arc<str>>,
    is_timed: bool,
}

impl Gathered {
    /// None yet.
    pub fn new() -> Self {
        Self {
            paths: Paths::new(Frame::named("all", FrameKind::Other)),
            threads: Vec::new(),
            samples: Vec::new(),
            lines: Vec::new(),
            interval_us: 0,
            notes: Vec::new(),
            is_timed: true,
        }
    }

    /// Adds a profile.
    pub fn add(
        &mut self,
        profile: &CpuJson<'_>,
        order: &TreeOrder,
        thread: Thread,
    ) -> Result<(), ProfileError> {
        if profile.samples.len() + self.samples.len() > MOST_SAMPLES {
            return Err(ProfileError::TooMany { what: "samples", most: MOST_SAMPLES });
        }
        let number = self.threads.len() as u32;
        self.threads.push(thread);
        if profile.start_time < WALL_CLOCK_US {
            self.note("the file tells no time of day: times are those of the clock of its machine, which counts from its start");
        }
        if profile.samples.is_empty() {
            self.add_hits(profile, order, number)
        } else {
            self.add_samples(profile, order, number)
        }
    }

    fn add_samples(
        &mut self,
        profile: &CpuJson<'_>,
        order: &TreeOrder,
        thread: u32,
    ) -> Result<(), ProfileError> {
        let (start, end) = (micros(profile.start_time)?, micros(profile.end_time)?);
        let samples = in_time(profile, start, end)?;
        let interval = interval(&profile.time_deltas);
        self.interval_us = self.interval_us.max(interval);
        let silence = SILENCE_US.max(SILENT_INTERVALS * interval as i64) as u64;
        let mut stacks = Stacks::new(&profile.nodes, order);
        let is_cut = cut_by_v8(order);
        let mut seen = vec![None; profile.nodes.len()];
        let mut silent = false;
        for (nth, (at, id)) in samples.iter().enumerate() {
            let place = order.place_of(*id)?;
            let until = samples.get(nth + 1).map_or(end, |next| next.0);
            // A sample of the root is none: so gaps are written.
            if place == order.root {
                continue;
            }
            let node = stacks.node(&mut self.paths, place, is_cut && order.depth[place as usize] >= V8_DEPTH);
            seen[place as usize] = Some(node);
            let lasted = until.abs_diff(*at);
            silent |= lasted > silence;
            let lasted = if lasted > silence { 0 } else { lasted * 1000 };
            self.samples.push(Timed { thread, node, at: at.saturating_mul(1000), lasted, samples: 1 });
        }
        if silent {
            self.note("for some time no sample was taken: the process or its sampler was stopped");
        }
        self.add_lines(
            profile,
            thread,
            seen.into_iter().enumerate().filter_map(|(place, node)| Some((place, node?))),
        );
        Ok(())
    }

    /// Adds a profile that counts samples and does not say when they were taken.
    fn add_hits(
        &mut self,
        profile: &CpuJson<'_>,
        order: &TreeOrder,
        thread: u32,
    ) -> Result<(), ProfileError> {
        let (start, end) = (micros(profile.start_time)?, micros(profile.end_time)?);
        if end < start {
            return Err(ProfileError::Contradiction("it ends before it begins"));
        }
        let hits = |node: &super::cpu_json::Node<'_>| u64::from(u32::try_from(node.hit_count).unwrap_or(0));
        let all: u64 = profile.nodes.iter().map(hits).sum();
        self.is_timed = false;
        self.note(
            "the file does not say when its samples were taken: its time is shared out by their number",
        );
        let mut stacks = Stacks::new(&profile.nodes, order);
        let is_cut = cut_by_v8(order);
        let (mut before, mut seen) = (0, Vec::new());
        let share = |upto: u64| {
            (u128::from(end.abs_diff(start) * 1000) * u128::from(upto) / u128::from(all.max(1))) as u64
        };
        for (place, node) in profile.nodes.iter().enumerate().filter(|(_, node)| hits(node) > 0) {
            let own = stacks.node(&mut self.paths, place as u32, is_cut && order.depth[place] >= V8_DEPTH);
            let (from, to) = (share(before), share(before + hits(node)));
            before += hits(node);
            let at = start.saturating_mul(1000).saturating_add_unsigned(from);
            self.samples.push(Timed { thread, node: own, at, lasted: to - from, samples: hits(node) as u32 });
            seen.push((place, own));
        }
        self.add_lines(profile, thread, seen.into_iter());
        Ok(())
    }

    fn add_lines(&mut self, profile: &CpuJson<'_>, thread: u32, seen: impl Iterator<Item = (usize, u32)>) {
        for (place, node) in seen {
            let first = self.paths.frame_of(node).line;
            let lines = profile.nodes[place].lines_from(first).filter(|(_, ticks)| *ticks > 0);
            self.lines.extend(lines.map(|(line, ticks)| (thread, node, line, ticks)));
        }
    }

    /// Adds a sentence, once.
    pub fn note(&mut self, text: &str) {
        if !self.notes.iter().any(|note| &**note == text) {
            self.notes.push(text.into());
        }
    }

    /// All of it.
    pub fn finish(mut self) -> Timeline {
        let (frames, nodes) =
            std::mem::replace(&mut self.paths, Paths::new(Frame::named("", FrameKind::Other))).finish();
        if frames.iter().any(|frame| frame.kind == FrameKind::Truncated) {
            self.note("V8 keeps the 255 frames nearest the leaf; deeper stacks hang under (truncated)");
        }
        self.merge_lines();
        Timeline {
            counted: true,
            timed: self.is_timed,
            kind: ValueKind::cpu(),
            frames,
            nodes,
            threads: self.threads,
            samples: self.samples,
            lines: self.lines,
            sampling: Sampling {
                period_name: "cpu".into(),
                period: self.interval_us * 1000,
                ..Sampling::default()
            },
            notes: self.notes,
        }
    }

    /// Adds up equal lines: V8 may hold one function twice.
    fn merge_lines(&mut self) {
        self.lines.sort_unstable();
        self.lines.dedup_by(|next, first| {
            let same = (next.0, next.1, next.2) == (first.0, first.1, first.2);
            first.3 = if same { first.3.saturating_add(next.3) } else { first.3 };
            same
        });
    }
}

/// Whether V8 cut the deepest stacks: then they are all as deep as it keeps them.
fn cut_by_v8(order: &TreeOrder) -> bool {
    order.depth.iter().max() == Some(&V8_DEPTH)
}

/// The interval asked for, as far as it can be told: the median, which late samples do not shift.
fn interval(deltas: &[i64]) -> u64 {
    let mut positive: Vec<u64> =
        deltas.iter().filter_map(|delta| u64::try_from(*delta).ok()).filter(|d| *d > 0).collect();
    if positive.is_empty() {
        return 0;
    }
    let middle = positive.len() / 2;
    (*positive.select_nth_unstable(middle).1).min(1_000_000_000)
}
