//! Reads processed profiles: the tables of each thread, or those that all share, then samples in time.

use super::tables::{
    Entry, File, FrameTable, FuncTable, MOST_ROWS, Samples, Sources, StackTable, Tables, Thread as ThreadIn,
};
use super::{CATEGORIES, SPEC};
use crate::format::gather::{Column, Frames, Gathering};
use crate::format::json::{Document, unpacked};
use crate::format::names::kind_of;
use crate::format::v8::cpu_profile::{SILENCE_US, SILENT_INTERVALS};
use crate::format::windows::{MOST_SAMPLES, Timed, Timeline};
use crate::format::{Limits, ReadError};
use crate::profile::{
    Frame, FrameKind, Moment, Nanos, Profile, Sampling, Span, Thread, Unit, ValueKind, clean_name,
    clean_path, plain_text,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// Versions whose tables are known.
const VERSIONS: std::ops::RangeInclusive<u32> = 24..=75;
/// The label of the remark that names the kind of values that are no time.
pub(super) const KIND: &str = "kind";

/// Reads a file.
pub(super) fn read(stored: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
    let bytes = unpacked(stored, limits)?;
    let document = Document::new(SPEC.name, &bytes)?;
    let file: File<'_> = document.read(document.text)?;
    match file.meta.preprocessed_profile_version {
        Some(version) if VERSIONS.contains(&version) => {}
        Some(version) => {
            let known = format!("versions {} to {} are read", VERSIONS.start(), VERSIONS.end());
            return Err(document.fault(document.text, format!("it is of version {version}; {known}")));
        }
        None => {
            let cause =
                "it is a raw profile of Gecko: open it at profiler.firefox.com and save it from there";
            return Err(document.fault(document.text, cause));
        }
    }
    let mut reading = Reading::new(&document, &file, limits);
    for part in &file.threads {
        reading.thread(part)?;
    }
    Ok(reading.finish())
}

/// What the rows of a thread's stacks are here.
struct Stacks {
    /// The node of each.
    nodes: Vec<u32>,
    /// The line that ran at the leaf of each; 0 if none is told.
    lines: Vec<u32>,
}

struct Reading<'r, 'a> {
    document: &'r Document<'a>,
    file: &'r File<'a>,
    limits: &'r Limits,
    kinds: Vec<Option<FrameKind>>,
    frames: Frames,
    gathered: Gathering<'r>,
    /// The stacks of the tables that all threads share.
    shared: Option<Rc<Stacks>>,
    threads: Vec<Thread>,
    samples: Vec<Timed>,
    lines: Vec<(u32, u32, u32, u32)>,
    has_others: bool,
    is_silent: bool,
}

impl<'r, 'a> Reading<'r, 'a> {
    fn new(document: &'r Document<'a>, file: &'r File<'a>, limits: &'r Limits) -> Self {
        let kind = other_kind(file);
        Self {
            document,
            file,
            limits,
            kinds: file.meta.categories.iter().map(|category| kind_of_category(&category.name)).collect(),
            frames: Frames::default(),
            gathered: Gathering::new(limits, vec![Column::new(kind, 1)]),
            shared: None,
            threads: Vec::new(),
            samples: Vec::new(),
            lines: Vec::new(),
            has_others: false,
            is_silent: false,
        }
    }

    fn thread(&mut self, part: &'a RawValue) -> Result<(), ReadError> {
        let own: Tables<'a> = self.document.read(part.get())?;
        let thread: ThreadIn<'a> = self.document.read(part.get())?;
        let stacks = if own.stack_table.is_some() {
            Rc::new(self.stacks(part, &own)?)
        } else {
            match &self.shared {
                Some(known) => Rc::clone(known),
                None => Rc::new(self.stacks(part, &own)?),
            }
        };
        if own.stack_table.is_none() {
            self.shared = Some(Rc::clone(&stacks));
        }
        self.threads.push(Thread {
            pid: number(thread.pid) as u32,
            tid: number(thread.tid),
            name: clean_name(&thread.name),
        });
        self.samples(part, &thread.samples, &stacks)
    }

    fn fault(&self, part: &RawValue, cause: impl Into<String>) -> ReadError {
        self.document.fault(part.get(), cause)
    }

    /// A table of the thread, else of all.
    fn table<T: Deserialize<'a>>(
        &self,
        part: &'a RawValue,
        own: &Tables<'a>,
        of: fn(&Tables<'a>) -> Option<&'a RawValue>,
        name: &str,
    ) -> Result<T, ReadError> {
        let found = of(own).or_else(|| self.file.shared.as_ref().and_then(of));
        let found = found.ok_or_else(|| self.fault(part, format!("it has no {name}")))?;
        self.document.read(found.get())
    }

    fn stacks(&mut self, part: &'a RawValue, own: &Tables<'a>) -> Result<Stacks, ReadError> {
        let table: StackTable = self.table(part, own, |tables| tables.stack_table, "stackTable")?;
        let (frames, lines) = self.frame_numbers(part, own)?;
        let mut stacks = Stacks { nodes: Vec::new(), lines: Vec::new() };
        for (at, row) in table.frame.iter().enumerate() {
            let back = |offset: &u32| (*offset > 0).then(|| (at as u32).wrapping_sub(*offset));
            let by_offset = table.prefix_offset.get(at).and_then(back);
            let caller = match table.prefix.get(at).copied().flatten().or(by_offset) {
                Some(prefix) => stacks.nodes.get(prefix as usize).copied(),
                None => Some(0),
            };
            let caller = caller.ok_or_else(|| self.fault(part, "a stack comes before its caller"))?;
            let frame = frames.get(*row as usize);
            let frame = *frame
                .ok_or_else(|| self.fault(part, format!("frame {row} of {} is referred to", frames.len())))?;
            stacks.nodes.push(self.gathered.descend(caller, frame));
            stacks.lines.push(lines.get(*row as usize).copied().flatten().unwrap_or(0));
        }
        Ok(stacks)
    }

    /// The number of each row of the frames, and the line that ran in it.
    fn frame_numbers(
        &mut self,
        part: &'a RawValue,
        own: &Tables<'a>,
    ) -> Result<(Vec<u32>, Vec<Option<u32>>), ReadError> {
        let table: FrameTable = self.table(part, own, |tables| tables.frame_table, "frameTable")?;
        let functions = self.functions(part, own)?;
        let offset = self.document.offset_of(part.get());
        let mut numbers = Vec::with_capacity(table.func.len());
        for (at, row) in table.func.iter().enumerate() {
            let known = functions.get(*row as usize);
            let known = known.ok_or_else(|| {
                self.fault(part, format!("function {row} of {} is referred to", functions.len()))
            })?;
            let category = table.category.get(at).copied().flatten();
            let kind = category.and_then(|category| *self.kinds.get(category as usize)?);
            // Built-in code of a runtime has the category of the program's.
            let kind = kind.filter(|kind| *kind != FrameKind::Js || known.kind != FrameKind::Builtin);
            let frame = Frame { kind: kind.unwrap_or(known.kind), ..known.clone() };
            numbers.push(self.frames.number(frame, self.limits, offset)?);
        }
        Ok((numbers, table.line))
    }

    /// Every function as a frame whose kind is told by its name.
    fn functions(&self, part: &'a RawValue, own: &Tables<'a>) -> Result<Vec<Frame>, ReadError> {
        let table: FuncTable = self.table(part, own, |tables| tables.func_table, "funcTable")?;
        if table.name.len() as u64 > self.limits.table_entries {
            return Err(self.fault(part, "it has more functions than flametop reads"));
        }
        let strings = self.strings(part, own)?;
        let sources = if table.source.is_empty() {
            Sources { filename: Vec::new() }
        } else {
            self.table(part, own, |tables| tables.sources, "sources")?
        };
        let text = |index: u32| {
            let text = strings.get(index as usize);
            text.ok_or_else(|| {
                self.fault(part, format!("string {index} of {} is referred to", strings.len()))
            })
        };
        let place = |column: &[Option<u32>], at: usize| column.get(at).copied().flatten().unwrap_or(0);
        let function = |(at, name): (usize, &u32)| {
            let by_source = table.source.get(at).copied().flatten();
            let by_source = by_source.and_then(|row| sources.filename.get(row as usize).copied());
            let file = table.file_name.get(at).copied().flatten().or(by_source);
            let file = file.map(text).transpose()?.map_or("", |file| &**file);
            let (name, file) = (clean_name(text(*name)?), clean_path(file));
            let kind = kind_of(&name, &file, "");
            Ok(Frame {
                name,
                file,
                line: place(&table.line_number, at),
                column: place(&table.column_number, at),
                kind,
            })
        };
        table.name.iter().enumerate().map(function).collect()
    }

    fn strings(&self, part: &'a RawValue, own: &Tables<'a>) -> Result<Vec<Cow<'a, str>>, ReadError> {
        let shared = || self.file.shared.as_ref().and_then(|tables| tables.string_array);
        let list = own.string_array.or_else(shared);
        let list = list.ok_or_else(|| self.fault(part, "it has no stringArray"))?;
        let mut strings = Vec::new();
        self.document.each(list, |text: Text<'a>| {
            if strings.len() >= MOST_ROWS {
                return Err(self.fault(part, "it has more strings than flametop reads"));
            }
            strings.push(text.0);
            Ok(())
        })?;
        Ok(strings)
    }

    fn samples(&mut self, part: &'a RawValue, samples: &Samples, stacks: &Stacks) -> Result<(), ReadError> {
        if self.samples.len() + samples.stack.len() > MOST_SAMPLES {
            let offset = self.document.offset_of(part.get());
            return Err(ReadError::TooMuch { what: "samples", limit: MOST_SAMPLES as u64, offset });
        }
        let times = self.times(part, samples)?;
        let weights = samples.weight.as_ref().map(|weights| &weights.0[..]).unwrap_or_default();
        for (at, stack) in samples.stack.iter().enumerate() {
            let Some(stack) = stack else { continue };
            let node = stacks.nodes.get(*stack as usize);
            let node = *node.ok_or_else(|| {
                self.fault(part, format!("stack {stack} of {} is referred to", stacks.nodes.len()))
            })?;
            let weight = weights.get(at).copied().flatten().unwrap_or(1.0);
            if !(0.0..9e15).contains(&weight) {
                return Err(self.fault(part, "a sample's weight is negative or too great"));
            }
            match samples.weight_type.as_deref() {
                Some("tracing-ms") => self.timed(times[at], (weight * 1e6) as u64, 1, node),
                None | Some("samples") => {
                    let lasted = times[at + 1].abs_diff(times[at].min(times[at + 1]));
                    self.timed(times[at], lasted, weight.round() as u32, node);
                }
                Some(_) => self.valued(part, weight.round() as i64, node)?,
            }
            if let line @ 1.. = stacks.lines[*stack as usize] {
                self.lines.push((self.threads.len() as u32 - 1, node, line, 1));
            }
        }
        Ok(())
    }

    /// The time of each sample in nanoseconds, and of the end of the last.
    fn times(&self, part: &RawValue, samples: &Samples) -> Result<Vec<i64>, ReadError> {
        let mut sum = 0.0;
        let added = samples.time_deltas.iter().map(|delta| {
            sum += delta;
            sum
        });
        let relative: Vec<f64> = if samples.time.is_empty() { added.collect() } else { samples.time.clone() };
        if relative.len() != samples.stack.len() {
            return Err(self.fault(part, "samples and times differ in number"));
        }
        // Times are small and the start is great: added as floats, they would lose their digits.
        let start = (self.file.meta.start_time.clamp(0.0, 9e12) * 1e6) as i64;
        let mut times: Vec<i64> =
            relative.iter().map(|time| start.saturating_add((time.clamp(-9e9, 9e9) * 1e6) as i64)).collect();
        times.push(times.last().copied().unwrap_or(start).saturating_add(self.interval()));
        Ok(times)
    }

    /// Nanoseconds between samples.
    fn interval(&self) -> i64 {
        (self.file.meta.interval.clamp(0.0, 1e6) * 1e6) as i64
    }

    fn timed(&mut self, at: i64, lasted: u64, samples: u32, node: u32) {
        let silence = (SILENCE_US * 1000).max(SILENT_INTERVALS * self.interval()) as u64;
        let is_silent = lasted > silence && samples > 0 && self.interval() > 0;
        self.is_silent |= is_silent;
        let lasted = if is_silent { 0 } else { lasted };
        self.samples.push(Timed { thread: self.threads.len() as u32 - 1, node, at, lasted, samples });
    }

    /// A value that is no time: bytes.
    fn valued(&mut self, part: &RawValue, value: i64, node: u32) -> Result<(), ReadError> {
        self.has_others = true;
        let row =
            self.gathered.row(self.threads.len() as u32 - 1, node, self.document.offset_of(part.get()))?;
        self.gathered.add(row, &[value]);
        Ok(())
    }

    fn finish(self) -> Vec<Profile> {
        let remarks = said(self.file).filter(|entry| entry.label != KIND);
        let mut notes: Vec<Arc<str>> = remarks.map(|entry| plain_text(&entry.value)).collect();
        notes.extend(self.gathered.notes());
        if self.is_silent {
            notes.push("for some time no sample was taken: the process or its sampler was stopped".into());
        }
        let start = Moment((self.file.meta.start_time.clamp(0.0, 9e12) * 1e6) as i64);
        let period = self.interval() as u64;
        let frames = self.frames.finish();
        let kind = self.gathered.columns[0].kind.clone();
        let (nodes, lanes) = self.gathered.finish(&self.threads);
        let mut profiles = Vec::new();
        if !self.samples.is_empty() || !self.has_others {
            let timeline = Timeline {
                counted: true,
                timed: true,
                kind: ValueKind::cpu(),
                frames: frames.clone(),
                nodes: nodes.clone(),
                threads: self.threads,
                samples: self.samples,
                lines: merged(self.lines),
                sampling: Sampling { period_name: "cpu".into(), period, ..Sampling::default() },
                notes: notes.clone(),
            };
            profiles = timeline.windows(self.limits);
        }
        if self.has_others {
            let (span, covered) = (Span { start, length: Nanos(0) }, Nanos(0));
            let sampling = Sampling { period_bytes: true, ..Sampling::default() };
            profiles.push(Profile {
                kinds: vec![kind],
                span,
                covered,
                sampling,
                frames,
                nodes,
                lanes,
                notes,
            });
        }
        profiles
    }
}

