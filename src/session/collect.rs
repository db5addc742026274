//! Collection: when most of the call tree belongs to windows that are gone, a new tree is made.
//!
//! Frame ids stay; node ids change, which is why nothing outside the session keeps one.

use super::Session;
use super::window::{Lane, Window};
use crate::profile::{CallTree, NodeId};
use std::sync::Arc;

/// Smaller trees are not worth collecting.
const WORTH_IT: usize = 1 << 16;

impl Session {
    /// Collects when more than half of a large tree is dead.
    pub(super) fn collect_if_worth_it(&mut self) {
        if self.tree.len() < WORTH_IT {
            return;
        }
        let keep = self.marked();
        if keep.iter().filter(|kept| **kept).count() * 2 < self.tree.len() {
            self.collect(&keep);
        }
    }

    fn marked(&self) -> Vec<bool> {
        let mut keep = vec![false; self.tree.len()];
        let windows = self.timeline.tracks().iter().flat_map(super::Track::windows).chain(&self.pinned);
        for lane in windows.flat_map(|window| &window.lanes) {
            let in_runs = lane.runs.iter().map(|run| run.0);
            lane.fold
                .nodes()
                .iter()
                .copied()
                .chain(in_runs)
                .for_each(|node| mark(&self.tree, &mut keep, node));
        }
        keep
    }

    fn collect(&mut self, keep: &[bool]) {
        let (tree, new) = self.tree.collected(keep);
        for window in self.timeline.windows_mut().chain(&mut self.pinned) {
            *window = Arc::new(renumbered(window, &tree, &new));
        }
        self.tree = tree;
    }
}

fn mark(tree: &CallTree, keep: &mut [bool], mut node: NodeId) {
    while !std::mem::replace(&mut keep[node.index()], true) {
        node = tree.parent(node);
    }
}

fn renumbered(window: &Window, tree: &CallTree, new: &[Option<NodeId>]) -> Window {
    let lane = |lane: &Lane| Lane {
        thread: lane.thread.clone(),
        fold: Arc::new(lane.fold.renumbered(tree, new)),
        runs: lane
            .runs
            .iter()
            .map(|(node, at, length)| (new[node.index()].unwrap_or(CallTree::ROOT), *at, *length))
            .collect(),
        runs_dropped: lane.runs_dropped,
    };
    Window { lanes: window.lanes.iter().map(lane).collect(), ..window.clone() }
}
