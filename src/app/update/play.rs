//! Playing the timeline: the selected window moves on by itself, live or in a recording.

use super::Turn;
use crate::app::App;
use crate::profile::{Moment, Nanos, Span};
use crate::session::Range;

/// Seconds of the timeline a second.
const SPEEDS: [f64; 9] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// How fast the timeline is played: one of a few steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed(usize);

impl Default for Speed {
    fn default() -> Self {
        // As it was.
        Self(2)
    }
}

impl Speed {
    /// Seconds of the timeline a second.
    pub fn times(self) -> f64 {
        SPEEDS[self.0.min(SPEEDS.len() - 1)]
    }

    fn next(self, faster: bool) -> Self {
        Self(if faster { (self.0 + 1).min(SPEEDS.len() - 1) } else { self.0.saturating_sub(1) })
    }
}

/// The timeline being played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Playing {
    /// The moment that is played now.
    pub at: Moment,
    /// When it was that moment's turn.
    pub since: Moment,
}

impl App {
    /// Begins to play from the selected window on, or pauses. At the end it begins anew.
    pub(super) fn play_or_pause(&mut self, turn: &mut Turn<'_>) {
        if self.playing.take().is_some() {
            return self.toast("paused; p plays on");
        }
        let Some(extent) = self.track_extent(turn) else {
            return self.toast("there is no window to play yet");
        };
        let here = match self.selection.range {
            // A range is played from its end on, a window from itself on.
            Range::Span(span) => span.end() - Nanos(1),
            Range::Live => extent.end(),
        };
        let is_last = turn.session.timeline().span().is_some_and(|span| here + Nanos(2) >= span.end());
        let at = if is_last { extent.start } else { here };
        self.playing = Some(Playing { at, since: self.now });
        self.select_between(at, at, turn);
    }

    /// Another speed: one step faster or slower.
    pub(super) fn change_speed(&mut self, faster: bool) {
        self.speed = self.speed.next(faster);
        if self.playing.is_none() {
            self.toast(format!("p plays at {} times the speed of life", self.speed.times()));
        }
    }

    /// Moves on by the time that has passed. Ends at the newest window: there a live view goes live.
    pub(super) fn play_on(&mut self, turn: &mut Turn<'_>) {
        let Some(playing) = &mut self.playing else { return };
        let passed = self.now.since(playing.since);
        playing.since = self.now;
        playing.at = playing.at + Nanos((passed.0 as f64 * self.speed.times()) as u64);
        let at = playing.at;
        let Some(end) = self.track_extent(turn).map(Span::end) else { return };
        self.select_between(at, at, turn);
        if at < end {
            return;
        }
        self.playing = None;
        if turn.session.sources().iter().all(|source| source.ended.is_some()) {
            self.toast("this is the end; p plays from the beginning");
        } else {
            self.go_live(turn);
        }
    }

    /// Whatever else moves in time ends the playing.
    pub(super) fn stop_playing(&mut self) {
        self.playing = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_begin_with_that_of_life_and_end_somewhere() {
        let mut speed = Speed::default();
        assert!((speed.times() - 1.0).abs() < f64::EPSILON);
        (0..99).for_each(|_| speed = speed.next(true));
        assert!((speed.times() - 64.0).abs() < f64::EPSILON);
        (0..99).for_each(|_| speed = speed.next(false));
        assert!((speed.times() - 0.25).abs() < f64::EPSILON);
    }
}
