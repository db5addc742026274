//! The top pane: the table of functions, by self value or by total.

use super::super::units;
use super::super::widgets::{Pen, draw_bar};
use super::{Panel, Screen, Ui};
use crate::app::{LIST_TITLE_ROWS, NumberFormat, Pane, ShownMeta, top_cursor, top_rows};
use crate::profile::{FunctionRow, package_of, place_of};
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// See the module.
pub struct TopPane;

impl Panel for TopPane {
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect> {
        let alone = ui.shown.flame.is_some() && ui.shown.comparison().is_none();
        (ui.app.pane == Pane::Top && alone).then_some(screen.body)
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let (Some(flame), Some(meta)) = (&ui.shown.flame, &ui.shown.meta) else { return };
        let greatest = ui.shown.table.iter().map(|row| row.self_value).max().unwrap_or(0);
        let table = Table { ui, meta, total: flame.total(), greatest, columns: Columns::of(area.width) };
        table.titles(Rect { height: LIST_TITLE_ROWS, ..area }, buf);
        draw_rows(ui, area, |line, row, selected| table.row(line, row, selected, buf));
    }
}

/// Gives every row in sight its line, and tells whether the cursor is on it.
pub(super) fn draw_rows(ui: &Ui, area: Rect, mut draw: impl FnMut(Rect, &FunctionRow, bool)) {
    let rows = top_rows(ui.shown, ui.app.top_by_total);
    let cursor = top_cursor(ui.app, &rows);
    let lines = area.rows().skip(LIST_TITLE_ROWS.into());
    for (line, (at, row)) in lines.zip(rows.iter().enumerate().skip(ui.app.list_scroll)) {
        draw(line, row, cursor == Some(at));
    }
}

/// Widths of the columns.
struct Columns {
    bar: u16,
    total_share: bool,
    name: u16,
    package: u16,
}

impl Columns {
    fn of(width: u16) -> Self {
        let (bar, total_share, package) = match width {
            0..=69 => (0, false, 0),
            70..=99 => (6, false, 0),
            100..=159 => (14, true, 16),
            _ => (24, true, 24),
        };
        let figures = if total_share { 38 } else { 31 };
        let left = width.saturating_sub(figures + bar + package);
        Self { bar, total_share, name: (left / 2).clamp(12, 44), package }
    }
}

struct Table<'a> {
    ui: &'a Ui<'a>,
    meta: &'a ShownMeta,
    total: i64,
    /// The greatest self value: a whole bar.
    greatest: i64,
    columns: Columns,
}

impl Table<'_> {
    /// ```text
    ///     SELF▼     %            TOTAL      %  FUNCTION        PLACE
    /// ```
    fn titles(&self, area: Rect, buf: &mut Buffer) {
        let style = self.ui.theme.style(Slot::TableHeader);
        let (own, total) =
            if self.ui.app.top_by_total { ("SELF ", "TOTAL▼") } else { ("SELF▼", "TOTAL ") };
        let mut pen = Pen::on(buf, area, self.ui.theme);
        pen.right(own, 10, style).right("%", 7, style).cell("", self.columns.bar + 1, style);
        pen.right(total, 10, style);
        if self.columns.total_share {
            pen.right("%", 7, style);
        }
        pen.cell("", 2, style);
        pen.cell("FUNCTION", self.columns.name, style);
        if self.columns.package > 0 {
            pen.cell("PACKAGE", self.columns.package, style);
        }
        pen.cell("PLACE", area.width, style);
    }

    fn row(&self, area: Rect, row: &FunctionRow, selected: bool, buf: &mut Buffer) {
        let theme = self.ui.theme;
        let frame = self.ui.session.tree().frames().get(row.frame);
        let style = |slot| theme.style(if selected { Slot::TableCursor } else { slot });
        let (own, total) = (units::share(row.self_value, self.total), units::share(row.total, self.total));
        let mut pen = Pen::on(buf, area, theme);
        pen.right(&self.value(row.self_value), 9, style(Slot::TextValue)).cell("", 1, style(Slot::Text));
        pen.right(&units::percent(own), 7, style(Slot::Text)).cell("", 1, style(Slot::Text));
        let bar = units::share(row.self_value, self.greatest);
        draw_bar(&mut pen, self.columns.bar, bar, theme, theme.style(Slot::Bar));
        pen.right(&self.value(row.total), 9, style(Slot::TextDim)).cell("", 1, style(Slot::Text));
        if self.columns.total_share {
            pen.right(&units::percent(total), 7, style(Slot::TextDim));
        }
        pen.cell("", 2, style(Slot::Text));
        let name = if self.ui.is_hit(frame) { Slot::TableMatch } else { Slot::Text };
        pen.cell(&frame.name, self.columns.name.saturating_sub(1), style(name)).cell(
            "",
            1,
            style(Slot::Text),
        );
        if self.columns.package > 0 {
            pen.cell(package_of(frame), self.columns.package - 1, style(Slot::TextDim));
            pen.cell("", 1, style(Slot::Text));
        }
        pen.cell(&place_of(frame), area.width, style(Slot::TextDim));
    }

    fn value(&self, amount: i64) -> String {
        // The share has a column of its own.
        let format = match self.ui.app.numbers {
            NumberFormat::PerSecond => NumberFormat::PerSecond,
            NumberFormat::Share | NumberFormat::Absolute => NumberFormat::Absolute,
        };
        units::figure(format, &self.meta.kind, amount, self.total, self.meta.covered)
    }
}
