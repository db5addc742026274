//! The rotation of two profiles: always one running, so that no sample falls between two windows.
//!
//! Pure: it says what to evaluate and when, and learns what came back. A rotation that the target does not answer
//! (blocked in native code) stays outstanding; V8 goes on sampling, and the window arrives when the block ends.

use std::time::{Duration, Instant};

use super::cdp::{CallId, Event};
use super::snippets::{Nonce, Slot, profile_end, profile_rotate, profile_start, slot_of_title};

/// Length of the windows of the first second: so that there is a picture at once.
const FIRST: Duration = Duration::from_millis(250);
/// How long windows are that short.
const FIRST_FOR: Duration = Duration::from_millis(900);
/// Windows are never made shorter than this.
const SHORTEST: Duration = Duration::from_millis(100);
/// Nor longer, whatever is asked: what V8 keeps of a window, and what handing it over costs, grows with its length.
const LONGEST: Duration = Duration::from_mins(1);
/// A hand-over that costs more makes windows shorter.
const DEAR: Duration = Duration::from_millis(50);
/// So does one of more bytes.
const LARGE_BYTES: usize = 8 << 20;
/// Where the target can't time a hand-over itself, it took at most about this long a byte: 33 to 78 ns were measured.
/// What it took beyond that was spent waiting for a blocked loop, which is not our doing.
const NANOS_A_BYTE: u64 = 100;
/// So many cheap windows in a row let the length grow again.
const CALM_WINDOWS: u32 = 10;
/// An answered rotation whose profile has not come after this long has lost it.
const LOST_AFTER: Duration = Duration::from_secs(5);

/// How many profiles the application may end within [`CUTS_WITHIN`] before we rest: each start stops the target.
const MOST_CUTS: usize = 3;
/// The time over which they are counted, and at whose end the profiler is started again.
const CUTS_WITHIN: Duration = Duration::from_mins(1);

/// What a finished profile is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The window that was asked for: to be kept until its turn is over.
    Window,
    /// A window that the application ended: `console.profileEnd()` without a title ends any. Start again.
    CutShort,
    /// Somebody else's profile.
    Foreign,
}

/// A change of the windows' length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adapted {
    /// As before.
    No,
    /// Shorter now: handing over was too dear.
    Shorter,
    /// Longer again.
    Longer,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    call: CallId,
    sent: Instant,
    start: bool,
    ending: Option<Slot>,
    replied: Option<Instant>,
    /// What handing over cost, as the target measured it.
    measured: Option<Duration>,
    /// What it cost at most.
    estimated: Duration,
}

impl Turn {
    fn new(call: CallId, sent: Instant, ending: Option<Slot>) -> Self {
        let start = ending.is_none();
        Self { call, sent, start, ending, replied: None, measured: None, estimated: Duration::ZERO }
    }
}

/// The rotation of one session.
#[derive(Debug)]
pub struct Rotation {
    nonce: Nonce,
    asked: Duration,
    length: Duration,
    running: Slot,
    turn: Option<Turn>,
    began: Instant,
    last: Instant,
    calm: u32,
    anew: Option<(CallId, Instant)>,
    cuts: Vec<Instant>,
    rests: Option<Instant>,
    kept: Option<Event>,
    cost: Duration,
}

impl Rotation {
    /// A rotation that has not begun.
    pub fn new(nonce: Nonce, asked: Duration, now: Instant) -> Self {
        let asked = asked.clamp(SHORTEST, LONGEST);
        Self {
            nonce,
            asked,
            length: asked,
            running: Slot::B,
            turn: None,
            began: now,
            last: now,
            calm: 0,
            anew: None,
            cuts: Vec::new(),
            rests: None,
            kept: None,
            cost: Duration::ZERO,
        }
    }

    /// The window length in use.
    pub fn length(&self) -> Duration {
        self.length
    }

    /// Uses windows of another length from now on.
    pub fn set_length(&mut self, asked: Duration) {
        self.asked = asked.clamp(SHORTEST, LONGEST);
        self.length = self.asked;
        self.calm = 0;
    }

