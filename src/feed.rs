//! The one vocabulary of everything measured: what sources say, and consumers hear.
//!
//! A live process, an HTTP endpoint, a file and a recording all speak in [`Event`]s; the session,
//! the recorder and every exporter listen to them. All of it can be stored and replayed.

use crate::gauges::GaugeBatch;
use crate::profile::{Moment, Nanos, Profile};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which source of a session an event came from; also its index in the session's list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceId(pub u16);

/// One thing that happened at one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Where.
    pub source: SourceId,
    /// When it was sent, on the session's clock.
    pub at: Moment,
    /// What.
    pub feed: Feed,
}

/// What a source can say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Feed {
    /// The target was reached; comes before any window, again after a reconnect.
    Attached(TargetInfo),
    /// The state of the source changed; replaces the state before.
    Status(Status),
    /// A window of samples.
    Window(Box<Profile>),
    /// Figures of one moment.
    Gauges(GaugeBatch),
    /// Something a reader of the numbers should know.
    Note(Note),
    /// The source is done; nothing of it follows.
    Ended(EndReason),
}

/// Who is being watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TargetInfo {
    /// Short name for the header: `api.js`, `demo`.
    pub name: Arc<str>,
    /// The kind of source in words: `Node 22.3.0`, `pprof endpoint`.
    pub kind: Arc<str>,
    /// The process, where there is one on this machine.
    pub pid: Option<u32>,
    /// When the process started.
    pub started: Option<Moment>,
    /// The executable, for exports' mapping; empty when unknown.
    pub executable: Arc<str>,
    /// What this source can do.
    pub capabilities: Vec<Capability>,
    /// Interval asked between CPU samples.
    pub interval: Nanos,
    /// Where it is reached: `127.0.0.1:9229`.
    pub address: Arc<str>,
}

/// Something a source can do; consumers ask for abilities, not for kinds of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Capability {
    /// Sends CPU windows.
    Cpu,
    /// Sends heap windows with live bytes.
    HeapLive,
    /// Heap windows also tell what was allocated in them.
    HeapAllocated,
    /// The heap profile can be switched on and off while running.
    HeapSwitch,
    /// Sends event-loop figures.
    EventLoop,
    /// The window length can be changed while running.
    WindowLength,
}

/// What a source is doing now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The step it is at.
    pub phase: Phase,
    /// Since when the target has not answered, and why as far as known.
    pub blocked: Option<Blocked>,
    /// The heap profile.
    pub heap: HeapState,
    /// What we hold open in the target: `inspector 127.0.0.1:9229 (opened by us)`. Empty: nothing.
    pub exposure: Arc<str>,
    /// Longest stall of the target that we caused and measured so far.
    pub worst_stall: Nanos,
    /// What starting the profiler cost the target.
    pub start_cost: Nanos,
    /// Window length in use.
    pub window: Nanos,
}

/// The steps of a source's life.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Phase {
    /// Getting there; the text says how far: `opening the inspector`.
    Attaching(Arc<str>),
    /// Windows are coming.
    #[default]
    Sampling,
    /// Reached, but failing for now; the text says why and what happens next.
    Waiting(Arc<str>),
    /// Undoing what was done in the target.
    Detaching,
}

/// The target does not answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blocked {
    /// Since when.
    pub since: Moment,
    /// `in JavaScript`, `in native code`, `stopped`.
    pub how: Arc<str>,
}

/// The state of the heap profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum HeapState {
    /// The source has none.
    #[default]
    Unavailable,
    /// Off; the text says what switching it on would cost.
    Off(Arc<str>),
    /// On: length of its windows, and what reading one costs the target as last measured.
    On {
        /// Length of a heap window.
        window: Nanos,
        /// Stall of the last reading; zero before the first.
        cost: Nanos,
    },
}

/// Something a reader of the numbers should know, for the screen and every export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// How much it matters.
    pub level: NoteLevel,
    /// A plain sentence, cleaned.
    pub text: Arc<str>,
}

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NoteLevel {
    /// Good to know.
    Info,
    /// Numbers are affected.
    Warning,
    /// Something failed.
    Error,
    /// A mark set by the user.
    Mark,
}

/// Why a source ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EndReason {
    /// We were asked to leave, and did.
    Detached,
    /// The target exited by itself.
    TargetExited,
    /// The file or recording is at its end.
    EndOfInput,
    /// The source failed; the text names the cause and the way out.
    Failed(Arc<str>),
}

/// What a target is named by on the command line and in the picker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetSpec {
    /// A process on this machine.
    Pid(u32),
    /// A process name to be looked up.
    Name(String),
    /// `ws://`, `http://` or `host:port`.
    Address(String),
    /// A file.
    File(std::path::PathBuf),
    /// A command to start and watch from its first instruction.
    Command(Vec<String>),
}

/// What a heap profile tells. V8's sampler can tell only one of the two at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeapMode {
    /// Bytes in use, by what allocated them: a level.
    #[default]
    Live,
    /// Bytes allocated in each window, whether still in use or not: a delta.
    Allocated,
}

/// What the engine asks of a running source.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Undo everything and end.
    Stop,
    /// Undo everything and keep away until told to resume: we are about to be stopped by job control.
    Suspend,
    /// Come back.
    Resume,
    /// Use windows of this length from now on.
    Window(Nanos),
    /// Switch the heap profile.
    Heap(bool),
    /// Let the heap profile tell something else from now on.
    HeapMode(HeapMode),
}
