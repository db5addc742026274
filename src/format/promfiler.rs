//! What promfiler serves: the CPU profile of a Node process as a Prometheus gauge, a series a stack.
//!
//! `promfiler_cpu_profile{signature="(root)#a#b"} 3` is three samples in `b`, called by `a`. The family may
//! be one of many in a scraped body. A `#` in a function's name can't be told from the one between two.
//! <https://github.com/samber/node-promfiler>, and the text format of
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use super::gather::{Column, Frames, Gathering};
use super::inflate::peek;
use super::names::kind_of;
use super::text::{Line, Skipped, is_text, lines, parsed, text};
use super::{Export, Format, FormatSpec, Limits, ReadError, WriteError, unpack};
use crate::profile::{Frame, FrameKind, Profile, ValueKind, clean_name};
use std::io::Write;

const SPEC: FormatSpec = FormatSpec {
    name: "promfiler",
    summary: "what promfiler serves to Prometheus: curl localhost:9142/metrics",
    extension: "prom",
    reads: true,
    writes: false,
};

/// The family's name.
const FAMILY: &[u8] = b"promfiler_cpu_profile";
/// The label with the stack, and the one that other programs tell CPU and wall-clock samples apart by.
const STACK: &str = "signature";
const TYPE: &str = "type";
/// What every stack begins with.
const ROOT: &str = "(root)";

/// The text of promfiler.
#[derive(Clone, Copy, Debug)]
pub struct Promfiler;

impl Format for Promfiler {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let head = peek(head);
        // The family may come late in a long body; nothing else that we read begins as such bodies do.
        let begins = [b"# HELP ", b"# TYPE "].iter().any(|start| head.starts_with(*start));
        is_text(&head) && (begins || head.starts_with(FAMILY))
    }

    fn read(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
        let unpacked = unpack(bytes, limits)?;
        let mut reading = Reading::new(limits);
        for line in lines(&unpacked.bytes) {
            reading.line(line)?;
        }
        reading.finish().map(|profile| vec![profile])
    }

    fn write(&self, _: &Export<'_>, _: &mut dyn Write) -> Result<(), WriteError> {
        Err(WriteError::NotWritable { format: SPEC.name })
    }
}

struct Reading<'a> {
    limits: &'a Limits,
    gathered: Gathering<'a>,
    frames: Frames,
    stack: Vec<u32>,
    series: u64,
    other_types: u64,
    skipped: Skipped,
}

impl<'a> Reading<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            gathered: Gathering::new(limits, vec![Column::new(ValueKind::samples(), 1)]),
            frames: Frames::default(),
            stack: Vec::new(),
            series: 0,
            other_types: 0,
            skipped: Skipped::new(SPEC.name, limits.strictness),
        }
    }

    fn line(&mut self, line: Line<'_>) -> Result<(), ReadError> {
        let Some(rest) = line.bytes.strip_prefix(FAMILY) else { return Ok(()) };
        if rest.first().is_some_and(|next| next.is_ascii_alphanumeric() || b"_:".contains(next)) {
            // Another family, whose name begins like ours.
            return Ok(());
        }
        let Some((labels, value)) = series(&text(rest)) else {
            return self.skipped.skip(line, "the line is no series with a signature and a value");
        };
        self.series += 1;
        if labels.kind.is_some_and(|kind| kind != "cpu") {
            self.other_types += 1;
            return Ok(());
        }
        if value == 0 {
            return Ok(());
        }
        self.walk(&labels.stack, line.offset)?;
        let node = self.gathered.walk(self.stack.iter().copied());
        let row = self.gathered.row(0, node, line.offset)?;
        self.gathered.add(row, &[value]);
        Ok(())
    }

    /// Puts the numbers of a stack's frames into the buffer, root first.
    fn walk(&mut self, stack: &str, offset: u64) -> Result<(), ReadError> {
        self.stack.clear();
        let names = stack.split('#').enumerate();
        for (_, name) in names.filter(|(nth, name)| *nth > 0 || *name != ROOT) {
            if self.stack.len() as u64 >= self.limits.stack_frames {
                let limit = self.limits.stack_frames;
                return Err(ReadError::TooMuch { what: "frames in a stack", limit, offset });
            }
            let number = self.frames.number(frame(name), self.limits, offset)?;
            self.stack.push(number);
        }
        Ok(())
    }

    fn finish(self) -> Result<Profile, ReadError> {
        if self.series == 0 {
            return Err(self.skipped.nothing("series called promfiler_cpu_profile"));
        }
        let others = (self.other_types > 0)
            .then(|| format!("{} series of other types than cpu were left out", self.other_types).into());
        let notes = self.gathered.notes().into_iter().chain(self.skipped.note()).chain(others).collect();
        let taken = self.gathered.sum(0);
        Ok(self.gathered.finish_untimed(self.frames, taken, notes))
    }
}

/// A function of which nothing but the name is known; what promfiler watches is JavaScript.
fn frame(name: &str) -> Frame {
    let name = clean_name(name);
    let kind = match kind_of(&name, "", "") {
        FrameKind::Native => FrameKind::Js,
        special => special,
    };
    Frame::named(&name, kind)
}

/// The labels of a series that matter.
#[derive(Debug, Default, PartialEq, Eq)]
struct Labels {
    stack: String,
    kind: Option<String>,
}

