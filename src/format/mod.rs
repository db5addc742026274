//! Profile formats: one file or directory a format, one line in [`FORMATS`].
//!
//! A format turns a [`Profile`] into bytes and bytes into profiles. It opens no files and asks no
//! clock: whoever exports brings the [`Export`] and the writer, whoever imports brings the bytes and
//! the [`Limits`]. Called by the exporter, the recorder, the file source and the HTTP source.
//!
//! Everything read here comes from strangers. Laws for every reader: any bytes give a sound profile or
//! an error, never a panic; nothing is allocated before a limit was asked; no recursion over data;
//! names pass through [`crate::profile::clean_name`].

mod amount;
mod chrome_trace;
mod cpuprofile;
mod error;
mod export;
mod firefox;
#[cfg(test)]
mod fixture;
mod folded;
mod gather;
mod heapprofile;
mod inflate;
mod jit;
mod json;
mod limits;
mod names;
mod otlp;
mod perf_script;
mod pprof;
mod promfiler;
mod sequence;
mod speedscope;
mod summary;
mod svg;
mod text;
mod top;
pub mod v8;
pub(crate) mod varint;
mod watt_html;
mod windows;

pub use error::{ReadError, WriteError};
pub use export::{Export, Purpose};
pub use inflate::{Unpacked, unpack};
pub use limits::{Limits, Strictness};
pub use pprof::Pprof;

use crate::profile::Profile;
use std::io::Write;

/// A format's name and texts, for help, README and file names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatSpec {
    /// Name for `--format`.
    pub name: &'static str,
    /// One line: what it is, and who opens it.
    pub summary: &'static str,
    /// What file names of the format end with, without the leading dot.
    pub extension: &'static str,
    /// Whether flametop reads it.
    pub reads: bool,
    /// Whether flametop writes it.
    pub writes: bool,
}

/// One format.
pub trait Format: Sync {
    /// Its texts.
    fn spec(&self) -> &'static FormatSpec;

    /// Whether a file that begins with `head` (a few hundred bytes of it) is of this format.
    ///
    /// Never, for a format that is only written.
    fn recognise(&self, _head: &[u8]) -> bool {
        false
    }

    /// The profiles in `bytes`, which are a whole file. Each is sound, and there is at least one.
    ///
    /// Refused, for a format that is only written.
    fn read(&self, _bytes: &[u8], _limits: &Limits) -> Result<Vec<Profile>, ReadError> {
        Err(ReadError::NotReadable { format: self.spec().name })
    }

    /// Writes the export to `out` as a whole file. The same export always gives the same bytes.
    fn write(&self, export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError>;
}

/// Every format. Recognising asks them in this order, so binary ones come before text, and folded stacks,
/// which have the least to be known by, last.
pub const FORMATS: &[&dyn Format] = &[
    &Pprof,
    &otlp::Otlp,
    &cpuprofile::CpuProfile,
    &heapprofile::HeapProfile,
    &speedscope::Speedscope,
    &chrome_trace::ChromeTrace,
    &firefox::Firefox,
    &perf_script::PerfScript,
    &promfiler::Promfiler,
    &watt_html::WattHtml,
    &top::Top,
    &svg::Svg,
    &summary::markdown::Markdown,
    &summary::json::Json,
    &folded::Folded,
];

/// The format of that name.
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.spec().name == name)
}

/// The readable format of a file that begins with `head`, by content and never by name.
pub fn recognise(head: &[u8]) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.spec().reads && format.recognise(head))
}

/// The writable format that a file name's ending asks for; the longest ending wins, so that a name which
/// asks for a format that is only read asks for no other.
pub fn by_extension(file_name: &str) -> Option<&'static dyn Format> {
    let asked = |format: &&dyn Format| {
        let stem = file_name.strip_suffix(format.spec().extension);
        stem.is_some_and(|stem| stem.ends_with('.'))
    };
    let longest = FORMATS.iter().copied().filter(asked).max_by_key(|format| format.spec().extension.len());
    longest.filter(|format| format.spec().writes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_extensions_are_unique_and_findable() {
        for (at, format) in FORMATS.iter().enumerate() {
            let spec = format.spec();
            assert!(FORMATS[..at].iter().all(|other| other.spec().name != spec.name));
            assert!(FORMATS[..at].iter().all(|other| other.spec().extension != spec.extension));
            assert_eq!(by_name(spec.name).map(Format::spec), Some(spec));
            let found = by_extension(&format!("out.{}", spec.extension)).map(Format::spec);
            assert_eq!(found, spec.writes.then_some(spec));
        }
        assert!(by_extension("pb.gz").is_none());
    }

    #[test]
    fn a_format_that_does_not_read_says_so() {
        for format in FORMATS.iter().filter(|format| !format.spec().reads) {
            let refused = format.read(b"", &Limits::default());
            assert!(matches!(refused, Err(ReadError::NotReadable { .. })), "{}", format.spec().name);
        }
    }
}
