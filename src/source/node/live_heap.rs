//! The heap's part of watching a target: its calls sent, its replies sorted out, its windows given on.

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::agent::Installed;
use super::cdp::{CallId, Reply};
use super::error::CdpError;
use super::evaluate::value_of;
use super::folder::{HeapText, Job};
use super::heap::{Answer, Call, Reading};
use super::live::Live;
use super::wire::Method;
use crate::feed::NoteLevel;
use crate::format::v8::HeapTaking;

impl Live<'_> {
    /// Sends calls and tells the names of the first and of the last.
    async fn send_calls(&mut self, calls: Vec<Call>) -> Result<Option<(CallId, CallId)>, CdpError> {
        let mut names = None;
        for call in calls {
            let id = match call {
                Call::Method(method, parameters) => self.cdp.send(method, parameters).await?,
                Call::Snippet(snippet) => self.cdp.send_snippet(&snippet).await?,
            };
            names = Some((names.map_or(id, |(first, _)| first), id));
        }
        Ok(names)
    }

    /// Sends what switches the heap profile.
    pub(super) async fn send_all(&mut self, calls: Vec<Call>) -> Result<(), CdpError> {
        if let Some((_, last)) = self.send_calls(calls).await? {
            self.heap.sent(last);
        }
        self.board.heap(self.heap.state());
        Ok(())
    }

    /// Sends what reads the heap profile.
    pub(super) async fn read_heap(&mut self) -> Result<(), CdpError> {
        let calls = self.heap.read();
        if let Some((first, last)) = self.send_calls(calls).await? {
            self.heap.reading(first, self.clock.now());
            self.heap.sent(last);
        }
        Ok(())
    }

    /// Takes note of a reply if it is the heap profile's.
    pub(super) async fn heap_replied(&mut self, reply: Reply) -> Result<(), CdpError> {
        let (now, at) = (reply.received, self.clock.now());
        let outcome = outcome_of(&reply);
        if let Some(answer) = self.heap.answered(reply.id, outcome, now, at) {
            return self.act_on(answer).await;
        }
        let Some(reading) = self.heap.replied(reply.id, reply.took, now, at) else { return Ok(()) };
        let answer = match &reply.result {
            Err(error) => Some(self.heap.fail(format!("the heap can't be read: {error}"))),
            // Node's own profile ends by itself where nobody reads it for long.
            Ok(result) if reading.evaluated && is_null(result) => Some(self.heap.start_again(now, at)),
            Ok(_) => None,
        };
        if let Some(answer) = answer {
            return self.act_on(answer).await;
        }
        self.give_heap(reply, reading);
        Ok(())
    }

    async fn act_on(&mut self, answer: Answer) -> Result<(), CdpError> {
        if let Some(failed) = answer.failed {
            self.out.note(NoteLevel::Warning, failed);
        }
        self.send_all(answer.calls).await
    }

    fn give_heap(&mut self, reply: Reply, reading: Reading) {
        let Ok(result) = reply.result else { return };
        let handover = reply.took;
        let taking = HeapTaking {
            mode: reading.mode,
            thread: self.taking.thread.clone(),
            interval_bytes: self.options.heap_interval,
            span: reading.span,
            handover: handover.into(),
            handover_bytes: reply.bytes as u64,
            notes: vec![reading.note],
        };
        let json = if reading.evaluated { HeapText::Evaluated(result) } else { HeapText::Reply(result) };
        if !self.folder.give(Job::Heap { json, taking }) {
            self.out.note(NoteLevel::Warning, "a heap window was lost: this machine can't keep up");
        }
        if let Some(expected) = self.heap.expected() {
            self.board.stalled(handover.min(expected));
        }
        self.board.heap(self.heap.state());
    }
}

fn is_null(result: &RawValue) -> bool {
    matches!(value_of::<Option<IgnoredAny>>(result), Ok(None))
}

/// Whether what was asked for was done, and if not, why.
fn outcome_of(reply: &Reply) -> Result<(), String> {
    let result = reply.result.as_ref().map_err(ToString::to_string)?;
    if reply.method != Method::RuntimeEvaluate {
        return Ok(());
    }
    // Other snippets have other results; only that of a start is looked at.
    match value_of::<Installed>(result) {
        Ok(installed) if installed.ok => Ok(()),
        Ok(installed) => Err(installed.failed.unwrap_or_default()),
        Err(error) => Err(error.to_string()),
    }
}
