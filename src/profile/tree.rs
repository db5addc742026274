//! The call tree that a whole session shares, for every target, thread and sample type.
//!
//! An append-only arena. Law: `parent(n) < n` for every node but the root, which is node 0 and its
//! own parent; so one backward pass over any sorted list of nodes adds children to parents.

use super::frame::{Frame, FrameKind, FrameTable};
use super::ids::{FrameId, NodeId};
use hashbrown::HashTable;
use std::hash::{BuildHasher, BuildHasherDefault};

/// Deeper stacks lose their middle.
pub const MAX_DEPTH: usize = 512;
/// More frames than this are gathered in one `(other)` frame.
pub const MAX_FRAMES: usize = 1 << 20;
/// More nodes than this are gathered in an `(other)` node.
pub const MAX_NODES: usize = 4 << 20;

type Hasher = BuildHasherDefault<rustc_hash::FxHasher>;

/// Every call path seen in the session.
#[derive(Clone, Debug)]
pub struct CallTree {
    frames: FrameTable,
    parent: Vec<NodeId>,
    frame: Vec<FrameId>,
    children: HashTable<NodeId>,
    other: FrameId,
}

impl Default for CallTree {
    fn default() -> Self {
        let mut frames = FrameTable::default();
        let root = frames.intern(&Frame::named("all", FrameKind::Other));
        let other = frames.intern(&Frame::named("(other)", FrameKind::Other));
        Self { frames, parent: vec![NodeId(0)], frame: vec![root], children: HashTable::new(), other }
    }
}

fn hash(parent: NodeId, frame: FrameId) -> u64 {
    Hasher::default().hash_one((parent, frame))
}

impl CallTree {
    /// The root: the parent of every stack's first frame.
    pub const ROOT: NodeId = NodeId(0);

    /// The id of `frame`; past [`MAX_FRAMES`] that of `(other)`.
    pub fn intern_frame(&mut self, frame: &Frame) -> FrameId {
        if self.frames.len() >= MAX_FRAMES {
            return self.frames.find(frame).unwrap_or(self.other);
        }
        self.frames.intern(frame)
    }

    /// The node for `frame` called from `parent`, new if it was not known; past [`MAX_NODES`] the
    /// parent itself, so that values are kept though the path is not.
    pub fn child(&mut self, parent: NodeId, frame: FrameId) -> NodeId {
        if let Some(node) = self.find_child(parent, frame) {
            return node;
        }
        if self.parent.len() >= MAX_NODES {
            return parent;
        }
        let node = NodeId::from(self.parent.len());
        self.parent.push(parent);
        self.frame.push(frame);
        let (parents, frames) = (&self.parent, &self.frame);
        self.children
            .insert_unique(hash(parent, frame), node, |n| hash(parents[n.index()], frames[n.index()]));
        node
    }

    /// The node for `frame` called from `parent`, if it is known.
    pub fn find_child(&self, parent: NodeId, frame: FrameId) -> Option<NodeId> {
        self.children
            .find(hash(parent, frame), |n| self.parent[n.index()] == parent && self.frame[n.index()] == frame)
            .copied()
    }

    /// The caller of a node; the root's is the root.
    pub fn parent(&self, node: NodeId) -> NodeId {
        self.parent[node.index()]
    }

    /// The frame of a node.
    pub fn frame(&self, node: NodeId) -> FrameId {
        self.frame[node.index()]
    }

    /// The session's frames.
    pub fn frames(&self) -> &FrameTable {
        &self.frames
    }

    /// How many nodes there are, the root included.
    pub fn len(&self) -> usize {
        self.parent.len()
    }

    /// Whether there is nothing but the root.
    pub fn is_empty(&self) -> bool {
        self.parent.len() == 1
    }

    /// A tree of the same frames that keeps only the nodes marked in `keep` (closed under parents),
    /// and the new number of each kept node. Used when most of the tree is dead.
    pub fn collected(&self, keep: &[bool]) -> (Self, Vec<Option<NodeId>>) {
        let mut fresh = Self {
            frames: self.frames.clone(),
            parent: vec![NodeId(0)],
            frame: vec![self.frame[0]],
            children: HashTable::new(),
            other: self.other,
        };
        let mut renumbered = vec![None; self.len()];
        renumbered[0] = Some(Self::ROOT);
        for index in 1..self.len() {
            if !keep.get(index).copied().unwrap_or(false) {
                continue;
            }
            // parent(n) < n: the parent's new number is known by now.
            if let Some(parent) = renumbered[self.parent[index].index()] {
                renumbered[index] = Some(fresh.child(parent, self.frame[index]));
            }
        }
        (fresh, renumbered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: &str) -> Frame {
        Frame::named(name, FrameKind::Js)
    }

    #[test]
    fn a_path_has_one_node_and_parents_come_first() {
        let mut tree = CallTree::default();
        let (a, b) = (tree.intern_frame(&frame("a")), tree.intern_frame(&frame("b")));
        let na = tree.child(CallTree::ROOT, a);
        let nb = tree.child(na, b);
        assert_eq!(tree.child(na, b), nb);
        assert_ne!(tree.child(CallTree::ROOT, b), nb);
        assert!((1..tree.len()).all(|n| tree.parent(NodeId::from(n)) < NodeId::from(n)));
    }

    #[test]
    fn same_name_in_two_places_is_two_frames() {
        let mut tree = CallTree::default();
        let here = Frame::at("run", "/a.js", 1, 1, FrameKind::Js);
        let there = Frame::at("run", "/b.js", 1, 1, FrameKind::Js);
        assert_ne!(tree.intern_frame(&here), tree.intern_frame(&there));
    }

    #[test]
    fn collecting_keeps_marked_paths_and_frame_ids() {
        let mut tree = CallTree::default();
        let (a, b) = (tree.intern_frame(&frame("a")), tree.intern_frame(&frame("b")));
        let dead = tree.child(CallTree::ROOT, a);
        let live = tree.child(CallTree::ROOT, b);
        let mut keep = vec![false; tree.len()];
        keep[0] = true;
        keep[live.index()] = true;
        let (fresh, renumbered) = tree.collected(&keep);
        assert_eq!(renumbered[dead.index()], None);
        assert_eq!(renumbered[live.index()].map(|n| fresh.frame(n)), Some(b));
        assert_eq!(fresh.len(), 2);
    }
}
