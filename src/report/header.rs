//! The header of a report's data: everything that is not bulk, as JSON.

use super::ReportOptions;
use super::stalls::Stalls;
use crate::feed::{EndReason, NoteLevel, SourceId};
use crate::profile::{Accumulation, Moment, Span, Thread, Unit};
use crate::session::{Session, SourceState, TimedNote, Window};
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The format's number; the viewer that stands beside the data reads no other.
const VERSION: u32 = 1;

/// Different notes of windows that are told.
const WINDOW_NOTES: usize = 500;

/// The JSON before the body.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header<'a> {
    version: u32,
    generator: &'a str,
    host: &'a str,
    /// What is looked at first.
    view: &'a str,
    /// Milliseconds since 1970 of the first moment.
    start_ms: f64,
    /// Length of the whole, in nanoseconds.
    length: u64,
    targets: Vec<Target<'a>>,
    kinds: Vec<Kind<'a>>,
    threads: Vec<ThreadRow<'a>>,
    tracks: Vec<TrackRow>,
    windows: Vec<WindowRow>,
    notes: Vec<NoteRow<'a>>,
    /// Notes of windows, each once.
    window_notes: Vec<WindowNote<'a>>,
    window_notes_left_out: usize,
    /// Sentences about the report as a whole.
    remarks: Vec<&'a str>,
    /// Gauges, in the order of the body.
    pub gauges: Vec<GaugeRow>,
    /// Names and files.
    pub strings: Vec<Arc<str>>,
    /// Stalls, longest first, in the order of the body.
    pub stalls: Vec<StallRow>,
    /// Runs of samples that were not kept.
    runs_dropped: u64,
}

/// A target, and what its source counted. Lengths are in nanoseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    source: u16,
    name: &'a str,
    kind: &'a str,
    pid: Option<u32>,
    started_ms: Option<f64>,
    executable: &'a str,
    address: &'a str,
    interval: u64,
    ended: Option<String>,
    taken: u64,
    lost: u64,
    truncated: u64,
    gaps: u64,
}

/// A sample type; a level is true of a moment.
#[derive(Serialize)]
struct Kind<'a> {
    name: &'a str,
    title: &'a str,
    unit: &'static str,
    level: bool,
}

/// A thread; its id as text, because JavaScript has no integers of 64 bits.
#[derive(Serialize)]
struct ThreadRow<'a> {
    pid: u32,
    tid: String,
    name: &'a str,
}

/// Windows of one source with the same sample types, which are places in the kinds.
#[derive(Serialize)]
struct TrackRow {
    source: u16,
    kinds: Vec<usize>,
}

/// Track, start, length, covered, taken, lost, truncated, windows rolled into it, what one sample stands
/// for, and whether that is in bytes.
#[derive(Serialize)]
struct WindowRow(usize, i64, u64, u64, u64, u64, u64, u32, u64, bool);

/// When, source, level, text.
#[derive(Serialize)]
struct NoteRow<'a>(i64, u16, &'static str, &'a str);

/// A note of windows: of how many, and where the first begins.
#[derive(Serialize)]
struct WindowNote<'a> {
    text: &'a str,
    windows: u64,
    first: i64,
}

/// A gauge of a source.
#[derive(Serialize)]
pub(super) struct GaugeRow {
    /// Whose.
    pub source: u16,
    /// What it is called.
    pub label: &'static str,
    /// What it belongs with.
    pub group: &'static str,
    /// `ratio`, `bytes`, `seconds` or `count`.
    pub unit: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// What the body's whole numbers are multiplied with.
    pub scale: f64,
}

/// Source, thread, start, length of a stall; its stacks are in the body.
#[derive(Serialize)]
pub(super) struct StallRow(pub u16, pub usize, pub i64, pub u64);

/// A window of the report, with the place of its track.
pub(super) struct Placed<'a> {
    /// Place of the track in the timeline.
    pub track: usize,
    /// The window.
    pub window: &'a Arc<Window>,
}

/// What the header and the body have in common: the windows in order, and the tables they point into.
pub(super) struct Contents<'a> {
    /// Where all of it is.
    pub session: &'a Session,
    /// The first moment of the report.
    pub origin: Moment,
    /// Nanoseconds to the last one.
    pub length: u64,
    /// Windows of all tracks, by their start.
    pub windows: Vec<Placed<'a>>,
    /// Every thread of them, once.
    pub threads: Vec<Thread>,
    thread_places: FxHashMap<Thread, usize>,
}

impl<'a> Contents<'a> {
    /// Everything that a session holds.
    pub fn of(session: &'a Session) -> Self {
        let tracks = session.timeline().tracks().iter().enumerate();
        let mut windows: Vec<Placed<'a>> = tracks
            .flat_map(|(track, held)| held.windows().map(move |window| Placed { track, window }))
            .collect();
        windows.sort_by_key(|placed| (placed.window.span.start, placed.window.id));
        let span = whole_span(session);
        let (threads, thread_places) = threads_of(&windows);
        Self { session, origin: span.start, length: span.length.0, windows, threads, thread_places }
    }

    /// A moment in nanoseconds from the first one.
    pub fn offset(&self, moment: Moment) -> i64 {
        moment.0.saturating_sub(self.origin.0)
    }

    /// Where a thread of these windows stands.
    pub fn thread(&self, thread: &Thread) -> usize {
        self.thread_places.get(thread).copied().unwrap_or_default()
    }
}

/// From the first moment that anything speaks of to the last.
fn whole_span(session: &Session) -> Span {
    let moment = |at: Moment| Span::between(at, at);
    let windows = session.timeline().span();
    let gauges = session.gauges().span();
    // Notes alone: without windows and gauges there is nothing else to lay along the axis.
    let notes = || session.notes().map(|note| moment(note.at)).reduce(Span::union);
    windows.into_iter().chain(gauges).reduce(Span::union).or_else(notes).unwrap_or_default()
}

