//! The tree pane: the call tree as an outline, heaviest first, drawn by `tui-tree-widget`.

use super::super::paint::change_slot;
use super::super::units;
use super::super::widgets::{Pen, cut_text, draw_bar};
use super::{Panel, Screen, Ui};
use crate::app::{LIST_TITLE_ROWS, Pane, ShownMeta, TreeRow, tree_cursor, tree_rows};
use crate::profile::{Flame, FrameId, place_of};
use crate::theme::{Glyphs, Slot};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::StatefulWidget;
use tui_tree_widget::{Tree, TreeItem, TreeState};

/// See the module.
pub struct TreePane;

impl Panel for TreePane {
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect> {
        (ui.app.pane == Pane::Tree && ui.shown.flame.is_some()).then_some(screen.body)
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let (Some(flame), Some(meta)) = (&ui.shown.flame, &ui.shown.meta) else { return };
        let rows = tree_rows(flame, &ui.app.open);
        let outline = Outline { ui, flame, meta, rows: &rows };
        let columns = Columns::of(area.width);
        outline.titles(Rect { height: LIST_TITLE_ROWS, ..area }, &columns, buf);
        let body =
            Rect { y: area.y + LIST_TITLE_ROWS, height: area.height.saturating_sub(LIST_TITLE_ROWS), ..area };
        if !body.is_empty() {
            outline.draw(body, &columns, buf);
        }
    }
}

/// Widths of the columns right of the outline.
struct Columns {
    figures: u16,
    bar: u16,
}

impl Columns {
    fn of(width: u16) -> Self {
        match width {
            0..=59 => Self { figures: 17, bar: 0 },
            60..=99 => Self { figures: 30, bar: 8 },
            100..=159 => Self { figures: 30, bar: 20 },
            _ => Self { figures: 30, bar: 40 },
        }
    }

    fn outline(&self, area: Rect) -> u16 {
        area.width.saturating_sub(self.figures + self.bar)
    }
}

struct Outline<'a> {
    ui: &'a Ui<'a>,
    flame: &'a Flame,
    meta: &'a ShownMeta,
    rows: &'a [TreeRow],
}

