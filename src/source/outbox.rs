//! The way from a source to the engine, and the engine's word back.
//!
//! The queue holds [`OUTBOX_DEPTH`] events. When it is full nothing of a profile is lost: windows
//! merge into the waiting one, gauges and states keep the newest, notes wait in order up to a bound
//! and are counted beyond it. Sampling never waits for the screen. Only a replay, which samples nothing
//! and must give every window as it was, waits for room ([`Outbox::deliver`]).

use super::Clock;
use crate::feed::{Event, Feed, Note, NoteLevel, Order, SourceId};
use crate::profile::{CallTree, Profile, Sampling, clean_path, lift, lower};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc, watch};

/// Events that wait at most.
pub const OUTBOX_DEPTH: usize = 8;
/// Notes that wait at most beside them.
const NOTES_DEPTH: usize = 32;

#[derive(Default)]
struct Queue {
    events: VecDeque<Event>,
    notes_dropped: u64,
    /// How often any source has reached its target.
    attached: u64,
    closed: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    filled: Notify,
    /// Told whenever an event was taken out.
    drained: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The source's end: never waits.
#[derive(Clone)]
pub struct Outbox {
    source: SourceId,
    shared: Arc<Shared>,
}

/// The engine's end, one for all sources.
pub struct Inbox {
    shared: Arc<Shared>,
}

/// A queue for the sources of a session: the engine's end, from which each source gets its own.
pub fn outbox() -> Inbox {
    Inbox {
        shared: Arc::new(Shared { queue: Mutex::default(), filled: Notify::new(), drained: Notify::new() }),
    }
}

impl Inbox {
    /// The end for one source.
    pub fn outbox(&self, source: SourceId) -> Outbox {
        Outbox { source, shared: self.shared.clone() }
    }

    /// The next event; waits for one. Safe to cancel.
    pub async fn recv(&self) -> Event {
        loop {
            if let Some(event) = self.try_recv() {
                return event;
            }
            self.shared.filled.notified().await;
        }
    }

    /// The next event if there is one.
    pub fn try_recv(&self) -> Option<Event> {
        let mut queue = self.shared.lock();
        if queue.notes_dropped > 0 && queue.events.len() < OUTBOX_DEPTH {
            let dropped = std::mem::take(&mut queue.notes_dropped);
            let text = format!("{dropped} notes were dropped because they came too fast").into();
            let feed = Feed::Note(Note { level: NoteLevel::Warning, text });
            let source = queue.events.front().map_or(SourceId(0), |event| event.source);
            queue.events.push_back(Event { source, at: Clock::get().now(), feed });
        }
        let event = queue.events.pop_front();
        drop(queue);
        if event.is_some() {
            self.shared.drained.notify_waiters();
        }
        event
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.shared.lock().events.is_empty()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.drained.notify_waiters();
    }
}

impl Outbox {
    /// Sends one thing, stamped now.
    pub fn send(&self, feed: Feed) {
        let event = Event { source: self.source, at: Clock::get().now(), feed };
        {
            let mut queue = self.shared.lock();
            if queue.closed {
                return;
            }
            if let Feed::Attached(_) = &event.feed {
                queue.attached += 1;
            }
            push(&mut queue, event);
        }
        self.shared.filled.notify_one();
    }

    /// Sends an event as it was recorded, with its own source and time, once there is room for it:
    /// nothing is merged or replaced. Safe to cancel; the event is then not sent.
    pub async fn deliver(&self, event: Event) {
        loop {
            let mut drained = std::pin::pin!(self.shared.drained.notified());
            // From here on no notice is missed.
            drained.as_mut().enable();
            {
                let mut queue = self.shared.lock();
                if queue.closed {
                    return;
                }
                if queue.events.len() < OUTBOX_DEPTH {
                    queue.events.push_back(event);
                    break;
                }
            }
            drained.await;
        }
        self.shared.filled.notify_one();
    }

    /// Sends a note, made safe to show: it may repeat what a target said.
    pub fn note(&self, level: NoteLevel, text: impl AsRef<str>) {
        self.send(Feed::Note(Note { level, text: clean_path(text.as_ref()) }));
    }

