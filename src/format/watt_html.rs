//! A recording of Watt Admin: one HTML file with the viewer and, as a JavaScript literal that is JSON,
//! what was recorded: charts, and for each application the bytes of a pprof profile.
//!
//! `window.LOADED_JSON = {"profile":{"api":{"0":10,"1":4,...}},"type":"cpu",...}`: a key a byte, as
//! JavaScript writes a `Uint8Array`. Applications ran at the same time, so they are lanes of one profile.

use super::inflate::peek;
use super::pprof::Pprof;
use super::{Export, Format, FormatSpec, Limits, ReadError, Strictness, WriteError, unpack};
use crate::profile::{Profile, Span, clean_name};
use regex::bytes::Regex;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::io::Write;
use std::sync::{Arc, LazyLock};

const SPEC: FormatSpec = FormatSpec {
    name: "watt-html",
    summary: "a recording of Watt Admin: the profiles in it",
    extension: "html",
    reads: true,
    writes: false,
};

/// Where the data begins; the viewer's code names the variable too, but assigns no literal to it.
static DATA: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\bLOADED_JSON\s*=\s*\{").expect("the pattern is valid"));
/// Applications of a recording.
const MOST_APPLICATIONS: usize = 256;

/// The recordings of Watt Admin.
#[derive(Clone, Copy, Debug)]
pub struct WattHtml;

impl Format for WattHtml {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let head = peek(head).to_ascii_lowercase();
        let has = |mark: &[u8]| head.windows(mark.len()).any(|window| window == mark);
        head.trim_ascii_start().starts_with(b"<!doctype html")
            && (has(b"<title>watt admin</title>") || has(b"loaded_json"))
    }

    fn read(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
        let unpacked = unpack(bytes, limits)?;
        let mut applications = Vec::new();
        let mut failed = Vec::new();
        for (name, bytes) in recording(&unpacked.bytes)?.profile.0 {
            match Pprof.read(&bytes, limits) {
                Ok(profiles) => applications.extend(profiles.into_iter().map(|read| (name.clone(), read))),
                Err(error) if limits.strictness == Strictness::Strict => return Err(error),
                Err(error) => failed.push((name, error)),
            }
        }
        let mut joined = join(applications);
        match (joined.first_mut(), failed.pop()) {
            (None, Some((_, error))) => Err(error),
            (None, None) => Err(fault(0, "the recording has no profile in it")),
            (Some(first), last) => {
                let unread = failed.into_iter().chain(last);
                first.notes.extend(unread.map(|(name, error)| {
                    Arc::from(format!("the profile of {} was not read: {error}", clean_name(&name)))
                }));
                first.notes.push("the charts of the recording are not shown".into());
                Ok(joined)
            }
        }
    }

    fn write(&self, _: &Export<'_>, _: &mut dyn Write) -> Result<(), WriteError> {
        Err(WriteError::NotWritable { format: SPEC.name })
    }
}

fn fault(offset: usize, cause: impl Into<String>) -> ReadError {
    ReadError::Malformed { format: SPEC.name, offset: offset as u64, cause: cause.into() }
}

/// What was recorded, as far as we read it; the rest is passed over.
#[derive(Default, Deserialize)]
struct Recording {
    #[serde(default)]
    profile: Applications,
}

fn recording(html: &[u8]) -> Result<Recording, ReadError> {
    let Some(found) = DATA.find(html) else {
        return Err(fault(html.len(), "there is no LOADED_JSON in it"));
    };
    let start = found.end() - 1;
    // The script goes on behind the literal, so only its beginning is JSON.
    let mut values = serde_json::Deserializer::from_slice(&html[start..]).into_iter::<Recording>();
    match values.next() {
        Some(Ok(recording)) => Ok(recording),
        Some(Err(error)) => {
            Err(fault(start + place(&html[start..], &error), format!("LOADED_JSON: {error}")))
        }
        None => Err(fault(start, "there is nothing in LOADED_JSON")),
    }
}

/// The byte that an error is at.
fn place(json: &[u8], error: &serde_json::Error) -> usize {
    let lines = json.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.take(error.line().saturating_sub(1)).map(<[u8]>::len).sum();
    before + error.column().saturating_sub(1)
}

/// The bytes of each application's profile, in the order of the file.
#[derive(Default)]
struct Applications(Vec<(String, Vec<u8>)>);

impl<'de> Deserialize<'de> for Applications {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ApplicationsVisitor)
    }
}

struct ApplicationsVisitor;

