//! The rows of the panes that are lists: the tree's open branches and the table of functions.
//!
//! Shared by moving, drawing and the mouse, so that all three mean the same rows.

use super::{App, Shown};
use crate::profile::{CallPath, Flame, FrameId, FunctionRow};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Rows of a tree at most: more could neither be drawn in time nor read.
pub const TREE_ROWS: usize = 2000;
/// Lines above the first row of a list, for its column titles.
pub const LIST_TITLE_ROWS: u16 = 1;

/// A row of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeRow {
    /// How far it is indented; what the root calls is at 0.
    pub depth: u16,
    /// The node of the flame.
    pub node: u32,
    /// Whether it is open.
    pub open: bool,
}

/// The rows of the open branches from the top, the heaviest of siblings first; the root has none.
pub fn tree_rows(flame: &Flame, open: &BTreeSet<CallPath>) -> Vec<TreeRow> {
    let mut rows = Vec::new();
    let mut waiting = by_weight(flame, 0);
    let mut path: CallPath = Vec::new();
    while let Some(node) = waiting.pop()
        && rows.len() < TREE_ROWS
    {
        let depth = flame.node(node).depth - 1;
        path.truncate(usize::from(depth));
        path.push(flame.node(node).frame);
        let is_open = !flame.children(node).is_empty() && open.contains(&path);
        rows.push(TreeRow { depth, node, open: is_open });
        if is_open {
            waiting.extend(by_weight(flame, node));
        }
    }
    rows
}

/// What a node calls, the heaviest last.
fn by_weight(flame: &Flame, node: u32) -> Vec<u32> {
    let mut children: Vec<u32> = flame.children(node).iter().rev().copied().collect();
    children.sort_by_key(|child| flame.node(*child).total);
    children
}

/// The table in the order asked for: of a difference, the greatest change first.
pub fn top_rows(shown: &Shown, by_total: bool) -> Vec<FunctionRow> {
    let mut rows = shown.table.clone();
    match shown.comparison() {
        Some(comparison) => {
            let change = |row: &FunctionRow| {
                let (own, total) = (
                    comparison.change(row.base_self, row.self_value).difference().abs(),
                    comparison.change(row.base_total, row.total).difference().abs(),
                );
                if by_total { (total, own) } else { (own, total) }
            };
            rows.sort_by(|a, b| {
                let (a_change, b_change) = (change(a), change(b));
                b_change
                    .0
                    .total_cmp(&a_change.0)
                    .then(b_change.1.total_cmp(&a_change.1))
                    .then(a.frame.cmp(&b.frame))
            });
        }
        None if by_total => {
            rows.sort_by_key(|row| (Reverse(row.total), Reverse(row.self_value), row.frame));
        }
        None => {}
    }
    rows
}

/// The row under the cursor of the tree: that of the cursor's path, or of its last part in sight.
pub fn tree_cursor(flame: &Flame, rows: &[TreeRow], cursor: &[FrameId]) -> Option<usize> {
    let mut node = flame.find(cursor).0;
    while node != 0 {
        if let Some(at) = rows.iter().position(|row| row.node == node) {
            return Some(at);
        }
        node = flame.node(node).parent;
    }
    (!rows.is_empty()).then_some(0)
}

/// The row under the cursor of the table.
pub fn top_cursor(app: &App, rows: &[FunctionRow]) -> Option<usize> {
    let found = rows.iter().position(|row| Some(row.frame) == app.top_cursor);
    found.or((!rows.is_empty()).then_some(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::tests::{path, watch};

    #[test]
    fn only_open_branches_have_rows_and_the_heaviest_comes_first() {
        let watched = watch(&[("a;b;c", 1), ("a;d", 5), ("e", 9)]);
        let flame = watched.shown.flame.as_ref().expect("a flame");
        let names = |open: &[&str]| {
            let open = open.iter().map(|stack| path(&watched.session, stack)).collect();
            let rows = tree_rows(flame, &open);
            let name = |row: &TreeRow| {
                let name = &watched.session.tree().frames().get(flame.node(row.node).frame).name;
                format!("{}{name}", " ".repeat(row.depth.into()))
            };
            rows.iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["e", "a"]);
        assert_eq!(names(&["a", "a;b"]), ["e", "a", " d", " b", "  c"]);
        assert_eq!(names(&["a;b"]), ["e", "a"]);
    }

    #[test]
    fn the_tree_is_bounded() {
        let stacks: Vec<String> = (0..TREE_ROWS + 50).map(|at| format!("f{at}")).collect();
        let stacks: Vec<(&str, i64)> = stacks.iter().map(|stack| (stack.as_str(), 1)).collect();
        let watched = watch(&stacks);
        let rows = tree_rows(watched.shown.flame.as_ref().expect("a flame"), &BTreeSet::new());
        assert_eq!(rows.len(), TREE_ROWS);
    }
}
