//! Samples of a file on their way into a [`Profile`]: equal stacks become one
//! node, equal (thread, stack) pairs one row. Shared by every reader; nothing here knows a format.
//!
//! Bounded by the reader's [`Limits`]: past the nodes a stack ends in its caller, past the cells the
//! file is refused, and sums stop short of overflow. What was cut is counted, and [`Gathering::notes`]
//! says it.

use super::{Limits, ReadError};
use crate::profile::{
    Frame, Nanos, Profile, ProfileLane, ProfileNode, Run, Sampling, Span, Thread, Unit, ValueKind,
};
use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

/// Sums of absolute values end here, so that any few profiles can be added up without overflow:
/// 36 years of nanoseconds, an exabyte.
const MOST: u64 = 1 << 60;

/// Whole stacks remembered at most.
const STACKS: usize = 1 << 20;

/// What one sample type's numbers are worth.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// What they mean.
    pub kind: ValueKind,
    /// What one unit of the file is in the kind's unit.
    factor: i64,
    /// What is left until [`MOST`].
    room: u64,
}

impl Column {
    /// A column whose file counts in units of `factor` of the kind's own.
    pub fn new(kind: ValueKind, factor: i64) -> Self {
        Self { kind, factor, room: MOST }
    }

    /// The value in the kind's unit, as far as there is room.
    fn take(&mut self, value: i64) -> i64 {
        let scaled = value.saturating_mul(self.factor);
        let size = scaled.unsigned_abs().min(self.room);
        self.room -= size;
        if scaled < 0 { -(size as i64) } else { size as i64 }
    }
}

/// Values by thread, stack and line, while they are gathered.
pub(super) struct Gathering<'a> {
    limits: &'a Limits,
    /// The sample types.
    pub columns: Vec<Column>,
    /// The column that counts samples.
    counts: Option<usize>,
    nodes: Vec<ProfileNode>,
    children: HashTable<u32>,
    /// Thread and node of each row.
    rows: Vec<(u32, u32)>,
    row_index: HashTable<u32>,
    /// The rows' values, as many each as there are columns.
    values: Vec<i64>,
    /// Samples by row and line.
    lines: FxHashMap<(u32, u32), u32>,
    /// Samples in time, by thread.
    runs: FxHashMap<u32, Vec<Run>>,
    /// Frames and nodes of the stack before, root first.
    path: Vec<(u32, u32)>,
    /// The nodes of whole stacks by a hash of their frames: files that are in no order ask for the same
    /// stacks again and again, each frame of which would be a jump through memory.
    stacks: FxHashMap<u64, u32>,
    /// Samples whose stack ended early for want of nodes.
    cut: u64,
    lines_left_out: u64,
}

impl<'a> Gathering<'a> {
    /// Nothing yet, in these columns.
    pub fn new(limits: &'a Limits, columns: Vec<Column>) -> Self {
        let counts = columns.iter().position(|column| column.kind.unit == Unit::Count);
        Self {
            limits,
            columns,
            counts,
            nodes: vec![ProfileNode { parent: 0, frame: 0 }],
            children: HashTable::new(),
            rows: Vec::new(),
            row_index: HashTable::new(),
            values: Vec::new(),
            lines: FxHashMap::default(),
            runs: FxHashMap::default(),
            path: Vec::new(),
            stacks: FxHashMap::default(),
            cut: 0,
            lines_left_out: 0,
        }
    }

    /// How many values a row has.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The node at the end of `frames`, which are root first. Walks only from where the stack leaves the
    /// one before, and not at all for a stack that was met before.
    pub fn walk(&mut self, frames: impl Iterator<Item = u32> + Clone) -> u32 {
        let mut path = std::mem::take(&mut self.path);
        if starts_with(&path, frames.clone()) {
            path.truncate(frames.count());
        } else {
            let hash = hash_of(frames.clone());
            if !self.recall(hash, frames.clone(), &mut path) {
                let same = shared(&path, frames.clone());
                path.truncate(same);
                let is_whole = self.extend(frames.skip(same), &mut path);
                if is_whole && self.stacks.len() < STACKS {
                    self.stacks.insert(hash, path.last().map_or(0, |last| last.1));
                }
            }
        }
        let node = path.last().map_or(0, |last| last.1);
        self.path = path;
        node
    }

