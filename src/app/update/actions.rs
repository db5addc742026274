//! What each action means: one line each, in the order of the table of keys.

use super::Turn;
use super::moves::Direction;
use crate::app::{Action as A, App, LineInput, Mode, Pane};

impl App {
    pub(super) fn act(&mut self, action: A, turn: &mut Turn<'_>) {
        if moves_in_time(action) {
            self.stop_playing();
        }
        match action {
            A::Freeze => self.freeze_or_go_live(turn),
            A::PreviousWindow => self.step_windows(-1, turn),
            A::NextWindow => self.step_windows(1, turn),
            A::TenBack => self.step_windows(-10, turn),
            A::TenForward => self.step_windows(10, turn),
            A::Play => self.play_or_pause(turn),
            A::Slower => self.change_speed(false),
            A::Faster => self.change_speed(true),
            A::Goto => self.ask_where(),
            A::NextMark => self.jump_to_mark(true, turn),
            A::PreviousMark => self.jump_to_mark(false, turn),
            A::NextStall => self.jump_to_stall(true, turn),
            A::PreviousStall => self.jump_to_stall(false, turn),
            A::NextPeak => self.next_peak(turn),
            A::GrowRange => self.grow_range(turn),
            A::ShrinkRange => self.shrink_range(turn),
            A::Live => self.go_live(turn),
            A::Record => self.toggle_recording(turn),
            A::Write => self.write_all(turn),
            A::WriteMenu => self.mode = Mode::WriteMenu { cursor: 0 },
            A::Mark => self.mode = Mode::MarkNote(LineInput::default()),
            A::Diff => self.toggle_diff(turn),
            A::Base => self.take_base(turn),
            A::SampleType => self.next_sample_type(turn),
            A::HeapProfile => self.switch_heap(turn),
            A::ZoomIn => self.enter(turn),
            A::ZoomReset => self.escape(turn),
            A::ZoomUp => self.zoom_up(turn),
            A::ResetView => self.reset_view(),
            A::Left => self.step(Direction::Left, turn),
            A::Down => self.step(Direction::Down, turn),
            A::Up => self.step(Direction::Up, turn),
            A::Right => self.step(Direction::Right, turn),
            A::First => self.select_first(turn),
            A::Last => self.select_last(turn),
            A::PageUp => self.page(Direction::Up, turn),
            A::PageDown => self.page(Direction::Down, turn),
            A::Hottest => self.select_hottest(turn),
            A::NextPane => self.turn_pane(1, turn),
            A::PreviousPane => self.turn_pane(Pane::ALL.len() - 1, turn),
            A::PaneFlame => self.show_pane(Pane::Flame, turn),
            A::PaneTree => self.show_pane(Pane::Tree, turn),
            A::PaneTop => self.show_pane(Pane::Top, turn),
            A::Maximise => self.maximised = !self.maximised,
            A::Search => self.begin_search(),
            A::NextMatch => self.next_match(1, turn),
            A::PreviousMatch => self.next_match(-1, turn),
            A::SearchCursor => self.search_cursor(turn),
            A::Focus => self.focus(turn),
            A::Hide => self.hide(turn),
            A::Unhide => self.unhide(),
            A::Recursion => self.shape.fold_recursion = !self.shape.fold_recursion,
            A::Invert => self.invert(),
            A::Order => self.change_order(),
            A::Numbers => self.next_numbers(),
            A::Idle => self.shape.show_idle = !self.shape.show_idle,
            A::Colour => self.colour_by = self.colour_by.next(),
            A::LongerWindow => self.change_window(true, turn),
            A::ShorterWindow => self.change_window(false, turn),
            A::CopyFrame => self.copy_frame(turn),
            A::CopyStack => self.copy_stack(turn),
            A::Redraw => self.repaint = true,
            A::Help => self.mode = Mode::Help { scroll: 0, filter: LineInput::default() },
            A::Quit => self.quit(false, turn),
            A::QuitKeep => self.quit(true, turn),
            A::Interrupt => self.leave(false, turn),
        }
    }
}

/// Whether an action goes to another time, so that playing on would fight it.
fn moves_in_time(action: A) -> bool {
    let steps = matches!(action, A::PreviousWindow | A::NextWindow | A::TenBack | A::TenForward);
    let ranges = matches!(action, A::Freeze | A::GrowRange | A::ShrinkRange | A::Live);
    let marks = matches!(action, A::NextMark | A::PreviousMark | A::NextStall | A::PreviousStall);
    steps || ranges || marks || matches!(action, A::NextPeak | A::Goto)
}
