//! Moving the cursor: which pane it moves in, and what all panes share.

use super::Turn;
use crate::app::{App, Pane, top_cursor, top_rows, tree_cursor, tree_rows};
use crate::profile::FrameId;

/// Where a step goes, as the arrow keys say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Left,
    Right,
    Up,
    Down,
}

/// Where the cursor of a list goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row {
    /// By so many rows.
    By(i64),
    /// To the first.
    First,
    /// To the last.
    Last,
}

impl App {
    pub(super) fn step(&mut self, direction: Direction, turn: &Turn<'_>) {
        match (self.pane, direction) {
            (Pane::Flame, _) => self.step_block(direction, turn),
            (_, Direction::Up) => self.move_row(Row::By(-1), turn),
            (_, Direction::Down) => self.move_row(Row::By(1), turn),
            (Pane::Tree, Direction::Left) => self.close_branch(turn),
            (Pane::Tree, Direction::Right) => self.open_branch(turn),
            (Pane::Top, Direction::Left) => self.top_by_total = false,
            (Pane::Top, Direction::Right) => self.top_by_total = true,
        }
    }

    pub(super) fn page(&mut self, direction: Direction, turn: &Turn<'_>) {
        let rows = i64::from(self.body_rows().max(2)) - 1;
        match self.pane {
            Pane::Flame => (0..rows).for_each(|_| self.step_block(direction, turn)),
            _ if direction == Direction::Up => self.move_row(Row::By(-rows), turn),
            _ => self.move_row(Row::By(rows), turn),
        }
    }

    pub(super) fn select_first(&mut self, turn: &Turn<'_>) {
        match self.pane {
            Pane::Flame => self.select_root(),
            Pane::Tree | Pane::Top => self.move_row(Row::First, turn),
        }
    }

    pub(super) fn select_last(&mut self, turn: &Turn<'_>) {
        match self.pane {
            Pane::Flame => self.select_end_of_hot_path(turn),
            Pane::Tree | Pane::Top => self.move_row(Row::Last, turn),
        }
    }

    /// To the frame with the greatest self value, wherever it is.
    pub(super) fn select_hottest(&mut self, turn: &Turn<'_>) {
        let Some(flame) = turn.flame() else { return };
        let Some(node) = flame.hottest() else { return };
        match self.pane {
            Pane::Top => {
                self.top_cursor = Some(flame.node(node).frame);
                self.list_in_sight(turn);
            }
            Pane::Flame | Pane::Tree => self.show_node(node, turn),
        }
    }

    pub(super) fn turn_pane(&mut self, by: usize, turn: &Turn<'_>) {
        let here = Pane::ALL.iter().position(|pane| *pane == self.pane).unwrap_or(0);
        self.show_pane(Pane::ALL[(here + by) % Pane::ALL.len()], turn);
    }

    /// Brings a pane to the front, with the function under the cursor still under it.
    pub(super) fn show_pane(&mut self, pane: Pane, turn: &Turn<'_>) {
        let frame = self.frame_under_cursor(turn);
        self.pane = pane;
        match pane {
            Pane::Flame => {}
            Pane::Tree => self.open_to_cursor(),
            Pane::Top => self.top_cursor = frame.or(self.top_cursor),
        }
        self.list_in_sight(turn);
    }

    /// The function under the cursor of the pane in front; none at the root.
    pub(super) fn frame_under_cursor(&self, turn: &Turn<'_>) -> Option<FrameId> {
        match self.pane {
            Pane::Flame | Pane::Tree => self.cursor.last().copied(),
            Pane::Top => {
                let rows = top_rows(turn.shown, self.top_by_total);
                top_cursor(self, &rows).map(|at| rows[at].frame)
            }
        }
    }

    /// Puts the cursor on a node and makes sure that it can be seen.
    pub(super) fn show_node(&mut self, node: u32, turn: &Turn<'_>) {
        let Some(flame) = turn.flame() else { return };
        self.cursor = flame.path(node);
        self.open_to_cursor();
        self.list_in_sight(turn);
        if turn.shown.rows.place_of(node).is_some() {
            self.row_in_sight(flame.node(node).depth);
        } else if self.pane == Pane::Flame {
            // Too narrow to be drawn, or outside of what is zoomed to.
            self.zoom_to(self.cursor.clone(), turn);
        }
    }

    /// Scrolls the list so that its cursor can be seen.
    pub(super) fn list_in_sight(&mut self, turn: &Turn<'_>) {
        let at = match (self.pane, turn.flame()) {
            (Pane::Tree, Some(flame)) => tree_cursor(flame, &tree_rows(flame, &self.open), &self.cursor),
            (Pane::Top, _) => top_cursor(self, &top_rows(turn.shown, self.top_by_total)),
            _ => return,
        };
        let at = at.unwrap_or(0);
        let lowest = (at + 1).saturating_sub(self.list_rows().max(1));
        self.list_scroll = self.list_scroll.clamp(lowest, at.max(lowest));
    }
}
