//! The lines of `perf script`: the header of a sample, and the frames below it.
//!
//! ```text
//! tokio run w  754/762  [001] 13778.479998:    5025125 cpu-clock:u:
//! \tffffffff821f2fa7 exc_page_fault+0xd7 ([kernel.kallsyms])
//! ```
//!
//! A command may hold any characters, so a header is known by its time and read from there.

use crate::format::text::parsed;

/// Addresses from here on are the kernel's, on every 64-bit Linux.
const KERNEL: u64 = 0xffff_0000_0000_0000;
/// Later times are no times; so that nanoseconds and their sums fit.
const LATEST_SECOND: u64 = 1 << 32;

/// The header of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header<'a> {
    /// The thread's name.
    pub comm: &'a [u8],
    /// The process; 0 where only the thread is told.
    pub pid: u32,
    /// The thread.
    pub tid: u64,
    /// Nanoseconds since perf's clock began.
    pub time: u64,
    /// Events that the sample stands for, if told.
    pub period: Option<i64>,
    /// The event, without its modifiers.
    pub event: &'a [u8],
    /// What stands behind the event: the only frame when no stacks were recorded.
    pub rest: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads a line that begins a sample.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        // Short commands may be padded on the left, but never with tabs.
        if line.first().is_none_or(|first| *first == b'\t') {
            return None;
        }
        let (before, time, after) =
            words(line).find_map(|(from, to)| Some((&line[..from], time(&line[from..to])?, &line[to..])))?;
        let (comm, (pid, tid)) = who(before)?;
        let mut rest = after.trim_ascii_start();
        let (first, behind) = word(rest);
        let period = parsed(first);
        if period.is_some() {
            rest = behind.trim_ascii_start();
        }
        let (event, rest) = event(rest)?;
        Some(Self { comm, pid, tid, time, period, event, rest: rest.trim_ascii() })
    }
}

/// Samples that were lost, of a line that says so.
pub(super) fn lost(line: &[u8]) -> Option<u64> {
    let mark = b"PERF_RECORD_LOST lost ";
    let at = line.windows(mark.len()).position(|window| window == mark)?;
    parsed(word(&line[at + mark.len()..]).0)
}

/// A frame of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FrameLine<'a> {
    /// The function, without the offset in it.
    pub symbol: &'a [u8],
    /// The file that the code is from, or a name in brackets.
    pub object: &'a [u8],
    /// Whether it is code of the kernel.
    pub in_kernel: bool,
}

impl<'a> FrameLine<'a> {
    /// Reads a line such as `  b85e20 v8::Build<(int)0>+0x0 (/usr/bin/node)`.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let (address, rest) = word(line.trim_ascii());
        let address = u64::from_str_radix(std::str::from_utf8(address).ok()?, 16).ok()?;
        let (symbol, object) = object_cut(rest.trim_ascii_start());
        Some(Self { symbol: without_offset(symbol), object, in_kernel: address >= KERNEL })
    }
}

/// The symbol, and what stands in the last brackets.
fn object_cut(text: &[u8]) -> (&[u8], &[u8]) {
    let Some(inside) = text.strip_suffix(b")") else { return (text, b"") };
    // `(/memfd:jit (deleted))` has brackets in brackets.
    let searched = inside.strip_suffix(b" (deleted)").unwrap_or(inside);
    match searched.windows(2).rposition(|pair| pair == b" (") {
        Some(at) => (&text[..at], &searched[at + 2..]),
        None => match searched.strip_prefix(b"(") {
            Some(object) => (b"", object),
            None => (text, b""),
        },
    }
}

fn without_offset(symbol: &[u8]) -> &[u8] {
    let Some(at) = symbol.windows(3).rposition(|window| window == b"+0x") else { return symbol };
    let is_offset = symbol[at + 3..].iter().all(u8::is_ascii_hexdigit);
    if is_offset { &symbol[..at] } else { symbol }
}

/// The command and the ids that stand before the time.
fn who(before: &[u8]) -> Option<(&[u8], (u32, u64))> {
    let mut left = before.trim_ascii_end();
    let (mut front, mut last) = last_word(left);
    if last.starts_with(b"[") && last.ends_with(b"]") {
        left = front.trim_ascii_end();
        (front, last) = last_word(left);
    }
    let slash = last.iter().position(|byte| *byte == b'/');
    let ids = match slash {
        Some(at) => (parsed(&last[..at])?, parsed(&last[at + 1..])?),
        None => (0, parsed(last)?),
    };
    Some((front.trim_ascii(), ids))
}

/// The event without its modifiers, and what follows. Its name may hold colons, its end is `: `.
fn event(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (whole, rest) = word(text);
    let name = whole.strip_suffix(b":")?;
    // Tracepoints are `system:name`, modifiers are a few letters as in `cycles:u`.
    let modifiers = name.iter().rposition(|byte| *byte == b':').filter(|at| {
        let letters = &name[at + 1..];
        letters.len() <= 5 && letters.iter().all(|letter| b"ukhHGPpDISWeb".contains(letter))
    });
    let name = modifiers.map_or(name, |at| &name[..at]);
    (!name.is_empty()).then_some((name, rest))
}

/// Nanoseconds of `13778.479998:`.
fn time(word: &[u8]) -> Option<u64> {
    let word = word.strip_suffix(b":")?;
    let dot = word.iter().position(|byte| *byte == b'.')?;
    let (seconds, fraction) = (&word[..dot], &word[dot + 1..]);
    let digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    if !digits(seconds) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let seconds: u64 = parsed(seconds).filter(|seconds| *seconds < LATEST_SECOND)?;
    let fraction: u64 = parsed(fraction).map(|part: u64| part * 10u64.pow(9 - fraction.len() as u32))?;
    Some(seconds * 1_000_000_000 + fraction)
}

/// Where the words of a line are.
fn words(line: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let from = at + line[at..].iter().position(|byte| !byte.is_ascii_whitespace())?;
        let length = line[from..].iter().position(u8::is_ascii_whitespace);
        at = length.map_or(line.len(), |length| from + length);
        Some((from, at))
    })
}

/// The first word and what follows it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    text.split_at(end)
}

/// What stands before the last word, and that.
fn last_word(text: &[u8]) -> (&[u8], &[u8]) {
    let from = text.iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
    text.split_at(from)
}
