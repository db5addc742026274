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

    /// Collects, worth it or not.
    #[cfg(test)]
    pub(super) fn collect_now(&mut self) {
        let keep = self.marked();
        self.collect(&keep);
    }

    fn marked(&self) -> Vec<bool> {
        let mut keep = vec![false; self.tree.len()];
        let base = self.base.iter().flat_map(|base| &base.windows);
        let tracks = self.timeline.tracks().iter().flat_map(super::Track::windows);
        let windows = tracks.chain(self.pinned()).chain(base);
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
        let pinned = self.pinned.iter_mut().flat_map(|pinned| &mut pinned.windows);
        let base = self.base.iter_mut().flat_map(|base| &mut base.windows);
        for window in self.timeline.windows_mut().chain(pinned).chain(base) {
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

#[cfg(test)]
mod tests {
    use super::super::fixtures::{profile, span, take};
    use super::super::{Range, Selection, Session};
    use crate::profile::ValueKind;

    #[test]
    fn collecting_changes_nothing_that_can_be_selected() {
        let mut session = Session::new(6_000);
        let take_second = |session: &mut Session, second: i64| {
            let stack = format!("main;f{second};leaf");
            take(
                session,
                profile(second * 1000, 1000, ValueKind::cpu(), &[(&stack, second + 1), ("main", 1)]),
            );
        };
        (0..4).for_each(|second| take_second(&mut session, second));
        let frozen = Selection { range: Range::Span(span(1, 2)), ..Selection::default() };
        session.pin(&frozen);
        (4..2000).for_each(|second| take_second(&mut session, second));
        let everything = Selection { range: Range::Span(span(0, 2000)), ..Selection::default() };
        let looks = |session: &Session| {
            [&frozen, &everything, &Selection::default()].map(|selection| session.profile(selection))
        };
        let (before, nodes) = (looks(&session), session.tree().len());
        session.collect(&session.marked());
        assert!(session.tree().len() < nodes, "{} of {nodes} nodes are left", session.tree().len());
        assert_eq!(looks(&session), before);
        assert_eq!(before[0].as_ref().map(|profile| profile.total(0)), Some(3));
    }
}
