//! The recorder: writes every event to a recording, on a thread of its own.
//!
//! Its law is that a recording has no silent hole. When the disk fails, or is so slow that the queue
//! overflows, the recording ends there, what was committed stays readable, and a report names the
//! cause and the way out.

use super::{Finish, Offer, Sink, SinkSpec};
use crate::feed::{Event, Feed, Note, NoteLevel, SourceId};
use crate::profile::Moment;
use crate::record::{Place, RecordError, Writer};
use crate::session::Session;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// The recorder in [`super::SINKS`].
pub(super) const SPEC: SinkSpec = SinkSpec {
    name: "recorder",
    summary: "writes every event to a recording file",
    bound: 64,
    when_full: "the recording stops with an error; what was written stays readable",
};

/// Events are committed with the window that follows them, and never later than this.
const COMMIT_AFTER: Duration = Duration::from_secs(1);

/// What a recorder tells, in this order: once `Started`, any number of `Progress`, once `Finished` or
/// `Failed` - or `Failed` alone.
#[derive(Debug)]
pub enum RecorderReport {
    /// The file is there.
    Started {
        /// Its path.
        path: PathBuf,
    },
    /// More of it is safe on the disk.
    Progress {
        /// Size of the file.
        bytes: u64,
        /// Windows in it.
        windows: u64,
    },
    /// It is complete.
    Finished {
        /// Its path.
        path: PathBuf,
        /// Size of the file.
        bytes: u64,
        /// Windows in it.
        windows: u64,
    },
    /// It ended before its time.
    Failed(RecorderError),
}

/// Why a recording ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// The file could not be made or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The disk was too slow.
    #[error("the recording was stopped: {} events waited for the disk; {} holds what came before", SPEC.bound, path.display())]
    TooSlow {
        /// The file.
        path: PathBuf,
    },
    /// No thread could be started.
    #[error("failed to start the recorder's thread")]
    Thread(#[source] std::io::Error),
}

impl RecorderError {
    /// The way out, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Record(error) => error.hint(),
            Self::TooSlow { .. } => Some("record to a faster disk, or with longer windows"),
            Self::Thread(_) => Some("close other programs, or raise the limit of processes (ulimit -u)"),
        }
    }
}

/// A recording under way.
pub struct Recorder {
    /// Gone once it is over, by whichever side ended it.
    queue: Option<SyncSender<Arc<Event>>>,
    overflowed: Arc<AtomicBool>,
    done: Receiver<Finish>,
}

impl Recorder {
    /// Starts a recording, at once and without waiting for the disk: events offered from now on are
    /// in it, after `opening`. Whether the file could be made comes as a report.
    ///
    /// `opening` tells the file what is known already, see [`opening_events`]. `report` is called on
    /// the recorder's thread, so it should only pass the report on.
    pub fn start(
        place: Place,
        at: Moment,
        opening: Vec<Event>,
        report: impl Fn(RecorderReport) + Send + 'static,
    ) -> Result<Self, RecorderError> {
        let (queue, events) = sync_channel(SPEC.bound);
        let (tell_done, done) = sync_channel(1);
        let overflowed = Arc::new(AtomicBool::new(false));
        let work = Work { events, overflowed: overflowed.clone(), report: Box::new(report) };
        let run = move || {
            let finish = work.run(&place, at, &opening);
            // Nobody waits any more after a late end.
            let _ = tell_done.send(finish);
        };
        thread::Builder::new().name("recorder".into()).spawn(run).map_err(RecorderError::Thread)?;
        Ok(Self { queue: Some(queue), overflowed, done })
    }
}

impl Sink for Recorder {
    fn name(&self) -> &'static str {
        SPEC.name
    }

    fn offer(&mut self, event: &Arc<Event>) -> Offer {
        let Some(queue) = &self.queue else { return Offer::Over };
        if queue.try_send(event.clone()).is_ok() {
            return Offer::Taken;
        }
        // Full; or the thread is gone after a failure that it reported, and nobody reads this.
        self.overflowed.store(true, Ordering::Release);
        self.queue = None;
        Offer::Over
    }

    fn finish(self: Box<Self>, deadline: Duration) -> Finish {
        let Self { queue, done, .. } = *self;
        drop(queue);
        done.recv_timeout(deadline).unwrap_or(Finish::Late)
    }
}

/// What a new recording has to know of a session under way: who is attached, and in what state.
pub fn opening_events(session: &Session, at: Moment) -> Vec<Event> {
    let mut events = Vec::new();
    for (index, state) in session.sources().iter().enumerate() {
        let Ok(source) = u16::try_from(index).map(SourceId) else { break };
        let Some(target) = &state.target else { continue };
        events.push(Event { source, at, feed: Feed::Attached(target.clone()) });
        events.push(Event { source, at, feed: Feed::Status(state.status.clone()) });
    }
    events
}

/// Tells whoever replays the recording why it ends here.
fn note_of_end(at: Moment) -> Event {
    let text = "the recording was stopped here: the disk was too slow".into();
    let feed = Feed::Note(Note { level: NoteLevel::Error, text });
    Event { source: SourceId(0), at, feed }
}

/// The recorder's thread.
struct Work {
    events: Receiver<Arc<Event>>,
    overflowed: Arc<AtomicBool>,
    report: Box<dyn Fn(RecorderReport) + Send>,
}

impl Work {
    fn run(self, place: &Place, at: Moment, opening: &[Event]) -> Finish {
        match self.record(place, at, opening) {
            Ok(finished) => {
                (self.report)(finished);
                Finish::Complete
            }
            Err(error) => {
                (self.report)(RecorderReport::Failed(error));
                Finish::Failed
            }
        }
    }

    fn record(&self, place: &Place, at: Moment, opening: &[Event]) -> Result<RecorderReport, RecorderError> {
        let mut writer = Writer::create(place, at)?;
        opening.iter().try_for_each(|event| writer.append(event))?;
        writer.commit()?;
        let path = writer.path().to_owned();
        (self.report)(RecorderReport::Started { path: path.clone() });
        let last = self.write_all(&mut writer)?.unwrap_or(at);
        let windows = writer.windows();
        let too_slow = self.overflowed.load(Ordering::Acquire);
        if too_slow {
            writer.append(&note_of_end(last))?;
        }
        let bytes = writer.bytes();
        writer.finish()?;
        if too_slow {
            return Err(RecorderError::TooSlow { path });
        }
        Ok(RecorderReport::Finished { path, bytes, windows })
    }

    /// Writes events until the other side lets go of the queue; gives the time of the last.
    fn write_all(&self, writer: &mut Writer) -> Result<Option<Moment>, RecordError> {
        let mut last = None;
        let mut commit_at = Instant::now() + COMMIT_AFTER;
        loop {
            match self.events.recv_timeout(commit_at.saturating_duration_since(Instant::now())) {
                Ok(event) => {
                    if !writer.is_dirty() {
                        commit_at = Instant::now() + COMMIT_AFTER;
                    }
                    writer.append(&event)?;
                    last = Some(event.at);
                    if !matches!(event.feed, Feed::Window(_)) && Instant::now() < commit_at {
                        continue;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(last),
            }
            self.commit(writer)?;
            commit_at = Instant::now() + COMMIT_AFTER;
        }
    }

    fn commit(&self, writer: &mut Writer) -> Result<(), RecordError> {
        if writer.is_dirty() {
            writer.commit()?;
            (self.report)(RecorderReport::Progress { bytes: writer.bytes(), windows: writer.windows() });
        }
        Ok(())
    }
}
