//! What the user looks at: a stretch of time, a kind of value, some lanes; and what that comes to.

use super::Session;
use super::window::{Lane, Window, lanes_of, sum_sampling, threads_of};
use crate::feed::SourceId;
use crate::profile::{Fold, Folded, Nanos, Profile, Sampling, Span, Thread, lower, over_lanes, over_time};
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
        let windows = self.windows_of(selection);
        let lanes = self.merged_lanes(&windows, &selection.scope);
        let folds: Vec<&Fold> = lanes.iter().map(|lane| &lane.fold).collect();
        let fold = over_lanes(self.tree(), &folds);
        let column = fold.column_of(&selection.kind)?;
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

    fn profile_of(&self, windows: &[Arc<Window>], scope: &Scope) -> Option<Profile> {
        let span = windows.iter().map(|w| w.span).reduce(Span::union)?;
        let lanes = self.merged_lanes(windows, scope);
        let mut profile = lower(self.tree(), span, covered_of(windows, span), sum_sampling(windows), &lanes);
        profile.notes = windows.iter().flat_map(|w| w.notes.iter().cloned()).collect();
        profile.notes.dedup();
        Some(profile)
    }

    fn windows_of(&self, selection: &Selection) -> Vec<Arc<Window>> {
        let mut windows: Vec<Arc<Window>> = Vec::new();
        for track in
            self.timeline().tracks_of(&selection.kind).filter(|track| selection.scope.takes(track.source))
        {
            match selection.range {
                Range::Live => windows.extend(track.last().cloned()),
                Range::Span(span) => windows.extend(track.within(span).cloned()),
            }
        }
        if let (Range::Span(span), true) = (selection.range, windows.is_empty()) {
            let pinned =
                self.pinned().iter().filter(|w| w.has(&selection.kind) && w.span.overlap(span) > Nanos(0));
            windows.extend(pinned.cloned());
        }
        windows.sort_by_key(|window| (window.span.start, window.id));
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
