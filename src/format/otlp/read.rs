//! The reader: scan the dictionary, then profile after profile into columns.
//!
//! A profile of the file has one sample type. Profiles of one resource that follow each other over the
//! same time, with the same period and another type, are columns of one profile of ours.

use super::attributes::{Attribute, Value};
use super::dictionary::Dictionary;
use super::{NOTE_END, key};
use crate::format::gather::{Column, Gathering};
use crate::format::pprof::wire::{Field, Fields, each_number, fault};
use crate::format::{Limits, ReadError, unpack};
use crate::profile::{Frame, Moment, Nanos, Profile, Sampling, Span, Thread, Unit, ValueKind, clean_path};
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::Arc;

/// Profiles of ours that a file may come to; each is a window to the user.
const MOST_PROFILES: usize = 1024;
/// Columns of one of them.
const MOST_COLUMNS: usize = 16;
/// Notes that a profile may bring.
const MOST_NOTES: usize = 100;

/// How far back equal threads are looked for.
const NEAR: usize = 64;

/// What a profile says before its samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Header {
    kind: (String, String),
    time: u64,
    duration: u64,
    period_type: (String, String),
    period: i64,
    attributes: Vec<i64>,
}

impl Header {
    /// Whether both speak for the same samples.
    fn goes_with(&self, other: &Self) -> bool {
        let told = |header: &Self| (header.time, header.duration, header.period);
        told(self) == told(other) && self.period_type == other.period_type
    }
}

/// Profiles of the file that make one of ours.
struct Group {
    pid: u32,
    parts: Vec<(Header, Range<usize>)>,
}

/// Reads a whole file, gzipped or not.
pub(super) fn read(stored: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
    let unpacked = unpack(stored, limits)?;
    let bytes = &*unpacked.bytes;
    let mut dictionary = Dictionary::new(bytes, limits);
    let mut resources = Vec::new();
    let mut fields = Fields::within(bytes, 0..bytes.len());
    while let Some(field) = fields.next()? {
        match field.number {
            1 => resources.push(field.bytes()?),
            2 => dictionary.scan(field.bytes()?)?,
            _ => {}
        }
        if resources.len() as u64 > limits.table_entries {
            let limit = limits.table_entries;
            return Err(ReadError::TooMuch { what: "resources", limit, offset: field.at as u64 });
        }
    }
    let mut groups = Vec::new();
    for resource in resources {
        read_resource(&mut dictionary, resource, &mut groups)?;
    }
    if groups.is_empty() {
        return Err(fault(0, "there is no profile in it"));
    }
    // What the first profiles take is not there for the later ones.
    let mut left = *limits;
    let mut walked = 0;
    groups.into_iter().map(|group| read_group(&mut dictionary, &group, &mut left, &mut walked)).collect()
}

fn read_resource(
    dictionary: &mut Dictionary<'_>,
    range: Range<usize>,
    groups: &mut Vec<Group>,
) -> Result<(), ReadError> {
    let first = groups.len();
    let mut pid = 0;
    let mut parts = Fields::within(dictionary.bytes, range.clone());
    while let Some(part) = parts.next()? {
        if part.number == 1 {
            pid = resource_pid(dictionary, &part)?;
        }
    }
    let mut parts = Fields::within(dictionary.bytes, range);
    while let Some(part) = parts.next()? {
        if part.number != 2 {
            continue;
        }
        let mut fields = Fields::within(dictionary.bytes, part.bytes()?);
        while let Some(field) = fields.next()?.filter(|_| groups.len() <= MOST_PROFILES) {
            if field.number == 2 {
                let header = header(dictionary, &field)?;
                add_to_group(groups, first, pid, header, field.bytes()?);
            }
        }
    }
    if groups.len() > MOST_PROFILES {
        return Err(ReadError::TooMuch { what: "profiles", limit: MOST_PROFILES as u64, offset: 0 });
    }
    Ok(())
}

fn resource_pid(dictionary: &Dictionary<'_>, field: &Field) -> Result<u32, ReadError> {
    let mut pid = 0;
    let mut fields = Fields::within(dictionary.bytes, field.bytes()?);
    while let Some(part) = fields.next()? {
        if part.number != 1 {
            continue;
        }
        let attribute = Attribute::of_resource(dictionary, part.bytes()?)?;
        if attribute.is(dictionary, key::PID) {
            pid = u32::try_from(attribute.number(dictionary)).unwrap_or(0);
        }
    }
    Ok(pid)
}