/// A string that may not be text elsewhere.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow, deserialize_with = "crate::format::json::text")] Cow<'a, str>);

/// Equal lines added up.
fn merged(mut lines: Vec<(u32, u32, u32, u32)>) -> Vec<(u32, u32, u32, u32)> {
    lines.sort_unstable();
    lines.dedup_by(|next, first| {
        let same = (next.0, next.1, next.2) == (first.0, first.1, first.2);
        first.3 = if same { first.3.saturating_add(next.3) } else { first.3 };
        same
    });
    lines
}

/// What flametop said in a file of its own, by its labels.
fn said<'f, 'a>(file: &'f File<'a>) -> impl Iterator<Item = Entry<'a>> + use<'f, 'a> {
    let groups = file.meta.extra.iter().filter(|group| group.label == "flametop");
    groups.flat_map(|group| &group.entries).filter_map(|entry| serde_json::from_str(entry.get()).ok())
}

/// The kind of values that are no time.
fn other_kind(file: &File<'_>) -> ValueKind {
    let stated = said(file).find(|entry| entry.label == KIND);
    let name = stated.map_or("space".into(), |entry| clean_name(&entry.value));
    ValueKind::from_sample_type(&name, Unit::Bytes)
}

/// The kind that functions of a category are of, if it tells.
fn kind_of_category(name: &str) -> Option<FrameKind> {
    if name == "GC / CC" {
        return Some(FrameKind::Gc);
    }
    let known = CATEGORIES.iter().skip(1).find(|(known, ..)| *known == name);
    known.map(|(_, _, kinds)| kinds[0])
}

/// A number, however it is written; 0 for none.
fn number(raw: Option<&RawValue>) -> u64 {
    raw.and_then(|raw| raw.get().trim_matches('"').parse().ok()).unwrap_or(0)
}
