//! `.cpuprofile`: V8's CPU profile as Node (`--cpu-prof`) and browsers save it.
//!
//! <https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile>

mod old;
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
    name: "cpuprofile",
    summary: "V8's CPU profile, one thread: Chrome DevTools, VS Code, node --cpu-prof",
    extension: "cpuprofile",
    reads: true,
    writes: true,
};

/// The `.cpuprofile` format.
#[derive(Clone, Copy, Debug)]
pub struct CpuProfile;

impl Format for CpuProfile {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let keys = Head::of(&peek(head));
        ["", "profile.", "result.profile."].iter().any(|at| {
            let has = |key: &str| keys.has(&format!("{at}{key}"));
            has("nodes[].callFrame") || (has("timeDeltas") && has("samples")) || has("head.hitCount")
        })
    }

    fn read(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
        read::read(bytes, limits)
    }

    fn write(&self, export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
        write::write(export, out)
    }
}
