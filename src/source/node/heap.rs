//! When the heap profile is on, when it is read, and what is sent for it.
//!
//! Reading V8's heap profile stops the target for a full garbage collection, about 0.6 ms a live megabyte. So it is on
//! by itself only where that is little, and its windows are so long that it stops the target about 1 % of the time.
//! Node 26 has a heap profile of its own that tells what was allocated without that collection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cdp::CallId;
use super::snippets::{Nonce, heap_read, heap_start, heap_stop};
use super::wire::Method;
use crate::feed::HeapState;
use crate::format::v8::heap_profile::STACK_DEPTH;
use crate::profile::{Moment, Nanos, Span, clean_path};
use crate::source::{HeapChoice, HeapMode};

/// Where a read costs less, the profile is on by itself.
const CHEAP: Duration = Duration::from_millis(10);
/// Where it costs more, it is switched off again if nobody asked for it.
const DEAR: Duration = Duration::from_millis(50);
/// What a full garbage collection takes for each live megabyte, as measured on Node 18 to 26.
const NANOS_A_MEGABYTE: f64 = 600_000.0;
/// A reading without garbage collection.
const WITHOUT_COLLECTION: Duration = Duration::from_millis(7);
/// So many readings tell what one costs.
const KEPT_COSTS: usize = 3;
/// Windows are never shorter.
const SHORTEST: Duration = Duration::from_secs(5);
/// A window is this many times as long as its reading stops the target.
const WINDOW_PER_COST: u32 = 100;

/// Something to be sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// A method and its parameters.
    Method(Method, Value),
    /// A snippet to be evaluated.
    Snippet(String),
}

/// How a finished reading is to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The window it speaks for.
    pub span: Span,
    /// What it tells.
    pub mode: HeapMode,
    /// Whether it is the text of Node's own profile.
    pub evaluated: bool,
    /// A sentence for whoever reads the window.
    pub note: Arc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Running {
    began: Moment,
    last: Moment,
    due: Instant,
    reading: Option<(CallId, Moment)>,
}

/// What was sent last, and is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Whether another heap profiler runs.
    Others,
    /// To start.
    Start,
    /// To start the next window, together with the reading of the last.
    Next,
}

/// What follows from an answer.
#[derive(Debug, Default, PartialEq)]
pub struct Answer {
    /// What to send.
    pub calls: Vec<Call>,
    /// Why the profile is off now.
    pub failed: Option<String>,
}

/// V8 has one sampling heap profiler for all, and a second start takes it over.
const OTHER: &str = "another heap profiler runs in the target";

/// The heap profile of one session.
#[derive(Debug)]
pub struct Heap {
    nonce: Nonce,
    choice: HeapChoice,
    mode: HeapMode,
    interval_bytes: u32,
    major: u32,
    live_bytes: Option<f64>,
    costs: Vec<Duration>,
    running: Option<Running>,
    asked: Option<(Asked, Option<CallId>)>,
    /// Why it can't be on; until somebody switches it on again.
    refused: Option<Arc<str>>,
}

impl Heap {
    /// A heap profile that is off.
    pub fn new(nonce: Nonce, major: u32, choice: HeapChoice, mode: HeapMode, interval_bytes: u64) -> Self {
        // Node 18 keeps live objects only, whatever it is told.
        let mode = if major < 20 { HeapMode::Live } else { mode };
        let interval_bytes = u32::try_from(interval_bytes).unwrap_or(u32::MAX).max(1024);
        Self {
            nonce,
            choice,
            mode,
            interval_bytes,
            major,
            live_bytes: None,
            costs: Vec::new(),
            running: None,
            asked: None,
            refused: None,
        }
    }

    /// What it tells.
    pub fn mode(&self) -> HeapMode {
        self.mode
    }

    /// Whether it is Node's own profile, which needs no garbage collection.
    fn own(&self) -> bool {
        self.mode == HeapMode::Allocated && self.major >= 26
    }

