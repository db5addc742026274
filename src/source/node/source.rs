//! Node as a kind of source: from a PID, a name, an address or a command to windows, and out again.
//!
//! A source may visit its target several times: after Ctrl-Z, after a connection that was lost while the target lives
//! on, and, when asked to follow, the process that takes the place of one that has ended.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::board::Board;
use super::error::{AttachError, CdpError};
use super::follow::Successor;
use super::identify::identify;
use super::open::Inspector;
use super::session::{LEAVING, Outcome, Session};
use super::spawn::{Run, Spawned};
use super::undo;
use super::way_in::{connect, find, find_again};
use crate::feed::{EndReason, NoteLevel, Phase};
use crate::guard;
use crate::source::procfs::Process;
use crate::source::{
    BoxFuture, Control, ErrorClass, Fit, KindSpec, Order, Outbox, Source, SourceError, SourceKind,
    SourceOptions, TargetSpec,
};

/// So many times in [`LOSSES_WITHIN`] a lost connection is made again.
const MOST_LOSSES: usize = 4;
/// The time over which they are counted.
const LOSSES_WITHIN: Duration = Duration::from_mins(1);
/// The pause before the first try; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// The kind.
pub const NODE_KIND: &dyn SourceKind = &NodeKind;

struct NodeKind;

const SPEC: KindSpec = KindSpec {
    name: "node",
    summary: "a live Node.js process (18 and later): CPU, heap, event loop, garbage collection",
    example: "4711",
};

impl SourceKind for NodeKind {
    fn spec(&self) -> &'static KindSpec {
        &SPEC
    }

    fn recognise(&self, target: &TargetSpec) -> Fit {
        match target {
            TargetSpec::Pid(pid) if identify(Process::new(*pid)).is_ok() => Fit::Certain,
            TargetSpec::Command(_) => Fit::Certain,
            TargetSpec::Address(address) if address.starts_with("ws://") => Fit::Certain,
            TargetSpec::Address(address) if !address.contains("/debug/pprof") => Fit::Possible,
            _ => Fit::No,
        }
    }

    fn open(&self, target: TargetSpec, options: SourceOptions) -> Box<dyn Source> {
        Box::new(NodeSource { target, options, run: Run::default() })
    }
}

/// One Node process to be watched.
#[derive(Debug)]
pub struct NodeSource {
    target: TargetSpec,
    options: SourceOptions,
    run: Run,
}

impl NodeSource {
    /// A Node command to be watched from its first instruction, and what is to be known of its end.
    pub fn command(words: Vec<String>, options: SourceOptions) -> (Self, Run) {
        let run = Run::default();
        (Self { target: TargetSpec::Command(words), options, run: run.clone() }, run)
    }
}

impl Source for NodeSource {
    fn run(self: Box<Self>, out: Outbox, control: Control) -> BoxFuture<Result<EndReason, SourceError>> {
        let Self { target, options, run } = *self;
        let board = Board::new(out.clone());
        let visits = Visits {
            target,
            options,
            run,
            out,
            control,
            board,
            child: None,
            undoing: Undoing(None),
            losses: Vec::new(),
            lost_at: None,
            visited: false,
            successor: None,
        };
        Box::pin(visits.all())
    }
}

/// All visits to one target.
struct Visits {
    target: TargetSpec,
    options: SourceOptions,
    run: Run,
    out: Outbox,
    control: Control,
    board: Board,
    /// The target, if we started it.
    child: Option<Spawned>,
    /// The inspector of the last visit.
    undoing: Undoing,
    losses: Vec<Instant>,
    /// When the connection was lost, and why, until there is another.
    lost_at: Option<(Instant, AttachError)>,
    /// Whether the target was reached at all.
    visited: bool,
    /// How its successor is known, if it is to be followed.
    successor: Option<Successor>,
}

/// What calls us away on the way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Stop,
    Suspend,
}

