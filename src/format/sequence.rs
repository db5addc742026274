//! The stacks of a lane in a row, as formats with a time line want them: in the order they really had
//! where it is known, else one after the other in the order of the call tree.

use super::Export;
use super::export::count_column;
use crate::profile::{Profile, ProfileLane, Run, Unit, ValueKind};
use rustc_hash::FxHashMap;

/// A stretch of one stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The node of the stack; none where nothing was observed.
    pub node: Option<u32>,
    /// How much of the value: of time, nanoseconds.
    pub length: u64,
    /// How many samples.
    pub samples: u64,
}

/// The stacks of a lane in a row.
pub(super) struct Sequence {
    /// One after the other, from the start of the profile's span if the order is real.
    pub pieces: Vec<Piece>,
    /// Whether the order is that of time.
    pub in_time: bool,
}

/// The column of time, else of samples, that an export shows; none of a heap profile.
pub(super) fn time_column(export: &Export<'_>) -> Option<usize> {
    let kinds = &export.profile.kinds;
    let is_time = |kind: &ValueKind| kind.unit == Unit::Nanoseconds;
    if let Some(asked) =
        export.kind.and_then(|name| export.profile.kind(name)).filter(|at| is_time(&kinds[*at]))
    {
        return Some(asked);
    }
    let known =
        ["cpu", "wall"].iter().find_map(|name| export.profile.kind(name)).filter(|at| is_time(&kinds[*at]));
    let time = known.or_else(|| kinds.iter().position(is_time));
    let has_bytes = kinds.iter().any(|kind| kind.unit == Unit::Bytes);
    time.or_else(|| count_column(export.profile).filter(|_| !has_bytes))
}

impl Sequence {
    /// Puts the values of a column in a row.
    pub fn of(profile: &Profile, lane: &ProfileLane, column: usize) -> Self {
        let counts = count_column(profile).map(|at| &lane.columns[at]);
        let values = &lane.columns[column];
        let mut shares: FxHashMap<u32, Share> = FxHashMap::default();
        for (row, node) in lane.nodes.iter().enumerate() {
            let samples = counts.map_or(0, |counts| counts[row]);
            let share = Share { value: positive(values[row]), samples: positive(samples), done: 0 };
            shares.insert(*node, share);
        }
        if profile.kinds[column].unit == Unit::Nanoseconds
            && are_all(&lane.runs, &shares)
            && lane.runs_dropped == 0
        {
            return Self { pieces: timed(lane, shares), in_time: true };
        }
        let row = |node: &u32| Piece {
            node: Some(*node),
            length: shares[node].value,
            samples: shares[node].samples,
        };
        let pieces = lane.nodes.iter().map(row).filter(|piece| piece.length > 0 || piece.samples > 0);
        Self { pieces: pieces.collect(), in_time: false }
    }
}

/// A sample of a sequence of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SampleAt {
    /// The node of the stack; none where nothing was observed.
    pub node: Option<u32>,
    /// Nanoseconds from the start.
    pub at: u64,
    /// Nanoseconds until the next.
    pub length: u64,
}

impl Sequence {
    /// The samples of a sequence of time, evenly within each piece; past `most`, one stands for several.
    /// A stack that went on from a window before has time and no sample: it gets one.
    pub fn samples(&self, most: u64) -> impl Iterator<Item = SampleAt> {
        let all = self.pieces.iter().fold(0_u64, |sum, piece| sum.saturating_add(piece.samples));
        let stands_for = all.div_ceil(most).max(1);
        let mut start = 0_u64;
        self.pieces.iter().flat_map(move |piece| {
            let (node, length, from) = (piece.node, piece.length, start);
            start = start.saturating_add(length);
            let number = piece.samples.div_ceil(stands_for).max(u64::from(length > 0));
            let upto = move |nth: u64| (u128::from(length) * u128::from(nth) / u128::from(number)) as u64;
            (0..number).map(move |nth| SampleAt {
                node,
                at: from.saturating_add(upto(nth)),
                length: upto(nth + 1) - upto(nth),
            })
        })
    }

