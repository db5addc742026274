//! The row between time and body: the panes' tabs, and the ruler of the time axis with the selected
//! time in brackets.
//!
//! ```text
//!  1 Flame  2 Tree  3 Top  ── −45s ──────── −30s ────╰──╯─ −15s ─────◆──── now
//! ```

use super::super::units;
use super::super::widgets::{Pen, put_text, text_width};
use super::gauges::selected_cells;
use super::{Panel, Screen, Ui};
use crate::app::{Pane, TimeAxis, axis_columns, time_axis};
use crate::feed::NoteLevel;
use crate::profile::Nanos;
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Cells between two times on the ruler at least.
const APART: u16 = 12;

/// See the module.
pub struct Ruler;

impl Panel for Ruler {
    fn place(&self, _: &Ui, screen: &Screen) -> Option<Rect> {
        (screen.ruler.height > 0).then_some(screen.ruler)
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let (gutter, width) = axis_columns(area.width);
        let ruler = Rect { x: area.x + gutter, width, ..area };
        let axis = time_axis(ui.app, ui.session, width);
        Pen::on(buf, ruler, ui.theme).put(&"─".repeat(ruler.width.into()), ui.theme.style(Slot::TextFaint));
        times(ui, ruler, &axis, buf);
        marks(ui, ruler, &axis, buf);
        selection(ui, ruler, &axis, buf);
        tabs(ui, Rect { width: gutter, ..area }, buf);
    }
}

fn tabs(ui: &Ui, area: Rect, buf: &mut Buffer) {
    let mut pen = Pen::on(buf, area, ui.theme);
    for (at, pane) in Pane::ALL.into_iter().enumerate() {
        let slot = if pane == ui.app.pane { Slot::TabActive } else { Slot::Tab };
        pen.put(&format!(" {} {}", at + 1, pane.title()), ui.theme.style(slot));
        pen.put(if pane == ui.app.pane { " " } else { "" }, ui.theme.style(slot));
    }
}

/// Times on the ruler: how long ago while live, so that they hold still; of day when frozen. None is
/// written where time is selected.
fn times(ui: &Ui, area: Rect, axis: &TimeAxis, buf: &mut Buffer) {
    let (from, to) = selected_cells(ui, axis).unwrap_or((axis.width, axis.width));
    let dim = ui.theme.style(Slot::Ruler);
    let mut write = |end: u16, label: &str| {
        let width = text_width(label, ui.theme.glyphs);
        let Some(start) = end.checked_sub(width) else { return };
        if end <= from || start >= to {
            put_text(buf, (area.x + start, area.y), width, label, ui.theme.glyphs, dim);
        }
    };
    let step = step(axis.cell);
    for back in (step..axis.width).step_by(step.into()) {
        let end = axis.width - back;
        if ui.app.is_frozen() {
            write(end, &format!(" {} ", units::time_of_day(axis.moment(end))));
        } else {
            write(end, &format!(" −{} ", units::age(Nanos(axis.cell.0 * u64::from(back)))));
        }
    }
    if ui.app.is_frozen() {
        write(axis.width, &format!(" {}", units::time_of_day(axis.span.end())));
    } else {
        write(if to == axis.width { from } else { axis.width }, " now ");
    }
}

/// Cells between labels: a round length of time.
fn step(cell: Nanos) -> u16 {
    let round = [15, 20, 30, 60, 120].map(|cells: u16| (cells, cell.0 * u64::from(cells)));
    let is_round = |length: u64| length.is_multiple_of(15_000_000_000);
    round
        .into_iter()
        .find(|(cells, length)| *cells >= APART && is_round(*length))
        .map_or(15, |(cells, _)| cells)
}

fn marks(ui: &Ui, area: Rect, axis: &TimeAxis, buf: &mut Buffer) {
    for note in ui.session.notes().filter(|note| note.note.level == NoteLevel::Mark) {
        if let Some(x) = axis.x(note.at) {
            put_text(buf, (area.x + x, area.y), 1, "◆", ui.theme.glyphs, ui.theme.style(Slot::RulerMark));
        }
    }
}

fn selection(ui: &Ui, area: Rect, axis: &TimeAxis, buf: &mut Buffer) {
    let Some((from, to)) = selected_cells(ui, axis).filter(|(from, to)| from < to) else { return };
    let style = ui.theme.style(Slot::RulerSelected);
    let text = match to - from {
        1 => "▲".to_owned(),
        width => format!("╰{}╯", "─".repeat(usize::from(width) - 2)),
    };
    put_text(buf, (area.x + from, area.y), to - from, &text, ui.theme.glyphs, style);
}
