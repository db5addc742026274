//! The `detail` of a window: everything of its [`Profile`] that is not in the row's other columns.
//!
//! A replay must equal the life it recorded, to the byte of every export, so this holds the profile
//! as it was: the order of its nodes, the kinds of its frames, sample times and costs by line, none
//! of which pprof has a place for. Frames are numbers of the `frames` table, where each is stored
//! once for the whole recording; the rest is varints in gzip (whose checksum finds damage).
//!
//! ```text
//! detail = frames nodes lanes                  every list begins with its length
//! frames = step from the id before ...
//! nodes  = parent frame, then: (own index - parent) frame ...
//! lane   = pid tid name nodes columns lines runs runs_dropped
//! nodes  = step from the node before ...       columns = a list of values per kind
//! lines  = (step of node) line samples ...     runs = (step of node) (step from the end before) length ...
//! ```

use crate::format::varint::{Packer, Unpacker};
use crate::profile::{MAX_NODES, Profile, ProfileLane, ProfileNode, Run, Thread, plain_text};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::io::{self, Read, Write};

/// A detail may unpack to this many bytes: millions of values. Crafted ones take at most 24 times that in
/// memory, since nothing that is stored in no byte is believed.
const MAX_DETAIL_BYTES: usize = 16 << 20;

/// The part of a profile that a detail holds.
#[derive(Debug, PartialEq)]
pub(super) struct Detail {
    /// Numbers in the `frames` table.
    pub frames: Vec<u32>,
    pub nodes: Vec<ProfileNode>,
    pub lanes: Vec<ProfileLane>,
}

/// Packs a sound profile whose frames have these numbers.
pub(super) fn pack(profile: &Profile, frames: &[u32]) -> io::Result<Vec<u8>> {
    let mut packer = Packer::default();
    packer.unsigned(frames.len() as u64);
    let mut last = 0;
    for id in frames {
        packer.step(&mut last, u64::from(*id));
    }
    pack_nodes(&mut packer, &profile.nodes);
    packer.unsigned(profile.lanes.len() as u64);
    profile.lanes.iter().for_each(|lane| pack_lane(&mut packer, lane));
    if packer.bytes.len() > MAX_DETAIL_BYTES {
        return Err(io::Error::other(format!("the window has more than {MAX_DETAIL_BYTES} bytes")));
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::new(6));
    gzip.write_all(&packer.bytes)?;
    gzip.finish()
}

fn pack_nodes(packer: &mut Packer, nodes: &[ProfileNode]) {
    packer.unsigned(nodes.len() as u64);
    for (at, node) in nodes.iter().enumerate() {
        // The root's parent is its own business: stored as it is.
        let parent = if at == 0 { node.parent } else { at as u32 - node.parent };
        packer.unsigned(u64::from(parent));
        packer.unsigned(u64::from(node.frame));
    }
}

fn pack_lane(packer: &mut Packer, lane: &ProfileLane) {
    packer.unsigned(u64::from(lane.thread.pid));
    packer.unsigned(lane.thread.tid);
    packer.text(&lane.thread.name);
    packer.unsigned(lane.nodes.len() as u64);
    let mut last = 0;
    for node in &lane.nodes {
        packer.step(&mut last, u64::from(*node));
    }
    packer.unsigned(lane.columns.len() as u64);
    for column in &lane.columns {
        packer.unsigned(column.len() as u64);
        for value in column {
            packer.signed(*value);
        }
    }
    packer.unsigned(lane.lines.len() as u64);
    let mut last = 0;
    for (node, line, samples) in &lane.lines {
        packer.step(&mut last, u64::from(*node));
        packer.unsigned(u64::from(*line));
        packer.unsigned(u64::from(*samples));
    }
    packer.unsigned(lane.runs.len() as u64);
    let (mut node, mut end) = (0, 0);
    for run in &lane.runs {
        packer.step(&mut node, u64::from(run.node));
        packer.step(&mut end, run.offset);
        packer.unsigned(run.length);
        end = run.offset.wrapping_add(run.length);
    }
    packer.unsigned(lane.runs_dropped);
}

/// Unpacks a detail; `None` when the bytes are none.
pub(super) fn unpack(gzipped: &[u8]) -> Option<Detail> {
    let mut bytes = Vec::new();
    let mut limited = GzDecoder::new(gzipped).take(MAX_DETAIL_BYTES as u64 + 1);
    limited.read_to_end(&mut bytes).ok()?;
    if bytes.len() > MAX_DETAIL_BYTES {
        return None;
    }
    let mut unpacker = Unpacker::new(&bytes);
    let detail = unpack_all(&mut unpacker)?;
    unpacker.is_at_end().then_some(detail)
}

fn unpack_all(from: &mut Unpacker<'_>) -> Option<Detail> {
    let mut last = 0;
    let frames = (0..from.count()?).map(|_| from.small_step(&mut last)).collect::<Option<_>>()?;
    let nodes = unpack_nodes(from)?;
    let lanes = (0..from.count()?).map(|_| unpack_lane(from)).collect::<Option<_>>()?;
    Some(Detail { frames, nodes, lanes })
}

fn unpack_nodes(from: &mut Unpacker<'_>) -> Option<Vec<ProfileNode>> {
    let count = from.count()?;
    if count > MAX_NODES {
        return None;
    }
    let node = |at: usize| {
        let (parent, frame) = (from.small()?, from.small()?);
        let parent = if at == 0 { parent } else { (at as u32).checked_sub(parent)? };
        Some(ProfileNode { parent, frame })
    };
    (0..count).map(node).collect()
}

fn unpack_lane(from: &mut Unpacker<'_>) -> Option<ProfileLane> {
    let thread = Thread { pid: from.small()?, tid: from.unsigned()?, name: plain_text(from.text()?) };
    let mut last = 0;
    let nodes = (0..from.count()?).map(|_| from.small_step(&mut last)).collect::<Option<_>>()?;
    let columns = (0..from.count()?).map(|_| unpack_column(from)).collect::<Option<_>>()?;
    let mut last = 0;
    let lines = (0..from.count()?)
        .map(|_| Some((from.small_step(&mut last)?, from.small()?, from.small()?)))
        .collect::<Option<_>>()?;
    let runs = unpack_runs(from)?;
    Some(ProfileLane { thread, nodes, columns, lines, runs, runs_dropped: from.unsigned()? })
}

fn unpack_column(from: &mut Unpacker<'_>) -> Option<Vec<i64>> {
    (0..from.count()?).map(|_| from.signed()).collect()
}

fn unpack_runs(from: &mut Unpacker<'_>) -> Option<Vec<Run>> {
    let count = from.count()?;
    let (mut node, mut end) = (0, 0);
    let run = |_| {
        let node = from.small_step(&mut node)?;
        let (offset, length) = (from.step(&mut end)?, from.unsigned()?);
        end = offset.wrapping_add(length);
        Some(Run { node, offset, length })
    };
    (0..count).map(run).collect()
}
