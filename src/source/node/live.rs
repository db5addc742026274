//! The one task that watches a target: what it says, what the engine orders, what the clock asks for.
//!
//! Nothing here waits for an answer. Everything is sent when it is due and sorted out when it arrives, so that a
//! target that wants to exit, and can't while we are connected, is let go at once.

use std::time::{Duration, Instant};

use serde::de::IgnoredAny;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::time::{sleep_until, timeout};

use super::board::Board;
use super::cdp::{CallId, Cdp, Event, Incoming, Reply};
use super::error::CdpError;
use super::evaluate::value_of;
use super::folder::{Folder, Job};
use super::gauges::Held;
use super::heap::Heap;
use super::polling::Polling;
use super::snippets::tail_install;
use super::windows::{Adapted, Finish, Rotation};
use super::wire::Method;
use crate::feed::{Blocked, Feed, NoteLevel, Phase};
use crate::format::v8::{Finished, Taking};
use crate::planted;
use crate::profile::Nanos;
use crate::source::procfs::Process;
use crate::source::{Clock, Control, Order, Outbox, SourceOptions};

/// How long the last window may keep a detach waiting.
const LAST_WINDOW: Duration = Duration::from_millis(400);

/// How long nothing is sent after a profile was cut short.
const STILL: Duration = Duration::from_millis(250);

/// Why watching ended.
#[derive(Debug)]
pub enum End {
    /// The engine said so.
    Asked,
    /// The engine said so, for a while.
    Suspended,
    /// The target wants to exit and waits for us to leave. Nothing may be evaluated any more.
    Exiting,
    /// The connection is over.
    Lost(CdpError),
}

/// What the loop of [`Live::watch`] wakes up for.
enum Step {
    Order(Order),
    Incoming(Incoming),
    Time,
}

/// A target under watch.
pub struct Live<'a> {
    /// The connection.
    pub cdp: Cdp,
    /// The thread that folds.
    pub folder: Folder,
    /// The status.
    pub board: &'a mut Board,
    pub(super) out: Outbox,
    pub(super) clock: Clock,
    pub(super) options: SourceOptions,
    pub(super) pid: Option<u32>,
    pub(super) taking: Taking,
    pub(super) rotation: Rotation,
    pub(super) polling: Polling,
    pub(super) heap: Heap,
    pub(super) start: Option<CallId>,
    pub(super) tail: Option<String>,
    pub(super) may_compile_anew: bool,
    /// The target waits for us to let it run.
    pub(super) waits: bool,
    /// When to start the profiler again after it was cut short; until then nothing is sent.
    pub(super) restart: Option<Instant>,
}

