//! What `perf script` prints: one sample after another, with its time and its stack, leaf first.
//!
//! The fields are those that perf prints when it is not told which; `man perf-script` describes them.

mod line;
mod overview;
mod read;
#[cfg(test)]
mod tests;

use super::inflate::peek;
use super::text::{head_lines, is_text};
use super::{Export, Format, FormatSpec, Limits, ReadError, WriteError};
use crate::profile::Profile;
use std::io::Write;

const SPEC: FormatSpec = FormatSpec {
    name: "perf-script",
    summary: "what perf script prints, with times and threads; JIT names of Node become functions",
    extension: "perf",
    reads: true,
    writes: false,
};

/// What stands at the top when perf is asked for a header.
const BANNER: &[u8] = b"# ========\n# captured on";

/// The text of `perf script`.
#[derive(Clone, Copy, Debug)]
pub struct PerfScript;

impl Format for PerfScript {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let head = peek(head);
        let mut lines = head_lines(&head).filter(|line| !line.is_empty() && !line.starts_with(b"#"));
        let is_header = |line: &[u8]| line::Header::parse(line).is_some();
        head.starts_with(BANNER) || (is_text(&head) && lines.next().is_some_and(is_header))
    }

    fn read(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
        read::read(bytes, limits).map(|profile| vec![profile])
    }

    fn write(&self, _: &Export<'_>, _: &mut dyn Write) -> Result<(), WriteError> {
        Err(WriteError::NotWritable { format: SPEC.name })
    }
}
