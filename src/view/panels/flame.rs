//! The flame pane: the icicle of the selection.

use super::super::paint;
use super::super::units;
use super::super::widgets::{Icicle, Look, put_text, text_width};
use super::detail::samples_of;
use super::{Panel, Screen, Ui};
use crate::app::{NumberFormat, Pane, ShownMeta};
use crate::profile::{
    Accumulation, Basis, Block, BlockContent, Change, Comparison, Flame, FrameKind, Unit, Verdict, fit_label,
};
use crate::theme::{Family, Shade, Slot};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::collections::HashSet;

/// Fewer samples than this say little: such frames are dimmed.
const NOISE: u64 = 3;

/// A name cut to fewer cells is left out.
const SHORTEST_CUT: u16 = 3;

/// See the module.
pub struct FlamePane;

impl Panel for FlamePane {
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect> {
        (ui.app.pane == Pane::Flame && ui.shown.flame.is_some()).then_some(screen.body)
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let (Some(flame), Some(meta)) = (&ui.shown.flame, &ui.shown.meta) else { return };
        let rows = &ui.shown.rows.rows;
        let scroll = usize::from(ui.app.scroll).min(rows.len());
        let end = rows.len().min(scroll + usize::from(area.height));
        let painter = Painter::new(ui, flame, meta, &rows[scroll..end]);
        let look = |row: usize, at: usize, block: &Block| painter.look(row, at, block);
        Icicle { rows: &rows[scroll..end], look: &look }.draw(area, ui.theme, buf);
        more(ui, area, scroll, rows.len() - end, buf);
    }
}

/// Says how many rows lie above and below what is in sight.
fn more(ui: &Ui, area: Rect, above: usize, below: usize, buf: &mut Buffer) {
    let rows = |count: usize| if count == 1 { "row" } else { "rows" };
    let ends = [(area.y, above, "▲"), (area.bottom() - 1, below, "▼")];
    for (y, count, arrow) in ends.into_iter().filter(|(_, count, _)| *count > 0) {
        let text = format!(" {arrow} {count} more {} ", rows(count));
        let width = text_width(&text, ui.theme.glyphs).min(area.width);
        let place = (area.right() - width, y);
        put_text(buf, place, width, &text, ui.theme.glyphs, ui.theme.style(Slot::FlameMore));
    }
}

/// What every block looks like.
struct Painter<'a> {
    ui: &'a Ui<'a>,
    flame: &'a Flame,
    meta: &'a ShownMeta,
    hot: HashSet<u32>,
    /// The families and shades of every row in sight.
    shades: Vec<Vec<(Family, Shade)>>,
}

impl<'a> Painter<'a> {
    fn new(ui: &'a Ui<'a>, flame: &'a Flame, meta: &'a ShownMeta, rows: &[Vec<Block>]) -> Self {
        let hot = flame.hot_path(ui.shown.zoom).into_iter().collect();
        let mut painter = Self { ui, flame, meta, hot, shades: Vec::new() };
        painter.shades = rows.iter().map(|row| painter.shades_of(row)).collect();
        painter
    }

    fn shades_of(&self, row: &[Block]) -> Vec<(Family, Shade)> {
        let mut shades: Vec<(Family, Shade)> = Vec::with_capacity(row.len());
        for (at, block) in row.iter().enumerate() {
            let BlockContent::Node(node) = block.content else {
                shades.push((Family::Kind(FrameKind::Other), Shade::Base));
                continue;
            };
            let frame = self.ui.session.tree().frames().get(self.flame.node(node).frame);
            let self_share = units::share(self.flame.node(node).self_value, self.flame.total());
            let family = match (&self.meta.comparison, self.change(node)) {
                (Some(comparison), Some(change)) => paint::change_family(comparison, &change),
                _ => paint::family(frame, self.ui.app.colour_by, self_share),
            };
            let touching = at.checked_sub(1).filter(|left| row[*left].x + row[*left].width == block.x);
            let left = touching.and_then(|left| shades.get(left).copied());
            shades.push((family, paint::shade(frame, family, left)));
        }
        shades
    }

    fn look(&self, row: usize, at: usize, block: &Block) -> Look {
        match block.content {
            BlockContent::Gathered { count, .. } => self.gathered(count, block.width),
            BlockContent::Node(0) => self.root(),
            BlockContent::Node(node) => self.node(node, block.width, self.shades[row][at]),
        }
    }

    /// `░ 12 more ░░░`
    fn gathered(&self, count: u32, width: u16) -> Look {
        let label = format!(" {count} more ");
        let fits = text_width(&label, self.ui.theme.glyphs) < width;
        let label = if fits { label } else { String::new() };
        Look { style: self.ui.theme.style(Slot::FlameGathered), fill: Some('░'), label, ..Look::default() }
    }

    fn root(&self) -> Look {
        let slot = if self.ui.shown.cursor == 0 { Slot::FlameCursor } else { Slot::FlameRoot };
        let label = match &self.meta.comparison {
            Some(comparison) => against(comparison),
            None => whole(self.flame.total(), self.meta),
        };
        Look { style: self.ui.theme.style(slot), label, figure: self.shape(), ..Look::default() }
    }

