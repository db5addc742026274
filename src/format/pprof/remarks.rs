//! What a pprof file says in its comments: sentences for people, and one or two lines for flametop.
//!
//! pprof has no field for the covered span, losses or frame kinds. Sentences state them for readers
//! of any tool; lines beginning with `#flametop`, which `go tool pprof` does not print, state them
//! once more for [`super::read`], so that a recorded window comes back as it was.

use crate::format::Export;
use crate::format::export::process_name;
use crate::profile::{Accumulation, Frame, FrameKind, Nanos, Profile, Sampling, ValueKind};
use rustc_hash::FxHashMap;
use std::fmt::Write;
use std::sync::Arc;

const FACTS: &str = "#flametop facts ";
const FRAMES: &str = "#flametop frames ";
const NOTE: &str = "note: ";

/// The sentences about an export, most general first.
pub(in crate::format) fn sentences(export: &Export<'_>) -> Vec<String> {
    let mut said = vec![origin(export)];
    said.extend(rate(&export.profile.sampling));
    said.extend(coverage(export.profile));
    said.extend(losses(&export.profile.sampling));
    let notes = export.profile.notes.iter().chain(export.notes);
    said.extend(notes.map(|note| format!("{NOTE}{note}")));
    said
}

fn origin(export: &Export<'_>) -> String {
    let target = export.target;
    let mut text = format!("flametop {}", env!("CARGO_PKG_VERSION"));
    // Writing to a string cannot fail.
    let _ = match (process_name(target), target.pid) {
        ("", None) => Ok(()),
        ("", Some(pid)) => write!(text, " of process {pid}"),
        (name, None) => write!(text, " of {name}"),
        (name, Some(pid)) => write!(text, " of {name}, process {pid}"),
    };
    for (word, value) in [(", ", &*target.kind), (" on ", export.host)] {
        if !value.is_empty() {
            let _ = write!(text, "{word}{value}");
        }
    }
    text
}

fn rate(sampling: &Sampling) -> Option<String> {
    if sampling.period == 0 {
        return None;
    }
    let asked = if sampling.period_bytes {
        format!("asked for a sample every {} bytes", sampling.period)
    } else {
        format!("asked for a sample every {}", millis(sampling.period))
    };
    Some(match sampling.achieved {
        0 => format!("{asked}; {} samples taken", sampling.taken),
        achieved => format!("{asked}, achieved {}; {} samples taken", millis(achieved), sampling.taken),
    })
}

fn coverage(profile: &Profile) -> Option<String> {
    let (covered, span) = (profile.covered, profile.span.length);
    let sentence = || format!("observed {:.3} s of {:.3} s", covered.as_secs_f64(), span.as_secs_f64());
    (covered < span).then(sentence)
}

fn losses(sampling: &Sampling) -> impl Iterator<Item = String> {
    let lost = (sampling.lost > 0).then(|| format!("{} samples were lost", sampling.lost));
    let cut = (sampling.truncated > 0)
        .then(|| format!("{} stacks were cut short by the runtime", sampling.truncated));
    lost.into_iter().chain(cut)
}

fn millis(nanos: u64) -> String {
    format!("{} ms", nanos as f64 / 1e6)
}

/// The line with everything about the profile as a whole; `kinds` in the order of the file.
pub(super) fn facts(profile: &Profile, kinds: &[&ValueKind]) -> String {
    let how = &profile.sampling;
    let accumulation: String = kinds.iter().map(|kind| letter(kind.accumulation)).collect();
    format!(
        "{FACTS}accumulation={accumulation} covered={} period={} achieved={} taken={} lost={} truncated={} \
         handover={} handover_bytes={}",
        profile.covered.0,
        how.period,
        how.achieved,
        how.taken,
        how.lost,
        how.truncated,
        how.handover.0,
        how.handover_bytes
    )
}

fn letter(accumulation: Accumulation) -> char {
    match accumulation {
        Accumulation::Delta => 'd',
        Accumulation::Level => 'l',
    }
}

/// The line with kinds and columns of functions that the usual rules would get wrong, if there are any.
///
/// It names functions by their ids, which hold only while nobody rewrites the tables: `digest` tells.
pub(super) fn exceptions(frames: &[(u64, &Frame)], digest: u64) -> Option<String> {
    if frames.is_empty() {
        return None;
    }
    let mut line = format!("{FRAMES}{digest:016x}");
    for (id, frame) in frames {
        // Writing to a string cannot fail.
        let _ = write!(line, " {id}={}:{}", frame.kind.as_str(), frame.column);
    }
    Some(line)
}

