//! The dictionary: tables that everything refers to by index, as ranges of the file. Entries are decoded
//! when they are first referred to, frames are made once.
//!
//! Index 0 of every table means nothing. A string that does not exist makes the file worthless; other
//! entries that are missing show as unknown and are counted, unless nothing may be missing.

use super::attributes::{Attribute, Value};
use super::key;
use crate::format::names::{ANONYMOUS, UNKNOWN, anonymous_place, kind_of};
use crate::format::pprof::wire::{Field, Fields, each_number, fault};
use crate::format::{Limits, ReadError, Strictness, gather::Frames};
use crate::profile::{Frame, FrameKind, clean_name, clean_path};
use std::borrow::Cow;
use std::ops::Range;

/// Bytes of a text that are looked at.
const MAX_TEXT: usize = 64 * 1024;

/// A table: where its entries are.
type Table = Vec<Range<u32>>;

/// The tables of a file.
pub(super) struct Dictionary<'a> {
    pub bytes: &'a [u8],
    limits: &'a Limits,
    mappings: Table,
    locations: Table,
    functions: Table,
    strings: Table,
    attributes: Table,
    stacks: Table,
    /// Every frame of the file.
    pub frames: Frames,
    /// The frames of each location, as a range of `expanded`, leaf first.
    made: Vec<Option<Range<u32>>>,
    expanded: Vec<u32>,
    /// The line of each location's innermost function.
    lines: Vec<u32>,
    /// References to entries that do not exist.
    pub dangling: u64,
}

/// A line of a location.
#[derive(Clone, Copy, Default)]
struct LineEntry {
    function: i64,
    line: u32,
    column: u32,
}

/// What a location says beside its lines.
#[derive(Clone, Default)]
struct Place {
    mapping: String,
    frame_type: String,
    /// Stated where the line is one that ran, not that of the definition.
    start_column: Option<u32>,
}

impl<'a> Dictionary<'a> {
    pub fn new(bytes: &'a [u8], limits: &'a Limits) -> Self {
        Self {
            bytes,
            limits,
            mappings: Vec::new(),
            locations: Vec::new(),
            functions: Vec::new(),
            strings: Vec::new(),
            attributes: Vec::new(),
            stacks: Vec::new(),
            frames: Frames::default(),
            made: Vec::new(),
            expanded: Vec::new(),
            lines: Vec::new(),
            dangling: 0,
        }
    }

    /// Notes where the entries of a dictionary message are.
    pub fn scan(&mut self, range: Range<usize>) -> Result<(), ReadError> {
        let entries = self.limits.table_entries;
        let mut fields = Fields::within(self.bytes, range);
        while let Some(field) = fields.next()? {
            let (table, what, limit) = match field.number {
                1 => (&mut self.mappings, "mappings", entries),
                2 => (&mut self.locations, "locations", entries),
                3 => (&mut self.functions, "functions", entries),
                5 => (&mut self.strings, "strings", entries),
                6 => (&mut self.attributes, "attributes", entries),
                7 => (&mut self.stacks, "stacks", self.limits.nodes as u64),
                _ => continue,
            };
            if table.len() as u64 >= limit {
                return Err(ReadError::TooMuch { what, limit, offset: field.at as u64 });
            }
            let range = field.bytes()?;
            table.push(range.start as u32..range.end as u32);
        }
        self.made = vec![None; self.locations.len()];
        self.lines = vec![0; self.locations.len()];
        Ok(())
    }

    /// Where the text of a string is.
    pub fn string(&self, index: i64, at: usize) -> Result<Range<usize>, ReadError> {
        let found = usize::try_from(index).ok().and_then(|index| self.strings.get(index));
        match found {
            Some(range) => Ok(wide(range)),
            None if index == 0 => Ok(0..0),
            None => {
                let cause = format!("string {index} of {} is referred to", self.strings.len());
                Err(fault(at, cause))
            }
        }
    }

