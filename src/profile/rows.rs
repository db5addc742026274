//! The layout of an icicle: rows of blocks in whole cells, one row a depth.
//!
//! Laws: blocks of a row never overlap and ascend; children never reach beyond their parent.

use super::flame::Flame;

/// What a block stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockContent {
    /// One node of the flame.
    Node(u32),
    /// Siblings too small for a cell of their own.
    Gathered {
        /// Their caller.
        parent: u32,
        /// How many they are.
        count: u32,
        /// Their totals.
        total: i64,
    },
}

/// A stretch of cells in one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// First cell.
    pub x: u16,
    /// Number of cells, at least 1.
    pub width: u16,
    /// What it shows.
    pub content: BlockContent,
}

/// Rows of blocks, the root's row first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// One list a depth, ascending by `x`.
    pub rows: Vec<Vec<Block>>,
    /// Depth of the deepest node below the zoomed one, whether or not it got a row.
    pub depth: u16,
}

impl Rows {
    /// The block at a cell.
    pub fn at(&self, row: usize, x: u16) -> Option<&Block> {
        self.rows.get(row)?.iter().find(|block| block.x <= x && x < block.x + block.width)
    }

    /// Where a node is shown: its row and block.
    pub fn place_of(&self, node: u32) -> Option<(usize, Block)> {
        self.rows.iter().enumerate().find_map(|(row, blocks)| {
            let block = blocks.iter().find(|block| block.content == BlockContent::Node(node))?;
            Some((row, *block))
        })
    }
}

/// Lays out the subtree of `zoom` in `width` cells. Its callers, root first, take a full row each
/// above it. Every row is made: cutting to the screen is the caller's.
pub fn layout_rows(flame: &Flame, zoom: u32, width: u16) -> Rows {
    let mut rows = Rows { rows: Vec::new(), depth: flame.node(zoom).depth };
    if width == 0 {
        return rows;
    }
    let mut above = vec![zoom];
    while above[above.len() - 1] != 0 {
        above.push(flame.node(above[above.len() - 1]).parent);
    }
    for node in above.iter().rev() {
        rows.rows.push(vec![Block { x: 0, width, content: BlockContent::Node(*node) }]);
    }
    loop {
        let last = &rows.rows[rows.rows.len() - 1];
        let next: Vec<Block> =
            last.iter().filter(|b| is_open(b, zoom, flame)).flat_map(|block| split(flame, block)).collect();
        if next.is_empty() {
            break;
        }
        rows.rows.push(next);
    }
    rows.depth = (rows.rows.len() - 1) as u16;
    rows
}

fn is_open(block: &Block, zoom: u32, flame: &Flame) -> bool {
    matches!(block.content, BlockContent::Node(node) if node == zoom || flame.node(node).depth > flame.node(zoom).depth)
}

/// The row below one block: children in whole cells by largest remainder, the small ones gathered.
fn split(flame: &Flame, block: &Block) -> Vec<Block> {
    let BlockContent::Node(parent) = block.content else { return Vec::new() };
    let whole = flame.node(parent).total;
    if whole <= 0 {
        return Vec::new();
    }
    let children = flame.children(parent);
    let cells = share_cells(children.iter().map(|c| flame.node(*c).total), whole, block.width);
    place(flame, block, parent, children, &cells)
}

/// Cells for each value out of `width` for `whole`; what is left over by rounding down goes to the
/// largest remainders, of equal ones to the first.
fn share_cells(values: impl Iterator<Item = i64>, whole: i64, width: u16) -> Vec<u16> {
    let exact: Vec<f64> = values.map(|value| value.max(0) as f64 / whole as f64 * f64::from(width)).collect();
    let mut cells: Vec<u16> = exact.iter().map(|share| share.floor() as u16).collect();
    let used: u16 = cells.iter().sum();
    let mut spare = (exact.iter().sum::<f64>().round() as u16).min(width).saturating_sub(used);
    let mut order: Vec<usize> = (0..exact.len()).collect();
    order.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()).then(a.cmp(b)));
    for at in order {
        if spare == 0 || exact[at].fract() < 0.5 {
            break;
        }
        cells[at] += 1;
        spare -= 1;
    }
    cells
}

