//! The timeline: tracks of windows within a budget of memory.
//!
//! CPU and heap windows have lengths of their own, so each set of kinds is a track. When the budget
//! is reached the finest of the oldest windows are rolled up eight to one, and only when everything
//! is rolled up 64 to one the oldest are dropped.

use super::window::Window;
use crate::feed::SourceId;
use crate::profile::{CallTree, Moment, Nanos, Span, ValueKind};
use std::collections::VecDeque;
use std::sync::Arc;

/// How many windows one roll-up gathers.
const ROLL: usize = 8;
/// The coarsest roll-up.
const COARSEST: u32 = 64;

/// Windows of one source and one set of kinds, in the order of time.
#[derive(Clone, Debug)]
pub struct Track {
    /// Whose.
    pub source: SourceId,
    /// What the windows hold.
    pub kinds: Arc<[ValueKind]>,
    windows: VecDeque<Arc<Window>>,
}

impl Track {
    /// The windows, oldest first.
    pub fn windows(&self) -> impl DoubleEndedIterator<Item = &Arc<Window>> + ExactSizeIterator {
        self.windows.iter()
    }

    /// The newest window.
    pub fn last(&self) -> Option<&Arc<Window>> {
        self.windows.back()
    }

    /// Whether the windows hold that kind of value.
    pub fn has(&self, kind: &str) -> bool {
        self.kinds.iter().any(|known| &*known.name == kind)
    }

    /// The windows that a stretch of time means: those whose middle lies in it, or, when it is
    /// shorter than a window, the one that holds its middle.
    pub fn within(&self, span: Span) -> impl Iterator<Item = &Arc<Window>> {
        let from = self.windows.partition_point(|w| is_before(w.span, span.start));
        self.windows
            .range(from..)
            .take_while(move |w| !is_after(w.span, span))
            .filter(move |w| means(span, w.span))
    }

    /// The window `steps` after (negative: before) the one that holds `at`, as far as there are any.
    pub fn step(&self, at: Moment, steps: i64) -> Option<&Arc<Window>> {
        let last = self.windows.len().checked_sub(1)?;
        let here = self.windows.partition_point(|w| w.span.end() <= at).min(last);
        let there = (here as i64).saturating_add(steps).clamp(0, last as i64);
        self.windows.get(there as usize)
    }

    /// Where the windows that a stretch of time means stand, the first and the last; where it means
    /// none, the nearest one.
    pub fn places(&self, span: Span) -> Option<(usize, usize)> {
        let from = self.windows.partition_point(|w| is_before(w.span, span.start));
        let meant: Vec<usize> = (from..self.windows.len())
            .take_while(|at| !is_after(self.windows[*at].span, span))
            .filter(|at| means(span, self.windows[*at].span))
            .collect();
        let nearest = from.min(self.windows.len().checked_sub(1)?);
        Some((*meant.first().unwrap_or(&nearest), *meant.last().unwrap_or(&nearest)))
    }

    /// The newest window that had ended at a moment.
    pub(super) fn known_at(&self, at: Moment) -> Option<&Arc<Window>> {
        let ended = self.windows.partition_point(|w| w.span.end() <= at);
        self.windows.get(ended.checked_sub(1)?)
    }

    /// From the start of the window at one place to the end of the one at another.
    pub fn stretch(&self, first: usize, last: usize) -> Option<Span> {
        Some(self.windows.get(first)?.span.union(self.windows.get(last)?.span))
    }
}

/// Whether a stretch of time means the window of that span. A window without length, of a file that does
/// not say how long it looked, is meant where it lies, at either end too.
fn means(span: Span, window: Span) -> bool {
    if window.length.0 == 0 {
        return span.start <= window.start && window.start <= span.end();
    }
    span.contains(middle(window)) || window.contains(middle(span))
}

/// Whether a window is over before a moment.
fn is_before(window: Span, moment: Moment) -> bool {
    if window.length.0 == 0 { window.start < moment } else { window.end() <= moment }
}

/// Whether a window begins after a stretch of time.
fn is_after(window: Span, span: Span) -> bool {
    if window.length.0 == 0 { window.start > span.end() } else { window.start >= span.end() }
}

fn middle(span: Span) -> Moment {
    span.start + Nanos(span.length.0 / 2)
}

/// All tracks, within a budget.
#[derive(Clone, Debug)]
pub struct Timeline {
    tracks: Vec<Track>,
    budget: usize,
    bytes: usize,
    dropped: u64,
}

impl Timeline {
    /// An empty timeline of at most `budget` bytes of windows.
    pub fn new(budget: usize) -> Self {
        Self { tracks: Vec::new(), budget, bytes: 0, dropped: 0 }
    }

    /// The tracks, in the order they began.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// The tracks that hold a kind.
    pub fn tracks_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Track> {
        self.tracks.iter().filter(move |track| track.has(kind))
    }