    /// How often a target was reached so far.
    pub(super) fn times_attached(&self) -> u64 {
        self.shared.lock().attached
    }

    /// Whether the engine has taken everything sent so far.
    pub fn is_empty(&self) -> bool {
        self.shared.lock().events.is_empty()
    }

    /// The source this end belongs to.
    pub fn source(&self) -> SourceId {
        self.source
    }
}

/// Adds an event; in a full queue it joins or replaces one of its kind and source.
fn push(queue: &mut Queue, event: Event) {
    if queue.events.len() < OUTBOX_DEPTH {
        queue.events.push_back(event);
        return;
    }
    let no_room_for_notes = queue.events.len() >= OUTBOX_DEPTH + NOTES_DEPTH;
    let waiting = queue.events.iter_mut().rev().find(|waiting| replaces(waiting, &event));
    match (waiting, event.feed) {
        (Some(waiting), Feed::Window(new)) => {
            if let Feed::Window(old) = &mut waiting.feed {
                **old = merge(old, &new);
            }
        }
        (Some(waiting), feed) => waiting.feed = feed,
        (None, Feed::Note(_)) if no_room_for_notes => queue.notes_dropped += 1,
        // At most one of each kind a source goes beyond the depth: the next of it finds this one.
        (None, feed) => queue.events.push_back(Event { feed, ..event }),
    }
}

fn replaces(waiting: &Event, new: &Event) -> bool {
    waiting.source == new.source
        && match (&waiting.feed, &new.feed) {
            (Feed::Window(old), Feed::Window(new)) => old.kinds == new.kinds,
            (Feed::Gauges(_), Feed::Gauges(_)) | (Feed::Status(_), Feed::Status(_)) => true,
            _ => false,
        }
}

/// Two windows in the order of time as one: nothing is lost but the border between them.
fn merge(old: &Profile, new: &Profile) -> Profile {
    let mut tree = CallTree::default();
    let span = old.span.union(new.span);
    let mut lanes = lift(&mut tree, old);
    for mut lane in lift(&mut tree, new) {
        let shift = new.span.start.since(span.start);
        lane.runs.iter_mut().for_each(|run| run.1 = run.1 + shift);
        match lanes.iter_mut().find(|known| known.thread == lane.thread) {
            Some(known) => {
                known.fold = crate::profile::over_time(&tree, &[&known.fold, &lane.fold]);
                known.runs.append(&mut lane.runs);
                known.runs_dropped += lane.runs_dropped;
            }
            None => lanes.push(lane),
        }
    }
    let mut merged = lower(&tree, span, old.covered + new.covered, merge_sampling(old, new), &lanes);
    merged.notes = old.notes.iter().chain(&new.notes).cloned().collect();
    merged.notes.dedup();
    merged
}

fn merge_sampling(old: &Profile, new: &Profile) -> Sampling {
    let (a, b) = (&old.sampling, &new.sampling);
    let taken = a.taken + b.taken;
    let observed = (old.covered + new.covered).0;
    Sampling {
        achieved: if a.achieved == 0 || taken == 0 { 0 } else { observed / taken },
        taken,
        lost: a.lost + b.lost,
        truncated: a.truncated + b.truncated,
        handover: a.handover.max(b.handover),
        handover_bytes: a.handover_bytes + b.handover_bytes,
        ..a.clone()
    }
}

/// The source's end of the engine's word.
pub struct Control {
    orders: mpsc::Receiver<Order>,
    stop: watch::Receiver<bool>,
}

/// The engine's end.
#[derive(Clone)]
pub struct Steering {
    orders: mpsc::Sender<Order>,
    stop: Arc<watch::Sender<bool>>,
}

/// Both ends of a source's control.
pub fn control() -> (Steering, Control) {
    let (sender, receiver) = mpsc::channel(OUTBOX_DEPTH);
    let (stop, stopped) = watch::channel(false);
    (Steering { orders: sender, stop: Arc::new(stop) }, Control { orders: receiver, stop: stopped })
}

impl Control {
    /// The next order; [`Order::Stop`] when the engine is gone, and before anything else that waits.
    /// Safe to cancel.
    pub async fn next(&mut self) -> Order {
        tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => Order::Stop,
            order = self.orders.recv() => order.unwrap_or(Order::Stop),
        }
    }
}

