//! The pprof reader: unpack, scan the tables, stream the samples, hand out a [`Profile`].
//!
//! It takes what `go tool pprof` takes and, unless told to be strict, files whose samples refer to
//! locations or functions that are missing. Everything it let pass is counted in the notes.

use super::remarks::Remarks;
use super::samples::{Column, Samples};
use super::scan::{Tables, scan};
use super::symbols::{Strings, Symbols};
use super::threads::Threads;
use super::wire::fault;
use crate::format::{Limits, ReadError, Strictness, unpack};
use crate::profile::{Moment, Nanos, Profile, ProfileLane, Sampling, Span, Unit, ValueKind};
use std::sync::Arc;

/// Reads a profile, gzipped or not.
pub(super) fn read(stored: &[u8], limits: &Limits) -> Result<Profile, ReadError> {
    let unpacked = unpack(stored, limits)?;
    let mut profile = decode(&unpacked.bytes, limits)?;
    if unpacked.trailing > 0 {
        profile.notes.push(format!("{} bytes after the profile were not read", unpacked.trailing).into());
    }
    Ok(profile)
}

/// Reads a profile that is not compressed.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Profile, ReadError> {
    if bytes.is_empty() {
        return Err(fault(0, "there is nothing in it"));
    }
    let mut tables = scan(bytes, limits)?;
    let mut strings = Strings::new(bytes, std::mem::take(&mut tables.strings));
    let remarks = remarks(&tables, &mut strings)?;
    let mut symbols = Symbols::new(tables, strings, remarks)?;
    symbols.check_strings()?;
    if limits.strictness == Strictness::Strict {
        symbols.check()?;
    }
    let columns = columns(&mut symbols)?;
    let counts = columns.iter().position(|column| column.kind.unit == Unit::Count);
    if columns.is_empty() && symbols.tables.samples > 0 {
        return Err(fault(0, "it has samples but no sample types"));
    }
    let threads = Threads::new(&symbols);
    let mut samples = Samples::new(limits, columns, counts, threads);
    samples.read(bytes, &mut symbols)?;
    assemble(symbols, samples)
}

fn remarks(tables: &Tables, strings: &mut Strings<'_>) -> Result<Remarks, ReadError> {
    let (mut comments, mut exceptions) = (Vec::new(), String::new());
    for index in &tables.comments {
        let raw = strings.raw(*index)?;
        if Remarks::is_exceptions(raw) {
            exceptions = String::from_utf8_lossy(raw).into_owned();
        } else {
            comments.push(strings.text(*index)?);
        }
    }
    Ok(Remarks::parse(&comments, &exceptions))
}

fn columns(symbols: &mut Symbols<'_>) -> Result<Vec<Column>, ReadError> {
    let types = symbols.tables.sample_types.clone();
    let mut columns: Vec<Column> = Vec::new();
    for (at, (name, unit)) in types.iter().enumerate() {
        let name = unique(&columns, &symbols.strings.text(*name)?);
        // Units such as millicores have no place in the model; their numbers are shown as they are.
        let (unit, factor) = Unit::parse(&symbols.strings.text(*unit)?).unwrap_or((Unit::Count, 1));
        let mut kind = ValueKind::from_sample_type(&name, unit);
        kind.accumulation = symbols.remarks.accumulation(at, types.len()).unwrap_or(kind.accumulation);
        columns.push(Column::new(kind, factor));
    }
    Ok(columns)
}