    /// Fills `path` with a stack that was met before. Proved frame by frame: two stacks may share a hash; then
    /// `path` holds the other.
    fn recall(&self, hash: u64, frames: impl Iterator<Item = u32>, path: &mut Vec<(u32, u32)>) -> bool {
        let Some(known) = self.stacks.get(&hash) else { return false };
        path.clear();
        let mut at = *known;
        while at != 0 {
            let node = self.nodes[at as usize];
            path.push((node.frame, at));
            at = node.parent;
        }
        path.reverse();
        path.iter().map(|part| part.0).eq(frames)
    }

    /// Walks on from the end of `path`; false when the stack had to end early.
    fn extend(&mut self, frames: impl Iterator<Item = u32>, path: &mut Vec<(u32, u32)>) -> bool {
        let mut node = path.last().map_or(0, |known| known.1);
        for frame in frames {
            let Some(child) = self.child(node, frame) else {
                self.cut += 1;
                return false;
            };
            node = child;
            path.push((frame, node));
        }
        true
    }

    /// The node of `frame` called by `parent`; none when there are too many nodes.
    pub fn child(&mut self, parent: u32, frame: u32) -> Option<u32> {
        let wanted = ProfileNode { parent, frame };
        let nodes = &mut self.nodes;
        let hash = |node: &ProfileNode| FxBuildHasher.hash_one((node.parent, node.frame));
        if let Some(known) = self.children.find(hash(&wanted), |at| nodes[*at as usize] == wanted) {
            return Some(*known);
        }
        if nodes.len() >= self.limits.nodes {
            return None;
        }
        let at = nodes.len() as u32;
        nodes.push(wanted);
        self.children.insert_unique(hash(&wanted), at, |at| hash(&nodes[*at as usize]));
        Some(at)
    }

    /// The node of `frame` called by `caller`; the caller itself, which is told, when there are too many.
    pub fn descend(&mut self, caller: u32, frame: u32) -> u32 {
        self.child(caller, frame).unwrap_or_else(|| {
            self.cut += 1;
            caller
        })
    }

    /// The row of a thread and a node; `offset` is where the file is being read.
    pub fn row(&mut self, thread: u32, node: u32, offset: u64) -> Result<u32, ReadError> {
        let rows = &mut self.rows;
        let hash = |row: &(u32, u32)| FxBuildHasher.hash_one(row);
        if let Some(known) =
            self.row_index.find(hash(&(thread, node)), |at| rows[*at as usize] == (thread, node))
        {
            return Ok(*known);
        }
        let limit = self.limits.cells as u64;
        if (self.values.len() + self.columns.len()) as u64 > limit {
            return Err(ReadError::TooMuch { what: "values", limit, offset });
        }
        let at = rows.len() as u32;
        rows.push((thread, node));
        self.row_index.insert_unique(hash(&(thread, node)), at, |at| hash(&rows[*at as usize]));
        self.values.resize(self.values.len() + self.columns.len(), 0);
        Ok(at)
    }

    /// Adds a sample's values, in the file's units, to its row; gives how many samples it stands for.
    pub fn add(&mut self, row: u32, values: &[i64]) -> u32 {
        let mut counted = 1;
        let from = row as usize * self.columns.len();
        for (nth, value) in values.iter().enumerate() {
            let value = self.columns[nth].take(*value);
            self.values[from + nth] += value;
            if self.counts == Some(nth) {
                counted = u32::try_from(value.max(0)).unwrap_or(u32::MAX);
            }
        }
        counted
    }

    /// Adds samples of one line of the row's function.
    pub fn count_line(&mut self, row: u32, line: u32, samples: u32) {
        if samples == 0 {
            return;
        }
        if self.lines.len() >= self.limits.cells && !self.lines.contains_key(&(row, line)) {
            self.lines_left_out += 1;
            return;
        }
        let known = self.lines.entry((row, line)).or_insert(0);
        *known = known.saturating_add(samples);
    }

    /// Adds a stretch of time that a thread spent in one stack; to be given in the order of time.
    pub fn add_run(&mut self, thread: u32, run: Run) {
        let runs = self.runs.entry(thread).or_default();
        match runs.last_mut() {
            Some(last) if last.node == run.node && last.offset + last.length == run.offset => {
                last.length = last.length.saturating_add(run.length);
            }
            _ => runs.push(run),
        }
    }