    /// What the next reading will cost: as measured, else as the size of the heap lets expect.
    pub fn expected(&self) -> Option<Duration> {
        let predicted = if self.own() {
            Some(WITHOUT_COLLECTION)
        } else {
            let megabytes = self.live_bytes? / 1e6;
            Some(Duration::from_nanos((megabytes * NANOS_A_MEGABYTE) as u64))
        };
        self.cost().max(predicted)
    }

    /// What reading costs as measured: the least of the last readings, for one may have waited for something else.
    fn cost(&self) -> Option<Duration> {
        self.costs.iter().min().copied()
    }

    /// Length of a window, in whole seconds: such that reading it stops the target about 1 % of the time.
    pub fn window(&self) -> Duration {
        self.expected().map_or(SHORTEST, |cost| (cost * WINDOW_PER_COST).max(SHORTEST))
    }

    /// Takes note of the size of the heap. Gives what to send if this settles whether the profile is on.
    pub fn heap_used(&mut self, bytes: f64, now: Instant, at: Moment) -> Vec<Call> {
        self.live_bytes = Some(bytes);
        let Some(expected) = self.expected().filter(|_| self.refused.is_none()) else { return Vec::new() };
        match (self.choice, self.running) {
            (HeapChoice::On, None) => self.start(now, at),
            (HeapChoice::Auto, None) if expected < CHEAP => self.start(now, at),
            (HeapChoice::Auto, Some(_)) if expected > DEAR => self.stop(),
            _ => Vec::new(),
        }
    }

    /// Switches it on or off, as the user asks.
    pub fn switch(&mut self, on: bool, now: Instant, at: Moment) -> Vec<Call> {
        self.refused = None;
        self.choice = if on { HeapChoice::On } else { HeapChoice::Off };
        match (on, self.running) {
            (true, None) => self.start(now, at),
            (false, Some(_)) => self.stop(),
            _ => Vec::new(),
        }
    }

    /// Lets it tell something else.
    pub fn set_mode(&mut self, mode: HeapMode, now: Instant, at: Moment) -> Vec<Call> {
        if self.major < 20 || mode == self.mode {
            return Vec::new();
        }
        let was_on = self.running.is_some();
        let mut calls = if was_on { self.stop() } else { Vec::new() };
        self.mode = mode;
        self.costs.clear();
        if was_on {
            calls.extend(self.start(now, at));
        }
        calls
    }

    fn start(&mut self, now: Instant, at: Moment) -> Vec<Call> {
        self.running = Some(Running { began: at, last: at, due: now + self.window(), reading: None });
        self.asked = Some((Asked::Others, None));
        // The only way to see another profiler, which a start would take over and our end would end: refused without one.
        vec![Call::Method(Method::HeapProfilerGetSamplingProfile, json!({}))]
    }

    /// Names the call that answers what was asked last.
    pub fn sent(&mut self, call: CallId) {
        if let Some((_, unnamed @ None)) = &mut self.asked {
            *unnamed = Some(call);
        }
    }

    /// Takes note of a reply. If it is that of a start, or of the question before it, tells what follows.
    pub fn answered(
        &mut self,
        call: CallId,
        outcome: Result<(), String>,
        now: Instant,
        at: Moment,
    ) -> Option<Answer> {
        let (asked, _) = self.asked.take_if(|(_, id)| *id == Some(call))?;
        Some(match (asked, outcome) {
            (Asked::Others, Err(error)) if error.contains("not started") => {
                self.asked = Some((Asked::Start, None));
                Answer { calls: vec![self.start_call()], failed: None }
            }
            (Asked::Others, outcome) => {
                // Nothing of ours runs, and what runs is not ours to end.
                self.running = None;
                let why = outcome.err().unwrap_or_else(|| OTHER.into());
                self.refused = Some(clean_path(&why));
                Answer { calls: Vec::new(), failed: Some(format!("the heap profile is off: {why}")) }
            }
            (Asked::Start, Ok(())) => {
                let due = now + self.window();
                self.running = Some(Running { began: at, last: at, due, reading: None });
                Answer::default()
            }
            (Asked::Next, Ok(())) => Answer::default(),
            (Asked::Start | Asked::Next, Err(why)) => {
                self.fail(format!("the heap profile did not start: {why}"))
            }
        })
    }

