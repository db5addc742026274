//! What the app wants done, done: each effect starts a job or speaks to a source, and never waits.

use super::core::FINISH_PATIENCE;
use super::jobs;
use super::live::Live;
use super::terminal::copy_sequence;
use crate::app::{Effect, ExportRequest, Job, Outcome, Toast};
use crate::feed::{NoteLevel, TargetSpec};
use crate::sink::{Plan, Recorder, RecorderReport};
use crate::source::{self, Clock, SourceOptions};
use std::path::PathBuf;

impl Live {
    /// Does what the app wants.
    pub fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Quit { keep_frame } => self.quit(keep_frame),
            Effect::Export(request) => self.export(&request),
            Effect::StartRecording(path) => self.start_recording(path),
            Effect::StopRecording => self.stop_recording(),
            Effect::Order(id, order) => {
                if !self.core.sources.order(id, order) {
                    self.tell("the target is busy: press the key again", true);
                }
            }
            Effect::Attach(target) => self.attach(target),
            Effect::Copy(text) => self.copy(&text),
            Effect::Pin(selection) => self.core.session.pin(&selection),
            Effect::SetBase { selection, label } => {
                self.core.session.set_base(&selection, &label);
            }
            Effect::Unpin => self.core.session.unpin(),
            Effect::FindProcesses => jobs::find_processes(self.discovery.clone(), self.outcomes.clone()),
            Effect::Mark(text) => self.core.note(NoteLevel::Mark, &text),
        }
    }

    fn quit(&mut self, keep_frame: bool) {
        self.app.quitting = true;
        if keep_frame {
            self.ending.farewell = self.last_frame();
        }
    }

    fn export(&mut self, request: &ExportRequest) {
        let profiles = match &request.kind {
            Some(kind) => {
                let (range, scope) = (request.range, request.scope.clone());
                let selection = crate::session::Selection { range, kind: kind.as_str().into(), scope };
                self.core.session.profile(&selection).into_iter().collect()
            }
            None => self.core.session.profiles(request.range, &request.scope),
        };
        if profiles.is_empty() {
            return self.fail(Job::Export, "there is nothing to write yet: no window has arrived");
        }
        let (targets, format, outcomes) =
            (self.core.targets(), request.format.clone(), self.outcomes.clone());
        self.jobs.spawn_blocking(move || jobs::export(&profiles, targets, &format, &outcomes));
    }

    fn start_recording(&mut self, path: Option<PathBuf>) {
        if self.core.is_recording() {
            return;
        }
        let outcomes = self.outcomes.clone();
        let report = move |report: RecorderReport| {
            let outcome = jobs::outcome_of(report);
            // Progress may be missed when the engine is busy; the last word waits for its place.
            if matches!(outcome, Outcome::RecordingProgress { .. }) {
                let _ = outcomes.try_send(outcome);
            } else {
                let _ = outcomes.blocking_send(outcome);
            }
        };
        let plan = Plan { path, bounds: self.wanted.bounds, ..Plan::default() };
        match Recorder::start(plan, Clock::get().now(), &self.core.targets(), report) {
            Ok(recorder) => self.core.sinks.push(Box::new(recorder)),
            Err(error) => self.fail(Job::Record, &jobs::with_hint(&error, error.hint())),
        }
    }

    /// Lets the recording complete its file, which may take a disk's time: nothing waits for it here.
    pub(super) fn stop_recording(&mut self) {
        self.core.release_recorders().into_iter().for_each(|recorder| {
            self.jobs.spawn_blocking(move || {
                recorder.finish(FINISH_PATIENCE);
            });
        });
    }

    fn attach(&mut self, target: TargetSpec) {
        let options = SourceOptions { window: self.app.window, ..self.wanted.options.clone() };
        match source::open(target, options, self.wanted.kind.as_deref()) {
            Ok(source) => {
                self.core.watch(source);
            }
            Err(error) => self.tell(&jobs::with_hint(&error, error.hint.as_deref()), true),
        }
    }

    fn copy(&mut self, text: &str) {
        match copy_sequence(text, self.screen.in_tmux) {
            Some(bytes) => self.screen.writer.send(&bytes),
            None => self.fail(Job::Copy, "this is too long for the terminal's clipboard"),
        }
    }

    fn tell(&mut self, text: &str, error: bool) {
        let toast = Toast { text: text.into(), error, since: self.app.now };
        // The engine itself empties this queue: full only when jobs flood it, and then they are the news.
        let _ = self.outcomes.try_send(Outcome::Told(toast));
    }

    fn fail(&mut self, job: Job, text: &str) {
        let _ = self.outcomes.try_send(Outcome::Failed(job, text.into()));
    }
}
