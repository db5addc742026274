//! The second pass over a file: samples, one after the other, into a call tree and its values.
//!
//! Nothing is allocated for a sample: its parts go through buffers that are used again, and its stack
//! is walked only from where it leaves the stack before it.

use super::scan::{cap, each_number, field};
use super::symbols::Symbols;
use super::threads::Threads;
use super::wire::{Field, Fields, fault};
use crate::format::{Limits, ReadError, Strictness};
use crate::profile::{ProfileNode, ValueKind};
use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::hash::BuildHasher;

/// Sums of absolute values end here, so that any few profiles can be added up without overflow:
/// 36 years of nanoseconds, an exabyte.
const MOST: u64 = 1 << 60;

/// What one sample type's numbers are worth.
pub(super) struct Column {
    pub kind: ValueKind,
    /// What one unit of the file is in the kind's unit.
    pub factor: i64,
    /// What is left until [`MOST`].
    pub room: u64,
}

impl Column {
    pub fn new(kind: ValueKind, factor: i64) -> Self {
        Self { kind, factor, room: MOST }
    }

    /// The value in the kind's unit, as far as there is room.
    fn take(&mut self, value: i64) -> i64 {
        let scaled = value.saturating_mul(self.factor);
        let size = scaled.unsigned_abs().min(self.room);
        self.room -= size;
        if scaled < 0 { -(size as i64) } else { size as i64 }
    }
}

/// Faults that were let pass, and what limits left out.
#[derive(Default)]
pub(super) struct Faults {
    /// Samples with a location that does not exist.
    pub dangling: u64,
    /// Samples whose stack ended early for want of nodes.
    pub cut: u64,
    /// Line counts left out.
    pub lines: u64,
}

/// Values by thread, stack and line, while they are gathered.
pub(super) struct Samples<'a> {
    limits: &'a Limits,
    pub columns: Vec<Column>,
    /// The column that counts samples.
    counts: Option<usize>,
    pub threads: Threads,
    pub nodes: Vec<ProfileNode>,
    children: HashTable<u32>,
    /// Thread and node of each row.
    pub rows: Vec<(u32, u32)>,
    row_index: HashTable<u32>,
    /// The rows' values, as many each as there are columns.
    pub values: Vec<i64>,
    /// Samples by row and line.
    pub lines: FxHashMap<(u32, u32), u32>,
    pub faults: Faults,
    buffers: Buffers,
}

/// The parts of the sample at hand, and the path of the one before it.
#[derive(Default)]
struct Buffers {
    /// Locations by their place in the table, leaf first; `None` where there is no such location.
    locations: Vec<Option<usize>>,
    values: Vec<i64>,
    /// Frames, leaf first.
    frames: Vec<u32>,
    /// Frames and nodes of the stack before, root first.
    path: Vec<(u32, u32)>,
}

impl<'a> Samples<'a> {
    pub fn new(limits: &'a Limits, columns: Vec<Column>, counts: Option<usize>, threads: Threads) -> Self {
        Self {
            limits,
            columns,
            counts,
            threads,
            nodes: vec![ProfileNode { parent: 0, frame: 0 }],
            children: HashTable::new(),
            rows: Vec::new(),
            row_index: HashTable::new(),
            values: Vec::new(),
            lines: FxHashMap::default(),
            faults: Faults::default(),
            buffers: Buffers::default(),
        }
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
        if self.buffers.values.len() != self.columns.len() {
            let (has, wanted) = (self.buffers.values.len(), self.columns.len());
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
        let row = self.row(thread, node, found)?;
        let counted = self.add(row);
        self.count_line(row, counted, symbols);
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
        let node = self.walk(&frames);
        self.buffers.frames = frames;
        Ok(node)
    }

    /// The node at the end of `frames`, which are leaf first.
    fn walk(&mut self, frames: &[u32]) -> u32 {
        let mut path = std::mem::take(&mut self.buffers.path);
        let same = path.iter().zip(frames.iter().rev()).take_while(|(known, frame)| known.0 == **frame);
        path.truncate(same.count());
        let mut node = path.last().map_or(0, |known| known.1);
        for frame in frames.iter().rev().skip(path.len()) {
            let Some(child) = self.child(node, *frame) else {
                self.faults.cut += 1;
                break;
            };
            node = child;
            path.push((*frame, node));
        }
        self.buffers.path = path;
        node
    }

    fn child(&mut self, parent: u32, frame: u32) -> Option<u32> {
        let wanted = ProfileNode { parent, frame };
        let nodes = &mut self.nodes;
        let hash = |node: &ProfileNode| FxBuildHasher.hash_one((node.parent, node.frame));
        if let Some(known) = self.children.find(hash(&wanted), |at| nodes[*at as usize] == wanted) {
            return Some(*known);
        }
        if nodes.len() >= self.limits.nodes {
            return None;
        }
        let at = nodes.len() as u32;
        nodes.push(wanted);
        self.children.insert_unique(hash(&wanted), at, |at| hash(&nodes[*at as usize]));
        Some(at)
    }

    fn row(&mut self, thread: u32, node: u32, found: &Field) -> Result<u32, ReadError> {
        let rows = &mut self.rows;
        let hash = |row: &(u32, u32)| FxBuildHasher.hash_one(row);
        if let Some(known) =
            self.row_index.find(hash(&(thread, node)), |at| rows[*at as usize] == (thread, node))
        {
            return Ok(*known);
        }
        cap("values", self.values.len() + self.columns.len(), self.limits.cells as u64, found)?;
        let at = rows.len() as u32;
        rows.push((thread, node));
        self.row_index.insert_unique(hash(&(thread, node)), at, |at| hash(&rows[*at as usize]));
        self.values.resize(self.values.len() + self.columns.len(), 0);
        Ok(at)
    }

    /// Adds the sample's values to its row; gives how many samples it stands for.
    fn add(&mut self, row: u32) -> u32 {
        let mut counted = 1;
        let from = row as usize * self.columns.len();
        for (nth, value) in self.buffers.values.iter().enumerate() {
            let value = self.columns[nth].take(*value);
            self.values[from + nth] += value;
            if self.counts == Some(nth) {
                counted = u32::try_from(value.max(0)).unwrap_or(u32::MAX);
            }
        }
        counted
    }

    fn count_line(&mut self, row: u32, counted: u32, symbols: &Symbols<'_>) {
        let leaf = self.buffers.locations.first().copied().flatten();
        let Some(line) = leaf.and_then(|at| symbols.leaf_line(at)).filter(|_| counted > 0) else { return };
        if self.lines.len() >= self.limits.cells && !self.lines.contains_key(&(row, line)) {
            self.faults.lines += 1;
            return;
        }
        let known = self.lines.entry((row, line)).or_insert(0);
        *known = known.saturating_add(counted);
    }
}
