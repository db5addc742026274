//! A run without a screen: the same loop, until a time is covered or somebody asks to leave.

use super::core::Core;
use super::job_control::stop_job;
use super::signals::Asked;
use super::{Ending, exit_code};
use crate::feed::{Event, Feed, Phase};
use crate::profile::{Moment, Nanos};
use std::time::Duration;
use tokio::sync::mpsc;
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

/// A run without a screen.
pub struct Headless {
    core: Core,
    until: Until,
    progress: Option<Progress>,
    left: Option<u8>,
}

impl Headless {
    /// A run of `core` until then.
    pub fn new(core: Core, until: Until) -> Self {
        Self { core, until, progress: None, left: None }
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
                    Asked::ToggleRecording | Asked::Resized | Asked::Continued => {}
                },
                event = self.core.inbox().recv() => self.take(event),
                () = tokio::time::sleep_until(deadline) => break,
            }
        }
        tokio::select! {
            () = self.core.stop() => {}
            // Whoever asks twice does not want to wait for the target's answer.
            _ = asked_to_leave(asked) => {}
        }
        if let Some(error) = self.core.sources.take_error() {
            ending.code = exit_code(error.class);
            ending.error = Some(error);
        } else if self.core.all_failed() {
            ending.code = 1;
        }
        (self.core, ending)
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

/// Takes events until a target is reached or all have failed, at most for `patience`; the exit code
/// if somebody asked to leave meanwhile.
pub async fn settle(core: &mut Core, patience: Duration, asked: &mut mpsc::Receiver<Asked>) -> Option<u8> {
    tokio::select! {
        biased;
        code = asked_to_leave(asked) => Some(code),
        () = core.settle(patience) => None,
    }
}

/// Returns when somebody asks to leave, with the exit code; the other signals need a screen.
async fn asked_to_leave(asked: &mut mpsc::Receiver<Asked>) -> u8 {
    loop {
        match asked.recv().await {
            Some(Asked::Leave(code)) => return code,
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
