//! Writes every thread and sample type as a sampled profile of its own.

use super::{EXPORTER, SCHEMA};
use crate::format::export::process_name;
use crate::format::json;
use crate::format::pprof::sentences;
use crate::format::sequence::{Piece, Sequence};
use crate::format::{Export, WriteError};
use crate::profile::{Frame, Profile, Unit};
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use std::io::Write;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    #[serde(rename = "$schema")]
    schema: &'a str,
    exporter: String,
    name: &'a str,
    active_profile_index: usize,
    #[serde(rename = "$flametop")]
    ours: Ours,
    shared: Shared<'a>,
    profiles: Vec<Sampled<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ours {
    notes: Vec<String>,
    start_nanos: i64,
    /// Whether the stacks of times stand in their real order.
    in_time: bool,
}

#[derive(Serialize)]
struct Shared<'a> {
    frames: Vec<FrameOut<'a>>,
}

#[derive(Serialize)]
struct FrameOut<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    file: &'a str,
    #[serde(skip_serializing_if = "is_none")]
    line: u32,
    #[serde(skip_serializing_if = "is_none")]
    col: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives it so")]
fn is_none(number: &u32) -> bool {
    *number == 0
}

impl<'a> From<&'a Frame> for FrameOut<'a> {
    fn from(frame: &'a Frame) -> Self {
        Self { name: &frame.name, file: &frame.file, line: frame.line, col: frame.column }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sampled<'a> {
    r#type: &'static str,
    name: String,
    unit: &'static str,
    start_value: u64,
    end_value: u64,
    samples: Stacks<'a>,
    weights: Vec<u64>,
}

/// Stacks as lists of frames, root first, made while they are written.
struct Stacks<'a> {
    profile: &'a Profile,
    nodes: Vec<Option<u32>>,
}

impl Serialize for Stacks<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(Some(self.nodes.len()))?;
        let mut stack = Vec::new();
        for node in &self.nodes {
            stack.clear();
            let mut at = node.unwrap_or(0);
            while at != 0 {
                let node = self.profile.nodes[at as usize];
                stack.push(node.frame);
                at = node.parent;
            }
            stack.reverse();
            list.serialize_element(&stack)?;
        }
        list.end()
    }
}

/// Writes the export.
pub(super) fn write(export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
    export.check(super::SPEC.name)?;
    let profile = export.profile;
    let main = if profile.kinds.is_empty() { 0 } else { export.main_kind()? };
    let (mut profiles, mut in_time) = (Vec::new(), true);
    for column in 0..profile.kinds.len() {
        for lane in &profile.lanes {
            let sequence = Sequence::of(profile, lane, column);
            in_time &= sequence.in_time || profile.kinds[column].unit != Unit::Nanoseconds;
            let name = format!("{} ({})", lane.thread.name, profile.kinds[column].name);
            profiles.push(sampled(export, name, unit(profile.kinds[column].unit), sequence));
        }
    }
    let first = main * profile.lanes.len();
    let of_main = first..(first + profile.lanes.len()).min(profiles.len());
    let busiest = of_main.rev().max_by_key(|at| profiles[*at].end_value);
    let file = File {
        schema: SCHEMA,
        exporter: format!("{EXPORTER}{}", env!("CARGO_PKG_VERSION")),
        name: process_name(export.target),
        active_profile_index: busiest.unwrap_or(0),
        ours: Ours { notes: sentences(export), start_nanos: profile.span.start.0, in_time },
        shared: Shared { frames: profile.frames.iter().map(FrameOut::from).collect() },
        profiles,
    };
    Ok(json::write(&file, out)?)
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Nanoseconds => "nanoseconds",
        Unit::Bytes => "bytes",
        Unit::Count => "none",
    }
}

/// One profile. Time that is left out, or was not observed, is an empty stack where the order is real.
fn sampled<'a>(export: &Export<'a>, name: String, unit: &'static str, sequence: Sequence) -> Sampled<'a> {
    let (mut nodes, mut weights, mut end_value) = (Vec::new(), Vec::new(), 0_u64);
    for Piece { node, length, .. } in sequence.pieces {
        let node = node.filter(|node| !export.leaves_out(*node));
        // Viewers refuse weights that are zero.
        if length == 0 || (node.is_none() && !sequence.in_time) {
            continue;
        }
        nodes.push(node);
        weights.push(length);
        end_value = end_value.saturating_add(length);
    }
    let samples = Stacks { profile: export.profile, nodes };
    Sampled { r#type: "sampled", name, unit, start_value: 0, end_value, samples, weights }
}