impl Steering {
    /// Gives an order. Stop always arrives; others are refused (`false`) while the queue is full.
    pub fn give(&self, order: Order) -> bool {
        if order == Order::Stop {
            return self.stop.send(true).is_ok();
        }
        self.orders.try_send(order).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gauges::{Gauge, GaugeBatch};
    use crate::profile::{
        Frame, FrameKind, Moment, Nanos, ProfileLane, ProfileNode, Span, Thread, ValueKind,
    };

    fn window(second: i64, value: i64) -> Feed {
        Feed::Window(Box::new(Profile {
            kinds: vec![ValueKind::samples()],
            span: Span { start: Moment(second * 1_000_000_000), length: Nanos::from_secs(1) },
            covered: Nanos::from_secs(1),
            sampling: Sampling { taken: value as u64, achieved: 1, ..Sampling::default() },
            frames: vec![Frame::named("f", FrameKind::Js)],
            nodes: vec![ProfileNode { parent: 0, frame: 0 }; 2],
            lanes: vec![ProfileLane {
                thread: Thread { pid: 1, tid: 1, name: "main".into() },
                nodes: vec![1],
                columns: vec![vec![value]],
                lines: vec![],
                runs: vec![],
                runs_dropped: 0,
            }],
            notes: vec![],
        }))
    }

    fn drain(inbox: &Inbox) -> Vec<Feed> {
        std::iter::from_fn(|| inbox.try_recv()).map(|event| event.feed).collect()
    }

    #[test]
    fn windows_merge_instead_of_being_lost() {
        let inbox = outbox();
        let out = inbox.outbox(SourceId(0));
        (0..100).for_each(|second| out.send(window(second, 3)));
        let feeds = drain(&inbox);
        assert_eq!(feeds.len(), OUTBOX_DEPTH);
        let profiles = || {
            feeds.iter().map(|feed| match feed {
                Feed::Window(p) => p,
                _ => panic!("only windows were sent"),
            })
        };
        assert_eq!(profiles().map(|p| p.total(0)).sum::<i64>(), 300);
        assert_eq!(profiles().map(|p| p.covered.0).sum::<u64>(), 100_000_000_000);
        assert!(profiles().all(|p| p.is_sound()));
    }

    #[test]
    fn gauges_keep_the_newest_and_notes_are_counted() {
        let inbox = outbox();
        let out = inbox.outbox(SourceId(0));
        for value in 0..100 {
            out.send(Feed::Gauges(GaugeBatch {
                at: Moment(value),
                values: vec![(Gauge::Rss, value as f64)],
            }));
            out.note(NoteLevel::Info, format!("note {value}"));
        }
        let feeds = drain(&inbox);
        assert!(feeds.len() <= OUTBOX_DEPTH + NOTES_DEPTH + 3, "{}", feeds.len());
        let newest = feeds.iter().rev().find_map(|feed| match feed {
            Feed::Gauges(batch) => batch.get(Gauge::Rss),
            _ => None,
        });
        assert_eq!(newest, Some(99.0));
        let told =
            feeds.iter().any(|feed| matches!(feed, Feed::Note(note) if note.text.contains("were dropped")));
        assert!(told);
    }

    #[tokio::test]
    async fn delivered_events_wait_for_room_and_arrive_as_they_are() {
        let inbox = outbox();
        let out = inbox.outbox(SourceId(0));
        let event = |second: i64| Event { source: SourceId(7), at: Moment(second), feed: window(second, 3) };
        let sending = tokio::spawn(async move {
            for second in 0..100 {
                out.deliver(event(second)).await;
            }
        });
        for second in 0..100 {
            assert_eq!(inbox.recv().await, event(second));
            assert!(inbox.shared.lock().events.len() <= OUTBOX_DEPTH);
        }
        sending.await.expect("ends");
        drop(inbox);
    }
}
