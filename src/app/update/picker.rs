//! The picker: narrowing the list of processes and choosing one.

use super::Turn;
use crate::app::{App, Candidate, Effect, Key, KeyCode, LineInput, Mode, Picker};
use crate::feed::TargetSpec;

/// Rows that a page key moves.
const PAGE: i64 = 10;

impl App {
    pub(super) fn pick_key(&mut self, key: Key, turn: &mut Turn<'_>) {
        let Mode::Pick(picker) = &mut self.mode else { return };
        let unfiltered = picker.filter.text().is_empty();
        match key.code {
            KeyCode::Enter => self.pick(turn),
            KeyCode::Esc if !unfiltered => picker.narrow(LineInput::clear),
            KeyCode::Esc => self.leave_picker(turn),
            KeyCode::Char('q') if unfiltered && !key.ctrl => self.leave_picker(turn),
            KeyCode::Char('r') if unfiltered || key.ctrl => turn.ask(Effect::FindProcesses),
            KeyCode::F(5) => turn.ask(Effect::FindProcesses),
            KeyCode::Up => picker.step(-1),
            KeyCode::Down => picker.step(1),
            KeyCode::PageUp => picker.step(-PAGE),
            KeyCode::PageDown => picker.step(PAGE),
            KeyCode::Home => picker.cursor = 0,
            KeyCode::End => picker.step(i64::from(u32::MAX)),
            _ => picker.narrow(|line| line.edit(key)),
        }
    }

    fn pick(&mut self, turn: &mut Turn<'_>) {
        let Mode::Pick(picker) = &self.mode else { return };
        let Some(Candidate { pid, obstacle, .. }) = picker.chosen().cloned() else { return };
        if let Some(obstacle) = obstacle {
            return self.toast_error(format!("process {pid}: {obstacle}"));
        }
        self.mode = Mode::Browse;
        turn.ask(Effect::Attach(TargetSpec::Pid(pid)));
    }

    /// Back to what is watched; out when nothing is.
    fn leave_picker(&mut self, turn: &mut Turn<'_>) {
        if turn.session.sources().is_empty() {
            self.leave(false, turn);
        } else {
            self.mode = Mode::Browse;
        }
    }

    /// A new list; the cursor stays on its process.
    pub(super) fn take_candidates(&mut self, found: Vec<Candidate>) {
        let Mode::Pick(picker) = &mut self.mode else { return };
        let pid = picker.chosen().map(|candidate| candidate.pid);
        picker.candidates = found;
        let place = picker.matching().iter().position(|candidate| Some(candidate.pid) == pid);
        picker.cursor = place.unwrap_or(picker.cursor);
        picker.step(0);
    }
}

impl Picker {
    /// Moves the cursor within the filtered list.
    pub(super) fn step(&mut self, by: i64) {
        let last = self.matching().len().saturating_sub(1);
        self.cursor = self.cursor.min(last).saturating_add_signed(by as isize).min(last);
    }

    fn narrow(&mut self, change: impl FnOnce(&mut LineInput) -> bool) {
        if change(&mut self.filter) {
            self.cursor = 0;
        }
    }
}