    /// Bytes of windows held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Windows dropped for want of memory, as they came.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The kinds that can be shown, each once, in the order of their tracks.
    pub fn kinds(&self) -> Vec<ValueKind> {
        let mut kinds: Vec<ValueKind> = Vec::new();
        for kind in self.tracks.iter().flat_map(|track| track.kinds.iter()) {
            if !kinds.iter().any(|known| known.name == kind.name) {
                kinds.push(kind.clone());
            }
        }
        kinds
    }

    /// From the first moment of any window to the last.
    pub fn span(&self) -> Option<Span> {
        self.tracks
            .iter()
            .filter_map(|track| Some(track.windows.front()?.span.union(track.windows.back()?.span)))
            .reduce(Span::union)
    }

    /// The time that no window covers between the last window of the track and `window`, with what
    /// `window` itself did not observe. Only CPU time can have gaps: a heap profile is switched on and
    /// off and between its modes at will.
    pub fn gap_before(&self, window: &Window) -> Nanos {
        if !window.kinds.iter().any(|kind| &*kind.name == "cpu") {
            return Nanos(0);
        }
        let inside = Nanos(window.span.length.0.saturating_sub(window.covered.0));
        let track = self.tracks.iter().find(|track| track.takes(window));
        let before =
            track.and_then(Track::last).map_or(Nanos(0), |last| window.span.start.since(last.span.end()));
        inside + before
    }

    /// Adds a window; true when others had to make room.
    pub(super) fn push(&mut self, tree: &CallTree, window: Arc<Window>) -> bool {
        self.bytes += window.bytes();
        match self.tracks.iter_mut().find(|track| track.takes(&window)) {
            Some(track) => {
                // Nearly always at the end; a late window finds its place.
                let at = track.windows.partition_point(|w| w.span.start <= window.span.start);
                track.windows.insert(at, window);
            }
            None => self.tracks.push(Track {
                source: window.source,
                kinds: window.kinds.clone(),
                windows: VecDeque::from([window]),
            }),
        }
        let crowded = self.bytes > self.budget;
        while self.bytes > self.budget && self.make_room(tree) {}
        crowded
    }

    /// Rolls up or drops a little of the heaviest track; false when nothing is left to give.
    fn make_room(&mut self, tree: &CallTree) -> bool {
        let weight = |track: &Track| track.windows.iter().map(|w| w.bytes()).sum::<usize>();
        // The newest window of a track stays, whatever its size.
        let can_give = self.tracks.iter_mut().filter(|track| track.windows.len() > 1);
        let Some(track) = can_give.max_by_key(|track| weight(track)) else { return false };
        let before = weight(track);
        if !track.roll_oldest(tree) {
            self.dropped += track.windows.pop_front().map_or(0, |window| u64::from(window.rolled));
        }
        let after = weight(track);
        self.bytes = self.bytes - before + after;
        true
    }

    /// Every window of every track, for collection.
    pub(super) fn windows_mut(&mut self) -> impl Iterator<Item = &mut Arc<Window>> {
        self.tracks.iter_mut().flat_map(|track| track.windows.iter_mut())
    }
}

impl Track {
    pub(super) fn takes(&self, window: &Window) -> bool {
        self.source == window.source && self.kinds == window.kinds
    }

    /// Makes one window of the oldest eight of equal grain, finest grain first.
    fn roll_oldest(&mut self, tree: &CallTree) -> bool {
        let mut grain = 1;
        while grain < COARSEST {
            if let Some(from) = self.oldest_run_of(grain) {
                let gathered: Vec<Arc<Window>> = self.windows.range(from..from + ROLL).cloned().collect();
                if let Some(rolled) = Window::roll_up(tree, &gathered) {
                    self.windows.drain(from + 1..from + ROLL);
                    self.windows[from] = Arc::new(rolled);
                    return true;
                }
            }
            grain *= ROLL as u32;
        }
        false
    }

