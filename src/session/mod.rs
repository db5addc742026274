//! The session: everything known about the watched targets, as pure state.
//!
//! Changed only by [`Session::ingest`], and by what is pinned or taken as the base of comparisons; read by the app, the
//! view and every exporter. No I/O, no clock: moments come in with the events.

mod base;
mod collect;
#[cfg(test)]
pub(crate) mod fixtures;
mod gauge_store;
mod selection;
mod timeline;
mod when;
mod window;

pub use base::{Base, Compared};
pub use gauge_store::{Bucket, GaugeStore};
pub use selection::{Range, Scope, Selected, Selection};
pub use timeline::{Timeline, Track};
pub use when::{WHEN_FORMS, When, parse_length};
pub use window::{Lane, Window, WindowId};

use crate::feed::{EndReason, Event, Feed, Note, SourceId, Status, TargetInfo};
use crate::profile::{CallTree, Moment, Nanos, Profile, Span};
use std::collections::VecDeque;
use std::sync::Arc;

/// Notes kept; older ones are dropped.
const NOTES_KEPT: usize = 1000;

/// Default bound of memory for windows.
pub const DEFAULT_BUDGET: usize = 256 << 20;

/// What is known of one source.
#[derive(Clone, Debug, Default)]
pub struct SourceState {
    /// Who is watched, once reached.
    pub target: Option<TargetInfo>,
    /// What the source is doing.
    pub status: Status,
    /// Why it ended, once it has.
    pub ended: Option<EndReason>,
    /// Samples taken since the start.
    pub taken: u64,
    /// Samples lost since the start.
    pub lost: u64,
    /// Samples whose stack was cut by the runtime.
    pub truncated: u64,
    /// Time between windows that no window covers.
    pub gaps: Nanos,
    /// When its last event came.
    pub last_heard: Moment,
}

/// A note with its place and time.
#[derive(Clone, Debug)]
pub struct TimedNote {
    /// When.
    pub at: Moment,
    /// Where.
    pub source: SourceId,
    /// What.
    pub note: Note,
}

/// The windows of a stretch of time, kept as they were when it was frozen.
#[derive(Clone, Debug)]
struct Pinned {
    span: Span,
    windows: Vec<Arc<Window>>,
}

/// Everything known about the watched targets.
#[derive(Debug)]
pub struct Session {
    tree: CallTree,
    sources: Vec<SourceState>,
    timeline: Timeline,
    gauges: GaugeStore,
    notes: VecDeque<TimedNote>,
    pinned: Option<Pinned>,
    base: Option<Base>,
    bases: u64,
    next_window: u64,
    windows_revision: u64,
}

impl Default for Session {
    fn default() -> Self {
        Self::new(DEFAULT_BUDGET)
    }
}

impl Session {
    /// An empty session that keeps at most `budget` bytes of windows.
    pub fn new(budget: usize) -> Self {
        Self {
            tree: CallTree::default(),
            sources: Vec::new(),
            timeline: Timeline::new(budget),
            gauges: GaugeStore::default(),
            notes: VecDeque::new(),
            pinned: None,
            base: None,
            bases: 0,
            next_window: 0,
            windows_revision: 0,
        }
    }

    /// Takes in one event.
    pub fn ingest(&mut self, event: &Event) {
        let source = self.source_mut(event.source);
        source.last_heard = event.at;
        match &event.feed {
            Feed::Attached(target) => {
                source.target = Some(target.clone());
                source.ended = None;
            }
            Feed::Status(status) => source.status = status.clone(),
            Feed::Ended(reason) => source.ended = Some(reason.clone()),
            Feed::Gauges(batch) => self.gauges.add(event.source, batch),
            Feed::Note(note) => self.add_note(event, note),
            Feed::Window(profile) => self.add_window(event.source, profile),
        }
    }

    /// The call tree under all folds of this session.
    pub fn tree(&self) -> &CallTree {
        &self.tree
    }

    /// All windows.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// All gauges.
    pub fn gauges(&self) -> &GaugeStore {
        &self.gauges
    }

    /// The sources in the order of their ids.
    pub fn sources(&self) -> &[SourceState] {
        &self.sources
    }

    /// The notes, oldest first.
    pub fn notes(&self) -> impl DoubleEndedIterator<Item = &TimedNote> {
        self.notes.iter()
    }

    /// Changes with every window: what was computed of windows at the same revision is still true.
    pub fn windows_revision(&self) -> u64 {
        self.windows_revision
    }

    /// Keeps the windows of a stretch of time, of every source and kind, as they are now: neither
    /// roll-up nor eviction changes what is seen of it until [`Session::unpin`].
    pub fn pin(&mut self, selection: &Selection) {
        let Range::Span(span) = selection.range else { return self.unpin() };
        let tracks = self.timeline.tracks().iter();
        let windows = tracks.flat_map(|track| self.windows_in(track, span)).collect();
        self.pinned = Some(Pinned { span, windows });
    }

    /// Lets go of what was pinned.
    pub fn unpin(&mut self) {
        self.pinned = None;
    }

    /// Windows kept by [`Session::pin`].
    pub(crate) fn pinned(&self) -> &[Arc<Window>] {
        self.pinned.as_ref().map_or(&[], |pinned| &pinned.windows)
    }

    fn source_mut(&mut self, id: SourceId) -> &mut SourceState {
        let index = usize::from(id.0);
        if self.sources.len() <= index {
            self.sources.resize_with(index + 1, SourceState::default);
        }
        &mut self.sources[index]
    }

    fn add_note(&mut self, event: &Event, note: &Note) {
        if self.notes.len() == NOTES_KEPT {
            self.notes.pop_front();
        }
        self.notes.push_back(TimedNote { at: event.at, source: event.source, note: note.clone() });
    }

    /// Takes in a window. One that breaks the laws of [`Profile`] is refused with a note: a source
    /// that sends it has a fault, and a wrong number is worse than none.
    fn add_window(&mut self, source: SourceId, profile: &Profile) {
        if !profile.is_sound() {
            let text = "a window was refused because it contradicts itself".into();
            let note = Note { level: crate::feed::NoteLevel::Error, text };
            let feed = Feed::Note(note.clone());
            self.add_note(&Event { source, at: profile.span.end(), feed }, &note);
            return;
        }
        self.windows_revision += 1;
        let id = WindowId(self.next_window);
        self.next_window += 1;
        let window = Window::lift(&mut self.tree, id, source, profile);
        let gap = self.timeline.gap_before(&window);
        let state = self.source_mut(source);
        state.taken += profile.sampling.taken;
        state.lost += profile.sampling.lost;
        state.truncated += profile.sampling.truncated;
        state.gaps = state.gaps + gap;
        let evicted = self.timeline.push(&self.tree, Arc::new(window));
        self.realign_base();
        if evicted {
            self.collect_if_worth_it();
        }
    }
}