impl Visits {
    async fn all(mut self) -> Result<EndReason, SourceError> {
        let ended = loop {
            let outcome = match self.visit().await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(Call::Stop)) => break Ok(EndReason::Detached),
                Ok(Err(Call::Suspend)) => self.step_back().await,
                Err(AttachError::Exited { .. } | AttachError::NoSuchProcess { .. }) if self.visited => {
                    Outcome::Exited
                }
                Err(error) => Outcome::Lost(error),
            };
            match self.next(outcome).await {
                Ok(None) => {}
                Ok(Some(reason)) => break Ok(reason),
                Err(error) => break Err(source_error(error)),
            }
        };
        self.end_child(&ended).await;
        ended
    }

    /// One visit, from finding the inspector to having left it, unless we are called away before we are there.
    async fn visit(&mut self) -> Result<Result<Outcome, Call>, AttachError> {
        self.board.attaching("opening the inspector");
        let before = self.undoing.0.clone();
        let found = tokio::select! {
            found = async {
                match &before {
                    Some(before) => find_again(&self.target, before).await.map(|inspector| (inspector, None)),
                    None => find(&self.target, &self.run).await,
                }
            } => found?,
            call = called_away(&mut self.control) => return Ok(Err(call)),
        };
        let (inspector, child) = found;
        self.undoing.0 = Some(inspector.clone());
        self.successor = inspector.process.filter(|_| self.options.follow).and_then(Successor::of);
        if child.is_some() {
            self.child = child;
        }
        let reached = tokio::select! {
            reached = async {
                match &self.child {
                    Some(child) if child.waits() => child.connect().await,
                    _ => connect(&inspector, &mut self.board).await,
                }
            } => reached?,
            call = called_away(&mut self.control) => return Ok(Err(call)),
        };
        let (cdp, identity) = reached;
        self.tell_the_way();
        let session = Session {
            inspector,
            identity,
            options: &self.options,
            out: &self.out,
            child: self.child.as_mut(),
        };
        self.visited = true;
        Ok(Ok(session.run(cdp, &mut self.board, &mut self.control).await))
    }

    fn tell_the_way(&mut self) {
        if let Some((at, why)) = self.lost_at.take() {
            let text = format!(
                "attached again after {:.1} s without samples: {}",
                at.elapsed().as_secs_f64(),
                chain(&why)
            );
            self.out.note(NoteLevel::Warning, text);
        }
        if !guard::is_on_duty() {
            let lease = super::agent::AGENT_LEASE_SECONDS + 1;
            let text = format!(
                "no guard process could be started: killed, flametop would leave the debug port open for {lease} s"
            );
            self.out.note(NoteLevel::Warning, text);
        }
    }

    /// What follows a visit: the end, or, with `None`, another one.
    async fn next(&mut self, outcome: Outcome) -> Result<Option<EndReason>, AttachError> {
        match outcome {
            Outcome::Left => {
                self.undoing.0 = None;
                Ok(Some(EndReason::Detached))
            }
            Outcome::Suspended => Ok(self.rest().await),
            Outcome::Exited => {
                self.undoing.0 = None;
                match self.successor.clone() {
                    Some(successor) => Ok(self.await_successor(successor).await),
                    None => Ok(Some(EndReason::TargetExited)),
                }
            }
            Outcome::Lost(error) => self.try_again(error).await,
        }
    }

    /// Undoes what was done on a way in that was not walked to its end.
    async fn step_back(&mut self) -> Outcome {
        if self.child.as_ref().is_some_and(Spawned::waits) {
            // It must not run unseen, nor wait for ever: it is the guard's if we don't come back.
            return Outcome::Suspended;
        }
        let inspector = self.undoing.0.clone();
        let pid = match self.target {
            TargetSpec::Pid(pid) => Some(pid),
            _ => inspector.as_ref().and_then(|inspector| inspector.process).map(|process| process.pid),
        };
        let undone =
            tokio::task::spawn_blocking(move || undo::undo_one(pid, inspector.as_ref(), LEAVING * 3));
        // What could not be undone stays noted.
        let _ = undone.await;
        Outcome::Suspended
    }

    /// Keeps away until told to come back.
    async fn rest(&mut self) -> Option<EndReason> {
        self.board.set(|status| status.phase = Phase::Waiting("suspended".into()));
        loop {
            match self.control.next().await {
                Order::Stop => return Some(EndReason::Detached),
                Order::Resume => return None,
                _ => {}
            }
        }
    }

    /// Gives a target that lives on another visit, unless it was lost too often.
    async fn try_again(&mut self, error: AttachError) -> Result<Option<EndReason>, AttachError> {
        let now = Instant::now();
        self.losses.retain(|at| now.saturating_duration_since(*at) < LOSSES_WITHIN);
        if !self.visited || !may_pass(&error) || self.losses.len() >= MOST_LOSSES {
            return Err(error);
        }
        let pause = PAUSE * (1 << self.losses.len());
        self.losses.push(now);
        self.board
            .set(|status| status.phase = Phase::Waiting("the connection was lost; attaching again".into()));
        self.lost_at.get_or_insert((now, error));
        tokio::select! {
            () = sleep(pause) => Ok(None),
            () = stopped(&mut self.control) => Ok(Some(EndReason::Detached)),
        }
    }

    /// Waits for the process that takes the place of one that has ended.
    async fn await_successor(&mut self, known: Successor) -> Option<EndReason> {
        self.board
            .set(|status| status.phase = Phase::Waiting("it has ended; waiting for its successor".into()));
        tokio::select! {
            pid = known.appears() => {
                self.out.note(NoteLevel::Info, format!("process {pid} follows process {}", known.pid()));
                self.target = TargetSpec::Pid(pid);
                None
            }
            () = stopped(&mut self.control) => Some(EndReason::Detached),
        }
    }

    async fn end_child(&mut self, ended: &Result<EndReason, SourceError>) {
        let Some(child) = &mut self.child else { return };
        if child.waits() || matches!(ended, Ok(EndReason::Detached)) {
            child.terminate().await;
        } else {
            child.wait().await;
        }
    }
}

