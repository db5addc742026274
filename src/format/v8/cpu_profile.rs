//! Folds V8's CPU profile of one window into a [`Profile`]: pure, without a target.
//!
//! Windows tile time. Rotating profiles overlap a little, so window n speaks for what lies between the
//! end of window n-1 and its own end: samples before that border were counted there, and the last stack
//! seen there is carried across the border until this window's first sample. A sample lasts until the
//! next one (real intervals are not the ones asked for), so the weights of a window are its covered time.

use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

use super::cpu_json::{CpuJson, ProfileError, TreeOrder, parse};
use super::paths::Paths;
use super::stacks::Stacks;
use crate::profile::{
    Frame, FrameKind, Moment, Nanos, Profile, ProfileLane, Run, Sampling, Span, Thread, ValueKind,
};

/// V8 keeps this many frames of a stack, those nearest the leaf.
pub const V8_DEPTH: u32 = 255;
/// Runs of one window at most.
pub const MOST_RUNS: usize = 20_000;
/// Without a sample for longer than this, and than [`SILENT_INTERVALS`], the sampler itself was stopped: that time is
/// not covered.
pub const SILENCE_US: i64 = 250_000;
/// At a few samples a second, so many intervals without one are needed to tell.
pub const SILENT_INTERVALS: i64 = 4;

/// What is known of a window beside its samples.
#[derive(Clone, Debug)]
pub struct Taking {
    /// Whose samples these are.
    pub thread: Thread,
    /// The interval asked for.
    pub interval: Nanos,
    /// What the hand-over cost the target, as far as it can be told.
    pub handover: Nanos,
    /// Bytes of the hand-over.
    pub handover_bytes: u64,
    /// What the session's clock is ahead of `CLOCK_MONOTONIC`, in nanoseconds.
    pub clock_ahead: i64,
}

/// The end of a window, for the next one to go on from.
#[derive(Clone, Debug, PartialEq)]
pub struct Border {
    /// When: `CLOCK_MONOTONIC` in microseconds.
    at_us: i64,
    /// The last stack seen, from the root.
    stack: Vec<Frame>,
}

/// Folds a profile. `before` is the border that the window before has left, if one was just before.
pub fn fold(json: &str, before: Option<&Border>, taking: &Taking) -> Result<(Profile, Border), ProfileError> {
    let profile = parse(json)?;
    let order = TreeOrder::of(&profile.nodes)?;
    let (start, end) = (micros(profile.start_time)?, micros(profile.end_time)?);
    let samples = in_time(&profile, start, end)?;
    let mut window = Window::new(&profile, &order, taking.interval);
    let from = window.begin(before, start, &samples)?;
    if from > end {
        return Err(ProfileError::Contradiction("it ends before it begins"));
    }
    window.fill(&samples, from, end, &order)?;
    window.add_lines();
    Ok(window.finish(before.map_or(from, |border| border.at_us.min(from)), end, taking))
}

/// A time of the profile in whole microseconds, if it can be one.
pub(super) fn micros(time: f64) -> Result<i64, ProfileError> {
    // As nanoseconds they must fit in 64 bits, whether they count from the start of the machine or from 1970.
    if (0.0..9e15).contains(&time) {
        Ok(time as i64)
    } else {
        Err(ProfileError::Contradiction("its times are none"))
    }
}

/// (time, node id) in the order of time: old V8 gave negative deltas.
pub(super) fn in_time(profile: &CpuJson<'_>, start: i64, end: i64) -> Result<Vec<(i64, u32)>, ProfileError> {
    if end < start {
        return Err(ProfileError::Contradiction("it ends before it begins"));
    }
    let mut at = start;
    let stamped = profile.samples.iter().zip(&profile.time_deltas).map(|(id, delta)| {
        at = at.saturating_add(*delta);
        (at.clamp(start, end), *id)
    });
    let mut samples: Vec<(i64, u32)> = stamped.collect();
    samples.sort_by_key(|sample| sample.0);
    Ok(samples)
}

/// A stack that lasts until the next sample.
#[derive(Clone, Copy)]
struct Current {
    node: u32,
    since: i64,
}

/// Values of one node.
#[derive(Clone, Copy, Default)]
struct Weight {
    samples: i64,
    us: i64,
}

struct Window<'a> {
    profile: &'a CpuJson<'a>,
    paths: Paths,
    stacks: Stacks<'a>,
    weights: FxHashMap<u32, Weight>,
    /// V8's nodes that had samples, with ours.
    seen: FxHashSet<(u32, u32)>,
    lines: FxHashMap<(u32, u32), u32>,
    runs: Vec<(u32, i64, i64)>,
    runs_dropped: u64,
    current: Option<Current>,
    taken: u64,
    truncated: u64,
    covered_us: i64,
    silent_us: i64,
    /// Longer without a sample means silence.
    silence_us: i64,
}

impl<'a> Window<'a> {
    fn new(profile: &'a CpuJson<'a>, order: &'a TreeOrder, interval: Nanos) -> Self {
        Self {
            profile,
            paths: Paths::new(Frame::named("all", FrameKind::Other)),
            stacks: Stacks::new(&profile.nodes, order),
            weights: FxHashMap::default(),
            seen: FxHashSet::default(),
            lines: FxHashMap::default(),
            runs: Vec::new(),
            runs_dropped: 0,
            current: None,
            taken: 0,
            truncated: 0,
            covered_us: 0,
            silent_us: 0,
            silence_us: SILENCE_US.max(SILENT_INTERVALS * (interval.0 / 1000) as i64),
        }
    }

