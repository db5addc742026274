//! The pprof reader: unpack, scan the tables, stream the samples, hand out a [`Profile`].
//!
//! It takes what `go tool pprof` takes and, unless told to be strict, files whose samples refer to
//! locations or functions that are missing. Everything it let pass is counted in the notes.

use super::remarks::Remarks;
use super::samples::Samples;
use super::scan::{Tables, scan};
use super::symbols::{Strings, Symbols};
use super::threads::Threads;
use super::wire::fault;
use crate::format::gather::{Column, Gathering};
use crate::format::{Limits, ReadError, Strictness, unpack};
use crate::profile::{Moment, Nanos, Profile, Sampling, Span, Unit, ValueKind};
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
    if columns.is_empty() && symbols.tables.samples > 0 {
        return Err(fault(0, "it has samples but no sample types"));
    }
    let threads = Threads::new(&symbols);
    let mut samples = Samples::new(limits, Gathering::new(limits, columns), threads);
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
    let kinds = samples.gathered.columns.iter().map(|column| column.kind.clone()).collect();
    let (nodes, lanes) = samples.gathered.finish(&samples.threads.list);
    Ok(Profile {
        kinds,
        span,
        covered: symbols.remarks.covered().unwrap_or(span.length).min(span.length),
        sampling,
        lanes,
        nodes,
        frames: symbols.frames,
        notes,
    })
}

fn sampling(symbols: &mut Symbols<'_>, samples: &Samples<'_>) -> Result<Sampling, ReadError> {
    let (name, unit) = symbols.tables.period_type;
    let (unit, factor) = Unit::parse(&symbols.strings.text(unit)?).unwrap_or((Unit::Count, 1));
    let period = symbols.tables.period.saturating_mul(factor);
    let named = |column: &Column| matches!(&*column.kind.name, "samples" | "sample");
    let taken = samples.gathered.columns.iter().position(named).map_or(0, |at| samples.gathered.sum(at));
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
    let dangling = samples.faults.dangling;
    if dangling > 0 {
        let missing = "samples refer to locations that are missing from the file";
        notes.push(format!("{dangling} {missing}").into());
    }
    notes.extend(samples.gathered.notes());
    if !samples.threads.foreign.is_empty() {
        let keys = samples.threads.foreign.iter().map(|key| symbols.strings.text(*key));
        let keys: Vec<Arc<str>> = keys.collect::<Result<_, _>>()?;
        notes.push(format!("labels not shown: {}", keys.join(", ")).into());
    }
    let pattern = symbols.strings.text(symbols.tables.drop_frames)?;
    if !pattern.is_empty() {
        notes.push(format!("the file asks viewers to drop frames like {pattern}; they are shown").into());
    }
    Ok(notes)
}
