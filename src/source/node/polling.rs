//! Four times a second: figures from `/proc`, which come even while the loop is blocked, and from the target itself.

use std::time::Instant;

use serde_json::value::RawValue;

use super::agent::{Installed, Poll};
use super::cdp::CallId;
use super::cpu_time::CpuTime;
use super::evaluate::value_of;
use super::gauges::{EVERY, Held, Pulse};
use super::snippets::{Nonce, agent_install, agent_poll, bare_poll};
use crate::gauges::{Gauge, GaugeBatch};
use crate::source::Clock;

/// Whether the agent is in the target.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Agent {
    /// It was sent; the answer is not here yet.
    Coming(CallId),
    /// It answers.
    There,
    /// It could not be installed: the bare readings have to do.
    Refused,
    /// It removed itself, for we had not polled for long.
    Gone,
}

/// The polls of one session.
#[derive(Debug)]
pub struct Polling {
    nonce: Nonce,
    /// Whether the agent's lease closes the inspector.
    opened_by_us: bool,
    clock: Clock,
    pulse: Pulse,
    cpu: Option<CpuTime>,
    agent: Agent,
    outstanding: Option<(CallId, Instant)>,
    due: Instant,
    aside: Vec<(Gauge, f64)>,
}

/// What a poll's answer brought.
#[derive(Debug, PartialEq)]
pub struct Beat {
    /// Figures to be sent.
    pub batch: GaugeBatch,
    /// Bytes of heap in use, if told.
    pub heap_used: Option<f64>,
}

impl Polling {
    /// Polls that begin now; `pid` if the process can be seen in `/proc`.
    pub fn new(nonce: Nonce, opened_by_us: bool, clock: Clock, pid: Option<u32>, now: Instant) -> Self {
        Self {
            nonce,
            opened_by_us,
            clock,
            pulse: Pulse::default(),
            cpu: pid.map(CpuTime::new),
            agent: Agent::Gone,
            outstanding: None,
            due: now,
            aside: Vec::new(),
        }
    }

    /// When to look next.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// What installs the agent, if it is to be installed.
    pub fn installation(&self) -> Option<String> {
        (self.agent == Agent::Gone).then(|| agent_install(&self.nonce, self.opened_by_us))
    }

    /// Notes that the installation was sent.
    pub fn installing(&mut self, call: CallId) {
        self.agent = Agent::Coming(call);
    }

    /// Whether the target tells its garbage collections.
    pub fn tells_collections(&self) -> bool {
        self.agent == Agent::There
    }

    /// Looks from outside. Gives what to ask the target, unless it still owes an answer; and figures that would else
    /// wait for it.
    pub fn tick(&mut self, now: Instant) -> (Option<String>, Option<GaugeBatch>) {
        self.due = now + EVERY;
        let seen = self.cpu.as_mut().map(|cpu| cpu.look(now)).unwrap_or_default();
        let late = std::mem::replace(&mut self.aside, seen);
        let late = (!late.is_empty()).then(|| GaugeBatch { at: self.clock.now(), values: late });
        if self.outstanding.is_some() {
            return (None, late);
        }
        let snippet = if self.agent == Agent::There { agent_poll(&self.nonce) } else { bare_poll() };
        (Some(snippet), late)
    }

    /// Notes that the snippet of [`Polling::tick`] was sent.
    pub fn asked(&mut self, call: CallId, now: Instant) {
        self.outstanding = Some((call, now));
    }

    /// Takes note of a reply: `None` if it is not ours.
    pub fn replied(
        &mut self,
        call: CallId,
        result: Option<&RawValue>,
        received: Instant,
    ) -> Option<Option<Beat>> {
        if self.agent == Agent::Coming(call) {
            let installed = result.and_then(|result| value_of::<Installed>(result).ok());
            self.agent = if installed.is_some_and(|agent| agent.ok) { Agent::There } else { Agent::Refused };
            return Some(None);
        }
        self.outstanding.filter(|(id, _)| *id == call)?;
        self.outstanding = None;
        let poll = result.and_then(|result| value_of::<Option<Poll>>(result).ok()).flatten();
        let Some(poll) = poll.filter(|poll| poll.failed.is_none()) else {
            if self.agent == Agent::There {
                self.agent = Agent::Gone;
            }
            return Some(None);
        };
        let heap_used = (poll.heap_used > 0.0).then_some(poll.heap_used);
        let mut values = std::mem::take(&mut self.aside);
        values.extend(self.pulse.beat(poll, received));
        Some(Some(Beat { batch: GaugeBatch { at: self.clock.now(), values }, heap_used }))
    }

    /// Where the loop is held, if it is.
    pub fn held(&self, now: Instant) -> Option<Held> {
        self.pulse.held(self.outstanding.map(|(_, sent)| sent), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Box<RawValue> {
        RawValue::from_string(format!(r#"{{"result":{{"type":"object","value":{json}}}}}"#))
            .expect("valid JSON")
    }

    #[test]
    fn an_unanswered_target_is_not_asked_again_but_looked_at() {
        let now = Instant::now();
        let mut polling = Polling::new(Nonce::new(1), true, Clock::get(), Some(std::process::id()), now);
        assert!(polling.tick(now).0.is_some());
        polling.asked(CallId(1), now);
        let (snippet, late) = polling.tick(now + EVERY);
        assert_eq!(snippet, None);
        assert!(late.is_some_and(|batch| batch.get(Gauge::Rss).is_some()));
        assert!(matches!(polling.held(now + EVERY), Some(Held::Native(_))));
        let beat = polling.replied(CallId(1), Some(&value(r#"{"heap_used":5}"#)), now + EVERY * 2);
        let beat = beat.flatten().expect("a beat");
        assert_eq!((beat.heap_used, beat.batch.get(Gauge::HeapUsed)), (Some(5.0), Some(5.0)));
        assert!(beat.batch.get(Gauge::CpuProcess).is_some(), "with what was seen from outside");
    }

    #[test]
    fn an_agent_that_is_gone_is_installed_again_and_a_refused_one_is_not() {
        let now = Instant::now();
        let mut polling = Polling::new(Nonce::new(1), true, Clock::get(), None, now);
        assert!(polling.installation().is_some());
        polling.installing(CallId(1));
        assert_eq!(polling.replied(CallId(1), Some(&value(r#"{"ok":true}"#)), now), Some(None));
        assert!(polling.tells_collections());
        polling.asked(CallId(2), now);
        assert_eq!(polling.replied(CallId(2), Some(&value("null")), now), Some(None));
        assert!(polling.installation().is_some());
        polling.installing(CallId(3));
        polling.replied(CallId(3), None, now);
        assert_eq!(polling.installation(), None);
        assert_eq!(polling.replied(CallId(9), None, now), None);
    }
}
