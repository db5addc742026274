//! Text for the clipboard: a frame, a stack.

use super::Turn;
use crate::app::{App, Effect, Pane};
use crate::profile::{CallPath, Flame, name_and_place};

/// Lines of a copied icicle at most, its title included.
const LINES: usize = 12;
/// Cells of its bars.
const BAR: f64 = 20.0;

impl App {
    /// `name (file:line:column)`.
    pub(super) fn copy_frame(&mut self, turn: &mut Turn<'_>) {
        let Some(frame) = self.frame_under_cursor(turn) else {
            return self.toast("no function is selected");
        };
        let frame = turn.session.tree().frames().get(frame);
        let text = match (&*frame.file, frame.line) {
            ("", _) => frame.name.to_string(),
            (file, 0) => format!("{} ({file})", frame.name),
            (file, line) => format!("{} ({file}:{line}:{})", frame.name, frame.column),
        };
        self.copy(text, "frame", turn);
    }

    /// The stack under the cursor: from the tree as one folded line, else as a small icicle.
    pub(super) fn copy_stack(&mut self, turn: &mut Turn<'_>) {
        let Some(flame) = turn.flame() else { return self.toast("there is nothing to copy") };
        let path = self.copied_path(flame, turn);
        let (node, _) = flame.find(&path);
        let text = match self.pane {
            Pane::Tree => folded(flame, node, turn),
            Pane::Flame | Pane::Top => icicle(flame, node, turn),
        };
        self.copy(text, "stack", turn);
    }

    fn copied_path(&self, flame: &Flame, turn: &Turn<'_>) -> CallPath {
        let Some(frame) = self.frame_under_cursor(turn).filter(|_| self.pane == Pane::Top) else {
            return self.cursor.clone();
        };
        let places = (1..flame.nodes().len() as u32).filter(|node| flame.node(*node).frame == frame);
        places.max_by_key(|node| flame.node(*node).total).map_or_else(Vec::new, |node| flame.path(node))
    }

    fn copy(&mut self, text: String, what: &str, turn: &mut Turn<'_>) {
        turn.ask(Effect::Copy(text));
        self.toast(format!("{what} copied"));
    }
}

/// `a;b;c 123`, as flame graph tools read it.
fn folded(flame: &Flame, node: u32, turn: &Turn<'_>) -> String {
    let names = flame.path(node).iter().map(|frame| turn.name(*frame).replace(';', ":")).collect::<Vec<_>>();
    format!("{} {}", names.join(";"), flame.node(node).total)
}

/// A title and a line a frame with its share; a long stack keeps both of its ends.
fn icicle(flame: &Flame, node: u32, turn: &Turn<'_>) -> String {
    let mut stack = vec![node];
    while stack[stack.len() - 1] != 0 {
        stack.push(flame.node(stack[stack.len() - 1]).parent);
    }
    stack.reverse();
    let mut lines = vec![title(turn)];
    let room = LINES - 1;
    let cut = stack.len().saturating_sub(room);
    for (depth, node) in stack.iter().enumerate() {
        let first_cut = room / 3;
        match cut {
            0 => lines.push(line(flame, *node, turn)),
            _ if depth == first_cut => lines.push(format!("       … {} more", cut + 1)),
            _ if depth > first_cut && depth <= first_cut + cut => {}
            _ => lines.push(line(flame, *node, turn)),
        }
    }
    lines.join("\n")
}

/// What, where and when: `api.js · CPU · 14:00:07 UTC · 1.0 s`.
fn title(turn: &Turn<'_>) -> String {
    let name = turn.session.sources().iter().find_map(|source| Some(source.target.as_ref()?.name.clone()));
    let mut parts = vec![name.unwrap_or_else(|| "flametop".into()).to_string()];
    if let Some(meta) = &turn.shown.meta {
        let second = meta.span.start.0.div_euclid(1_000_000_000).rem_euclid(24 * 3600);
        parts.push(meta.kind.title().into());
        parts.push(format!("{:02}:{:02}:{:02} UTC", second / 3600, second / 60 % 60, second % 60));
        parts.push(format!("{:.1} s", meta.span.length.as_secs_f64()));
    }
    parts.join(" · ")
}

fn line(flame: &Flame, node: u32, turn: &Turn<'_>) -> String {
    let share = flame.node(node).total as f64 / flame.total().max(1) as f64;
    let bar = "█".repeat((share.clamp(0.0, 1.0) * BAR).round() as usize);
    let name = name_and_place(turn.session.tree().frames().get(flame.node(node).frame));
    format!("{:>5.1}% {bar:<20} {name}", share * 100.0)
}
