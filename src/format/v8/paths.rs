//! Builds the call tree of a [`Profile`](crate::profile::Profile) from V8's: every path once, parents first.
//!
//! V8 may hold one function twice under one caller (compiled twice, loaded twice); here it is one node.

use rustc_hash::FxHashMap;

use crate::profile::{Frame, ProfileNode};

/// A call tree in the making. Node 0 is the root.
#[derive(Debug)]
pub struct Paths {
    frames: Vec<Frame>,
    frame_at: FxHashMap<Frame, u32>,
    nodes: Vec<ProfileNode>,
    children: FxHashMap<(u32, u32), u32>,
}

impl Paths {
    /// The root of every path.
    pub const ROOT: u32 = 0;

    /// A tree of nothing but the root, whose frame is `root`.
    pub fn new(root: Frame) -> Self {
        let mut paths = Self {
            frames: Vec::new(),
            frame_at: FxHashMap::default(),
            nodes: vec![ProfileNode { parent: 0, frame: 0 }],
            children: FxHashMap::default(),
        };
        paths.frame(root);
        paths
    }

    /// The number of a frame.
    pub fn frame(&mut self, frame: Frame) -> u32 {
        let frames = &mut self.frames;
        *self.frame_at.entry(frame).or_insert_with_key(|frame| {
            frames.push(frame.clone());
            frames.len() as u32 - 1
        })
    }

    /// The node of a frame called from `parent`.
    pub fn child(&mut self, parent: u32, frame: u32) -> u32 {
        let nodes = &mut self.nodes;
        *self.children.entry((parent, frame)).or_insert_with(|| {
            nodes.push(ProfileNode { parent, frame });
            nodes.len() as u32 - 1
        })
    }

    /// The frames from the root, exclusive, to a node.
    pub fn stack_of(&self, mut node: u32) -> Vec<Frame> {
        let mut stack = Vec::new();
        while node != Self::ROOT {
            let ProfileNode { parent, frame } = self.nodes[node as usize];
            stack.push(self.frames[frame as usize].clone());
            node = parent;
        }
        stack.reverse();
        stack
    }

    /// The node of a whole stack.
    pub fn node_of(&mut self, stack: &[Frame]) -> u32 {
        stack.iter().fold(Self::ROOT, |node, frame| {
            let frame = self.frame(frame.clone());
            self.child(node, frame)
        })
    }

    /// The frame of a node.
    pub fn frame_of(&self, node: u32) -> &Frame {
        &self.frames[self.nodes[node as usize].frame as usize]
    }

    /// Frames and nodes, as a profile holds them.
    pub fn finish(self) -> (Vec<Frame>, Vec<ProfileNode>) {
        (self.frames, self.nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::FrameKind;

    #[test]
    fn a_path_has_one_node_and_gives_its_stack_back() {
        let named = |name: &str| Frame::named(name, FrameKind::Js);
        let mut paths = Paths::new(named("all"));
        let stack = [named("a"), named("b")];
        let node = paths.node_of(&stack);
        assert_eq!(paths.node_of(&stack), node);
        assert_eq!(paths.stack_of(node), stack);
        assert_eq!(&*paths.frame_of(node).name, "b");
        assert_eq!(paths.finish().1.len(), 3);
    }
}