    /// What was done to the flame, so that nobody takes a part for the whole.
    fn shape(&self) -> String {
        let shape = &self.ui.app.shape;
        let mut said = Vec::new();
        if self.ui.shown.zoom != 0 {
            said.push("zoomed".to_owned());
        }
        if shape.focus.is_some() {
            said.push("focused".into());
        }
        if !shape.hidden.is_empty() {
            said.push(format!("{} hidden", shape.hidden.len()));
        }
        let switches = [
            (shape.inverted, "inverted"),
            (shape.fold_recursion, "recursion folded"),
            (shape.by_value, "by value"),
            (shape.show_idle, "with idle"),
        ];
        said.extend(switches.into_iter().filter(|(on, _)| *on).map(|(_, word)| word.to_owned()));
        said.join(" · ")
    }

    fn node(&self, node: u32, width: u16, (family, shade): (Family, Shade)) -> Look {
        let frame = self.ui.session.tree().frames().get(self.flame.node(node).frame);
        let style = self.style(node, family, shade);
        let lead = self.lead(node);
        let label = fit_label(frame, usize::from(width.saturating_sub(1)));
        // Two letters of a name tell nothing.
        let told = !label.ends_with('~') || text_width(&label, self.ui.theme.glyphs) > SHORTEST_CUT;
        let label = if told { label.into_owned() } else { String::new() };
        let total = self.flame.node(node).total;
        let (format, kind, covered) = (self.ui.app.numbers, &self.meta.kind, self.meta.covered);
        // By itself a value does not hold still; only the share is worth its place in every block.
        let figure = match format {
            _ if self.meta.comparison.is_some() => self.change_figure(node),
            NumberFormat::Share if width < 12 => String::new(),
            format => units::figure(format, kind, total, self.flame.total(), covered),
        };
        Look { style, lead, label, figure, fill: None }
    }

    fn style(&self, node: u32, family: Family, shade: Shade) -> ratatui::style::Style {
        let (theme, shown) = (self.ui.theme, self.ui.shown);
        if node == shown.cursor {
            return theme.style(Slot::FlameCursor);
        }
        if !shown.matched.is_empty() {
            let hit = shown.matched.get(node as usize).copied().unwrap_or(false);
            return theme.style(if hit { Slot::FlameMatch } else { Slot::FlameMiss });
        }
        let zoomed = self.flame.node(shown.zoom).depth;
        if self.flame.node(node).depth < zoomed {
            return theme.style(Slot::FlameAbove);
        }
        // Of a difference the colour says the change, and nothing else.
        let is_hot = self.meta.comparison.is_none() && self.hot.contains(&node);
        let shade = if is_hot { Shade::Hot } else { shade };
        let style = theme.flame(family, shade);
        let noisy = samples_of(self.meta, self.flame.node(node).total).is_some_and(|samples| samples < NOISE);
        if noisy { style.patch(theme.style(Slot::FlameNoise)) } else { style }
    }

    /// How a node differs from the base, where it is compared with one.
    fn change(&self, node: u32) -> Option<Change> {
        let node = self.flame.node(node);
        self.meta.comparison.as_ref().map(|comparison| comparison.change(node.base_total, node.total))
    }

    /// `+5.2 %` of the whole; `new` is said.
    fn change_figure(&self, node: u32) -> String {
        let (Some(comparison), Some(change)) = (&self.meta.comparison, self.change(node)) else {
            return String::new();
        };
        match change.verdict {
            Verdict::Noise => "±0".into(),
            Verdict::New => format!("new {}", units::points(comparison, &change)),
            _ => units::points(comparison, &change),
        }
    }

    fn lead(&self, node: u32) -> Option<char> {
        if let Some(change) = self.change(node) {
            return Some(match change.verdict {
                Verdict::More => '▲',
                Verdict::New => '◆',
                Verdict::Less | Verdict::Vanished => '▼',
                Verdict::Noise => '▏',
            });
        }
        if self.hot.contains(&node) {
            Some('▸')
        } else if self.ui.theme.needs_separators() {
            Some('▏')
        } else {
            None
        }
    }
}

/// `all 931 ms/s, base 871 ms/s: +60 ms/s, +6.9 %`
fn against(comparison: &Comparison) -> String {
    let by_second = Comparison { basis: Basis::Second, ..comparison.clone() };
    let whole = by_second.whole();
    let sure = if whole.verdict == Verdict::Noise { ", no more than chance" } else { "" };
    format!(
        "all {}, base {}: {}, {}{sure}",
        units::comparable(&by_second, whole.other),
        units::comparable(&by_second, whole.base),
        units::change(&by_second, &whole),
        units::points(&by_second, &whole)
    )
}

/// `all 931 ms of 1.00 s, 93 % of one core`
fn whole(total: i64, meta: &ShownMeta) -> String {
    let value = units::value(meta.kind.unit, total);
    let covered = units::duration(meta.covered);
    match (meta.kind.unit, meta.kind.accumulation) {
        (Unit::Nanoseconds, _) => {
            let core = units::percent(total as f64 / (meta.covered.0 as f64).max(1.0));
            format!("all {value} of {covered}, {core} of one core")
        }
        (_, Accumulation::Level) => format!("all {value} {}", meta.kind.title()),
        (unit, Accumulation::Delta) => {
            let a_second = total as f64 / meta.covered.as_secs_f64().max(1e-9);
            let title =
                if unit == Unit::Bytes { format!(" {}", meta.kind.title()) } else { " samples".into() };
            format!("all {value}{title} in {covered}, {}/s", units::value(unit, a_second as i64))
        }
    }
}