/// A name that no column has yet; kinds are found by name.
fn unique(columns: &[Column], name: &str) -> String {
    let name = if name.is_empty() { "value" } else { name };
    let taken = |wanted: &str| columns.iter().any(|column| &*column.kind.name == wanted);
    let numbered = (2..).map(|number| format!("{name} {number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|wanted| !taken(wanted)).unwrap_or_default()
}

fn assemble(mut symbols: Symbols<'_>, samples: Samples<'_>) -> Result<Profile, ReadError> {
    let tables = &symbols.tables;
    let span = Span {
        start: Moment(tables.time_nanos),
        length: Nanos(u64::try_from(tables.duration_nanos).unwrap_or(0)),
    };
    let notes = notes(&mut symbols, &samples)?;
    let sampling = sampling(&mut symbols, &samples)?;
    Ok(Profile {
        kinds: samples.columns.iter().map(|column| column.kind.clone()).collect(),
        span,
        covered: symbols.remarks.covered().unwrap_or(span.length).min(span.length),
        sampling,
        lanes: lanes(&samples),
        nodes: samples.nodes,
        frames: symbols.frames,
        notes,
    })
}

fn sampling(symbols: &mut Symbols<'_>, samples: &Samples<'_>) -> Result<Sampling, ReadError> {
    let (name, unit) = symbols.tables.period_type;
    let (unit, factor) = Unit::parse(&symbols.strings.text(unit)?).unwrap_or((Unit::Count, 1));
    let period = symbols.tables.period.saturating_mul(factor);
    let named = |column: &Column| matches!(&*column.kind.name, "samples" | "sample");
    let taken = samples
        .columns
        .iter()
        .position(named)
        .map_or(0, |at| samples.values.iter().skip(at).step_by(samples.columns.len()).sum::<i64>());
    let mut sampling = Sampling {
        period_name: symbols.strings.text(name)?,
        period: u64::try_from(period).unwrap_or(0),
        period_bytes: unit == Unit::Bytes,
        taken: u64::try_from(taken).unwrap_or(0),
        ..Sampling::default()
    };
    symbols.remarks.fill(&mut sampling);
    Ok(sampling)
}

fn notes(symbols: &mut Symbols<'_>, samples: &Samples<'_>) -> Result<Vec<Arc<str>>, ReadError> {
    let mut notes = std::mem::take(&mut symbols.remarks.notes);
    let faults = &samples.faults;
    let full = samples.columns.iter().filter(|column| column.room == 0).count() as u64;
    for (count, what) in [
        (faults.dangling, "samples refer to locations that are missing from the file"),
        (faults.cut, "stacks end early: the file has more different ones than flametop keeps"),
        (faults.lines, "line counts were left out: the file has more than flametop keeps"),
        (full, "sample types have values too great to add up; what did not fit was left out"),
    ] {
        if count > 0 {
            notes.push(format!("{count} {what}").into());
        }
    }
    if !samples.threads.foreign.is_empty() {
        let keys =
            samples.threads.foreign.iter().map(|key| symbols.strings.text(super::scan::StringIndex(*key)));
        let keys: Vec<Arc<str>> = keys.collect::<Result<_, _>>()?;
        notes.push(format!("labels not shown: {}", keys.join(", ")).into());
    }
    let pattern = symbols.strings.text(symbols.tables.drop_frames)?;
    if !pattern.is_empty() {
        notes.push(format!("the file asks viewers to drop frames like {pattern}; they are shown").into());
    }
    Ok(notes)
}

/// The gathered rows by thread, in order.
fn lanes(samples: &Samples<'_>) -> Vec<ProfileLane> {
    let mut order: Vec<u32> = (0..samples.rows.len() as u32).collect();
    order.sort_unstable_by_key(|row| samples.rows[*row as usize]);
    let mut lines: Vec<(u32, u32, u32)> =
        samples.lines.iter().map(|((row, line), count)| (*row, *line, *count)).collect();
    lines.sort_unstable();
    let by_thread = order.chunk_by(|a, b| samples.rows[*a as usize].0 == samples.rows[*b as usize].0);
    by_thread.map(|rows| lane(samples, rows, &lines)).collect()
}

fn lane(samples: &Samples<'_>, rows: &[u32], lines: &[(u32, u32, u32)]) -> ProfileLane {
    let (thread, width) = (samples.rows[rows[0] as usize].0, samples.columns.len());
    let node = |row: &u32| samples.rows[*row as usize].1;
    let column = |at: usize| rows.iter().map(|row| samples.values[*row as usize * width + at]).collect();
    let lines_of = |row: &u32| {
        let from = lines.partition_point(|line| line.0 < *row);
        let of_row = lines[from..].iter().take_while(|line| line.0 == *row);
        of_row.map(|line| (node(row), line.1, line.2)).collect::<Vec<_>>()
    };
    ProfileLane {
        thread: samples.threads.list[thread as usize].clone(),
        nodes: rows.iter().map(node).collect(),
        columns: (0..width).map(column).collect(),
        lines: rows.iter().flat_map(lines_of).collect(),
        runs: Vec::new(),
        runs_dropped: 0,
    }
}
