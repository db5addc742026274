//! Heap profiles: what is allocated is told as a sum since the start, and becomes a delta here.

use crate::profile::{
    Accumulation, CallTree, Fold, Folded, Moment, NodeId, Profile, Span, ValueKind, lift, lower,
};
use std::sync::Arc;

/// What grew from one reading to the next, and what is in use now.
pub(super) enum Growth {
    /// A window over the time between them.
    Window(Box<Profile>),
    /// A sum fell: the target was started anew between them.
    Restarted,
}

/// The window between two readings of a heap profile, the first taken at `from`, the second at `to`.
pub(super) fn between(before: &Profile, now: &Profile, from: Moment, to: Moment) -> Growth {
    let mut tree = CallTree::default();
    let old = lift(&mut tree, before);
    let new = lift(&mut tree, now);
    let sums: Vec<Option<usize>> = now
        .kinds
        .iter()
        .map(|kind| before.kind(&kind.name).filter(|_| kind.accumulation == Accumulation::Delta))
        .collect();
    let mut lanes = Vec::with_capacity(new.len());
    for lane in &new {
        let earlier = old.iter().find(|other| other.thread == lane.thread).map(|other| &other.fold);
        match grown(&tree, earlier, lane, &sums) {
            Some(lane) => lanes.push(lane),
            None => return Growth::Restarted,
        }
    }
    let span = Span::between(from, to);
    let mut window = lower(&tree, span, span.length, now.sampling.clone(), &lanes);
    window.kinds.clone_from(&now.kinds);
    window.notes.clone_from(&now.notes);
    Growth::Window(Box::new(window))
}

/// The lane with its sums less those of `earlier`; `None` when the whole of a sum fell. Single stacks
/// may: their samples are scaled anew at each reading, and rounded.
fn grown(tree: &CallTree, earlier: Option<&Fold>, lane: &Folded, sums: &[Option<usize>]) -> Option<Folded> {
    let fold = &lane.fold;
    let fell = |(column, sum): (usize, &Option<usize>)| {
        sum.zip(earlier).is_some_and(|(sum, earlier)| fold.total(column) < earlier.total(sum))
    };
    if sums.iter().enumerate().any(fell) {
        return None;
    }
    let value = |node: NodeId, at: usize, column: usize| {
        let now = fold.self_values(column)[at];
        let before = sums[column]
            .zip(earlier)
            .and_then(|(sum, earlier)| earlier.position(node).map(|before| earlier.self_values(sum)[before]));
        before.map_or(now, |before| now.saturating_sub(before).max(0))
    };
    let rows: Vec<(NodeId, Vec<i64>)> = fold
        .nodes()
        .iter()
        .enumerate()
        .map(|(at, node)| (*node, (0..sums.len()).map(|column| value(*node, at, column)).collect()))
        .collect();
    let rows: Vec<(NodeId, &[i64])> = rows.iter().map(|(node, values)| (*node, values.as_slice())).collect();
    let kinds: Arc<[ValueKind]> = fold.kinds().clone();
    let fold = Fold::from_rows(tree, kinds, &rows, Vec::new());
    Some(Folded { thread: lane.thread.clone(), fold, runs: Vec::new(), runs_dropped: 0 })
}

/// Whether a profile tells bytes in use or allocated.
pub(super) fn is_heap(profile: &Profile) -> bool {
    ["inuse_space", "space", "alloc_space"].iter().any(|name| profile.kind(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Frame, FrameKind, Nanos, ProfileLane, ProfileNode, Sampling, Thread};

    fn reading(stacks: &[(&str, i64, i64)]) -> Profile {
        let count = stacks.len() as u32;
        let mut nodes = vec![ProfileNode { parent: 0, frame: 0 }];
        nodes.extend((0..count).map(|frame| ProfileNode { parent: 0, frame }));
        Profile {
            kinds: vec![ValueKind::alloc_space(), ValueKind::inuse_space()],
            span: Span::default(),
            covered: Nanos(0),
            sampling: Sampling::default(),
            frames: stacks.iter().map(|(name, ..)| Frame::named(name, FrameKind::Native)).collect(),
            nodes,
            lanes: vec![ProfileLane {
                thread: Thread { pid: 1, tid: 0, name: "heap".into() },
                nodes: (1..=count).collect(),
                columns: vec![
                    stacks.iter().map(|stack| stack.1).collect(),
                    stacks.iter().map(|stack| stack.2).collect(),
                ],
                lines: Vec::new(),
                runs: Vec::new(),
                runs_dropped: 0,
            }],
            notes: Vec::new(),
        }
    }

    #[test]
    fn sums_become_growth_and_levels_stay() {
        let before = reading(&[("f", 100, 10), ("gone", 50, 0)]);
        let now = reading(&[("new", 7, 7), ("f", 130, 20), ("gone", 50, 0)]);
        let Growth::Window(window) = between(&before, &now, Moment(5), Moment(9)) else {
            panic!("nothing was started anew");
        };
        assert!(window.is_sound());
        assert_eq!((window.total(0), window.total(1)), (37, 27));
        assert_eq!(window.span, Span { start: Moment(5), length: Nanos(4) });
        assert_eq!(window.covered, Nanos(4));
    }

    #[test]
    fn a_sum_that_fell_tells_a_restart() {
        let growth = between(&reading(&[("f", 100, 1)]), &reading(&[("f", 5, 1)]), Moment(0), Moment(1));
        assert!(matches!(growth, Growth::Restarted));
    }
}
