//! The last row: keys that are worth knowing now, or the line being typed.

use super::super::units;
use super::super::widgets::{Pen, Segment, draw_ends};
use super::{Panel, Screen, Ui};
use crate::app::{ACTIONS, Action, LineInput, Mode, Pane, key_name};
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// See the module.
pub struct Hints;

impl Panel for Hints {
    fn place(&self, _: &Ui, screen: &Screen) -> Option<Rect> {
        (screen.hints.height > 0).then_some(screen.hints)
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        match &ui.app.mode {
            Mode::Search(line) => search(ui, line, area, buf),
            Mode::MarkNote(line) => prompt(ui, "mark: ", line, "Enter sets it, Esc drops it", area, buf),
            Mode::Goto(line) => {
                let note = "a time (14:32:10, +90s, -30s) or a gauge (rss, delay max ...) for its peak";
                prompt(ui, "go to: ", line, note, area, buf);
            }
            Mode::Pick(picker) => {
                prompt(ui, "filter: ", &picker.filter, "↑ ↓ choose, Enter attaches, Esc leaves", area, buf);
            }
            Mode::Help { filter, .. } => {
                prompt(ui, "filter: ", filter, "↑ ↓ scroll, Esc closes", area, buf);
            }
            Mode::WriteMenu { .. } => {
                keys(ui, &[("↑ ↓", "choose"), ("Enter", "write"), ("Esc", "close")], area, buf);
            }
            Mode::Confirm(_) => keys(ui, &[("y", "yes"), ("n", "no")], area, buf),
            Mode::Browse => browse(ui, area, buf),
        }
    }
}

fn search(ui: &Ui, line: &LineInput, area: Rect, buf: &mut Buffer) {
    let error = ui.app.search.as_ref().and_then(|search| search.error.as_deref());
    let note = match error {
        Some(error) => error.lines().last().unwrap_or_default().to_owned(),
        None => matches(ui).unwrap_or_else(|| "a regular expression; Enter keeps it, Esc leaves".into()),
    };
    prompt(ui, "/", line, &note, area, buf);
}

/// `12 matches, 34 %`
fn matches(ui: &Ui) -> Option<String> {
    ui.app.search.as_ref()?.regex.as_ref()?;
    let count = ui.shown.matched.iter().filter(|hit| **hit).count();
    let noun = if count == 1 { "match" } else { "matches" };
    Some(format!("{} {noun}, {}", units::count(count as u64), units::percent(ui.shown.matched_share)))
}

fn prompt(ui: &Ui, before: &str, line: &LineInput, note: &str, area: Rect, buf: &mut Buffer) {
    let theme = ui.theme;
    let mut pen = Pen::on(buf, area, theme);
    pen.put(&format!(" {before}"), theme.style(Slot::HintKey));
    // The end of a long line is what is being typed.
    let room = usize::from(area.width / 2);
    let skipped = line.text().chars().count().saturating_sub(room);
    let tail: String = line.text().chars().skip(skipped).collect();
    pen.put(&tail, theme.style(Slot::Prompt)).put("▏", theme.style(Slot::HintKey));
    let slot = if ui.app.search.as_ref().is_some_and(|search| search.error.is_some()) && before == "/" {
        Slot::PromptError
    } else {
        Slot::HintText
    };
    pen.skip(2).cut(note, theme.style(slot));
}

fn browse(ui: &Ui, area: Rect, buf: &mut Buffer) {
    let mut hints: Vec<(String, &str)> = Vec::new();
    let standing = ui.app.search.is_some().then(|| matches(ui)).flatten();
    let key = |action: Action| key_name(action.spec().keys[0]);
    if ui.app.is_frozen() {
        hints.push((key(Action::Freeze), "go live"));
        hints.push(("[ ]".into(), "step"));
        hints.push(("< >".into(), "range"));
    }
    if standing.is_some() {
        hints.push(("n N".into(), "match"));
    }
    let nothing_shown = ui.shown.flame.is_none();
    for spec in ACTIONS.iter().filter(|spec| !spec.hint.is_empty()) {
        if nothing_shown && !matches!(spec.action, Action::Help | Action::Quit | Action::SampleType) {
            continue;
        }
        let hint = match spec.action {
            Action::Freeze if ui.app.is_frozen() => continue,
            Action::Record if ui.app.recording.is_some() => "stop recording",
            Action::ZoomIn if ui.app.pane == Pane::Tree => "open",
            _ => spec.hint,
        };
        hints.push((key_name(spec.keys[0]), hint));
    }
    let hints: Vec<(&str, &str)> = hints.iter().map(|(key, hint)| (key.as_str(), *hint)).collect();
    let found =
        standing.map(|found| Segment::new(210, format!("{found} "), ui.theme.style(Slot::TextStrong)));
    line(ui, &hints, found.into_iter().collect(), area, buf);
}

fn keys(ui: &Ui, hints: &[(&str, &str)], area: Rect, buf: &mut Buffer) {
    line(ui, hints, Vec::new(), area, buf);
}

/// Keys with what they do; help and quit stay when others have to go.
fn line(ui: &Ui, hints: &[(&str, &str)], right: Vec<Segment>, area: Rect, buf: &mut Buffer) {
    let theme = ui.theme;
    let count = hints.len() as u8;
    let weight = |at: usize, hint: &str| if matches!(hint, "help" | "quit") { 200 } else { count - at as u8 };
    let fitted: Vec<Segment> = hints
        .iter()
        .enumerate()
        .map(|(at, (key, hint))| {
            Segment::new(weight(at, hint), *hint, theme.style(Slot::HintText))
                .keyed(*key, theme.style(Slot::HintKey))
        })
        .collect();
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
    draw_ends(buf, inner, theme, fitted, right);
}
