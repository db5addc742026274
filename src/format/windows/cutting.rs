//! One window after the other out of a [`Timeline`].

use super::lines::Lines;
use super::subtree::Subtree;
use super::{MOST_RUNS, Timed, Timeline};
use crate::profile::{FrameKind, Moment, Nanos, Profile, ProfileLane, Run, Sampling, Span, ValueKind};
use rustc_hash::FxHashMap;

/// Samples and nanoseconds of one stack of one thread.
#[derive(Clone, Copy, Default)]
struct Weight {
    samples: u64,
    time: u64,
}

/// A row of a window: thread, node of the whole, values.
type Row = (u32, u32, Weight);

/// Where the cut is.
pub(super) struct Cutting<'a> {
    whole: &'a Timeline,
    lines: Lines,
    tree: Subtree<'a>,
    /// What goes on past the end of the window before.
    carried: Vec<Timed>,
    /// Whether the runtime cut a node's stack.
    is_cut: Vec<bool>,
}

impl<'a> Cutting<'a> {
    /// At the beginning.
    pub fn new(whole: &'a Timeline) -> Self {
        let mut is_cut = vec![false; whole.nodes.len()];
        for at in 1..is_cut.len() {
            let node = whole.nodes[at];
            let own = whole.frames[node.frame as usize].kind == FrameKind::Truncated;
            is_cut[at] = own || is_cut[node.parent as usize];
        }
        Self { whole, lines: Lines::new(whole), tree: Subtree::new(whole), carried: Vec::new(), is_cut }
    }

    /// The window up to `to`, in which the samples of `begun` began; none where nothing was observed.
    pub fn window(&mut self, from: i64, to: i64, begun: &[Timed], is_last: bool) -> Option<Profile> {
        let mut parts = std::mem::take(&mut self.carried);
        parts.extend_from_slice(begun);
        if parts.is_empty() {
            return None;
        }
        for part in &mut parts {
            let room = to.abs_diff(part.at.min(to));
            if part.lasted > room && !is_last {
                self.carried.push(Timed { at: to, lasted: part.lasted - room, samples: 0, ..*part });
                part.lasted = room;
            }
        }
        Some(self.profile(Span::between(Moment(from), Moment(to)), &parts))
    }

    /// A window without anything in it.
    pub fn empty(&mut self, at: i64) -> Profile {
        self.profile(Span::between(Moment(at), Moment(at)), &[])
    }

    fn profile(&mut self, span: Span, parts: &[Timed]) -> Profile {
        let rows = rows(parts);
        let mut runs = self.runs(span, parts);
        let taken = rows.iter().map(|row| row.2.samples).sum();
        let truncated = rows.iter().filter(|row| self.is_cut[row.1 as usize]).map(|row| row.2.samples).sum();
        let (mut lanes, mut covered) = (Vec::new(), 0);
        for rows in rows.chunk_by(|a, b| a.0 == b.0) {
            covered = rows.iter().map(|row| row.2.time).sum::<u64>().max(covered);
            lanes.push(self.lane(rows, runs.remove(&rows[0].0).unwrap_or_default()));
        }
        let (frames, nodes) = self.tree.take();
        let kinds = [ValueKind::samples(), self.whole.kind.clone()];
        let achieved = covered.checked_div(taken).unwrap_or(0);
        Profile {
            kinds: kinds.into_iter().skip(usize::from(!self.whole.counted)).collect(),
            span,
            covered: Nanos(covered).min(span.length),
            sampling: Sampling { achieved, taken, truncated, ..self.whole.sampling.clone() },
            frames,
            nodes,
            lanes,
            notes: self.whole.notes.clone(),
        }
    }

    fn runs(&mut self, span: Span, parts: &[Timed]) -> FxHashMap<u32, Runs> {
        let mut runs: FxHashMap<u32, Runs> = FxHashMap::default();
        for part in parts.iter().filter(|part| self.whole.timed && part.lasted > 0) {
            let offset = Moment(part.at).since(span.start).0;
            let run = Run { node: self.tree.node(part.node), offset, length: part.lasted };
            runs.entry(part.thread).or_default().add(run);
        }
        runs
    }

    fn lane(&mut self, rows: &[Row], runs: Runs) -> ProfileLane {
        let thread = rows[0].0;
        let mut own: Vec<(u32, u32, Weight)> =
            rows.iter().map(|row| (self.tree.node(row.1), row.1, row.2)).collect();
        own.sort_unstable_by_key(|row| row.0);
        let mut lines = Vec::new();
        for (node, of_whole, weight) in &own {
            let shares = self.lines.take(thread, *of_whole, weight.samples);
            lines.extend(shares.into_iter().map(|(line, samples)| (*node, line, samples)));
        }
        lines.sort_unstable();
        let counts = own.iter().map(|row| row.2.samples as i64).collect();
        let times = own.iter().map(|row| row.2.time as i64).collect();
        let columns: [Vec<i64>; 2] = [counts, times];
        ProfileLane {
            thread: self.whole.threads[thread as usize].clone(),
            nodes: own.iter().map(|row| row.0).collect(),
            columns: columns.into_iter().skip(usize::from(!self.whole.counted)).collect(),
            lines,
            runs: runs.list,
            runs_dropped: runs.dropped,
        }
    }
}

/// The values of each thread and node, in order.
fn rows(parts: &[Timed]) -> Vec<Row> {
    let mut weights: FxHashMap<(u32, u32), Weight> = FxHashMap::default();
    for part in parts {
        let weight = weights.entry((part.thread, part.node)).or_default();
        weight.samples += u64::from(part.samples);
        weight.time += part.lasted;
    }
    let mut rows: Vec<Row> =
        weights.into_iter().map(|((thread, node), weight)| (thread, node, weight)).collect();
    rows.sort_unstable_by_key(|row| (row.0, row.1));
    rows
}

/// Runs of one thread.
#[derive(Default)]
struct Runs {
    list: Vec<Run>,
    dropped: u64,
}

impl Runs {
    fn add(&mut self, run: Run) {
        let is_full = self.list.len() >= MOST_RUNS;
        match self.list.last_mut() {
            Some(last) if last.node == run.node && last.offset + last.length == run.offset => {
                last.length += run.length;
            }
            _ if is_full => self.dropped += 1,
            _ => self.list.push(run),
        }
    }
}
