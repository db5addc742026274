//! A screen to take pictures of: app, session and what is shown, driven by keys.

use crate::app::{App, Effect, Key, KeyCode, Mode, Msg, Outcome, Picker, RecordingState, Shown};
use crate::feed::{Event, Feed};
use crate::profile::{Moment, Nanos};
use crate::session::Session;
use crate::source::synthetic::{START, events};
use crate::theme::{ColourDepth, Glyphs, Theme};
use crate::view::{OwnCost, Ui, frame};
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use std::fmt::Write;

/// An app on a session, with a theme.
pub struct World {
    pub app: App,
    pub session: Session,
    pub shown: Shown,
    pub theme: Theme,
    pub own: OwnCost,
}

impl World {
    /// A screen of that size with nothing watched.
    pub fn empty(size: (u16, u16)) -> Self {
        let app = App { window: Nanos::from_secs(1), ..App::default() };
        let own = OwnCost { cpu: 0.012, rss: 31 << 20, terminal: 1400.0 };
        let mut world =
            Self { app, session: Session::default(), shown: Shown::default(), theme: Theme::default(), own };
        world.tell(Msg::Resize(size.0, size.1));
        world.tell(Msg::Tick(START));
        world
    }

    /// A screen of that size after `seconds` of the made-up world.
    pub fn after(seconds: u64, size: (u16, u16)) -> Self {
        let mut world = Self::empty(size);
        for event in events(1, seconds) {
            world.feed(&event);
        }
        world.tell(Msg::Tick(START + Nanos::from_secs(seconds)));
        world
    }

    pub fn with(mut self, depth: ColourDepth, glyphs: Glyphs) -> Self {
        self.theme = Theme::builtin("dark", depth, glyphs).expect("a built-in theme");
        self
    }

    pub fn feed(&mut self, event: &Event) {
        self.session.ingest(event);
        self.tell(Msg::Fed(event.source));
    }

    pub fn say(&mut self, feed: Feed) {
        let event = Event { source: crate::feed::SourceId(0), at: self.app.now, feed };
        self.feed(&event);
    }

    pub fn tell(&mut self, msg: Msg) {
        self.shown.refresh(&self.app, &self.session);
        for effect in self.app.update(msg, &self.session, &self.shown) {
            if let Effect::SetBase { selection, label } = effect {
                self.session.set_base(&selection, &label);
            }
        }
    }

    /// Presses keys: characters, or names such as `<enter>`.
    pub fn keys(mut self, keys: &str) -> Self {
        let mut rest = keys;
        while let Some(c) = rest.chars().next() {
            let (key, length) = match rest.split_once('>') {
                Some((name, _)) if c == '<' && name.len() > 1 => (named(&name[1..]), name.len() + 1),
                _ => (Key::char(c), c.len_utf8()),
            };
            rest = &rest[length..];
            self.tell(Msg::Key(key));
        }
        self
    }

    pub fn recording(mut self) -> Self {
        let path = "/srv/api/flametop-api.js-20260302-140048.ftrec".into();
        let since = Moment(self.app.now.0 - 12_000_000_000);
        let state = RecordingState { path, since, bytes: 3_250_000, windows: 12 };
        self.tell(Msg::Done(Outcome::RecordingStarted(state)));
        let now = self.app.now;
        self.tell(Msg::Tick(now + Nanos::from_secs(7)));
        self
    }

    pub fn picking(mut self, candidates: Vec<crate::app::Candidate>) -> Self {
        self.app.mode = Mode::Pick(Picker { candidates, ..Picker::default() });
        self
    }

    pub fn draw(&mut self) -> Buffer {
        self.shown.refresh(&self.app, &self.session);
        let ui = Ui {
            app: &self.app,
            session: &self.session,
            shown: &self.shown,
            theme: &self.theme,
            own: &self.own,
        };
        frame(&ui, self.app.size)
    }

    /// The screen as text.
    pub fn text(&mut self) -> String {
        text_of(&self.draw())
    }

    /// The screen's styles: a letter for each, and what the letters mean.
    pub fn styles(&mut self) -> String {
        styles_of(&self.draw())
    }
}

fn named(name: &str) -> Key {
    match name {
        "enter" => Key::plain(KeyCode::Enter),
        "esc" => Key::plain(KeyCode::Esc),
        "down" => Key::plain(KeyCode::Down),
        "right" => Key::plain(KeyCode::Right),
        "end" => Key::plain(KeyCode::End),
        other => panic!("no key is called {other}"),
    }
}

fn text_of(buf: &Buffer) -> String {
    let mut text = String::new();
    for row in buf.area.rows() {
        let mut line = String::new();
        let mut hidden = 0;
        for at in row.columns() {
            let symbol = buf[(at.x, at.y)].symbol();
            if hidden == 0 {
                line.push_str(symbol);
                hidden = unicode_width::UnicodeWidthStr::width(symbol).max(1);
            }
            hidden -= 1;
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn styles_of(buf: &Buffer) -> String {
    const LETTERS: &[u8] = b".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut known: Vec<Style> = vec![Style::reset()];
    let mut map = String::new();
    for row in buf.area.rows() {
        for at in row.columns() {
            let style = buf[(at.x, at.y)].style();
            let plain = buf[(at.x, at.y)] == ratatui::buffer::Cell::EMPTY;
            let index = known.iter().position(|seen| *seen == style).unwrap_or_else(|| {
                if !plain {
                    known.push(style);
                }
                if plain { 0 } else { known.len() - 1 }
            });
            map.push(char::from(*LETTERS.get(index).unwrap_or(&b'?')));
        }
        map.push('\n');
    }
    for (index, style) in known.iter().enumerate().skip(1) {
        let letter = char::from(*LETTERS.get(index).unwrap_or(&b'?'));
        let _ = writeln!(map, "{letter} {:?} on {:?} {:?}", style.fg, style.bg, style.add_modifier);
    }
    map
}