impl Outline<'_> {
    fn titles(&self, area: Rect, columns: &Columns, buf: &mut Buffer) {
        let style = self.ui.theme.style(Slot::TableHeader);
        let title = format!(" CALL TREE, {}", self.meta.kind.title());
        let mut pen = Pen::on(buf, area, self.ui.theme);
        pen.cell(&title, columns.outline(area), style).right("TOTAL", 9, style).right("%", 7, style);
        if columns.figures > 17 {
            pen.right(if self.meta.comparison.is_some() { "CHANGE" } else { "SELF" }, 12, style);
        }
        pen.cell("", area.width, style);
    }

    fn draw(&self, area: Rect, columns: &Columns, buf: &mut Buffer) {
        let width = columns.outline(area);
        let items = self.items(width);
        let Ok(tree) = Tree::new(&items) else { return };
        let theme = self.ui.theme;
        let (open, closed) = if theme.glyphs == Glyphs::Ascii { ("- ", "+ ") } else { ("▾ ", "▸ ") };
        let tree = tree
            .node_open_symbol(open)
            .node_closed_symbol(closed)
            .node_no_children_symbol("· ")
            .highlight_style(theme.style(Slot::TableCursor));
        let tree = if theme.glyphs == Glyphs::Ascii { tree.node_no_children_symbol("  ") } else { tree };
        let mut state = self.state(&tree, area);
        tree.render(Rect { width, ..area }, buf, &mut state);
        let cursor = tree_cursor(self.flame, self.rows, &self.ui.app.cursor);
        for (line, (at, row)) in area.rows().zip(self.rows.iter().enumerate().skip(state.get_offset())) {
            let beside = Rect { x: line.x + width, width: line.width - width, ..line };
            self.figures(beside, *row, cursor == Some(at), columns, buf);
        }
    }

    /// The items of the open branches.
    fn items(&self, width: u16) -> Vec<TreeItem<'static, FrameId>> {
        let mut at = 0;
        self.items_at(0, &mut at, width)
    }

    fn items_at(&self, depth: u16, at: &mut usize, width: u16) -> Vec<TreeItem<'static, FrameId>> {
        let mut items = Vec::new();
        while let Some(row) = self.rows.get(*at).filter(|row| row.depth == depth) {
            *at += 1;
            let mut children = if row.open { self.items_at(depth + 1, at, width) } else { Vec::new() };
            let (frame, text) = (self.flame.node(row.node).frame, self.text(*row, width));
            if children.is_empty() && !self.flame.children(row.node).is_empty() {
                // A closed branch needs something in it to be drawn as one.
                children.push(TreeItem::new_leaf(frame, ""));
            }
            // Siblings are different functions, by the law of the flame.
            items.extend(TreeItem::new(frame, text, children));
        }
        items
    }

    fn text(&self, row: TreeRow, width: u16) -> Line<'static> {
        let frame = self.ui.session.tree().frames().get(self.flame.node(row.node).frame);
        let glyphs = self.ui.theme.glyphs;
        let hit = self.ui.shown.matched.get(row.node as usize).copied().unwrap_or(false);
        let slot = if hit { Slot::TableMatch } else { Slot::Text };
        let room = width.saturating_sub(2 * row.depth + 3);
        let name = cut_text(&frame.name, room, glyphs).into_owned();
        let place = place_of(frame);
        let place = if place.is_empty() { place } else { format!("  {place}") };
        let room = room.saturating_sub(super::super::widgets::text_width(&name, glyphs));
        let place = if room > 12 { cut_text(&place, room, glyphs).into_owned() } else { String::new() };
        let theme = self.ui.theme;
        Line::from(vec![
            Span::styled(name, theme.style(slot)),
            Span::styled(place, theme.style(Slot::TextDim)),
        ])
    }

    /// Selection, open branches and scrolling as the app has them.
    fn state(&self, tree: &Tree<'_, FrameId>, area: Rect) -> TreeState<FrameId> {
        let mut state = TreeState::default();
        for row in self.rows.iter().filter(|row| row.open) {
            state.open(self.flame.path(row.node));
        }
        // The widget scrolls only within what it has drawn before.
        let scratch = Rect { width: area.width.min(1), height: 1, ..area };
        tree.clone().render(scratch, &mut Buffer::empty(scratch), &mut state);
        state.scroll_down(self.ui.app.list_scroll);
        if let Some(at) = tree_cursor(self.flame, self.rows, &self.ui.app.cursor) {
            state.select(self.flame.path(self.rows[at].node));
        }
        state
    }

    fn figures(&self, area: Rect, row: TreeRow, selected: bool, columns: &Columns, buf: &mut Buffer) {
        let theme = self.ui.theme;
        let node = self.flame.node(row.node);
        let style = |slot| theme.style(if selected { Slot::TableCursor } else { slot });
        let unit = self.meta.kind.unit;
        let share = units::share(node.total, self.flame.total());
        let mut pen = Pen::on(buf, area, theme);
        pen.right(&units::value(unit, node.total), 9, style(Slot::TextValue));
        pen.right(&units::percent(share), 7, style(Slot::Text));
        if columns.figures > 17 {
            let (text, slot) = match &self.meta.comparison {
                Some(comparison) => {
                    let change = comparison.change(node.base_total, node.total);
                    (units::change(comparison, &change), change_slot(&change))
                }
                None if node.self_value == 0 => (String::new(), Slot::TextDim),
                None => (units::value(unit, node.self_value), Slot::TextDim),
            };
            pen.right(&text, 12, style(slot));
        }
        pen.skip(2);
        draw_bar(&mut pen, columns.bar.saturating_sub(1), share, theme, theme.style(Slot::BarRest));
        let own = units::share(node.self_value, self.flame.total());
        if own > 0.0 && columns.bar > 0 {
            let start = Rect { x: area.right() - columns.bar, width: columns.bar, ..area };
            let whole = (own * f64::from(columns.bar - 1)) as u16;
            Pen::on(buf, start, theme).put(&"█".repeat(whole.into()), theme.style(Slot::BarInner));
        }
    }
}
