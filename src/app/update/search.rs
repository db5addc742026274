//! Search: a regular expression over names and files, live as it is typed.

use super::Turn;
use crate::app::{App, Key, KeyCode, LineInput, Mode, Pane, Search, top_cursor, top_rows};
use crate::profile::{Flame, Frame};
use regex::{Regex, RegexBuilder};

/// Bytes that a compiled expression may take.
const REGEX_BYTES: usize = 1 << 20;

impl Search {
    /// The search for `text`: any case unless it holds an upper-case letter.
    pub fn new(text: &str) -> Self {
        let built = RegexBuilder::new(text)
            .case_insensitive(!has_upper_case(text))
            .size_limit(REGEX_BYTES)
            .dfa_size_limit(REGEX_BYTES)
            .build();
        let error = built.as_ref().err().map(reason);
        Self { text: text.into(), regex: built.ok(), error }
    }

    /// Whether it finds a function, by name or file; one that is not valid finds none.
    pub fn matches(&self, frame: &Frame) -> bool {
        self.regex.as_ref().is_some_and(|regex| matches(regex, frame))
    }
}

/// Whether a letter of the expression is upper-case; those of escapes such as `\W` are not letters.
fn has_upper_case(text: &str) -> bool {
    let mut escaped = false;
    text.chars().any(|c| {
        let letter = !escaped && c.is_uppercase();
        escaped = !escaped && c == '\\';
        letter
    })
}

/// The last line of a regex error says what is wrong; those above draw a picture of where.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or(&text).trim();
    last.strip_prefix("error: ").unwrap_or(last).into()
}

fn matches(regex: &Regex, frame: &Frame) -> bool {
    regex.is_match(&frame.name) || regex.is_match(&frame.file)
}

impl App {
    pub(super) fn begin_search(&mut self) {
        self.search_before = self.search.take();
        self.mode = Mode::Search(LineInput::default());
    }

    pub(super) fn search_key(&mut self, key: Key, turn: &Turn<'_>) {
        let Mode::Search(line) = &mut self.mode else { return };
        match key.code {
            KeyCode::Enter => return self.keep_search(turn),
            KeyCode::Esc => return self.drop_search(),
            KeyCode::Backspace if line.text().is_empty() => return self.drop_search(),
            _ => {}
        }
        if line.edit(key) {
            self.search_as_typed();
        }
    }

    pub(super) fn search_as_typed(&mut self) {
        let Mode::Search(line) = &self.mode else { return };
        self.search = Some(line.text()).filter(|text| !text.is_empty()).map(Search::new);
    }

    /// Enter: the search stands, and the cursor goes to a match.
    fn keep_search(&mut self, turn: &Turn<'_>) {
        self.mode = Mode::Browse;
        self.search_before = None;
        match &self.search {
            Some(Search { error: Some(error), .. }) => {
                self.toast_error(format!("not a regular expression: {error}"));
            }
            Some(_) if !self.cursor_matches(turn) => self.next_match(1, turn),
            _ => {}
        }
    }

    fn drop_search(&mut self) {
        self.mode = Mode::Browse;
        self.search = self.search_before.take();
    }

    pub(super) fn search_cursor(&mut self, turn: &Turn<'_>) {
        match self.frame_under_cursor(turn) {
            Some(frame) => self.search = Some(Search::new(&format!("^{}$", regex::escape(turn.name(frame))))),
            None => self.toast("no function is selected"),
        }
    }

    /// To the next match, or the one before, in the order of the pane; round at the end.
    pub(super) fn next_match(&mut self, by: i64, turn: &Turn<'_>) {
        let Some(regex) = self.search.as_ref().and_then(|search| search.regex.clone()) else {
            return self.toast("nothing is searched for: / begins a search");
        };
        let found = match self.pane {
            Pane::Top => self.next_row(&regex, by, turn),
            Pane::Flame | Pane::Tree => self.next_node(&regex, by, turn),
        };
        if !found {
            self.toast("no match in sight");
        }
    }

    fn next_node(&mut self, regex: &Regex, by: i64, turn: &Turn<'_>) -> bool {
        let Some(flame) = turn.flame() else { return false };
        let zoom = if self.pane == Pane::Flame { flame.find(&self.zoom).0 } else { 0 };
        let order = layout_order(flame, zoom);
        let cursor = flame.find(&self.cursor).0;
        let here = order.iter().position(|node| *node == cursor);
        let frames = turn.session.tree().frames();
        let fits = |at: usize| order[at] != 0 && matches(regex, frames.get(flame.node(order[at]).frame));
        let Some(at) = round(order.len(), here, by).find(|at| fits(*at)) else { return false };
        self.show_node(order[at], turn);
        true
    }

    fn next_row(&mut self, regex: &Regex, by: i64, turn: &Turn<'_>) -> bool {
        let rows = top_rows(turn.shown, self.top_by_total);
        let here = self.top_cursor.and_then(|_| top_cursor(self, &rows));
        let frames = turn.session.tree().frames();
        let fits = |at: &usize| matches(regex, frames.get(rows[*at].frame));
        let Some(at) = round(rows.len(), here, by).find(fits) else { return false };
        self.top_cursor = Some(rows[at].frame);
        self.list_in_sight(turn);
        true
    }

    fn cursor_matches(&self, turn: &Turn<'_>) -> bool {
        let frame = self.frame_under_cursor(turn).map(|frame| turn.session.tree().frames().get(frame));
        self.search.as_ref().zip(frame).is_some_and(|(search, frame)| search.matches(frame))
    }
}

/// All places, beginning beside `here` in the direction of `by`, `here` itself last.
fn round(count: usize, here: Option<usize>, by: i64) -> impl Iterator<Item = usize> {
    let back = by < 0;
    let start = here.unwrap_or(if back { 0 } else { count.saturating_sub(1) });
    (1..=count).map(move |step| if back { (start + count - step) % count } else { (start + step) % count })
}

/// The nodes below `top` as they are laid out: callers first, then from left to right.
fn layout_order(flame: &Flame, top: u32) -> Vec<u32> {
    let mut order = Vec::new();
    let mut waiting = vec![top];
    while let Some(node) = waiting.pop() {
        order.push(node);
        waiting.extend(flame.children(node).iter().rev());
    }
    order
}
