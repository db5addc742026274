//! Samples whose times are known, cut into windows: so that a file can be stepped through as life can.
//!
//! Laws: the windows tile the time from the first sample to the end of the last; the sum of all windows
//! is the whole, in every stack and column; a window's runs add up to its time.

mod cutting;
mod lines;
mod subtree;
#[cfg(test)]
mod tests;

use super::Limits;
use crate::profile::{Frame, Profile, ProfileNode, Sampling, Thread, ValueKind};
use cutting::Cutting;
use std::sync::Arc;

/// Samples of a file at most: over an hour at 1 kHz.
pub(super) const MOST_SAMPLES: usize = 4 << 20;
/// A window is this long, unless there would be too many.
const WINDOW: u64 = 1_000_000_000;
/// Windows of one file at most.
const MOST_WINDOWS: u64 = 300;
/// Runs of one thread in a window at most, as in life.
const MOST_RUNS: usize = 20_000;
/// All times together end here, so that sums of a few files still fit in 64 bits: 36 years.
const MOST_TIME: u64 = 1 << 60;

/// A sample, and how long its stack lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timed {
    /// Number of the thread.
    pub thread: u32,
    /// The node of the stack.
    pub node: u32,
    /// When, in nanoseconds.
    pub at: i64,
    /// How long; zero where nothing was observed after it.
    pub lasted: u64,
    /// How many samples it stands for.
    pub samples: u32,
}

/// The samples of a whole file.
pub(super) struct Timeline {
    /// Whether samples were counted; otherwise only time is known.
    pub counted: bool,
    /// Whether the times are known; otherwise there is one window, without runs.
    pub timed: bool,
    /// What the times are.
    pub kind: ValueKind,
    /// The functions.
    pub frames: Vec<Frame>,
    /// The call tree.
    pub nodes: Vec<ProfileNode>,
    /// The threads.
    pub threads: Vec<Thread>,
    /// The samples.
    pub samples: Vec<Timed>,
    /// Samples by line: thread, node, line, samples.
    pub lines: Vec<(u32, u32, u32, u32)>,
    /// The interval, and what is lost; counts are made here.
    pub sampling: Sampling,
    /// What a reader should know.
    pub notes: Vec<Arc<str>>,
}

impl Timeline {
    /// The windows, in the order of time; one at least.
    pub fn windows(mut self, limits: &Limits) -> Vec<Profile> {
        self.bound();
        self.samples.sort_by_key(|sample| sample.at);
        let start = self.samples.first().map_or(0, |sample| sample.at);
        let end = self.samples.iter().map(Timed::end).max().unwrap_or(start);
        let length = self.window_length(end.abs_diff(start), limits);
        let mut cutting = Cutting::new(&self);
        let mut windows = Vec::new();
        let mut from = start;
        let mut rest = &self.samples[..];
        loop {
            let to = from.saturating_add_unsigned(length).min(end);
            let is_last = to >= end;
            let inside = if is_last { rest.len() } else { rest.partition_point(|sample| sample.at < to) };
            let (now, later) = rest.split_at(inside);
            windows.extend(cutting.window(from, to, now, is_last));
            if is_last {
                break;
            }
            (from, rest) = (to, later);
        }
        if windows.is_empty() {
            windows.push(cutting.empty(start));
        }
        windows
    }

    /// Cuts times off where all together are past [`MOST_TIME`].
    fn bound(&mut self) {
        let mut room = MOST_TIME;
        for sample in &mut self.samples {
            sample.at = sample.at.clamp(0, i64::MAX / 2);
            sample.lasted = sample.lasted.min(room);
            room -= sample.lasted;
        }
        if room == 0 {
            self.notes.push("its times are too great to add up; what did not fit was left out".into());
        }
    }

    /// Every window has the nodes it needs to itself, so a great tree is cut into fewer.
    fn window_length(&self, whole: u64, limits: &Limits) -> u64 {
        if !self.timed {
            return u64::MAX;
        }
        let most = ((limits.nodes / self.nodes.len().max(1)) as u64).clamp(1, MOST_WINDOWS);
        whole.div_ceil(most).div_ceil(WINDOW).max(1).saturating_mul(WINDOW)
    }
}

impl Timed {
    fn end(&self) -> i64 {
        self.at.saturating_add_unsigned(self.lasted)
    }
}
