//! What the user looks at: a stretch of time, a kind of value, some lanes; and what that comes to.

use super::Session;
use super::timeline::Track;
use super::window::{Lane, Window, lanes_of, sum_sampling, threads_of};
use crate::feed::SourceId;
use crate::profile::{
    Accumulation, Fold, Folded, Nanos, Profile, Sampling, Span, Thread, lower, over_lanes, over_time,
};
use std::sync::Arc;

/// Which stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Range {
    /// The newest window, whichever that is.
    #[default]
    Live,
    /// A stretch of the timeline.
    Span(Span),
}

/// Which lanes.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scope {
    /// All of them.
    #[default]
    All,
    /// One source.
    Source(SourceId),
    /// One thread of one source.
    Thread(SourceId, Thread),
}

/// A stretch of time, a kind of value, and lanes.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// When.
    pub range: Range,
    /// Which sample type, by name: `cpu`.
    pub kind: Arc<str>,
    /// Whose.
    pub scope: Scope,
}

impl Default for Selection {
    fn default() -> Self {
        Self { range: Range::Live, kind: "cpu".into(), scope: Scope::All }
    }
}

/// What a selection comes to.
#[derive(Clone, Debug)]
pub struct Selected {
    /// The windows, in the order of time.
    pub windows: Vec<Arc<Window>>,
    /// From the first one's start to the last one's end.
    pub span: Span,
    /// How much was observed.
    pub covered: Nanos,
    /// How it was taken.
    pub sampling: Sampling,
    /// The values of all lanes together.
    pub fold: Fold,
    /// The column of the selected kind in the fold.
    pub column: usize,
}

impl Session {
    /// What a selection comes to; none when no window holds the kind there.
    pub fn select(&self, selection: &Selection) -> Option<Selected> {
        self.select_of(self.windows_of(selection), &selection.scope, &selection.kind)
    }

    /// What these windows come to, in the order of time.
    pub(super) fn select_of(&self, windows: Vec<Arc<Window>>, scope: &Scope, kind: &str) -> Option<Selected> {
        let lanes = self.merged_lanes(&windows, scope);
        let folds: Vec<&Fold> = lanes.iter().map(|lane| &lane.fold).collect();
        let fold = over_lanes(self.tree(), &folds);
        let column = fold.column_of(kind)?;
        let span = windows.iter().map(|w| w.span).reduce(Span::union)?;
        let covered = covered_of(&windows, span);
        Some(Selected { span, covered, sampling: sum_sampling(&windows), fold, column, windows })
    }

    /// The self-contained profile of a selection, with every kind of its track: what exporters get.
    pub fn profile(&self, selection: &Selection) -> Option<Profile> {
        self.profile_of(&self.windows_of(selection), &selection.scope)
    }

    /// One profile for every track that has something in the range: CPU and heap of the same time.
    pub fn profiles(&self, range: Range, scope: &Scope) -> Vec<Profile> {
        // Live means the newest window of the first track, so that all tracks speak of one time.
        let range = match range {
            Range::Live => self.newest_span().map_or(Range::Live, Range::Span),
            span @ Range::Span(_) => span,
        };
        let mut seen: Vec<Arc<str>> = Vec::new();
        let mut profiles = Vec::new();
        for track in self.timeline().tracks() {
            let Some(kind) = track.kinds.first().map(|kind| kind.name.clone()) else { continue };
            let label: Arc<str> = track.kinds.iter().map(|k| &*k.name).collect::<Vec<_>>().join("+").into();
            if seen.contains(&label) {
                continue;
            }
            seen.push(label);
            let selection = Selection { range, kind, scope: scope.clone() };
            let mut windows = self.windows_of(&selection);
            windows.retain(|window| window.kinds == track.kinds);
            profiles.extend(self.profile_of(&windows, scope));
        }
        profiles
    }

    /// The stretch of the newest window of the first track.
    pub fn newest_span(&self) -> Option<Span> {
        self.timeline().tracks().first()?.last().map(|window| window.span)
    }