    /// Ends it, for it does not work.
    pub fn fail(&mut self, why: String) -> Answer {
        self.refused = Some(clean_path(&why));
        Answer { calls: self.stop(), failed: Some(why) }
    }

    /// Starts it again after it has ended by itself.
    pub fn start_again(&mut self, now: Instant, at: Moment) -> Answer {
        Answer { calls: self.start(now, at), failed: None }
    }

    fn start_call(&self) -> Call {
        if self.own() {
            return Call::Snippet(heap_start(&self.nonce, self.interval_bytes));
        }
        let all = self.mode == HeapMode::Allocated;
        let parameters = json!({
            "samplingInterval": self.interval_bytes,
            "stackDepth": STACK_DEPTH,
            "includeObjectsCollectedByMajorGC": all,
            "includeObjectsCollectedByMinorGC": all,
        });
        Call::Method(Method::HeapProfilerStartSampling, parameters)
    }

    fn stop(&mut self) -> Vec<Call> {
        let own = self.own();
        self.running = None;
        self.asked = None;
        self.costs.clear();
        vec![if own {
            Call::Snippet(heap_stop(&self.nonce))
        } else {
            Call::Method(Method::HeapProfilerDisable, json!({}))
        }]
    }

    /// When to read next.
    pub fn due(&self) -> Option<Instant> {
        if matches!(self.asked, Some((Asked::Others | Asked::Start, _))) {
            return None;
        }
        self.running.filter(|running| running.reading.is_none()).map(|running| running.due)
    }

    /// What to send for a reading, the first being the one that is answered with the profile.
    pub fn read(&mut self) -> Vec<Call> {
        if self.own() {
            return vec![Call::Snippet(heap_read(&self.nonce))];
        }
        match self.mode {
            HeapMode::Live => vec![Call::Method(Method::HeapProfilerGetSamplingProfile, json!({}))],
            // Both at once: what is allocated between the two is lost, so nothing may come between them.
            HeapMode::Allocated => {
                self.asked = Some((Asked::Next, None));
                vec![Call::Method(Method::HeapProfilerStopSampling, json!({})), self.start_call()]
            }
        }
    }

    /// Notes that a reading was sent.
    pub fn reading(&mut self, call: CallId, at: Moment) {
        if let Some(running) = &mut self.running {
            running.reading = Some((call, at));
        }
    }

    /// Takes note of a reply. If it is the reading's, tells how to read it.
    pub fn replied(&mut self, call: CallId, took: Duration, now: Instant, at: Moment) -> Option<Reading> {
        let running = self.running.filter(|running| running.reading.is_some_and(|(id, _)| id == call))?;
        let note = self.note();
        let reading =
            Reading { span: Span::between(running.last, at), mode: self.mode, evaluated: self.own(), note };
        // A reply that is far later than the heap's size explains has waited for a blocked loop.
        let most = self.expected().map_or(took, |expected| expected * 8 + DEAR);
        if self.costs.len() >= KEPT_COSTS {
            self.costs.remove(0);
        }
        self.costs.push(took.min(most));
        let due = now + self.window();
        self.running = Some(Running { last: at, due, reading: None, ..running });
        Some(reading)
    }

    fn note(&self) -> Arc<str> {
        match self.mode {
            HeapMode::Live if self.major < 20 => {
                "live bytes of what was allocated since flametop began; Node 18 can't tell what was collected"
                    .into()
            }
            HeapMode::Live => "live bytes of what was allocated since flametop began to sample the heap; \
                older objects are not in it"
                .into(),
            HeapMode::Allocated => {
                "bytes allocated in this window, whether still in use or not; estimated from samples".into()
            }
        }
    }

