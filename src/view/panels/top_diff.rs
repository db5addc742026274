//! The top pane of a difference: the functions that changed most, before, now, and how sure that is.

use super::super::paint::change_slot;
use super::super::units;
use super::super::widgets::Pen;
use super::top::draw_rows;
use super::{Panel, Screen, Ui};
use crate::app::{LIST_TITLE_ROWS, Pane};
use crate::profile::{Change, Comparison, FunctionRow, Verdict, place_of};
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// See the module.
pub struct TopDiffPane;

impl Panel for TopDiffPane {
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect> {
        let compared = ui.shown.flame.is_some() && ui.shown.comparison().is_some();
        (ui.app.pane == Pane::Top && compared).then_some(screen.body)
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let Some(comparison) = ui.shown.comparison() else { return };
        let table = Table { ui, comparison, columns: Columns::of(area.width) };
        table.titles(Rect { height: LIST_TITLE_ROWS, ..area }, buf);
        draw_rows(ui, area, |line, row, selected| table.row(line, row, selected, buf));
    }
}

/// Which columns there is room for.
struct Columns {
    sides: bool,
    errors: bool,
    name: u16,
}

impl Columns {
    fn of(width: u16) -> Self {
        let (sides, errors) = (width >= 100, width >= 70);
        let figures = 33 + if sides { 24 } else { 0 } + if errors { 8 } else { 0 };
        Self { sides, errors, name: (width.saturating_sub(figures) / 2).clamp(12, 44) }
    }
}

struct Table<'a> {
    ui: &'a Ui<'a>,
    comparison: &'a Comparison,
    columns: Columns,
}

impl Table<'_> {
    /// ```text
    ///       WAS       IS    SELF▼  S.E.    TOTAL        FUNCTION      PLACE
    /// ```
    fn titles(&self, area: Rect, buf: &mut Buffer) {
        let style = self.ui.theme.style(Slot::TableHeader);
        let (own, total) =
            if self.ui.app.top_by_total { ("SELF ", "TOTAL ▼") } else { ("SELF ▼", "TOTAL ") };
        let mut pen = Pen::on(buf, area, self.ui.theme);
        if self.columns.sides {
            pen.right("SELF WAS", 12, style).right("IS", 12, style);
        }
        pen.right(own, 13, style);
        if self.columns.errors {
            pen.right("S.E.", 8, style);
        }
        pen.right(total, 13, style).cell("", 2, style).cell("", 5, style);
        pen.cell("FUNCTION", self.columns.name, style).cell("PLACE", area.width, style);
    }

    fn row(&self, area: Rect, row: &FunctionRow, selected: bool, buf: &mut Buffer) {
        let theme = self.ui.theme;
        let frame = self.ui.session.tree().frames().get(row.frame);
        let style = |slot| theme.style(if selected { Slot::TableCursor } else { slot });
        let own = self.comparison.change(row.base_self, row.self_value);
        let total = self.comparison.change(row.base_total, row.total);
        let mut pen = Pen::on(buf, area, theme);
        if self.columns.sides {
            pen.right(&units::comparable(self.comparison, own.base), 12, style(Slot::TextDim));
            pen.right(&units::comparable(self.comparison, own.other), 12, style(Slot::Text));
        }
        pen.right(&units::change(self.comparison, &own), 13, style(change_slot(&own)));
        if self.columns.errors {
            pen.right(&units::errors(&own), 8, style(Slot::TextDim));
        }
        pen.right(&units::change(self.comparison, &total), 13, style(change_slot(&total)));
        pen.cell("", 2, style(Slot::Text)).cell(word(&total), 5, style(change_slot(&total)));
        let hit = self.ui.is_hit(frame);
        let name = if hit { Slot::TableMatch } else { Slot::Text };
        pen.cell(&frame.name, self.columns.name.saturating_sub(1), style(name));
        pen.cell("", 1, style(Slot::Text));
        pen.cell(&place_of(frame), area.width, style(Slot::TextDim));
    }
}

/// What is said of a change beside its number.
fn word(change: &Change) -> &'static str {
    match change.verdict {
        Verdict::New => "new",
        Verdict::Vanished => "gone",
        Verdict::More | Verdict::Less => "",
        Verdict::Noise => "~",
    }
}
