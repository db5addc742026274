//! `.heapprofile`: V8's sampling heap profile as Node (`--heap-prof`) and browsers save it.
//!
//! <https://chromedevtools.github.io/devtools-protocol/tot/HeapProfiler/#type-SamplingHeapProfile>

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
    name: "heapprofile",
    summary: "V8's sampling heap profile: Chrome DevTools, VS Code, node --heap-prof",
    extension: "heapprofile",
    reads: true,
    writes: true,
};

/// The `.heapprofile` format.
#[derive(Clone, Copy, Debug)]
pub struct HeapProfile;

impl Format for HeapProfile {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let keys = Head::of(&peek(head));
        ["", "profile.", "result.profile."].iter().any(|at| keys.has(&format!("{at}head.selfSize")))
    }

    fn read(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
        read::read(bytes, limits).map(|profile| vec![profile])
    }

    fn write(&self, export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
        write::write(export, out)
    }
}
