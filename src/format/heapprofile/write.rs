//! Writes the heap of an export as a `.heapprofile`: a tree of nodes within nodes, without recursion.

use crate::format::pprof::sentences;
use crate::format::v8::{CallFrameOut, Scripts};
use crate::format::{Export, WriteError};
use crate::profile::{Profile, Unit};
use serde::Serialize;
use std::io::{self, BufWriter, Write};

/// Kinds that are written where nothing else is asked for, in this order.
const KINDS: [&str; 3] = ["inuse_space", "space", "alloc_space"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ours<'a> {
    notes: Vec<String>,
    kind: &'a str,
    start_nanos: i64,
    length_nanos: u64,
    interval_bytes: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sample {
    size: i64,
    node_id: usize,
    ordinal: usize,
}

/// Writes the bytes of all threads together.
pub(super) fn write(export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
    export.check(super::SPEC.name)?;
    let column = column(export).ok_or_else(|| WriteError::NoSuchKind { kind: KINDS[0].into() })?;
    let profile = export.profile;
    let sizes = sizes(profile, column);
    let sized = sizes.iter().enumerate().filter(|(_, size)| **size > 0).enumerate();
    let samples: Vec<Sample> = sized
        .map(|(nth, (node, size))| Sample { size: *size, node_id: node + 1, ordinal: nth + 1 })
        .collect();
    let mut out = BufWriter::new(out);
    out.write_all(b"{\"head\":")?;
    write_tree(profile, &sizes, &mut out)?;
    out.write_all(b",\"samples\":")?;
    serde_json::to_writer(&mut out, &samples).map_err(io::Error::from)?;
    out.write_all(b",\"$flametop\":")?;
    serde_json::to_writer(&mut out, &ours(export, column)).map_err(io::Error::from)?;
    out.write_all(b"}\n")?;
    Ok(out.flush()?)
}

/// The kind asked for, else what is alive, else what was allocated.
fn column(export: &Export<'_>) -> Option<usize> {
    let kinds = &export.profile.kinds;
    let wanted = export.kind.into_iter().chain(KINDS);
    let mut known = wanted.filter_map(|name| export.profile.kind(name));
    let known = known.find(|at| kinds[*at].unit == Unit::Bytes);
    known.or_else(|| kinds.iter().position(|kind| kind.unit == Unit::Bytes))
}

fn ours<'a>(export: &Export<'a>, column: usize) -> Ours<'a> {
    let profile = export.profile;
    let mut notes = sentences(export);
    if profile.lanes.len() > 1 {
        notes.push(format!("note: {} threads are added up", profile.lanes.len()));
    }
    Ours {
        notes,
        kind: &profile.kinds[column].name,
        start_nanos: profile.span.start.0,
        length_nanos: profile.span.length.0,
        interval_bytes: if profile.sampling.period_bytes { profile.sampling.period } else { 0 },
    }
}

/// Bytes of each node itself.
fn sizes(profile: &Profile, column: usize) -> Vec<i64> {
    let mut sizes = vec![0_i64; profile.nodes.len()];
    for lane in &profile.lanes {
        for (node, value) in lane.nodes.iter().zip(&lane.columns[column]) {
            sizes[*node as usize] = sizes[*node as usize].saturating_add(*value);
        }
    }
    sizes
}

/// Writes the root with all that is below it.
fn write_tree(profile: &Profile, sizes: &[i64], out: &mut impl Write) -> io::Result<()> {
    let mut scripts = Scripts::default();
    let mut children = Children::of(profile);
    write_node(profile, sizes, &mut scripts, 0, out)?;
    let mut open = vec![0_usize];
    let mut is_first = true;
    while let Some(node) = open.last() {
        if let Some(child) = children.next(*node) {
            out.write_all(if is_first { b"" } else { b"," })?;
            write_node(profile, sizes, &mut scripts, child, out)?;
            open.push(child);
            is_first = true;
        } else {
            out.write_all(b"]}")?;
            open.pop();
            is_first = false;
        }
    }
    Ok(())
}

/// Writes a node up to where its children begin.
fn write_node<'a>(
    profile: &'a Profile,
    sizes: &[i64],
    scripts: &mut Scripts<'a>,
    node: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    let frame = profile.frames.get(profile.nodes[node].frame as usize).filter(|_| node > 0);
    let frame =
        frame.map_or_else(CallFrameOut::root, |frame| CallFrameOut::new(frame, scripts.number(&frame.file)));
    out.write_all(b"{\"callFrame\":")?;
    serde_json::to_writer(&mut *out, &frame)?;
    write!(out, ",\"selfSize\":{},\"id\":{},\"children\":[", sizes[node], node + 1)
}

/// The children of each node, handed out one by one in order.
struct Children {
    first: Vec<usize>,
    sibling: Vec<usize>,
}

const NONE: usize = usize::MAX;

impl Children {
    fn of(profile: &Profile) -> Self {
        let (mut first, mut sibling) = (vec![NONE; profile.nodes.len()], vec![NONE; profile.nodes.len()]);
        for at in (1..profile.nodes.len()).rev() {
            let parent = profile.nodes[at].parent as usize;
            sibling[at] = std::mem::replace(&mut first[parent], at);
        }
        Self { first, sibling }
    }

    /// The next child of a node.
    fn next(&mut self, node: usize) -> Option<usize> {
        let child = self.first[node];
        self.first[node] = *self.sibling.get(child)?;
        Some(child)
    }
}
