//! Moving in the lists: the rows of the tree and of the table.

use super::Turn;
use super::moves::Row;
use crate::app::{App, Pane, TreeRow, top_cursor, top_rows, tree_cursor, tree_rows};
use crate::profile::Flame;

impl App {
    pub(super) fn move_row(&mut self, to: Row, turn: &Turn<'_>) {
        match (self.pane, turn.flame()) {
            (Pane::Tree, Some(flame)) => {
                let rows = tree_rows(flame, &self.open);
                let here = tree_cursor(flame, &rows, &self.cursor);
                if let Some(row) = here.and_then(|here| rows.get(target(here, to, rows.len()))) {
                    self.cursor = flame.path(row.node);
                }
            }
            (Pane::Top, _) => {
                let rows = top_rows(turn.shown, self.top_by_total);
                // Nothing is under the cursor before the first move, which goes to the first row.
                let here = self.top_cursor.and_then(|_| top_cursor(self, &rows));
                let at = here.map_or(0, |here| target(here, to, rows.len()));
                self.top_cursor = rows.get(at).map(|row| row.frame).or(self.top_cursor);
            }
            _ => {}
        }
        self.list_in_sight(turn);
    }

    /// Opens the branch, or goes into it when it is open.
    pub(super) fn open_branch(&mut self, turn: &Turn<'_>) {
        let Some(flame) = turn.flame() else { return };
        let Some((row, _)) = self.tree_row(flame) else { return };
        if flame.children(row.node).is_empty() {
            return;
        }
        if row.open {
            self.move_row(Row::By(1), turn);
        } else {
            self.open.insert(flame.path(row.node));
        }
    }

    /// Closes the branch, or goes to the caller when it is closed.
    pub(super) fn close_branch(&mut self, turn: &Turn<'_>) {
        let Some(flame) = turn.flame() else { return };
        let Some((row, _)) = self.tree_row(flame) else { return };
        let parent = flame.node(row.node).parent;
        if row.open {
            self.open.remove(&flame.path(row.node));
        } else if parent != 0 {
            self.cursor = flame.path(parent);
        }
        self.list_in_sight(turn);
    }

    pub(super) fn toggle_branch(&mut self, turn: &Turn<'_>) {
        let Some(flame) = turn.flame() else { return };
        let Some((row, _)) = self.tree_row(flame) else { return };
        self.cursor = flame.path(row.node);
        if row.open { self.close_branch(turn) } else { self.open_branch(turn) }
    }

    /// Opens every branch on the way to the cursor.
    pub(super) fn open_to_cursor(&mut self) {
        let cursor = &self.cursor;
        self.open.extend((1..cursor.len()).map(|length| cursor[..length].to_vec()));
    }

    fn tree_row(&self, flame: &Flame) -> Option<(TreeRow, usize)> {
        let rows = tree_rows(flame, &self.open);
        let at = tree_cursor(flame, &rows, &self.cursor)?;
        Some((rows[at], at))
    }
}

fn target(here: usize, to: Row, rows: usize) -> usize {
    let last = rows.saturating_sub(1);
    match to {
        Row::By(steps) => here.saturating_add_signed(steps as isize).min(last),
        Row::First => 0,
        Row::Last => last,
    }
}
