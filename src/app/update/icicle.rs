//! Moving in the icicle, by the blocks as they were laid out.

use super::Turn;
use super::moves::Direction;
use crate::app::App;
use crate::profile::{Block, BlockContent, Flame};

/// A node that has a block of its own.
#[derive(Clone, Copy)]
struct Placed {
    row: usize,
    block: Block,
    node: u32,
}

impl App {
    pub(super) fn step_block(&mut self, direction: Direction, turn: &Turn<'_>) {
        let Some(flame) = turn.flame() else { return };
        let Some(here) = self.placed(flame, turn) else { return };
        let next = match direction {
            Direction::Up => (here.node != 0).then(|| flame.node(here.node).parent),
            Direction::Down => widest_callee(flame, here, turn),
            Direction::Left => {
                beside(here, turn).take_while(|(x, _)| *x < here.block.x).last().map(|(_, n)| n)
            }
            Direction::Right => beside(here, turn).find(|(x, _)| *x > here.block.x).map(|(_, n)| n),
        };
        if let Some(node) = next {
            self.put_cursor(flame, node);
        }
    }

    pub(super) fn select_root(&mut self) {
        self.cursor.clear();
        self.scroll = 0;
    }

    /// To the deepest frame of the hot path that has a block.
    pub(super) fn select_end_of_hot_path(&mut self, turn: &Turn<'_>) {
        let Some(flame) = turn.flame() else { return };
        let path = flame.hot_path(turn.shown.zoom);
        if let Some(node) = path.into_iter().rev().find(|node| turn.shown.rows.place_of(*node).is_some()) {
            self.put_cursor(flame, node);
        }
    }

    pub(super) fn put_cursor(&mut self, flame: &Flame, node: u32) {
        self.cursor = flame.path(node);
        // In the icicle a node's row is its depth.
        self.row_in_sight(flame.node(node).depth);
    }

    /// Scrolls the icicle so that a row can be seen.
    pub(super) fn row_in_sight(&mut self, row: u16) {
        let lowest = (row + 1).saturating_sub(self.body_rows().max(1));
        self.scroll = self.scroll.clamp(lowest, row.max(lowest));
    }

    /// The cursor's node, or the nearest of its callers that has a block.
    fn placed(&self, flame: &Flame, turn: &Turn<'_>) -> Option<Placed> {
        let mut node = flame.find(&self.cursor).0;
        loop {
            if let Some((row, block)) = turn.shown.rows.place_of(node) {
                return Some(Placed { row, block, node });
            }
            if node == 0 {
                return None;
            }
            node = flame.node(node).parent;
        }
    }
}

/// Of what the node calls, the widest block; of equal ones the first.
fn widest_callee(flame: &Flame, here: Placed, turn: &Turn<'_>) -> Option<u32> {
    let row = turn.shown.rows.rows.get(here.row + 1)?;
    let callees = row.iter().filter_map(|block| Some((block.width, node_of(block)?)));
    let own = callees.filter(|(_, node)| flame.node(*node).parent == here.node);
    own.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, node)| node)
}

/// The blocks of a row from left to right: cell and node.
fn beside<'a>(here: Placed, turn: &Turn<'a>) -> impl Iterator<Item = (u16, u32)> + use<'a> {
    let row = turn.shown.rows.rows.get(here.row);
    row.into_iter().flatten().filter_map(|block| Some((block.x, node_of(block)?)))
}

fn node_of(block: &Block) -> Option<u32> {
    match block.content {
        BlockContent::Node(node) => Some(node),
        BlockContent::Gathered { .. } => None,
    }
}
