//! Reads speedscope's JSON. Profiles of time become windows, others one profile a sample type.

use super::EXPORTER;
use crate::format::gather::{Column, Frames, Gathering};
use crate::format::json::{Document, at_most, text, unpacked};
use crate::format::names::kind_of;
use crate::format::windows::{MOST_SAMPLES, Timed, Timeline};
use crate::format::{Limits, ReadError};
use crate::profile::{
    Accumulation, Frame, Nanos, Profile, Sampling, Span, Thread, Unit, ValueKind, clean_name, clean_path,
    plain_text,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

/// Profiles and notes of one file, at most.
const MOST_PROFILES: usize = 10_000;

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    shared: Shared<'a>,
    #[serde(borrow, deserialize_with = "at_most::<MOST_PROFILES, _, _>")]
    profiles: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    exporter: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "$flametop")]
    ours: Option<Ours<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ours<'a> {
    #[serde(borrow, default, deserialize_with = "at_most::<MOST_PROFILES, _, _>")]
    notes: Vec<Cow<'a, str>>,
    #[serde(default)]
    start_nanos: i64,
    #[serde(default)]
    in_time: bool,
}

#[derive(Deserialize)]
struct Shared<'a> {
    #[serde(borrow)]
    frames: &'a RawValue,
}

#[derive(Deserialize)]
struct FrameIn<'a> {
    #[serde(borrow, deserialize_with = "text")]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    file: Option<Cow<'a, str>>,
    #[serde(default)]
    line: Option<f64>,
    #[serde(default)]
    col: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileIn<'a> {
    r#type: &'a str,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    unit: &'a str,
    #[serde(default)]
    start_value: f64,
    #[serde(default)]
    end_value: f64,
    #[serde(borrow, default)]
    samples: Option<&'a RawValue>,
    #[serde(borrow, default)]
    weights: Option<&'a RawValue>,
    #[serde(borrow, default)]
    events: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Event<'a> {
    r#type: &'a str,
    frame: usize,
    at: f64,
}

/// Reads a file.
pub(super) fn read(stored: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
    let bytes = unpacked(stored, limits)?;
    let document = Document::new(super::SPEC.name, &bytes)?;
    let file: File<'_> = document.read(document.text)?;
    let mut frames = Frames::default();
    let numbers = numbers(&document, file.shared.frames, limits, &mut frames)?;
    let is_ours = file.exporter.as_ref().is_some_and(|exporter| exporter.starts_with(EXPORTER));
    let mut groups: Vec<Group<'_>> = Vec::new();
    for part in &file.profiles {
        let profile: ProfileIn<'_> = document.read(part.get())?;
        let (kind, factor, name) = meaning(&document, part.get(), &profile, is_ours)?;
        let known = groups.iter().position(|group| group.kind == kind);
        let at = known.unwrap_or_else(|| {
            groups.push(Group::new(kind, limits));
            groups.len() - 1
        });
        let reading = Reading { document: &document, part: part.get(), numbers: &numbers, factor, limits };
        groups[at].add(&reading, &profile, name)?;
    }
    let frames = frames.finish();
    let mut ours = file.ours.unwrap_or(Ours { notes: Vec::new(), start_nanos: 0, in_time: true });
    let notes: Vec<Arc<str>> = ours.notes.drain(..).map(|note| plain_text(&note)).collect();
    // Times of day first: they are what can be stepped through.
    groups.sort_by_key(|group| group.kind.unit != Unit::Nanoseconds);
    let mut profiles = Vec::new();
    for group in groups {
        profiles.extend(group.finish(&frames, &notes, &ours, limits));
    }
    if profiles.is_empty() {
        return Err(document.fault(document.text, "there is no profile in it"));
    }
    Ok(profiles)
}

/// The number of each frame of the file among the different ones.
fn numbers(
    document: &Document<'_>,
    list: &RawValue,
    limits: &Limits,
    frames: &mut Frames,
) -> Result<Vec<u32>, ReadError> {
    let mut numbers = Vec::new();
    let at = document.offset_of(list.get());
    document.each(list, |frame: FrameIn<'_>| {
        if numbers.len() as u64 >= limits.table_entries {
            return Err(ReadError::TooMuch { what: "frames", limit: limits.table_entries, offset: at });
        }
        let place = |number: Option<f64>| number.map_or(0, |number| number as u32);
        let (name, file) = (clean_name(&frame.name), clean_path(&frame.file.unwrap_or_default()));
        let kind = kind_of(&name, &file, "");
        let frame = Frame { name, file, line: place(frame.line), column: place(frame.col), kind };
        numbers.push(frames.number(frame, limits, at)?);
        Ok(())
    })?;
    Ok(numbers)
}

