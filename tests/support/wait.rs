//! Waiting for a condition with a deadline: the only place in the tests that may sleep.

use std::thread;
use std::time::{Duration, Instant};

/// Short enough to cost a test nothing, long enough to leave the two cores to the target.
const POLL: Duration = Duration::from_millis(5);

/// Waits until `condition` holds, or fails the test naming `what` was waited for.
#[track_caller]
pub fn wait_for(what: &str, within: Duration, mut condition: impl FnMut() -> bool) {
    wait_for_value(what, within, || condition().then_some(()));
}

/// Waits until `attempt` yields a value, or fails the test naming `what` was waited for.
#[track_caller]
pub fn wait_for_value<T>(what: &str, within: Duration, attempt: impl FnMut() -> Option<T>) -> T {
    poll(within, attempt).unwrap_or_else(|| panic!("waited {within:?} in vain for {what}"))
}

/// Tries `attempt` until it yields a value; after the deadline `None`, for callers who can say more.
pub fn poll<T>(within: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(value) = attempt() {
            return Some(value);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(POLL);
    }
}

/// Checks that `condition` holds and goes on holding for the whole of `span`.
#[track_caller]
pub fn holds_for(what: &str, span: Duration, mut condition: impl FnMut() -> bool) {
    let broken = poll(span, || (!condition()).then_some(()));
    assert!(broken.is_none(), "stopped being true within {span:?}: {what}");
}
