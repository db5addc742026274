//! The first pass over a file: which events it has, and how far apart the samples are.

use super::line::Header;
use crate::format::text::{Line, lines, text};
use crate::profile::{Accumulation, Unit, ValueKind, clean_name};
use rustc_hash::FxHashMap;

/// Events that get a column; of further ones the samples are left out.
const EVENTS: usize = 8;
/// Gaps between samples from which the interval is told.
const GAPS: usize = 4096;

/// What a file is about.
#[derive(Debug, Default)]
pub(super) struct Overview<'a> {
    /// The events, in the order they appear.
    pub events: Vec<Event<'a>>,
    /// Nanoseconds between two samples of a thread that runs all the time.
    pub interval: u64,
    /// Time of the first sample, and of the last.
    pub first: u64,
    pub last: u64,
}

/// An event that was sampled.
#[derive(Debug)]
pub(super) struct Event<'a> {
    /// Its name in the file.
    pub name: &'a [u8],
    /// The period of its first sample; none when samples have none.
    pub period: Option<i64>,
}

impl Event<'_> {
    /// Whether its periods are nanoseconds on a CPU.
    pub fn is_clock(&self) -> bool {
        matches!(self.name, b"cpu-clock" | b"task-clock")
    }

    /// What its periods mean.
    pub fn kind(&self) -> ValueKind {
        if self.is_clock() {
            return ValueKind::cpu();
        }
        ValueKind::new(&clean_name(&text(self.name)), Unit::Count, Accumulation::Delta)
    }
}

impl<'a> Overview<'a> {
    /// Looks through a file.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut overview = Self { first: u64::MAX, ..Self::default() };
        let mut before: FxHashMap<u64, u64> = FxHashMap::default();
        let mut gaps = Vec::new();
        for header in headers(bytes) {
            overview.note(&header);
            if gaps.len() < GAPS {
                let earlier = before.insert(header.tid, header.time);
                gaps.extend(earlier.map(|earlier| header.time.saturating_sub(earlier)));
            }
        }
        overview.first = overview.first.min(overview.last);
        gaps.sort_unstable();
        let median = gaps.get(gaps.len() / 2).copied().unwrap_or(0);
        overview.interval = overview.clock_period().unwrap_or(median);
        overview
    }

    /// The column of an event's periods, and its place among the events.
    pub fn place(&self, event: &[u8]) -> Option<usize> {
        self.events.iter().position(|known| known.name == event)
    }

    fn note(&mut self, header: &Header<'a>) {
        self.first = self.first.min(header.time);
        self.last = self.last.max(header.time);
        if self.events.len() < EVENTS && self.place(header.event).is_none() {
            self.events.push(Event { name: header.event, period: header.period });
        }
    }

    fn clock_period(&self) -> Option<u64> {
        let clock = self.events.first().filter(|event| event.is_clock())?;
        clock.period.and_then(|period| u64::try_from(period).ok()).filter(|period| *period > 0)
    }
}

fn headers(bytes: &[u8]) -> impl Iterator<Item = Header<'_>> {
    let is_header = |line: &Line<'_>| line.bytes.first().is_some_and(|first| !b"\t#".contains(first));
    lines(bytes).filter(is_header).filter_map(|line| Header::parse(line.bytes))
}
