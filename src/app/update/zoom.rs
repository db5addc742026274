//! Zoom: which frame fills the width, and the way back out.

use super::Turn;
use crate::app::{App, Pane};
use crate::profile::{CallPath, Flame, Shape};

/// Steps back out that are remembered.
const STEPS: usize = 100;
/// Callers that stay in sight above a frame that is zoomed to.
const CALLERS_IN_SIGHT: u16 = 2;

impl App {
    /// What Enter does in the pane in front.
    pub(super) fn enter(&mut self, turn: &Turn<'_>) {
        match self.pane {
            Pane::Flame => self.zoom_to(self.cursor.clone(), turn),
            Pane::Tree => self.toggle_branch(turn),
            Pane::Top => self.show_in_flame(turn),
        }
    }

    pub(super) fn zoom_to(&mut self, path: CallPath, turn: &Turn<'_>) {
        if path == self.zoom {
            return;
        }
        if self.zoomed_from.len() == STEPS {
            self.zoomed_from.remove(0);
        }
        self.zoomed_from.push(std::mem::replace(&mut self.zoom, path));
        self.scroll_to_zoom(turn);
    }

    /// One step back out: to what filled the width before, or to the caller.
    pub(super) fn zoom_up(&mut self, turn: &Turn<'_>) {
        match self.zoomed_from.pop() {
            Some(before) => self.zoom = before,
            None => drop(self.zoom.pop()),
        }
        self.scroll_to_zoom(turn);
    }

    /// What Esc does: leaves what is innermost, one thing at a time.
    pub(super) fn escape(&mut self, turn: &Turn<'_>) {
        if !self.zoom.is_empty() {
            self.zoom.clear();
            self.zoomed_from.clear();
            self.scroll = 0;
            let depth = turn.flame().map_or(0, |flame| flame.node(flame.find(&self.cursor).0).depth);
            self.row_in_sight(depth);
        } else if self.search.is_some() {
            self.search = None;
        } else {
            self.shape.focus = None;
        }
    }

    pub(super) fn reset_view(&mut self) {
        self.zoom.clear();
        self.zoomed_from.clear();
        self.scroll = 0;
        self.search = None;
        self.shape = Shape::default();
    }

    /// From the table to the flame: the function's heaviest occurrence fills the width.
    fn show_in_flame(&mut self, turn: &Turn<'_>) {
        let (Some(frame), Some(flame)) = (self.frame_under_cursor(turn), turn.flame()) else { return };
        let nodes = (1..flame.nodes().len() as u32).filter(|node| flame.node(*node).frame == frame);
        let heaviest = nodes
            .reduce(|best, next| if flame.node(next).total > flame.node(best).total { next } else { best });
        if let Some(node) = heaviest {
            self.pane = Pane::Flame;
            self.cursor = flame.path(node);
            self.zoom_to(self.cursor.clone(), turn);
        }
    }

    /// Scrolls so that the frame that fills the width is in sight, with as much below it as fits.
    fn scroll_to_zoom(&mut self, turn: &Turn<'_>) {
        let Some(flame) = turn.flame() else { return };
        let node = flame.find(&self.zoom).0;
        let furthest = (deepest_below(flame, node) + 1).saturating_sub(self.body_rows());
        self.scroll = flame.node(node).depth.saturating_sub(CALLERS_IN_SIGHT).min(furthest);
    }
}

/// Depth of the deepest node below `node`.
fn deepest_below(flame: &Flame, node: u32) -> u16 {
    let mut below = vec![false; flame.nodes().len()];
    below[node as usize] = true;
    let mut deepest = flame.node(node).depth;
    // Parents come first, so one pass is enough.
    for at in node as usize + 1..below.len() {
        let next = flame.nodes()[at];
        if below[next.parent as usize] {
            below[at] = true;
            deepest = deepest.max(next.depth);
        }
    }
    deepest
}
