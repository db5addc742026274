//! Protobuf's wire format: fields one after another, with checks and the place of every fault.

use crate::format::ReadError;
use std::ops::Range;

/// The value of a field, still in place.
#[derive(Clone, Debug)]
pub(in crate::format) enum Value {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 2: where its bytes are.
    Bytes(Range<usize>),
    /// Wire types 1 and 5: where their bytes are. No field of a pprof profile has them.
    Fixed(Range<usize>),
}

/// A field as it was found.
#[derive(Clone, Debug)]
pub(in crate::format) struct Field {
    /// Its number.
    pub number: u64,
    /// Its value.
    pub value: Value,
    /// Where it begins.
    pub at: usize,
}

/// A fault at a place in the decompressed bytes.
#[cold]
pub(in crate::format) fn fault(at: usize, cause: impl Into<String>) -> ReadError {
    ReadError::Malformed { format: "pprof", offset: at as u64, cause: cause.into() }
}

#[cold]
fn mismatch(field: &Field, wanted: &str) -> ReadError {
    fault(field.at, format!("field {} is not {wanted}", field.number))
}

impl Field {
    /// The number that the field must hold.
    pub fn varint(&self) -> Result<u64, ReadError> {
        match self.value {
            Value::Varint(value) => Ok(value),
            _ => Err(mismatch(self, "a number")),
        }
    }

    /// The signed number that the field must hold.
    pub fn signed(&self) -> Result<i64, ReadError> {
        self.varint().map(|value| value as i64)
    }

    /// The number of eight bytes that the field must hold.
    pub fn fixed64(&self, bytes: &[u8]) -> Result<u64, ReadError> {
        let number = match &self.value {
            Value::Fixed(range) => bytes.get(range.clone()).and_then(|number| number.try_into().ok()),
            _ => None,
        };
        number.map(u64::from_le_bytes).ok_or_else(|| mismatch(self, "a number of eight bytes"))
    }

    /// The bytes that the field must hold: a string or a message.
    pub fn bytes(&self) -> Result<Range<usize>, ReadError> {
        match &self.value {
            Value::Bytes(range) => Ok(range.clone()),
            _ => Err(mismatch(self, "a string or message")),
        }
    }
}

/// Walks over the fields of one message.
pub(in crate::format) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Fields<'a> {
    /// The fields of the message at `range` of `bytes`.
    pub fn within(bytes: &'a [u8], range: Range<usize>) -> Self {
        Self { bytes, at: range.start, end: range.end.min(bytes.len()) }
    }

    /// Whether there is no further field.
    pub fn done(&self) -> bool {
        self.at >= self.end
    }

    /// The next field.
    #[inline]
    pub fn next(&mut self) -> Result<Option<Field>, ReadError> {
        if self.at >= self.end {
            return Ok(None);
        }
        let at = self.at;
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.skip(8, at)?,
            2 => Value::Bytes(self.range(at)?),
            5 => self.skip(4, at)?,
            other => return Err(fault(at, format!("field {} has wire type {other}", tag >> 3))),
        };
        Ok(Some(Field { number: tag >> 3, value, at }))
    }

    /// The next number, of a tag, a length or a packed list.
    #[inline]
    pub fn varint(&mut self) -> Result<u64, ReadError> {
        if let Some(byte @ 0..0x80) = self.bytes.get(self.at).copied().filter(|_| self.at < self.end) {
            self.at += 1;
            return Ok(u64::from(byte));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64, ReadError> {
        let window = &self.bytes[self.at..self.end.min(self.at + 10)];
        let mut value = 0u64;
        for (nth, byte) in window.iter().enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * nth);
            if *byte < 0x80 {
                self.at += nth + 1;
                return Ok(value);
            }
        }
        let cause =
            if window.len() < 10 { "the data ends in a number" } else { "a number has over 10 bytes" };
        Err(fault(self.at, cause))
    }

    fn range(&mut self, field: usize) -> Result<Range<usize>, ReadError> {
        let length = self.varint()?;
        let left = (self.end - self.at) as u64;
        if length > left {
            return Err(fault(field, format!("a field of {length} bytes has only {left} left")));
        }
        let range = self.at..self.at + length as usize;
        self.at = range.end;
        Ok(range)
    }

    fn skip(&mut self, bytes: usize, field: usize) -> Result<Value, ReadError> {
        if self.end - self.at < bytes {
            return Err(fault(field, "the data ends in a number"));
        }
        self.at += bytes;
        Ok(Value::Fixed(self.at - bytes..self.at))
    }
}

/// Calls `take` for each number of a field that is packed or stands alone, as Go leaves short lists.
pub(in crate::format) fn each_number(
    bytes: &[u8],
    field: &Field,
    take: &mut impl FnMut(u64) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let Ok(range) = field.bytes() else { return take(field.varint()?) };
    let mut packed = Fields::within(bytes, range);
    while !packed.done() {
        take(packed.varint()?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(bytes: &[u8]) -> Result<Vec<u64>, ReadError> {
        let mut fields = Fields::within(bytes, 0..bytes.len());
        let mut numbers = Vec::new();
        while let Some(field) = fields.next()? {
            numbers.push(field.number);
        }
        Ok(numbers)
    }

    fn offset_of(bytes: &[u8]) -> u64 {
        match walk(bytes) {
            Err(ReadError::Malformed { offset, .. }) => offset,
            other => panic!("expected a fault, got {other:?}"),
        }
    }

    #[test]
    fn all_wire_types_but_groups_are_walked() {
        let bytes =
            [0x08, 0x96, 0x01, 0x12, 2, 7, 7, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4, 0x00, 1];
        assert_eq!(walk(&bytes).expect("valid"), [1, 2, 3, 4, 0]);
        assert_eq!(offset_of(&[0x08, 1, 0x0b]), 2);
    }

    #[test]
    fn faults_name_their_place() {
        assert_eq!(offset_of(&[0x08, 0x80]), 1);
        assert_eq!(offset_of(&[0x08, 1, 0x12, 9, 1]), 2);
        assert_eq!(offset_of(&[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]), 1);
        assert_eq!(offset_of(&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), 0);
        assert_eq!(offset_of(&[0x25, 1, 2]), 0);
    }
}
