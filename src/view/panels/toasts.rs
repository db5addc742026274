//! Messages that go away by themselves, over the lower right of the body.

use super::super::widgets::{Pen, text_width};
use super::{Panel, Screen, Ui};
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Messages shown at once; the newest is the lowest.
const MOST: usize = 3;

/// See the module.
pub struct Toasts;

impl Panel for Toasts {
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect> {
        let count = ui.app.toasts.len().min(MOST) as u16;
        let body = screen.body;
        let height = count.min(body.height);
        (count > 0).then_some(Rect { y: body.bottom() - height, height, ..body })
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let first = ui.app.toasts.len().saturating_sub(area.height.into());
        for (row, toast) in area.rows().zip(ui.app.toasts.iter().skip(first)) {
            let slot = if toast.error { Slot::ToastError } else { Slot::Toast };
            let text = format!(" {}{} ", if toast.error { "▲ " } else { "" }, toast.text);
            let width = text_width(&text, ui.theme.glyphs).min(row.width);
            let place = Rect { x: row.right() - width, width, ..row };
            Pen::on(buf, place, ui.theme).cell(&text, width, ui.theme.style(slot));
        }
    }
}