    /// What starts a profile: the first, or the next after one was cut short.
    pub fn start(&mut self) -> String {
        self.rests = None;
        self.running = self.running.other();
        profile_start(&self.nonce, self.running)
    }

    /// Notes that the snippet of [`Rotation::start`] was sent.
    pub fn started(&mut self, call: CallId, now: Instant) {
        self.turn = Some(Turn::new(call, now, None));
        self.last = now;
    }

    /// Notes that with the start the target's code is compiled anew, which is over when this call is answered.
    pub fn compiling(&mut self, call: CallId) {
        self.anew = self.turn.map(|turn| (call, turn.sent));
    }

    /// Takes note of a reply. If it ends the start and the compiling, tells how long both together took.
    pub fn compiled(&mut self, call: CallId, at: Instant) -> Option<Duration> {
        let (_, began) = self.anew.take_if(|(id, _)| *id == call)?;
        Some(at.saturating_duration_since(began))
    }

    /// Takes note that the application ended our profile. If it does so again and again, tells for how long we rest.
    pub fn cut(&mut self, now: Instant) -> Option<Duration> {
        self.cuts.retain(|at| now.saturating_duration_since(*at) < CUTS_WITHIN);
        self.cuts.push(now);
        if self.cuts.len() < MOST_CUTS {
            return None;
        }
        let until = self.cuts[0] + CUTS_WITHIN;
        self.cuts.clear();
        self.turn = None;
        self.rests = Some(until);
        Some(until.saturating_duration_since(now))
    }

    /// Whether no profile runs, because the application ended too many.
    pub fn rests(&self) -> bool {
        self.rests.is_some()
    }

    /// When to turn next; not before the turn under way is complete.
    pub fn due(&self) -> Option<Instant> {
        match self.turn {
            _ if self.rests.is_some() => self.rests,
            None => Some(self.last + self.current_length()),
            Some(turn) => turn.replied.map(|at| at + LOST_AFTER),
        }
    }

    fn current_length(&self) -> Duration {
        let young = self.last.saturating_duration_since(self.began) < FIRST_FOR;
        if young { self.length.min(FIRST) } else { self.length }
    }

    /// What turns: the other profile starts, the running one ends. `None` if the turn before has lost its window and a
    /// new start is needed.
    pub fn turn(&mut self) -> Option<String> {
        if self.turn.take().is_some() {
            return None;
        }
        let snippet = profile_rotate(&self.nonce, self.running);
        self.running = self.running.other();
        Some(snippet)
    }

    /// Notes that the snippet of [`Rotation::turn`] was sent.
    pub fn turned(&mut self, call: CallId, now: Instant) {
        self.turn = Some(Turn::new(call, now, Some(self.running.other())));
        self.last = now;
    }

    /// What ends the running profile for good.
    pub fn end(&mut self) -> String {
        profile_end(&self.nonce, self.running)
    }

