//! Writes one thread as a `.cpuprofile`.

use crate::format::json;
use crate::format::pprof::sentences;
use crate::format::sequence::{Sequence, time_column};
use crate::format::v8::{CallFrameOut, Scripts};
use crate::format::{Export, WriteError};
use crate::profile::{Profile, ProfileLane, Unit};
use serde::Serialize;
use std::io::Write;

/// Samples of one file at most; beyond, one stands for several.
const MOST_SAMPLES: u64 = 1 << 20;
/// A sample's time where only samples were counted: 1 ms in nanoseconds.
const UNTIMED: u64 = 1_000_000;
/// The id of `(root)`; a node's is one more than its place.
const ROOT: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    nodes: Vec<NodeOut<'a>>,
    start_time: i64,
    end_time: i64,
    samples: Vec<u32>,
    time_deltas: Vec<i64>,
    #[serde(rename = "$flametop")]
    ours: Ours,
}

#[derive(Serialize)]
struct Ours {
    notes: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeOut<'a> {
    id: u32,
    call_frame: CallFrameOut<'a>,
    hit_count: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    position_ticks: Vec<Tick>,
}

#[derive(Serialize)]
struct Tick {
    line: u32,
    ticks: u32,
}

/// Writes the busiest thread of the export.
pub(super) fn write(export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
    export.check(super::SPEC.name)?;
    let column = time_column(export).ok_or_else(|| WriteError::NoSuchKind { kind: "cpu".into() })?;
    let profile = export.profile;
    let total =
        |lane: &&ProfileLane| lane.columns[column].iter().fold(0_i64, |sum, v| sum.saturating_add(*v));
    // Of equals the first, which is the main thread.
    let lane = profile.lanes.iter().rev().max_by_key(total);
    let mut notes = sentences(export);
    let mut file = File {
        nodes: nodes(profile, lane),
        start_time: profile.span.start.0 / 1000,
        end_time: 0,
        samples: Vec::new(),
        time_deltas: Vec::new(),
        ours: Ours { notes: Vec::new() },
    };
    if let Some(lane) = lane {
        let is_time = profile.kinds[column].unit == Unit::Nanoseconds;
        let sequence = Sequence::of(profile, lane, column).scaled(if is_time { 1 } else { UNTIMED });
        notes.extend(told(profile, lane, &sequence));
        add_samples(&mut file, &sequence);
    }
    file.end_time = file.end_time.max(file.start_time);
    file.ours.notes = notes;
    Ok(json::write(&file, out)?)
}

/// What the form of the file does not say.
fn told(profile: &Profile, lane: &ProfileLane, sequence: &Sequence) -> Vec<String> {
    let mut notes = Vec::new();
    if profile.lanes.len() > 1 {
        let others = profile.lanes.len() - 1;
        let name = &lane.thread.name;
        notes.push(format!(
            "note: this is the thread {name}, the busiest; {others} other threads are left out"
        ));
    }
    if !sequence.in_time {
        notes.push("note: stacks follow each other in no order of time: their times are not known".into());
    }
    notes
}

fn nodes<'a>(profile: &'a Profile, lane: Option<&ProfileLane>) -> Vec<NodeOut<'a>> {
    let mut scripts = Scripts::default();
    let out = |(at, node): (usize, &crate::profile::ProfileNode)| {
        let frame = profile.frames.get(node.frame as usize).filter(|_| at > 0);
        NodeOut {
            id: ROOT + at as u32,
            call_frame: frame.map_or_else(CallFrameOut::root, |frame| {
                CallFrameOut::new(frame, scripts.number(&frame.file))
            }),
            hit_count: 0,
            children: Vec::new(),
            position_ticks: Vec::new(),
        }
    };
    let mut nodes: Vec<NodeOut<'a>> = profile.nodes.iter().enumerate().map(out).collect();
    for (at, node) in profile.nodes.iter().enumerate().skip(1) {
        nodes[node.parent as usize].children.push(ROOT + at as u32);
    }
    for (node, line, ticks) in lane.iter().flat_map(|lane| &lane.lines) {
        nodes[*node as usize].position_ticks.push(Tick { line: *line, ticks: *ticks });
    }
    nodes
}

/// Adds samples as V8 takes them: each lasts until the next.
fn add_samples(file: &mut File<'_>, sequence: &Sequence) {
    for piece in &sequence.pieces {
        file.nodes[piece.node.unwrap_or(0) as usize].hit_count += piece.samples;
    }
    // Files have microseconds: each time is rounded by itself, so that the errors do not add up.
    let mut before = 0;
    for sample in sequence.samples(MOST_SAMPLES) {
        let at = sample.at / 1000;
        file.samples.push(ROOT + sample.node.unwrap_or(0));
        file.time_deltas.push((at - before) as i64);
        before = at;
    }
    let length = sequence.pieces.iter().fold(0_u64, |sum, piece| sum.saturating_add(piece.length));
    file.end_time = file.start_time.saturating_add_unsigned(length / 1000);
}
