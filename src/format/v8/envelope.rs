//! What a profile of V8 may be wrapped in: the replies of the inspector that carried it.

use crate::format::ReadError;
use crate::format::json::Document;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A file: a profile, or what it is wrapped in.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    profile: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    head: Option<&'a RawValue>,
}

/// The profile in its wrappers, with its `head` if it has one.
pub(in crate::format) fn find_profile<'a>(
    document: &Document<'a>,
) -> Result<(&'a str, Option<&'a RawValue>), ReadError> {
    let mut part = document.text;
    // A reply of the inspector is `{result:{profile:{..}}}`.
    for _ in 0..3 {
        let envelope: Envelope<'a> = document.read(part)?;
        match envelope.profile.or(envelope.result) {
            Some(inner) => part = inner.get(),
            None => return Ok((part, envelope.head)),
        }
    }
    Err(document.fault(part, "there is no profile in it"))
}
