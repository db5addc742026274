//! The only way the app changes: a message in, effects out. One file a concern.
//!
//! Called by the engine for every message, in order; does no I/O and reads no clock.

mod actions;
mod copy;
mod diff;
mod help;
mod icicle;
mod jump;
mod kinds;
mod lists;
mod mouse;
mod moves;
mod picker;
mod play;
mod quit;
mod search;
mod shape;
mod time;
mod toasts;
mod write;
mod zoom;

pub use jump::Peak;
pub use play::{Playing, Speed};

use super::{Action, App, Effect, Key, LIST_TITLE_ROWS, Mode, Msg, Pane, Shown, screen_rows, tree_rows};
use crate::profile::{Flame, FrameId, Moment};
use crate::session::Session;

/// One message's turn: what it is judged by besides the app, and what it leads to.
struct Turn<'a> {
    session: &'a Session,
    shown: &'a Shown,
    effects: Vec<Effect>,
}

impl<'a> Turn<'a> {
    fn flame(&self) -> Option<&'a Flame> {
        self.shown.flame.as_ref()
    }

    fn name(&self, frame: FrameId) -> &'a str {
        &self.session.tree().frames().get(frame).name
    }

    fn ask(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}

impl App {
    /// Takes note of a message; what is to be done outside is returned.
    ///
    /// `shown` is what the user saw when the message came about.
    pub fn update(&mut self, msg: Msg, session: &Session, shown: &Shown) -> Vec<Effect> {
        let mut turn = Turn { session, shown, effects: Vec::new() };
        match msg {
            Msg::Key(key) => self.key(key, &mut turn),
            Msg::Paste(text) => self.paste(&text),
            Msg::Mouse(event) => self.mouse(event, &mut turn),
            Msg::Resize(columns, rows) => self.size = (columns, rows),
            Msg::Tick(now) => self.tick(now, &mut turn),
            Msg::Fed(_) => self.choose_kind_that_exists(&turn),
            Msg::Done(outcome) => self.done(outcome),
            Msg::ToggleRecording => self.toggle_recording(&mut turn),
            Msg::Quit => self.leave(false, &mut turn),
        }
        self.settle(&turn);
        turn.effects
    }

    fn key(&mut self, key: Key, turn: &mut Turn<'_>) {
        let browsing = matches!(self.mode, Mode::Browse);
        if let Some(action) = Action::of(key, browsing) {
            return self.act(action, turn);
        }
        match self.mode {
            Mode::Browse => {}
            Mode::Search(_) => self.search_key(key, turn),
            Mode::Help { .. } => self.help_key(key),
            Mode::Pick(_) => self.pick_key(key, turn),
            Mode::WriteMenu { .. } => self.menu_key(key, turn),
            Mode::Confirm(_) => self.confirm_key(key, turn),
            Mode::MarkNote(_) => self.mark_key(key, turn),
            Mode::Goto(_) => self.goto_key(key, turn),
        }
    }

    fn paste(&mut self, text: &str) {
        match &mut self.mode {
            Mode::Search(line) => {
                line.insert(text);
                self.search_as_typed();
            }
            Mode::Help { filter, scroll } => {
                filter.insert(text);
                *scroll = 0;
            }
            Mode::Pick(picker) => {
                picker.filter.insert(text);
                picker.cursor = 0;
            }
            Mode::MarkNote(line) | Mode::Goto(line) => line.insert(text),
            // A paste is not a row of commands.
            Mode::Browse | Mode::WriteMenu { .. } | Mode::Confirm(_) => {}
        }
    }

    fn tick(&mut self, now: Moment, turn: &mut Turn<'_>) {
        self.now = now;
        self.expire_toasts();
        self.play_on(turn);
    }

    /// Rows of the body of the screen.
    fn body_rows(&self) -> u16 {
        screen_rows(self.size, self.maximised)[2]
    }

    /// Rows of a list in the body.
    fn list_rows(&self) -> usize {
        usize::from(self.body_rows().saturating_sub(LIST_TITLE_ROWS))
    }

    /// Keeps scrolling within what there is to see.
    fn settle(&mut self, turn: &Turn<'_>) {
        let shown = turn.shown;
        let up_to_date = turn.flame().is_none_or(|flame| flame.find(&self.zoom).0 == shown.zoom);
        if up_to_date {
            self.scroll = self.scroll.min(self.furthest_scroll(shown));
        }
        let rows = match (self.pane, turn.flame()) {
            (Pane::Flame, _) => return,
            (Pane::Tree, Some(flame)) => tree_rows(flame, &self.open).len(),
            (Pane::Tree, None) => 0,
            (Pane::Top, _) => shown.table.len(),
        };
        self.list_scroll = self.list_scroll.min(rows.saturating_sub(1));
    }

    fn furthest_scroll(&self, shown: &Shown) -> u16 {
        (shown.rows.rows.len() as u16).saturating_sub(self.body_rows())
    }
}
