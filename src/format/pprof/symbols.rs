//! Ids and strings of a file made into frames: each string cleaned once, each frame made at first use.

use super::remarks::Remarks;
use super::scan::{FunctionEntry, LineEntry, LocationEntry, StringIndex, Tables};
use super::wire::fault;
use crate::format::ReadError;
use crate::format::names::{self, UNKNOWN, anonymous_place, kind_of};
use crate::profile::{Frame, FrameKind, clean_name, clean_path};
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of a string that are looked at; enough to tell any two real names apart.
const MAX_STRING: usize = 64 * 1024;
/// A frame that was not made yet.
const UNMADE: u32 = u32::MAX;

/// The strings of a file, cleaned at their first use.
pub(super) struct Strings<'a> {
    bytes: &'a [u8],
    ranges: Vec<Range<u32>>,
    cleaned: FxHashMap<usize, Arc<str>>,
}

impl<'a> Strings<'a> {
    pub fn new(bytes: &'a [u8], ranges: Vec<Range<u32>>) -> Self {
        Self { bytes, ranges, cleaned: FxHashMap::default() }
    }

    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The bytes of a string; an index that does not exist makes the file worthless.
    pub fn raw(&self, index: StringIndex) -> Result<&'a [u8], ReadError> {
        let range = usize::try_from(index.0).ok().and_then(|at| self.ranges.get(at));
        let Some(range) = range else {
            let cause = format!("string {} of {} is referred to", index.0, self.len());
            return Err(fault(self.bytes.len(), cause));
        };
        Ok(&self.bytes[range.start as usize..range.end as usize])
    }

    /// A string made safe to show; may be empty.
    pub fn text(&mut self, index: StringIndex) -> Result<Arc<str>, ReadError> {
        let raw = self.raw(index)?;
        let clean = || clean_path(&String::from_utf8_lossy(&raw[..raw.len().min(MAX_STRING)]));
        Ok(self.cleaned.entry(index.0 as usize).or_insert_with(clean).clone())
    }
}

/// Positions of a table's entries by their ids.
pub(super) enum Ids {
    /// For ids that are about as many as the entries.
    Dense(Vec<u32>),
    /// For ids such as hashes and addresses.
    Sparse(FxHashMap<u64, u32>),
}

impl Ids {
    pub fn new(what: &str, ids: impl ExactSizeIterator<Item = u64> + Clone) -> Result<Self, ReadError> {
        let (count, highest) = (ids.len(), ids.clone().max().unwrap_or(0));
        let dense = highest <= count as u64 * 4 + 1024;
        let mut table = if dense {
            Self::Dense(vec![UNMADE; highest as usize + 1])
        } else {
            Self::Sparse(FxHashMap::with_capacity_and_hasher(count, rustc_hash::FxBuildHasher))
        };
        for (at, id) in ids.enumerate() {
            if table.insert(id, at as u32) {
                return Err(fault(0, format!("two {what}s have id {id}")));
            }
        }
        Ok(table)
    }

    /// Whether the id was there already.
    fn insert(&mut self, id: u64, at: u32) -> bool {
        match self {
            Self::Dense(table) => std::mem::replace(&mut table[id as usize], at) != UNMADE,
            Self::Sparse(table) => table.insert(id, at).is_some(),
        }
    }

    #[inline]
    pub fn find(&self, id: u64) -> Option<usize> {
        let at = match self {
            Self::Dense(table) => *table.get(usize::try_from(id).ok()?)?,
            Self::Sparse(table) => *table.get(&id)?,
        };
        (at != UNMADE).then_some(at as usize)
    }
}

/// Makes frames of functions and addresses.
pub(super) struct Symbols<'a> {
    pub tables: Tables,
    pub strings: Strings<'a>,
    pub remarks: Remarks,
    location_ids: Ids,
    function_ids: Ids,
    mapping_ids: Ids,
    of_function: Vec<u32>,
    of_address: FxHashMap<usize, u32>,
    unknown: u32,
    /// Every frame made so far; the first is the root's.
    pub frames: Vec<Frame>,
}

impl<'a> Symbols<'a> {
    pub fn new(mut tables: Tables, strings: Strings<'a>, mut remarks: Remarks) -> Result<Self, ReadError> {
        let location_ids = Ids::new("location", tables.locations.iter().map(|entry| entry.id))?;
        let function_ids = Ids::new("function", tables.functions.iter().map(|entry| entry.id))?;
        let mapping_ids = Ids::new("mapping", tables.mappings.iter().map(|entry| entry.id))?;
        for line in tables.lines.iter().filter(|line| line.column > 0) {
            let function = function_ids.find(line.function).map(|at| &mut tables.functions[at]);
            if let Some(function) = function.filter(|function| function.start_line == line.line) {
                function.column = line.column;
            }
        }
        let all_names = || tables.functions.iter().map(|f| strings.raw(f.name).unwrap_or_default());
        remarks.hold_for(|| super::remarks::digest(all_names()));
        let of_function = vec![UNMADE; tables.functions.len()];
        let frames = vec![Frame::named("all", FrameKind::Other)];
        let of_address = FxHashMap::default();
        let unknown = UNMADE;
        Ok(Self {
            tables,
            strings,
            remarks,
            location_ids,
            function_ids,
            mapping_ids,
            of_function,
            of_address,
            unknown,
            frames,
        })
    }