    /// The state for the screen.
    pub fn state(&self) -> HeapState {
        if self.running.is_some() {
            let cost = self.cost().map_or(Nanos(0), Nanos::from);
            return HeapState::On { window: Nanos::from_secs(self.window().as_secs()), cost };
        }
        if let Some(why) = &self.refused {
            return HeapState::Off(Arc::clone(why));
        }
        let text = match self.expected() {
            Some(cost) => format!(
                "reading it stops the target for about {} ms, every {} s",
                roughly(cost.as_millis()),
                self.window().as_secs()
            ),
            None => "reading it stops the target for about 0.6 ms a live megabyte".into(),
        };
        HeapState::Off(text.into())
    }
}

/// A prediction is no measurement: in steps of a tenth or more, which also keep the state from changing all the time.
fn roughly(ms: u128) -> u128 {
    let step = match ms {
        0..20 => 5,
        20..100 => 10,
        100..1000 => 50,
        _ => 500,
    };
    ms.next_multiple_of(step).max(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: f64 = 1e6;

    fn heap(major: u32, choice: HeapChoice, mode: HeapMode) -> (Heap, Instant, Moment) {
        (Heap::new(Nonce::new(1), major, choice, mode, 512 * 1024), Instant::now(), Moment(0))
    }

    /// Lets a start succeed, and gives what was sent for it.
    fn begun(heap: &mut Heap, now: Instant, at: Moment) -> Vec<Call> {
        heap.sent(CallId(1));
        let none = Err("V8 sampling heap profiler was not started.".to_owned());
        let start = heap.answered(CallId(1), none, now, at).expect("the question's answer");
        heap.sent(CallId(2));
        assert_eq!(heap.answered(CallId(2), Ok(()), now, at), Some(Answer::default()));
        start.calls
    }

    #[test]
    fn the_profiler_of_somebody_else_is_left_alone_until_we_are_told_again() {
        let (mut heap, now, at) = heap(22, HeapChoice::On, HeapMode::Live);
        let question = heap.heap_used(MB, now, at);
        assert_eq!(question, [Call::Method(Method::HeapProfilerGetSamplingProfile, json!({}))]);
        heap.sent(CallId(1));
        assert_eq!(heap.answered(CallId(9), Ok(()), now, at), None);
        let answer = heap.answered(CallId(1), Ok(()), now, at).expect("the question's answer");
        assert!(answer.calls.is_empty() && answer.failed.is_some());
        assert_eq!(heap.state(), HeapState::Off(OTHER.into()));
        assert!(heap.heap_used(MB, now, at).is_empty(), "asking takes a collection: not again by itself");
        assert_eq!(heap.switch(true, now, at), question);
    }

    #[test]
    fn a_start_that_fails_is_said_once_and_undone() {
        let (mut heap, now, at) = heap(22, HeapChoice::On, HeapMode::Allocated);
        heap.heap_used(MB, now, at);
        begun(&mut heap, now, at);
        heap.read();
        heap.sent(CallId(4));
        let answer = heap.answered(CallId(4), Err("no".into()), now, at).expect("the start's answer");
        assert_eq!(answer.calls, [Call::Method(Method::HeapProfilerDisable, json!({}))]);
        assert!(answer.failed.is_some() && heap.heap_used(MB, now, at).is_empty());
    }

    #[test]
    fn it_is_on_by_itself_where_a_read_is_cheap_and_goes_off_where_it_becomes_dear() {
        let (mut heap, now, at) = heap(22, HeapChoice::Auto, HeapMode::Live);
        assert!(heap.heap_used(30.0 * MB, now, at).is_empty(), "18 ms");
        let HeapState::Off(text) = heap.state() else { panic!("off") };
        assert_eq!(&*text, "reading it stops the target for about 20 ms, every 5 s");
        assert_eq!(heap.heap_used(10.0 * MB, now, at).len(), 1);
        assert!(matches!(heap.state(), HeapState::On { .. }));
        assert!(heap.heap_used(20.0 * MB, now, at).is_empty(), "stays on");
        let off = heap.heap_used(500.0 * MB, now, at);
        assert_eq!(off, [Call::Method(Method::HeapProfilerDisable, json!({}))]);
    }

    #[test]
    fn windows_keep_stalls_near_one_per_cent() {
        let (mut heap, now, at) = heap(22, HeapChoice::On, HeapMode::Live);
        heap.heap_used(500.0 * MB, now, at);
        assert_eq!(heap.due(), None, "not before it has started");
        begun(&mut heap, now, at);
        assert_eq!(heap.due(), Some(now + Duration::from_secs(30)));
        assert_eq!(heap.window(), Duration::from_secs(30));
        heap.reading(CallId(3), at);
        assert_eq!(heap.due(), None);
        assert!(heap.replied(CallId(2), Duration::ZERO, now, at).is_none());
        let reading = heap.replied(CallId(3), Duration::from_secs(1), now, at + Nanos::from_secs(30));
        assert_eq!(reading.map(|reading| reading.span.length), Some(Nanos::from_secs(30)));
        assert_eq!(heap.due(), Some(now + Duration::from_secs(100)), "as measured");
    }

    #[test]
    fn one_slow_reading_does_not_switch_it_off() {
        let (mut heap, now, at) = heap(22, HeapChoice::Auto, HeapMode::Live);
        heap.heap_used(10.0 * MB, now, at);
        for (took, cost) in [(8, 8), (80, 8), (80, 8), (80, 80)] {
            assert!(heap.heap_used(10.0 * MB, now, at).is_empty());
            heap.reading(CallId(3), at);
            heap.replied(CallId(3), Duration::from_millis(took), now, at);
            assert_eq!(heap.expected(), Some(Duration::from_millis(cost)));
        }
        assert_eq!(heap.heap_used(10.0 * MB, now, at).len(), 1, "off");
        assert_eq!(heap.expected(), Some(Duration::from_millis(6)), "and free to try again");
    }

    #[test]
    fn the_user_has_the_last_word() {
        let (mut heap, now, at) = heap(22, HeapChoice::Auto, HeapMode::Live);
        heap.heap_used(1.0 * MB, now, at);
        assert_eq!(heap.switch(false, now, at).len(), 1);
        assert!(heap.heap_used(1.0 * MB, now, at).is_empty());
        assert_eq!(heap.switch(true, now, at).len(), 1);
        assert!(heap.switch(true, now, at).is_empty());
    }

    #[test]
    fn what_was_allocated_is_told_from_20_on_and_without_a_collection_from_26_on() {
        let (eighteen, ..) = heap(18, HeapChoice::On, HeapMode::Allocated);
        assert_eq!(eighteen.mode(), HeapMode::Live);
        let (mut later, now, at) = heap(22, HeapChoice::On, HeapMode::Live);
        later.heap_used(MB, now, at);
        assert_eq!(later.set_mode(HeapMode::Allocated, now, at).len(), 2);
        let read = later.read();
        assert!(matches!(&read[0], Call::Method(Method::HeapProfilerStopSampling, _)));
        assert!(
            matches!(&read[1], Call::Method(_, flags) if flags["includeObjectsCollectedByMajorGC"] == true)
        );
        let (mut own, now, at) = heap(26, HeapChoice::Auto, HeapMode::Allocated);
        own.heap_used(900.0 * MB, now, at);
        let start = begun(&mut own, now, at);
        assert!(matches!(&start[..], [Call::Snippet(_)]));
        assert!(matches!(&own.read()[..], [Call::Snippet(_)]));
    }
}
