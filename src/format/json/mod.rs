//! What the JSON formats share: telling them apart by their keys, reading long lists one by one, and
//! naming the place of a fault.
//!
//! Whole files are never made into trees of values: what is long stays text until it is looked at.

mod head;
mod text;

pub(super) use head::Head;
pub(super) use text::text;

use super::{Limits, ReadError, unpack};
use crate::format::inflate::Unpacked;
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::marker::PhantomData;

/// A JSON file as text, and whose words its faults are told in.
pub(super) struct Document<'a> {
    /// The format's name.
    pub format: &'static str,
    /// All of it.
    pub text: &'a str,
}

/// Unpacks a JSON file.
pub(super) fn unpacked<'a>(stored: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, ReadError> {
    let Unpacked { bytes, .. } = unpack(stored, limits)?;
    Ok(bytes)
}

impl<'a> Document<'a> {
    /// The text of a file, without a mark of its byte order.
    pub fn new(format: &'static str, bytes: &'a [u8]) -> Result<Self, ReadError> {
        let text = std::str::from_utf8(bytes).map_err(|error| ReadError::Malformed {
            format,
            offset: error.valid_up_to() as u64,
            cause: "it is not UTF-8".into(),
        })?;
        Ok(Self { format, text: text.strip_prefix('\u{feff}').unwrap_or(text) })
    }

    /// Reads a value from a part of the file.
    pub fn read<T: Deserialize<'a>>(&self, part: &'a str) -> Result<T, ReadError> {
        serde_json::from_str(part).map_err(|error| self.fault_in(part, &error))
    }

    /// Gives the items of a list that is a part of the file, one by one.
    pub fn each<T: Deserialize<'a>>(
        &self,
        part: &'a RawValue,
        mut take: impl FnMut(T) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let mut refused = None;
        let mut item = |item: T| {
            take(item).map_err(|error| {
                refused = Some(error);
                "refused"
            })
        };
        let seed = Each { take: &mut item, of: PhantomData };
        let mut json = serde_json::Deserializer::from_str(part.get());
        match seed.deserialize(&mut json) {
            Ok(()) => Ok(()),
            Err(error) => Err(refused.unwrap_or_else(|| self.fault_in(part.get(), &error))),
        }
    }

    /// What serde says of a part of the file, with its place in the whole.
    pub fn fault_in(&self, part: &str, error: &serde_json::Error) -> ReadError {
        let offset = self.offset_of(part) + offset_in(part, error);
        let said = error.to_string();
        let cause = said.split(" at line ").next().unwrap_or_default().to_owned();
        ReadError::Malformed { format: self.format, offset, cause }
    }

    /// A fault at the beginning of a part of the file.
    pub fn fault(&self, part: &str, cause: impl Into<String>) -> ReadError {
        ReadError::Malformed { format: self.format, offset: self.offset_of(part), cause: cause.into() }
    }

    /// Where a part of the file begins; 0 for what is no part of it.
    pub fn offset_of(&self, part: &str) -> u64 {
        let distance = (part.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize);
        distance.filter(|distance| *distance <= self.text.len()).unwrap_or(0) as u64
    }
}

/// Where in `part` an error lies, in bytes.
fn offset_in(part: &str, error: &serde_json::Error) -> u64 {
    let line = part.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    (line + error.column()).min(part.len()) as u64
}

struct Each<'f, T, F> {
    take: &'f mut F,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, F: FnMut(T) -> Result<(), &'static str>> DeserializeSeed<'de>
    for Each<'_, T, F>
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T) -> Result<(), &'static str>> Visitor<'de> for Each<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element()? {
            (self.take)(item).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// A list of at most `MOST` items, for `deserialize_with`.
pub(super) fn at_most<'de, const MOST: usize, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let mut list = Vec::new();
    let mut item = |item: T| {
        if list.len() >= MOST {
            return Err("the list is longer than flametop reads");
        }
        list.push(item);
        Ok(())
    };
    Each { take: &mut item, of: PhantomData }.deserialize(from)?;
    Ok(list)
}

/// Writes a value as JSON, with a newline after it.
pub(super) fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_in_parts_are_placed_in_the_whole() {
        #[derive(Deserialize)]
        struct Outer<'a> {
            #[serde(borrow)]
            list: &'a RawValue,
        }
        let document = Document::new("test", b"\xef\xbb\xbf{\"list\":\n [1, 2,\n \"x\"]}").expect("text");
        let outer: Outer<'_> = document.read(document.text).expect("an object");
        let mut sum = 0;
        let error = document.each(outer.list, |item: u32| {
            sum += item;
            Ok(())
        });
        let Err(ReadError::Malformed { offset, cause, .. }) = error else { panic!("refused") };
        assert_eq!((sum, offset, &document.text[..offset as usize]), (3, 21, "{\"list\":\n [1, 2,\n \"x\""));
        assert!(cause.contains("invalid type: string"), "{cause}");
        assert!(Document::new("test", b"{\xff}").is_err());
    }

    #[test]
    fn lists_stop_at_their_bound() {
        #[derive(Deserialize)]
        struct Two {
            #[serde(deserialize_with = "at_most::<2, _, _>")]
            list: Vec<u8>,
        }
        assert_eq!(serde_json::from_str::<Two>(r#"{"list":[1,2]}"#).expect("fits").list, [1, 2]);
        assert!(serde_json::from_str::<Two>(r#"{"list":[1,2,3]}"#).is_err());
    }
}
