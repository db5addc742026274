//! A question in the middle of the screen, answered with y or n.

use super::super::widgets::{Pen, draw_popup};
use super::{Panel, Screen, Ui};
use crate::app::{Mode, Question};
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// See the module.
pub struct Confirm;

impl Panel for Confirm {
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect> {
        matches!(ui.app.mode, Mode::Confirm(_)).then(|| screen.centred(64, 5))
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let Mode::Confirm(question) = &ui.app.mode else { return };
        let (title, text) = match question {
            Question::QuitWhileRecording => {
                ("Quit?", "A recording is running. Quitting completes its file.".to_owned())
            }
            Question::HeapCost(cost) => ("Switch the heap profile on?", cost.to_string()),
        };
        let inner = draw_popup(buf, area, ui.theme, title, "");
        let style = |slot| ui.theme.style(slot);
        let rows: Vec<Rect> = inner.rows().collect();
        if let [first, .., last] = rows[..] {
            Pen::on(buf, first, ui.theme).cut(&text, style(Slot::Overlay));
            Pen::on(buf, last, ui.theme)
                .put("y", style(Slot::OverlayKey))
                .put(" yes    ", style(Slot::Overlay))
                .put("n", style(Slot::OverlayKey))
                .put(" no", style(Slot::Overlay));
        }
    }
}
