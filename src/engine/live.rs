//! A run with a screen.
//!
//! Order of attention: what was asked from outside, keys, finished jobs, a frame that is due, events
//! of sources, ticks. A frame is drawn only when something changed, and at most every 16 ms.

use super::core::{Core, FINISH_PATIENCE};
use super::cost::CostMeter;
use super::signals::Asked;
use super::terminal::{Frame, FrameWriter, Input, Tenancy, frame_text};
use super::{Ending, exit_code};
use crate::app::{App, Mode, Msg, Outcome, Shown, Toast};
use crate::feed::{Event, Feed, NoteLevel};
use crate::planted;
use crate::record::Bounds;
use crate::source::discover::Discovery;
use crate::source::{Clock, SourceOptions};
use crate::theme::Theme;
use crate::view::{self, Ui};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

/// At most this many keys before a look at everything else.
const KEYS_AT_ONCE: usize = 32;
/// Time between frames at least.
const FRAME_TIME: Duration = Duration::from_millis(16);
/// Time between ticks.
const TICK: Duration = Duration::from_millis(250);
/// Answers of jobs that wait at most; a job waits for its place.
const JOBS_DEPTH: usize = 64;
/// How long the terminal may take for what is still to be written when we leave.
const WRITER_PATIENCE: Duration = Duration::from_millis(300);

/// The user's end of a run: what comes in and where frames go.
pub struct Screen {
    /// Keys, mouse, pastes.
    pub input: mpsc::Receiver<Input>,
    /// Frames.
    pub writer: FrameWriter,
    /// The size now.
    pub size: Box<dyn Fn() -> (u16, u16) + Send>,
    /// Whether the terminal is inside tmux.
    pub in_tmux: bool,
    /// What leaves the terminal for a while; none where there is no job control.
    pub tenancy: Option<Box<dyn Tenancy>>,
}

/// What is asked of what is begun on the screen: targets that are chosen there, and recordings.
#[derive(Default)]
pub(super) struct Wanted {
    /// How they are sampled.
    pub options: SourceOptions,
    /// Their kind, when it should not be recognised.
    pub kind: Option<String>,
    /// What recordings may hold.
    pub bounds: Bounds,
}

/// A run with a screen.
pub struct Live {
    pub(super) core: Core,
    pub(super) app: App,
    shown: Shown,
    theme: Theme,
    pub(super) screen: Screen,
    pub(super) ending: Ending,
    pub(super) outcomes: mpsc::Sender<Outcome>,
    answers: mpsc::Receiver<Outcome>,
    pub(super) discovery: Arc<Mutex<Discovery>>,
    /// Files being written.
    pub(super) jobs: JoinSet<()>,
    /// What is asked of what is begun on the screen.
    pub(super) wanted: Wanted,
    cost: CostMeter,
    /// Whether job control wants us to stop.
    suspending: bool,
    /// When it last continued us.
    pub(super) resumed: Option<Instant>,
    /// Whether the terminal is the shell's for now.
    pub(super) away: bool,
    dirty: bool,
    drawn: Instant,
}

impl Live {
    /// A run of `core` on `screen`, starting from `app`.
    pub fn new(core: Core, app: App, theme: Theme, screen: Screen) -> Self {
        let (outcomes, answers) = mpsc::channel(JOBS_DEPTH);
        let drawn = Instant::now().checked_sub(FRAME_TIME).unwrap_or_else(Instant::now);
        Self {
            core,
            app,
            shown: Shown::default(),
            theme,
            screen,
            ending: Ending::default(),
            outcomes,
            answers,
            discovery: Arc::default(),
            jobs: JoinSet::new(),
            wanted: Wanted::default(),
            cost: CostMeter::default(),
            suspending: false,
            resumed: None,
            away: false,
            dirty: true,
            drawn,
        }
    }

    /// Uses these options for targets that are chosen on the screen.
    #[must_use]
    pub fn with_options(mut self, options: SourceOptions, kind: Option<String>) -> Self {
        self.wanted = Wanted { options, kind, ..self.wanted };
        self
    }