/// Whether another try may succeed: the connection broke, or what it takes was not there yet.
fn may_pass(error: &AttachError) -> bool {
    match error {
        AttachError::Protocol { source, .. } => {
            matches!(
                source,
                CdpError::Closed
                    | CdpError::Broken(_)
                    | CdpError::TimedOut { .. }
                    | CdpError::Connect(_)
                    | CdpError::Handshake(_)
            )
        }
        AttachError::Unreachable { .. }
        | AttachError::InspectorSilent { .. }
        | AttachError::TooYoung { .. } => true,
        _ => false,
    }
}

/// Waits for the word to leave; other orders make no sense before there is a target.
async fn called_away(control: &mut Control) -> Call {
    loop {
        match control.next().await {
            Order::Stop => return Call::Stop,
            Order::Suspend => return Call::Suspend,
            _ => {}
        }
    }
}

/// Waits for the word to stop; while there is no target there is nothing to suspend.
async fn stopped(control: &mut Control) {
    while control.next().await != Order::Stop {}
}

/// Undoes what was done in the target when the future of the source is dropped half-way, or ends without having left.
struct Undoing(Option<Inspector>);

impl Drop for Undoing {
    fn drop(&mut self) {
        let Some(inspector) = self.0.take() else { return };
        // A thread, for a drop can't wait; what it does not finish stays noted in `undo`, for the end of `main`.
        std::thread::spawn(move || {
            if undo::close_inspector_blocking(&inspector, LEAVING * 4).is_ok() {
                undo::disarm(&inspector);
            }
        });
    }
}

/// Names a refusal for people and for the exit code.
fn source_error(error: AttachError) -> SourceError {
    let class = match error.exit_code() {
        3 => ErrorClass::NoTarget,
        4 => ErrorClass::NotPermitted,
        5 => ErrorClass::BadInput,
        _ => ErrorClass::Failed,
    };
    SourceError { message: chain(&error), hint: error.hint(), class }
}

/// An error and its causes.
fn chain(error: &AttachError) -> String {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    message
}
