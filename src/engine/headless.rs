//! A run without a screen: the same loop, until a time is covered or somebody asks to leave.
//!
//! What is recorded is toggled from outside: each time it is switched on, a recording begins.

use super::core::{Core, FINISH_PATIENCE};
use super::job_control::stop_job;
use super::signals::Asked;
use super::{Ending, exit_code};
use crate::feed::{Event, Feed, Phase};
use crate::profile::{Moment, Nanos};
use crate::sink::{Finish, Sink};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// When a run without a screen ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Until {
    /// When asked, or when the sources end.
    Asked,
    /// When that much time is covered by windows.
    Covered(Nanos),
}

/// How much less than asked is taken for enough.
const SHORT: Nanos = Nanos::from_millis(100);
/// How much longer than asked a target that answers slowly may take.
const GRACE: Duration = Duration::from_secs(15);

/// Called after every window.
type Progress = Box<dyn FnMut(&Core) + Send>;

/// Begins a recording; none when it can't, which it says itself.
type Begin = Box<dyn FnMut(&Core) -> Option<Box<dyn Sink>> + Send>;

/// A run without a screen.
pub struct Headless {
    core: Core,
    until: Until,
    progress: Option<Progress>,
    begin: Option<Begin>,
    /// Recordings being completed.
    completing: JoinSet<Finish>,
    recordings: u32,
    left: Option<u8>,
}

impl Headless {
    /// A run of `core` until then.
    pub fn new(core: Core, until: Until) -> Self {
        Self {
            core,
            until,
            progress: None,
            begin: None,
            completing: JoinSet::new(),
            recordings: 0,
            left: None,
        }
    }

    /// Goes straight to its end, with this exit code, when somebody asked to leave at the start.
    #[must_use]
    pub fn with_leave(self, code: Option<u8>) -> Self {
        Self { left: code, ..self }
    }

    /// Calls `told` after every window.
    #[must_use]
    pub fn with_progress(mut self, told: impl FnMut(&Core) + Send + 'static) -> Self {
        self.progress = Some(Box::new(told));
        self
    }

    /// Records: `begin` begins a recording, at once if it is `on`, and whenever it is toggled on again.
    #[must_use]
    pub fn with_recordings(
        mut self,
        on: bool,
        begin: impl FnMut(&Core) -> Option<Box<dyn Sink>> + Send + 'static,
    ) -> Self {
        self.begin = Some(Box::new(begin));
        if on {
            self.toggle_recording();
        }
        self
    }

    /// Runs, frees the targets, and returns what was seen.
    pub async fn run(mut self, asked: &mut mpsc::Receiver<Asked>) -> (Core, Ending) {
        let mut ending = Ending { code: self.left.unwrap_or(0), ..Ending::default() };
        let deadline = Instant::now() + self.patience();
        // What settled the start may have been the end.
        while self.left.is_none() && !self.is_over() {
            tokio::select! {
                biased;
                Some(asked) = asked.recv() => match asked {
                    Asked::Leave(code) => {
                        ending.code = code;
                        break;
                    }
                    Asked::Suspend => {
                        stop_job(&mut self.core, || {}).await;
                    }
                    Asked::ToggleRecording => self.toggle_recording(),
                    Asked::Resized | Asked::Continued => {}
                },
                event = self.core.inbox().recv() => self.take(event),
                () = tokio::time::sleep_until(deadline) => break,
            }
        }
        tokio::select! {
            () = self.core.stop() => {}
            // Whoever asks twice does not want to wait for the target's answer.
            () = asked_to_leave(asked) => {}
        }
        while let Some(finish) = self.completing.join_next().await {
            self.core.lost_sink |= !matches!(finish, Ok(Finish::Complete));
        }
        ending.recordings = self.recordings;
        if let Some(error) = self.core.sources.take_error() {
            ending.code = exit_code(error.class);
            ending.error = Some(error);
        } else if self.core.all_failed() {
            ending.code = 1;
        }
        (self.core, ending)
    }

    /// Completes the recording under way, or begins one.
    fn toggle_recording(&mut self) {
        let Some(begin) = &mut self.begin else { return };
        if self.core.is_recording() {
            for recorder in self.core.release_recorders() {
                self.completing.spawn_blocking(move || recorder.finish(FINISH_PATIENCE));
            }
        } else if let Some(recorder) = begin(&self.core) {
            self.core.sinks.push(recorder);
            self.recordings += 1;
        } else {
            self.core.lost_sink = true;
        }
    }

    fn patience(&self) -> Duration {
        match self.until {
            Until::Asked => Duration::from_hours(8760),
            Until::Covered(length) => Duration::from(length) + GRACE,
        }
    }

    fn take(&mut self, event: Event) {
        let window = matches!(event.feed, Feed::Window(_));
        self.core.take(event);
        if window && let Some(told) = &mut self.progress {
            told(&self.core);
        }
    }

    fn is_over(&self) -> bool {
        // Whoever asked for a recording gains nothing by sampling on without one.
        self.core.all_ended() || self.core.lost_sink || self.is_covered()
    }

    fn is_covered(&self) -> bool {
        let Until::Covered(length) = self.until else { return false };
        let tracks = self.core.session.timeline().tracks();
        // A little less than a window short: waiting for another whole one would take twice the time.
        let covered = |start: Moment, end: Moment| end.since(start) + SHORT >= length;
        tracks.iter().any(|track| {
            let first = track.windows().next().map(|window| window.span.start);
            let last = track.last().map(|window| window.span.end());
            first.zip(last).is_some_and(|(start, end)| covered(start, end))
        })
    }
}

/// What was asked while the targets were being reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// To leave, with this exit code.
    pub leave: Option<u8>,
    /// To toggle the recording.
    pub toggled: bool,
}

/// Takes events until a target is reached or all have failed, at most for `patience`, or until somebody asks to
/// leave.
pub async fn settle(core: &mut Core, patience: Duration, asked: &mut mpsc::Receiver<Asked>) -> Settled {
    let mut settled = Settled::default();
    let mut settling = std::pin::pin!(core.settle(patience));
    loop {
        tokio::select! {
            biased;
            Some(asked) = asked.recv() => match asked {
                Asked::Leave(code) => return Settled { leave: Some(code), ..settled },
                Asked::ToggleRecording => settled.toggled = !settled.toggled,
                Asked::Suspend | Asked::Resized | Asked::Continued => {}
            },
            () = &mut settling => return settled,
        }
    }
}

/// Returns when somebody asks to leave.
async fn asked_to_leave(asked: &mut mpsc::Receiver<Asked>) {
    loop {
        match asked.recv().await {
            Some(Asked::Leave(_)) => return,
            Some(_) => {}
            None => return std::future::pending().await,
        }
    }
}

/// The step a source is at, in words, for progress on standard error.
pub fn phase_text(phase: &Phase) -> &str {
    match phase {
        Phase::Attaching(step) | Phase::Waiting(step) => step,
        Phase::Sampling => "sampling",
        Phase::Detaching => "detaching",
    }
}