    pub(super) fn profile_of(&self, windows: &[Arc<Window>], scope: &Scope) -> Option<Profile> {
        let span = windows.iter().map(|w| w.span).reduce(Span::union)?;
        let lanes = self.merged_lanes(windows, scope);
        let mut profile = lower(self.tree(), span, covered_of(windows, span), sum_sampling(windows), &lanes);
        profile.notes = windows.iter().flat_map(|w| w.notes.iter().cloned()).collect();
        profile.notes.dedup();
        Some(profile)
    }

    fn windows_of(&self, selection: &Selection) -> Vec<Arc<Window>> {
        let tracks = self.timeline().tracks_of(&selection.kind);
        let mut windows: Vec<Arc<Window>> = tracks
            .filter(|track| selection.scope.takes(track.source))
            .flat_map(|track| match selection.range {
                Range::Live => track.last().cloned().into_iter().collect(),
                Range::Span(span) => self.windows_in(track, span),
            })
            .collect();
        windows.sort_by_key(|window| (window.span.start, window.id));
        windows
    }

    /// The windows of a track that a stretch of time means: as they were pinned, or else as they are;
    /// of a level the one last known then, when none is.
    pub(super) fn windows_in(&self, track: &Track, span: Span) -> Vec<Arc<Window>> {
        let is_pinned = self.pinned.as_ref().is_some_and(|pinned| pinned.span == span);
        let pinned = self.pinned().iter().filter(|w| is_pinned && track.takes(w));
        let mut windows: Vec<Arc<Window>> = pinned.cloned().collect();
        if windows.is_empty() {
            windows.extend(track.within(span).cloned());
        }
        if windows.is_empty() && track.kinds.iter().any(|kind| kind.accumulation == Accumulation::Level) {
            windows.extend(track.known_at(span.end()).cloned());
        }
        windows
    }

    /// Time first, then lanes: here each thread's windows become one.
    fn merged_lanes(&self, windows: &[Arc<Window>], scope: &Scope) -> Vec<Folded> {
        threads_of(windows)
            .into_iter()
            .filter(|thread| scope.takes_thread(thread))
            .map(|thread| {
                let lanes: Vec<&Lane> = lanes_of(windows, &thread).collect();
                let folds: Vec<&Fold> = lanes.iter().map(|lane| &*lane.fold).collect();
                let fold = over_time(self.tree(), &folds);
                Folded { fold, runs: Vec::new(), runs_dropped: 0, thread: thread.clone() }
            })
            .collect()
    }
}

/// How much of `span` the windows observed. Several sources cover the same time side by side, not one
/// after the other.
fn covered_of(windows: &[Arc<Window>], span: Span) -> Nanos {
    Nanos(windows.iter().map(|w| w.covered.0).sum::<u64>().min(span.length.0))
}

impl Scope {
    /// Whether it takes anything of a source.
    pub fn takes(&self, source: SourceId) -> bool {
        match self {
            Self::All => true,
            Self::Source(only) | Self::Thread(only, _) => *only == source,
        }
    }

