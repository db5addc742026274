//! The picker: the processes that can be attached to.

use super::super::units;
use super::super::widgets::Pen;
use super::{Panel, Screen, Ui};
use crate::app::{Candidate, Mode, Picker};
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// See the module.
pub struct PickerList;

impl Panel for PickerList {
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect> {
        let Mode::Pick(_) = &ui.app.mode else { return None };
        let y = screen.header.y + 1;
        Some(Rect { y, height: screen.hints.y.saturating_sub(y), ..screen.whole })
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let Mode::Pick(picker) = &ui.app.mode else { return };
        for row in area.rows() {
            Pen::on(buf, row, ui.theme).cell("", row.width, ratatui::style::Style::reset());
        }
        let [titles, rows] = parts(area);
        let matching = picker.matching();
        title(ui, picker, matching.len(), Rect { height: 1, ..area }, buf);
        columns(ui, titles, buf);
        if matching.is_empty() {
            return nobody(ui, picker, rows, buf);
        }
        let cursor = picker.cursor.min(matching.len() - 1);
        let shown = usize::from(rows.height.max(1));
        let first = (cursor + 1).saturating_sub(shown);
        for (line, (at, candidate)) in rows.rows().zip(matching.into_iter().enumerate().skip(first)) {
            row(ui, candidate, at == cursor, line, buf);
        }
    }
}

fn parts(area: Rect) -> [Rect; 2] {
    let titles = Rect { y: area.y + 2, height: 1, ..area }.intersection(area);
    [titles, Rect { y: area.y + 3, height: area.height.saturating_sub(3), ..area }]
}

fn title(ui: &Ui, picker: &Picker, matching: usize, area: Rect, buf: &mut Buffer) {
    let all = picker.candidates.len();
    let text =
        if matching == all { format!("{all} processes") } else { format!("{matching} of {all} processes") };
    Pen::on(buf, area, ui.theme)
        .put(" Which process?  ", ui.theme.style(Slot::TextStrong))
        .cut(&text, ui.theme.style(Slot::TextDim));
}

fn columns(ui: &Ui, area: Rect, buf: &mut Buffer) {
    let style = ui.theme.style(Slot::TableHeader);
    let mut pen = Pen::on(buf, area, ui.theme);
    pen.right("PID", 9, style).cell("", 2, style).cell("KIND", 9, style).right("CPU", 7, style);
    pen.right("MEMORY", 10, style).right("UP", 9, style).cell("", 2, style);
    if area.width >= 100 {
        pen.cell("USER", 11, style);
    }
    pen.cell("COMMAND", area.width, style);
}

fn row(ui: &Ui, candidate: &Candidate, selected: bool, area: Rect, buf: &mut Buffer) {
    let blocked = candidate.obstacle.is_some();
    let style = |slot: Slot| {
        let slot = if blocked { Slot::TextDim } else { slot };
        ui.theme.style(if selected { Slot::TableCursor } else { slot })
    };
    let mut pen = Pen::on(buf, area, ui.theme);
    pen.right(&candidate.pid.to_string(), 9, style(Slot::TextValue)).cell("", 2, style(Slot::Text));
    pen.cell(&candidate.kind, 9, style(Slot::TextStrong));
    pen.right(&units::percent(candidate.cpu), 7, style(Slot::Text));
    pen.right(&units::bytes(candidate.rss as f64), 10, style(Slot::Text));
    pen.right(&units::age(candidate.age), 9, style(Slot::Text)).cell("", 2, style(Slot::Text));
    if area.width >= 100 {
        pen.cell(&candidate.user, 10, style(Slot::TextDim)).cell("", 1, style(Slot::Text));
    }
    if let Some(obstacle) = &candidate.obstacle {
        pen.put(&format!("({obstacle}) "), style(Slot::TextDim));
    }
    // A long path would push the name, which one looks for, out of sight.
    pen.put(&candidate.name, style(Slot::TextStrong)).put("  ", style(Slot::Text));
    pen.cell(&candidate.command, area.width, style(Slot::TextDim));
}

fn nobody(ui: &Ui, picker: &Picker, area: Rect, buf: &mut Buffer) {
    let text = if picker.candidates.is_empty() {
        "Looking for processes …"
    } else {
        "No process fits the filter; Backspace widens it"
    };
    let row = Rect { y: area.y + area.height / 3, height: 1, ..area }.intersection(area);
    Pen::on(buf, row, ui.theme).skip(4).cut(text, ui.theme.style(Slot::TextDim));
}
