//! What a recording may hold at most, and what was let go to keep within it.

use crate::profile::{Moment, Nanos};
use std::fmt;

/// The bounds of a recording. There is always one on time and one on size: it may run for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Windows and gauges sent longer than this before the newest are let go.
    pub keep: Nanos,
    /// Bytes of the file that are in use.
    pub max_bytes: u64,
}

impl Default for Bounds {
    /// A day, and one GiB.
    fn default() -> Self {
        Self { keep: Nanos::from_secs(24 * 3600), max_bytes: 1 << 30 }
    }
}

/// What a recording says of its beginning that was let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LetGo {
    /// Everything that was sent after this is there.
    pub since: Moment,
    /// Windows let go.
    pub windows: u64,
}

impl fmt::Display for LetGo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = jiff::Timestamp::from_nanosecond(i128::from(self.since.0)).unwrap_or_default();
        let since = since.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let (windows, s) = (self.windows, if self.windows == 1 { "" } else { "s" });
        write!(
            f,
            "the recording is whole from {since} on: {windows} window{s} before that went by its bounds"
        )
    }
}
