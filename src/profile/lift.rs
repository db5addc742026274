//! Between the two forms of a profile: [`lift`] puts a window on the session's call tree, [`lower`]
//! makes a self-contained profile of folds again.

use super::fold::{Fold, LineCost};
use super::frame::{Frame, FrameKind};
use super::ids::{FrameId, NodeId};
use super::tree::{CallTree, MAX_DEPTH};
use super::value::ValueKind;
use super::wire::{Profile, ProfileLane, ProfileNode, Run, Sampling, Thread};
use super::{Nanos, Span};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A lane of a window on the session's tree.
#[derive(Clone, Debug)]
pub struct Folded {
    /// Whose values these are.
    pub thread: Thread,
    /// Its values.
    pub fold: Fold,
    /// Its samples in time: node, offset from the window's start and length, in nanoseconds.
    pub runs: Vec<(NodeId, Nanos, Nanos)>,
    /// Runs that the source left out for want of room.
    pub runs_dropped: u64,
}

/// Puts a sound profile on the tree. Stacks deeper than [`MAX_DEPTH`] lose their middle, and a frame
/// in its place says so.
pub fn lift(tree: &mut CallTree, profile: &Profile) -> Vec<Folded> {
    let map = lift_nodes(tree, profile);
    let kinds: Arc<[ValueKind]> = profile.kinds.clone().into();
    profile.lanes.iter().map(|lane| lift_lane(tree, &kinds, lane, &map)).collect()
}

fn lift_lane(tree: &CallTree, kinds: &Arc<[ValueKind]>, lane: &ProfileLane, map: &[NodeId]) -> Folded {
    let width = kinds.len();
    let mut values = Vec::with_capacity(lane.nodes.len() * width);
    for row in 0..lane.nodes.len() {
        values.extend(lane.columns.iter().map(|column| column[row]));
    }
    let empty: &[i64] = &[];
    let rows: Vec<(NodeId, &[i64])> = lane
        .nodes
        .iter()
        .enumerate()
        .map(|(row, node)| (map[*node as usize], values.get(row * width..(row + 1) * width).unwrap_or(empty)))
        .collect();
    let lines = lane
        .lines
        .iter()
        .map(|(node, line, samples)| LineCost { node: map[*node as usize], line: *line, samples: *samples })
        .collect();
    let runs =
        lane.runs.iter().map(|run| (map[run.node as usize], Nanos(run.offset), Nanos(run.length))).collect();
    let fold = Fold::from_rows(tree, kinds.clone(), &rows, lines);
    Folded { thread: lane.thread.clone(), fold, runs, runs_dropped: lane.runs_dropped }
}

/// The session's node of every node of the profile.
fn lift_nodes(tree: &mut CallTree, profile: &Profile) -> Vec<NodeId> {
    let frames: Vec<FrameId> = profile.frames.iter().map(|frame| tree.intern_frame(frame)).collect();
    let mut map = vec![CallTree::ROOT; profile.nodes.len()];
    let mut depth = vec![0u32; profile.nodes.len()];
    for at in 1..profile.nodes.len() {
        let node = profile.nodes[at];
        depth[at] = depth[node.parent as usize] + 1;
        if depth[at] as usize <= MAX_DEPTH {
            map[at] = tree.child(map[node.parent as usize], frames[node.frame as usize]);
        }
    }
    let deep: Vec<usize> = (1..depth.len()).filter(|at| depth[*at] as usize > MAX_DEPTH).collect();
    if !deep.is_empty() {
        lift_deep(tree, profile, &frames, &deep, &depth, &mut map);
    }
    map
}

/// Places nodes that lie too deep, but only those that hold values: first half, a mark, last half.
fn lift_deep(
    tree: &mut CallTree,
    profile: &Profile,
    frames: &[FrameId],
    deep: &[usize],
    depth: &[u32],
    map: &mut [NodeId],
) {
    let valued = valued_nodes(profile);
    let mark = tree.intern_frame(&Frame::named("(frames left out)", FrameKind::Truncated));
    let ends = MAX_DEPTH / 2;
    for at in deep.iter().copied().filter(|at| valued[*at]) {
        let mut path = Vec::with_capacity(depth[at] as usize);
        let mut node = at;
        while node != 0 {
            path.push(frames[profile.nodes[node].frame as usize]);
            node = profile.nodes[node].parent as usize;
        }
        path.reverse();
        let tail = path.len() - (ends - 1);
        let kept = path[..ends].iter().chain([&mark]).chain(&path[tail..]);
        map[at] = kept.fold(CallTree::ROOT, |node, frame| tree.child(node, *frame));
    }
}

fn valued_nodes(profile: &Profile) -> Vec<bool> {
    let mut valued = vec![false; profile.nodes.len()];
    for lane in &profile.lanes {
        let nodes = lane.nodes.iter().copied();
        let others = lane.runs.iter().map(|run| run.node).chain(lane.lines.iter().map(|line| line.0));
        nodes.chain(others).for_each(|node| valued[node as usize] = true);
    }
    valued
}

/// Makes a self-contained profile of lanes on the tree. All lanes must have the same kinds.
pub fn lower(tree: &CallTree, span: Span, covered: Nanos, sampling: Sampling, lanes: &[Folded]) -> Profile {
    let mut lowering = Lowering::new(tree);
    let kinds = lanes.first().map_or_else(Vec::new, |lane| lane.fold.kinds().to_vec());
    let lanes = lanes.iter().map(|lane| lowering.lane(lane)).collect();
    Profile {
        kinds,
        span,
        covered,
        sampling,
        frames: lowering.frames,
        nodes: lowering.nodes,
        lanes,
        notes: Vec::new(),
    }
}

