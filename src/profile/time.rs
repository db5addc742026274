//! Moments and lengths of time on the one clock of a session.
//!
//! The clock is the monotonic one, shifted once, at the start, to the wall clock: so moments can be
//! shown as times of day and still never run backwards when the wall clock is set.

use serde::{Deserialize, Serialize};
use std::ops::{Add, Sub};

/// A point in time: nanoseconds since the Unix epoch on the session's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Moment(pub i64);

/// A length of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Nanos(pub u64);

impl Nanos {
    /// A length of whole milliseconds.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms * 1_000_000)
    }

    /// A length of whole seconds.
    pub const fn from_secs(s: u64) -> Self {
        Self(s * 1_000_000_000)
    }

    /// This length in seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// This length in milliseconds.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl From<std::time::Duration> for Nanos {
    fn from(d: std::time::Duration) -> Self {
        Self(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for std::time::Duration {
    fn from(n: Nanos) -> Self {
        Self::from_nanos(n.0)
    }
}

impl Add for Nanos {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Add<Nanos> for Moment {
    type Output = Self;
    fn add(self, length: Nanos) -> Self {
        Self(self.0.saturating_add(i64::try_from(length.0).unwrap_or(i64::MAX)))
    }
}

impl Sub<Nanos> for Moment {
    type Output = Self;
    fn sub(self, length: Nanos) -> Self {
        Self(self.0.saturating_sub(i64::try_from(length.0).unwrap_or(i64::MAX)))
    }
}

impl Moment {
    /// The time from `earlier` to this moment; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Nanos {
        Nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A stretch of time: from `start`, `length` long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First moment of the stretch.
    pub start: Moment,
    /// Its length.
    pub length: Nanos,
}

impl Span {
    /// The stretch between two moments; empty when they are out of order.
    pub fn between(start: Moment, end: Moment) -> Self {
        Self { start, length: end.since(start) }
    }

    /// The first moment after the stretch.
    pub fn end(self) -> Moment {
        self.start + self.length
    }

    /// How much of this stretch lies inside `other`.
    pub fn overlap(self, other: Self) -> Nanos {
        self.end().min(other.end()).since(self.start.max(other.start))
    }

    /// The smallest stretch that holds both.
    pub fn union(self, other: Self) -> Self {
        Self::between(self.start.min(other.start), self.end().max(other.end()))
    }

    /// Whether `moment` lies inside (the end is outside).
    pub fn contains(self, moment: Moment) -> bool {
        self.start <= moment && moment < self.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_is_the_shared_part() {
        let a = Span::between(Moment(0), Moment(10));
        let b = Span::between(Moment(6), Moment(20));
        assert_eq!(a.overlap(b), Nanos(4));
        assert_eq!(b.overlap(a), Nanos(4));
        assert_eq!(a.overlap(Span::between(Moment(10), Moment(11))), Nanos(0));
    }

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(Moment(i64::MAX) + Nanos(5), Moment(i64::MAX));
        assert_eq!(Moment(3).since(Moment(9)), Nanos(0));
    }
}