    /// What was cut, in sentences.
    pub fn notes(&self) -> Vec<Arc<str>> {
        let full = self.columns.iter().filter(|column| column.room == 0).count() as u64;
        let counted = [
            (self.cut, "stacks end early: the file has more different ones than flametop keeps"),
            (self.lines_left_out, "line counts were left out: the file has more than flametop keeps"),
            (full, "sample types have values too great to add up; what did not fit was left out"),
        ];
        counted
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}").into())
            .collect()
    }

    /// The sum of a column so far.
    pub fn sum(&self, column: usize) -> i64 {
        self.values.iter().skip(column).step_by(self.columns.len().max(1)).sum()
    }

    /// The profile of a file that tells neither times nor threads, of so many samples.
    pub fn finish_untimed(self, frames: Frames, taken: i64, notes: Vec<Arc<str>>) -> Profile {
        let kinds = self.columns.iter().map(|column| column.kind.clone()).collect();
        let (nodes, lanes) = self.finish(&[Thread { pid: 0, tid: 0, name: "".into() }]);
        Profile {
            kinds,
            span: Span::default(),
            covered: Nanos(0),
            sampling: Sampling { taken: u64::try_from(taken).unwrap_or(0), ..Sampling::default() },
            frames: frames.finish(),
            nodes,
            lanes,
            notes,
        }
    }

    /// The call tree and a lane for each thread that has rows, in the order of `threads`.
    pub fn finish(mut self, threads: &[Thread]) -> (Vec<ProfileNode>, Vec<ProfileLane>) {
        let mut order: Vec<u32> = (0..self.rows.len() as u32).collect();
        order.sort_unstable_by_key(|row| self.rows[*row as usize]);
        let mut lines: Vec<(u32, u32, u32)> =
            self.lines.drain().map(|((row, line), count)| (row, line, count)).collect();
        lines.sort_unstable();
        let by_thread = order.chunk_by(|a, b| self.rows[*a as usize].0 == self.rows[*b as usize].0);
        let mut runs = std::mem::take(&mut self.runs);
        let lane = |rows: &[u32]| {
            let thread = self.rows[rows[0] as usize].0;
            self.lane(rows, &lines, threads[thread as usize].clone(), runs.remove(&thread))
        };
        let lanes = by_thread.map(lane).collect();
        (self.nodes, lanes)
    }

    fn lane(
        &self,
        rows: &[u32],
        lines: &[(u32, u32, u32)],
        thread: Thread,
        runs: Option<Vec<Run>>,
    ) -> ProfileLane {
        let width = self.columns.len();
        let node = |row: &u32| self.rows[*row as usize].1;
        let column = |at: usize| rows.iter().map(|row| self.values[*row as usize * width + at]).collect();
        let lines_of = |row: &u32| {
            let from = lines.partition_point(|line| line.0 < *row);
            let of_row = lines[from..].iter().take_while(|line| line.0 == *row);
            of_row.map(|line| (node(row), line.1, line.2)).collect::<Vec<_>>()
        };
        ProfileLane {
            thread,
            nodes: rows.iter().map(node).collect(),
            columns: (0..width).map(column).collect(),
            lines: rows.iter().flat_map(lines_of).collect(),
            runs: runs.unwrap_or_default(),
            runs_dropped: 0,
        }
    }
}

/// Whether a path begins with all of `frames`.
fn starts_with(path: &[(u32, u32)], frames: impl Iterator<Item = u32>) -> bool {
    let mut parts = path.iter();
    frames.into_iter().all(|frame| parts.next().is_some_and(|part| part.0 == frame))
}

/// How many frames a path and a stack share from the root on.
fn shared(path: &[(u32, u32)], frames: impl Iterator<Item = u32>) -> usize {
    path.iter().zip(frames).take_while(|(part, frame)| part.0 == *frame).count()
}

fn hash_of(frames: impl Iterator<Item = u32>) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    frames.for_each(|frame| hasher.write_u32(frame));
    hasher.finish()
}

/// The different frames of a file, numbered.
#[derive(Default)]
pub(super) struct Frames {
    list: Vec<Frame>,
    numbers: FxHashMap<Frame, u32>,
}

impl Frames {
    /// The number of a frame, whose texts are clean; `offset` is where the file is being read.
    pub fn number(&mut self, frame: Frame, limits: &Limits, offset: u64) -> Result<u32, ReadError> {
        if let Some(known) = self.numbers.get(&frame) {
            return Ok(*known);
        }
        if self.list.len() as u64 >= limits.table_entries {
            return Err(ReadError::TooMuch { what: "functions", limit: limits.table_entries, offset });
        }
        let number = self.list.len() as u32;
        self.list.push(frame.clone());
        self.numbers.insert(frame, number);
        Ok(number)
    }

    /// The frame of a number that was given.
    pub fn get(&self, number: u32) -> &Frame {
        &self.list[number as usize]
    }

    /// Every frame, in the order of their numbers.
    pub fn finish(self) -> Vec<Frame> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::FrameKind;

    fn thread(name: &str) -> Thread {
        Thread { pid: 1, tid: 0, name: name.into() }
    }