    /// Takes note of a reply, and of the time the target says it was kept; true if it was that of the turn under way.
    pub fn replied(&mut self, call: CallId, at: Instant, measured: Option<Duration>) -> bool {
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.call == call) else { return false };
        turn.replied = Some(at);
        turn.measured = measured;
        self.complete(at);
        true
    }

    /// Takes note of a finished profile.
    pub fn finished(&mut self, title: &str, bytes: usize, received: Instant) -> Finish {
        let Some(slot) = slot_of_title(&self.nonce, title) else { return Finish::Foreign };
        if let Some(turn) = self.turn.as_mut().filter(|turn| turn.ending == Some(slot)) {
            turn.estimated = cost_of(received.saturating_duration_since(turn.sent), bytes);
            turn.ending = None;
            self.complete(received);
            return Finish::Window;
        }
        if slot == self.running { Finish::CutShort } else { Finish::Foreign }
    }

    /// The turn is over when both the reply and the profile are here, in whichever order they came. The next window
    /// counts from then: after a block, or a start that took long, it would else be due at once and a few ms long.
    fn complete(&mut self, at: Instant) {
        let over = |turn: &mut Turn| turn.replied.is_some() && turn.ending.is_none();
        if let Some(turn) = self.turn.take_if(over) {
            self.last = at;
            self.cost = turn.measured.unwrap_or(turn.estimated);
            if turn.start {
                self.began = at;
            }
        }
    }

    /// Keeps a window until its turn is over: the reply, which comes after it, tells what it cost.
    pub fn keep(&mut self, window: Event) {
        self.kept = Some(window);
    }

    /// The window of a turn that is over, and what handing it over cost the target.
    pub fn handed_over(&mut self) -> Option<(Event, Duration)> {
        let over = self.turn.is_none_or(|turn| turn.ending.is_none() && turn.start);
        self.kept.take_if(|_| over).map(|window| (window, self.cost))
    }

    /// Fits the length to what a hand-over has cost.
    pub fn adapt(&mut self, cost: Duration, bytes: usize) -> Adapted {
        if (cost > DEAR || bytes > LARGE_BYTES) && self.length > SHORTEST {
            self.calm = 0;
            self.length = (self.length / 2).max(SHORTEST);
            return Adapted::Shorter;
        }
        self.calm = if cost < DEAR / 3 && bytes < LARGE_BYTES / 3 { self.calm + 1 } else { 0 };
        if self.calm < CALM_WINDOWS || self.length >= self.asked {
            return Adapted::No;
        }
        self.calm = 0;
        self.length = (self.length * 5 / 4).min(self.asked);
        Adapted::Longer
    }
}

/// What a hand-over cost the target, at most.
pub fn cost_of(took: Duration, bytes: usize) -> Duration {
    took.min(Duration::from_nanos(NANOS_A_BYTE.saturating_mul(bytes as u64)))
}

#[cfg(test)]
mod tests {
    use super::super::snippets::profile_title;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rotation() -> (Rotation, Instant) {
        let now = Instant::now();
        (Rotation::new(Nonce::new(1), SECOND, now), now)
    }

    fn title(slot: Slot) -> String {
        profile_title(&Nonce::new(1), slot)
    }

    fn event() -> Event {
        let params = serde_json::value::RawValue::from_string("{}".into()).expect("valid JSON");
        Event { method: String::new(), params, bytes: 10, received: Instant::now() }
    }

    #[test]
    fn the_first_second_has_short_windows() {
        let (mut rotation, now) = rotation();
        assert!(rotation.start().contains(":A"));
        rotation.started(CallId(1), now);
        assert_eq!(rotation.due(), None, "not before the start is answered");
        let now = now + 5 * SECOND;
        assert!(rotation.replied(CallId(1), now, None));
        assert_eq!(rotation.due(), Some(now + FIRST), "a dear start takes nothing from them");
        rotation.turned(CallId(2), now + SECOND);
        rotation.turn = None;
        assert_eq!(rotation.due(), Some(now + 2 * SECOND));
    }

    #[test]
    fn reply_and_profile_may_come_in_either_order_and_a_silent_target_is_waited_for() {
        let measured = Some(Duration::from_millis(3));
        for (profile_first, measured) in [(true, measured), (true, None), (false, measured), (false, None)] {
            let (mut rotation, now) = rotation();
            rotation.start();
            let snippet = rotation.turn().expect("turns");
            assert!(
                snippet.find("ft:1:B") < snippet.find("ft:1:A"),
                "the next starts before the last ends: {snippet}"
            );
            rotation.turned(CallId(3), now);
            assert_eq!(rotation.due(), None);
            let window = Finish::Window;
            if profile_first {
                assert_eq!(rotation.finished(&title(Slot::A), 10, now + SECOND), window);
                assert_eq!(rotation.due(), None);
                rotation.keep(event());
                assert!(rotation.handed_over().is_none(), "its cost is not known yet");
                rotation.replied(CallId(3), now + SECOND, measured);
            } else {
                rotation.replied(CallId(3), now + SECOND, measured);
                assert_eq!(rotation.due(), Some(now + SECOND + LOST_AFTER));
                assert_eq!(rotation.finished(&title(Slot::A), 10, now + SECOND), window);
                rotation.keep(event());
            }
            let cost = rotation.handed_over().map(|(_, cost)| cost);
            assert_eq!(cost, Some(measured.unwrap_or(Duration::from_micros(1))));
            assert!(rotation.handed_over().is_none(), "once");
            assert_eq!(rotation.due(), Some(now + 2 * SECOND), "a whole window after the block");
        }
    }

