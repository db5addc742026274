//! The write menu: what of the selected time to write, and in which format.

use super::super::units;
use super::super::widgets::{Pen, draw_popup};
use super::{Panel, Screen, Ui};
use crate::app::{Mode, WRITE_MENU};
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// See the module.
pub struct WriteMenu;

impl Panel for WriteMenu {
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect> {
        matches!(ui.app.mode, Mode::WriteMenu { .. }).then(|| screen.centred(52, WRITE_MENU.len() as u16 + 2))
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let Mode::WriteMenu { cursor } = ui.app.mode else { return };
        let foot = ui.shown.meta.as_ref().map_or_else(String::new, |meta| {
            let (from, length) = (units::time_of_day(meta.span.start), units::duration(meta.span.length));
            format!("{from}, {length}")
        });
        let inner = draw_popup(buf, area, ui.theme, "Write", &foot);
        for (at, (row, item)) in inner.rows().zip(WRITE_MENU).enumerate() {
            let style = |slot| ui.theme.style(if at == cursor { Slot::OverlayCursor } else { slot });
            Pen::on(buf, row, ui.theme).cell(&format!(" {}", item.key), 4, style(Slot::OverlayKey)).cell(
                item.label,
                inner.width,
                style(Slot::Overlay),
            );
        }
    }
}
