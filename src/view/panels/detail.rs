//! The selected frame: its whole name, its place, what it costs, and how sure that is.

use super::super::paint::change_slot;
use super::super::units;
use super::super::widgets::{Pen, Segment, draw_ends, text_width};
use super::{Panel, Screen, Ui};
use crate::app::{Mode, NumberFormat, Pane, ShownMeta, top_cursor, top_rows};
use crate::profile::{
    CallTree, Change, Comparison, FlameNode, Frame, FrameId, FunctionRow, Unit, Verdict, package_of,
    short_path,
};
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// See the module.
pub struct Detail;

/// What is selected, wherever.
struct Selected {
    frame: FrameId,
    self_value: i64,
    total: i64,
    base_self: i64,
    base_total: i64,
}

impl Panel for Detail {
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect> {
        let picking = matches!(ui.app.mode, Mode::Pick(_));
        (screen.detail.height > 0 && ui.shown.flame.is_some() && !picking).then_some(screen.detail)
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let (Some(selected), Some(meta)) = (selected(ui), &ui.shown.meta) else { return };
        let frame = ui.session.tree().frames().get(selected.frame);
        let first = Rect { height: 1, ..area };
        if area.height == 1 {
            return draw_ends(
                buf,
                first,
                ui.theme,
                name(ui, frame, selected.frame),
                numbers(ui, meta, &selected),
            );
        }
        rule(ui, first, buf);
        let second = Rect { y: area.y + 1, height: 1, ..area };
        draw_ends(buf, second, ui.theme, name(ui, frame, selected.frame), numbers(ui, meta, &selected));
    }
}

/// A rule with the callers of the selected frame in it, the nearest at the right.
fn rule(ui: &Ui, area: Rect, buf: &mut Buffer) {
    let theme = ui.theme;
    Pen::on(buf, area, theme).put(&"─".repeat(area.width.into()), theme.style(Slot::TextFaint));
    let callers = ui.app.cursor.split_last().map_or(&[][..], |(_, callers)| callers);
    if callers.is_empty() || ui.app.pane == Pane::Top {
        return;
    }
    let frames = ui.session.tree().frames();
    let mut text = String::new();
    for frame in callers.iter().rev() {
        let longer = format!("{} › {text}", frames.get(*frame).name);
        if text_width(&longer, theme.glyphs) + 6 > area.width {
            text = format!("… › {text}");
            break;
        }
        text = longer;
    }
    Pen::on(buf, area, theme).skip(1).cut(&format!(" {text}"), theme.style(Slot::TextDim));
}

fn selected(ui: &Ui) -> Option<Selected> {
    let flame = ui.shown.flame.as_ref()?;
    if ui.app.pane == Pane::Top {
        let rows = top_rows(ui.shown, ui.app.top_by_total);
        let row = rows.get(top_cursor(ui.app, &rows)?)?;
        let FunctionRow { frame, self_value, total, base_self, base_total } = *row;
        return Some(Selected { frame, self_value, total, base_self, base_total });
    }
    match ui.app.cursor.last() {
        // What is not in this window stays selected, at nothing.
        Some(frame) if !ui.shown.cursor_found => {
            Some(Selected { frame: *frame, self_value: 0, total: 0, base_self: 0, base_total: 0 })
        }
        _ => {
            let FlameNode { frame, self_value, total, base_self, base_total, .. } =
                *flame.node(ui.shown.cursor);
            Some(Selected { frame, self_value, total, base_self, base_total })
        }
    }
}

/// `makeUsers  src/users.js:9:19  [app]`
fn name(ui: &Ui, frame: &Frame, id: FrameId) -> Vec<Segment> {
    let style = |slot| ui.theme.style(slot);
    if id == ui.session.tree().frame(CallTree::ROOT) {
        let text = " everything; move with the arrow keys to select a frame";
        return vec![Segment::new(90, text, style(Slot::TextDim)).or(80, " everything")];
    }
    let gone = ui.app.pane != Pane::Top && !ui.shown.cursor_found;
    let slot = if gone { Slot::TextDim } else { Slot::TextStrong };
    let mut segments = vec![Segment::new(90, format!(" {}", frame.name), style(slot))];
    if gone {
        segments.push(Segment::new(85, "not in this window", style(Slot::TextDim)));
    }
    if !frame.file.is_empty() {
        let place = match (frame.line, frame.column) {
            (0, _) => short_path(&frame.file).into_owned(),
            (line, 0) => format!("{}:{line}", short_path(&frame.file)),
            (line, column) => format!("{}:{line}:{column}", short_path(&frame.file)),
        };
        let base = frame.file.rsplit('/').next().unwrap_or_default();
        let short = if frame.line > 0 { format!("{base}:{}", frame.line) } else { base.into() };
        segments.push(Segment::new(50, place, style(Slot::Text)).or(72, short));
    }
    segments.push(Segment::new(40, format!("[{}]", package_of(frame)), style(Slot::TextDim)));
    segments
}

