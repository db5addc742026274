//! Replays a recording: the events it holds, with their own sources and times, as fast as they are
//! taken.
//!
//! The first source of the recording takes the id of the replaying one, the others follow; so a
//! recording opened alone gives the very events that were recorded.

use super::Outbox;
use super::file::stopped;
use super::outbox::Control;
use crate::feed::{EndReason, Event, Feed, Note, NoteLevel, SourceId};
use crate::profile::Moment;
use crate::record::{Reader, RecordError};
use tokio::sync::mpsc;

/// Events read ahead of the engine.
const AHEAD: usize = 8;
/// Losses told one by one; more are counted.
const LOSSES_TOLD: u64 = 5;

/// Sends everything in the recording.
pub(super) async fn replay(reader: Box<Reader>, out: Outbox, mut control: Control) -> EndReason {
    let (sender, mut events) = mpsc::channel(AHEAD);
    let first = out.source();
    let reading = tokio::task::spawn_blocking(move || read(*reader, first, &sender));
    let sending = async {
        while let Some(event) = events.recv().await {
            out.deliver(event).await;
        }
    };
    let end = tokio::select! {
        () = stopped(&mut control) => EndReason::Detached,
        () = sending => EndReason::EndOfInput,
    };
    // Without a receiver the reading ends at its next event.
    drop(events);
    match reading.await {
        Ok(()) => end,
        Err(error) => EndReason::Failed(format!("reading the recording failed: {error}").into()),
    }
}

/// Reads on a thread that may block, until the end or until nobody listens.
fn read(mut reader: Reader, first: SourceId, to: &mpsc::Sender<Event>) {
    let mut told = Told { first, losses: 0, last: reader.about().started };
    while let Some(next) = reader.next_event() {
        let (event, fatal) = match next {
            Ok(event) => (Some(told.event(event)), false),
            Err(error) => (told.loss(&error), !error.is_partial()),
        };
        if let Some(event) = event
            && to.blocking_send(event).is_err()
        {
            return;
        }
        if fatal {
            break;
        }
    }
    for event in told.end(reader.about().finished) {
        if to.blocking_send(event).is_err() {
            return;
        }
    }
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
    fn end(&self, finished: bool) -> Vec<Event> {
        let mut notes = Vec::new();
        if self.losses > LOSSES_TOLD {
            let text = format!("{} more places of the recording are damaged", self.losses - LOSSES_TOLD);
            notes.push(self.note(NoteLevel::Error, text));
        }
        if !finished {
            let text = "the recording was not closed: up to two seconds of its end may be missing";
            notes.push(self.note(NoteLevel::Warning, text.into()));
        }
        notes
    }

    fn note(&self, level: NoteLevel, text: String) -> Event {
        Event { source: self.first, at: self.last, feed: Feed::Note(Note { level, text: text.into() }) }
    }
}