    /// From when on the window counts, and the stack that is on then.
    ///
    /// Without a window before, it begins with its first sample: until then V8 was logging the code it knows, and
    /// nothing was observed. With one whose end lies before our start, something is missing between the two.
    fn begin(
        &mut self,
        before: Option<&Border>,
        start: i64,
        samples: &[(i64, u32)],
    ) -> Result<i64, ProfileError> {
        match before {
            Some(border) if border.at_us >= start => {
                let node = self.paths.node_of(&border.stack);
                self.current = Some(Current { node, since: border.at_us });
                Ok(border.at_us)
            }
            _ => {
                samples.first().map(|sample| sample.0).ok_or(ProfileError::Contradiction("it has no samples"))
            }
        }
    }

    fn fill(
        &mut self,
        samples: &[(i64, u32)],
        from: i64,
        end: i64,
        order: &TreeOrder,
    ) -> Result<(), ProfileError> {
        let first = samples.partition_point(|sample| sample.0 < from);
        for (at, id) in &samples[first..] {
            self.close(*at);
            let place = order.place_of(*id)?;
            let cut = order.depth[place as usize] >= V8_DEPTH;
            let node = self.stacks.node(&mut self.paths, place, cut);
            self.truncated += u64::from(cut);
            self.taken += 1;
            self.weights.entry(node).or_default().samples += 1;
            self.seen.insert((place, node));
            self.current = Some(Current { node, since: *at });
        }
        self.close(end);
        Ok(())
    }

    /// Ends the stack that is on.
    fn close(&mut self, at: i64) {
        let Some(Current { node, since }) = self.current else { return };
        let lasted = at - since;
        if lasted > self.silence_us {
            self.silent_us += lasted;
            return;
        }
        self.covered_us += lasted;
        self.weights.entry(node).or_default().us += lasted;
        self.add_run(node, since, lasted);
    }

    fn add_run(&mut self, node: u32, since: i64, lasted: i64) {
        if let Some((last, begun, length)) = self.runs.last_mut()
            && *last == node
            && *begun + *length == since
        {
            *length += lasted;
        } else if self.runs.len() < MOST_RUNS {
            self.runs.push((node, since, lasted));
        } else {
            self.runs_dropped += 1;
        }
    }

    /// Adds samples by line.
    fn add_lines(&mut self) {
        for (place, node) in std::mem::take(&mut self.seen) {
            let first = self.paths.frame_of(node).line;
            for (line, ticks) in self.profile.nodes[place as usize].lines_from(first) {
                let known = self.lines.entry((node, line)).or_insert(0);
                *known = known.saturating_add(ticks);
            }
        }
    }

    fn finish(self, from: i64, end: i64, taking: &Taking) -> (Profile, Border) {
        let stack = self.current.map_or_else(Vec::new, |current| self.paths.stack_of(current.node));
        let covered = nanos(self.covered_us);
        let sampling = Sampling {
            period_name: "cpu".into(),
            period: taking.interval.0,
            period_bytes: false,
            achieved: covered.0.checked_div(self.taken).unwrap_or(0),
            taken: self.taken,
            lost: 0,
            truncated: self.truncated,
            handover: taking.handover,
            handover_bytes: taking.handover_bytes,
        };
        let notes = self.notes();
        let lane = lane(self.weights, self.lines, self.runs, from, self.runs_dropped, taking.thread.clone());
        let (frames, nodes) = self.paths.finish();
        let profile = Profile {
            kinds: vec![ValueKind::samples(), ValueKind::cpu()],
            span: Span::between(moment(taking.clock_ahead, from), moment(taking.clock_ahead, end)),
            covered,
            sampling,
            frames,
            nodes,
            lanes: vec![lane],
            notes,
        };
        (profile, Border { at_us: end, stack })
    }

    fn notes(&self) -> Vec<Arc<str>> {
        let mut notes: Vec<Arc<str>> = Vec::new();
        if self.truncated > 0 {
            notes.push(
                "V8 keeps the 255 frames nearest the leaf; deeper stacks hang under (truncated)".into(),
            );
        }
        if self.silent_us > 0 {
            notes.push("for some time no sample was taken: the process or its sampler was stopped".into());
        }
        notes
    }
}

fn lane(
    weights: FxHashMap<u32, Weight>,
    lines: FxHashMap<(u32, u32), u32>,
    runs: Vec<(u32, i64, i64)>,
    from: i64,
    runs_dropped: u64,
    thread: Thread,
) -> ProfileLane {
    let mut rows: Vec<(u32, Weight)> = weights.into_iter().collect();
    rows.sort_unstable_by_key(|row| row.0);
    let mut lines: Vec<(u32, u32, u32)> = lines
        .into_iter()
        .filter(|(_, ticks)| *ticks > 0)
        .map(|((node, line), ticks)| (node, line, ticks))
        .collect();
    lines.sort_unstable();
    let run = |(node, since, lasted): (u32, i64, i64)| Run {
        node,
        offset: nanos(since - from).0,
        length: nanos(lasted).0,
    };
    ProfileLane {
        thread,
        nodes: rows.iter().map(|row| row.0).collect(),
        columns: vec![
            rows.iter().map(|row| row.1.samples).collect(),
            rows.iter().map(|row| row.1.us * 1000).collect(),
        ],
        lines,
        runs: runs.into_iter().map(run).collect(),
        runs_dropped,
    }
}

fn nanos(us: i64) -> Nanos {
    Nanos(u64::try_from(us).unwrap_or(0).saturating_mul(1000))
}

fn moment(clock_ahead: i64, us: i64) -> Moment {
    Moment(us.saturating_mul(1000).saturating_add(clock_ahead))
}

#[cfg(test)]
mod tests;
