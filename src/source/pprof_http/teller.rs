//! [`Teller`]: what the source says about itself, each thing once.

use crate::feed::{Blocked, Feed, HeapState, NoteLevel, Phase, Status, TargetInfo};
use crate::profile::Nanos;
use crate::source::Outbox;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The source's voice, shared by its loops: states are sent when they change, reasons once in a row.
pub(super) struct Teller {
    pub(super) out: Outbox,
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    status: Status,
    reason: Arc<str>,
}

impl Teller {
    pub(super) fn new(out: Outbox, window: Nanos) -> Self {
        let status = Status { window, ..Status::default() };
        Self { out, said: Mutex::new(Said { status, reason: "".into() }) }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Status)) {
        let mut said = self.said();
        let before = said.status.clone();
        change(&mut said.status);
        if said.status != before {
            self.out.send(Feed::Status(said.status.clone()));
        }
    }

    pub(super) fn attached(&self, target: &TargetInfo) {
        self.out.send(Feed::Attached(target.clone()));
        self.phase(Phase::Sampling);
    }

    pub(super) fn phase(&self, phase: Phase) {
        self.change(|status| status.phase = phase);
    }

    pub(super) fn window(&self, window: Nanos) {
        self.change(|status| status.window = window);
    }

    pub(super) fn heap(&self, heap: HeapState) {
        self.change(|status| status.heap = heap);
    }

    pub(super) fn blocked(&self, blocked: Option<Blocked>) {
        self.change(|status| status.blocked = blocked);
    }

    /// A failure that passes, and when the next try is; noted when it is another than before.
    pub(super) fn failing(&self, reason: &str, again_in: std::time::Duration) {
        self.phase(Phase::Waiting(format!("{reason}; next try in {again_in:.1?}").into()));
        self.complain(reason);
    }

    /// Notes a failure, unless it is the one noted last.
    pub(super) fn complain(&self, reason: &str) {
        let known = &*self.said().reason == reason;
        if !known {
            self.said().reason = reason.into();
            self.out.note(NoteLevel::Warning, reason);
        }
    }

    /// It works: the phase says so, and the next failure is news again.
    pub(super) fn working(&self) {
        self.phase(Phase::Sampling);
        self.said().reason = "".into();
    }
}
