//! Messages that go away by themselves, over the lower right of the body.

use super::super::widgets::{Pen, text_width, wrap_text};
use super::{Panel, Screen, Ui};
use crate::app::Toast;
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Messages shown at once; the newest is the lowest.
const MOST: usize = 3;
/// Rows that one message takes at most; what does not fit is cut.
const MOST_ROWS: usize = 3;

/// See the module.
pub struct Toasts;

impl Panel for Toasts {
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect> {
        let body = screen.body;
        let height = shown(ui, body).iter().map(|(_, rows)| rows.len() as u16).sum();
        (height > 0).then_some(Rect { y: body.bottom() - height, height, ..body })
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let mut lines = area.rows();
        for (toast, rows) in shown(ui, area).iter().rev() {
            let style = ui.theme.style(if toast.error { Slot::ToastError } else { Slot::Toast });
            let widest = rows.iter().map(|row| text_width(row, ui.theme.glyphs)).max().unwrap_or(0);
            let width = (widest + 1).min(area.width);
            for (row, line) in rows.iter().zip(lines.by_ref()) {
                let place = Rect { x: line.right() - width, width, ..line };
                // The last cell stays blank, also where the text is cut.
                Pen::on(buf, place, ui.theme).cell(row, width.saturating_sub(1), style).cell("", 1, style);
            }
        }
    }
}

/// The newest messages that there is room for, newest first, with their rows.
fn shown<'a>(ui: &Ui<'a>, area: Rect) -> Vec<(&'a Toast, Vec<String>)> {
    let mut left = usize::from(area.height);
    let mut shown = Vec::new();
    for toast in ui.app.toasts.iter().rev().take(MOST) {
        let rows = rows(ui, toast, area.width, left.min(MOST_ROWS));
        if rows.is_empty() {
            break;
        }
        left -= rows.len();
        shown.push((toast, rows));
    }
    shown
}

/// The rows of a message, `most` at most; all that is left stands in the last one.
fn rows(ui: &Ui, toast: &Toast, width: u16, most: usize) -> Vec<String> {
    let (mark, indent) = if toast.error { (" ▲ ", "   ") } else { (" ", " ") };
    let room = width.saturating_sub(mark.chars().count() as u16 + 1);
    let mut rows = wrap_text(&toast.text, room, ui.theme.glyphs);
    if rows.len() > most {
        let rest = rows.split_off(most.saturating_sub(1)).join(" ");
        rows.extend((most > 0).then_some(rest));
    }
    for (at, row) in rows.iter_mut().enumerate() {
        row.insert_str(0, if at == 0 { mark } else { indent });
    }
    rows
}
