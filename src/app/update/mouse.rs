//! The mouse. It uses the rows and the axis that drawing uses, so that a click means what was drawn.

use super::Turn;
use super::moves::Row;
use crate::app::{
    App, LIST_TITLE_ROWS, Mode, MouseEvent, MouseKind, Pane, axis_columns, screen_rows, time_axis, top_rows,
    tree_rows,
};
use crate::profile::{BlockContent, Moment};

/// Rows that a notch of the wheel moves.
const NOTCH: i64 = 3;

/// What lies under a cell.
enum Place {
    Sparklines,
    /// A row of the body, from its top.
    Body(u16),
    Elsewhere,
}

impl App {
    pub(super) fn mouse(&mut self, event: MouseEvent, turn: &mut Turn<'_>) {
        match event.kind {
            MouseKind::WheelUp => self.wheel(-NOTCH, turn),
            MouseKind::WheelDown => self.wheel(NOTCH, turn),
            MouseKind::Release => self.drag_from = None,
            _ if !matches!(self.mode, Mode::Browse) => {}
            MouseKind::Press => self.press(event, turn),
            MouseKind::Drag => self.drag(event.x, turn),
            MouseKind::RightPress => self.zoom_up(turn),
        }
    }

    fn place(&self, y: u16) -> Place {
        let [header, sparklines, body, ..] = screen_rows(self.size, self.maximised);
        match y.checked_sub(header) {
            Some(row) if row < sparklines => Place::Sparklines,
            Some(row) if row - sparklines < body => Place::Body(row - sparklines),
            _ => Place::Elsewhere,
        }
    }

    fn press(&mut self, event: MouseEvent, turn: &mut Turn<'_>) {
        match (self.place(event.y), self.pane) {
            (Place::Sparklines, _) => {
                self.drag_from = self.moment_at(event.x, turn);
                self.drag(event.x, turn);
            }
            (Place::Body(row), Pane::Flame) => self.click_block(row, event.x, turn),
            (Place::Body(row), Pane::Tree | Pane::Top) => self.click_row(row, turn),
            (Place::Elsewhere, _) => {}
        }
    }

    /// Selects from where the button went down to here.
    fn drag(&mut self, x: u16, turn: &mut Turn<'_>) {
        let Some(from) = self.drag_from else { return };
        let (first, width) = axis_columns(self.size.0);
        let inside = x.clamp(first, (first + width).saturating_sub(1).max(first));
        if let Some(to) = self.moment_at(inside, turn) {
            self.select_between(from, to, turn);
        }
    }

    /// The middle of the cell under a column.
    fn moment_at(&self, x: u16, turn: &Turn<'_>) -> Option<Moment> {
        let (first, width) = axis_columns(self.size.0);
        let cell = x.checked_sub(first).filter(|cell| *cell < width)?;
        let span = time_axis(self, turn.session, width).cell_span(cell);
        Some(span.start + crate::profile::Nanos(span.length.0 / 2))
    }

    /// Selects a block; clicked when it is selected, it fills the width.
    fn click_block(&mut self, row: u16, x: u16, turn: &Turn<'_>) {
        let Some(flame) = turn.flame() else { return };
        let Some(block) = turn.shown.rows.at(usize::from(row) + usize::from(self.scroll), x) else { return };
        let node = match block.content {
            BlockContent::Node(node) => node,
            BlockContent::Gathered { parent, .. } => parent,
        };
        let path = flame.path(node);
        if path == self.cursor {
            self.zoom_to(path, turn);
        } else {
            self.put_cursor(flame, node);
        }
    }

    /// Selects a row of a list; clicked when it is selected, it does what Enter does.
    fn click_row(&mut self, row: u16, turn: &Turn<'_>) {
        let Some(row) = row.checked_sub(LIST_TITLE_ROWS) else { return };
        let at = self.list_scroll + usize::from(row);
        let selected = match turn.flame() {
            Some(flame) if self.pane == Pane::Tree => {
                let rows = tree_rows(flame, &self.open);
                let Some(path) = rows.get(at).map(|row| flame.path(row.node)) else { return };
                std::mem::replace(&mut self.cursor, path) == self.cursor
            }
            _ => {
                let rows = top_rows(turn.shown, self.top_by_total);
                let Some(row) = rows.get(at) else { return };
                self.top_cursor.replace(row.frame) == Some(row.frame)
            }
        };
        if selected {
            self.enter(turn);
        }
    }

    fn wheel(&mut self, by: i64, turn: &Turn<'_>) {
        match (&mut self.mode, self.pane) {
            (Mode::Help { .. }, _) => self.scroll_help(by),
            (Mode::Pick(picker), _) => picker.step(by.signum()),
            (Mode::Browse | Mode::Search(_), Pane::Flame) => {
                let furthest = i64::from(self.furthest_scroll(turn.shown));
                self.scroll = (i64::from(self.scroll) + by).clamp(0, furthest) as u16;
            }
            (Mode::Browse | Mode::Search(_), Pane::Tree | Pane::Top) => self.move_row(Row::By(by), turn),
            _ => {}
        }
    }
}
