//! Reads a `.heapprofile`, alone or in the reply of the inspector that carried it.

use crate::feed::HeapMode;
use crate::format::json::{Document, at_most, unpacked};
use crate::format::v8::{HeapTaking, find_profile, heap_profile};
use crate::format::{Limits, ReadError};
use crate::profile::{Moment, Nanos, Profile, Span, Thread, plain_text};
use serde::Deserialize;
use std::borrow::Cow;

/// Notes of ours in a file, at most.
const MOST_NOTES: usize = 64;

/// What stands beside the tree: times in seconds, which only old files have, and our own remarks.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Beside<'a> {
    #[serde(default)]
    start_time: f64,
    #[serde(default)]
    end_time: f64,
    #[serde(borrow, default, rename = "$flametop")]
    ours: Option<Ours<'a>>,
}

/// What flametop adds to a file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ours<'a> {
    #[serde(borrow, default, deserialize_with = "at_most::<MOST_NOTES, _, _>")]
    notes: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
    #[serde(default)]
    start_nanos: i64,
    #[serde(default)]
    length_nanos: u64,
    #[serde(default)]
    interval_bytes: u64,
}

/// Reads a file.
pub(super) fn read(stored: &[u8], limits: &Limits) -> Result<Profile, ReadError> {
    let bytes = unpacked(stored, limits)?;
    let document = Document::new(super::SPEC.name, &bytes)?;
    let (part, _) = find_profile(&document)?;
    let beside: Beside<'_> = document.read(part)?;
    let taking = taking(&beside);
    heap_profile::fold(part, &taking).map_err(|error| document.fault(part, error.to_string()))
}

/// What the file tells of the taking. Files of V8 are of what is alive.
fn taking(beside: &Beside<'_>) -> HeapTaking {
    let nanos = |seconds: f64| (seconds.clamp(0.0, 9e9) * 1e9) as i64;
    let seconds = Span::between(Moment(nanos(beside.start_time)), Moment(nanos(beside.end_time)));
    let ours = beside.ours.as_ref();
    let stated = |ours: &Ours<'_>| Span { start: Moment(ours.start_nanos), length: Nanos(ours.length_nanos) };
    let is_allocated = ours.is_some_and(|ours| ours.kind.starts_with("alloc"));
    HeapTaking {
        mode: if is_allocated { HeapMode::Allocated } else { HeapMode::Live },
        thread: Thread { pid: 0, tid: 0, name: "main".into() },
        interval_bytes: ours.map_or(0, |ours| ours.interval_bytes),
        span: ours.map_or(seconds, stated),
        handover: Nanos(0),
        handover_bytes: 0,
        notes: ours.map(|ours| ours.notes.iter().map(|note| plain_text(note)).collect()).unwrap_or_default(),
    }
}