    /// Keeps recordings within these bounds.
    #[must_use]
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.wanted.bounds = bounds;
        self
    }

    /// Runs until the user leaves; when it returns the targets are free and the files complete.
    pub async fn run(mut self, asked: &mut mpsc::Receiver<Asked>) -> (Core, Ending) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (width, height) = (self.screen.size)();
        self.update(Msg::Resize(width, height));
        self.update(Msg::Tick(Clock::get().now()));
        if matches!(self.app.mode, Mode::Pick(_)) {
            self.perform(crate::app::Effect::FindProcesses);
        }
        while !self.app.quitting {
            if std::mem::take(&mut self.suspending) {
                self.suspend().await;
            }
            let frame_due = self.drawn + FRAME_TIME;
            tokio::select! {
                biased;
                Some(asked) = asked.recv() => self.asked(asked),
                input = self.screen.input.recv() => self.input(input),
                Some(outcome) = self.answers.recv() => self.update(Msg::Done(outcome)),
                () = tokio::time::sleep_until(frame_due), if self.dirty && !self.away => self.draw(),
                event = self.core.inbox().recv() => self.feed(event),
                _ = tick.tick() => self.tick(),
            }
        }
        self.leave(asked).await
    }

    fn asked(&mut self, asked: Asked) {
        match asked {
            Asked::Leave(code) => {
                self.ending.code = code;
                self.app.quitting = true;
            }
            Asked::ToggleRecording => self.update(Msg::ToggleRecording),
            Asked::Suspend => self.suspending = true,
            Asked::Continued => self.continued(),
            Asked::Resized => {
                let (width, height) = (self.screen.size)();
                if (width, height) != self.app.size {
                    self.update(Msg::Resize(width, height));
                }
            }
        }
    }

    fn input(&mut self, first: Option<Input>) {
        let mut next = first.or(Some(Input::HangUp));
        for _ in 0..KEYS_AT_ONCE {
            match next {
                Some(Input::Msg(msg)) => self.update(msg),
                Some(Input::Suspend) => return self.asked(Asked::Suspend),
                Some(Input::HangUp) => return self.asked(Asked::Leave(129)),
                None => return,
            }
            next = self.screen.input.try_recv().ok();
        }
    }

    fn feed(&mut self, event: Event) {
        if matches!(event.feed, Feed::Window(_)) {
            planted::panic_in("engine");
        }
        let ended = matches!(event.feed, Feed::Ended(_));
        let told = self.toast_of(&event);
        let source = self.core.take(event);
        if ended && self.core.all_failed() {
            self.app.quitting = true;
        }
        if let Some(toast) = told {
            self.update(Msg::Done(Outcome::Told(toast)));
        }
        self.update(Msg::Fed(source));
    }

    /// Warnings and errors of a source are told where the user looks.
    fn toast_of(&self, event: &Event) -> Option<Toast> {
        let Feed::Note(note) = &event.feed else { return None };
        let error = match note.level {
            NoteLevel::Warning => false,
            NoteLevel::Error => true,
            NoteLevel::Info | NoteLevel::Mark => return None,
        };
        Some(Toast { text: note.text.to_string(), error, since: self.app.now })
    }

    fn tick(&mut self) {
        if self.screen.writer.failed() {
            self.asked(Asked::Leave(129));
        }
        self.come_back();
        self.update(Msg::Tick(Clock::get().now()));
    }

    /// The one place where the app changes.
    pub(super) fn update(&mut self, msg: Msg) {
        // Only what the user does depends on what is shown; events and ticks come far more often.
        if matches!(msg, Msg::Key(_) | Msg::Mouse(_)) {
            self.shown.refresh(&self.app, &self.core.session);
        }
        for effect in self.app.update(msg, &self.core.session, &self.shown) {
            self.perform(effect);
        }
        self.dirty = true;
    }

    fn draw(&mut self) {
        self.shown.refresh(&self.app, &self.core.session);
        if std::mem::take(&mut self.app.repaint) {
            self.screen.writer.repaint();
        }
        let frame = self.frame();
        self.screen.writer.show(frame);
        self.dirty = false;
        self.drawn = Instant::now();
    }

    fn frame(&mut self) -> Frame {
        let own = self.cost.read(Clock::get().now(), self.screen.writer.written().0);
        let own = view::OwnCost { cpu: own.cpu, rss: own.rss, terminal: own.terminal };
        let ui = Ui {
            app: &self.app,
            session: &self.core.session,
            shown: &self.shown,
            theme: &self.theme,
            own: &own,
        };
        view::frame(&ui, self.app.size)
    }

    /// What is on screen, as lines of text.
    pub(super) fn last_frame(&mut self) -> Vec<String> {
        self.shown.refresh(&self.app, &self.core.session);
        frame_text(&self.frame())
    }

    /// Frees the targets first, then completes the files. A second request to leave cuts it short.
    async fn leave(mut self, asked: &mut mpsc::Receiver<Asked>) -> (Core, Ending) {
        let leaving = Clock::get().now();
        tokio::select! {
            () = self.core.stop() => {}
            () = impatient(asked, &mut self.screen.input) => {}
        }
        self.stop_recording();
        self.complete_files(asked).await;
        let errors = self
            .core
            .session
            .notes()
            .filter(|note| note.at >= leaving && note.note.level == NoteLevel::Error);
        self.ending.farewell.extend(errors.map(|note| note.note.text.to_string()));
        if self.core.all_failed() {
            self.ending.error = self.core.sources.take_error();
            self.ending.code = self.ending.error.as_ref().map_or(1, |error| exit_code(error.class));
        }
        self.screen.writer.close(WRITER_PATIENCE);
        (self.core, self.ending)
    }

    /// Waits for what is still being written, and takes note of what became of it.
    async fn complete_files(&mut self, asked: &mut mpsc::Receiver<Asked>) {
        let deadline = Instant::now() + FINISH_PATIENCE;
        loop {
            tokio::select! {
                Some(outcome) = self.answers.recv() => self.farewell(&outcome),
                done = self.jobs.join_next() => {
                    if done.is_none() {
                        break;
                    }
                }
                () = impatient(asked, &mut self.screen.input) => break,
                () = tokio::time::sleep_until(deadline) => {
                    self.ending.farewell.push("a file is still being written: the disk is slow".into());
                    break;
                }
            }
        }
        while let Ok(outcome) = self.answers.try_recv() {
            self.farewell(&outcome);
        }
    }

    fn farewell(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::RecordingFinished(recording) => {
                self.ending.farewell.push(format!("recording written to {}", recording.path.display()));
            }
            Outcome::Exported(paths) => {
                let lines = paths.iter().map(|path| format!("written {}", path.display()));
                self.ending.farewell.extend(lines);
            }
            Outcome::Failed(_, text) => self.ending.farewell.push(text.clone()),
            _ => {}
        }
    }
}

/// Returns when the user asks again to leave.
async fn impatient(asked: &mut mpsc::Receiver<Asked>, input: &mut mpsc::Receiver<Input>) {
    loop {
        tokio::select! {
            Some(asked) = asked.recv() => {
                if matches!(asked, Asked::Leave(_)) {
                    return;
                }
            }
            Some(input) = input.recv() => {
                if matches!(input, Input::Msg(Msg::Key(key)) if key == crate::app::Key::ctrl('c')) {
                    return;
                }
            }
            else => std::future::pending().await,
        }
    }
}
