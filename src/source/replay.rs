//! Replays a recording: the events it holds, with their own sources and times.
//!
//! The first source of the recording takes the id of the replaying one, the others follow; so a
//! recording opened alone gives the very events that were recorded.

use crate::feed::{Event, Feed, Note, NoteLevel, SourceId};
use crate::profile::Moment;
use crate::record::{About, Reader, RecordError};

/// Losses told one by one; more are counted.
const LOSSES_TOLD: u64 = 5;

/// Reads until the end, or until `take` says false.
pub(super) fn read(mut reader: Reader, first: SourceId, take: &mut dyn FnMut(Event) -> bool) {
    let mut told = Told { first, losses: 0, last: reader.about().started };
    let mut about = reader.about();
    loop {
        let Some(next) = reader.next_event() else {
            let now = reader.about();
            // Completed since it was looked at: its last events came meanwhile.
            if now.finished == about.finished {
                about = now;
                break;
            }
            about = now;
            continue;
        };
        let (event, fatal) = match next {
            Ok(event) => (Some(told.event(event)), false),
            Err(error @ RecordError::LetGo { .. }) => {
                (Some(told.note(NoteLevel::Warning, error.to_string())), false)
            }
            Err(error) => (told.loss(&error), !error.is_partial()),
        };
        if let Some(event) = event
            && !take(event)
        {
            return;
        }
        if fatal {
            break;
        }
    }
    let mut rest = told.end(&about).into_iter();
    while rest.next().is_some_and(&mut *take) {}
}

/// What was sent so far, as far as what follows depends on it.
struct Told {
    first: SourceId,
    losses: u64,
    last: Moment,
}

impl Told {
    fn event(&mut self, event: Event) -> Event {
        self.last = event.at;
        Event { source: SourceId(self.first.0.saturating_add(event.source.0)), ..event }
    }

    /// A note of a loss at the place where it is.
    fn loss(&mut self, error: &RecordError) -> Option<Event> {
        self.losses += 1;
        (self.losses <= LOSSES_TOLD).then(|| self.note(NoteLevel::Error, error.to_string()))
    }

    /// What must be known of the recording as a whole.
    fn end(&self, about: &About) -> Vec<Event> {
        let mut notes = Vec::new();
        if self.losses > LOSSES_TOLD {
            let text = format!("{} more places of the recording are damaged", self.losses - LOSSES_TOLD);
            notes.push(self.note(NoteLevel::Error, text));
        }
        let end = match (about.finished, about.being_written) {
            (true, _) => return notes,
            (false, Some(true)) => "the recording is still being written: this is what there is of it so far",
            (false, Some(false)) => {
                "the recording was not closed: up to two seconds of its end may be missing"
            }
            (false, None) => "the recording is still being written, or was not closed: its end is missing",
        };
        notes.push(self.note(NoteLevel::Warning, end.into()));
        notes
    }

    fn note(&self, level: NoteLevel, text: String) -> Event {
        Event { source: self.first, at: self.last, feed: Feed::Note(Note { level, text: text.into() }) }
    }
}
