//! The recorder: writes every event to a recording, on a thread of its own.
//!
//! Its law is that a recording has no silent hole. When the disk fails, or is so slow that the queue
//! overflows, the recording ends there, what was committed stays readable, and a report names the
//! cause and the way out.

use super::{Finish, Offer, Sink, SinkSpec};
use crate::feed::{Event, Feed, Note, NoteLevel, SourceId, TargetInfo};
use crate::planted;
use crate::profile::Moment;
use crate::record::{Bounds, Place, RecordError, Writer};
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
        /// When it was started.
        since: Moment,
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
        /// When it was started.
        since: Moment,
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

/// What a recording is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Its file. Without one it gets a name made of the first target's and the time, in the current
    /// directory.
    pub path: Option<PathBuf>,
    /// Whether a number may be added to the path when it is taken.
    pub may_number: bool,
    /// What it may hold.
    pub bounds: Bounds,
}

/// A recording under way.
pub struct Recorder {
    /// Gone once it is over, by whichever side ended it.
    queue: Option<SyncSender<Arc<Event>>>,
    overflowed: Arc<AtomicBool>,
    done: Receiver<Finish>,
}

impl Recorder {
    /// Starts a recording, at once and without waiting for the disk: events offered from now on are in
    /// it. Whether the file could be made comes as a report.
    ///
    /// `targets` are those attached already: the file begins with them. `report` is called on the
    /// recorder's thread, so it should only pass the report on.
    pub fn start(
        plan: Plan,
        at: Moment,
        targets: &[(SourceId, TargetInfo)],
        report: impl Fn(RecorderReport) + Send + 'static,
    ) -> Result<Self, RecorderError> {
        let bounds = plan.bounds;
        let place = match plan.path {
            Some(path) if plan.may_number => Place::Numbered(path),
            Some(path) => Place::File(path),
            None => default_place(targets),
        };
        let opening = opening_events(targets, at);
        let (queue, events) = sync_channel(SPEC.bound);
        let (tell_done, done) = sync_channel(1);
        let overflowed = Arc::new(AtomicBool::new(false));
        let work = Work { bounds, events, overflowed: overflowed.clone(), report: Box::new(report) };
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

/// What the recording must know of before its first event.
fn opening_events(targets: &[(SourceId, TargetInfo)], at: Moment) -> Vec<Event> {
    let attached = |(source, target): &(SourceId, TargetInfo)| Event {
        source: *source,
        at,
        feed: Feed::Attached(target.clone()),
    };
    targets.iter().map(attached).collect()
}

fn default_place(targets: &[(SourceId, TargetInfo)]) -> Place {
    let name = targets.first().map_or_else(|| "session".into(), |(_, target)| target.name.to_string());
    Place::Directory { directory: ".".into(), name }
}

/// Tells whoever replays the recording why it ends here.
fn note_of_end(at: Moment) -> Event {
    let text = "the recording was stopped here: the disk was too slow".into();
    let feed = Feed::Note(Note { level: NoteLevel::Error, text });
    Event { source: SourceId(0), at, feed }
}

/// The recorder's thread.
struct Work {
    bounds: Bounds,
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
        let mut writer = Writer::create(place, at)?.within(self.bounds);
        opening.iter().try_for_each(|event| writer.append(event))?;
        writer.commit()?;
        let path = writer.path().to_owned();
        (self.report)(RecorderReport::Started { path: path.clone(), since: at });
        planted::panic_in("recorder");
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
        Ok(RecorderReport::Finished { path, since: at, bytes, windows })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gauges::{Gauge, GaugeBatch};
    use crate::record::Reader;
    use std::sync::mpsc::{Receiver as Reports, TryRecvError};

    const PATIENCE: Duration = Duration::from_secs(20);

    fn gauges(at: i64) -> Arc<Event> {
        let feed = Feed::Gauges(GaugeBatch { at: Moment(at), values: vec![(Gauge::Rss, at as f64)] });
        Arc::new(Event { source: SourceId(0), at: Moment(at), feed })
    }

    fn plan(path: PathBuf) -> Plan {
        Plan { path: Some(path), ..Plan::default() }
    }

    fn start(path: PathBuf) -> (Box<Recorder>, Reports<RecorderReport>) {
        let (tell, reports) = sync_channel(1000);
        let targets = [(SourceId(3), TargetInfo { name: "api.js".into(), ..TargetInfo::default() })];
        let report = move |report| tell.send(report).expect("the test listens");
        (Box::new(Recorder::start(plan(path), Moment(7), &targets, report).expect("starts")), reports)
    }

    fn read(path: &std::path::Path) -> Vec<Event> {
        let mut reader = Reader::open(path).expect("opens");
        std::iter::from_fn(|| reader.next_event()).map(|event| event.expect("is whole")).collect()
    }

    #[test]
    fn what_is_offered_is_in_the_file_behind_the_targets() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.ftrec");
        let (mut recorder, reports) = start(path.clone());
        let offered: Vec<Arc<Event>> = (0..10).map(gauges).collect();
        for event in &offered {
            assert_eq!(recorder.offer(event), Offer::Taken);
        }
        assert_eq!(recorder.finish(PATIENCE), Finish::Complete);
        let events = read(&path);
        assert!(matches!(&events[0].feed, Feed::Attached(target) if &*target.name == "api.js"));
        assert!(events[1..].iter().eq(offered.iter().map(|event| &**event)));
        let told: Vec<RecorderReport> = reports.iter().collect();
        assert!(matches!(told.first(), Some(RecorderReport::Started { .. })), "{told:?}");
        assert!(matches!(told.last(), Some(RecorderReport::Finished { bytes: 1.., .. })), "{told:?}");
    }

    #[test]
    fn what_was_heard_is_safe_soon_even_without_a_window() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.ftrec");
        let (mut recorder, reports) = start(path.clone());
        assert_eq!(recorder.offer(&gauges(1)), Offer::Taken);
        let next = || reports.recv_timeout(Duration::from_secs(2));
        while !matches!(next().expect("progress within two seconds"), RecorderReport::Progress { .. }) {}
        assert_eq!(read(&path).len(), 2);
        drop(recorder);
    }

