//! Writing what is on screen, recording, marks.

use super::Turn;
use crate::app::{
    App, Effect, ExportRequest, Job, Key, KeyCode, Mode, Outcome, RecordingState, WRITE_MENU, WriteItem,
};
use crate::session::Range;
use std::path::PathBuf;

/// What a mark without a note is called.
const UNNAMED_MARK: &str = "mark";

impl App {
    /// The window or range on screen as pprof, every track.
    pub(super) fn write_all(&mut self, turn: &mut Turn<'_>) {
        self.export("pprof", true, turn);
    }

    fn export(&mut self, format: &str, all_types: bool, turn: &mut Turn<'_>) {
        let Some(meta) = &turn.shown.meta else {
            return self.toast_error("nothing to write: there is no window on screen");
        };
        // Live must not slip on to a window that the user has not seen.
        let range = match self.selection.range {
            Range::Live => Range::Span(meta.span),
            span @ Range::Span(_) => span,
        };
        turn.ask(Effect::Export(ExportRequest {
            range,
            scope: self.selection.scope.clone(),
            format: format.into(),
            kind: (!all_types).then(|| self.selection.kind.to_string()),
        }));
    }

    pub(super) fn menu_key(&mut self, key: Key, turn: &mut Turn<'_>) {
        let Mode::WriteMenu { cursor } = &mut self.mode else { return };
        let last = WRITE_MENU.len() - 1;
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => *cursor = cursor.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => *cursor = (*cursor + 1).min(last),
            KeyCode::Home | KeyCode::Char('g') => *cursor = 0,
            KeyCode::End | KeyCode::Char('G') => *cursor = last,
            KeyCode::Enter => {
                let item = WRITE_MENU[(*cursor).min(last)].item;
                self.choose(item, turn);
            }
            KeyCode::Esc | KeyCode::Char('q' | 'W') => self.mode = Mode::Browse,
            KeyCode::Char(c) => {
                if let Some(row) = WRITE_MENU.iter().find(|row| row.key == c) {
                    self.choose(row.item, turn);
                }
            }
            _ => {}
        }
    }

    fn choose(&mut self, item: WriteItem, turn: &mut Turn<'_>) {
        self.mode = Mode::Browse;
        match item {
            WriteItem::Export { format, all_types } => self.export(format, all_types, turn),
            WriteItem::Recording => self.toggle_recording(turn),
        }
    }

    pub(super) fn toggle_recording(&mut self, turn: &mut Turn<'_>) {
        turn.ask(match self.recording {
            Some(_) => Effect::StopRecording,
            None => Effect::StartRecording(None),
        });
    }

    pub(super) fn mark_key(&mut self, key: Key, turn: &mut Turn<'_>) {
        let Mode::MarkNote(line) = &mut self.mode else { return };
        match key.code {
            KeyCode::Enter => {
                let note = line.text().trim();
                let note = if note.is_empty() { UNNAMED_MARK } else { note };
                turn.ask(Effect::Mark(note.into()));
                self.mode = Mode::Browse;
            }
            KeyCode::Esc => self.mode = Mode::Browse,
            _ => {
                line.edit(key);
            }
        }
    }

    /// A job is done, well or not.
    pub(super) fn done(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Exported(paths) => self.toast(format!("wrote {}", names(&paths))),
            Outcome::RecordingStarted(state) => {
                self.toast(format!("recording to {}", state.path.display()));
                self.recording = Some(state);
            }
            Outcome::RecordingProgress { bytes, windows } => {
                if let Some(recording) = &mut self.recording {
                    (recording.bytes, recording.windows) = (bytes, windows);
                }
            }
            Outcome::RecordingFinished(state) => {
                self.recording = None;
                self.toast(recorded(&state));
            }
            Outcome::Failed(job, reason) => {
                if job == Job::Record {
                    self.recording = None;
                }
                self.toast_error(reason);
            }
            Outcome::Told(toast) => self.push_toast(toast),
            Outcome::Candidates(found) => self.take_candidates(found),
        }
    }
}

fn names(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn recorded(state: &RecordingState) -> String {
    let RecordingState { path, windows, bytes, .. } = state;
    let size = *bytes as f64 / f64::from(1 << 20);
    format!("recorded {windows} windows, {size:.1} MB: {}", path.display())
}
