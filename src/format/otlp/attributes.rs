//! Attributes: what a key and a value say about a process, a thread, a frame or a whole profile.

use super::dictionary::Dictionary;
use crate::format::ReadError;
use crate::format::pprof::wire::Fields;
use std::ops::Range;

/// The value of an attribute, as far as we use values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Value {
    /// Where its text is.
    Text(Range<usize>),
    /// A whole number.
    Number(i64),
    /// Anything else, or nothing.
    #[default]
    Other,
}

/// A key and a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Attribute {
    /// Where the key's text is.
    pub key: Range<usize>,
    /// What it says.
    pub value: Value,
}

impl Attribute {
    /// Reads an entry of the table: the key is a reference to a string.
    pub fn of_table(dictionary: &Dictionary<'_>, range: Range<usize>) -> Result<Self, ReadError> {
        let mut attribute = Self::default();
        let mut fields = Fields::within(dictionary.bytes, range);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => attribute.key = dictionary.string(field.signed()?, field.at)?,
                2 => attribute.value = value(dictionary, field.bytes()?)?,
                _ => {}
            }
        }
        Ok(attribute)
    }

    /// Reads an attribute of a resource: the key is text, or again a reference.
    pub fn of_resource(dictionary: &Dictionary<'_>, range: Range<usize>) -> Result<Self, ReadError> {
        let mut attribute = Self::default();
        let mut fields = Fields::within(dictionary.bytes, range);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => attribute.key = field.bytes()?,
                2 => attribute.value = value(dictionary, field.bytes()?)?,
                3 => attribute.key = dictionary.string(field.signed()?, field.at)?,
                _ => {}
            }
        }
        Ok(attribute)
    }

    /// Whether it has this key.
    pub fn is(&self, dictionary: &Dictionary<'_>, key: &str) -> bool {
        dictionary.bytes.get(self.key.clone()) == Some(key.as_bytes())
    }

    /// Its number, also if it is written as text; 0 if it is none.
    pub fn number(&self, dictionary: &Dictionary<'_>) -> u64 {
        match &self.value {
            Value::Number(number) => u64::try_from(*number).unwrap_or(0),
            Value::Text(range) => dictionary.lossy(range.clone()).parse().unwrap_or(0),
            Value::Other => 0,
        }
    }
}

fn value(dictionary: &Dictionary<'_>, range: Range<usize>) -> Result<Value, ReadError> {
    let mut found = Value::Other;
    let mut fields = Fields::within(dictionary.bytes, range);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => found = Value::Text(field.bytes()?),
            3 => found = Value::Number(field.signed()?),
            8 => found = Value::Text(dictionary.string(field.signed()?, field.at)?),
            _ => {}
        }
    }
    Ok(found)
}
