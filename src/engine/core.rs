//! What a run has with or without a screen: session, sources, sinks, and the one way events take.

use super::sources::{DETACH_PATIENCE, Sources};
use crate::feed::{EndReason, Event, Feed, Note, NoteLevel, Order, Phase, SourceId, TargetInfo};
use crate::session::{Session, SourceState};
use crate::sink::{Finish, Offer, Sink};
use crate::source::{Clock, Inbox, Source};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a sink may take to complete what it has.
pub const FINISH_PATIENCE: Duration = Duration::from_secs(5);

/// Session, sources and sinks of a run.
#[derive(Default)]
pub struct Core {
    /// Everything known.
    pub session: Session,
    /// What is being watched.
    pub sources: Sources,
    /// Who hears of it besides the session.
    pub sinks: Vec<Box<dyn Sink>>,
    /// Whether a sink could not carry out all it was there for.
    pub lost_sink: bool,
    /// Sinks that take nothing any more; they may still be about to say why.
    over: Vec<Box<dyn Sink>>,
}

impl Core {
    /// A run that keeps at most `budget` bytes of windows.
    pub fn new(budget: usize) -> Self {
        Self { session: Session::new(budget), ..Self::default() }
    }

    /// Starts to watch something.
    pub fn watch(&mut self, source: Box<dyn Source>) -> SourceId {
        self.sources.start(source)
    }

    /// Where events come out.
    pub fn inbox(&self) -> &Inbox {
        self.sources.inbox()
    }

    /// Takes one event into the session and offers it to every sink. A sink that can't go on is
    /// offered nothing more, and makes [`Core::lost_sink`] true; it says why itself.
    pub fn take(&mut self, event: Event) -> SourceId {
        let event = Arc::new(event);
        self.session.ingest(&event);
        let over = self.sinks.extract_if(.., |sink| matches!(sink.offer(&event), Offer::Over));
        self.over.extend(over);
        self.lost_sink |= !self.over.is_empty();
        event.source
    }

    /// Adds a note of our own, such as a mark, to everything that listens.
    pub fn note(&mut self, level: NoteLevel, text: &str) {
        let note = Note { level, text: crate::profile::clean_name(text) };
        self.take(Event { source: SourceId(0), at: Clock::get().now(), feed: Feed::Note(note) });
    }

    /// Whether what happens is being recorded.
    pub fn is_recording(&self) -> bool {
        self.sinks.iter().any(|sink| is_recorder(&**sink))
    }

    /// Offers nothing more to the recording, whose file is then to be finished.
    pub fn release_recorders(&mut self) -> Vec<Box<dyn Sink>> {
        self.sinks.extract_if(.., |sink| is_recorder(&**sink)).collect()
    }

    /// The targets reached so far.
    pub fn targets(&self) -> Vec<(SourceId, TargetInfo)> {
        let known = self.session.sources().iter().enumerate();
        known.filter_map(|(at, source)| Some((SourceId(at as u16), source.target.clone()?))).collect()
    }

    /// Whether every source has ended without ever reaching its target.
    pub fn all_failed(&self) -> bool {
        self.all_sources(|source| {
            matches!(source.ended, Some(EndReason::Failed(_))) && source.target.is_none()
        })
    }

    /// Whether every source has ended, and there was one.
    pub fn all_ended(&self) -> bool {
        self.all_sources(|source| source.ended.is_some())
    }

    /// Whether it is true of every source that was started: the session knows only those that spoke.
    fn all_sources(&self, is_true: impl Fn(&SourceState) -> bool) -> bool {
        let heard = self.session.sources();
        let started = self.sources.started();
        started > 0 && (0..started).all(|at| heard.get(at).is_some_and(&is_true))
    }

    /// Takes events until a target is reached or all have failed, for a short while: a failure to
    /// attach is told before a screen opens.
    pub async fn settle(&mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        loop {
            let Ok(event) = timeout_at(deadline, self.inbox().recv()).await else { return };
            let attached = matches!(event.feed, Feed::Attached(_));
            self.take(event);
            if attached || self.all_ended() {
                return;
            }
        }
    }

    /// Has every source leave its target for a while, and waits until they have: `patience` at most. A target that does
    /// not let go of us is the guard's.
    pub async fn suspend(&mut self, patience: Duration) {
        self.sources.order_all(&Order::Suspend);
        let deadline = Instant::now() + patience;
        while self.holds_something() {
            let Ok(event) = timeout_at(deadline, self.inbox().recv()).await else { return };
            self.take(event);
        }
    }

    /// Whether something of ours is open in a target.
    fn holds_something(&self) -> bool {
        let holds = |source: &SourceState| {
            let arriving = matches!(source.status.phase, Phase::Attaching(_));
            source.ended.is_none() && (arriving || !source.status.exposure.is_empty())
        };
        self.session.sources().iter().any(holds)
    }

    /// Stops every source and takes what they still say, the last windows included.
    pub async fn stop(&mut self) {
        self.sources.stop();
        let deadline = Instant::now() + DETACH_PATIENCE;
        while !self.sources.all_ended() {
            let soon = (Instant::now() + Duration::from_millis(20)).min(deadline);
            if let Ok(event) = timeout_at(soon, self.inbox().recv()).await {
                self.take(event);
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        self.sources.wait().await;
        while let Some(event) = self.inbox().try_recv() {
            self.take(event);
        }
    }

    /// Lets every sink complete what it has; whether all of them did, from their start to here.
    pub fn finish_sinks(&mut self) -> bool {
        for sink in self.over.drain(..).chain(self.sinks.drain(..)) {
            self.lost_sink |= sink.finish(FINISH_PATIENCE) != Finish::Complete;
        }
        !self.lost_sink
    }
}

fn is_recorder(sink: &dyn Sink) -> bool {
    sink.name() == "recorder"
}
