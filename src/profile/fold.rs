//! [`Fold`]: values of one lane of one window, on the session's call tree.

use super::ids::NodeId;
use super::tree::CallTree;
use super::value::ValueKind;
use std::sync::Arc;

/// Samples of one line inside a node's function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineCost {
    /// The node.
    pub node: NodeId,
    /// Line from 1.
    pub line: u32,
    /// Samples there.
    pub samples: u32,
}

/// Self values of a set of nodes. Laws: `nodes` ascends, begins with the root and is closed under
/// parents; every column is as long as `nodes`; `parents[i] < i` for `i > 0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    kinds: Arc<[ValueKind]>,
    nodes: Vec<NodeId>,
    parents: Vec<u32>,
    columns: Vec<Vec<i64>>,
    lines: Vec<LineCost>,
}

impl Fold {
    /// A fold of nothing, with columns of these kinds.
    pub fn empty(kinds: Arc<[ValueKind]>) -> Self {
        let columns = vec![vec![0]; kinds.len()];
        Self { kinds, nodes: vec![CallTree::ROOT], parents: vec![0], columns, lines: Vec::new() }
    }

    /// A fold of self values given by node, in any order; equal nodes add up.
    ///
    /// Each row's values are one per kind, in the order of `kinds`.
    pub fn from_rows(
        tree: &CallTree,
        kinds: Arc<[ValueKind]>,
        rows: &[(NodeId, &[i64])],
        lines: Vec<LineCost>,
    ) -> Self {
        let mut nodes = closed_under_parents(
            tree,
            rows.iter().map(|(node, _)| *node).chain(lines.iter().map(|l| l.node)),
        );
        nodes.sort_unstable();
        nodes.dedup();
        let mut fold = Self::on(tree, kinds, nodes);
        for (node, values) in rows {
            let at = fold.position(*node).expect("the node list was made from these rows");
            for (column, value) in fold.columns.iter_mut().zip(*values) {
                column[at] = column[at].saturating_add(*value);
            }
        }
        fold.lines = lines;
        fold.lines.sort_unstable();
        fold
    }

    /// A fold with zero values on a sorted list of nodes that is closed under parents.
    pub(super) fn on(tree: &CallTree, kinds: Arc<[ValueKind]>, nodes: Vec<NodeId>) -> Self {
        let parents = parent_positions(tree, &nodes);
        let columns = vec![vec![0; nodes.len()]; kinds.len()];
        Self { kinds, nodes, parents, columns, lines: Vec::new() }
    }

    /// What the columns mean.
    pub fn kinds(&self) -> &Arc<[ValueKind]> {
        &self.kinds
    }

    /// The column of the kind with that name, if this fold has it.
    pub fn column_of(&self, name: &str) -> Option<usize> {
        self.kinds.iter().position(|kind| &*kind.name == name)
    }

    /// The nodes, ascending, the root first.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// The position of each node's parent in `nodes`.
    pub fn parents(&self) -> &[u32] {
        &self.parents
    }

    /// Self values of one column, in the order of `nodes`.
    pub fn self_values(&self, column: usize) -> &[i64] {
        &self.columns[column]
    }

    /// Samples by line, sorted.
    pub fn lines(&self) -> &[LineCost] {
        &self.lines
    }

    /// Where `node` stands in `nodes`.
    pub fn position(&self, node: NodeId) -> Option<usize> {
        self.nodes.binary_search(&node).ok()
    }

    /// Values with everything below added: one backward pass.
    pub fn totals(&self, column: usize) -> Vec<i64> {
        let mut totals = self.columns[column].clone();
        for at in (1..totals.len()).rev() {
            let value = totals[at];
            let parent = &mut totals[self.parents[at] as usize];
            *parent = parent.saturating_add(value);
        }
        totals
    }

    /// Sum of a column.
    pub fn total(&self, column: usize) -> i64 {
        self.columns[column].iter().fold(0, |sum, value| sum.saturating_add(*value))
    }

