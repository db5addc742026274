//! The table of functions: self and total by function, as `pprof -top` counts them.

use super::flame::Flame;
use super::ids::FrameId;
use rustc_hash::FxHashMap;

/// One function of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionRow {
    /// The function.
    pub frame: FrameId,
    /// Value spent in the function itself.
    pub self_value: i64,
    /// Value with everything it called; a recursive call counts once.
    pub total: i64,
    /// The self value of what it is compared with.
    pub base_self: i64,
    /// The total of what it is compared with.
    pub base_total: i64,
}

impl FunctionRow {
    fn of(frame: FrameId) -> Self {
        Self { frame, self_value: 0, total: 0, base_self: 0, base_total: 0 }
    }
}

/// Every function of a flame, greatest self value first.
pub fn function_table(flame: &Flame) -> Vec<FunctionRow> {
    let mut rows: FxHashMap<FrameId, FunctionRow> = FxHashMap::default();
    for (at, node) in flame.nodes().iter().enumerate().skip(1) {
        let row = rows.entry(node.frame).or_insert(FunctionRow::of(node.frame));
        row.self_value = row.self_value.saturating_add(node.self_value);
        row.base_self = row.base_self.saturating_add(node.base_self);
        if !called_by_itself(flame, at as u32) {
            row.total = row.total.saturating_add(node.total);
            row.base_total = row.base_total.saturating_add(node.base_total);
        }
    }
    let mut rows: Vec<FunctionRow> = rows.into_values().collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.self_value), std::cmp::Reverse(row.total), row.frame));
    rows
}

/// Whether the same function is among the node's callers.
fn called_by_itself(flame: &Flame, at: u32) -> bool {
    let frame = flame.node(at).frame;
    let mut above = flame.node(at).parent;
    while above != 0 {
        if flame.node(above).frame == frame {
            return true;
        }
        above = flame.node(above).parent;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::fold::tests::fold_of;
    use super::*;
    use crate::profile::{CallTree, Shape};

    #[test]
    fn recursion_counts_once_in_the_total() {
        let mut tree = CallTree::default();
        let fold = fold_of(&mut tree, &[("f;f;f", 3), ("f;g", 4)]);
        let table = function_table(&Flame::build(&tree, &fold, 0, &Shape::default()));
        assert_eq!((table[0].self_value, table[0].total), (4, 4));
        assert_eq!((table[1].self_value, table[1].total), (3, 7));
    }
}