    #[test]
    fn equal_stacks_of_a_thread_are_one_row_and_threads_are_lanes() {
        let limits = Limits::default();
        let columns = vec![Column::new(ValueKind::samples(), 1), Column::new(ValueKind::cpu(), 1000)];
        let mut gathered = Gathering::new(&limits, columns);
        for (thread, stack, us) in [(1, [0, 1], 5), (0, [0, 1], 7), (1, [0, 1], 2), (0, [0, 2], 1)] {
            let node = gathered.walk(stack.into_iter());
            let row = gathered.row(thread, node, 0).expect("within limits");
            assert_eq!(gathered.add(row, &[1, us]), 1);
        }
        assert_eq!(gathered.sum(1), 15_000);
        let (nodes, lanes) = gathered.finish(&[thread("a"), thread("b")]);
        assert_eq!(nodes.len(), 4);
        assert_eq!(lanes[0].columns, [vec![1, 1], vec![7_000, 1_000]]);
        assert_eq!(lanes[1].columns, [vec![2], vec![7_000]]);
        assert_eq!((&*lanes[0].thread.name, &*lanes[1].thread.name), ("a", "b"));
    }

    #[test]
    fn limits_cut_stacks_refuse_rows_and_are_told() {
        let limits = Limits { nodes: 3, cells: 2, table_entries: 1, ..Limits::default() };
        let mut gathered = Gathering::new(&limits, vec![Column::new(ValueKind::samples(), 1)]);
        assert_eq!(gathered.walk([0, 1, 2].into_iter()), 2);
        assert!(gathered.notes()[0].contains("stacks end early"));
        assert!(gathered.row(0, 0, 0).is_ok() && gathered.row(0, 1, 0).is_ok());
        assert!(matches!(gathered.row(0, 2, 9), Err(ReadError::TooMuch { offset: 9, .. })));
        let mut frames = Frames::default();
        assert!(frames.number(Frame::named("a", FrameKind::Js), &limits, 0).is_ok());
        assert!(frames.number(Frame::named("b", FrameKind::Js), &limits, 0).is_err());
        assert_eq!(frames.finish().len(), 1);
    }

    #[test]
    fn a_stack_met_before_is_the_same_node_whatever_came_between() {
        let limits = Limits::default();
        let mut gathered = Gathering::new(&limits, vec![Column::new(ValueKind::samples(), 1)]);
        let stacks = [vec![0, 1, 2], vec![3], vec![0, 1], vec![], vec![0, 1, 2, 3], vec![1, 0, 2]];
        let mut walk = |stack: &Vec<u32>| gathered.walk(stack.iter().copied());
        let first: Vec<u32> = stacks.iter().map(&mut walk).collect();
        let again: Vec<u32> = stacks.iter().rev().map(&mut walk).collect();
        assert_eq!(first, again.into_iter().rev().collect::<Vec<_>>());
        let different: std::collections::BTreeSet<u32> = first.into_iter().collect();
        assert_eq!(different.len(), stacks.len());
        // As if two stacks shared a hash: the proof finds out.
        let wrong = gathered.stacks.values().copied().max().expect("some are known");
        gathered.stacks.values_mut().for_each(|node| *node = wrong);
        let third: Vec<u32> = stacks.iter().map(|stack| gathered.walk(stack.iter().copied())).collect();
        assert_eq!(third, different_order(&mut gathered, &stacks));
    }

    /// The nodes by walking child by child.
    fn different_order(gathered: &mut Gathering<'_>, stacks: &[Vec<u32>]) -> Vec<u32> {
        let step =
            |at: u32, frame: &u32, gathered: &mut Gathering<'_>| gathered.child(at, *frame).expect("known");
        stacks.iter().map(|stack| stack.iter().fold(0, |at, frame| step(at, frame, gathered))).collect()
    }

    #[test]
    fn neighbouring_runs_of_one_stack_are_one() {
        let limits = Limits::default();
        let mut gathered = Gathering::new(&limits, vec![Column::new(ValueKind::samples(), 1)]);
        let node = gathered.walk([0].into_iter());
        let row = gathered.row(0, node, 0).expect("within limits");
        gathered.add(row, &[3]);
        for (offset, length) in [(0, 5), (5, 5), (20, 1)] {
            gathered.add_run(0, Run { node, offset, length });
        }
        let runs = &gathered.finish(&[thread("a")]).1[0].runs;
        assert_eq!(runs[..], [Run { node, offset: 0, length: 10 }, Run { node, offset: 20, length: 1 }]);
    }
}
