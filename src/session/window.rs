//! A window on the session's call tree.

use crate::feed::SourceId;
use crate::profile::{
    CallTree, Fold, Folded, Nanos, NodeId, Profile, Sampling, Span, Thread, ValueKind, lift, over_time,
};
use std::sync::Arc;

/// Number of a window in its session, ascending in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowId(pub u64);

/// Values of one thread in one window.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Whose.
    pub thread: Thread,
    /// The values.
    pub fold: Arc<Fold>,
    /// Samples in time: node, offset from the window's start, length.
    pub runs: Arc<[(NodeId, Nanos, Nanos)]>,
    /// Runs that did not fit.
    pub runs_dropped: u64,
}

/// A stretch of time with its samples.
#[derive(Clone, Debug)]
pub struct Window {
    /// Its number.
    pub id: WindowId,
    /// Where it came from.
    pub source: SourceId,
    /// The stretch of time.
    pub span: Span,
    /// How much of it was observed.
    pub covered: Nanos,
    /// How it was taken, and what is missing.
    pub sampling: Sampling,
    /// What its columns mean.
    pub kinds: Arc<[ValueKind]>,
    /// A lane a thread.
    pub lanes: Vec<Lane>,
    /// What a reader should know.
    pub notes: Vec<Arc<str>>,
    /// How many windows as they came are in it: 1, or more after a roll-up.
    pub rolled: u32,
}

impl Window {
    /// The window of a sound profile.
    pub fn lift(tree: &mut CallTree, id: WindowId, source: SourceId, profile: &Profile) -> Self {
        let lanes = lift(tree, profile).into_iter().map(Lane::from).collect();
        Self {
            id,
            source,
            span: profile.span,
            covered: profile.covered,
            sampling: profile.sampling.clone(),
            kinds: profile.kinds.clone().into(),
            lanes,
            notes: profile.notes.clone(),
            rolled: 1,
        }
    }

    /// Bytes of memory, near enough for a budget.
    pub fn bytes(&self) -> usize {
        let lanes: usize = self.lanes.iter().map(|lane| lane.fold.bytes() + lane.runs.len() * 24 + 96).sum();
        lanes + 256
    }

    /// Whether it has that kind of value.
    pub fn has(&self, kind: &str) -> bool {
        self.kinds.iter().any(|known| &*known.name == kind)
    }

    /// Windows of one track, in the order of time, as one. Sample times are given up.
    pub fn roll_up(tree: &CallTree, windows: &[Arc<Self>]) -> Option<Self> {
        let (first, last) = (windows.first()?, windows.last()?);
        let mut rolled = Self { lanes: Vec::new(), ..(**first).clone() };
        rolled.span = first.span.union(last.span);
        rolled.covered = windows.iter().fold(Nanos(0), |sum, w| sum + w.covered);
        rolled.sampling = sum_sampling(windows);
        rolled.rolled = windows.iter().map(|w| w.rolled).sum();
        rolled.notes = windows.iter().flat_map(|w| w.notes.iter().cloned()).collect();
        rolled.notes.dedup();
        rolled.notes.truncate(32);
        for thread in threads_of(windows) {
            let lanes: Vec<&Lane> = lanes_of(windows, &thread).collect();
            let folds: Vec<&Fold> = lanes.iter().map(|lane| &*lane.fold).collect();
            let runs_dropped = lanes.iter().map(|lane| lane.runs_dropped + lane.runs.len() as u64).sum();
            let fold = Arc::new(over_time(tree, &folds));
            rolled.lanes.push(Lane { thread, fold, runs: Arc::new([]), runs_dropped });
        }
        Some(rolled)
    }
}

impl From<Folded> for Lane {
    fn from(folded: Folded) -> Self {
        Self {
            thread: folded.thread,
            fold: Arc::new(folded.fold),
            runs: folded.runs.into(),
            runs_dropped: folded.runs_dropped,
        }
    }
}

/// The threads that have a lane in any of the windows, in the order of their first.
pub(super) fn threads_of(windows: &[Arc<Window>]) -> Vec<Thread> {
    let mut threads: Vec<Thread> = Vec::new();
    for lane in windows.iter().flat_map(|window| &window.lanes) {
        if !threads.contains(&lane.thread) {
            threads.push(lane.thread.clone());
        }
    }
    threads
}

/// One thread's lanes, in the order of the windows.
pub(super) fn lanes_of<'a>(windows: &'a [Arc<Window>], thread: &'a Thread) -> impl Iterator<Item = &'a Lane> {
    windows.iter().flat_map(|window| &window.lanes).filter(move |lane| lane.thread == *thread)
}

/// Counts add up, costs keep the worst, the achieved interval is the mean over all samples.
pub(super) fn sum_sampling(windows: &[Arc<Window>]) -> Sampling {
    let mut sum = windows.first().map_or_else(Sampling::default, |window| window.sampling.clone());
    for more in windows.iter().skip(1).map(|window| &window.sampling) {
        sum.taken += more.taken;
        sum.lost += more.lost;
        sum.truncated += more.truncated;
        sum.handover = sum.handover.max(more.handover);
        sum.handover_bytes += more.handover_bytes;
    }
    let covered: u64 = windows.iter().map(|window| window.covered.0).sum();
    if sum.achieved > 0 && sum.taken > 0 {
        sum.achieved = covered / sum.taken;
    }
    sum
}
