//! The first pass over a file: its tables, in whatever order they come. Samples are only counted.

use super::wire::{Field, Fields, each_number, fault};
use crate::format::{Limits, ReadError};
use std::ops::Range;

/// More sample types than this are not a profile.
const MAX_SAMPLE_TYPES: usize = 64;
/// More comments than this are not read.
const MAX_COMMENTS: usize = 10_000;

/// A field number of the Profile message.
pub(super) mod field {
    pub const SAMPLE: u64 = 2;
}

/// A string by its index as it stands in the file, not yet checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StringRef {
    pub index: i64,
    /// Where the index stands.
    pub at: u32,
}

impl StringRef {
    pub fn of(field: &Field) -> Result<Self, ReadError> {
        Ok(Self { index: field.signed()?, at: field.at as u32 })
    }
}

/// A function of the file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FunctionEntry {
    pub id: u64,
    /// Where the entry stands.
    pub at: u32,
    pub name: StringRef,
    pub file: StringRef,
    pub start_line: u32,
    /// Column of the definition, taken from a line that is the definition's.
    pub column: u32,
}

/// A location of the file; its lines are a range of [`Tables::lines`], innermost first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LocationEntry {
    pub id: u64,
    /// Where the entry stands.
    pub at: u32,
    pub mapping: u64,
    pub address: u64,
    pub lines_from: u32,
    pub lines: u32,
}

/// A line of a location.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LineEntry {
    pub function: u64,
    /// Where the entry stands.
    pub at: u32,
    pub line: u32,
    pub column: u32,
}

/// A mapping of the file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MappingEntry {
    pub id: u64,
    /// Where the entry stands.
    pub at: u32,
    pub start: u64,
    pub offset: u64,
    pub file: StringRef,
}

/// Everything of a file but its samples.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// Type and unit of each value.
    pub sample_types: Vec<(StringRef, StringRef)>,
    pub samples: u64,
    pub mappings: Vec<MappingEntry>,
    pub locations: Vec<LocationEntry>,
    pub lines: Vec<LineEntry>,
    pub functions: Vec<FunctionEntry>,
    /// Where each string stands in the bytes.
    pub strings: Vec<Range<u32>>,
    pub drop_frames: StringRef,
    pub time_nanos: i64,
    pub duration_nanos: i64,
    pub period_type: (StringRef, StringRef),
    pub period: i64,
    pub comments: Vec<StringRef>,
}

/// Reads the tables of a profile.
pub(super) fn scan(bytes: &[u8], limits: &Limits) -> Result<Tables, ReadError> {
    // Strings are kept as 32-bit ranges.
    if u32::try_from(bytes.len()).is_err() {
        return Err(ReadError::TooMuch { what: "bytes", limit: u32::MAX.into(), offset: u32::MAX.into() });
    }
    let mut scan = Scan { bytes, limits, tables: Tables::default(), timed: false };
    let mut fields = Fields::within(bytes, 0..bytes.len());
    while let Some(field) = fields.next()? {
        scan.top_level(&field)?;
    }
    Ok(scan.tables)
}

struct Scan<'a> {
    bytes: &'a [u8],
    limits: &'a Limits,
    tables: Tables,
    timed: bool,
}

