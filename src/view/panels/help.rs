//! The help overlay: every action with its keys, from the table of actions.

use super::super::widgets::{Pen, draw_popup};
use super::{Panel, Screen, Ui};
use crate::app::{ActionSpec, Mode, actions_matching, key_name};
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Columns for the keys.
const KEYS: u16 = 16;

/// See the module.
pub struct Help;

impl Panel for Help {
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect> {
        matches!(ui.app.mode, Mode::Help { .. }).then(|| {
            let rows = ui_rows(ui).len() as u16;
            let height = (rows + 2).clamp(5, screen.whole.height.saturating_sub(4).max(5));
            let mut place = screen.centred(84, height);
            // The row of hints below holds what is typed.
            place.y = place.y.min(screen.hints.y.saturating_sub(place.height));
            place
        })
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let Mode::Help { scroll, .. } = &ui.app.mode else { return };
        let rows = ui_rows(ui);
        let inside = area.height.saturating_sub(2);
        let first = (*scroll).min((rows.len() as u16).saturating_sub(inside));
        let below = (rows.len() as u16).saturating_sub(first + inside);
        let foot = match (rows.is_empty(), below) {
            (true, _) => "no key does that".to_owned(),
            (false, 0) => "Esc closes, typing filters".into(),
            (false, below) => format!("▼ {below} more, typing filters"),
        };
        let inner = draw_popup(buf, area, ui.theme, "Keys", &foot);
        for (row, spec) in inner.rows().zip(rows.into_iter().skip(first.into())) {
            let keys: Vec<String> = spec.keys.iter().map(|key| key_name(*key)).collect();
            Pen::on(buf, row, ui.theme)
                .cell(&keys.join("  "), KEYS, ui.theme.style(Slot::OverlayKey))
                .cut(spec.help, ui.theme.style(Slot::Overlay));
        }
    }
}

fn ui_rows(ui: &Ui) -> Vec<&'static ActionSpec> {
    match &ui.app.mode {
        Mode::Help { filter, .. } => actions_matching(filter.text()),
        _ => Vec::new(),
    }
}
