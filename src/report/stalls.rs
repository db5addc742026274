//! Stalls: the longest stretches in which a thread did not come back to idle, from the runs of windows.

use super::header::Contents;
use crate::feed::SourceId;
use crate::profile::{FrameKind, Nanos, NodeId};
use crate::session::{Lane, Window};
use rustc_hash::FxHashMap;

/// Stalls kept, the longest.
const KEPT: usize = 100;
/// Shorter ones are ordinary work.
const SHORTEST: u64 = 10_000_000;
/// Runs this far apart still follow on each other: a few samples at 1 kHz.
const TOLERANCE: u64 = 3_000_000;

/// A thread that was busy without a pause.
pub(super) struct Stall {
    /// Whose thread.
    pub source: SourceId,
    /// Its place in the contents' threads.
    pub thread: usize,
    /// Nanoseconds from the first moment.
    pub start: i64,
    /// Nanoseconds.
    pub length: u64,
    /// Nanoseconds by stack, in the order of the session's nodes.
    pub stacks: Vec<(NodeId, u64)>,
}

/// The stalls of a report.
#[derive(Default)]
pub(super) struct Stalls {
    /// Longest first.
    pub longest: Vec<Stall>,
    /// Runs that sources or roll-ups left out: stalls in them are not known.
    pub runs_dropped: u64,
}

/// A stretch that may still go on.
struct Open {
    start: i64,
    end: i64,
    stacks: FxHashMap<NodeId, u64>,
}

impl Stalls {
    /// The stalls in all windows.
    pub fn of(contents: &Contents<'_>) -> Self {
        let mut stalls = Self::default();
        let mut open: FxHashMap<(SourceId, usize), Open> = FxHashMap::default();
        for window in contents.windows.iter().map(|placed| placed.window) {
            for lane in &window.lanes {
                stalls.runs_dropped += lane.runs_dropped;
                let key = (window.source, contents.thread(&lane.thread));
                stalls.take(contents, key, &mut open, window, lane);
            }
        }
        let mut left: Vec<_> = open.into_iter().collect();
        left.sort_by_key(|(key, _)| *key);
        left.into_iter().for_each(|(key, open)| stalls.close(key, open));
        stalls.keep_longest();
        stalls
    }

    fn take(
        &mut self,
        contents: &Contents<'_>,
        key: (SourceId, usize),
        open: &mut FxHashMap<(SourceId, usize), Open>,
        window: &Window,
        lane: &Lane,
    ) {
        let base = contents.offset(window.span.start);
        for (node, offset, length) in lane.runs.iter() {
            let start = base.saturating_add(signed(*offset));
            let end = start.saturating_add(signed(*length));
            let goes_on =
                open.get(&key).is_some_and(|open| start.saturating_sub(open.end) <= TOLERANCE as i64);
            let idle = is_idle(contents, *node);
            if (idle || !goes_on)
                && let Some(done) = open.remove(&key)
            {
                self.close(key, done);
            }
            if !idle {
                open.entry(key)
                    .or_insert(Open { start, end: start, stacks: FxHashMap::default() })
                    .add(*node, start, end);
            }
        }
    }

    fn close(&mut self, (source, thread): (SourceId, usize), open: Open) {
        let length = open.end.saturating_sub(open.start).max(0) as u64;
        if length < SHORTEST {
            return;
        }
        let mut stacks: Vec<(NodeId, u64)> = open.stacks.into_iter().collect();
        stacks.sort_unstable();
        self.longest.push(Stall { source, thread, start: open.start, length, stacks });
        if self.longest.len() >= 4 * KEPT {
            self.keep_longest();
        }
    }

    fn keep_longest(&mut self) {
        self.longest
            .sort_by_key(|stall| (std::cmp::Reverse(stall.length), stall.start, stall.source, stall.thread));
        self.longest.truncate(KEPT);
    }
}

impl Open {
    /// Windows may overlap: what was counted already is not counted again.
    fn add(&mut self, node: NodeId, start: i64, end: i64) {
        let fresh = end.saturating_sub(start.max(self.end)).max(0) as u64;
        *self.stacks.entry(node).or_default() += fresh;
        self.end = self.end.max(end);
    }
}

fn signed(length: Nanos) -> i64 {
    i64::try_from(length.0).unwrap_or(i64::MAX)
}

fn is_idle(contents: &Contents<'_>, node: NodeId) -> bool {
    let tree = contents.session.tree();
    tree.frames().get(tree.frame(node)).kind == FrameKind::Idle
}
