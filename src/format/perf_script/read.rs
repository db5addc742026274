//! The second pass: samples with their stacks into lanes by thread, and their times into runs.
//!
//! A sample says what ran for one interval until its time. Stretches of one thread that nearly touch
//! are joined, for the timer is never quite even.

use super::SPEC;
use super::line::{FrameLine, Header, lost};
use super::overview::Overview;
use crate::format::gather::{Column, Frames, Gathering};
use crate::format::names::{UNKNOWN, kind_of};
use crate::format::text::{Line, Skipped, lines, text};
use crate::format::{Limits, ReadError, jit, unpack};
use crate::profile::{
    Frame, FrameKind, Moment, Nanos, Profile, Run, Sampling, Span, Thread, ValueKind, clean_name,
};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Stacks of so many frames were cut by the kernel (`kernel.perf_event_max_stack`).
const CUT_FRAMES: usize = 127;
/// Stretches of one thread, all threads together, at most.
const RUNS: usize = 1 << 21;

/// Reads a whole file, gzipped or not.
pub(super) fn read(stored: &[u8], limits: &Limits) -> Result<Profile, ReadError> {
    let unpacked = unpack(stored, limits)?;
    let bytes = &*unpacked.bytes;
    let overview = Overview::new(bytes);
    let mut reading = Reading::new(limits, &overview);
    for line in lines(bytes) {
        reading.line(line)?;
    }
    reading.end_sample()?;
    reading.finish()
}

/// A thread of the file.
struct Lane {
    thread: Thread,
    /// Until when its time is told, from the start of the span.
    told: u64,
    runs: u64,
}

struct Reading<'a, 'b> {
    limits: &'a Limits,
    overview: &'a Overview<'b>,
    gathered: Gathering<'a>,
    /// The column of periods of each event.
    columns: Vec<Option<usize>>,
    frames: Frames,
    known: FxHashMap<FrameLine<'b>, u32>,
    lanes: Vec<Lane>,
    lane_numbers: FxHashMap<(u32, u64), u32>,
    /// The sample whose stack is being read, where it began, and its frames, leaf first.
    sample: Option<(Header<'b>, u64)>,
    stack: Vec<u32>,
    runs: usize,
    counts: Counts,
    skipped: Skipped,
}

#[derive(Default)]
struct Counts {
    samples: u64,
    other_events: u64,
    lost: u64,
    truncated: u64,
}

impl<'a, 'b> Reading<'a, 'b> {
    fn new(limits: &'a Limits, overview: &'a Overview<'b>) -> Self {
        let mut kinds = vec![ValueKind::samples()];
        let mut columns = Vec::new();
        for event in &overview.events {
            let kind = event.kind();
            let is_new = event.period.is_some() && kinds.iter().all(|known| known.name != kind.name);
            columns.push(is_new.then_some(kinds.len()));
            kinds.extend(is_new.then_some(kind));
        }
        Self {
            limits,
            overview,
            gathered: Gathering::new(limits, kinds.into_iter().map(|kind| Column::new(kind, 1)).collect()),
            columns,
            frames: Frames::default(),
            known: FxHashMap::default(),
            lanes: Vec::new(),
            lane_numbers: FxHashMap::default(),
            sample: None,
            stack: Vec::new(),
            runs: 0,
            counts: Counts::default(),
            skipped: Skipped::new(SPEC.name, limits.strictness),
        }
    }

    fn line(&mut self, line: Line<'b>) -> Result<(), ReadError> {
        match line.bytes.first() {
            None => return self.end_sample(),
            Some(b'#') => return Ok(()),
            Some(_) => {}
        }
        if let Some(lost) = lost(line.bytes) {
            self.counts.lost = self.counts.lost.saturating_add(lost);
            return self.end_sample();
        }
        match Header::parse(line.bytes) {
            Some(header) => self.begin_sample(header, line.offset),
            // Lines without an address are the source lines that perf prints when asked to.
            None if self.sample.is_some() && line.bytes[0].is_ascii_whitespace() => {
                FrameLine::parse(line.bytes).map_or(Ok(()), |frame| self.frame(frame, line.offset))
            }
            None => self.skipped.skip(line, "the line is neither a sample nor a frame of one"),
        }
    }

    fn begin_sample(&mut self, header: Header<'b>, offset: u64) -> Result<(), ReadError> {
        self.end_sample()?;
        self.sample = Some((header, offset));
        let only = FrameLine::parse(header.rest).filter(|frame| !frame.object.is_empty());
        only.map_or(Ok(()), |frame| self.frame(frame, offset))
    }

    fn frame(&mut self, frame: FrameLine<'b>, offset: u64) -> Result<(), ReadError> {
        if self.stack.len() as u64 >= self.limits.stack_frames {
            let limit = self.limits.stack_frames;
            return Err(ReadError::TooMuch { what: "frames in a stack", limit, offset });
        }
        let number = match self.known.get(&frame) {
            Some(known) => *known,
            None => self.frames.number(frame_of(&frame), self.limits, offset)?,
        };
        // Many ways to write one name must not cost more than many names.
        if (self.known.len() as u64) < self.limits.table_entries {
            self.known.insert(frame, number);
        }
        self.stack.push(number);
        Ok(())
    }

