//! The writer's rows: every different (thread, stack, line) of a profile once, with its values.

use crate::format::Export;
use crate::format::export::count_column;
use crate::profile::{Frame, Profile, ProfileLane, Thread};
use rustc_hash::FxHashMap;

/// A profile's stacks, each once, though two of its nodes or frames may be equal. Stack 0 is empty.
pub(in crate::format) struct Stacks {
    /// Caller and frame of each stack; callers come first.
    stacks: Vec<(u32, u32)>,
    /// The stack of each of the profile's nodes.
    of_node: Vec<u32>,
}

impl Stacks {
    pub fn new(profile: &Profile) -> Self {
        let frames = first_equals(&profile.frames);
        let mut ids: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        let mut stacks = vec![(0, 0)];
        let mut of_node = vec![0];
        for node in profile.nodes.iter().skip(1) {
            let key = (of_node[node.parent as usize], frames[node.frame as usize]);
            of_node.push(*ids.entry(key).or_insert_with(|| {
                stacks.push(key);
                stacks.len() as u32 - 1
            }));
        }
        Self { stacks, of_node }
    }

    pub fn parent(&self, stack: u32) -> u32 {
        self.stacks[stack as usize].0
    }

    /// The index of the stack's top frame in the profile's frames.
    pub fn frame(&self, stack: u32) -> usize {
        self.stacks[stack as usize].1 as usize
    }
}

/// For each frame the index of the first that equals it.
fn first_equals(frames: &[Frame]) -> Vec<u32> {
    let mut first: FxHashMap<&Frame, u32> = FxHashMap::default();
    frames.iter().enumerate().map(|(at, frame)| *first.entry(frame).or_insert(at as u32)).collect()
}

/// What a sample is of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::format) struct Row {
    /// Index into [`Rows::threads`].
    pub thread: u32,
    /// The stack.
    pub stack: u32,
    /// Line in the stack's top frame; 0 when unknown.
    pub line: u32,
}

/// Every row of an export.
pub(in crate::format) struct Rows<'a> {
    pub threads: Vec<&'a Thread>,
    numbers: FxHashMap<&'a Thread, u32>,
    width: usize,
    /// Each row with its place in `values`.
    places: Vec<(Row, u32)>,
    values: Vec<i64>,
}

impl<'a> Rows<'a> {
    /// The rows of everything that the export does not leave out, in order.
    pub fn gather(export: &Export<'a>, stacks: &Stacks) -> Self {
        let profile = export.profile;
        let mut rows = Self {
            threads: Vec::new(),
            numbers: FxHashMap::default(),
            width: profile.kinds.len(),
            places: Vec::new(),
            values: Vec::new(),
        };
        let counts = count_column(profile);
        for lane in &profile.lanes {
            let thread = rows.thread(&lane.thread);
            for (at, node) in lane.nodes.iter().enumerate().filter(|(_, node)| !export.leaves_out(**node)) {
                let row = Row { thread, stack: stacks.of_node[*node as usize], line: 0 };
                // Without a count, reading could not restore lines; without a stack there are none.
                let lined = counts.is_some() && row.stack != 0;
                rows.split(row, lane, at, if lined { lines_of(lane, *node) } else { &[] });
            }
        }
        rows.places.sort_unstable();
        rows
    }

    /// An upper bound of the rows.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Calls `emit` for every row with the sum of its values.
    pub fn each(&self, mut emit: impl FnMut(Row, &[i64])) {
        let mut sums = vec![0; self.width];
        for equal in self.places.chunk_by(|a, b| a.0 == b.0) {
            sums.fill(0);
            for (_, place) in equal {
                let from = *place as usize * self.width;
                for (sum, value) in sums.iter_mut().zip(&self.values[from..from + self.width]) {
                    *sum = i64::saturating_add(*sum, *value);
                }
            }
            emit(equal[0].0, &sums);
        }
    }

    fn thread(&mut self, thread: &'a Thread) -> u32 {
        let threads = &mut self.threads;
        *self.numbers.entry(thread).or_insert_with(|| {
            threads.push(thread);
            threads.len() as u32 - 1
        })
    }

    /// Adds the values of one node, shared out over its lines.
    fn split(&mut self, row: Row, lane: &ProfileLane, at: usize, lines: &[(u32, u32, u32)]) {
        let whole: u128 = lines.iter().map(|line| u128::from(line.2)).sum();
        let place = self.values.len() / self.width.max(1);
        if whole == 0 {
            self.places.push((row, place as u32));
            self.values.extend(lane.columns.iter().map(|column| column[at]));
            return;
        }
        for (nth, line) in lines.iter().enumerate() {
            self.places.push((Row { line: line.1, ..row }, (place + nth) as u32));
        }
        self.values.resize(self.values.len() + lines.len() * self.width, 0);
        for (column, values) in lane.columns.iter().enumerate() {
            for (nth, share) in shares(values[at], lines, whole).into_iter().enumerate() {
                self.values[(place + nth) * self.width + column] = share;
            }
        }
    }
}

/// The lines of a node.
fn lines_of(lane: &ProfileLane, node: u32) -> &[(u32, u32, u32)] {
    let from = lane.lines.partition_point(|line| line.0 < node);
    let to = lane.lines.partition_point(|line| line.0 <= node);
    &lane.lines[from..to]
}

/// Shares `value` out by the lines' samples: largest remainder, so that the shares add up to it.
fn shares(value: i64, lines: &[(u32, u32, u32)], whole: u128) -> Vec<i64> {
    let value = u128::try_from(value).unwrap_or(0);
    let exact = |line: &(u32, u32, u32)| value * u128::from(line.2);
    let mut shares: Vec<i64> = lines.iter().map(|line| (exact(line) / whole) as i64).collect();
    let given: u128 = shares.iter().map(|share| *share as u128).sum();
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|nth| (std::cmp::Reverse(exact(&lines[*nth]) % whole), *nth));
    for nth in order.into_iter().take((value - given) as usize) {
        shares[nth] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_follow_the_lines() {
        let lines = [(1, 10, 1), (1, 11, 1), (1, 12, 1)];
        assert_eq!(shares(10, &lines, 3), [4, 3, 3]);
        assert_eq!(shares(3, &lines, 3), [1, 1, 1]);
        assert_eq!(shares(i64::MAX, &lines, 3).iter().sum::<i64>(), i64::MAX);
        assert_eq!(shares(7, &[(1, 1, 0), (1, 2, 5)], 5), [0, 7]);
    }
}
