//! A box over the screen.

use super::{Pen, put_text};
use crate::theme::{Slot, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws an empty box with a title and a line in its lower border; gives the area inside.
pub fn draw_popup(buf: &mut Buffer, area: Rect, theme: &Theme, title: &str, foot: &str) -> Rect {
    let area = area.intersection(buf.area);
    if area.width < 4 || area.height < 3 {
        return Rect::ZERO;
    }
    let (ground, border) = (theme.style(Slot::Overlay), theme.style(Slot::OverlayBorder));
    for row in area.rows() {
        Pen::on(buf, row, theme).cell("", area.width, ground);
    }
    for position in area.positions() {
        if let Some(cell) = buf.cell_mut(position) {
            cell.reset();
            cell.set_style(ground);
        }
    }
    let line = "─".repeat(usize::from(area.width - 2));
    let rows = [(area.y, format!("╭{line}╮")), (area.bottom() - 1, format!("╰{line}╯"))];
    for (y, text) in rows {
        put_text(buf, (area.x, y), area.width, &text, theme.glyphs, border);
    }
    for y in area.y + 1..area.bottom() - 1 {
        put_text(buf, (area.x, y), 1, "│", theme.glyphs, border);
        put_text(buf, (area.right() - 1, y), 1, "│", theme.glyphs, border);
    }
    let inner_width = area.width - 4;
    label(buf, (area.x + 2, area.y), inner_width, title, theme, Slot::OverlayTitle);
    label(buf, (area.x + 2, area.bottom() - 1), inner_width, foot, theme, Slot::OverlayDim);
    Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
}

fn label(buf: &mut Buffer, at: (u16, u16), max: u16, text: &str, theme: &Theme, slot: Slot) {
    if !text.is_empty() {
        put_text(buf, at, max, &format!(" {text} "), theme.glyphs, theme.style(slot));
    }
}
