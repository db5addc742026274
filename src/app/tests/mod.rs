//! Tests of the app as a whole, and the small world they stand on.

mod desk;
mod laws;
mod moves;
mod time;
mod travel;

use super::{App, Effect, Key, KeyCode, Msg, Shown};
use crate::feed::{Event, Feed, SourceId};
use crate::profile::{CallPath, ValueKind};
use crate::session::Session;
use crate::session::fixtures::{frame, profile};

/// App, session and what is shown of it.
pub struct Watched {
    pub app: App,
    pub session: Session,
    pub shown: Shown,
}

/// One window of one second with these stacks, on a screen of 80x24.
pub fn watch(stacks: &[(&str, i64)]) -> Watched {
    let mut watched = Watched { app: App::default(), session: Session::default(), shown: Shown::default() };
    watched.app.size = (80, 24);
    watched.add_window(0, stacks);
    watched
}

/// The path of a stack such as `a;b`; every frame of it must be known.
pub fn path(session: &Session, stack: &str) -> CallPath {
    let frames = session.tree().frames();
    let id = |name: &str| frames.find(&frame(name)).expect("the frame is known");
    stack.split(';').filter(|name| !name.is_empty()).map(id).collect()
}

impl Watched {
    /// Takes in a window of one second that begins at `second`.
    pub fn add_window(&mut self, second: i64, stacks: &[(&str, i64)]) {
        self.add(second, 1, ValueKind::cpu(), stacks);
    }

    /// Takes in a window of one kind.
    pub fn add(&mut self, second: i64, seconds: u64, kind: ValueKind, stacks: &[(&str, i64)]) {
        let profile = profile(second * 1000, seconds * 1000, kind, stacks);
        let at = profile.span.end();
        self.session.ingest(&Event { source: SourceId(0), at, feed: Feed::Window(Box::new(profile)) });
        self.tell(Msg::Fed(SourceId(0)));
    }

    /// A message, then a fresh look, as the engine does it.
    pub fn tell(&mut self, msg: Msg) -> Vec<Effect> {
        self.shown.refresh(&self.app, &self.session);
        let effects = self.app.update(msg, &self.session, &self.shown);
        for effect in &effects {
            match effect {
                Effect::Pin(selection) => self.session.pin(selection),
                Effect::Unpin => self.session.unpin(),
                Effect::SetBase { selection, label } => {
                    self.session.set_base(selection, label);
                }
                _ => {}
            }
        }
        self.shown.refresh(&self.app, &self.session);
        effects
    }

    /// Keys one after the other: characters, and names such as `<enter>`.
    pub fn keys(&mut self, keys: &str) -> Vec<Effect> {
        parse_keys(keys).into_iter().flat_map(|key| self.tell(Msg::Key(key))).collect()
    }

    /// The names on the way to the cursor.
    pub fn cursor(&self) -> String {
        self.names(&self.app.cursor)
    }

    /// The names of a path.
    pub fn names(&self, path: &CallPath) -> String {
        let frames = self.session.tree().frames();
        path.iter().map(|frame| &*frames.get(*frame).name).collect::<Vec<_>>().join(";")
    }

    /// What the newest toast says.
    pub fn toast(&self) -> &str {
        self.app.toasts.back().map_or("", |toast| &toast.text)
    }
}

fn parse_keys(keys: &str) -> Vec<Key> {
    let mut parsed = Vec::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|inside| inside.split_once('>'));
        let (key, after) = match named.and_then(|(name, after)| Some((named_key(name)?, after))) {
            Some(named) => named,
            None => (Key::char(c), &rest[c.len_utf8()..]),
        };
        parsed.push(key);
        rest = after;
    }
    parsed
}

fn named_key(name: &str) -> Option<Key> {
    Some(Key::plain(match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "bs" => KeyCode::Backspace,
        "tab" => KeyCode::Tab,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "end" => KeyCode::End,
        "pgdn" => KeyCode::PageDown,
        "pgup" => KeyCode::PageUp,
        "f5" => KeyCode::F(5),
        "c-c" => return Some(Key::ctrl('c')),
        _ => return None,
    }))
}