/// What the numbers of a profile mean, what one is in the kind's unit, and whose they are.
fn meaning<'a>(
    document: &Document<'_>,
    part: &str,
    profile: &'a ProfileIn<'_>,
    is_ours: bool,
) -> Result<(ValueKind, f64, &'a str), ReadError> {
    let (kind, factor) = match profile.unit {
        "none" => (ValueKind::samples(), 1.0),
        "bytes" => (ValueKind::new("space", Unit::Bytes, Accumulation::Level), 1.0),
        "nanoseconds" => (ValueKind::cpu(), 1.0),
        "microseconds" => (ValueKind::cpu(), 1e3),
        "milliseconds" => (ValueKind::cpu(), 1e6),
        "seconds" => (ValueKind::cpu(), 1e9),
        other => return Err(document.fault(part, format!("{} is no unit", plain_text(other)))),
    };
    let name = profile.name.as_deref().unwrap_or_default();
    let stated = name.strip_suffix(')').and_then(|name| name.rsplit_once(" (")).filter(|_| is_ours);
    Ok(match stated {
        Some((thread, stated)) => {
            (ValueKind::from_sample_type(&clean_name(stated), kind.unit), factor, thread)
        }
        None => (kind, factor, name),
    })
}

/// A profile at hand.
struct Reading<'r, 'a> {
    document: &'r Document<'a>,
    /// Its text.
    part: &'a str,
    numbers: &'r [u32],
    factor: f64,
    limits: &'r Limits,
}

impl Reading<'_, '_> {
    fn fault(&self, cause: &str) -> ReadError {
        self.document.fault(self.part, cause)
    }

    fn frame(&self, index: usize) -> Result<u32, ReadError> {
        let number = self.numbers.get(index).copied();
        number.ok_or_else(|| self.fault(&format!("frame {index} of {} is referred to", self.numbers.len())))
    }

    /// A value in the kind's unit.
    fn scaled(&self, value: f64) -> Result<i64, ReadError> {
        let scaled = (value * self.factor).round();
        if scaled.abs() < 9e18 { Ok(scaled as i64) } else { Err(self.fault("a value is too great")) }
    }
}

/// The profiles of one sample type.
struct Group<'l> {
    kind: ValueKind,
    gathered: Gathering<'l>,
    threads: Vec<Thread>,
    samples: Vec<Timed>,
}

impl<'l> Group<'l> {
    fn new(kind: ValueKind, limits: &'l Limits) -> Self {
        let gathered = Gathering::new(limits, vec![Column::new(kind.clone(), 1)]);
        Self { kind, gathered, threads: Vec::new(), samples: Vec::new() }
    }

    fn add(
        &mut self,
        reading: &Reading<'_, '_>,
        profile: &ProfileIn<'_>,
        name: &str,
    ) -> Result<(), ReadError> {
        let name = if name.is_empty() { "main" } else { name };
        self.threads.push(Thread { pid: 0, tid: self.threads.len() as u64, name: clean_name(name) });
        match (profile.r#type, profile.samples, profile.weights, profile.events) {
            ("sampled", Some(samples), Some(weights), _) => {
                self.add_samples(reading, profile, samples, weights)
            }
            ("evented", _, _, Some(events)) => self.add_events(reading, profile, events),
            _ => {
                Err(reading
                    .fault("it is neither sampled, with samples and weights, nor evented, with events"))
            }
        }
    }

    fn add_samples(
        &mut self,
        reading: &Reading<'_, '_>,
        profile: &ProfileIn<'_>,
        samples: &RawValue,
        weights: &RawValue,
    ) -> Result<(), ReadError> {
        let mut values = Vec::new();
        reading.document.each(weights, |weight: f64| {
            check_samples(reading, values.len())?;
            values.push(reading.scaled(weight)?);
            Ok(())
        })?;
        let (mut values, mut at) = (values.into_iter(), reading.scaled(profile.start_value)?);
        reading.document.each(samples, |stack: Vec<usize>| {
            let value = values.next().ok_or_else(|| reading.fault("it has fewer weights than samples"))?;
            if stack.len() as u64 > reading.limits.stack_frames {
                return Err(reading.fault("a stack has more frames than flametop reads"));
            }
            let stack =
                stack.into_iter().map(|index| reading.frame(index)).collect::<Result<Vec<u32>, _>>()?;
            let node = self.gathered.walk(stack.iter().copied());
            self.take(reading, node, at, value)?;
            at = at.saturating_add(value);
            Ok(())
        })?;
        if values.next().is_some() {
            return Err(reading.fault("it has more weights than samples"));
        }
        Ok(())
    }