    /// Where eight neighbours of one grain begin; the newest eight windows are left alone.
    fn oldest_run_of(&self, grain: u32) -> Option<usize> {
        let end = self.windows.len().checked_sub(2 * ROLL)?;
        (0..=end).find(|from| self.windows.range(*from..*from + ROLL).all(|w| w.rolled == grain))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Session;
    use super::super::fixtures::{profile, seconds, span, take};
    use super::*;
    use proptest::prelude::*;

    fn track(session: &Session) -> &Track {
        &session.timeline().tracks()[0]
    }

    #[test]
    fn stepping_stays_within_what_there_is() {
        let session = seconds(4);
        let start = |steps| track(&session).step(Moment(2_500_000_000), steps).map(|w| w.span);
        assert_eq!(start(0), Some(span(2, 3)));
        assert_eq!(start(-1), Some(span(1, 2)));
        assert_eq!(start(9), Some(span(3, 4)));
        assert_eq!(start(i64::MIN), Some(span(0, 1)));
    }

    #[test]
    fn places_are_those_of_the_windows_meant_or_the_nearest() {
        let session = seconds(4);
        assert_eq!(track(&session).places(span(1, 3)), Some((1, 2)));
        assert_eq!(track(&session).places(span(8, 9)), Some((3, 3)));
        assert_eq!(track(&session).places(span(-5, -4)), Some((0, 0)));
        assert_eq!(track(&session).stretch(1, 2), Some(span(1, 3)));
    }

    #[test]
    fn a_window_without_length_is_meant_where_it_lies() {
        let mut session = Session::default();
        take(&mut session, profile(3000, 0, ValueKind::samples(), &[("f", 5)]));
        let total = |from, to| {
            let range = super::super::Range::Span(span(from, to));
            let selection = super::super::Selection { range, kind: "samples".into(), ..Default::default() };
            session.select(&selection).map(|selected| selected.fold.total(0))
        };
        assert_eq!([total(3, 3), total(0, 3), total(3, 9)], [Some(5); 3]);
        assert_eq!([total(0, 2), total(4, 9)], [None; 2]);
        assert_eq!(track(&session).places(span(3, 3)), Some((0, 0)));
    }

    #[test]
    fn a_late_window_finds_its_place() {
        let mut session = Session::default();
        for second in [0, 2, 1] {
            take(&mut session, profile(second * 1000, 1000, ValueKind::cpu(), &[("f", 1)]));
        }
        let starts: Vec<i64> = track(&session).windows().map(|w| w.span.start.0 / 1_000_000_000).collect();
        assert_eq!(starts, [0, 1, 2]);
    }

    #[test]
    fn time_between_windows_and_inside_them_is_a_gap() {
        let mut session = Session::default();
        take(&mut session, profile(0, 1000, ValueKind::cpu(), &[("f", 1)]));
        take(&mut session, profile(1500, 1000, ValueKind::cpu(), &[("f", 1)]));
        assert_eq!(session.sources()[0].gaps, Nanos::from_millis(500));
        let mut short = profile(2500, 1000, ValueKind::cpu(), &[("f", 1)]);
        short.covered = Nanos::from_millis(800);
        take(&mut session, short);
        assert_eq!(session.sources()[0].gaps, Nanos::from_millis(700));
    }

    #[test]
    fn a_heap_profile_that_was_off_or_in_another_mode_leaves_no_gap() {
        let mut session = seconds(10);
        for (at, kind) in [
            (0, ValueKind::inuse_space()),
            (3000, ValueKind::alloc_space()),
            (8000, ValueKind::inuse_space()),
        ] {
            let mut window = profile(at, 1000, kind, &[("f", 1)]);
            window.covered = Nanos::from_millis(900);
            take(&mut session, window);
        }
        assert_eq!(session.sources()[0].gaps, Nanos(0));
    }

    #[test]
    fn roll_ups_keep_totals_times_and_counts() {
        let mut session = seconds(16);
        let before = session.profile(&all(16)).expect("windows");
        let tree = session.tree.clone();
        assert!(session.timeline.tracks[0].roll_oldest(&tree));
        assert_eq!(
            track(&session).windows().map(|w| w.rolled).collect::<Vec<_>>(),
            [8, 1, 1, 1, 1, 1, 1, 1, 1]
        );
        assert_eq!(session.profile(&all(16)), Some(before));
    }

    fn all(seconds: i64) -> super::super::Selection {
        super::super::Selection {
            range: super::super::Range::Span(span(0, seconds)),
            ..super::super::Selection::default()
        }
    }

    proptest! {
        #[test]
        fn the_budget_is_never_exceeded_and_nothing_is_lost_before_it_must(
            budget in 3_000usize..60_000,
            windows in prop::collection::vec((1u64..40, any::<bool>()), 1..300),
        ) {
            let mut session = Session::new(budget);
            let (mut at, mut cpu) = (0, 0);
            for (functions, is_cpu) in windows {
                let names: Vec<String> = (0..functions).map(|f| format!("f{f}")).collect();
                let stacks: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
                let kind = if is_cpu { ValueKind::cpu() } else { ValueKind::alloc_space() };
                take(&mut session, profile(at, 1000, kind, &stacks));
                (at, cpu) = (at + 1000, cpu + if is_cpu { functions as i64 } else { 0 });
                let timeline = session.timeline();
                let held: usize = timeline.tracks().iter().flat_map(Track::windows).map(|w| w.bytes()).sum();
                prop_assert_eq!(held, timeline.bytes());
                let bare = timeline.tracks().iter().all(|track| track.windows().len() == 1);
                prop_assert!(held <= budget || bare);
            }
            if session.timeline().dropped() == 0 && cpu > 0 {
                let profile = session.profile(&all(1000)).expect("CPU windows are held");
                prop_assert_eq!(profile.total(0), cpu);
            }
        }
    }
}