/// The threads in the order of their first window, and the place of each.
fn threads_of(windows: &[Placed<'_>]) -> (Vec<Thread>, FxHashMap<Thread, usize>) {
    let (mut threads, mut places) = (Vec::new(), FxHashMap::default());
    for lane in windows.iter().flat_map(|placed| &placed.window.lanes) {
        places.entry(lane.thread.clone()).or_insert_with(|| {
            threads.push(lane.thread.clone());
            threads.len() - 1
        });
    }
    (threads, places)
}

impl<'a> Header<'a> {
    /// The header of the contents; strings, gauges and stalls are put in as the body is made.
    pub fn of(
        contents: &'a Contents<'_>,
        options: &'a ReportOptions,
        losses: &'a [String],
        stalls: &Stalls,
    ) -> Self {
        let session = contents.session;
        let window_notes = window_notes(contents);
        let told = window_notes.len().min(WINDOW_NOTES);
        let kinds = session.timeline().kinds();
        let kind_at = |name: &str| kinds.iter().position(|kind| &*kind.name == name).unwrap_or_default();
        let tracks = session.timeline().tracks().iter().map(|track| TrackRow {
            source: track.source.0,
            kinds: track.kinds.iter().map(|kind| kind_at(&kind.name)).collect(),
        });
        Self {
            version: VERSION,
            generator: &options.generator,
            host: &options.host,
            view: &options.view,
            start_ms: milliseconds(contents.origin),
            length: contents.length,
            targets: targets(session),
            kinds: kind_rows(session),
            threads: contents.threads.iter().map(thread_row).collect(),
            tracks: tracks.collect(),
            windows: contents.windows.iter().map(|placed| window_row(contents, placed)).collect(),
            notes: session.notes().map(|note| note_row(contents, note)).collect(),
            window_notes_left_out: window_notes.len() - told,
            window_notes: window_notes.into_iter().take(told).collect(),
            remarks: options.notes.iter().map(|note| &**note).chain(losses.iter().map(|l| &**l)).collect(),
            gauges: Vec::new(),
            strings: Vec::new(),
            stalls: Vec::new(),
            runs_dropped: stalls.runs_dropped,
        }
    }
}

fn milliseconds(moment: Moment) -> f64 {
    moment.0 as f64 / 1e6
}

fn targets(session: &Session) -> Vec<Target<'_>> {
    session.sources().iter().enumerate().map(|(at, source)| target_row(SourceId(at as u16), source)).collect()
}

fn target_row(id: SourceId, source: &SourceState) -> Target<'_> {
    let target = source.target.as_ref();
    let text = |of: fn(&crate::feed::TargetInfo) -> &str| target.map_or("", of);
    Target {
        source: id.0,
        name: text(|target| &target.name),
        kind: text(|target| &target.kind),
        pid: target.and_then(|target| target.pid),
        started_ms: target.and_then(|target| target.started).map(milliseconds),
        executable: text(|target| &target.executable),
        address: text(|target| &target.address),
        interval: target.map_or(0, |target| target.interval.0),
        ended: source.ended.as_ref().map(end_in_words),
        taken: source.taken,
        lost: source.lost,
        truncated: source.truncated,
        gaps: source.gaps.0,
    }
}

fn end_in_words(end: &EndReason) -> String {
    match end {
        EndReason::Detached => "flametop left the target".into(),
        EndReason::TargetExited => "the target exited".into(),
        EndReason::EndOfInput => "the end of the input".into(),
        EndReason::Failed(why) => why.to_string(),
    }
}

fn kind_rows(session: &Session) -> Vec<Kind<'_>> {
    let mut rows: Vec<Kind<'_>> = Vec::new();
    for kind in session.timeline().tracks().iter().flat_map(|track| track.kinds.iter()) {
        if !rows.iter().any(|known| known.name == &*kind.name) {
            let level = kind.accumulation == Accumulation::Level;
            rows.push(Kind { name: &kind.name, title: kind.title(), unit: unit(kind.unit), level });
        }
    }
    rows
}

fn unit(unit: Unit) -> &'static str {
    unit.as_str()
}

fn thread_row(thread: &Thread) -> ThreadRow<'_> {
    ThreadRow { pid: thread.pid, tid: thread.tid.to_string(), name: &thread.name }
}

fn window_row(contents: &Contents<'_>, placed: &Placed<'_>) -> WindowRow {
    let (window, sampling) = (placed.window, &placed.window.sampling);
    WindowRow(
        placed.track,
        contents.offset(window.span.start),
        window.span.length.0,
        window.covered.0,
        sampling.taken,
        sampling.lost,
        sampling.truncated,
        window.rolled,
        sampling.period,
        sampling.period_bytes,
    )
}

fn note_row<'a>(contents: &Contents<'_>, timed: &'a TimedNote) -> NoteRow<'a> {
    let level = match timed.note.level {
        NoteLevel::Info => "info",
        NoteLevel::Warning => "warning",
        NoteLevel::Error => "error",
        NoteLevel::Mark => "mark",
    };
    NoteRow(contents.offset(timed.at), timed.source.0, level, &timed.note.text)
}

fn window_notes<'a>(contents: &'a Contents<'_>) -> Vec<WindowNote<'a>> {
    let mut notes: BTreeMap<&str, WindowNote<'a>> = BTreeMap::new();
    for window in contents.windows.iter().map(|placed| placed.window) {
        for text in &window.notes {
            let first = contents.offset(window.span.start);
            notes.entry(text).or_insert(WindowNote { text, windows: 0, first }).windows += 1;
        }
    }
    notes.into_values().collect()
}
