//! Leaving, and the questions asked before something is done.

use super::Turn;
use crate::app::{App, Effect, Key, KeyCode, Mode, Question};

impl App {
    /// Leaves; asks first while recording.
    pub(super) fn quit(&mut self, keep_frame: bool, turn: &mut Turn<'_>) {
        if self.recording.is_some() {
            self.keep_frame = keep_frame;
            self.mode = Mode::Confirm(Question::QuitWhileRecording);
        } else {
            self.leave(keep_frame, turn);
        }
    }

    /// Leaves at once; the engine finishes what is under way.
    pub(super) fn leave(&mut self, keep_frame: bool, turn: &mut Turn<'_>) {
        self.keep_frame = keep_frame;
        self.quitting = true;
        turn.ask(Effect::Quit { keep_frame });
    }

    pub(super) fn confirm_key(&mut self, key: Key, turn: &mut Turn<'_>) {
        match key.code {
            KeyCode::Char('y' | 'Y') | KeyCode::Enter => self.confirmed(turn),
            KeyCode::Char('n' | 'N' | 'q') | KeyCode::Esc => self.mode = Mode::Browse,
            _ => {}
        }
    }

    fn confirmed(&mut self, turn: &mut Turn<'_>) {
        let Mode::Confirm(question) = std::mem::take(&mut self.mode) else { return };
        match question {
            Question::QuitWhileRecording => self.leave(self.keep_frame, turn),
            Question::HeapCost(_) => self.switch_heap_on(turn),
        }
    }
}
