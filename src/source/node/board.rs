//! The status of a source as last sent: sent again only when it changes.

use std::sync::Arc;
use std::time::Duration;

use crate::feed::{Blocked, Feed, HeapState, Phase, Status};
use crate::profile::Nanos;
use crate::source::Outbox;

/// Keeps and sends the status.
pub struct Board {
    out: Outbox,
    status: Status,
}

impl Board {
    /// A status that says nothing yet.
    pub fn new(out: Outbox) -> Self {
        Self { out, status: Status { phase: Phase::Attaching("".into()), ..Status::default() } }
    }

    /// Changes the status, and sends it if it is another one.
    pub fn set(&mut self, change: impl FnOnce(&mut Status)) {
        let mut next = self.status.clone();
        change(&mut next);
        if next != self.status {
            self.status = next;
            self.out.send(Feed::Status(self.status.clone()));
        }
    }

    /// Names the step of the way in.
    pub fn attaching(&mut self, step: impl Into<Arc<str>>) {
        let step = step.into();
        self.set(|status| status.phase = Phase::Attaching(step));
    }

    /// Says whether the target answers.
    pub fn blocked(&mut self, blocked: Option<Blocked>) {
        self.set(|status| status.blocked = blocked);
    }

    /// Says how the heap profile stands.
    pub fn heap(&mut self, heap: HeapState) {
        self.set(|status| status.heap = heap);
    }

    /// Takes note of a stall that we caused.
    pub fn stalled(&mut self, stall: Duration) {
        let stall = Nanos::from(stall);
        self.set(|status| status.worst_stall = status.worst_stall.max(stall));
    }
}