impl Scan<'_> {
    fn top_level(&mut self, field: &Field) -> Result<(), ReadError> {
        let tables = &mut self.tables;
        match field.number {
            1 => {
                cap("sample types", tables.sample_types.len(), MAX_SAMPLE_TYPES as u64, field)?;
                tables.sample_types.push(value_type(self.bytes, field)?);
            }
            field::SAMPLE => {
                field.bytes()?;
                cap("samples", tables.samples as usize, self.limits.samples, field)?;
                tables.samples += 1;
            }
            3 => self.mapping(field)?,
            4 => self.location(field)?,
            5 => self.function(field)?,
            6 => self.string(field)?,
            7 => tables.drop_frames = StringRef::of(field)?,
            9 => self.time(field)?,
            10 => tables.duration_nanos = field.signed()?,
            11 => tables.period_type = value_type(self.bytes, field)?,
            12 => tables.period = field.signed()?,
            13 => self.comments(field)?,
            _ => {}
        }
        Ok(())
    }

    fn time(&mut self, field: &Field) -> Result<(), ReadError> {
        // Two profiles written one after the other parse as one; only the time gives them away.
        if std::mem::replace(&mut self.timed, true) {
            return Err(fault(field.at, "a second time_nanos: two profiles were concatenated"));
        }
        self.tables.time_nanos = field.signed()?;
        Ok(())
    }

    fn string(&mut self, field: &Field) -> Result<(), ReadError> {
        let range = field.bytes()?;
        let strings = &mut self.tables.strings;
        cap("strings", strings.len(), self.limits.table_entries, field)?;
        if strings.is_empty() && !range.is_empty() {
            return Err(fault(field.at, "the first string is not empty"));
        }
        strings.push(range.start as u32..range.end as u32);
        Ok(())
    }

    fn mapping(&mut self, field: &Field) -> Result<(), ReadError> {
        cap("mappings", self.tables.mappings.len(), self.limits.table_entries, field)?;
        let mut entry = MappingEntry { at: field.at as u32, ..MappingEntry::default() };
        let mut fields = Fields::within(self.bytes, field.bytes()?);
        while let Some(part) = fields.next()? {
            match part.number {
                1 => entry.id = part.varint()?,
                2 => entry.start = part.varint()?,
                4 => entry.offset = part.varint()?,
                5 => entry.file = StringRef::of(&part)?,
                _ => {}
            }
        }
        check_id(entry.id, "mapping", field)?;
        self.tables.mappings.push(entry);
        Ok(())
    }

    fn function(&mut self, field: &Field) -> Result<(), ReadError> {
        cap("functions", self.tables.functions.len(), self.limits.table_entries, field)?;
        let mut entry = FunctionEntry { at: field.at as u32, ..FunctionEntry::default() };
        let mut fields = Fields::within(self.bytes, field.bytes()?);
        while let Some(part) = fields.next()? {
            match part.number {
                1 => entry.id = part.varint()?,
                2 => entry.name = StringRef::of(&part)?,
                4 => entry.file = StringRef::of(&part)?,
                5 => entry.start_line = place(part.signed()?),
                _ => {}
            }
        }
        check_id(entry.id, "function", field)?;
        self.tables.functions.push(entry);
        Ok(())
    }

    fn location(&mut self, field: &Field) -> Result<(), ReadError> {
        cap("locations", self.tables.locations.len(), self.limits.table_entries, field)?;
        let mut entry = LocationEntry {
            at: field.at as u32,
            lines_from: self.tables.lines.len() as u32,
            ..LocationEntry::default()
        };
        let mut fields = Fields::within(self.bytes, field.bytes()?);
        while let Some(part) = fields.next()? {
            match part.number {
                1 => entry.id = part.varint()?,
                2 => entry.mapping = part.varint()?,
                3 => entry.address = part.varint()?,
                4 => {
                    cap(
                        "lines at one location",
                        entry.lines as usize,
                        self.limits.lines_per_location,
                        &part,
                    )?;
                    self.line(&part)?;
                    entry.lines += 1;
                }
                _ => {}
            }
        }
        check_id(entry.id, "location", field)?;
        self.tables.locations.push(entry);
        Ok(())
    }

    fn line(&mut self, field: &Field) -> Result<(), ReadError> {
        cap("lines", self.tables.lines.len(), self.limits.table_entries, field)?;
        let (mut entry, mut line) = (LineEntry { at: field.at as u32, ..LineEntry::default() }, 0);
        let mut fields = Fields::within(self.bytes, field.bytes()?);
        while let Some(part) = fields.next()? {
            match part.number {
                1 => entry.function = part.varint()?,
                2 => line = part.signed()?,
                3 => entry.column = place(part.signed()?),
                _ => {}
            }
        }
        entry.line = place(line);
        // A way of Datadog's client to pack both numbers in one.
        if line > i64::from(i32::MAX) {
            (entry.line, entry.column) = (place(line & 0xffff_ffff), place(line >> 32));
        }
        self.tables.lines.push(entry);
        Ok(())
    }

    fn comments(&mut self, field: &Field) -> Result<(), ReadError> {
        let comments = &mut self.tables.comments;
        let mut push = |index: u64| {
            cap("comments", comments.len(), MAX_COMMENTS as u64, field)?;
            comments.push(StringRef { index: index as i64, at: field.at as u32 });
            Ok(())
        };
        each_number(self.bytes, field, &mut push)
    }
}

fn value_type(bytes: &[u8], field: &Field) -> Result<(StringRef, StringRef), ReadError> {
    let mut found = (StringRef::default(), StringRef::default());
    let mut fields = Fields::within(bytes, field.bytes()?);
    while let Some(part) = fields.next()? {
        match part.number {
            1 => found.0 = StringRef::of(&part)?,
            2 => found.1 = StringRef::of(&part)?,
            _ => {}
        }
    }
    Ok(found)
}

/// A line or column as we hold it; what no source file can have is unknown.
fn place(number: i64) -> u32 {
    u32::try_from(number).ok().filter(|number| i32::try_from(*number).is_ok()).unwrap_or(0)
}

/// Refuses one more of something there are `have` of.
pub(super) fn cap(what: &'static str, have: usize, limit: u64, field: &Field) -> Result<(), ReadError> {
    if have as u64 >= limit {
        return Err(ReadError::TooMuch { what, limit, offset: field.at as u64 });
    }
    Ok(())
}

fn check_id(id: u64, what: &str, field: &Field) -> Result<(), ReadError> {
    if id == 0 {
        return Err(fault(field.at, format!("a {what} has id 0")));
    }
    Ok(())
}
