//! Recordings: everything a session's sources said, in a SQLite database.
//!
//! [`Writer`] writes one, [`Reader`] gives the same [`Event`](crate::feed::Event)s back. Called by the
//! recorder sink, the replay source and exporters; knows no session and no screen.
//!
//! # The file
//!
//! | table | a row is |
//! |---|---|
//! | `meta` | a fact about the recording: `flametop`, `host`, `started`, and `finished` once it was closed in order |
//! | `targets` | a target that was reached, or reached again |
//! | `windows` | a window of samples: its time, what was taken and lost, and its samples, twice (below) |
//! | `gauges` | one figure of one moment, the `place`th of `places` taken together |
//! | `notes` | a note, or with `level = 'mark'` a mark of the user |
//! | `states` | a change of a source's state, or its end, as JSON |
//! | `frames` | a function that any window mentions |
//!
//! Events are numbered by `seq` over all tables, without holes. Times are nanoseconds since 1970,
//! lengths nanoseconds. Each row ends with `crc`, a checksum over its other columns. The format's
//! number is SQLite's `user_version`.
//!
//! A window's samples are there twice: `pprof` is a gzipped pprof profile for every tool that opens
//! one (idle time left out, as in any export), `detail` is the window as flametop has it, with sample
//! times and all that pprof has no place for, so that a replay equals the life it recorded.
//!
//! # Asking it without flametop
//!
//! ```sql
//! -- the windows, and what is missing from them
//! SELECT seq, datetime(start / 1000000000, 'unixepoch') AS utc, length / 1e9 AS seconds, taken, lost, truncated
//! FROM windows;
//! -- one window for `go tool pprof`
//! SELECT writefile('window.pb.gz', pprof) FROM windows WHERE seq = 12;
//! -- the worst second of the event loop, and the marks
//! SELECT datetime(at / 1000000000, 'unixepoch') AS utc, max(value) FROM gauges WHERE gauge = 'delay max';
//! SELECT datetime(sent / 1000000000, 'unixepoch') AS utc, text FROM notes WHERE level = 'mark';
//! ```

mod bounds;
mod error;
mod hold;
mod place;
mod reader;
#[cfg(test)]
mod tests;
mod v1;
mod writer;

pub use bounds::{Bounds, LetGo};
pub use error::RecordError;
pub use place::{EXTENSION, Place};
pub use reader::{About, Reader, is_recording};
pub use writer::Writer;

/// `ftop`: SQLite's mark of whose a database is, at byte 68.
const APPLICATION_ID: u32 = u32::from_be_bytes(*b"ftop");
