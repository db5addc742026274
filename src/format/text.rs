//! Text formats line by line: where each line begins, what of it was not understood, and whether bytes
//! are text at all. Shared by the readers of text formats; nothing here knows one of them.

use super::{ReadError, Strictness};
use std::borrow::Cow;
use std::sync::Arc;

/// A line without its ending, and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Its bytes, without `\n` or `\r\n`.
    pub bytes: &'a [u8],
    /// Where it begins in the decompressed bytes.
    pub offset: u64,
}

/// The lines of a text, in order.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut offset = 0;
    text.split_inclusive(|byte| *byte == b'\n').map(move |whole| {
        let line = Line { bytes: ending_cut(whole), offset };
        offset += whole.len() as u64;
        line
    })
}

fn ending_cut(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The lines of the beginning of a file that are there to their end; the last one too if it is the only
/// one, whatever became of its end.
pub(super) fn head_lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = head.iter().rposition(|byte| *byte == b'\n').map_or(head.len(), |at| at + 1);
    lines(&head[..whole]).map(|line| line.bytes)
}

/// The last piece of a line after a space, and what stands before that space.
pub(super) fn last_word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().rposition(|byte| *byte == b' ')?;
    Some((&line[..at], &line[at + 1..]))
}

/// The text of some bytes; what is not UTF-8 in it shows as U+FFFD.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Bytes that are UTF-8 and a plain number.
pub(super) fn parsed<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Whether bytes hold no control characters but those of text.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| !byte.is_ascii_control() || matches!(byte, b'\n' | b'\r' | b'\t'))
}

/// Lines that were not understood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Skipped {
    format: &'static str,
    strictness: Strictness,
    count: u64,
    first: u64,
}

impl Skipped {
    /// None yet, of this format.
    pub fn new(format: &'static str, strictness: Strictness) -> Self {
        Self { format, strictness, count: 0, first: 0 }
    }

    /// Counts a line, or refuses it when nothing may be skipped.
    pub fn skip(&mut self, line: Line<'_>, cause: &str) -> Result<(), ReadError> {
        if self.strictness == Strictness::Strict {
            return Err(self.fault(line.offset, cause));
        }
        if self.count == 0 {
            self.first = line.offset;
        }
        self.count += 1;
        Ok(())
    }

    /// The fault of a file that has nothing of its format in it.
    pub fn nothing(&self, wanted: &str) -> ReadError {
        self.fault(self.first, &format!("there is no {wanted} in it"))
    }

    /// What was skipped, as a sentence.
    pub fn note(&self) -> Option<Arc<str>> {
        let sentence = || match self.count {
            1 => format!("1 line was not understood (at byte {})", self.first),
            count => format!("{count} lines were not understood (the first at byte {})", self.first),
        };
        (self.count > 0).then(|| sentence().into())
    }

    fn fault(&self, offset: u64, cause: &str) -> ReadError {
        ReadError::Malformed { format: self.format, offset, cause: cause.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_know_where_they_begin() {
        let found: Vec<(&[u8], u64)> = lines(b"a\r\n\nbc").map(|line| (line.bytes, line.offset)).collect();
        assert_eq!(found, [(&b"a"[..], 0), (b"", 3), (b"bc", 4)]);
    }

    #[test]
    fn a_line_that_the_head_cuts_is_looked_at_only_if_it_is_alone() {
        assert_eq!(head_lines(b"a 1\nb").collect::<Vec<_>>(), [b"a 1"]);
        assert_eq!(head_lines(b"b").collect::<Vec<_>>(), [b"b"]);
    }

    #[test]
    fn the_first_line_skipped_is_named() {
        let mut skipped = Skipped::new("folded", Strictness::Lenient);
        assert_eq!(skipped.note(), None);
        for line in lines(b"ok\nx\ny\n").skip(1) {
            skipped.skip(line, "no number").expect("lenient");
        }
        assert_eq!(&*skipped.note().expect("two"), "2 lines were not understood (the first at byte 3)");
        let strict =
            Skipped::new("folded", Strictness::Strict).skip(Line { bytes: b"", offset: 7 }, "no number");
        assert_eq!(
            strict.expect_err("strict").to_string(),
            "not a valid folded profile: no number (at byte 7)"
        );
    }
}
