//! OTLP profiles: the profiling signal of OpenTelemetry, `opentelemetry.proto.profiles.v1development`.
//!
//! One file is a `ProfilesData` message, which on the wire equals the request that collectors take. The
//! messages are those of opentelemetry-proto 1.10 and later, where a stack is an entry of a table.
//! <https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/profiles/v1development/profiles.proto>

mod attributes;
mod dictionary;
mod message;
mod read;
#[cfg(test)]
mod tests;
mod write;

use super::inflate::peek;
use super::{Export, Format, FormatSpec, Limits, ReadError, WriteError};
use crate::profile::Profile;
use std::io::Write;

/// Attribute keys of processes, threads and frames, as OpenTelemetry's conventions have them.
mod key {
    pub(super) const PID: &str = "process.pid";
    pub(super) const EXECUTABLE: &str = "process.executable.path";
    pub(super) const SERVICE: &str = "service.name";
    pub(super) const HOST: &str = "host.name";
    pub(super) const THREAD_ID: &str = "thread.id";
    pub(super) const THREAD_NAME: &str = "thread.name";
    /// The column of the function, at locations of other lines of it.
    pub(super) const START_COLUMN: &str = "flametop.start_column";
    pub(super) const FRAME_TYPE: &str = "profile.frame.type";
    /// Keys of our own, for what the format has no field for.
    pub(super) const COVERED: &str = "flametop.covered_ns";
    pub(super) const TAKEN: &str = "flametop.samples_taken";
    pub(super) const LOST: &str = "flametop.samples_lost";
    pub(super) const TRUNCATED: &str = "flametop.stacks_truncated";
    pub(super) const NOTES: &str = "flametop.notes";
}

/// Parts the notes in their attribute.
const NOTE_END: char = '\n';

const SPEC: FormatSpec = FormatSpec {
    name: "otlp",
    summary: "OpenTelemetry profiles (v1development): collectors, Pyroscope",
    extension: "otlp.pb",
    reads: true,
    writes: true,
};

/// The OTLP format.
#[derive(Clone, Copy, Debug)]
pub struct Otlp;

impl Format for Otlp {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn recognise(&self, head: &[u8]) -> bool {
        looks_like_resource(&peek(head))
    }

    fn read(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
        read::read(bytes, limits).map_err(ours)
    }

    fn write(&self, export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
        out.write_all(&write::encode(export)?)?;
        Ok(())
    }
}

/// A fault of the wire format, which is found by pprof's walk over it, as one of this format.
fn ours(error: ReadError) -> ReadError {
    match error {
        ReadError::Malformed { offset, cause, .. } => {
            ReadError::Malformed { format: SPEC.name, offset, cause }
        }
        other => other,
    }
}

/// Whether bytes begin with the profiles of a resource: a field 1 that begins with a resource, or with
/// profiles of a scope, which again begin as such do.
fn looks_like_resource(bytes: &[u8]) -> bool {
    let Some((0x0a, resource)) = opened(bytes) else { return false };
    match opened(resource) {
        Some((0x0a, attributes)) => {
            attributes.is_empty() || opened(attributes).is_some_and(|(tag, _)| tag == 0x0a)
        }
        Some((0x12, scope)) => opened(scope).is_some_and(|(tag, _)| matches!(tag, 0x0a | 0x12)),
        _ => false,
    }
}

/// The tag of the first field of a message, whose value has a length, and what follows the length.
fn opened(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let last = rest.iter().take(5).position(|byte| *byte < 0x80)?;
    let length = rest[..=last].iter().rev().fold(0u64, |sum, byte| sum << 7 | u64::from(byte & 0x7f));
    let inside = &rest[last + 1..];
    // The head of a file ends before most of its fields do.
    Some((*tag, &inside[..inside.len().min(usize::try_from(length).ok()?)]))
}