impl Live<'_> {
    /// Starts the profiler, and all else that has to be in the target.
    pub async fn begin(&mut self, nonce: &super::snippets::Nonce) -> Result<(), CdpError> {
        self.board.attaching("starting the profiler");
        self.tail = Some(tail_install(nonce));
        if self.options.cpu {
            self.cdp.send(Method::ProfilerEnable, json!({})).await?;
            let interval_us = (self.options.interval.0 / 1000).max(1);
            let interval = json!({ "interval": interval_us });
            self.cdp.send(Method::ProfilerSetSamplingInterval, interval).await?;
            self.start_profile().await?;
        } else {
            self.board.set(|status| status.phase = Phase::Sampling);
            self.install().await?;
        }
        if self.waits {
            // Early, for a program that ends at once; Node 18 refuses it, and gets it once more later.
            self.cdp.send_snippet(&tail_install(nonce)).await?;
            self.cdp.send(Method::RuntimeRunIfWaitingForDebugger, json!({})).await?;
        }
        Ok(())
    }

    async fn start_profile(&mut self) -> Result<(), CdpError> {
        let snippet = self.rotation.start();
        let call = self.cdp.send_snippet(&snippet).await?;
        self.rotation.started(call, Instant::now());
        self.start.get_or_insert(call);
        self.compile_anew().await
    }

    /// Has optimised code thrown away, once, unless somebody else measures coverage, which this would end: after the
    /// first start all code is known, and a restart need not cost the target its compilations again.
    ///
    /// V8 does not know all code that was compiled before the profiler: of what runs in a replaced loop (OSR), and of
    /// what was inlined, the time goes to the caller. A process that hung in `guiltyLoop` showed its caller instead, on
    /// all of Node 18 to 26. Turning coverage on and off makes V8 compile such code again, now with all it notes for
    /// the profiler; it costs the target the compilations that its first seconds cost it.
    async fn compile_anew(&mut self) -> Result<(), CdpError> {
        if !std::mem::take(&mut self.may_compile_anew) {
            return Ok(());
        }
        let coarse = json!({ "callCount": false, "detailed": false });
        self.cdp.send(Method::ProfilerStartPreciseCoverage, coarse).await?;
        let call = self.cdp.send(Method::ProfilerStopPreciseCoverage, json!({})).await?;
        self.rotation.compiling(call);
        Ok(())
    }

    /// Puts in what reads the figures and saves the last window. It comes after the profiler's start has been answered:
    /// the first picture matters most.
    async fn install(&mut self) -> Result<(), CdpError> {
        if let Some(tail) = self.tail.take().filter(|_| self.options.cpu) {
            self.cdp.send_snippet(&tail).await?;
        }
        if let Some(agent) = self.polling.installation() {
            let call = self.cdp.send_snippet(&agent).await?;
            self.polling.installing(call);
        }
        Ok(())
    }

    /// Watches until something ends it.
    pub async fn watch(&mut self, control: &mut Control) -> End {
        loop {
            let worked = match self.step(control).await {
                Step::Order(Order::Stop) => return End::Asked,
                Step::Order(Order::Suspend) => return End::Suspended,
                Step::Order(order) => self.obey(order).await,
                Step::Incoming(Incoming::Closed(reason)) => return End::Lost(reason),
                Step::Incoming(Incoming::Event(event)) if wants_to_exit(&event) => return End::Exiting,
                Step::Incoming(Incoming::Event(event)) => {
                    self.hear(event);
                    Ok(())
                }
                Step::Incoming(Incoming::Reply(reply)) => self.answered(reply).await,
                Step::Time => self.on_time().await,
            };
            if let Err(error) = worked {
                return End::Lost(error);
            }
        }
    }

    async fn step(&mut self, control: &mut Control) -> Step {
        let timers = [self.rotation_due(), Some(self.polling.due()), self.heap.due()];
        let due = self.restart.or(timers.into_iter().flatten().min()).unwrap_or_else(Instant::now);
        tokio::select! {
            biased;
            order = control.next() => Step::Order(order),
            incoming = self.cdp.next() => Step::Incoming(incoming),
            () = sleep_until(due.into()) => Step::Time,
        }
    }

    fn rotation_due(&self) -> Option<Instant> {
        self.rotation.due().filter(|_| self.options.cpu)
    }

    async fn obey(&mut self, order: Order) -> Result<(), CdpError> {
        let (now, at) = (Instant::now(), self.clock.now());
        match order {
            Order::Stop | Order::Suspend | Order::Resume => Ok(()),
            Order::Window(length) => {
                self.rotation.set_length(length.into());
                let used = self.rotation.length().into();
                self.board.set(|status| status.window = used);
                Ok(())
            }
            Order::Heap(on) => {
                let calls = self.heap.switch(on, now, at);
                self.send_all(calls).await
            }
            Order::HeapMode(mode) => {
                if mode != self.heap.mode() {
                    let calls = self.heap.set_mode(mode, now, at);
                    self.send_all(calls).await?;
                }
                if mode != self.heap.mode() {
                    self.out.note(NoteLevel::Warning, "this Node can tell live bytes only");
                }
                Ok(())
            }
        }
    }

    async fn on_time(&mut self) -> Result<(), CdpError> {
        let now = Instant::now();
        if self.restart.take().is_some() {
            return self.start_again(now).await;
        }
        if self.rotation_due().is_some_and(|due| due <= now) {
            self.turn().await?;
        }
        if self.polling.due() <= now {
            self.look(now).await?;
        }
        if self.heap.due().is_some_and(|due| due <= now) {
            self.read_heap().await?;
        }
        Ok(())
    }

    /// Starts the profiler after it was cut short, unless the application does that all the time.
    async fn start_again(&mut self, now: Instant) -> Result<(), CdpError> {
        let ended = "the application ended our profile by console.profileEnd()";
        if let Some(rest) = self.rotation.cut(now) {
            let rest = rest.as_secs();
            self.out
                .note(NoteLevel::Warning, format!("{ended} again and again; sampling rests for {rest} s"));
            return Ok(());
        }
        self.out.note(NoteLevel::Warning, format!("{ended}; it was started again"));
        self.start_profile().await
    }

    async fn turn(&mut self) -> Result<(), CdpError> {
        if self.rotation.rests() {
            return self.start_profile().await;
        }
        let Some(snippet) = self.rotation.turn() else {
            self.out.note(NoteLevel::Warning, "a CPU window was lost on its way; sampling has started anew");
            return self.start_profile().await;
        };
        let call = self.cdp.send_snippet(&snippet).await?;
        self.rotation.turned(call, Instant::now());
        Ok(())
    }

    async fn look(&mut self, now: Instant) -> Result<(), CdpError> {
        if std::mem::take(&mut self.waits) {
            self.install().await?;
        }
        let (snippet, late) = self.polling.tick(now);
        late.into_iter().for_each(|batch| self.out.send(Feed::Gauges(batch)));
        if let Some(snippet) = snippet {
            let call = self.cdp.send_snippet(&snippet).await?;
            self.polling.asked(call, now);
        }
        self.show_held(now);
        Ok(())
    }

    fn show_held(&mut self, now: Instant) {
        let held = self.polling.held(now);
        let stopped =
            || self.pid.is_some_and(|pid| Process::new(pid).status().is_ok_and(|status| status.is_stopped()));
        let (since, how) = match held {
            None => return self.board.blocked(None),
            Some(Held::Native(since)) if stopped() => (since, "stopped"),
            Some(Held::Native(since)) => (since, "in native code"),
            Some(Held::JavaScript(since)) => (since, "in JavaScript"),
        };
        let ago = Nanos::from(now.saturating_duration_since(since));
        let since = self.clock.now() - ago;
        self.board.set(|status| {
            // The moment is computed anew each time; only a real change is worth a word.
            if status.blocked.as_ref().is_none_or(|known| &*known.how != how) {
                status.blocked = Some(Blocked { since, how: how.into() });
            }
        });
    }

    /// Takes in an event. A profile cut short may be the application's `console.profileEnd()`, or our own listener at
    /// the target's exit; there, whatever is evaluated next ends Node 18 and 20 with SIGSEGV. So we keep still for a
    /// moment, in which an exiting target says so.
    fn hear(&mut self, event: Event) {
        if self.take_window(event) {
            self.restart = Some(Instant::now() + STILL);
        }
    }

    /// Takes a finished profile in, if the event is one of ours; true if the profiler must be started again.
    fn take_window(&mut self, event: Event) -> bool {
        if event.method != "Profiler.consoleProfileFinished" {
            return false;
        }
        let title = serde_json::from_str::<Finished<'_>>(event.params.get())
            .ok()
            .and_then(|finished| finished.title.map(std::borrow::Cow::into_owned))
            .unwrap_or_default();
        let finish = self.rotation.finished(&title, event.bytes, event.received);
        match finish {
            Finish::Foreign => {}
            Finish::Window => self.rotation.keep(event),
            Finish::CutShort => self.give_window(event, Duration::ZERO),
        }
        self.give_handed_over();
        finish == Finish::CutShort
    }

    /// Takes note of the reply to a start or a turn, which tells how long it kept the target; true if it was one.
    fn turn_replied(&mut self, reply: &Reply) -> bool {
        let told =
            reply.result.as_deref().ok().and_then(|result| value_of::<Option<f64>>(result).ok()).flatten();
        // An application may have replaced the clock.
        let told = told.filter(|us| *us > 0.0 && *us < reply.took.as_secs_f64() * 1e6);
        let measured = told.map(|us| Duration::from_nanos((us * 1e3) as u64));
        let known = self.rotation.replied(reply.id, reply.received, measured);
        self.give_handed_over();
        known
    }

    fn give_handed_over(&mut self) {
        if let Some((window, cost)) = self.rotation.handed_over() {
            self.give_window(window, cost);
        }
    }

    fn give_window(&mut self, event: Event, cost: Duration) {
        let bytes = event.bytes;
        let taking = Taking { handover: cost.into(), handover_bytes: bytes as u64, ..self.taking.clone() };
        let gc_gauge = !self.polling.tells_collections();
        if !self.folder.give(Job::Cpu { event: event.params, taking, gc_gauge }) {
            self.out.note(NoteLevel::Warning, "a CPU window was lost: this machine can't keep up");
        }
        self.board.stalled(cost);
        let adapted = self.rotation.adapt(cost, bytes);
        if adapted != Adapted::No {
            self.tell_adapted(adapted, cost, bytes);
        }
    }

    fn tell_adapted(&mut self, adapted: Adapted, cost: Duration, bytes: usize) {
        let length = self.rotation.length();
        self.board.set(|status| status.window = length.into());
        if adapted == Adapted::Shorter {
            let text = format!(
                "windows are {} ms now: handing one over cost the target {} ms and {} kB",
                length.as_millis(),
                cost.as_millis(),
                bytes / 1024
            );
            self.out.note(NoteLevel::Warning, text);
        }
    }

    async fn answered(&mut self, reply: Reply) -> Result<(), CdpError> {
        planted::panic_in("source");
        let now = reply.received;
        if self.start == Some(reply.id) {
            self.started(&reply);
            self.turn_replied(&reply);
            return if self.waits || self.restart.is_some() { Ok(()) } else { self.install().await };
        }
        if let Some(cost) = self.rotation.compiled(reply.id, now) {
            self.start_cost(cost);
            return Ok(());
        }
        if self.turn_replied(&reply) {
            return Ok(());
        }
        if let Some(beat) = self.polling.replied(reply.id, reply.result.as_deref().ok(), now) {
            if let Some(beat) = beat {
                self.out.send(Feed::Gauges(beat.batch));
                if let Some(bytes) = beat.heap_used.filter(|_| self.restart.is_none()) {
                    let calls = self.heap.heap_used(bytes, now, self.clock.now());
                    self.send_all(calls).await?;
                }
            } else if let Some(agent) = self.polling.installation().filter(|_| self.restart.is_none()) {
                let call = self.cdp.send_snippet(&agent).await?;
                self.polling.installing(call);
            }
            self.show_held(Instant::now());
            return Ok(());
        }
        self.heap_replied(reply).await
    }

    /// The profiler runs: its start has stopped the target while V8 logged all code it knows.
    fn started(&mut self, reply: &Reply) {
        let thrown = |result: &RawValue| match value_of::<IgnoredAny>(result) {
            Err(error @ CdpError::Threw(_)) => Some(error.to_string()),
            _ => None,
        };
        if let Some(error) = reply.result.as_deref().map_or_else(|error| Some(error.to_string()), thrown) {
            self.out.note(NoteLevel::Error, format!("the profiler did not start: {error}"));
        }
        let window = self.rotation.length().into();
        self.board.set(|status| {
            status.phase = Phase::Sampling;
            status.window = window;
        });
        self.start_cost(reply.took);
    }

    fn start_cost(&mut self, cost: Duration) {
        self.board.set(|status| status.start_cost = cost.into());
        self.board.stalled(cost);
    }

    /// Ends the running profile and saves what it has; true if the target wants to exit meanwhile.
    pub async fn last_window(&mut self) -> bool {
        self.board.set(|status| status.phase = Phase::Detaching);
        if !self.options.cpu
            || self.rotation.rests()
            || matches!(self.polling.held(Instant::now()), Some(Held::Native(_)))
        {
            return false;
        }
        let snippet = self.rotation.end();
        let Ok(call) = self.cdp.send_snippet(&snippet).await else { return false };
        timeout(LAST_WINDOW, self.drain_until(call)).await.unwrap_or(false)
    }

    async fn drain_until(&mut self, last: CallId) -> bool {
        let (mut answered, mut given) = (false, false);
        while !(answered && given) {
            match self.cdp.next().await {
                Incoming::Closed(_) => return false,
                Incoming::Event(event) if wants_to_exit(&event) => return true,
                // The very last profile is one that the rotation does not await.
                Incoming::Event(event) => given |= self.take_window(event),
                Incoming::Reply(reply) => answered |= !self.turn_replied(&reply) && reply.id == last,
            }
        }
        false
    }
}

/// Whether the target waits for us to go.
pub(super) fn wants_to_exit(event: &Event) -> bool {
    event.method == "NodeRuntime.waitingForDisconnect"
}
