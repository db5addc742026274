//! V8's nodes as nodes of our call tree, each made once it is needed.

use rustc_hash::FxHashMap;

use super::cpu_json::{Node, TreeOrder};
use super::paths::Paths;
use crate::profile::{Frame, FrameKind};

/// The nodes of one profile.
pub(super) struct Stacks<'a> {
    nodes: &'a [Node<'a>],
    order: &'a TreeOrder,
    /// The frame of each node, once it is needed.
    frames: Vec<Option<u32>>,
    /// Our node of each node's stack as it is.
    whole: Vec<Option<u32>>,
    /// Our node of each node's stack as the tail of one that V8 has cut.
    cut: FxHashMap<u32, u32>,
}

impl<'a> Stacks<'a> {
    /// None of them made yet.
    pub fn new(nodes: &'a [Node<'a>], order: &'a TreeOrder) -> Self {
        let mut whole = vec![None; nodes.len()];
        whole[order.root as usize] = Some(Paths::ROOT);
        Self { nodes, order, frames: vec![None; nodes.len()], whole, cut: FxHashMap::default() }
    }

    /// Our node of the one at `place`; of a cut stack, below a frame that says so.
    pub fn node(&mut self, paths: &mut Paths, place: u32, cut: bool) -> u32 {
        if cut { self.cut_node(paths, place) } else { self.whole_node(paths, place) }
    }

    fn frame(&mut self, paths: &mut Paths, place: u32) -> u32 {
        let place = place as usize;
        if let Some(frame) = self.frames[place] {
            return frame;
        }
        let frame = paths.frame(self.nodes[place].call_frame.to_frame());
        self.frames[place] = Some(frame);
        frame
    }

    fn whole_node(&mut self, paths: &mut Paths, place: u32) -> u32 {
        let mut missing = Vec::new();
        let mut at = place;
        let mut node = loop {
            match self.whole[at as usize] {
                Some(node) => break node,
                None => missing.push(at),
            }
            at = self.order.parent[at as usize];
        };
        for at in missing.into_iter().rev() {
            let frame = self.frame(paths, at);
            node = paths.child(node, frame);
            self.whole[at as usize] = Some(node);
        }
        node
    }

    fn cut_node(&mut self, paths: &mut Paths, place: u32) -> u32 {
        let mut missing = Vec::new();
        let mut at = place;
        let mut node = loop {
            match self.cut.get(&at) {
                Some(node) => break *node,
                None if at == self.order.root => {
                    let frame = paths.frame(Frame::named("(truncated)", FrameKind::Truncated));
                    break paths.child(Paths::ROOT, frame);
                }
                None => missing.push(at),
            }
            at = self.order.parent[at as usize];
        };
        for at in missing.into_iter().rev() {
            let frame = self.frame(paths, at);
            node = paths.child(node, frame);
            self.cut.insert(at, node);
        }
        node
    }
}