    #[test]
    fn profiles_of_others_are_ignored_and_cuts_are_seen() {
        let (mut rotation, now) = rotation();
        rotation.start();
        assert_eq!(rotation.finished("ft:2:A", 10, now), Finish::Foreign);
        assert_eq!(rotation.finished("", 10, now), Finish::Foreign);
        assert_eq!(rotation.finished(&title(Slot::B), 10, now), Finish::Foreign);
        assert_eq!(rotation.finished(&title(Slot::A), 10, now), Finish::CutShort);
        assert!(rotation.start().contains(":B"));
    }

    #[test]
    fn after_three_cuts_within_a_minute_it_rests_for_the_rest_of_that_minute() {
        let (mut rotation, now) = rotation();
        rotation.start();
        rotation.started(CallId(1), now);
        assert_eq!(rotation.cut(now), None);
        assert_eq!(rotation.cut(now + CUTS_WITHIN), None);
        assert_eq!(rotation.cut(now + CUTS_WITHIN + SECOND), None, "the first is too long ago");
        let third = now + CUTS_WITHIN + 2 * SECOND;
        assert_eq!(rotation.cut(third), Some(58 * SECOND));
        assert!(rotation.rests());
        assert_eq!(rotation.due(), Some(third + 58 * SECOND));
        rotation.start();
        assert!(!rotation.rests());
    }

    #[test]
    fn compiling_anew_counts_from_the_start_to_its_own_answer() {
        let (mut rotation, now) = rotation();
        rotation.start();
        rotation.started(CallId(1), now);
        rotation.compiling(CallId(3));
        rotation.replied(CallId(1), now + SECOND, None);
        assert_eq!(rotation.compiled(CallId(1), now + SECOND), None);
        assert_eq!(rotation.compiled(CallId(3), now + 2 * SECOND), Some(2 * SECOND));
        assert_eq!(rotation.compiled(CallId(3), now + 2 * SECOND), None, "once");
    }

    #[test]
    fn a_window_lost_on_the_way_leads_to_a_new_start() {
        let (mut rotation, now) = rotation();
        rotation.start();
        rotation.turn();
        rotation.turned(CallId(1), now);
        rotation.replied(CallId(1), now, None);
        assert_eq!(rotation.turn(), None);
        assert!(rotation.due().is_some_and(|due| due <= now + SECOND));
    }

    #[test]
    fn dear_hand_overs_shorten_windows_and_cheap_ones_give_the_length_back() {
        let (mut rotation, _) = rotation();
        assert_eq!(rotation.adapt(Duration::from_millis(51), 1), Adapted::Shorter);
        assert_eq!(rotation.adapt(Duration::from_millis(1), LARGE_BYTES + 1), Adapted::Shorter);
        assert_eq!(rotation.length(), SECOND / 4);
        let mut grown = 0;
        for _ in 0..100 {
            grown += u32::from(rotation.adapt(Duration::from_millis(1), 1) == Adapted::Longer);
        }
        assert_eq!(rotation.length(), SECOND);
        assert!(grown < 10);
        for _ in 0..20 {
            rotation.adapt(SECOND, 1);
        }
        assert_eq!(rotation.length(), SHORTEST);
    }

    #[test]
    fn windows_are_a_minute_at_most() {
        let (mut rotation, now) = rotation();
        rotation.set_length(Duration::from_hours(1));
        assert_eq!(rotation.length(), LONGEST);
        assert_eq!(Rotation::new(Nonce::new(1), Duration::from_hours(1), now).length(), LONGEST);
    }

    #[test]
    fn waiting_for_a_blocked_loop_is_not_our_cost() {
        assert_eq!(cost_of(Duration::from_secs(3), 20_000), Duration::from_millis(2));
        assert_eq!(cost_of(Duration::from_millis(30), 1 << 20), Duration::from_millis(30));
    }
}
