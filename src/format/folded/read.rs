//! Reads folded stacks: `root;caller;leaf 42`, one a line, in any order.
//!
//! The number stands after the last space, for names may hold spaces. When every line ends in two
//! numbers the file is a difference: what was counted before, and after. `_[k]`, `_[j]` and `_[i]` at the
//! end of a name are remarks of `stackcollapse-perf.pl` and inferno on kernel, JIT and inlined code.

use super::SPEC;
use crate::format::gather::{Column, Frames, Gathering};
use crate::format::names::{ANONYMOUS, anonymous_place, kind_of};
use crate::format::text::{Line, Skipped, head_lines, is_text, last_word, lines, parsed, text};
use crate::format::{Limits, ReadError, jit, unpack};
use crate::profile::{Accumulation, Frame, FrameKind, Profile, Unit, ValueKind, clean_name};
use rustc_hash::FxHashMap;

/// Remarks at the end of a name, and what each says about the frame.
const REMARKS: [(&str, Option<FrameKind>); 4] =
    [("_[k]", Some(FrameKind::Kernel)), ("_[j]", None), ("_[i]", None), ("_[w]", None)];

/// A head of fewer bytes is a whole file, and its line is not cut.
const LEAST_HEAD: usize = 256;

/// Whether a file that begins so is of folded stacks: nothing but lines that end in a number, among
/// them one with several frames or one whose only frame is one word.
pub(super) fn looks_folded(head: &[u8]) -> bool {
    let mut stacks = 0;
    if !is_text(head) || head.starts_with(b"{") {
        return false;
    }
    for line in head_lines(head).filter(|line| !line.is_empty()) {
        let Some((stack, _)) = value_cut(line) else {
            return !head.contains(&b'\n') && head.contains(&b';') && head.len() >= LEAST_HEAD;
        };
        stacks += usize::from(stack.contains(&b';') || !stack.contains(&b' '));
    }
    stacks > 0
}

/// Reads a whole file, gzipped or not.
pub(super) fn read(stored: &[u8], limits: &Limits) -> Result<Profile, ReadError> {
    let unpacked = unpack(stored, limits)?;
    let bytes = &*unpacked.bytes;
    let mut reading = Reading::new(limits, is_difference(bytes));
    for line in lines(bytes) {
        reading.line(line)?;
    }
    reading.finish()
}

/// Whether every stack of the file has two numbers.
fn is_difference(bytes: &[u8]) -> bool {
    let mut stacks = lines(bytes).filter_map(|line| value_cut(line.bytes)).peekable();
    stacks.peek().is_some() && stacks.all(|(stack, _)| value_cut(stack).is_some())
}

/// The stack and the number of a line.
fn value_cut(line: &[u8]) -> Option<(&[u8], Value)> {
    let (stack, number) = last_word(line.trim_ascii_end())?;
    let fraction = |value: f64| Value { whole: value.round() as i64, rounded: value.fract() != 0.0 };
    let value = match parsed(number) {
        Some(whole) => Value { whole, rounded: false },
        None => fraction(parsed::<f64>(number).filter(|value| value.is_finite())?),
    };
    (!stack.is_empty() && !number.starts_with(b"+")).then_some((stack, value))
}

/// A number of the file as we hold it; some tools write fractions of a sample.
#[derive(Clone, Copy)]
struct Value {
    whole: i64,
    rounded: bool,
}

struct Reading<'a, 'b> {
    limits: &'a Limits,
    gathered: Gathering<'a>,
    frames: Frames,
    /// Numbers of frames by how the file writes them.
    known: FxHashMap<&'b [u8], u32>,
    stack: Vec<u32>,
    skipped: Skipped,
    rounded: u64,
    stacks: u64,
}

impl<'a, 'b> Reading<'a, 'b> {
    fn new(limits: &'a Limits, difference: bool) -> Self {
        let before = ValueKind::new("samples_before", Unit::Count, Accumulation::Delta);
        let kinds = difference.then_some(before).into_iter().chain([ValueKind::samples()]);
        Self {
            limits,
            gathered: Gathering::new(limits, kinds.map(|kind| Column::new(kind, 1)).collect()),
            frames: Frames::default(),
            known: FxHashMap::default(),
            stack: Vec::new(),
            skipped: Skipped::new(SPEC.name, limits.strictness),
            rounded: 0,
            stacks: 0,
        }
    }

    fn line(&mut self, line: Line<'b>) -> Result<(), ReadError> {
        if line.bytes.trim_ascii().is_empty() || line.bytes.starts_with(b"#") {
            return Ok(());
        }
        let Some((mut stack, after)) = value_cut(line.bytes) else {
            return self.skipped.skip(line, "the line does not end in a number");
        };
        let mut values = [self.whole(after); 2];
        if self.gathered.width() == 2
            && let Some((shorter, before)) = value_cut(stack)
        {
            stack = shorter;
            values[0] = self.whole(before);
        }
        self.stacks += 1;
        let width = self.gathered.width();
        if values[..width].iter().all(|value| *value == 0) {
            return Ok(());
        }
        self.walk(stack, line.offset)?;
        let node = self.gathered.walk(self.stack.iter().copied());
        let row = self.gathered.row(0, node, line.offset)?;
        self.gathered.add(row, &values[2 - width..]);
        Ok(())
    }

    fn whole(&mut self, value: Value) -> i64 {
        self.rounded += u64::from(value.rounded);
        value.whole
    }

    /// Puts the numbers of a stack's frames into the buffer, root first.
    fn walk(&mut self, stack: &'b [u8], offset: u64) -> Result<(), ReadError> {
        self.stack.clear();
        for name in stack.split(|byte| *byte == b';') {
            if self.stack.len() as u64 >= self.limits.stack_frames {
                let limit = self.limits.stack_frames;
                return Err(ReadError::TooMuch { what: "frames in a stack", limit, offset });
            }
            let number = self.number(name, offset)?;
            self.stack.push(number);
        }
        Ok(())
    }

    fn number(&mut self, name: &'b [u8], offset: u64) -> Result<u32, ReadError> {
        if let Some(known) = self.known.get(name) {
            return Ok(*known);
        }
        let number = self.frames.number(frame(&text(name)), self.limits, offset)?;
        // Many ways to write one name must not cost more than many names.
        if (self.known.len() as u64) < self.limits.table_entries {
            self.known.insert(name, number);
        }
        Ok(number)
    }

    fn finish(self) -> Result<Profile, ReadError> {
        if self.stacks == 0 {
            return Err(self.skipped.nothing("stack with a number"));
        }
        let rounded =
            (self.rounded > 0).then(|| format!("{} values with fractions were rounded", self.rounded).into());
        let notes = self.gathered.notes().into_iter().chain(self.skipped.note()).chain(rounded).collect();
        let taken = self.gathered.sum(self.gathered.width() - 1);
        Ok(self.gathered.finish_untimed(self.frames, taken, notes))
    }
}

/// The frame that a name of the file stands for.
fn frame(name: &str) -> Frame {
    let found = REMARKS.iter().find_map(|(remark, kind)| Some((name.strip_suffix(remark)?, *kind)));
    let (name, stated) = found.unwrap_or((name, None));
    if let Some((line, column)) = anonymous_place(name) {
        return Frame::at(ANONYMOUS, "", line, column, FrameKind::Js);
    }
    jit::frame(name).unwrap_or_else(|| {
        let name = clean_name(name);
        Frame::named(&name, stated.unwrap_or_else(|| kind_of(&name, "", "")))
    })
}
