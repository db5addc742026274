//! The second pass over a file: samples, one after the other, into a call tree and its values.
//!
//! Nothing is allocated for a sample: its parts go through buffers that are used again, and its stack
//! is walked only from where it leaves the stack before it.

use super::scan::{cap, field};
use super::symbols::Symbols;
use super::threads::Threads;
use super::wire::{Field, Fields, each_number, fault};
use crate::format::gather::Gathering;
use crate::format::{Limits, ReadError, Strictness};

/// Faults that were let pass.
#[derive(Default)]
pub(super) struct Faults {
    /// Samples with a location that does not exist.
    pub dangling: u64,
}

/// Values by thread, stack and line, while they are gathered.
pub(super) struct Samples<'a> {
    limits: &'a Limits,
    pub gathered: Gathering<'a>,
    pub threads: Threads,
    pub faults: Faults,
    buffers: Buffers,
}

/// The parts of the sample at hand.
#[derive(Default)]
struct Buffers {
    /// Locations by their place in the table, leaf first; `None` where there is no such location.
    locations: Vec<Option<usize>>,
    values: Vec<i64>,
    /// Frames, leaf first.
    frames: Vec<u32>,
}

impl<'a> Samples<'a> {
    pub fn new(limits: &'a Limits, gathered: Gathering<'a>, threads: Threads) -> Self {
        Self { limits, gathered, threads, faults: Faults::default(), buffers: Buffers::default() }
    }

    /// Reads every sample of the file.
    pub fn read(&mut self, bytes: &[u8], symbols: &mut Symbols<'_>) -> Result<(), ReadError> {
        let mut fields = Fields::within(bytes, 0..bytes.len());
        while let Some(found) = fields.next()? {
            if found.number == field::SAMPLE {
                self.sample(bytes, &found, symbols)?;
            }
        }
        Ok(())
    }

    fn sample(&mut self, bytes: &[u8], found: &Field, symbols: &mut Symbols<'_>) -> Result<(), ReadError> {
        self.decode(bytes, found, symbols)?;
        if self.buffers.values.len() != self.gathered.width() {
            let (has, wanted) = (self.buffers.values.len(), self.gathered.width());
            return Err(fault(found.at, format!("a sample has {has} values for {wanted} sample types")));
        }
        if self.buffers.locations.contains(&None) {
            if self.limits.strictness == Strictness::Strict {
                return Err(fault(found.at, "a sample refers to a location that is missing"));
            }
            self.faults.dangling += 1;
        }
        if self.buffers.values.iter().all(|value| *value == 0) {
            return Ok(());
        }
        let thread = self.threads.current(symbols, found)?;
        let node = self.stack(found, symbols)?;
        let row = self.gathered.row(thread, node, found.at as u64)?;
        let counted = self.gathered.add(row, &self.buffers.values);
        let leaf = self.buffers.locations.first().copied().flatten();
        if let Some(line) = leaf.and_then(|at| symbols.leaf_line(at)) {
            self.gathered.count_line(row, line, counted);
        }
        Ok(())
    }

    fn decode(&mut self, bytes: &[u8], found: &Field, symbols: &Symbols<'_>) -> Result<(), ReadError> {
        let (buffers, limits) = (&mut self.buffers, self.limits);
        buffers.locations.clear();
        buffers.values.clear();
        self.threads.begin();
        let mut fields = Fields::within(bytes, found.bytes()?);
        while let Some(part) = fields.next()? {
            match part.number {
                1 => each_number(bytes, &part, &mut |id| {
                    cap("frames in a stack", buffers.locations.len(), limits.stack_frames, found)?;
                    buffers.locations.push(symbols.location(id));
                    Ok(())
                })?,
                2 => each_number(bytes, &part, &mut |value| {
                    buffers.values.push(value as i64);
                    Ok(())
                })?,
                3 => self.threads.label(bytes, &part, symbols)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The node of the sample's stack.
    fn stack(&mut self, found: &Field, symbols: &mut Symbols<'_>) -> Result<u32, ReadError> {
        let mut frames = std::mem::take(&mut self.buffers.frames);
        frames.clear();
        for at in &self.buffers.locations {
            match at {
                Some(at) => symbols.expand(*at, &mut frames)?,
                None => frames.push(symbols.unknown_frame()),
            }
            if frames.len() as u64 > self.limits.stack_frames {
                cap("frames in a stack", frames.len(), self.limits.stack_frames, found)?;
            }
        }
        let node = self.gathered.walk(frames.iter().rev().copied());
        self.buffers.frames = frames;
        Ok(node)
    }
}
