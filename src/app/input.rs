//! One line of text being typed.

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

    /// Takes the last character away.
    pub fn backspace(&mut self) {
        self.text.pop();
    }

    /// Takes everything away.
    pub fn clear(&mut self) {
        self.text.clear();
    }
}
