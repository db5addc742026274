//! The help overlay: scrolling and narrowing the list of keys.

use crate::app::{App, Key, KeyCode, LineInput, Mode, actions_matching};

/// Rows that a page key scrolls.
const PAGE: i64 = 10;

impl App {
    pub(super) fn help_key(&mut self, key: Key) {
        let Mode::Help { filter, .. } = &mut self.mode else { return };
        let unfiltered = filter.text().is_empty();
        match key.code {
            KeyCode::Esc if !unfiltered => self.narrow_help(LineInput::clear),
            KeyCode::Esc | KeyCode::Enter | KeyCode::F(1) => self.mode = Mode::Browse,
            KeyCode::Char('q' | '?') if unfiltered => self.mode = Mode::Browse,
            // As in a pager: it begins to narrow the list, which typing does anyway.
            KeyCode::Char('/') if unfiltered => {}
            KeyCode::Up => self.scroll_help(-1),
            KeyCode::Down => self.scroll_help(1),
            KeyCode::PageUp => self.scroll_help(-PAGE),
            KeyCode::PageDown => self.scroll_help(PAGE),
            KeyCode::Home => self.scroll_help(i64::from(i16::MIN)),
            KeyCode::End => self.scroll_help(i64::from(i16::MAX)),
            KeyCode::Char('k') if unfiltered => self.scroll_help(-1),
            KeyCode::Char('j') if unfiltered => self.scroll_help(1),
            _ => self.narrow_help(|line| line.edit(key)),
        }
    }

    pub(super) fn scroll_help(&mut self, by: i64) {
        let Mode::Help { scroll, filter } = &mut self.mode else { return };
        let last = actions_matching(filter.text()).len().saturating_sub(1) as i64;
        *scroll = (i64::from(*scroll) + by).clamp(0, last) as u16;
    }

    /// Narrows the list by what `change` makes of the filter, and shows it from its top if that is something else.
    fn narrow_help(&mut self, change: impl FnOnce(&mut LineInput) -> bool) {
        if let Mode::Help { scroll, filter } = &mut self.mode
            && change(filter)
        {
            *scroll = 0;
        }
    }
}
