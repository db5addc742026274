//! pprof: the format of Go's tools, Pyroscope, Parca and of flametop's own recordings.
//!
//! Written through prost messages ([`mod@write`]), read by a two-pass reader of our own ([`mod@read`]): half
//! the time of prost, a fiftieth of its memory, and it refuses what prost lets through.

#[cfg(test)]
mod hostile;
mod message;
mod read;
mod remarks;
mod samples;
mod scan;
mod stacks;
mod symbols;
mod tables;
#[cfg(test)]
mod tests;
mod threads;
mod wire;
mod write;

pub(super) use remarks::sentences;

use super::inflate::peek;
use super::{Export, Format, FormatSpec, Limits, ReadError, WriteError};
use crate::profile::Profile;
use std::io::Write;

/// Label keys of a thread, as Datadog's and Pyroscope's clients write them.
const PROCESS: &str = "process";
const THREAD_ID: &str = "thread id";
const THREAD_NAME: &str = "thread name";

const SPEC: FormatSpec = FormatSpec {
    name: "pprof",
    summary: "profile.proto, gzipped: go tool pprof, Pyroscope, Parca, speedscope",
    extension: "pb.gz",
    reads: true,
    writes: true,
};

/// The pprof format.
#[derive(Clone, Copy, Debug)]
pub struct Pprof;

impl Format for Pprof {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn recognise(&self, head: &[u8]) -> bool {
        looks_like_profile(&peek(head))
    }

    fn read(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
        read::read(bytes, limits).map(|profile| vec![profile])
    }

    fn write(&self, export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
        write::write(export, out)
    }
}

/// Whether bytes begin with a message field that begins with a field of that message. Text can begin
/// with a newline, which is also the tag of a sample type, so the tag alone proves nothing.
fn looks_like_profile(bytes: &[u8]) -> bool {
    match *bytes {
        [0x0a, length, inner, ..] => (2..=22).contains(&length) && matches!(inner, 0x08 | 0x10),
        [0x12, length, inner, ..] => length > 1 && matches!(inner, 0x08 | 0x0a | 0x10 | 0x12 | 0x1a),
        [0x1a, length, 0x08, ..] => length > 1,
        [0x32, 0, 0x32, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod recognise {
    use super::*;

    #[test]
    fn profiles_are_told_from_text() {
        for yes in [&[0x0a, 4, 0x08, 1, 0x10, 2][..], &[0x12, 9, 0x0a, 1], &[0x32, 0, 0x32, 3]] {
            assert!(Pprof.recognise(yes), "{yes:?}");
        }
        for no in [&b"\n\nmain;work 3"[..], b"{\"nodes\":[]}", b"main;work 3", b"", b"\n", b"2\n"] {
            assert!(!Pprof.recognise(no), "{no:?}");
        }
    }
}