/// `self 42.0 ms 4.2 %  total 120 ms 12 %  n = 120, ±9 %`
fn numbers(ui: &Ui, meta: &ShownMeta, selected: &Selected) -> Vec<Segment> {
    let style = |slot| ui.theme.style(slot);
    if let Some(comparison) = &meta.comparison {
        return changes(ui, comparison, selected);
    }
    let whole = ui.shown.flame.as_ref().map_or(0, crate::profile::Flame::total);
    let figure = |amount: i64| {
        let share = units::percent(units::share(amount, whole));
        match ui.app.numbers {
            NumberFormat::PerSecond => {
                let text = units::figure(NumberFormat::PerSecond, &meta.kind, amount, whole, meta.covered);
                (format!("{text} {share}"), text)
            }
            _ => (format!("{} {share}", units::value(meta.kind.unit, amount)), share),
        }
    };
    let (own, total) = (figure(selected.self_value), figure(selected.total));
    let mut segments = vec![
        Segment::new(60, format!("self {}", own.0), style(Slot::TextValue)).or(65, format!("self {}", own.1)),
        Segment::new(80, format!("total {} ", total.0), style(Slot::TextValue))
            .or(85, format!("total {} ", total.1)),
    ];
    if selected.frame == ui.session.tree().frame(CallTree::ROOT) {
        segments.remove(0);
    }
    if let Some(n) = samples_of(meta, selected.total) {
        let sure = error_of(n, units::share(selected.total, whole))
            .map_or(String::new(), |error| format!(", ±{error}"));
        segments.insert(0, Segment::new(30, format!("n = {}{sure}", units::count(n)), style(Slot::TextDim)));
    }
    segments
}

/// `self 12.0 ms/s → 40.0 ms/s  total +28.0 ms/s  +14.2 s.e.`
fn changes(ui: &Ui, comparison: &Comparison, selected: &Selected) -> Vec<Segment> {
    let own = comparison.change(selected.base_self, selected.self_value);
    let total = comparison.change(selected.base_total, selected.total);
    let sides = |change: &Change| {
        let [was, is] = [change.base, change.other].map(|amount| units::comparable(comparison, amount));
        format!("{was} → {is}")
    };
    let sure = match total.verdict {
        Verdict::Noise => "no more than chance",
        Verdict::New => "new",
        Verdict::Vanished => "gone",
        Verdict::More | Verdict::Less => "beyond chance",
    };
    let style = |change: &Change| ui.theme.style(change_slot(change));
    let dim = ui.theme.style(Slot::TextDim);
    let change = units::change(comparison, &total);
    vec![
        Segment::new(30, format!("self {}", sides(&own)), style(&own)),
        Segment::new(60, format!("total {}", sides(&total)), style(&total)),
        Segment::new(85, format!("{change} "), style(&total)),
        Segment::new(50, format!("{sure} ({} s.e.) ", units::errors(&total)), dim).or(55, format!("{sure} ")),
    ]
}

/// How many samples a value rests on, near enough.
pub(super) fn samples_of(meta: &ShownMeta, value: i64) -> Option<u64> {
    let sampling = &meta.sampling;
    let each = match meta.kind.unit {
        Unit::Count => 1,
        Unit::Nanoseconds if sampling.achieved > 0 => sampling.achieved,
        Unit::Nanoseconds | Unit::Bytes => sampling.period,
    };
    (each > 0).then(|| (value.max(0) as f64 / each as f64).round() as u64)
}

/// The standard error of a share that rests on `n` samples, as part of it.
fn error_of(n: u64, share: f64) -> Option<String> {
    (n > 0 && share < 1.0).then(|| units::whole_percent(((1.0 - share) / n as f64).sqrt()))
}
