//! The one way text gets into a buffer, wherever it comes from.
//!
//! Names, paths and commands come from the watched process. Nothing in them may move the cursor, end
//! a cell early or take more cells than a terminal gives it; so they are made of plain characters of
//! one or two cells here, at the last moment, whatever was cleaned before.

use crate::theme::Glyphs;
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Puts `text` at a cell, in at most `max` cells; the cell after the last one taken.
pub fn put_text(buf: &mut Buffer, at: (u16, u16), max: u16, text: &str, glyphs: Glyphs, style: Style) -> u16 {
    let (x, y) = at;
    let inside = buf.area.left() <= x && x < buf.area.right() && buf.area.top() <= y && y < buf.area.bottom();
    if !inside || max == 0 {
        return x;
    }
    buf.set_stringn(x, y, plain(text, glyphs), usize::from(max), style).0
}

/// Puts one of our own glyphs, which are a cell wide each, into a cell. Never for text from outside;
/// it is here because most cells of a screen are blanks and blocks, and this is ten times quicker.
pub fn put_glyph(buf: &mut Buffer, at: (u16, u16), glyph: char, glyphs: Glyphs, style: Style) {
    if let Some(cell) = buf.cell_mut(at) {
        cell.set_char(if glyphs == Glyphs::Ascii { ascii(glyph) } else { glyph }).set_style(style);
    }
}

/// Cells that `text` takes.
pub fn text_width(text: &str, glyphs: Glyphs) -> u16 {
    u16::try_from(plain(text, glyphs).width()).unwrap_or(u16::MAX)
}

/// `text` in `width` cells at most, with `…` where it was cut.
pub fn cut_text(text: &str, width: u16, glyphs: Glyphs) -> Cow<'_, str> {
    let plain = plain(text, glyphs);
    if plain.width() <= usize::from(width) {
        return plain;
    }
    let room = usize::from(width).saturating_sub(1);
    let mut kept = String::new();
    let mut used = 0;
    for c in plain.chars() {
        used += c.width().unwrap_or(0);
        if used > room {
            break;
        }
        kept.push(c);
    }
    if width > 0 {
        kept.push(if glyphs == Glyphs::Ascii { '~' } else { '…' });
    }
    kept.into()
}

/// `text` in rows of `width` cells at most, of whole words where they fit a row.
pub fn wrap_text(text: &str, width: u16, glyphs: Glyphs) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    for word in text.split([' ', '\n']) {
        let longer = text_width(&row, glyphs).saturating_add(1).saturating_add(text_width(word, glyphs));
        if !row.is_empty() && longer > width {
            rows.push(std::mem::take(&mut row));
        } else if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(word);
        // A path can be longer than a row; no part of it gets lost.
        while let Some(at) = overhang(&row, width, glyphs) {
            let rest = row.split_off(at);
            rows.push(std::mem::replace(&mut row, rest));
        }
    }
    rows.push(row);
    rows
}

/// Where the part of a row begins that is beyond `width`, but not before its second character.
fn overhang(row: &str, width: u16, glyphs: Glyphs) -> Option<usize> {
    let mut used = 0u16;
    for (at, c) in row.char_indices() {
        used = used.saturating_add(text_width(c.encode_utf8(&mut [0; 4]), glyphs));
        if used > width && at > 0 {
            return Some(at);
        }
    }
    None
}

fn plain(text: &str, glyphs: Glyphs) -> Cow<'_, str> {
    let safe = |c: char| match glyphs {
        Glyphs::Unicode => is_safe(c),
        Glyphs::Ascii => (' '..='~').contains(&c),
    };
    if text.chars().all(safe) {
        return text.into();
    }
    let shown = |c: char| match glyphs {
        Glyphs::Unicode if is_safe(c) => c,
        Glyphs::Unicode => '·',
        Glyphs::Ascii => ascii(c),
    };
    text.chars().map(shown).collect::<String>().into()
}

/// Whether every terminal gives the character the same cells, and nothing else happens.
fn is_safe(c: char) -> bool {
    c.width().is_some_and(|width| width > 0) && !is_emoji(c) && !is_conjoining(c)
}

/// Terminals differ in the width of pictures, flags and what joins them.
fn is_emoji(c: char) -> bool {
    let variable = matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{e0000}'..='\u{e0fff}');
    variable
        || (matches!(c, '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{2300}'..='\u{23ff}')
            && c.width() == Some(2))
}

/// Characters that melt with their neighbours into clusters of a width of their own.
fn is_conjoining(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{dff}' | '\u{f00}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{a960}'..='\u{a97f}' | '\u{d7b0}'..='\u{d7ff}' | '\u{600}'..='\u{8ff}' | '\u{590}'..='\u{5ff}')
}

/// The nearest in ASCII to what we draw with; `?` for the rest.
fn ascii(c: char) -> char {
    match c {
        ' '..='~' => c,
        '│' => '|',
        '─' | '–' | '—' | '−' | '·' => '-',
        '╭' | '╮' | '╰' | '╯' => '+',
        '▸' | '→' | '›' => '>',
        '←' => '<',
        '▼' | '↓' | '▾' => 'v',
        '▲' | '↑' => '^',
        '●' | '◆' => '*',
        '…' | '±' => '~',
        'µ' => 'u',
        block => ascii_block(block),
    }
}

/// A ramp of heights, a hatch, and the line between two blocks.
fn ascii_block(c: char) -> char {
    match c {
        '▏' => '|',
        '▁' => '.',
        '▂' => ',',
        '▃' | '░' => ':',
        '▄' => '-',
        '▅' => '=',
        '▆' => '+',
        '▇' => '*',
        '█' => '#',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

    fn drawn(text: &str, width: u16, glyphs: Glyphs) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, 1));
        put_text(&mut buf, (0, 0), width, text, glyphs, Style::new());
        buf.content().iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn text_is_wrapped_at_words_and_long_words_anywhere() {
        let wrap = |text, width| wrap_text(text, width, Glyphs::Unicode);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrap("to /srv/profiles x", 6), ["to", "/srv/p", "rofile", "s x"]);
        assert_eq!(wrap("函数函", 5), ["函数", "函"]);
        assert_eq!(wrap("函数", 0), ["函", "数"]);
    }

    #[test]
    fn nothing_from_outside_can_drive_the_terminal() {
        assert_eq!(drawn("a\x1b[2Jb\u{202e}c", 9, Glyphs::Unicode), "a·[2Jb·c ");
        assert_eq!(drawn("👨‍👩‍👧 ok", 12, Glyphs::Unicode).trim_end(), "····· ok");
        assert_eq!(drawn("naïve→", 6, Glyphs::Ascii), "na?ve>");
    }

    #[test]
    fn a_wide_character_is_not_cut_in_half() {
        assert_eq!(drawn("ab函数", 3, Glyphs::Unicode), "ab ");
        assert_eq!(cut_text("函数函数", 5, Glyphs::Unicode), "函数…");
        assert_eq!(cut_text("abc", 0, Glyphs::Unicode), "");
    }

    #[test]
    fn outside_of_the_buffer_nothing_happens() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 3, 1));
        assert_eq!(put_text(&mut buf, (5, 7), 9, "abc", Glyphs::Unicode, Style::new()), 5);
    }
}
