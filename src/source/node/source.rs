//! Node as a kind of source: from a PID, a name, an address or a command to windows, and out again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::agent::Identity;
use super::board::Board;
use super::cdp::Cdp;
use super::close::{Left, detach};
use super::cpu_profile::Taking;
use super::error::AttachError;
use super::folder::Folder;
use super::heap::Heap;
use super::identify::identify;
use super::live::{End, Live};
use super::open::{Inspector, OpenOptions, inspector_at, open_inspector};
use super::polling::Polling;
use super::spawn::{Run, Spawned, spawn};
use super::target_info::target_info;
use super::undo;
use super::windows::Rotation;
use crate::feed::{Blocked, EndReason, Feed, NoteLevel};
use crate::profile::{Nanos, Thread};
use crate::source::procfs::Process;
use crate::source::{
    BoxFuture, Clock, Control, ErrorClass, Fit, KindSpec, Order, Outbox, Source, SourceError, SourceKind,
    SourceOptions, TargetSpec,
};

/// How long a connected target may take to say who it is. One in a long native call says it when that returns.
const IDENTITY: Duration = Duration::from_mins(10);
/// Without an answer for this long, the screen says that it is blocked.
const SILENT: Duration = Duration::from_millis(300);
/// How patient each step of the way out is; all of it is below two seconds.
const LEAVING: Duration = Duration::from_millis(350);
/// How long a Node that we started is left alone: it can't `require` before it has set itself up.
const STARTING: Duration = Duration::from_millis(400);
/// How long folding may go on after the end.
const FOLDING: Duration = Duration::from_secs(1);
/// How long a process may take to end after its connection did.
const ENDING: Duration = Duration::from_millis(500);

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
    fn run(self: Box<Self>, out: Outbox, mut control: Control) -> BoxFuture<Result<EndReason, SourceError>> {
        Box::pin(async move {
            let mut board = Board::new(out.clone());
            board.attaching("opening the inspector");
            let mut found = tokio::select! {
                found = find(&self.target, &self.run) => found.map_err(source_error)?,
                () = stopped(&mut control) => return Ok(EndReason::Detached),
            };
            let guard = Guard { inspector: Some(found.inspector.clone()) };
            let reached = match &found.child {
                Some(child) => connect_child(child, &mut control).await,
                None => connect(&found.inspector, &mut board, &mut control).await,
            };
            let (cdp, identity) = match reached {
                Ok(Some(reached)) => reached,
                not_reached => {
                    if let Some(child) = &mut found.child {
                        child.terminate().await;
                    }
                    return not_reached.map(|_| EndReason::Detached);
                }
            };
            let Found { inspector, child } = found;
            let session = Session { inspector, identity, options: self.options, guard, out, child };
            session.run(cdp, board, control).await
        })
    }
}

/// An inspector, and the child behind it if we started one.
struct Found {
    inspector: Inspector,
    child: Option<Spawned>,
}

async fn find(target: &TargetSpec, run: &Run) -> Result<Found, AttachError> {
    let options = OpenOptions::default();
    let inspector = match target {
        TargetSpec::Pid(pid) => open_inspector(*pid, &options).await?,
        TargetSpec::Address(address) => inspector_at(address, &options).await?,
        TargetSpec::Command(words) => {
            let child = spawn(words, run).await?;
            return Ok(Found { inspector: child.inspector.clone(), child: Some(child) });
        }
        TargetSpec::Name(name) => return Err(not_a_process(name)),
        TargetSpec::File(file) => return Err(not_a_process(&file.to_string_lossy())),
    };
    Ok(Found { inspector, child: None })
}

fn not_a_process(text: &str) -> AttachError {
    AttachError::BadAddress { text: text.to_owned(), reason: "it names no process" }
}

/// Waits for the word to stop; other orders make no sense before there is a target.
async fn stopped(control: &mut Control) {
    while control.next().await != Order::Stop {}
}

/// Connects to a command that waits for us. `None` when told to stop.
async fn connect_child(
    child: &Spawned,
    control: &mut Control,
) -> Result<Option<(Cdp, Identity)>, SourceError> {
    tokio::select! {
        connected = child.connect() => connected.map(Some).map_err(source_error),
        () = stopped(control) => Ok(None),
    }
}

/// Connects, however long the target is blocked, and says so meanwhile. `None` when told to stop.
async fn connect(
    inspector: &Inspector,
    board: &mut Board,
    control: &mut Control,
) -> Result<Option<(Cdp, Identity)>, SourceError> {
    let since = Clock::get().now();
    let connected = inspector.connect(IDENTITY);
    tokio::pin!(connected);
    tokio::select! {
        connected = &mut connected => return connected.map(Some).map_err(source_error),
        () = stopped(control) => return Ok(None),
        () = sleep(SILENT) => board.blocked(Some(Blocked { since, how: "in native code".into() })),
    }
    let connected = tokio::select! {
        connected = &mut connected => connected.map(Some).map_err(source_error),
        () = stopped(control) => Ok(None),
    };
    board.blocked(None);
    connected
}