    #[test]
    fn a_place_that_is_taken_is_reported_with_a_way_out() {
        let directory = tempfile::tempdir().expect("a directory");
        let (recorder, reports) = start(directory.path().into());
        assert_eq!(recorder.finish(PATIENCE), Finish::Failed);
        let Ok(RecorderReport::Failed(error)) = reports.try_recv() else { panic!("no failure was told") };
        assert!(error.hint().is_some(), "{error}");
        assert!(matches!(reports.try_recv(), Err(TryRecvError::Disconnected)));
    }

    #[test]
    fn a_disk_that_is_too_slow_ends_the_recording_without_a_hole() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.ftrec");
        let (tell, reports) = sync_channel(0);
        // The recorder's thread waits in its first report: as good as a disk that hangs.
        let report = move |report| tell.send(report).expect("the test listens");
        let mut recorder =
            Box::new(Recorder::start(plan(path.clone()), Moment(7), &[], report).expect("starts"));
        let taken = (0..1000).take_while(|at| recorder.offer(&gauges(*at)) == Offer::Taken).count();
        assert_eq!(taken, SPEC.bound);
        assert_eq!(recorder.offer(&gauges(0)), Offer::Over);
        let told: Vec<RecorderReport> = reports.iter().collect();
        let Some(RecorderReport::Failed(error)) = told.last() else {
            panic!("no failure was told: {told:?}")
        };
        assert!(matches!(error, RecorderError::TooSlow { .. }) && error.hint().is_some(), "{error}");
        assert_eq!(recorder.finish(PATIENCE), Finish::Failed);
        let events = read(&path);
        assert_eq!(events.len(), taken + 1);
        assert!(matches!(&events[taken].feed, Feed::Note(note) if note.text.contains("too slow")));
    }
}
