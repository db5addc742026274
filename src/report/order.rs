//! The call tree in the order a report shows it: frames sorted by name and place, nodes in preorder.

use crate::profile::{CallTree, Frame, FrameId, NodeId};
use std::sync::Arc;

/// The part of a session's tree that a report needs, renumbered. Laws: `nodes` are in preorder with
/// siblings in the order of `frames`; `places[n]` is where the node `n` of the session stands in `nodes`.
pub(super) struct Order {
    /// The frames in use, sorted by name, file, line, column.
    pub frames: Vec<Frame>,
    /// The frame of each node but the root, as an index into `frames`, and the depth of the node.
    pub nodes: Vec<(u32, u32)>,
    places: Vec<u32>,
}

impl Order {
    /// The order of the nodes marked in `used`, with everything above them.
    pub fn of(tree: &CallTree, used: &[bool]) -> Self {
        let needed = with_ancestors(tree, used);
        let (frames, ranks) = sorted_frames(tree, &needed);
        let children = Children::of(tree, &needed, &ranks);
        let mut order = Self { frames, nodes: Vec::new(), places: vec![0; tree.len()] };
        let mut waiting: Vec<(NodeId, u32)> = children.below(CallTree::ROOT, 1);
        while let Some((node, depth)) = waiting.pop() {
            order.nodes.push((ranks[tree.frame(node).index()], depth));
            order.places[node.index()] = order.nodes.len() as u32;
            waiting.extend(children.below(node, depth + 1));
        }
        order
    }

    /// Where a node of the session stands; the root is 0.
    pub fn place(&self, node: NodeId) -> u32 {
        self.places[node.index()]
    }
}

fn with_ancestors(tree: &CallTree, used: &[bool]) -> Vec<bool> {
    let mut needed = used.to_vec();
    needed.resize(tree.len(), false);
    // A parent's number is less than its child's.
    for at in (1..needed.len()).rev() {
        if needed[at] {
            needed[tree.parent(NodeId::from(at)).index()] = true;
        }
    }
    needed
}

/// The frames of needed nodes in order, and the place of each of the session's frames in it.
fn sorted_frames(tree: &CallTree, needed: &[bool]) -> (Vec<Frame>, Vec<u32>) {
    let mut wanted = vec![false; tree.frames().len()];
    for (at, _) in needed.iter().enumerate().skip(1).filter(|(_, needed)| **needed) {
        wanted[tree.frame(NodeId::from(at)).index()] = true;
    }
    let mut ids: Vec<FrameId> = (0..wanted.len()).filter(|at| wanted[*at]).map(FrameId::from).collect();
    let key = |id: &FrameId| -> (Arc<str>, Arc<str>, u32, u32, crate::profile::FrameKind) {
        let frame = tree.frames().get(*id);
        (frame.name.clone(), frame.file.clone(), frame.line, frame.column, frame.kind)
    };
    ids.sort_by_cached_key(key);
    let mut ranks = vec![0; wanted.len()];
    for (rank, id) in ids.iter().enumerate() {
        ranks[id.index()] = rank as u32;
    }
    (ids.iter().map(|id| tree.frames().get(*id).clone()).collect(), ranks)
}

/// Children of node `n` are `nodes[starts[n]..starts[n + 1]]`, the last to show first.
struct Children {
    nodes: Vec<NodeId>,
    starts: Vec<u32>,
}

impl Children {
    fn of(tree: &CallTree, needed: &[bool], ranks: &[u32]) -> Self {
        let mut nodes: Vec<NodeId> = (1..needed.len()).filter(|at| needed[*at]).map(NodeId::from).collect();
        nodes.sort_by_key(|node| (tree.parent(*node), std::cmp::Reverse(ranks[tree.frame(*node).index()])));
        let mut starts = vec![0; needed.len() + 1];
        for node in &nodes {
            starts[tree.parent(*node).index() + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { nodes, starts }
    }

    fn below(&self, node: NodeId, depth: u32) -> Vec<(NodeId, u32)> {
        let (from, to) = (self.starts[node.index()], self.starts[node.index() + 1]);
        self.nodes[from as usize..to as usize].iter().map(|child| (*child, depth)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::FrameKind;

    #[test]
    fn nodes_stand_in_preorder_and_siblings_by_name() {
        let mut tree = CallTree::default();
        let mut node = |stack: &str| {
            stack.split(';').fold(CallTree::ROOT, |node, name| {
                let frame = tree.intern_frame(&Frame::named(name, FrameKind::Js));
                tree.child(node, frame)
            })
        };
        let (zb, za, unused, b) = (node("z;b"), node("z;a"), node("y"), node("b"));
        let mut used = vec![false; tree.len()];
        [zb, za, b].into_iter().for_each(|node| used[node.index()] = true);
        let order = Order::of(&tree, &used);
        let names: Vec<&str> = order.frames.iter().map(|frame| &*frame.name).collect();
        assert_eq!(names, ["a", "b", "z"]);
        assert_eq!(order.nodes, [(1, 1), (2, 1), (0, 2), (1, 2)]);
        assert_eq!((order.place(b), order.place(za), order.place(zb)), (1, 3, 4));
        assert_eq!(order.place(unused), 0);
    }
}
