//! One visit to a target: from the first call to the last, and what became of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::agent::Identity;
use super::board::Board;
use super::cdp::{Cdp, Incoming};
use super::close::{Left, detach};
use super::error::{AttachError, CdpError};
use super::folder::Folder;
use super::heap::Heap;
use super::live::{End, Live, wants_to_exit};
use super::open::Inspector;
use super::polling::Polling;
use super::spawn::Spawned;
use super::start_cost;
use super::target_info::target_info;
use super::undo;
use super::windows::Rotation;
use crate::feed::{Feed, NoteLevel};
use crate::format::v8::Taking;
use crate::profile::{Nanos, Thread};
use crate::source::procfs::{Process, ProcessIdentity};
use crate::source::{Clock, Control, Order, Outbox, SourceOptions};

/// How patient each step of the way out is; all of it is below two seconds.
pub(super) const LEAVING: Duration = Duration::from_millis(350);
/// How long a Node that we started is left alone: it can't `require` before it has set itself up.
const STARTING: Duration = Duration::from_millis(400);
/// How long a target that wants to exit may take for what it was asked before. It answers within a few ms, or never.
const LAST_ANSWERS: Duration = Duration::from_millis(50);
/// How long folding may go on after the end.
const FOLDING: Duration = Duration::from_secs(1);
/// How long a process may take to end after its connection did.
const ENDING: Duration = Duration::from_millis(500);

/// What became of a visit.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The engine told us to leave.
    Left,
    /// The engine told us to leave for a while.
    Suspended,
    /// The target has ended.
    Exited,
    /// The connection has, and the target goes on.
    Lost(AttachError),
}

/// A target that is reached.
pub(super) struct Session<'a> {
    pub inspector: Inspector,
    pub identity: Identity,
    pub options: &'a SourceOptions,
    pub out: &'a Outbox,
    /// The target, if we started it.
    pub child: Option<&'a mut Spawned>,
}