    fn add_events(
        &mut self,
        reading: &Reading<'_, '_>,
        profile: &ProfileIn<'_>,
        events: &RawValue,
    ) -> Result<(), ReadError> {
        let mut open: Vec<(usize, u32)> = Vec::new();
        let mut at = reading.scaled(profile.start_value)?;
        reading.document.each(events, |event: Event<'_>| {
            let now = reading.scaled(event.at)?;
            let top = open.last().copied();
            self.take(reading, top.map_or(0, |top| top.1), at, now.saturating_sub(at))?;
            at = now;
            let top = match (event.r#type, top) {
                ("O", top) => Some((top.map_or(0, |top| top.1), reading.frame(event.frame)?)),
                ("C", Some((frame, _))) if frame == event.frame => None,
                ("C", _) => {
                    return Err(reading.fault("its events do not nest: a frame is closed that is not on top"));
                }
                _ => return Err(reading.fault("an event neither opens nor closes a frame")),
            };
            match top {
                Some(_) if open.len() as u64 >= reading.limits.stack_frames => {
                    return Err(reading.fault("a stack has more frames than flametop reads"));
                }
                Some((caller, frame)) => {
                    open.push((event.frame, self.gathered.descend(caller, frame)));
                }
                None => _ = open.pop(),
            }
            Ok(())
        })?;
        let rest = reading.scaled(profile.end_value)?.saturating_sub(at);
        self.take(reading, open.last().map_or(0, |top| top.1), at, rest.max(0))
    }

    /// Adds a value of a stack; an empty stack of time is a pause.
    fn take(&mut self, reading: &Reading<'_, '_>, node: u32, at: i64, value: i64) -> Result<(), ReadError> {
        if value < 0 {
            return Err(reading.fault("a value is negative, or its events run backwards"));
        }
        let thread = self.threads.len() as u32 - 1;
        if value == 0 || (node == 0 && self.kind.unit == Unit::Nanoseconds) {
            return Ok(());
        }
        if self.kind.unit == Unit::Nanoseconds {
            check_samples(reading, self.samples.len())?;
            self.samples.push(Timed { thread, node, at, lasted: value as u64, samples: 0 });
            return Ok(());
        }
        let row = self.gathered.row(thread, node, reading.document.offset_of(reading.part))?;
        self.gathered.add(row, &[value]);
        Ok(())
    }

    fn finish(self, frames: &[Frame], notes: &[Arc<str>], ours: &Ours<'_>, limits: &Limits) -> Vec<Profile> {
        let mut notes = notes.to_vec();
        notes.extend(self.gathered.notes());
        let sampling = Sampling { period_bytes: self.kind.unit == Unit::Bytes, ..Sampling::default() };
        let frames = frames.to_vec();
        if self.kind.unit == Unit::Nanoseconds {
            let (nodes, _) = self.gathered.finish(&[]);
            let mut samples = self.samples;
            let shift = |sample: &mut Timed| sample.at = sample.at.saturating_add(ours.start_nanos);
            samples.iter_mut().for_each(shift);
            let (threads, lines) = (self.threads, Vec::new());
            let (kind, timed) = (self.kind, ours.in_time);
            let timeline = Timeline {
                counted: false,
                timed,
                kind,
                frames,
                nodes,
                threads,
                samples,
                lines,
                sampling,
                notes,
            };
            return timeline.windows(limits);
        }
        let (nodes, lanes) = self.gathered.finish(&self.threads);
        let span = Span { start: crate::profile::Moment(ours.start_nanos), length: Nanos(0) };
        vec![Profile {
            kinds: vec![self.kind],
            span,
            covered: Nanos(0),
            sampling,
            frames,
            nodes,
            lanes,
            notes,
        }]
    }
}

fn check_samples(reading: &Reading<'_, '_>, have: usize) -> Result<(), ReadError> {
    if have < MOST_SAMPLES {
        return Ok(());
    }
    let offset = reading.document.offset_of(reading.part);
    Err(ReadError::TooMuch { what: "samples", limit: MOST_SAMPLES as u64, offset })
}
