//! A bar to the eighth of a cell.

use super::Pen;
use crate::theme::{Glyphs, Theme};
use ratatui::style::Style;

const EIGHTHS: [&str; 9] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/// Writes a bar of `share` of `width` cells; something that is not nothing gets an eighth at least.
pub fn draw_bar(pen: &mut Pen, width: u16, share: f64, theme: &Theme, style: Style) {
    let width = width.min(pen.left());
    let steps = if theme.glyphs == Glyphs::Ascii { 1 } else { 8 };
    let whole = usize::from(width) * steps;
    let exact = (share.clamp(0.0, 1.0) * whole as f64).round() as usize;
    let filled = if share > 0.0 { exact.max(1) } else { 0 }.min(whole);
    for _ in 0..filled / steps {
        pen.put("█", style);
    }
    let rest = EIGHTHS[filled % steps];
    pen.put(rest, style);
    pen.skip(width - (filled / steps) as u16 - u16::from(!rest.is_empty()));
}
