//! The two merges. Over time a delta adds and a level keeps its last value; over lanes both add.
//! Time first, then lanes.

use super::fold::{Fold, LineCost};
use super::ids::NodeId;
use super::tree::CallTree;
use super::value::{Accumulation, ValueKind};
use std::sync::Arc;

/// One lane's folds in the order of time, as one.
///
/// A kind that some windows lack is taken from those that have it: a level from the last of them.
pub fn over_time(tree: &CallTree, folds: &[&Fold]) -> Fold {
    merge(tree, folds, |kind| match kind.accumulation {
        Accumulation::Delta => Keep::All,
        Accumulation::Level => Keep::Last,
    })
}

/// Folds of different threads or processes over the same time, as one.
pub fn over_lanes(tree: &CallTree, folds: &[&Fold]) -> Fold {
    merge(tree, folds, |_| Keep::All)
}

#[derive(Clone, Copy, PartialEq)]
enum Keep {
    All,
    Last,
}

fn merge(tree: &CallTree, folds: &[&Fold], keep: impl Fn(&ValueKind) -> Keep) -> Fold {
    let kinds = union_of_kinds(folds);
    if let [only] = folds {
        return (*only).clone();
    }
    let mut merged = Fold::on(tree, kinds.clone(), union_of_nodes(folds));
    for (column, kind) in kinds.iter().enumerate() {
        let mut having = folds.iter().filter_map(|fold| fold.column_of(&kind.name).map(|c| (*fold, c)));
        match keep(kind) {
            Keep::All => having.for_each(|(fold, from)| add_column(&mut merged, column, fold, from)),
            Keep::Last => {
                if let Some((fold, from)) = having.next_back() {
                    add_column(&mut merged, column, fold, from);
                }
            }
        }
    }
    merged.set_lines(merge_lines(folds));
    merged
}

fn union_of_kinds(folds: &[&Fold]) -> Arc<[ValueKind]> {
    let Some(first) = folds.first() else { return Arc::new([]) };
    if folds.iter().all(|fold| fold.kinds() == first.kinds()) {
        return first.kinds().clone();
    }
    let mut kinds: Vec<ValueKind> = Vec::new();
    for kind in folds.iter().flat_map(|fold| fold.kinds().iter()) {
        if !kinds.iter().any(|known| known.name == kind.name) {
            kinds.push(kind.clone());
        }
    }
    kinds.into()
}

fn union_of_nodes(folds: &[&Fold]) -> Vec<NodeId> {
    let mut nodes: Vec<NodeId> = folds.iter().flat_map(|fold| fold.nodes()).copied().collect();
    nodes.push(CallTree::ROOT);
    // A stable sort is quick on runs that are sorted already.
    nodes.sort();
    nodes.dedup();
    nodes
}

/// Adds a column by walking both sorted node lists side by side.
fn add_column(merged: &mut Fold, column: usize, fold: &Fold, from: usize) {
    let mut at = 0;
    for (node, value) in fold.nodes().iter().zip(fold.self_values(from)) {
        while merged.nodes()[at] < *node {
            at += 1;
        }
        merged.add(column, at, *value);
    }
}

fn merge_lines(folds: &[&Fold]) -> Vec<LineCost> {
    let mut lines: Vec<LineCost> = folds.iter().flat_map(|fold| fold.lines()).copied().collect();
    lines.sort();
    lines.dedup_by(|next, kept| {
        let same = (next.node, next.line) == (kept.node, kept.line);
        if same {
            kept.samples = kept.samples.saturating_add(next.samples);
        }
        same
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::super::fold::tests::{fold_of, fold_with};
    use super::*;

    #[test]
    fn deltas_add_over_time_and_levels_keep_the_last() {
        let mut tree = CallTree::default();
        let (a, b) = (fold_of(&mut tree, &[("a", 1), ("b", 2)]), fold_of(&mut tree, &[("a;c", 4)]));
        assert_eq!(over_time(&tree, &[&a, &b]).total(0), 7);
        let level = ValueKind::inuse_space();
        let (a, b) =
            (fold_with(&mut tree, level.clone(), &[("a", 10)]), fold_with(&mut tree, level, &[("b", 3)]));
        assert_eq!(over_time(&tree, &[&a, &b]).total(0), 3);
        assert_eq!(over_lanes(&tree, &[&a, &b]).total(0), 13);
    }

    #[test]
    fn a_kind_that_is_absent_does_not_reset_a_level() {
        let mut tree = CallTree::default();
        let heap = fold_with(&mut tree, ValueKind::inuse_space(), &[("a", 10)]);
        let cpu = fold_of(&mut tree, &[("a", 1)]);
        let merged = over_time(&tree, &[&heap, &cpu]);
        let column = merged.column_of("inuse_space").expect("kept");
        assert_eq!(merged.total(column), 10);
    }

    mod laws {
        use super::*;
        use proptest::prelude::*;

        fn stacks() -> impl Strategy<Value = Vec<(String, i64)>> {
            prop::collection::vec(("[a-d](;[a-d]){0,4}", 0i64..1000), 0..12)
        }

        fn fold(tree: &mut CallTree, stacks: &[(String, i64)]) -> Fold {
            let borrowed: Vec<(&str, i64)> = stacks.iter().map(|(s, v)| (s.as_str(), *v)).collect();
            fold_of(tree, &borrowed)
        }

        proptest! {
            #[test]
            fn merging_is_associative_and_adds_totals(x in stacks(), y in stacks(), z in stacks()) {
                let mut tree = CallTree::default();
                let (x, y, z) = (fold(&mut tree, &x), fold(&mut tree, &y), fold(&mut tree, &z));
                let all = over_time(&tree, &[&x, &y, &z]);
                let left = over_time(&tree, &[&over_time(&tree, &[&x, &y]), &z]);
                let right = over_time(&tree, &[&x, &over_time(&tree, &[&y, &z])]);
                prop_assert_eq!(&all, &left);
                prop_assert_eq!(&all, &right);
                prop_assert_eq!(all.total(0), x.total(0) + y.total(0) + z.total(0));
            }

            #[test]
            fn a_total_is_never_less_than_its_children(x in stacks()) {
                let mut tree = CallTree::default();
                let fold = fold(&mut tree, &x);
                let totals = fold.totals(0);
                let mut below = vec![0; totals.len()];
                for at in 1..totals.len() {
                    below[fold.parents()[at] as usize] += totals[at];
                }
                for at in 0..totals.len() {
                    prop_assert_eq!(totals[at], fold.self_values(0)[at] + below[at]);
                }
            }
        }
    }
}