impl Session<'_> {
    /// Watches until something ends it. Afterwards the target is as it was before, or what is not is noted in [`undo`].
    pub(super) async fn run(mut self, cdp: Cdp, board: &mut Board, control: &mut Control) -> Outcome {
        let clock = Clock::get();
        self.out.send(Feed::Attached(target_info(&self.inspector, &self.identity, self.options, clock)));
        let exposure = self.exposure();
        board.set(|status| status.exposure = exposure);
        let cdp = match self.pause_before_a_dear_start(cdp, board, control).await {
            Ok(cdp) => cdp,
            Err(outcome) => return outcome,
        };
        let mut live = self.live(cdp, board, clock);
        let nonce = self.inspector.nonce.clone();
        let end = match live.begin(&nonce).await {
            Ok(()) => {
                if let Some(child) = &mut self.child {
                    child.let_go();
                }
                live.watch(control).await
            }
            Err(error) => End::Lost(error),
        };
        self.leave(live, end).await
    }

    /// Where the start will stop the target for long, says so and gives the user time to leave.
    async fn pause_before_a_dear_start(
        &self,
        mut cdp: Cdp,
        board: &mut Board,
        control: &mut Control,
    ) -> Result<Cdp, Outcome> {
        let anew = self.options.compile_anew;
        let expected = start_cost::expected(&self.identity, anew);
        if !self.options.cpu || expected < start_cost::DEAR {
            return Ok(cdp);
        }
        let warning = start_cost::warning(expected, anew);
        self.out.note(NoteLevel::Warning, warning.as_str());
        board.attaching(warning);
        let over = sleep(start_cost::PAUSE);
        tokio::pin!(over);
        loop {
            let outcome = tokio::select! {
                () = &mut over => return Ok(cdp),
                order = control.next() => match order {
                    Order::Stop => Outcome::Left,
                    Order::Suspend => Outcome::Suspended,
                    _ => continue,
                },
                incoming = cdp.next() => match incoming {
                    Incoming::Event(event) if wants_to_exit(&event) => {
                        undo::disarm(&self.inspector);
                        return Err(Outcome::Exited);
                    }
                    Incoming::Closed(error) => return Err(self.after(error).await),
                    _ => continue,
                },
            };
            self.let_go(cdp, board).await;
            return Err(outcome);
        }
    }

    /// Leaves in order, and says what stays open.
    async fn let_go(&self, cdp: Cdp, board: &mut Board) {
        let left = detach(cdp, &self.inspector, LEAVING).await;
        if left == Left::StillOpen && self.inspector.opened_by_us {
            let text = format!(
                "the target did not answer: its inspector is still open on {}",
                self.inspector.address
            );
            self.out.note(NoteLevel::Error, text);
        }
        board.set(|status| {
            status.blocked = None;
            if left == Left::AsItWas {
                status.exposure = "".into();
            }
        });
    }

    fn exposure(&self) -> Arc<str> {
        let whose = if self.inspector.opened_by_us { "opened by us" } else { "was open" };
        format!("inspector open on {} ({whose})", self.inspector.address).into()
    }

    fn live<'b>(&self, cdp: Cdp, board: &'b mut Board, clock: Clock) -> Live<'b> {
        let now = Instant::now();
        let nonce = &self.inspector.nonce;
        let pid = self.inspector.process.map(|process| process.pid);
        let main = pid.unwrap_or(self.identity.pid);
        let options = self.options;
        let waits = self.child.as_ref().is_some_and(|child| child.waits());
        Live {
            cdp,
            folder: Folder::start(self.out.clone()),
            board,
            out: self.out.clone(),
            clock,
            pid,
            taking: Taking {
                thread: Thread { pid: main, tid: u64::from(main), name: "main".into() },
                interval: options.interval,
                handover: Nanos(0),
                handover_bytes: 0,
                clock_ahead: clock.ahead(),
            },
            rotation: Rotation::new(nonce.clone(), options.window.into(), now),
            polling: Polling::new(
                nonce.clone(),
                self.inspector.opened_by_us,
                clock,
                pid,
                if waits { now + STARTING } else { now },
            ),
            heap: Heap::new(
                nonce.clone(),
                self.identity.node_major(),
                options.heap,
                options.heap_mode,
                options.heap_interval,
            ),
            options: self.options.clone(),
            start: None,
            tail: None,
            // What has not run yet is compiled under the profiler's eyes anyway.
            may_compile_anew: options.compile_anew && !waits && !measures_coverage(pid),
            waits,
            restart: None,
        }
    }

    async fn leave(&mut self, mut live: Live<'_>, end: End) -> Outcome {
        let (exiting, outcome) = match end {
            End::Exiting => (true, Outcome::Exited),
            End::Lost(error) => (true, self.after(error).await),
            End::Asked => (live.last_window().await, Outcome::Left),
            End::Suspended => (live.last_window().await, Outcome::Suspended),
        };
        if exiting {
            live.cdp.hear_out(LAST_ANSWERS).await;
            live.cdp.disconnect();
            live.folder.finish(FOLDING).await;
            if matches!(outcome, Outcome::Lost(_)) {
                return outcome;
            }
            undo::disarm(&self.inspector);
            return Outcome::Exited;
        }
        self.let_go(live.cdp, live.board).await;
        live.folder.finish(FOLDING).await;
        outcome
    }

    /// What the end of a connection means: the process has ended, or only the connection has.
    async fn after(&self, error: CdpError) -> Outcome {
        if let Some(process) = self.inspector.process
            && ended_within(process, ENDING).await
        {
            return Outcome::Exited;
        }
        Outcome::Lost(AttachError::Protocol { address: self.inspector.address, source: error })
    }
}

/// Whether the process was started to measure its coverage, which we must not disturb. One we can't see may have been.
fn measures_coverage(pid: Option<u32>) -> bool {
    let Some(process) = pid.map(Process::new) else { return true };
    let told = |name| process.initial_env(name).ok().flatten().unwrap_or_default();
    let arguments = process.cmdline().unwrap_or_default();
    !told("NODE_V8_COVERAGE").is_empty() || arguments.iter().any(|argument| argument.contains("-coverage"))
}

async fn ended_within(process: ProcessIdentity, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    loop {
        let gone = process.has_ended();
        if gone || Instant::now() >= until {
            return gone;
        }
        sleep(Duration::from_millis(5)).await;
    }
}
