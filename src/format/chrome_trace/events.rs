//! The events of a trace one by one, also of a list that nobody closed.

use crate::format::ReadError;
use crate::format::json::{Document, text};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// An event, as far as it is looked at.
#[derive(Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    pub ph: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text")]
    pub name: Cow<'a, str>,
    /// Numbers, and text in the traces of some.
    #[serde(borrow, default)]
    pub pid: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub tid: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub args: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow)]
    trace_events: &'a RawValue,
}

/// Gives every event; false when the list breaks off.
pub(super) fn each<'a>(
    document: &Document<'a>,
    mut take: impl FnMut(Event<'a>) -> Result<(), ReadError>,
) -> Result<bool, ReadError> {
    let list = match document.text.trim_start() {
        text if text.starts_with('[') => text,
        _ => document.read::<Envelope<'a>>(document.text)?.trace_events.get(),
    };
    let Some(mut rest) = list.strip_prefix('[') else {
        return Err(document.fault(list, "its events are no list"));
    };
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        match rest.as_bytes().first() {
            Some(b']') => return Ok(true),
            None => return Ok(false),
            Some(_) => {}
        }
        let mut events = serde_json::Deserializer::from_str(rest).into_iter::<Event<'a>>();
        match events.next() {
            Some(Ok(event)) => take(event)?,
            Some(Err(error)) if error.is_eof() => return Ok(false),
            Some(Err(error)) => return Err(document.fault_in(rest, &error)),
            None => return Ok(false),
        }
        rest = &rest[events.byte_offset()..];
    }
}