    /// The place of a location in the table.
    #[inline]
    pub fn location(&self, id: u64) -> Option<usize> {
        self.location_ids.find(id)
    }

    /// Whether everything that the tables refer to exists, as `go tool pprof` demands of functions.
    pub fn check(&self) -> Result<(), ReadError> {
        let dangling = self.tables.lines.iter().find(|line| self.function_ids.find(line.function).is_none());
        match dangling {
            Some(line) => Err(fault(0, format!("function {} is referred to and missing", line.function))),
            None => Ok(()),
        }
    }

    /// Refuses tables with a string index that does not exist, wherever it stands.
    pub fn check_strings(&self) -> Result<(), ReadError> {
        let functions = self.tables.functions.iter().flat_map(|entry| [entry.name, entry.file]);
        let mappings = self.tables.mappings.iter().map(|entry| entry.file);
        functions.chain(mappings).try_for_each(|index| self.strings.raw(index).map(|_| ()))
    }

    /// The frames of a location are appended to `out`, innermost first.
    #[inline]
    pub fn expand(&mut self, at: usize, out: &mut Vec<u32>) -> Result<(), ReadError> {
        let location = self.tables.locations[at];
        if location.lines == 0 {
            out.push(self.address_frame(at, &location)?);
        }
        for nth in 0..location.lines {
            let line = self.tables.lines[(location.lines_from + nth) as usize];
            out.push(self.line_frame(&location, &line)?);
        }
        Ok(())
    }

    /// The line in the innermost function of a location, unless it only repeats the definition's place.
    pub fn leaf_line(&self, at: usize) -> Option<u32> {
        let location = self.tables.locations[at];
        let line = (location.lines > 0).then(|| self.tables.lines[location.lines_from as usize])?;
        let function = &self.tables.functions[self.function_ids.find(line.function)?];
        let definition = line.column > 0 && line.line == function.start_line;
        (line.line > 0 && !definition).then_some(line.line)
    }

    #[inline]
    fn line_frame(&mut self, location: &LocationEntry, line: &LineEntry) -> Result<u32, ReadError> {
        let Some(at) = self.function_ids.find(line.function) else { return Ok(self.unknown_frame()) };
        if self.of_function[at] == UNMADE {
            let frame = self.function_frame(self.tables.functions[at], location)?;
            self.of_function[at] = self.frames.len() as u32;
            self.frames.push(frame);
        }
        Ok(self.of_function[at])
    }

    fn function_frame(
        &mut self,
        function: FunctionEntry,
        location: &LocationEntry,
    ) -> Result<Frame, ReadError> {
        let name = self.strings.text(function.name)?;
        let file = self.strings.text(function.file)?;
        let place = anonymous_place(&name).filter(|place| place.0 == function.start_line);
        let name = match place {
            Some(_) => names::ANONYMOUS.into(),
            None if name.is_empty() => clean_name(""),
            None => name,
        };
        let mapping = self.mapping_file(location)?;
        let usual = (kind_of(&name, &file, &mapping), place.map_or(function.column, |place| place.1));
        let (kind, column) = self.remarks.exception(function.id).unwrap_or(usual);
        Ok(Frame { name, file, line: function.start_line, column, kind })
    }

    fn mapping_file(&mut self, location: &LocationEntry) -> Result<Arc<str>, ReadError> {
        match self.mapping_ids.find(location.mapping) {
            Some(at) => self.strings.text(self.tables.mappings[at].file),
            None => Ok("".into()),
        }
    }

    /// The frame of a location without a function: `[libfoo.so]+0x1234`, by its place in the file.
    fn address_frame(&mut self, at: usize, location: &LocationEntry) -> Result<u32, ReadError> {
        if let Some(made) = self.of_address.get(&at) {
            return Ok(*made);
        }
        let file = self.mapping_file(location)?;
        let name = match self.mapping_ids.find(location.mapping).map(|at| self.tables.mappings[at]) {
            Some(mapping) if !file.is_empty() => {
                let inside = location.address.wrapping_sub(mapping.start).wrapping_add(mapping.offset);
                let base = file.rsplit('/').next().unwrap_or_default();
                format!("[{}]+{inside:#x}", base.trim_matches(['[', ']']))
            }
            _ => format!("{:#x}", location.address),
        };
        let kind = if file.starts_with("[kernel") { FrameKind::Kernel } else { FrameKind::Native };
        let made = self.frames.len() as u32;
        self.frames.push(Frame::named(&name, kind));
        self.of_address.insert(at, made);
        Ok(made)
    }

    /// The frame of what the file refers to and does not have.
    pub fn unknown_frame(&mut self) -> u32 {
        if self.unknown == UNMADE {
            self.unknown = self.frames.len() as u32;
            self.frames.push(Frame::named(UNKNOWN, FrameKind::Other));
        }
        self.unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_may_be_dense_or_sparse_but_not_twice() {
        for ids in [vec![1, 3, 2], vec![1 << 63, 7, u64::MAX]] {
            let table = Ids::new("location", ids.iter().copied()).expect("unique");
            assert!(ids.iter().enumerate().all(|(at, id)| table.find(*id) == Some(at)));
            assert_eq!(table.find(4), None);
            assert_eq!(table.find(1 << 40), None);
        }
        assert!(Ids::new("location", [5, 5].into_iter()).is_err());
        assert!(Ids::new("location", [1 << 50, 1 << 50].into_iter()).is_err());
    }
}
