//! speedscope's own JSON: several profiles over one list of functions, sampled or evented.
//!
//! <https://www.speedscope.app/file-format-schema.json>

mod read;
#[cfg(test)]
mod tests;
mod write;

use super::inflate::peek;
use super::json::Head;
use super::{Export, Format, FormatSpec, Limits, ReadError, WriteError};
use crate::profile::Profile;
use std::io::Write;

const SPEC: FormatSpec = FormatSpec {
    name: "speedscope",
    summary: "speedscope's JSON, every thread and sample type: speedscope.app; also what rbspy and py-spy write",
    extension: "speedscope.json",
    reads: true,
    writes: true,
};
const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";
/// What the exporter of our own files is called before its version.
const EXPORTER: &str = "flametop ";

/// The speedscope format.
#[derive(Clone, Copy, Debug)]
pub struct Speedscope;

impl Format for Speedscope {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let keys = Head::of(&peek(head));
        let is_kind = |kind: &str| matches!(kind, "sampled" | "evented");
        keys.says("$schema", |schema| schema == SCHEMA)
            || keys.has("shared.frames[].name")
            || keys.says("profiles[].type", is_kind)
    }

    fn read(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
        read::read(bytes, limits)
    }

    fn write(&self, export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
        write::write(export, out)
    }
}