fn place(flame: &Flame, block: &Block, parent: u32, children: &[u32], cells: &[u16]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut x = block.x;
    for (child, width) in children.iter().zip(cells).filter(|(_, width)| **width > 0) {
        blocks.push(Block { x, width: *width, content: BlockContent::Node(*child) });
        x += width;
    }
    let small = || {
        children
            .iter()
            .zip(cells)
            .filter(|(_, width)| **width == 0)
            .map(|(child, _)| flame.node(*child).total)
    };
    let (count, total) = (small().filter(|t| *t > 0).count() as u32, small().fold(0, i64::saturating_add));
    let worth = total as f64 / flame.node(parent).total as f64 * f64::from(block.width);
    if count > 0 && worth >= 0.5 && x < block.x + block.width {
        let width = (worth.round() as u16).clamp(1, block.x + block.width - x);
        blocks.push(Block { x, width, content: BlockContent::Gathered { parent, count, total } });
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::super::fold::tests::fold_of;
    use super::*;
    use crate::profile::{CallTree, Shape};
    use proptest::prelude::*;

    fn flame(stacks: &[(&str, i64)]) -> Flame {
        let mut tree = CallTree::default();
        let fold = fold_of(&mut tree, stacks);
        Flame::build(&tree, &fold, 0, &Shape::default())
    }

    #[test]
    fn shares_become_cells() {
        let rows = layout_rows(&flame(&[("a", 70), ("b", 20), ("c", 10)]), 0, 100);
        let widths: Vec<(u16, u16)> = rows.rows[1].iter().map(|b| (b.x, b.width)).collect();
        assert_eq!(widths, [(0, 70), (70, 20), (90, 10)]);
    }

    #[test]
    fn small_siblings_are_gathered() {
        let stacks: Vec<(String, i64)> =
            (0..50).map(|i| (format!("f{i:02}"), 1)).chain([("big".into(), 50)]).collect();
        let borrowed: Vec<(&str, i64)> = stacks.iter().map(|(s, v)| (s.as_str(), *v)).collect();
        let rows = layout_rows(&flame(&borrowed), 0, 10);
        assert_eq!(rows.rows[1][0].width, 5);
        assert!(matches!(rows.rows[1][1].content, BlockContent::Gathered { count: 50, total: 50, .. }));
    }

    #[test]
    fn a_zoomed_node_takes_the_width_below_its_callers() {
        let flame = flame(&[("a;b;c", 1), ("d", 9)]);
        let (b, _) = flame.find(&[flame.node(1).frame, flame.node(2).frame]);
        let rows = layout_rows(&flame, b, 20);
        assert!(rows.rows.iter().take(3).all(|row| row.len() == 1 && row[0].width == 20));
        assert_eq!(rows.rows.len(), 4);
    }

    proptest! {
        #[test]
        fn rows_never_overlap_or_outgrow(stacks in prop::collection::vec(("[a-e](;[a-e]){0,5}", 1i64..100), 1..30), width in 0u16..200) {
            let borrowed: Vec<(&str, i64)> = stacks.iter().map(|(s, v)| (s.as_str(), *v)).collect();
            let flame = flame(&borrowed);
            let rows = layout_rows(&flame, 0, width);
            for pair in rows.rows.windows(2) {
                let mut end = 0;
                for block in &pair[1] {
                    prop_assert!(block.width > 0 && block.x >= end);
                    end = block.x + block.width;
                    let parent = match block.content {
                        BlockContent::Node(node) => flame.node(node).parent,
                        BlockContent::Gathered { parent, .. } => parent,
                    };
                    let above = pair[0].iter().find(|b| b.content == BlockContent::Node(parent)).expect("its parent is shown");
                    prop_assert!(above.x <= block.x && end <= above.x + above.width);
                }
            }
        }
    }
}