    fn end_sample(&mut self) -> Result<(), ReadError> {
        let Some((header, offset)) = self.sample.take() else { return Ok(()) };
        let Some(event) = self.overview.place(header.event) else {
            self.counts.other_events += 1;
            self.stack.clear();
            return Ok(());
        };
        if self.stack.len() == CUT_FRAMES {
            self.counts.truncated += 1;
            let root = Frame::named("(truncated)", FrameKind::Truncated);
            self.stack.push(self.frames.number(root, self.limits, offset)?);
        }
        let lane = self.lane(&header, offset)?;
        let node = self.gathered.walk(self.stack.iter().rev().copied());
        self.stack.clear();
        let row = self.gathered.row(lane, node, offset)?;
        let mut values = vec![0; self.gathered.width()];
        // Samples of different events do not add up; those of the first are counted.
        values[0] = i64::from(event == 0);
        if let Some(column) = self.columns[event] {
            values[column] = header.period.unwrap_or(1);
        }
        self.gathered.add(row, &values);
        self.counts.samples += u64::from(event == 0);
        if event == 0 {
            self.run(lane, node, header.time);
        }
        Ok(())
    }

    fn lane(&mut self, header: &Header<'_>, offset: u64) -> Result<u32, ReadError> {
        let ids = (header.pid, header.tid);
        if let Some(number) = self.lane_numbers.get(&ids) {
            let name = &mut self.lanes[*number as usize].thread.name;
            // A thread may change its name; the last is the one it is known by.
            if name.as_bytes() != header.comm {
                *name = clean_name(&text(header.comm));
            }
            return Ok(*number);
        }
        if self.lanes.len() as u64 >= self.limits.table_entries {
            return Err(ReadError::TooMuch { what: "threads", limit: self.limits.table_entries, offset });
        }
        let number = self.lanes.len() as u32;
        let thread = Thread { pid: header.pid, tid: header.tid, name: clean_name(&text(header.comm)) };
        self.lanes.push(Lane { thread, told: 0, runs: 0 });
        self.lane_numbers.insert(ids, number);
        Ok(number)
    }

    /// Adds the stretch that ends at a sample's time.
    fn run(&mut self, number: u32, node: u32, time: u64) {
        let interval = self.overview.interval;
        let end = time - self.overview.first + interval;
        let lane = &mut self.lanes[number as usize];
        let mut start = (end - interval).max(lane.told);
        if start - lane.told < interval / 2 {
            start = lane.told;
        }
        if end <= start {
            return;
        }
        lane.told = end;
        if self.runs >= RUNS {
            lane.runs += 1;
            return;
        }
        self.runs += 1;
        self.gathered.add_run(number, Run { node, offset: start, length: end - start });
    }

    fn finish(self) -> Result<Profile, ReadError> {
        if self.lanes.is_empty() {
            return Err(self.skipped.nothing("sample"));
        }
        let notes = self.notes();
        let length = Nanos(self.overview.last - self.overview.first + self.overview.interval);
        let kinds: Vec<ValueKind> = self.gathered.columns.iter().map(|column| column.kind.clone()).collect();
        let threads: Vec<Thread> = self.lanes.iter().map(|lane| lane.thread.clone()).collect();
        let sampling = self.sampling(&kinds);
        let (nodes, mut lanes) = self.gathered.finish(&threads);
        // Every thread has a row, so lanes and threads are in one order.
        for (lane, read) in lanes.iter_mut().zip(&self.lanes) {
            lane.runs_dropped = read.runs;
        }
        Ok(Profile {
            kinds,
            span: Span { start: Moment(0), length },
            covered: length,
            sampling,
            frames: self.frames.finish(),
            nodes,
            lanes,
            notes,
        })
    }

    fn sampling(&self, kinds: &[ValueKind]) -> Sampling {
        let named = kinds.get(1).unwrap_or(&kinds[0]);
        Sampling {
            period_name: named.name.clone(),
            period: self.overview.interval,
            taken: self.counts.samples,
            lost: self.counts.lost,
            truncated: self.counts.truncated,
            ..Sampling::default()
        }
    }

    fn notes(&self) -> Vec<Arc<str>> {
        let first = self.overview.first as f64 / 1e9;
        let clock = format!("times in the file are perf's clock; its first sample is at {first:.6} s").into();
        let others = self.counts.other_events;
        let others = (others > 0).then(|| format!("{others} samples of further events were left out").into());
        let cut = self.gathered.notes().into_iter();
        std::iter::once(clock).chain(cut).chain(self.skipped.note()).chain(others).collect()
    }
}

/// The frame that a line stands for.
fn frame_of(line: &FrameLine<'_>) -> Frame {
    let (symbol, object) = (text(line.symbol), text(line.object));
    if line.in_kernel {
        let name = if symbol == UNKNOWN { &object } else { &symbol };
        return Frame::named(&clean_name(name), FrameKind::Kernel);
    }
    if let Some(frame) = jit::frame(&symbol) {
        return frame;
    }
    let file = object.rsplit('/').next().unwrap_or_default();
    match (&*symbol, file) {
        (UNKNOWN | "", UNKNOWN | "") => Frame::named(UNKNOWN, FrameKind::Other),
        // Addresses without a name are one function an object.
        (UNKNOWN | "", file) => {
            let name = if file.starts_with('[') { file.into() } else { format!("[{file}]") };
            Frame::named(&clean_name(&name), FrameKind::Native)
        }
        (symbol, _) => Frame::named(&clean_name(symbol), kind_of(symbol, "", "")),
    }
}
