//! Comparing with a base: taking one, and showing the difference or not.

use super::Turn;
use crate::app::{App, Effect};
use crate::profile::Basis;
use crate::session::{Range, Selection};

impl App {
    /// Shows the difference to the base or the selection alone. Without a base, what is on screen
    /// becomes one.
    pub(super) fn toggle_diff(&mut self, turn: &mut Turn<'_>) {
        if turn.session.base().is_none() {
            return self.take_base(turn);
        }
        self.against = if self.against.is_some() { None } else { Some(Basis::default()) };
    }

    /// Makes what is on screen the base.
    pub(super) fn take_base(&mut self, turn: &mut Turn<'_>) {
        let Some(meta) = &turn.shown.meta else {
            return self.toast_error("nothing to compare with: there is no window on screen");
        };
        // Live must not slip on to a window that the user has not seen.
        let range = match self.selection.range {
            Range::Live => Range::Span(meta.span),
            span @ Range::Span(_) => span,
        };
        let selection = Selection { range, ..self.selection.clone() };
        let label = match meta.windows {
            1 => "the window taken as base".to_owned(),
            count => format!("the {count} windows taken as base"),
        };
        turn.ask(Effect::SetBase { selection, label });
        self.against = Some(self.against.unwrap_or_default());
        self.toast("what is on screen is the base now: go to another time to compare; d ends it");
    }

    pub(super) fn next_numbers(&mut self) {
        match &mut self.against {
            Some(basis) => {
                *basis = match basis {
                    Basis::Second => Basis::Share,
                    Basis::Share => Basis::Second,
                }
            }
            None => self.numbers = self.numbers.next(),
        }
    }
}