/// Puts a profile to the group before it in the same resource, or into one of its own.
fn add_to_group(groups: &mut Vec<Group>, first: usize, pid: u32, header: Header, range: Range<usize>) {
    let last = groups[first..].last_mut().filter(|group| {
        let parts = &group.parts;
        parts[0].0.goes_with(&header)
            && parts.len() < MOST_COLUMNS
            && parts.iter().all(|part| part.0.kind != header.kind)
    });
    match last {
        Some(group) => group.parts.push((header, range)),
        None => groups.push(Group { pid, parts: vec![(header, range)] }),
    }
}

fn header(dictionary: &Dictionary<'_>, profile: &Field) -> Result<Header, ReadError> {
    let mut header = Header::default();
    let mut fields = Fields::within(dictionary.bytes, profile.bytes()?);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => header.kind = value_type(dictionary, &field)?,
            3 => header.time = field.fixed64(dictionary.bytes)?,
            4 => header.duration = field.varint()?,
            5 => header.period_type = value_type(dictionary, &field)?,
            6 => header.period = field.signed()?,
            11 => each_number(dictionary.bytes, &field, &mut |index| {
                if header.attributes.len() < MOST_NOTES {
                    header.attributes.push(index as i64);
                }
                Ok(())
            })?,
            _ => {}
        }
    }
    Ok(header)
}

fn value_type(dictionary: &Dictionary<'_>, field: &Field) -> Result<(String, String), ReadError> {
    let mut found = (String::new(), String::new());
    let mut fields = Fields::within(dictionary.bytes, field.bytes()?);
    while let Some(part) = fields.next()? {
        match part.number {
            1 => found.0 = clean_path(&dictionary.text(part.signed()?, part.at)?).to_string(),
            2 => found.1 = clean_path(&dictionary.text(part.signed()?, part.at)?).to_string(),
            _ => {}
        }
    }
    Ok(found)
}

fn column((name, unit): &(String, String)) -> Column {
    // Units such as millicores have no place in the model; their numbers are shown as they are.
    let (unit, factor) = Unit::parse(unit).unwrap_or((Unit::Count, 1));
    let name = if name.is_empty() { "value" } else { name };
    Column::new(ValueKind::from_sample_type(name, unit), factor)
}

fn read_group(
    dictionary: &mut Dictionary<'_>,
    group: &Group,
    left: &mut Limits,
    walked: &mut u64,
) -> Result<Profile, ReadError> {
    let limits = *left;
    let columns = group.parts.iter().map(|(header, _)| column(&header.kind)).collect();
    let mut samples = Samples {
        limits: &limits,
        walked,
        pid: group.pid,
        gathered: Gathering::new(&limits, columns),
        nodes: FxHashMap::default(),
        threads: Vec::new(),
        thread_numbers: FxHashMap::default(),
        roles: FxHashMap::default(),
        local: FxHashMap::default(),
        buffer: Vec::new(),
        values: vec![0; group.parts.len()],
        timed: 0,
        uneven: 0,
    };
    for (column, (_, range)) in group.parts.iter().enumerate() {
        let mut fields = Fields::within(dictionary.bytes, range.clone());
        while let Some(field) = fields.next()? {
            if field.number == 2 {
                samples.sample(dictionary, &field, column)?;
            }
        }
    }
    let profile = assemble(dictionary, &group.parts[0].0, samples)?;
    let cells: usize = profile.lanes.iter().map(|lane| lane.nodes.len() * profile.kinds.len()).sum();
    left.cells = left.cells.saturating_sub(cells);
    left.nodes = left.nodes.saturating_sub(profile.nodes.len()).max(1);
    Ok(profile)
}

/// What an attribute of a sample is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Pid,
    ThreadId,
    ThreadName,
    None,
}

/// Indices of the attributes that tell a sample's process and thread.
type ThreadKey = [i64; 3];

struct Samples<'a, 'b> {
    limits: &'a Limits,
    /// Frames of stacks that were walked, in the whole file.
    walked: &'b mut u64,
    pid: u32,
    gathered: Gathering<'a>,
    /// The node and innermost line of each stack.
    nodes: FxHashMap<i64, (u32, u32)>,
    threads: Vec<Thread>,
    thread_numbers: FxHashMap<ThreadKey, u32>,
    roles: FxHashMap<i64, Role>,
    /// Numbers of the file's frames in this profile.
    local: FxHashMap<u32, u32>,
    buffer: Vec<u32>,
    /// The values of a sample, a column each.
    values: Vec<i64>,
    timed: u64,
    uneven: u64,
}

