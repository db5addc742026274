//! The icicle: rows of blocks, the root's on top.

use super::{Pen, put_glyph, put_text, text_width};
use crate::profile::Block;
use crate::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// How a block looks.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Colours and attributes.
    pub style: Style,
    /// The sign in its first cell: what it means is said without colour too.
    pub lead: Option<char>,
    /// Its name, made to fit the block less the first cell.
    pub label: String,
    /// Said at its right edge when there is room.
    pub figure: String,
    /// What the rest of it is filled with.
    pub fill: Option<char>,
}

/// Rows of blocks with the looks that `look` gives them.
pub struct Icicle<'a> {
    /// The rows in sight.
    pub rows: &'a [Vec<Block>],
    /// The look of a block: its row in sight, its place in the row, itself.
    pub look: &'a dyn Fn(usize, usize, &Block) -> Look,
}

impl Icicle<'_> {
    /// Draws the rows from the top of the area, as many as it has.
    pub fn draw(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        for (row, (blocks, line)) in self.rows.iter().zip(area.rows()).enumerate() {
            for (at, block) in blocks.iter().enumerate() {
                let place = Rect { x: line.x.saturating_add(block.x), width: block.width, ..line };
                draw_block(place.intersection(line), &(self.look)(row, at, block), theme, buf);
            }
        }
    }
}

fn draw_block(area: Rect, look: &Look, theme: &Theme, buf: &mut Buffer) {
    let fill = look.fill.unwrap_or(' ');
    for x in area.left()..area.right() {
        put_glyph(buf, (x, area.y), fill, theme.glyphs, look.style);
    }
    if area.is_empty() {
        return;
    }
    put_glyph(buf, (area.x, area.y), look.lead.unwrap_or(fill), theme.glyphs, look.style);
    Pen::on(buf, area, theme).skip(1).cut(&look.label, look.style);
    let (label, figure) = (text_width(&look.label, theme.glyphs), text_width(&look.figure, theme.glyphs));
    let room = area.width.saturating_sub(label.saturating_add(1));
    if figure > 0 && room >= figure.saturating_add(3) {
        put_text(buf, (area.right() - figure - 1, area.y), figure, &look.figure, theme.glyphs, look.style);
    }
}