/// Labels and value of what follows a series' name: `{a="b",...} 3 1395066363000`.
fn series(text: &str) -> Option<(Labels, i64)> {
    let mut rest = text.trim_start().strip_prefix('{')?.trim_start();
    let (mut labels, mut has_stack) = (Labels::default(), false);
    while !rest.starts_with('}') {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = quoted(after.trim_start())?;
        match name.trim() {
            STACK => (labels.stack, has_stack) = (value, true),
            TYPE => labels.kind = Some(value),
            _ => {}
        }
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        if !after.starts_with([',', '}']) {
            return None;
        }
    }
    let number = rest[1..].split_whitespace().next()?;
    let value: f64 = parsed(number.as_bytes()).filter(|value: &f64| value.is_finite())?;
    has_stack.then_some((labels, value.round() as i64))
}

/// The text between quotes, with its escapes undone, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in inside.char_indices() {
        match c {
            '"' if !escaped => return Some((value, &inside[at + 1..])),
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            'n' if escaped => value.push('\n'),
            c => value.push(c),
        }
        escaped = false;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::folded::Folded;
    use super::*;
    use crate::feed::TargetInfo;
    use proptest::prelude::*;

    const BODY: &str = "\
# HELP process_cpu_seconds_total CPU of the process
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 12.5
# HELP promfiler_cpu_profile CPU stack trace samples
# TYPE promfiler_cpu_profile gauge
promfiler_cpu_profile{signature=\"(root)\"} 0
promfiler_cpu_profile{signature=\"(root)#serve\"} 2
promfiler_cpu_profile{instance=\"a,b=}\", signature=\"(root)#serve#say \\\"hi\\\\\\\" {1}\",} 3 1395066363000
promfiler_cpu_profile{signature=\"(root)#serve#idle\"} 0
promfiler_cpu_profile{signature=\"(root)#serve#(garbage collector)\"} 1e0
promfiler_cpu_profile_seconds{signature=\"(root)#x\"} 9
";

    fn read(body: &str) -> Profile {
        let profile = Promfiler.read(body.as_bytes(), &Limits::default()).expect("readable").remove(0);
        assert!(profile.is_sound());
        profile
    }

    #[test]
    fn the_family_is_read_out_of_a_body_of_many() {
        assert!(Promfiler.recognise(&BODY.as_bytes()[..100]));
        let profile = read(BODY);
        let mut folded = Vec::new();
        let target = TargetInfo::default();
        Folded.write(&Export::new(&profile, &target), &mut folded).expect("a vector takes every byte");
        assert_eq!(
            String::from_utf8_lossy(&folded),
            "serve 2\nserve;say \"hi\\\" {1} 3\nserve;(garbage collector) 1\n"
        );
        let kinds: Vec<FrameKind> = profile.frames.iter().map(|frame| frame.kind).collect();
        assert_eq!(kinds, [FrameKind::Js, FrameKind::Js, FrameKind::Gc]);
        assert!(profile.notes.is_empty() && profile.sampling.taken == 6);
    }

    #[test]
    fn a_profile_in_which_nothing_ran_is_empty() {
        assert!(read("promfiler_cpu_profile{signature=\"(root)\"} 0\n").lanes.is_empty());
    }

    #[test]
    fn lines_that_are_no_series_are_told_and_other_types_left_out() {
        let profile = read(
            "promfiler_cpu_profile{signature=\"(root)#a\"} 2\npromfiler_cpu_profile{signature=\"x} 1\n\
             promfiler_cpu_profile{type=\"wallclock\",signature=\"(root)#a\"} 7\npromfiler_cpu_profile 3\n\
             promfiler_cpu_profile{signature=\"(root)#a\"} NaN\n",
        );
        assert_eq!(profile.total(0), 2);
        let notes: Vec<&str> = profile.notes.iter().map(|note| &**note).collect();
        assert_eq!(
            notes,
            [
                "3 lines were not understood (the first at byte 46)",
                "1 series of other types than cpu were left out"
            ]
        );
    }

    #[test]
    fn a_body_without_the_family_is_refused() {
        let error = Promfiler.read(b"# HELP up x\nup 1\n", &Limits::default()).expect_err("refused");
        assert!(error.to_string().contains("no series called promfiler_cpu_profile"), "{error}");
        assert!(!Promfiler.recognise(b"up 1\n") && !Promfiler.recognise(b"main;f 3\n"));
    }

    proptest! {
        #[test]
        fn what_is_between_quotes_comes_back(stack in "[^\r]{0,30}") {
            let escaped = stack.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let (labels, value) = series(&format!("{{signature=\"{escaped}\"}} 4")).expect("a series");
            prop_assert_eq!((labels.stack, value), (stack, 4));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(file in prop::collection::vec(
            prop::sample::select(&b"{}\"\\=,#n1 \nsignature\xff"[..]), 0..80)) {
            let file = [&b"promfiler_cpu_profile{signature=\"(root)#a\"} 1\npromfiler_cpu_profile"[..], &file].concat();
            let profiles = Promfiler.read(&file, &Limits::default()).expect("has a series");
            prop_assert!(profiles.iter().all(Profile::is_sound));
        }
    }
}
