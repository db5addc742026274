//! Recordings: everything a session's sources said, in a SQLite database.
//!
//! [`Writer`] writes one, [`Reader`] gives the same [`Event`](crate::feed::Event)s back. Called by the
//! recorder sink, the replay source and exporters; knows no session and no screen.
//!
//! # The file
//!
//! README describes it table by table, column by column, with queries that can be put to it; a test holds that to the
//! tables that are written. Events are numbered by `seq` over all tables. Numbers are missing only where the recording
//! let its oldest events go (`v1/keep.rs`). The format's number is SQLite's `user_version`.
//!
//! A window's samples are there twice: `pprof` is a gzipped pprof profile for every tool that opens
//! one (idle time left out, as in any export), `detail` is the window as flametop has it, with sample
//! times and all that pprof has no place for, so that a replay equals the life it recorded.

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