struct Lowering<'a> {
    tree: &'a CallTree,
    frames: Vec<Frame>,
    frame_at: FxHashMap<FrameId, u32>,
    nodes: Vec<ProfileNode>,
    node_at: FxHashMap<NodeId, u32>,
}

impl<'a> Lowering<'a> {
    fn new(tree: &'a CallTree) -> Self {
        let mut lowering = Self {
            tree,
            frames: Vec::new(),
            frame_at: FxHashMap::default(),
            nodes: Vec::new(),
            node_at: FxHashMap::default(),
        };
        let frame = lowering.frame(tree.frame(CallTree::ROOT));
        lowering.nodes.push(ProfileNode { parent: 0, frame });
        lowering.node_at.insert(CallTree::ROOT, 0);
        lowering
    }

    fn frame(&mut self, id: FrameId) -> u32 {
        let (frames, tree) = (&mut self.frames, self.tree);
        *self.frame_at.entry(id).or_insert_with(|| {
            frames.push(tree.frames().get(id).clone());
            frames.len() as u32 - 1
        })
    }

    fn node(&mut self, id: NodeId) -> u32 {
        if let Some(at) = self.node_at.get(&id) {
            return *at;
        }
        // Bounded by MAX_DEPTH + 1: the tree is never deeper.
        let parent = self.node(self.tree.parent(id));
        let frame = self.frame(self.tree.frame(id));
        self.nodes.push(ProfileNode { parent, frame });
        let at = self.nodes.len() as u32 - 1;
        self.node_at.insert(id, at);
        at
    }

    fn lane(&mut self, lane: &Folded) -> ProfileLane {
        let fold = &lane.fold;
        let valued = |at: usize| (0..fold.kinds().len()).any(|column| fold.self_values(column)[at] != 0);
        let mut rows: Vec<(u32, usize)> = (0..fold.nodes().len())
            .filter(|at| valued(*at))
            .map(|at| (self.node(fold.nodes()[at]), at))
            .collect();
        rows.sort_unstable();
        let mut lines: Vec<(u32, u32, u32)> =
            fold.lines().iter().map(|l| (self.node(l.node), l.line, l.samples)).collect();
        lines.sort_unstable();
        ProfileLane {
            thread: lane.thread.clone(),
            nodes: rows.iter().map(|(node, _)| *node).collect(),
            columns: (0..fold.kinds().len())
                .map(|column| rows.iter().map(|(_, at)| fold.self_values(column)[*at]).collect())
                .collect(),
            lines,
            runs: lane
                .runs
                .iter()
                .map(|(node, offset, length)| Run {
                    node: self.node(*node),
                    offset: offset.0,
                    length: length.0,
                })
                .collect(),
            runs_dropped: lane.runs_dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Moment;

    fn chain(depth: usize) -> Profile {
        let frames = (0..depth).map(|i| Frame::named(&format!("f{i}"), FrameKind::Js)).collect();
        let mut nodes = vec![ProfileNode { parent: 0, frame: 0 }];
        nodes.extend((0..depth as u32).map(|i| ProfileNode { parent: i, frame: i }));
        Profile {
            kinds: vec![ValueKind::samples()],
            span: Span { start: Moment(5), length: Nanos(9) },
            covered: Nanos(9),
            sampling: Sampling::default(),
            frames,
            nodes,
            lanes: vec![ProfileLane {
                thread: Thread { pid: 1, tid: 1, name: "main".into() },
                nodes: vec![depth as u32],
                columns: vec![vec![7]],
                lines: vec![(depth as u32, 3, 7)],
                runs: vec![Run { node: depth as u32, offset: 0, length: 9 }],
                runs_dropped: 0,
            }],
            notes: Vec::new(),
        }
    }

    fn depth_of(tree: &CallTree, mut node: NodeId) -> usize {
        let mut depth = 0;
        while node != CallTree::ROOT {
            node = tree.parent(node);
            depth += 1;
        }
        depth
    }

    #[test]
    fn lowering_undoes_lifting() {
        let mut tree = CallTree::default();
        let profile = chain(3);
        assert!(profile.is_sound());
        let lanes = lift(&mut tree, &profile);
        let back = lower(&tree, profile.span, profile.covered, profile.sampling.clone(), &lanes);
        assert!(back.is_sound());
        let mut again = CallTree::default();
        assert_eq!(lift(&mut again, &back)[0].fold.total(0), 7);
        assert_eq!(back.lanes[0].lines.len(), 1);
        assert_eq!(back.lanes[0].runs.len(), 1);
    }

    #[test]
    fn a_deep_stack_keeps_both_ends_and_its_value() {
        let mut tree = CallTree::default();
        let lanes = lift(&mut tree, &chain(2000));
        assert_eq!(lanes[0].fold.total(0), 7);
        let leaf = *lanes[0].fold.nodes().last().expect("has a leaf");
        assert_eq!(depth_of(&tree, leaf), MAX_DEPTH);
        assert_eq!(&*tree.frames().get(tree.frame(leaf)).name, "f1999");
    }
}
