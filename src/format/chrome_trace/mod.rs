//! Chrome traces with CPU profiles in them: of the performance panel, `--trace-startup`, the inspector.
//!
//! Only read, and of it only the pieces of V8's profiles (`ProfileChunk`) and the names of threads.
//! <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>

mod chunks;
mod events;
#[cfg(test)]
mod tests;

use super::inflate::peek;
use super::json::{Document, Head, unpacked};
use super::v8::Gathered;
use super::{Export, Format, FormatSpec, Limits, ReadError, WriteError};
use crate::profile::Profile;
use chunks::Chunks;
use std::io::Write;

const SPEC: FormatSpec = FormatSpec {
    name: "chrome-trace",
    summary: "Chrome trace with CPU profiles: DevTools' performance panel, Node's trace events",
    extension: "trace.json",
    reads: true,
    writes: false,
};

/// The Chrome trace format.
#[derive(Clone, Copy, Debug)]
pub struct ChromeTrace;

impl Format for ChromeTrace {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let keys = Head::of(&peek(head));
        keys.has("traceEvents")
            || (keys.has("[].ph") && (keys.has("[].pid") || keys.has("[].ts")))
            // DevTools describes the machine first, at any length.
            || keys.says("metadata.source", |source| source == "DevTools")
    }

    fn read(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
        let bytes = unpacked(bytes, limits)?;
        let document = Document::new(SPEC.name, &bytes)?;
        let mut chunks = Chunks::default();
        let is_whole = events::each(&document, |event| chunks.take(&document, &event))?;
        let mut gathered = Gathered::new();
        if !is_whole {
            gathered.note("the trace ends in the middle: whoever wrote it was stopped");
        }
        chunks.finish(&document, &mut gathered)?;
        let timeline = gathered.finish();
        Ok(timeline.windows(limits))
    }

    fn write(&self, _: &Export<'_>, _: &mut dyn Write) -> Result<(), WriteError> {
        Err(WriteError::NotWritable { format: SPEC.name })
    }
}
