//! Reads a `.cpuprofile`, alone or in the reply of the inspector that carried it.

use super::old;
use crate::format::json::{Document, at_most, unpacked};
use crate::format::v8::cpu_json::{CpuJson, Node, ProfileError, TreeOrder};
use crate::format::v8::{Gathered, find_profile};
use crate::format::windows::MOST_SAMPLES;
use crate::format::{Limits, ReadError};
use crate::profile::{Profile, Thread, plain_text};
use serde::Deserialize;
use std::sync::Arc;

/// Nodes of a file at most: a file of 256 MiB with a million of them and 4 M samples took 809 MB.
pub(super) const FILE_NODES: usize = 1 << 19;
/// Notes of ours in a file, at most.
const MOST_NOTES: usize = 64;

/// A profile in a file, more forgiving than on the wire.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileJson<'a> {
    #[serde(borrow, deserialize_with = "at_most::<FILE_NODES, _, _>")]
    nodes: Vec<Node<'a>>,
    start_time: f64,
    end_time: f64,
    #[serde(default, deserialize_with = "at_most::<MOST_SAMPLES, _, _>")]
    samples: Vec<u32>,
    #[serde(default, deserialize_with = "at_most::<MOST_SAMPLES, _, _>")]
    time_deltas: Vec<f64>,
    #[serde(borrow, default, rename = "$flametop")]
    ours: Option<Ours<'a>>,
}

/// What flametop adds to a file.
#[derive(Deserialize)]
struct Ours<'a> {
    #[serde(borrow, default, deserialize_with = "at_most::<MOST_NOTES, _, _>")]
    notes: Vec<std::borrow::Cow<'a, str>>,
}

/// Reads a file.
pub(super) fn read(stored: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
    let bytes = unpacked(stored, limits)?;
    let document = Document::new(super::SPEC.name, &bytes)?;
    let (part, head) = find_profile(&document)?;
    let (json, notes) = match head {
        Some(head) => (old::read(&document, part, head)?, Vec::new()),
        None => new(document.read(part)?),
    };
    let fault = |error: ProfileError| document.fault(part, error.to_string());
    let order = TreeOrder::of(&json.nodes).map_err(fault)?;
    let mut gathered = Gathered::new();
    gathered.notes = notes;
    let main = Thread { pid: 0, tid: 0, name: "main".into() };
    gathered.add(&json, &order, main).map_err(fault)?;
    let timeline = gathered.finish();
    drop((json, order));
    Ok(timeline.windows(limits))
}

/// The profile as V8 would say it, with our own notes.
fn new(file: FileJson<'_>) -> (CpuJson<'_>, Vec<Arc<str>>) {
    let mut deltas: Vec<i64> = file.time_deltas.iter().map(|delta| *delta as i64).collect();
    let samples = file.samples;
    if deltas.len() < samples.len() && !deltas.is_empty() {
        // Some writers leave out the last.
        deltas.resize(samples.len(), 0);
    }
    deltas.truncate(samples.len());
    let timed = deltas.len() == samples.len();
    let json = CpuJson {
        nodes: file.nodes,
        start_time: file.start_time,
        end_time: file.end_time,
        samples: if timed { samples } else { Vec::new() },
        time_deltas: deltas,
    };
    let notes = file.ours.map(|ours| ours.notes.iter().map(|note| plain_text(note)).collect());
    (json, notes.unwrap_or_default())
}
