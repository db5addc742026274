//! The message in the middle while there is no profile to show: what is happening, and what to do.

use super::super::source::Condition;
use super::super::units;
use super::super::widgets::{Pen, text_width, wrap_text};
use super::{Panel, Screen, Ui};
use crate::app::Mode;
use crate::feed::{EndReason, HeapState};
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// See the module.
pub struct Message;

impl Panel for Message {
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect> {
        let picking = matches!(ui.app.mode, Mode::Pick(_));
        (ui.shown.flame.is_none() && !picking).then_some(screen.body)
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let (title, slot, lines) = said(ui);
        let lines =
            lines.iter().flat_map(|line| wrap_text(line, area.width.saturating_sub(6), ui.theme.glyphs));
        let text: Vec<(String, Slot)> = [(title, slot), (String::new(), Slot::Text)]
            .into_iter()
            .chain(lines.map(|line| (line, Slot::Text)))
            .collect();
        let above = area.height.saturating_sub(text.len() as u16) / 3;
        for (row, (line, slot)) in area.rows().skip(above.into()).zip(text) {
            let before = area.width.saturating_sub(text_width(&line, ui.theme.glyphs)) / 2;
            Pen::on(buf, row, ui.theme).skip(before).cut(&line, ui.theme.style(slot));
        }
    }
}

type Said = (String, Slot, Vec<String>);

fn said(ui: &Ui) -> Said {
    match ui.condition() {
        Condition::Nothing => (
            "Nothing is being watched".into(),
            Slot::TextStrong,
            vec!["flametop PID watches a process".into()],
        ),
        Condition::Attaching(step) => attaching(ui, step),
        Condition::Waiting(why) => {
            ("Waiting for the target".into(), Slot::TextWarn, vec![why.into(), "q gives up".into()])
        }
        Condition::Detaching => ("Leaving the target as it was".into(), Slot::TextStrong, Vec::new()),
        Condition::Ended(reason) => ended(reason),
        Condition::Sampling => no_profile(ui),
    }
}

fn attaching(ui: &Ui, step: &str) -> Said {
    let name = ui.source().and_then(|(_, source)| source.target.as_ref());
    let title = name.map_or("Attaching".into(), |target| format!("Attaching to {}", target.name));
    let after = "The first picture comes within two seconds".to_owned();
    (title, Slot::TextStrong, vec![format!("{step} …"), String::new(), after])
}

fn ended(reason: &EndReason) -> Said {
    let leave = "q leaves".to_owned();
    match reason {
        EndReason::Detached => ("Detached".into(), Slot::TextStrong, vec![leave]),
        EndReason::TargetExited => (
            "The target exited".into(),
            Slot::TextWarn,
            vec!["It was gone before the first window was complete".into(), leave],
        ),
        EndReason::EndOfInput => {
            ("The input is empty".into(), Slot::TextWarn, vec!["It holds no window".into(), leave])
        }
        EndReason::Failed(why) => {
            ("Cannot watch the target".into(), Slot::TextError, vec![why.to_string(), String::new(), leave])
        }
    }
}

/// Attached, but nothing of the selected kind has come: the first window, or a heap that is off.
fn no_profile(ui: &Ui) -> Said {
    let kind = &*ui.app.selection.kind;
    let heap = ui.source().map(|(_, source)| &source.status.heap);
    match heap {
        Some(HeapState::Off(cost)) if is_heap(kind) => (
            "The heap profile is off".into(),
            Slot::TextStrong,
            vec![cost.to_string(), "H switches it on, v shows another sample type".into()],
        ),
        Some(HeapState::On { window, .. }) if is_heap(kind) => (
            "Waiting for the first heap window".into(),
            Slot::TextStrong,
            vec![format!("One comes every {}", units::duration(*window))],
        ),
        _ if ui.app.is_frozen() => {
            let live = "End goes live, v shows another sample type".to_owned();
            ("Nothing of this kind was measured here".into(), Slot::TextStrong, vec![live])
        }
        _ => {
            let length =
                units::duration(ui.source().map_or(ui.app.window, |(_, source)| source.status.window));
            let lines = vec![format!("Sampling; a window is {length} long")];
            ("Waiting for the first window".into(), Slot::TextStrong, lines)
        }
    }
}

fn is_heap(kind: &str) -> bool {
    kind.starts_with("inuse") || kind.starts_with("alloc")
}
