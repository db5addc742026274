//! Time: freezing, stepping through windows, ranges. Sampling goes on meanwhile.

use super::Turn;
use crate::app::{App, Effect, newest_of};
use crate::profile::{Moment, Span};
use crate::session::{Range, Session, Track};

impl App {
    pub(super) fn freeze_or_go_live(&mut self, turn: &mut Turn<'_>) {
        if self.is_frozen() {
            self.go_live(turn);
        } else {
            self.freeze(turn);
        }
    }

    pub(super) fn go_live(&mut self, turn: &mut Turn<'_>) {
        if self.is_frozen() {
            self.selection.range = Range::Live;
            self.frozen_at = None;
            turn.ask(Effect::Unpin);
        }
    }

    /// Holds what is on screen; the span held, if there is anything to hold.
    fn freeze(&mut self, turn: &mut Turn<'_>) -> Option<Span> {
        if let Range::Span(span) = self.selection.range {
            return Some(span);
        }
        let newest = || Some(self.track(turn.session)?.last()?.span);
        let Some(span) = turn.shown.meta.as_ref().map(|meta| meta.span).or_else(newest) else {
            self.toast("nothing to freeze yet: the first window is still being taken");
            return None;
        };
        self.select_span(span, turn);
        Some(span)
    }

    /// Shows a stretch of time and keeps its windows.
    pub(super) fn select_span(&mut self, span: Span, turn: &mut Turn<'_>) {
        if !self.is_frozen() {
            self.frozen_at = newest_of(turn.session);
        }
        if self.selection.range != Range::Span(span) {
            self.selection.range = Range::Span(span);
            turn.ask(Effect::Pin(self.selection.clone()));
        }
    }

    /// Moves the whole range by windows, as far as there are any.
    pub(super) fn step_windows(&mut self, steps: i64, turn: &mut Turn<'_>) {
        self.change_range(turn, |(first, last), count| {
            let newest = count.saturating_sub(1);
            let by = steps.clamp(-(first as i64), newest.saturating_sub(last) as i64);
            (first.saturating_add_signed(by as isize), last.saturating_add_signed(by as isize))
        });
    }

    pub(super) fn grow_range(&mut self, turn: &mut Turn<'_>) {
        self.change_range(turn, |(first, last), _| (first.saturating_sub(1), last));
    }

    pub(super) fn shrink_range(&mut self, turn: &mut Turn<'_>) {
        self.change_range(turn, |(first, last), _| ((first + 1).min(last), last));
    }

    /// Freezes, then selects other windows by their places in the track: given first, last and how
    /// many there are. Does nothing when the places stay, so that a range held by a pin keeps its grain.
    fn change_range(
        &mut self,
        turn: &mut Turn<'_>,
        change: impl FnOnce((usize, usize), usize) -> (usize, usize),
    ) {
        let Some(span) = self.freeze(turn) else { return };
        let Some(track) = self.track(turn.session) else { return };
        let Some(places) = track.places(span) else { return };
        let changed = change(places, track.windows().len());
        if changed != places
            && let Some(span) = track.stretch(changed.0, changed.1)
        {
            self.select_span(span, turn);
        }
    }

    /// Selects the windows from one moment to another, whichever comes first.
    pub(super) fn select_between(&mut self, one: Moment, other: Moment, turn: &mut Turn<'_>) {
        let Some(track) = self.track(turn.session) else { return };
        let ends = (track.step(one.min(other), 0), track.step(one.max(other), 0));
        if let (Some(first), Some(last)) = ends {
            self.select_span(first.span.union(last.span), turn);
        }
    }

    /// From the first window of the track on screen to its last.
    pub(super) fn track_extent(&self, turn: &Turn<'_>) -> Option<Span> {
        let track = self.track(turn.session)?;
        Some(track.windows().next()?.span.union(track.last()?.span))
    }

    /// The track that is stepped through: the first with the kind on screen.
    fn track<'a>(&self, session: &'a Session) -> Option<&'a Track> {
        let takes =
            |track: &&Track| track.has(&self.selection.kind) && self.selection.scope.takes(track.source);
        session.timeline().tracks().iter().find(takes)
    }
}
