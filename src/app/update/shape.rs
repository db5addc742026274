//! How the fold is shown: focus, hidden functions, inversion, order, numbers, colours.

use super::Turn;
use crate::app::{App, ColourBy, NumberFormat, Pane};
use crate::profile::{CallPath, FrameId};

/// Functions that can be hidden at once.
const HIDDEN: usize = 256;

impl NumberFormat {
    /// The format after this one, round at the end.
    pub fn next(self) -> Self {
        match self {
            Self::Share => Self::Absolute,
            Self::Absolute => Self::PerSecond,
            Self::PerSecond => Self::Share,
        }
    }
}

impl ColourBy {
    /// The meaning after this one, round at the end.
    pub fn next(self) -> Self {
        match self {
            Self::Package => Self::Kind,
            Self::Kind => Self::SelfValue,
            Self::SelfValue => Self::Package,
        }
    }
}

impl App {
    /// Shows only the function under the cursor, all its callers merged; again: everything.
    pub(super) fn focus(&mut self, turn: &Turn<'_>) {
        if self.shape.focus.take().is_some() {
            return self.start_at(Vec::new());
        }
        let Some(frame) = self.frame_under_cursor(turn) else { return self.nothing_selected() };
        self.shape.focus = Some(frame);
        self.start_at(vec![frame]);
    }

    pub(super) fn hide(&mut self, turn: &Turn<'_>) {
        let Some(frame) = self.frame_under_cursor(turn) else { return self.nothing_selected() };
        if self.shape.hidden.contains(&frame) {
            return;
        }
        if self.shape.hidden.len() == HIDDEN {
            return self.toast_error(format!("{HIDDEN} functions are hidden; X shows them again"));
        }
        self.shape.hidden.push(frame);
        self.forget(frame);
        self.toast(format!("{} is hidden; X shows it again", turn.name(frame)));
    }

    pub(super) fn unhide(&mut self) {
        let count = self.shape.hidden.len();
        self.shape.hidden.clear();
        self.toast(match count {
            0 => "nothing was hidden".into(),
            1 => "1 function is shown again".into(),
            count => format!("{count} functions are shown again"),
        });
    }

    /// Leaves first or root first; the function under the cursor stays under it where it can.
    pub(super) fn invert(&mut self) {
        self.shape.inverted = !self.shape.inverted;
        let leaf = self.cursor.last().copied().filter(|_| self.shape.inverted);
        self.start_at(leaf.into_iter().collect());
    }

    /// Siblings by name or value; in the table, rows by self or total.
    pub(super) fn change_order(&mut self) {
        match self.pane {
            Pane::Top => self.top_by_total = !self.top_by_total,
            Pane::Flame | Pane::Tree => self.shape.by_value = !self.shape.by_value,
        }
    }

    /// The tree has another form now: no zoom, nothing open, and the cursor here.
    fn start_at(&mut self, cursor: CallPath) {
        self.cursor = cursor;
        self.zoom.clear();
        self.zoomed_from.clear();
        self.open.clear();
        self.scroll = 0;
        self.list_scroll = 0;
    }

    /// Takes a hidden function out of every path, as it is taken out of the flame.
    fn forget(&mut self, frame: FrameId) {
        let without = |path: &CallPath| path.iter().copied().filter(|known| *known != frame).collect();
        self.cursor = without(&self.cursor);
        self.zoom = without(&self.zoom);
        self.zoomed_from = self.zoomed_from.iter().map(without).collect();
        self.open = self.open.iter().map(without).collect();
        self.top_cursor = self.top_cursor.filter(|known| *known != frame);
    }

    fn nothing_selected(&mut self) {
        self.toast("no function is selected");
    }
}