impl<'de> Visitor<'de> for ApplicationsVisitor {
    type Value = Applications;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("profiles by application")
    }

    fn visit_unit<E: Error>(self) -> Result<Applications, E> {
        Ok(Applications::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Applications, A::Error> {
        let mut found = Vec::new();
        while let Some((name, bytes)) = map.next_entry::<String, Bytes>()? {
            if found.len() >= MOST_APPLICATIONS {
                return Err(A::Error::custom(format!("more than {MOST_APPLICATIONS} applications")));
            }
            // An application whose profile failed has none.
            if !bytes.0.is_empty() {
                found.push((name, bytes.0));
            }
        }
        Ok(Applications(found))
    }
}

/// Bytes as JavaScript writes an array of them: an object of indices, a list, or a list in a `Buffer`.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BytesVisitor).map(Self)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a profile")
    }

    fn visit_unit<E: Error>(self) -> Result<Vec<u8>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = list.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.parse::<usize>() {
                Ok(index) if index == bytes.len() => bytes.push(map.next_value()?),
                Ok(index) => return Err(A::Error::custom(format!("byte {index} is not in its place"))),
                Err(_) if key == "data" => bytes = map.next_value::<Bytes>()?.0,
                Err(_) => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(bytes)
    }
}

/// One profile of all applications whose profiles have the same kinds, each on lanes of its own.
fn join(applications: Vec<(String, Profile)>) -> Vec<Profile> {
    let mut joined: Vec<Profile> = Vec::new();
    for (name, mut profile) in applications {
        for lane in &mut profile.lanes {
            let thread = &lane.thread.name;
            let whole = if thread.is_empty() { name.clone() } else { format!("{name} {thread}") };
            lane.thread.name = clean_name(&whole);
        }
        match joined.iter_mut().find(|known| known.kinds == profile.kinds) {
            Some(known) => add(known, profile),
            None => joined.push(profile),
        }
    }
    joined
}

/// Puts the lanes of a profile beside those of another.
fn add(to: &mut Profile, from: Profile) {
    let span = to.span.union(from.span);
    let later = |part: Span| part.start.since(span.start).0;
    let (first, second) = (later(to.span), later(from.span));
    shift(to, 0, first);
    let (nodes, frames) = (to.nodes.len() as u32 - 1, to.frames.len() as u32);
    to.nodes.extend(from.nodes.iter().skip(1).map(|node| crate::profile::ProfileNode {
        parent: if node.parent == 0 { 0 } else { node.parent + nodes },
        frame: node.frame + frames,
    }));
    let mut from = from;
    shift(&mut from, nodes, second);
    to.frames.extend(from.frames);
    to.lanes.extend(from.lanes);
    to.notes.extend(from.notes);
    (to.span, to.covered) = (span, to.covered.max(from.covered));
    to.sampling.taken = to.sampling.taken.saturating_add(from.sampling.taken);
    to.sampling.lost = to.sampling.lost.saturating_add(from.sampling.lost);
    to.sampling.truncated = to.sampling.truncated.saturating_add(from.sampling.truncated);
}

