//! The thread that makes windows of what V8 hands over, in the order it came, and sends them.
//!
//! A hard window takes 30 ms to read and fold: the task that talks to the target must not wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::cdp::MESSAGE_LIMIT_BYTES;
use crate::feed::{Feed, NoteLevel};
use crate::format::v8::{Border, Finished, HeapTaking, ProfileError, Taking, cpu_profile, heap_profile};
use crate::gauges::{Gauge, GaugeBatch};
use crate::planted;
use crate::profile::{FrameKind, Profile};
use crate::source::Outbox;

/// Hand-overs that wait at most. They come once a window; a fold takes a small part of one.
const DEPTH: usize = 8;
/// Bytes of hand-overs that wait or are being folded at most; a single one may be as large as a message.
const MOST_BYTES: usize = MESSAGE_LIMIT_BYTES;

/// Something to be folded.
#[derive(Debug)]
pub enum Job {
    /// The parameters of `Profiler.consoleProfileFinished`.
    Cpu {
        /// The event.
        event: Box<RawValue>,
        /// How it was taken.
        taking: Taking,
        /// Whether this window should also tell the share of garbage collection: nobody else does.
        gc_gauge: bool,
    },
    /// A heap profile.
    Heap {
        /// Its JSON.
        json: HeapText,
        /// How it was taken.
        taking: HeapTaking,
    },
}

/// Where the JSON of a heap profile is.
#[derive(Debug)]
pub enum HeapText {
    /// The reply of the `HeapProfiler` domain.
    Reply(Box<RawValue>),
    /// The reply of an evaluation whose value is the text of Node's own heap profile.
    Evaluated(Box<RawValue>),
}

impl Job {
    fn bytes(&self) -> usize {
        let json = match self {
            Self::Cpu { event, .. } => event,
            Self::Heap { json: HeapText::Reply(reply) | HeapText::Evaluated(reply), .. } => reply,
        };
        json.get().len()
    }
}

/// The folding thread's handle.
#[derive(Debug)]
pub struct Folder {
    jobs: mpsc::Sender<Job>,
    /// Bytes that wait or are being folded.
    held: Arc<AtomicUsize>,
    done: JoinHandle<()>,
}

impl Folder {
    /// Starts folding into `out`.
    pub fn start(out: Outbox) -> Self {
        let (jobs, waiting) = mpsc::channel(DEPTH);
        let held = Arc::new(AtomicUsize::new(0));
        let freed = held.clone();
        Self { jobs, held, done: tokio::task::spawn_blocking(move || work(&out, waiting, &freed)) }
    }

    /// Gives a job; false if too many wait, and this one is lost.
    pub fn give(&self, job: Job) -> bool {
        let (bytes, held) = (job.bytes(), self.held.load(Ordering::Relaxed));
        if held > 0 && held + bytes > MOST_BYTES {
            return false;
        }
        self.held.fetch_add(bytes, Ordering::Relaxed);
        let given = self.jobs.try_send(job).is_ok();
        if !given {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
        }
        given
    }

    /// Waits until everything given is folded and sent.
    pub async fn finish(self, patience: Duration) {
        drop(self.jobs);
        // What is not done by then is done a little later: nobody cancels the thread.
        let _ = tokio::time::timeout(patience, self.done).await;
    }
}

fn work(out: &Outbox, mut jobs: mpsc::Receiver<Job>, held: &AtomicUsize) {
    let mut border: Option<Border> = None;
    while let Some(job) = jobs.blocking_recv() {
        planted::panic_in("folder");
        let bytes = job.bytes();
        match job {
            Job::Cpu { event, taking, gc_gauge } => match fold_cpu(&event, border.as_ref(), &taking) {
                Ok((profile, next)) => {
                    border = Some(next);
                    let share = gc_gauge.then(|| gc_share(&profile));
                    out.send(Feed::Window(Box::new(profile)));
                    share.into_iter().for_each(|batch| out.send(Feed::Gauges(batch)));
                }
                Err(error) => {
                    border = None;
                    out.note(NoteLevel::Error, format!("a CPU window can't be used: {error}"));
                }
            },
            Job::Heap { json, taking } => match fold_heap(&json, &taking) {
                Ok(profile) => out.send(Feed::Window(Box::new(profile))),
                Err(error) => out.note(NoteLevel::Error, format!("a heap window can't be used: {error}")),
            },
        }
        held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

fn fold_cpu(
    event: &RawValue,
    border: Option<&Border>,
    taking: &Taking,
) -> Result<(Profile, Border), ProfileError> {
    let finished: Finished<'_> =
        serde_json::from_str(event.get()).map_err(|error| ProfileError::Json(error.to_string()))?;
    cpu_profile::fold(finished.profile.get(), border, taking)
}

fn fold_heap(text: &HeapText, taking: &HeapTaking) -> Result<Profile, ProfileError> {
    let malformed = |error: &dyn std::fmt::Display| ProfileError::Json(error.to_string());
    match text {
        HeapText::Reply(reply) => heap_profile::fold_reply(reply.get(), taking),
        HeapText::Evaluated(reply) => {
            let text: Option<String> = super::evaluate::value_of(reply).map_err(|error| malformed(&error))?;
            heap_profile::fold(&text.ok_or_else(|| malformed(&"none is running"))?, taking)
        }
    }
}

/// The share of garbage collection in a CPU window.
fn gc_share(profile: &Profile) -> GaugeBatch {
    let lane = &profile.lanes[0];
    let is_gc = |node: u32| profile.frames[profile.nodes[node as usize].frame as usize].kind == FrameKind::Gc;
    let ns: i64 =
        lane.nodes.iter().zip(&lane.columns[1]).filter(|(node, _)| is_gc(**node)).map(|(_, ns)| *ns).sum();
    let share = ns as f64 / profile.covered.0.max(1) as f64;
    GaugeBatch { at: profile.span.end(), values: vec![(Gauge::GcShare, share)] }
}