/// A digest of the function table, from the names in the order of ids: FNV-1a, which needs no package
/// and will be the same in every version.
pub(super) fn digest<'a>(names: impl Iterator<Item = &'a [u8]>) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    names.fold(0xcbf2_9ce4_8422_2325, |hash, name| mix(name.iter().fold(hash, |h, b| mix(h, *b)), 0xff))
}

/// What the comments of a file say.
#[derive(Default)]
pub(super) struct Remarks {
    /// Figures of the line of facts, if flametop wrote the file.
    facts: Option<FxHashMap<String, String>>,
    /// Kinds and columns by function id, with the digest they hold for.
    exceptions: FxHashMap<u64, (FrameKind, u32)>,
    digest: u64,
    /// Sentences to keep.
    pub notes: Vec<Arc<str>>,
}

impl Remarks {
    /// Reads the comments of a file, cleaned.
    pub fn parse(comments: &[Arc<str>], exceptions: &str) -> Self {
        let mut remarks = Self::default();
        remarks.read_exceptions(exceptions);
        remarks.facts = comments.iter().find_map(|comment| comment.strip_prefix(FACTS)).map(parse_facts);
        let ours = remarks.facts.is_some();
        let shown = comments.iter().filter(|comment| !comment.starts_with('#'));
        remarks.notes = if ours {
            shown.filter_map(|comment| comment.strip_prefix(NOTE)).map(Arc::from).collect()
        } else {
            shown.cloned().collect()
        };
        remarks
    }

    /// Whether a comment is the line of exceptions, which is too long to be cleaned as a name.
    pub fn is_exceptions(comment: &[u8]) -> bool {
        comment.starts_with(FRAMES.as_bytes())
    }

    fn read_exceptions(&mut self, line: &str) {
        let mut words = line.strip_prefix(FRAMES).unwrap_or_default().split(' ');
        self.digest = words.next().and_then(|word| u64::from_str_radix(word, 16).ok()).unwrap_or(0);
        self.exceptions = words.filter_map(parse_exception).collect();
    }

    /// The kind and column stated for a function, if the function table has the digest it was stated for.
    pub fn exception(&self, id: u64) -> Option<(FrameKind, u32)> {
        self.exceptions.get(&id).copied()
    }

    /// Forgets the exceptions unless the function table is the one they were written with.
    pub fn hold_for(&mut self, digest: impl FnOnce() -> u64) {
        if !self.exceptions.is_empty() && digest() != self.digest {
            self.exceptions.clear();
        }
    }

    fn figure(&self, name: &str) -> Option<u64> {
        self.facts.as_ref()?.get(name)?.parse().ok()
    }

    /// The covered span, if stated.
    pub fn covered(&self) -> Option<Nanos> {
        self.figure("covered").map(Nanos)
    }

    /// How the kind in column `at` of `of` accumulates, if stated.
    pub fn accumulation(&self, at: usize, of: usize) -> Option<Accumulation> {
        let letters = self.facts.as_ref()?.get("accumulation")?.as_bytes();
        match letters.get(at).filter(|_| letters.len() == of)? {
            b'd' => Some(Accumulation::Delta),
            b'l' => Some(Accumulation::Level),
            _ => None,
        }
    }

    /// Puts the stated figures into `sampling`; those not stated stay.
    pub fn fill(&self, sampling: &mut Sampling) {
        let set = |name: &str, to: &mut u64| *to = self.figure(name).unwrap_or(*to);
        set("period", &mut sampling.period);
        set("achieved", &mut sampling.achieved);
        set("taken", &mut sampling.taken);
        set("lost", &mut sampling.lost);
        set("truncated", &mut sampling.truncated);
        set("handover", &mut sampling.handover.0);
        set("handover_bytes", &mut sampling.handover_bytes);
    }
}

fn parse_facts(line: &str) -> FxHashMap<String, String> {
    let pairs = line.split(' ').filter_map(|word| word.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn parse_exception(word: &str) -> Option<(u64, (FrameKind, u32))> {
    let (id, stated) = word.split_once('=')?;
    let (kind, column) = stated.split_once(':')?;
    Some((id.parse().ok()?, (FrameKind::parse(kind)?, column.parse().ok()?)))
}
