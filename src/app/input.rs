//! One line of text being typed.

use super::key::{Key, KeyCode};

/// Longest text taken.
const MAX_CHARS: usize = 200;

/// A line being typed, with its cursor at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineInput {
    text: String,
}

impl LineInput {
    /// A line that starts with `text`.
    pub fn new(text: &str) -> Self {
        let mut line = Self::default();
        line.insert(text);
        line
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds typed or pasted text; control characters are left out.
    pub fn insert(&mut self, text: &str) {
        let room = MAX_CHARS.saturating_sub(self.text.chars().count());
        self.text.extend(text.chars().filter(|c| !c.is_control()).take(room));
    }

    /// What a key does to a line: Backspace, Ctrl-U, a character. False for any other key.
    pub fn edit(&mut self, key: Key) -> bool {
        match key.code {
            KeyCode::Backspace => {
                self.text.pop();
            }
            KeyCode::Char('u') if key.ctrl => self.text.clear(),
            KeyCode::Char(c) if !key.ctrl => self.insert(c.encode_utf8(&mut [0; 4])),
            _ => return false,
        }
        true
    }

    /// Takes everything away; true, as of any edit.
    pub fn clear(&mut self) -> bool {
        self.text.clear();
        true
    }
}
