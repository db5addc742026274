//! Files read whole, for commands that ask no live target: the part of a file that is meant.

use super::args::SliceArgs;
use super::exit::Failure;
use crate::feed::{Event, Feed, NoteLevel, SourceId, TargetInfo};
use crate::profile::{Accumulation, Moment, Profile, Span, Thread, clean_path, focused};
use crate::session::{DEFAULT_BUDGET, Range, Scope, Session, Track, WHEN_FORMS, When};
use crate::source::Stored;
use jiff::tz::TimeZone;
use regex::Regex;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// A file in a session, and the part of it that is meant.
pub struct Loaded {
    /// What was read.
    pub session: Session,
    /// When.
    pub range: Range,
    /// Whose.
    pub scope: Scope,
    name: String,
    focus: Option<Regex>,
    kind: Option<String>,
    remark: Option<Arc<str>>,
}

impl Loaded {
    /// Reads the part of a file that `slice` means.
    pub fn read(path: &Path, slice: &SliceArgs) -> Result<Self, Failure> {
        let focus = slice.focus.as_deref().map(expression).transpose()?;
        let (stored, _, span) = open(path, slice)?;
        let remark = stored.remark().map(Arc::from);
        let mut session = Session::new(DEFAULT_BUDGET);
        stored.each(SourceId(0), &mut |event| {
            if is_meant(&event, span) {
                session.ingest(&event);
            }
            true
        });
        let scope = slice.thread.as_deref().map_or(Ok(Scope::All), |thread| scope_of(&session, thread))?;
        let kind = slice.sample_type.clone();
        let name = clean_path(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()).to_string();
        Ok(Self { session, range: Range::Span(span), scope, name, focus, kind, remark })
    }

    /// Who the first target is.
    pub fn target(&self) -> TargetInfo {
        self.session.sources().first().and_then(|source| source.target.clone()).unwrap_or_default()
    }

    /// The file's name, safe to show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The sample type asked for.
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// A profile of each track that has something in the part meant.
    pub fn profiles(&self) -> Result<Vec<Profile>, Failure> {
        let mut profiles = self.session.profiles(self.range, &self.scope);
        profiles.iter_mut().for_each(|profile| profile.notes.extend(self.remark.clone()));
        if let Some(kind) = &self.kind {
            let known: BTreeSet<String> = profiles
                .iter()
                .flat_map(|profile| &profile.kinds)
                .map(|kind| kind.name.to_string())
                .collect();
            profiles.retain(|profile| profile.kind(kind).is_some());
            if profiles.is_empty() {
                let known: Vec<String> = known.into_iter().collect();
                let text = format!("there are no {kind} samples there; there are: {}", known.join(", "));
                return Err(Failure::new(text).code(2));
            }
        }
        if profiles.is_empty() {
            let hint = "leave out --from, --to or --thread to see what there is";
            return Err(Failure::new("no window lies in that part of the file").hint(hint));
        }
        // A track in which nothing was measured is none, unless it is all there is.
        if profiles.iter().any(has_values) {
            profiles.retain(has_values);
        }
        Ok(match &self.focus {
            Some(focus) => profiles.iter().map(|p| focused(p, |frame| focus.is_match(&frame.name))).collect(),
            None => profiles,
        })
    }

    /// What a reader of the file's numbers should know.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        let notes = self.session.notes().map(|timed| &timed.note);
        notes
            .filter(|note| matches!(note.level, NoteLevel::Warning | NoteLevel::Error))
            .map(|note| &*note.text)
    }
}

fn has_values(profile: &Profile) -> bool {
    (0..profile.kinds.len()).any(|kind| profile.total(kind) != 0)
}

/// A regular expression typed by the user.
fn expression(text: &str) -> Result<Regex, Failure> {
    Regex::new(text)
        .map_err(|error| Failure::new(format!("{text:?} is no regular expression: {error}")).code(2))
}

/// Opens a file: with it its whole extent, and the stretch of it that the slice means.
pub fn open(path: &Path, slice: &SliceArgs) -> Result<(Stored, Span, Span), Failure> {
    let stored = Stored::open(path)?;
    let extent = stored.span();
    let extent = extent.ok_or_else(|| Failure::new(format!("{} holds no window", path.display())))?;
    let span = stretch(slice, extent)?;
    Ok((stored, extent, span))
}

/// The stretch of time that the slice means.
fn stretch(slice: &SliceArgs, extent: Span) -> Result<Span, Failure> {
    let zone = TimeZone::system();
    let moment = |text: &Option<String>, otherwise: Moment| match text {
        None => Ok(otherwise),
        Some(text) => {
            let meant = When::parse(text).and_then(|when| when.resolve(extent, &zone));
            meant.ok_or_else(|| {
                let hint = format!("write it as {WHEN_FORMS}");
                Failure::new(format!("{text:?} is no point in time")).hint(hint).code(2)
            })
        }
    };
    let (from, to) = (moment(&slice.from, extent.start)?, moment(&slice.to, extent.end())?);
    if from > to {
        return Err(Failure::new("--from lies after --to").code(2));
    }
    Ok(Span::between(from, to))
}

/// Whether an event can matter there: windows elsewhere are not kept, so that those meant keep their
/// grain. A level is the one last known, which may lie before.
pub fn is_meant(event: &Event, span: Span) -> bool {
    let Feed::Window(profile) = &event.feed else { return true };
    let is_level = profile.kinds.iter().any(|kind| kind.accumulation == Accumulation::Level);
    let touches = profile.span.overlap(span).0 > 0 || profile.span.length.0 == 0 || profile.span == span;
    touches || (is_level && profile.span.start < span.end())
}

/// The thread that a word means: its number or its name, or a part of its name.
fn scope_of(session: &Session, word: &str) -> Result<Scope, Failure> {
    let mut threads: Vec<(SourceId, Thread)> = Vec::new();
    let windows = session.timeline().tracks().iter().flat_map(Track::windows);
    for window in windows {
        for lane in &window.lanes {
            if !threads.iter().any(|known| known.0 == window.source && known.1 == lane.thread) {
                threads.push((window.source, lane.thread.clone()));
            }
        }
    }
    let exact = |known: &&(SourceId, Thread)| *known.1.name == *word || known.1.tid.to_string() == word;
    let partly = |known: &&(SourceId, Thread)| known.1.name.contains(word);
    let found = threads.iter().find(exact).or_else(|| threads.iter().find(partly));
    let Some((source, thread)) = found else {
        let names: Vec<String> = threads.iter().map(|(_, t)| format!("{} ({})", t.name, t.tid)).collect();
        let hint = format!("its threads are: {}", names.join(", "));
        return Err(Failure::new(format!("no thread is called {word:?}")).hint(hint).code(2));
    };
    Ok(Scope::Thread(*source, thread.clone()))
}