    /// Bytes of memory the fold takes, near enough for a budget.
    pub fn bytes(&self) -> usize {
        self.nodes.len() * (8 + 8 * self.columns.len()) + self.lines.len() * 12 + 160
    }

    /// The same fold on a collected tree. Every node of the fold must have been kept.
    pub fn renumbered(&self, tree: &CallTree, new: &[Option<NodeId>]) -> Self {
        let renumber = |node: NodeId| new[node.index()].expect("a collection keeps every node of every fold");
        // Renumbering keeps the order of nodes, so rows stay sorted.
        let nodes: Vec<NodeId> = self.nodes.iter().map(|node| renumber(*node)).collect();
        let parents = parent_positions(tree, &nodes);
        let lines = self.lines.iter().map(|l| LineCost { node: renumber(l.node), ..*l }).collect();
        Self { kinds: self.kinds.clone(), nodes, parents, columns: self.columns.clone(), lines }
    }

    /// Writes one value; for the functions beside this file that build folds.
    pub(super) fn add(&mut self, column: usize, at: usize, value: i64) {
        let cell = &mut self.columns[column][at];
        *cell = cell.saturating_add(value);
    }

    /// Sets the line costs, which must be sorted.
    pub(super) fn set_lines(&mut self, lines: Vec<LineCost>) {
        self.lines = lines;
    }
}

/// `nodes` and all their ancestors, in no order, with repetitions only among the given ones.
fn closed_under_parents(tree: &CallTree, nodes: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
    let mut seen = rustc_hash::FxHashSet::default();
    let mut closed = vec![CallTree::ROOT];
    seen.insert(CallTree::ROOT);
    for mut node in nodes {
        while seen.insert(node) {
            closed.push(node);
            node = tree.parent(node);
        }
    }
    closed
}

fn parent_positions(tree: &CallTree, nodes: &[NodeId]) -> Vec<u32> {
    nodes
        .iter()
        .map(|node| {
            nodes.binary_search(&tree.parent(*node)).expect("the list is closed under parents") as u32
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::profile::{Frame, FrameKind};

    /// A fold of `samples` from lines such as `a;b 3`.
    pub fn fold_of(tree: &mut CallTree, stacks: &[(&str, i64)]) -> Fold {
        fold_with(tree, ValueKind::samples(), stacks)
    }

    /// A fold of one kind from stacks `a;b` with their values.
    pub fn fold_with(tree: &mut CallTree, kind: ValueKind, stacks: &[(&str, i64)]) -> Fold {
        let rows: Vec<(NodeId, [i64; 1])> =
            stacks.iter().map(|(stack, value)| (node_of(tree, stack), [*value])).collect();
        let rows: Vec<(NodeId, &[i64])> = rows.iter().map(|(node, values)| (*node, &values[..])).collect();
        Fold::from_rows(tree, [kind].into(), &rows, Vec::new())
    }

    /// The node of a stack `a;b`, root first; `(idle)` is of the idle kind.
    pub fn node_of(tree: &mut CallTree, stack: &str) -> NodeId {
        stack.split(';').fold(CallTree::ROOT, |node, name| {
            let kind = if name == "(idle)" { FrameKind::Idle } else { FrameKind::Js };
            let frame = tree.intern_frame(&Frame::named(name, kind));
            tree.child(node, frame)
        })
    }

    #[test]
    fn totals_add_children_to_parents() {
        let mut tree = CallTree::default();
        let fold = fold_of(&mut tree, &[("a", 1), ("a;b", 2), ("a;b;c", 4), ("d", 8)]);
        let totals = fold.totals(0);
        assert_eq!(totals[0], 15);
        let a = fold.position(node_of(&mut tree, "a")).expect("a is in the fold");
        assert_eq!(totals[a], 7);
    }

    #[test]
    fn equal_rows_add_up() {
        let mut tree = CallTree::default();
        let fold = fold_of(&mut tree, &[("a;b", 2), ("a;b", 3)]);
        assert_eq!(fold.total(0), 5);
        assert_eq!(fold.nodes().len(), 3);
    }
}