/// Renumbers the nodes of every lane, but for the root, and moves its times.
fn shift(profile: &mut Profile, nodes: u32, nanos: u64) {
    let moved = |node: &mut u32| *node += if *node == 0 { 0 } else { nodes };
    for lane in &mut profile.lanes {
        lane.nodes.iter_mut().for_each(moved);
        lane.lines.iter_mut().for_each(|line| moved(&mut line.0));
        for run in &mut lane.runs {
            moved(&mut run.node);
            run.offset = run.offset.saturating_add(nanos);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Export, fixture};
    use crate::profile::{Moment, Nanos};
    use proptest::prelude::*;

    const RECORDED: &[u8] = include_bytes!("../../tests/data/watt-admin.html.gz");

    fn html(data: &str) -> String {
        format!("<!doctype html><title>Watt admin</title><script>window.LOADED_JSON = {data};x()</script>")
    }

    fn read(html: &str) -> Result<Vec<Profile>, ReadError> {
        let profiles = WattHtml.read(html.as_bytes(), &Limits::default());
        profiles.inspect(|profiles| assert!(profiles.iter().all(Profile::is_sound)))
    }

    fn pprof(profile: &Profile) -> Vec<u8> {
        let mut file = Vec::new();
        let target = fixture::target();
        Pprof.write(&Export::new(profile, &target), &mut file).expect("a vector takes every byte");
        file
    }

    fn as_object(bytes: &[u8]) -> String {
        let entries: Vec<String> =
            bytes.iter().enumerate().map(|(at, byte)| format!("\"{at}\":{byte}")).collect();
        format!("{{{}}}", entries.join(","))
    }

    #[test]
    fn the_applications_of_a_recording_are_lanes_of_one_profile() {
        assert!(WattHtml.recognise(&RECORDED[..RECORDED.len().min(512)]));
        let profiles = WattHtml.read(RECORDED, &Limits::default()).expect("readable");
        let [profile] = &profiles[..] else { panic!("{} profiles", profiles.len()) };
        assert!(profile.is_sound());
        let lanes: Vec<&str> = profile.lanes.iter().map(|lane| &*lane.thread.name).collect();
        assert_eq!(lanes, ["shop", "find"]);
        let kinds: Vec<&str> = profile.kinds.iter().map(|kind| &*kind.name).collect();
        assert_eq!(kinds, ["sample", "wall"]);
        for name in ["checkout", "search"] {
            assert!(profile.frames.iter().any(|frame| &*frame.name == name), "{name}");
        }
        assert!(profile.notes.iter().any(|note| note.contains("charts")));
    }

    #[test]
    fn bytes_may_be_an_object_a_list_or_a_buffer() {
        let file = pprof(&fixture::cpu());
        let list = format!("{file:?}");
        for bytes in [as_object(&file), list.clone(), format!("{{\"type\":\"Buffer\",\"data\":{list}}}")] {
            let data = format!(
                "{{\"metrics\":[[1,{{}}]],\"profile\":{{\"api\":{bytes},\"dead\":null}},\"type\":\"cpu\"}}"
            );
            let profiles = read(&html(&data)).expect("readable");
            assert_eq!(profiles[0].total(0), 967);
            assert_eq!(&*profiles[0].lanes[0].thread.name, "api main");
        }
    }

    #[test]
    fn totals_are_those_of_the_parts_and_times_are_on_one_span() {
        let mut later = fixture::cpu();
        later.span.start = later.span.start + Nanos::from_secs(1);
        let (first, second) = (as_object(&pprof(&fixture::cpu())), as_object(&pprof(&later)));
        let profiles =
            read(&html(&format!("{{\"profile\":{{\"a\":{first},\"b\":{second}}}}}"))).expect("readable");
        assert_eq!(profiles.len(), 1);
        assert_eq!((profiles[0].total(1), profiles[0].lanes.len()), (2 * 967_002_901, 4));
        assert_eq!(profiles[0].span.start, Moment(1_790_000_000_000_000_123));
        assert_eq!(profiles[0].span.length, Nanos::from_secs(2));
    }

    #[test]
    fn a_profile_that_cannot_be_read_is_told_and_costs_nobody_else() {
        let good = as_object(&pprof(&fixture::cpu()));
        let both = html(&format!("{{\"profile\":{{\"bad\":[1,2],\"good\":{good}}}}}"));
        let profiles = read(&both).expect("readable");
        assert!(profiles[0].notes.iter().any(|note| note.starts_with("the profile of bad was not read: ")));
        assert!(WattHtml.read(both.as_bytes(), &Limits::default().strict()).is_err());
        assert!(read(&html("{\"profile\":{\"bad\":[1,2]}}")).is_err());
    }

    #[test]
    fn what_is_no_recording_is_refused_with_its_place() {
        for (data, expected) in [
            ("{}", "the recording has no profile in it"),
            ("{\"profile\":null}", "the recording has no profile in it"),
            ("{\"profile\":{\"a\":\"x\"}}", "expected the bytes of a profile"),
            ("{\"profile\":{\"a\":{\"1\":2}}}", "byte 1 is not in its place"),
            ("{\"profile\":{\"a\":[300]}}", "expected u8"),
            ("{\"profile\":\n{\"a\":[1,", "expected value at line 2 column 9 (at byte 89)"),
        ] {
            let error = read(&html(data)).expect_err("refused").to_string();
            assert!(error.contains(expected), "{data}: {error}");
        }
        let none = read("<!doctype html><script>if(window.LOADED_JSON){}</script>").expect_err("refused");
        assert!(none.to_string().contains("there is no LOADED_JSON in it"), "{none}");
        let many: Vec<String> = (0..=MOST_APPLICATIONS).map(|at| format!("\"{at}\":[1]")).collect();
        let many = read(&html(&format!("{{\"profile\":{{{}}}}}", many.join(",")))).expect_err("refused");
        assert!(many.to_string().contains("more than 256 applications"), "{many}");
        for no in [&b"<!doctype html><title>other</title>"[..], b"LOADED_JSON = {}", b""] {
            assert!(!WattHtml.recognise(no));
        }
    }

    #[test]
    fn deep_nesting_beside_the_profiles_is_passed_over() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let good = as_object(&pprof(&fixture::cpu()));
        let profiles = read(&html(&format!("{{\"metrics\":{deep},\"profile\":{{\"a\":{good}}}}}")));
        assert_eq!(profiles.expect("readable")[0].total(0), 967);
    }

    proptest! {
        #[test]
        fn no_mutation_makes_the_reader_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8)
        ) {
            let mut file = html(&format!("{{\"profile\":{{\"a\":{}}}}}", as_object(&pprof(&fixture::heap())))).into_bytes();
            for (at, byte) in changes {
                let at = at.index(file.len());
                file[at] = byte;
            }
            if let Ok(profiles) = WattHtml.read(&file, &Limits::default()) {
                prop_assert!(profiles.iter().all(Profile::is_sound));
            }
        }
    }
}