/// Undoes what was done in the target when the future of the source is dropped half-way.
struct Guard {
    inspector: Option<Inspector>,
}

impl Guard {
    fn disarm(&mut self) {
        self.inspector = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(inspector) = self.inspector.take() else { return };
        // A thread, for a drop can't wait; what it does not finish stays noted in `undo`, for the end of `main`.
        std::thread::spawn(move || {
            if undo::close_inspector_blocking(&inspector, LEAVING * 4).is_ok() {
                undo::disarm(&inspector);
            }
        });
    }
}

/// A target that is reached.
struct Session {
    inspector: Inspector,
    identity: Identity,
    options: SourceOptions,
    guard: Guard,
    out: Outbox,
    /// The target, if we started it.
    child: Option<Spawned>,
}

impl Session {
    async fn run(
        mut self,
        cdp: Cdp,
        mut board: Board,
        mut control: Control,
    ) -> Result<EndReason, SourceError> {
        let clock = Clock::get();
        self.out.send(Feed::Attached(target_info(&self.inspector, &self.identity, &self.options, clock)));
        let exposure = self.exposure();
        board.set(|status| status.exposure = exposure);
        let mut live = self.live(cdp, board, clock);
        let nonce = self.inspector.nonce.clone();
        let end = match live.begin(&nonce).await {
            Ok(()) => {
                if let Some(child) = &mut self.child {
                    child.let_go();
                }
                live.watch(&mut control).await
            }
            Err(error) => End::Lost(error),
        };
        let ended = self.leave(live, end).await;
        if let Some(child) = &mut self.child {
            if child.waits() || matches!(ended, Ok(EndReason::Detached)) {
                child.terminate().await;
            } else {
                child.wait().await;
            }
        }
        ended
    }

    fn exposure(&self) -> Arc<str> {
        let whose = if self.inspector.opened_by_us { "opened by us" } else { "was open" };
        format!("inspector open on {} ({whose})", self.inspector.address).into()
    }

    fn live(&self, cdp: Cdp, board: Board, clock: Clock) -> Live {
        let now = Instant::now();
        let nonce = &self.inspector.nonce;
        let pid = self.inspector.process.map(|process| process.pid);
        let main = pid.unwrap_or(self.identity.pid);
        let options = &self.options;
        let waits = self.child.is_some();
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
                clock,
            },
            rotation: Rotation::new(nonce.clone(), options.window.into(), now),
            polling: Polling::new(nonce.clone(), clock, pid, if waits { now + STARTING } else { now }),
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

    async fn leave(&mut self, mut live: Live, end: End) -> Result<EndReason, SourceError> {
        let exiting = match &end {
            End::Exiting => true,
            End::Asked => live.last_window().await,
            End::Lost(_) => false,
        };
        if exiting || matches!(end, End::Lost(_)) {
            live.cdp.disconnect();
            live.folder.finish(FOLDING).await;
            return self.after(end).await;
        }
        let left = detach(live.cdp, &self.inspector, LEAVING).await;
        self.guard.disarm();
        if left == Left::StillOpen && self.inspector.opened_by_us {
            let text = format!(
                "the target did not answer: its inspector is still open on {}",
                self.inspector.address
            );
            self.out.note(NoteLevel::Error, text);
        }
        live.board.set(|status| {
            if left == Left::AsItWas {
                status.exposure = "".into();
            }
        });
        live.folder.finish(FOLDING).await;
        Ok(EndReason::Detached)
    }

    /// What the end of a connection means: the process has ended, or only the connection has.
    async fn after(&mut self, end: End) -> Result<EndReason, SourceError> {
        let exited = match (&end, self.inspector.process) {
            (End::Lost(_), Some(process)) => ended_within(process, ENDING).await,
            (End::Lost(_), None) => false,
            _ => true,
        };
        if exited {
            self.guard.disarm();
            undo::disarm(&self.inspector);
            return Ok(EndReason::TargetExited);
        }
        let End::Lost(error) = end else { return Ok(EndReason::TargetExited) };
        let address = self.inspector.address;
        Err(source_error(AttachError::Protocol { address, source: error }))
    }
}

/// Whether the process was started to measure its coverage, which we must not disturb. One we can't see may have been.
fn measures_coverage(pid: Option<u32>) -> bool {
    let Some(process) = pid.map(Process::new) else { return true };
    let told = |name| process.initial_env(name).ok().flatten().unwrap_or_default();
    let arguments = process.cmdline().unwrap_or_default();
    !told("NODE_V8_COVERAGE").is_empty() || arguments.iter().any(|argument| argument.contains("-coverage"))
}

async fn ended_within(process: crate::source::procfs::ProcessIdentity, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    loop {
        let gone =
            !process.still_same() || Process::new(process.pid).status().is_ok_and(|status| status.is_dead());
        if gone || Instant::now() >= until {
            return gone;
        }
        sleep(Duration::from_millis(5)).await;
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
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    SourceError { message, hint: error.hint(), class }
}
