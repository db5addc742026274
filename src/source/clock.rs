//! The session's clock: monotonic time, shifted once to the wall clock.

use crate::profile::Moment;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Turns monotonic time into moments. One for the whole process, fixed at its first use.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    shift: i64,
}

impl Clock {
    /// The clock of this process.
    pub fn get() -> Self {
        static CLOCK: OnceLock<Clock> = OnceLock::new();
        *CLOCK.get_or_init(|| {
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Self { shift: i64::try_from(wall.as_nanos()).unwrap_or(i64::MAX) - monotonic() }
        })
    }

    /// Now.
    pub fn now(self) -> Moment {
        Moment(monotonic().saturating_add(self.shift))
    }

    /// What it is ahead of `CLOCK_MONOTONIC`, with which V8 stamps its samples, in nanoseconds.
    pub fn ahead(self) -> i64 {
        self.shift
    }
}

/// `CLOCK_MONOTONIC` in nanoseconds.
fn monotonic() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_runs_backwards_and_agrees_with_the_wall() {
        let clock = Clock::get();
        let (first, second) = (clock.now(), Clock::get().now());
        assert!(first <= second);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as i64;
        assert!((wall - second.0).abs() < 5_000_000_000);
    }
}