    /// The same with lengths in other units, `factor` of which are one.
    pub fn scaled(mut self, factor: u64) -> Self {
        self.pieces.iter_mut().for_each(|piece| piece.length = piece.length.saturating_mul(factor));
        self
    }
}

/// What a node has, and how much of it stands in the row already.
struct Share {
    value: u64,
    samples: u64,
    done: u64,
}

impl Share {
    /// The samples of the next `length`, so that all of it has all of them.
    fn take(&mut self, length: u64) -> u64 {
        let upto = |value: u64| u128::from(self.samples) * u128::from(value) / u128::from(self.value.max(1));
        let samples = upto(self.done + length) - upto(self.done);
        self.done += length;
        samples as u64
    }
}

fn positive(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Whether runs are in order and tell all of every node's time.
fn are_all(runs: &[Run], shares: &FxHashMap<u32, Share>) -> bool {
    let mut sums: FxHashMap<u32, u64> = FxHashMap::default();
    let mut end = 0;
    for run in runs {
        if run.offset < end {
            return false;
        }
        end = run.offset.saturating_add(run.length);
        let sum = sums.entry(run.node).or_insert(0);
        *sum = sum.saturating_add(run.length);
    }
    let told = |node: &u32, share: &Share| sums.get(node).copied().unwrap_or(0) == share.value;
    !runs.is_empty()
        && sums.keys().all(|node| shares.contains_key(node))
        && shares.iter().all(|(n, s)| told(n, s))
}

fn timed(lane: &ProfileLane, mut shares: FxHashMap<u32, Share>) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(lane.runs.len());
    let mut end = 0;
    for run in &lane.runs {
        if run.offset > end {
            pieces.push(Piece { node: None, length: run.offset - end, samples: 0 });
        }
        end = run.offset + run.length;
        let samples = shares.get_mut(&run.node).map_or(0, |share| share.take(run.length));
        pieces.push(Piece { node: Some(run.node), length: run.length, samples });
    }
    for node in &lane.nodes {
        if let Some(share) = shares.get(node).filter(|share| share.value == 0 && share.samples > 0) {
            pieces.push(Piece { node: Some(*node), length: 0, samples: share.samples });
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn totals(sequence: &Sequence) -> (u64, u64) {
        let sum =
            |of: fn(&Piece) -> u64| sequence.pieces.iter().filter(|piece| piece.node.is_some()).map(of).sum();
        (sum(|piece| piece.length), sum(|piece| piece.samples))
    }

    #[test]
    fn without_times_stacks_follow_each_other() {
        let profile = fixture::cpu();
        let sequence = Sequence::of(&profile, &profile.lanes[0], 1);
        assert!(!sequence.in_time);
        assert_eq!(totals(&sequence), (750 * 1_000_003, 750));
    }

    #[test]
    fn with_times_the_order_is_theirs_and_gaps_are_told() {
        let mut profile = fixture::cpu();
        let lane = &mut profile.lanes[1];
        let half = lane.columns[1][1] as u64 / 2;
        let runs =
            [(9, 0, half), (1, half, 1_000_003), (9, half + 5_000_000, lane.columns[1][1] as u64 - half)];
        lane.runs = runs.map(|(node, offset, length)| Run { node, offset, length }).to_vec();
        let sequence = Sequence::of(&profile, &profile.lanes[1], 1);
        assert!(sequence.in_time);
        assert_eq!(totals(&sequence), (227 * 1_000_003, 227));
        let order: Vec<Option<u32>> = sequence.pieces.iter().map(|piece| piece.node).collect();
        assert_eq!(order, [Some(9), Some(1), None, Some(9)]);
        profile.lanes[1].runs.pop();
        assert!(
            !Sequence::of(&profile, &profile.lanes[1], 1).in_time,
            "runs that tell only a part are no order"
        );
    }
}
