//! The Firefox Profiler's own format, "processed", as <https://profiler.firefox.com> saves and opens it.
//!
//! Written in one fixed version, which every front end upgrades for good; read in a range of versions
//! (<https://github.com/firefox-devtools/profiler/blob/main/docs-developer/CHANGELOG-formats.md>).

mod read;
mod tables;
#[cfg(test)]
mod tests;
mod write;

use super::inflate::peek;
use super::json::Head;
use super::{Export, Format, FormatSpec, Limits, ReadError, WriteError};
use crate::profile::{FrameKind, Profile};
use std::io::Write;

const SPEC: FormatSpec = FormatSpec {
    name: "firefox",
    summary: "Firefox Profiler, every thread in time: profiler.firefox.com, Perfetto, samply",
    extension: "firefox.json.gz",
    reads: true,
    writes: true,
};

/// The Firefox Profiler's format.
#[derive(Clone, Copy, Debug)]
pub struct Firefox;

impl Format for Firefox {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let keys = Head::of(&peek(head));
        keys.has("meta.preprocessedProfileVersion")
            || (keys.has("meta.interval") && keys.has("meta.processType"))
    }

    fn read(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
        read::read(bytes, limits)
    }

    fn write(&self, export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
        write::write(export, out)
    }
}

/// Categories of our files, by which functions are coloured: name, colour, kinds.
const CATEGORIES: [(&str, &str, &[FrameKind]); 6] = [
    ("Other", "grey", &[FrameKind::Program, FrameKind::Truncated, FrameKind::Other]),
    ("JavaScript", "yellow", &[FrameKind::Js, FrameKind::Builtin]),
    ("Native", "blue", &[FrameKind::Native]),
    ("Kernel", "orange", &[FrameKind::Kernel]),
    ("GC", "purple", &[FrameKind::Gc]),
    ("Idle", "transparent", &[FrameKind::Idle]),
];