impl Samples<'_, '_> {
    fn sample(
        &mut self,
        dictionary: &mut Dictionary<'_>,
        field: &Field,
        column: usize,
    ) -> Result<(), ReadError> {
        let bytes = dictionary.bytes;
        let (mut stack, mut who, mut value) = (0, ThreadKey::default(), 0i64);
        let (mut values, mut times) = (0u64, 0u64);
        let mut fields = Fields::within(bytes, field.bytes()?);
        while let Some(part) = fields.next()? {
            match part.number {
                1 => stack = part.signed()?,
                2 => each_number(bytes, &part, &mut |index| {
                    self.note_attribute(dictionary, index as i64, part.at, &mut who)
                })?,
                4 => each_number(bytes, &part, &mut |number| {
                    value = value.saturating_add(number as i64);
                    values += 1;
                    Ok(())
                })?,
                5 => times += part.bytes().map_or(1, |range| range.len() as u64 / 8),
                _ => {}
            }
        }
        self.timed += u64::from(times > 0);
        self.uneven += u64::from(values > 0 && times > 0 && values != times);
        if values == 0 {
            value = signed(times);
        }
        if value == 0 {
            return Ok(());
        }
        let thread = self.thread(dictionary, who, field.at)?;
        let (node, line) = self.node(dictionary, stack, field.at)?;
        let row = self.gathered.row(thread, node, field.at as u64)?;
        self.values.fill(0);
        self.values[column] = value;
        self.gathered.add(row, &self.values);
        if self.gathered.columns[column].kind.unit == Unit::Count && line != 0 {
            self.gathered.count_line(row, line, u32::try_from(value.max(0)).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    fn note_attribute(
        &mut self,
        dictionary: &mut Dictionary<'_>,
        index: i64,
        at: usize,
        who: &mut ThreadKey,
    ) -> Result<(), ReadError> {
        let role = match self.roles.get(&index) {
            Some(role) => *role,
            None => role(dictionary, index, at)?,
        };
        if (self.roles.len() as u64) < self.limits.table_entries {
            self.roles.insert(index, role);
        }
        if role != Role::None {
            who[role as usize] = index;
        }
        Ok(())
    }

    fn thread(
        &mut self,
        dictionary: &mut Dictionary<'_>,
        who: ThreadKey,
        at: usize,
    ) -> Result<u32, ReadError> {
        if let Some(known) = self.thread_numbers.get(&who) {
            return Ok(*known);
        }
        if self.thread_numbers.len() as u64 >= self.limits.table_entries {
            let limit = self.limits.table_entries;
            return Err(ReadError::TooMuch { what: "threads", limit, offset: at as u64 });
        }
        let [pid, tid, name] = [0, 1, 2].map(|role| dictionary.attribute(who[role], at));
        let name = match name?.value {
            Value::Text(range) => clean_path(&dictionary.lossy(range)),
            Value::Number(_) | Value::Other => "".into(),
        };
        let pid = u32::try_from(pid?.number(dictionary)).unwrap_or(0);
        let thread =
            Thread { pid: if pid == 0 { self.pid } else { pid }, tid: tid?.number(dictionary), name };
        // Different attributes may name one thread.
        let near = self.threads.len().saturating_sub(NEAR);
        let known = self.threads[near..].iter().position(|known| *known == thread);
        let number = known.map_or(self.threads.len(), |at| near + at);
        self.threads.extend(known.is_none().then_some(thread));
        self.thread_numbers.insert(who, number as u32);
        Ok(number as u32)
    }

    /// The node of a stack and the innermost line of it; each stack is walked once.
    fn node(
        &mut self,
        dictionary: &mut Dictionary<'_>,
        stack: i64,
        at: usize,
    ) -> Result<(u32, u32), ReadError> {
        if let Some(known) = self.nodes.get(&stack) {
            return Ok(*known);
        }
        let Some(range) = dictionary.stack(stack, at)? else { return Ok((0, 0)) };
        self.buffer.clear();
        let mut line = None;
        let mut fields = Fields::within(dictionary.bytes, range);
        while let Some(field) = fields.next()?.filter(|field| field.number == 1) {
            each_number(dictionary.bytes, &field, &mut |location| {
                let innermost = dictionary.expand(location as i64, field.at, &mut self.buffer)?;
                line = line.or(Some(innermost));
                self.check(at)
            })?;
        }
        *self.walked += self.buffer.len() as u64;
        let mut path = std::mem::take(&mut self.buffer);
        path.reverse();
        for frame in &mut path {
            let next = self.local.len() as u32;
            *frame = *self.local.entry(*frame).or_insert(next);
        }
        let node = self.gathered.walk(path.iter().copied());
        self.buffer = path;
        let found = (node, line.unwrap_or(0));
        self.nodes.insert(stack, found);
        Ok(found)
    }

    /// Refuses stacks that are too deep, and files whose stacks are too many frames together.
    fn check(&self, at: usize) -> Result<(), ReadError> {
        let depth = self.buffer.len() as u64;
        let (what, limit) = if depth > self.limits.stack_frames {
            ("frames in a stack", self.limits.stack_frames)
        } else if *self.walked + depth > self.limits.samples {
            ("frames in all stacks", self.limits.samples)
        } else {
            return Ok(());
        };
        Err(ReadError::TooMuch { what, limit, offset: at as u64 })
    }
}

fn role(dictionary: &mut Dictionary<'_>, index: i64, at: usize) -> Result<Role, ReadError> {
    let attribute = dictionary.attribute(index, at)?;
    let roles =
        [(key::PID, Role::Pid), (key::THREAD_ID, Role::ThreadId), (key::THREAD_NAME, Role::ThreadName)];
    let found = roles.iter().find(|(key, _)| attribute.is(dictionary, key));
    Ok(found.map_or(Role::None, |(_, role)| *role))
}

fn assemble(
    dictionary: &mut Dictionary<'_>,
    header: &Header,
    samples: Samples<'_, '_>,
) -> Result<Profile, ReadError> {
    let told = told(dictionary, header)?;
    let span = Span { start: Moment(signed(header.time)), length: Nanos(header.duration) };
    let mut notes = told.notes;
    notes.extend(samples.gathered.notes());
    notes.extend(faults(&samples, dictionary.dangling));
    let kinds: Vec<ValueKind> = samples.gathered.columns.iter().map(|column| column.kind.clone()).collect();
    let counted = kinds.iter().position(|kind| matches!(&*kind.name, "samples" | "sample"));
    let counted = counted.map_or(0, |at| u64::try_from(samples.gathered.sum(at)).unwrap_or(0));
    let (unit, factor) = Unit::parse(&header.period_type.1).unwrap_or((Unit::Count, 1));
    let period = header.period.saturating_mul(factor);
    let (nodes, lanes) = samples.gathered.finish(&samples.threads);
    let frames = frames(dictionary, &samples.local);
    Ok(Profile {
        kinds,
        span,
        covered: told.covered.map_or(span.length, Nanos).min(span.length),
        sampling: Sampling {
            period_name: header.period_type.0.as_str().into(),
            period: u64::try_from(period).unwrap_or(0),
            period_bytes: unit == Unit::Bytes,
            taken: told.taken.unwrap_or(counted),
            lost: told.lost,
            truncated: told.truncated,
            ..Sampling::default()
        },
        frames,
        nodes,
        lanes,
        notes,
    })
}

/// The frames of one profile, in the order of its own numbers.
fn frames(dictionary: &Dictionary<'_>, local: &FxHashMap<u32, u32>) -> Vec<Frame> {
    let mut order: Vec<(u32, u32)> = local.iter().map(|(file, own)| (*own, *file)).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, file)| dictionary.frames.get(file).clone()).collect()
}

fn faults(samples: &Samples<'_, '_>, dangling: u64) -> Vec<Arc<str>> {
    let counted = [
        (samples.timed, "samples have times of their own, which are not shown"),
        (samples.uneven, "samples have not as many values as times; their values were added up"),
        (dangling, "references to entries that are missing show as [unknown]"),
    ];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    counted.map(|(count, what)| format!("{count} {what}").into()).collect()
}

/// What flametop wrote into attributes of a profile.
#[derive(Default)]
struct Told {
    covered: Option<u64>,
    taken: Option<u64>,
    lost: u64,
    truncated: u64,
    notes: Vec<Arc<str>>,
}

fn told(dictionary: &mut Dictionary<'_>, header: &Header) -> Result<Told, ReadError> {
    let mut told = Told::default();
    for index in &header.attributes {
        let attribute = dictionary.attribute(*index, 0)?;
        let number = attribute.number(dictionary);
        if attribute.is(dictionary, key::COVERED) {
            told.covered = Some(number);
        } else if attribute.is(dictionary, key::TAKEN) {
            told.taken = Some(number);
        } else if attribute.is(dictionary, key::LOST) {
            told.lost = number;
        } else if attribute.is(dictionary, key::TRUNCATED) {
            told.truncated = number;
        } else if attribute.is(dictionary, key::NOTES)
            && let Value::Text(range) = attribute.value
        {
            let text = dictionary.lossy(range);
            told.notes = text.split(NOTE_END).take(MOST_NOTES).map(clean_path).collect();
        }
    }
    Ok(told)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
