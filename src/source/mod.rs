//! Sources: where everything measured comes from. One kind a module, one line in [`KINDS`].
//!
//! A source does its own heavy work (folding, cleaning names) on its own task, sends [`Feed`](crate::feed::Feed)s through
//! its [`Outbox`] and obeys its [`Control`]. It undoes its effect on the target on every way out.

mod choose;
mod clock;
pub mod discover;
mod file;
mod kinds;
pub mod node;
mod outbox;
pub mod pprof_http;
pub mod procfs;
pub mod procstat;
mod replay;
mod spec;
mod stored;
pub mod synthetic;
pub mod this_process;

pub use crate::feed::{HeapMode, Order, TargetSpec};
pub use choose::open;
pub use clock::Clock;
pub use file::FILE_KIND;
pub use kinds::{KINDS, kind_by_name};
pub use outbox::{Control, Inbox, OUTBOX_DEPTH, Outbox, Steering, control, outbox};
pub use stored::Stored;

use crate::feed::EndReason;
use crate::profile::Nanos;
use std::future::Future;
use std::pin::Pin;

/// A future that can move between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the user asked for, common to all sources.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceOptions {
    /// Interval between CPU samples.
    pub interval: Nanos,
    /// Length of a CPU window.
    pub window: Nanos,
    /// Whether CPU is sampled.
    pub cpu: bool,
    /// Whether a runtime that compiles may be made to compile anew, where its profiler does not know code that was
    /// compiled before it came.
    pub compile_anew: bool,
    /// Whether and how the heap is sampled.
    pub heap: HeapChoice,
    /// What the heap profile tells, where it can't tell both.
    pub heap_mode: HeapMode,
    /// Bytes between sampled allocations.
    pub heap_interval: u64,
    /// Whether the process that takes the place of an ended target is watched in its turn.
    pub follow: bool,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self {
            interval: Nanos::from_millis(1),
            window: Nanos::from_secs(1),
            cpu: true,
            compile_anew: true,
            heap: HeapChoice::Auto,
            heap_mode: HeapMode::Live,
            heap_interval: 512 * 1024,
            follow: false,
        }
    }
}

/// Whether the heap is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeapChoice {
    /// Only where reading it costs the target little.
    Auto,
    /// Yes, whatever it costs.
    On,
    /// No.
    Off,
}

/// How well a kind fits a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Not at all.
    No,
    /// It may, and finding out takes opening it.
    Possible,
    /// Certainly.
    Certain,
}

/// A kind's name and texts, for help and README.
#[derive(Clone, Copy, Debug)]
pub struct KindSpec {
    /// Name for `--kind`.
    pub name: &'static str,
    /// One line: what it watches.
    pub summary: &'static str,
    /// A target as one types it.
    pub example: &'static str,
}

/// A kind of source.
pub trait SourceKind: Sync {
    /// Its texts.
    fn spec(&self) -> &'static KindSpec;
    /// Whether it can watch `target`, from a quick look that changes nothing.
    fn recognise(&self, target: &TargetSpec) -> Fit;
    /// A source of `target`; nothing is touched before it runs.
    fn open(&self, target: TargetSpec, options: SourceOptions) -> Box<dyn Source>;
}

/// One thing being watched.
pub trait Source: Send {
    /// Runs until the target ends, `control` says stop, or it fails. When it returns, or is dropped,
    /// the target is as it was.
    fn run(self: Box<Self>, out: Outbox, control: Control) -> BoxFuture<Result<EndReason, SourceError>>;
}

/// Why a source could not start or go on, for people and for the exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// What failed, with its object and cause: `process 12 does not exist`.
    pub message: String,
    /// The way out, if one is known.
    pub hint: Option<String>,
    /// The class of failure.
    pub class: ErrorClass,
}

/// Classes of failure, as exit codes tell them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Anything not named below: exit code 1.
    Failed,
    /// No such target: 3.
    NoTarget,
    /// Not permitted: 4.
    NotPermitted,
    /// Input that can't be read: 5.
    BadInput,
}

/// Frees every target that is still held, from any thread, within `patience`: for endings in which
/// the sources' own tasks get no more turn. Costs nothing where nothing is held.
///
/// Gives a sentence for each thing that could not be undone, with the user's way out.
pub fn undo_all(patience: std::time::Duration) -> Vec<String> {
    node::undo::undo_all(patience).iter().map(|(pending, _)| pending.told()).collect()
}
