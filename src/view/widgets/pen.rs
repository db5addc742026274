//! A pen that writes along one row and stops at its end.

use super::text::{cut_text, put_glyph, put_text, text_width};
use crate::theme::{Glyphs, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Writes along the first row of an area.
pub struct Pen<'b> {
    buf: &'b mut Buffer,
    x: u16,
    y: u16,
    end: u16,
    glyphs: Glyphs,
}

impl<'b> Pen<'b> {
    /// A pen at the left of the first row of `area`.
    pub fn on(buf: &'b mut Buffer, area: Rect, theme: &Theme) -> Self {
        let row = Rect { height: area.height.min(1), ..area }.intersection(buf.area);
        let end = if row.is_empty() { row.x } else { row.right() };
        Self { buf, x: row.x, y: row.y, end, glyphs: theme.glyphs }
    }

    /// Cells left.
    pub fn left(&self) -> u16 {
        self.end - self.x
    }

    /// Writes as much of `text` as there is room for.
    pub fn put(&mut self, text: &str, style: Style) -> &mut Self {
        let left = self.left();
        self.x = put_text(self.buf, (self.x, self.y), left, text, self.glyphs, style);
        self
    }

    /// Leaves cells as they are.
    pub fn skip(&mut self, cells: u16) -> &mut Self {
        self.x = self.x.saturating_add(cells).min(self.end);
        self
    }

    /// Writes `text` in exactly `width` cells, cut or followed by blanks.
    pub fn cell(&mut self, text: &str, width: u16, style: Style) -> &mut Self {
        let width = width.min(self.left());
        let start = self.x;
        self.put(&cut_text(text, width, self.glyphs), style);
        self.blank(start + width, style)
    }

    /// Writes `text` at the right of exactly `width` cells, cut where it is longer.
    pub fn right(&mut self, text: &str, width: u16, style: Style) -> &mut Self {
        let width = width.min(self.left());
        let text = cut_text(text, width, self.glyphs);
        let before = width.saturating_sub(text_width(&text, self.glyphs));
        self.blank(self.x + before, style).put(&text, style)
    }

    /// Writes `text` with `…` where there is no more room.
    pub fn cut(&mut self, text: &str, style: Style) -> &mut Self {
        let text = cut_text(text, self.left(), self.glyphs).into_owned();
        self.put(&text, style)
    }

    fn blank(&mut self, to: u16, style: Style) -> &mut Self {
        let to = to.min(self.end);
        for x in self.x..to {
            put_glyph(self.buf, (x, self.y), ' ', self.glyphs, style);
        }
        self.x = self.x.max(to);
        self
    }
}
