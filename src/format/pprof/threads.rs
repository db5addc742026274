//! Labels of samples as the threads they name.

use super::scan::StringIndex;
use super::symbols::Symbols;
use super::wire::{Field, Fields};
use super::{PROCESS, THREAD_ID, THREAD_NAME};
use crate::format::ReadError;
use crate::profile::Thread;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// More threads than this are not told apart by their labels.
const MAX_THREADS: usize = 100_000;
/// Label keys that flametop has no place for are named in a note, up to this many.
const MAX_FOREIGN: usize = 16;

/// What a label tells about a thread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Process,
    ThreadId,
    ThreadName,
}

/// A label's value: an index into the strings, or a number.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct LabelValue {
    text: i64,
    number: i64,
}

/// The labels of one sample that tell its thread.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Key {
    process: LabelValue,
    id: LabelValue,
    name: LabelValue,
}

/// The threads of a file in the order of their first samples.
pub(super) struct Threads {
    roles: FxHashMap<i64, Role>,
    current: Key,
    last: Option<(Key, u32)>,
    known: FxHashMap<Key, u32>,
    numbers: FxHashMap<Thread, u32>,
    /// Every thread.
    pub list: Vec<Thread>,
    /// Keys of other labels.
    pub foreign: Vec<i64>,
}

impl Threads {
    /// Knows which strings are the keys of thread labels.
    pub fn new(symbols: &Symbols<'_>) -> Self {
        let role = |at: usize| {
            let text = symbols.strings.raw(StringIndex(at as i64)).ok()?;
            Some((at as i64, role_of(text)?))
        };
        Self {
            roles: (0..symbols.strings.len()).filter_map(role).collect(),
            current: Key::default(),
            last: None,
            known: FxHashMap::default(),
            numbers: FxHashMap::default(),
            list: Vec::new(),
            foreign: Vec::new(),
        }
    }

    /// Forgets the labels of the sample before.
    pub fn begin(&mut self) {
        self.current = Key::default();
    }

    /// Takes one label of the sample at hand.
    pub fn label(&mut self, bytes: &[u8], field: &Field, symbols: &Symbols<'_>) -> Result<(), ReadError> {
        let (mut key, mut value) = (0, LabelValue::default());
        let mut fields = Fields::within(bytes, field.bytes()?);
        while let Some(part) = fields.next()? {
            match part.number {
                1 => key = part.signed()?,
                2 => value.text = part.signed()?,
                3 => value.number = part.signed()?,
                4 => _ = symbols.strings.raw(StringIndex(part.signed()?))?,
                _ => {}
            }
        }
        for index in [key, value.text] {
            symbols.strings.raw(StringIndex(index))?;
        }
        match self.roles.get(&key) {
            Some(Role::Process) => self.current.process = value,
            Some(Role::ThreadId) => self.current.id = value,
            Some(Role::ThreadName) => self.current.name = value,
            None if self.foreign.len() < MAX_FOREIGN && !self.foreign.contains(&key) => {
                self.foreign.push(key);
            }
            None => {}
        }
        Ok(())
    }

    /// The number of the thread that the sample at hand names.
    pub fn current(&mut self, symbols: &mut Symbols<'_>, field: &Field) -> Result<u32, ReadError> {
        if let Some((_, number)) = self.last.filter(|(key, _)| *key == self.current) {
            return Ok(number);
        }
        let number = match self.known.get(&self.current) {
            Some(number) => *number,
            None => self.new_key(symbols, field)?,
        };
        self.last = Some((self.current, number));
        Ok(number)
    }

    fn new_key(&mut self, symbols: &mut Symbols<'_>, field: &Field) -> Result<u32, ReadError> {
        super::scan::cap("threads", self.known.len(), MAX_THREADS as u64, field)?;
        let thread = self.thread(symbols)?;
        let list = &mut self.list;
        let number = *self.numbers.entry(thread.clone()).or_insert_with(|| {
            list.push(thread);
            list.len() as u32 - 1
        });
        self.known.insert(self.current, number);
        Ok(number)
    }

    fn thread(&self, symbols: &mut Symbols<'_>) -> Result<Thread, ReadError> {
        let Key { process, id, name } = self.current;
        let pid = number(process, symbols)?.and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
        let tid = number(id, symbols)?;
        let mut name: Arc<str> = symbols.strings.text(StringIndex(name.text))?;
        if tid.is_none() && name.is_empty() {
            // An id that is no number still tells threads apart.
            name = symbols.strings.text(StringIndex(id.text))?;
        }
        Ok(Thread { pid, tid: tid.unwrap_or(0), name })
    }
}

/// The number of a label, whether it was written as one or as text.
fn number(value: LabelValue, symbols: &mut Symbols<'_>) -> Result<Option<u64>, ReadError> {
    if value.text == 0 {
        return Ok(u64::try_from(value.number).ok());
    }
    Ok(symbols.strings.text(StringIndex(value.text))?.parse().ok())
}

fn role_of(key: &[u8]) -> Option<Role> {
    let is = |name: &str| key == name.as_bytes();
    if is(PROCESS) || is("process id") || is("process_id") || is("pid") {
        return Some(Role::Process);
    }
    if is(THREAD_ID) || is("thread_id") || is("tid") {
        return Some(Role::ThreadId);
    }
    (is(THREAD_NAME) || is("thread_name") || is("thread")).then_some(Role::ThreadName)
}