    fn takes_thread(&self, thread: &Thread) -> bool {
        match self {
            Self::All | Self::Source(_) => true,
            Self::Thread(_, only) => only == thread,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{profile, seconds, span, take, take_from};
    use super::*;
    use crate::profile::{Moment, ValueKind};

    fn selection(range: Range, kind: &str) -> Selection {
        Selection { range, kind: kind.into(), scope: Scope::All }
    }

    fn total(session: &Session, selection: &Selection) -> Option<i64> {
        session.select(selection).map(|selected| selected.fold.total(selected.column))
    }

    fn cpu(session: &Session, from: i64, to: i64) -> Option<i64> {
        total(session, &selection(Range::Span(span(from, to)), "cpu"))
    }

    #[test]
    fn live_is_the_newest_window() {
        let session = seconds(5);
        assert_eq!(total(&session, &Selection::default()), Some(5));
        assert_eq!(total(&session, &selection(Range::Live, "inuse_space")), None);
    }

    #[test]
    fn a_range_takes_the_windows_whose_middle_lies_in_it() {
        let session = seconds(5);
        assert_eq!(cpu(&session, 1, 3), Some(2 + 3));
        let millis =
            |from: i64, to: i64| Range::Span(Span::between(Moment(from * 1_000_000), Moment(to * 1_000_000)));
        assert_eq!(total(&session, &selection(millis(1400, 3600), "cpu")), Some(2 + 3 + 4));
        assert_eq!(total(&session, &selection(millis(1600, 3400), "cpu")), Some(3));
        // Shorter than a window: the one that holds its middle.
        assert_eq!(total(&session, &selection(millis(1900, 1950), "cpu")), Some(2));
        assert_eq!(cpu(&session, 7, 9), None);
    }

    #[test]
    fn heap_windows_have_lengths_of_their_own() {
        let mut session = seconds(10);
        take(&mut session, profile(0, 5000, ValueKind::inuse_space(), &[("f", 700)]));
        take(&mut session, profile(5000, 5000, ValueKind::inuse_space(), &[("f", 900)]));
        let heap = |from, to| total(&session, &selection(Range::Span(span(from, to)), "inuse_space"));
        assert_eq!(heap(1, 2), Some(700));
        assert_eq!(heap(7, 8), Some(900));
        // A level over time is its last value, not a sum.
        assert_eq!(heap(0, 10), Some(900));
        assert_eq!(cpu(&session, 0, 10), Some(55));
    }

    #[test]
    fn a_level_that_is_not_measured_yet_is_the_one_last_known() {
        let mut session = seconds(8);
        take(&mut session, profile(0, 5000, ValueKind::inuse_space(), &[("f", 700)]));
        let profiles = session.profiles(Range::Live, &Scope::All);
        assert_eq!(profiles.iter().map(|p| p.total(0)).collect::<Vec<_>>(), [8, 700]);
        assert_eq!(profiles[1].span, span(0, 5));
        take(&mut session, profile(5000, 5000, ValueKind::alloc_space(), &[("f", 3)]));
        assert_eq!(total(&session, &selection(Range::Span(span(1, 2)), "alloc_space")), None);
    }

    #[test]
    fn a_pinned_range_outlives_roll_up_and_eviction() {
        let mut session = Session::new(20_000);
        let take_second = |session: &mut Session, second: i64| {
            take(session, profile(second * 1000, 1000, ValueKind::cpu(), &[("f", second + 1)]));
        };
        (0..10).for_each(|second| take_second(&mut session, second));
        let frozen = selection(Range::Span(span(3, 4)), "cpu");
        session.pin(&frozen);
        (10..5000).for_each(|second| take_second(&mut session, second));
        assert!(session.timeline().span().is_some_and(|held| held.start > Moment(4_000_000_000)));
        assert_eq!(total(&session, &frozen), Some(4));
        assert_eq!(session.profiles(frozen.range, &Scope::All)[0].total(0), 4);
        session.unpin();
        assert_eq!(total(&session, &frozen), None);
    }

    #[test]
    fn sources_and_threads_can_be_looked_at_alone() {
        let mut session = seconds(1);
        take_from(&mut session, SourceId(1), profile(0, 1000, ValueKind::cpu(), &[("f", 40)]));
        let of = |scope| total(&session, &Selection { scope, ..Selection::default() });
        assert_eq!(of(Scope::All), Some(41));
        assert_eq!(of(Scope::Source(SourceId(1))), Some(40));
        let thread = Thread { pid: 1, tid: 1, name: "main".into() };
        assert_eq!(of(Scope::Thread(SourceId(0), thread.clone())), Some(1));
        assert_eq!(of(Scope::Thread(SourceId(0), Thread { tid: 2, ..thread })), None);
    }

    #[test]
    fn times_are_merged_before_lanes() {
        // Thread by thread the last level holds; only then threads add up.
        let mut session = Session::default();
        let lane = |tid, start_ms, value| {
            let mut profile = profile(start_ms, 1000, ValueKind::inuse_space(), &[("f", value)]);
            profile.lanes[0].thread.tid = tid;
            profile
        };
        for window in [lane(1, 0, 100), lane(2, 0, 10), lane(1, 1000, 300)] {
            take(&mut session, window);
        }
        let both = selection(Range::Span(span(0, 2)), "inuse_space");
        assert_eq!(total(&session, &both), Some(310));
    }
}