    /// A text as it stands in the file.
    pub fn lossy(&self, range: Range<usize>) -> Cow<'a, str> {
        let raw = self.bytes.get(range).unwrap_or_default();
        String::from_utf8_lossy(&raw[..raw.len().min(MAX_TEXT)])
    }

    /// The text of a string.
    pub fn text(&self, index: i64, at: usize) -> Result<Cow<'a, str>, ReadError> {
        Ok(self.lossy(self.string(index, at)?))
    }

    /// An attribute; an empty one if there is none.
    pub fn attribute(&mut self, index: i64, at: usize) -> Result<Attribute, ReadError> {
        match self.entry(index, |dictionary| &dictionary.attributes, "attribute", at)? {
            Some(range) => Attribute::of_table(self, range),
            None => Ok(Attribute::default()),
        }
    }

    /// Where the stack is; none if it is empty.
    pub fn stack(&mut self, index: i64, at: usize) -> Result<Option<Range<usize>>, ReadError> {
        self.entry(index, |dictionary| &dictionary.stacks, "stack", at)
    }

    /// Puts the frames of a location after `frames`, leaf first; gives the innermost line that ran, 0 if
    /// unknown.
    pub fn expand(&mut self, index: i64, at: usize, frames: &mut Vec<u32>) -> Result<u32, ReadError> {
        let Some(range) = self.entry(index, |dictionary| &dictionary.locations, "location", at)? else {
            frames.push(self.unknown(at)?);
            return Ok(0);
        };
        let place = index as usize;
        if self.made[place].is_none() {
            let from = self.expanded.len() as u32;
            self.lines[place] = self.location(range, at)?;
            self.made[place] = Some(from..self.expanded.len() as u32);
        }
        if let Some(made) = &self.made[place] {
            frames.extend_from_slice(&self.expanded[made.start as usize..made.end as usize]);
        }
        Ok(self.lines[place])
    }

    fn entry(
        &mut self,
        index: i64,
        table: impl Fn(&Self) -> &Table,
        what: &str,
        at: usize,
    ) -> Result<Option<Range<usize>>, ReadError> {
        if index == 0 {
            return Ok(None);
        }
        let entries = table(self);
        let found = usize::try_from(index).ok().and_then(|index| entries.get(index)).map(wide);
        if found.is_none() {
            if self.limits.strictness == Strictness::Strict {
                return Err(fault(at, format!("{what} {index} of {} is referred to", entries.len())));
            }
            self.dangling += 1;
        }
        Ok(found)
    }

    fn unknown(&mut self, at: usize) -> Result<u32, ReadError> {
        self.frames.number(Frame::named(UNKNOWN, FrameKind::Other), self.limits, at as u64)
    }

    /// Makes the frames of a location; gives its innermost line that ran.
    fn location(&mut self, range: Range<usize>, at: usize) -> Result<u32, ReadError> {
        let (mut lines, mut place) = (Vec::new(), Place::default());
        let mut fields = Fields::within(self.bytes, range);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => place.mapping = self.mapping(&field)?,
                3 => lines.push(self.line(&field)?),
                4 => self.place_attributes(&field, &mut place)?,
                _ => {}
            }
            let limit = self.limits.lines_per_location;
            if lines.len() as u64 > limit || self.expanded.len() as u64 > self.limits.table_entries {
                return Err(ReadError::TooMuch { what: "lines", limit, offset: field.at as u64 });
            }
        }
        let mut ran = 0;
        for (nth, line) in lines.iter().enumerate() {
            let frame = self.frame(*line, &place, at)?;
            self.expanded.push(frame);
            let is_definition = place.start_column.is_none() && line.line == self.frames.get(frame).line;
            ran = if nth == 0 && !is_definition { line.line } else { ran };
        }
        if lines.is_empty() {
            let frame = unnamed(&place.mapping);
            let frame = self.frames.number(frame, self.limits, at as u64)?;
            self.expanded.push(frame);
        }
        Ok(ran)
    }

    fn mapping(&mut self, field: &Field) -> Result<String, ReadError> {
        let index = field.signed()?;
        let found = self.entry(index, |dictionary| &dictionary.mappings, "mapping", field.at)?;
        let mut fields = Fields::within(self.bytes, found.unwrap_or(0..0));
        while let Some(part) = fields.next()? {
            if part.number == 4 {
                return Ok(self.text(part.signed()?, part.at)?.into_owned());
            }
        }
        Ok(String::new())
    }

    fn line(&self, field: &Field) -> Result<LineEntry, ReadError> {
        let mut line = LineEntry::default();
        let mut fields = Fields::within(self.bytes, field.bytes()?);
        while let Some(part) = fields.next()? {
            match part.number {
                1 => line.function = part.signed()?,
                2 => line.line = number(part.signed()?),
                3 => line.column = number(part.signed()?),
                _ => {}
            }
        }
        Ok(line)
    }

    fn place_attributes(&mut self, field: &Field, place: &mut Place) -> Result<(), ReadError> {
        let bytes = self.bytes;
        each_number(bytes, field, &mut |index| {
            let attribute = self.attribute(index as i64, field.at)?;
            if attribute.is(self, key::START_COLUMN) {
                place.start_column = Some(number(attribute.number(self) as i64));
            } else if attribute.is(self, key::FRAME_TYPE)
                && let Value::Text(range) = attribute.value
            {
                place.frame_type = self.lossy(range).into_owned();
            }
            Ok(())
        })
    }

    fn frame(&mut self, line: LineEntry, place: &Place, at: usize) -> Result<u32, ReadError> {
        let Some(range) = self.entry(line.function, |dictionary| &dictionary.functions, "function", at)?
        else {
            return self.unknown(at);
        };
        let (mut name, mut file, mut start) = (Cow::Borrowed(""), Cow::Borrowed(""), 0);
        let mut fields = Fields::within(self.bytes, range);
        while let Some(part) = fields.next()? {
            match part.number {
                1 => name = self.text(part.signed()?, part.at)?,
                3 => file = self.text(part.signed()?, part.at)?,
                4 => start = number(part.signed()?),
                _ => {}
            }
        }
        let kind = kind(&name, &file, place);
        // Only a line that is the function's own has its column too.
        let own = if start != 0 && line.line == start { line.column } else { 0 };
        let column = place.start_column.unwrap_or(own);
        let frame = match anonymous_place(&name) {
            Some((line, column)) => Frame::at(ANONYMOUS, &clean_path(&file), line, column, kind),
            None => Frame::at(&clean_name(&name), &clean_path(&file), start, column, kind),
        };
        self.frames.number(frame, self.limits, at as u64)
    }
}

/// A frame of code without a name: one function a file.
fn unnamed(mapping: &str) -> Frame {
    match mapping.rsplit('/').next().unwrap_or_default() {
        "" => Frame::named(UNKNOWN, FrameKind::Other),
        file => Frame::named(&clean_name(&format!("[{file}]")), FrameKind::Native),
    }
}

fn kind(name: &str, file: &str, place: &Place) -> FrameKind {
    match &*place.frame_type {
        "v8js" => kind_of(name, file, "node"),
        "kernel" => FrameKind::Kernel,
        "native" | "go" | "rust" => FrameKind::Native,
        _ => kind_of(name, file, &place.mapping),
    }
}

/// A line or column as we hold it; what no source file can have is unknown.
fn number(value: i64) -> u32 {
    i32::try_from(value).ok().and_then(|value| u32::try_from(value).ok()).unwrap_or(0)
}

fn wide(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}
