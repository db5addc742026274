//! The part of a call tree that one window needs, with numbers of its own.

use super::Timeline;
use crate::profile::{Frame, ProfileNode};

const NONE: u32 = u32::MAX;

/// Nodes and frames of the window at hand.
pub(super) struct Subtree<'a> {
    whole: &'a Timeline,
    /// The window's number of each node and frame of the whole.
    node_at: Vec<u32>,
    frame_at: Vec<u32>,
    /// Which nodes and frames of the whole have a number.
    nodes: Vec<u32>,
    frames: Vec<u32>,
    /// Nodes whose callers are being found.
    path: Vec<u32>,
}

impl<'a> Subtree<'a> {
    /// Nothing but the root.
    pub fn new(whole: &'a Timeline) -> Self {
        let mut node_at = vec![NONE; whole.nodes.len()];
        node_at[0] = 0;
        let frame_at = vec![NONE; whole.frames.len()];
        Self { whole, node_at, frame_at, nodes: vec![0], frames: Vec::new(), path: Vec::new() }
    }

    /// The window's number of a node.
    pub fn node(&mut self, node: u32) -> u32 {
        let mut at = node;
        while self.node_at[at as usize] == NONE {
            self.path.push(at);
            at = self.whole.nodes[at as usize].parent;
        }
        while let Some(at) = self.path.pop() {
            self.node_at[at as usize] = self.nodes.len() as u32;
            self.nodes.push(at);
            let frame = self.whole.nodes[at as usize].frame;
            if self.frame_at[frame as usize] == NONE {
                self.frame_at[frame as usize] = self.frames.len() as u32;
                self.frames.push(frame);
            }
        }
        self.node_at[node as usize]
    }

    /// What the window needs; the next begins with nothing.
    pub fn take(&mut self) -> (Vec<Frame>, Vec<ProfileNode>) {
        let whole = self.whole;
        let nodes = self.nodes.iter().map(|at| {
            let node = whole.nodes[*at as usize];
            let frame = self.frame_at.get(node.frame as usize).copied().unwrap_or(0);
            ProfileNode {
                parent: self.node_at[node.parent as usize],
                frame: if *at == 0 { 0 } else { frame },
            }
        });
        let nodes = nodes.collect();
        let frames = self.frames.iter().map(|at| whole.frames[*at as usize].clone()).collect();
        self.nodes.drain(1..).for_each(|at| self.node_at[at as usize] = NONE);
        self.frames.drain(..).for_each(|at| self.frame_at[at as usize] = NONE);
        (frames, nodes)
    }
}
