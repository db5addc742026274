//! The data of a report: header and body, gzipped.

use super::header::{Contents, Header, StallRow};
use super::order::Order;
use super::packing::Packing;
use super::stalls::Stalls;
use super::{ReportError, ReportOptions, gauges};
use crate::profile::{FrameKind, NodeId};
use crate::session::{Lane, Session};
use flate2::Compression;
use flate2::write::GzEncoder;
use rustc_hash::FxHashMap;
use std::io::Write;
use std::sync::Arc;

/// Everything the viewer needs, gzipped.
pub(super) fn pack(
    session: &Session,
    options: &ReportOptions,
    losses: &[String],
) -> Result<Vec<u8>, ReportError> {
    let contents = Contents::of(session);
    let stalls = Stalls::of(&contents);
    let order = Order::of(session.tree(), &used_nodes(&contents, &stalls));
    let mut header = Header::of(&contents, options, losses, &stalls);
    let mut body = Packing::default();
    header.strings = pack_frames(&order, &mut body);
    pack_nodes(&order, &mut body);
    pack_windows(&contents, &order, &mut body);
    header.gauges = gauges::pack(&contents, &mut body);
    header.stalls = pack_stalls(&stalls, &order, &mut body);
    let header = serde_json::to_vec(&header).map_err(std::io::Error::from)?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&(header.len() as u32).to_le_bytes())?;
    packed.write_all(&header)?;
    packed.write_all(&body.bytes)?;
    Ok(packed.finish()?)
}

/// The rows of a lane that hold a value: the node's place in the fold.
fn valued(lane: &Lane) -> Vec<usize> {
    let columns = lane.fold.kinds().len();
    (0..lane.fold.nodes().len())
        .filter(|row| (0..columns).any(|column| lane.fold.self_values(column)[*row] != 0))
        .collect()
}

fn used_nodes(contents: &Contents<'_>, stalls: &Stalls) -> Vec<bool> {
    let mut used = vec![false; contents.session.tree().len()];
    for lane in contents.windows.iter().flat_map(|placed| &placed.window.lanes) {
        valued(lane).into_iter().for_each(|row| used[lane.fold.nodes()[row].index()] = true);
    }
    for (node, _) in stalls.longest.iter().flat_map(|stall| &stall.stacks) {
        used[node.index()] = true;
    }
    used
}

/// Frames by column: name and file as places in the strings that it gives back, line, column, kind.
fn pack_frames(order: &Order, body: &mut Packing) -> Vec<Arc<str>> {
    let mut strings = Strings::default();
    let places: Vec<(i64, i64)> =
        order.frames.iter().map(|frame| (strings.place(&frame.name), strings.place(&frame.file))).collect();
    body.unsigned(order.frames.len() as u64);
    body.steps(places.iter().map(|place| place.0));
    body.steps(places.iter().map(|place| place.1));
    order.frames.iter().for_each(|frame| body.unsigned(u64::from(frame.line)));
    order.frames.iter().for_each(|frame| body.unsigned(u64::from(frame.column)));
    let kind = |kind| FrameKind::ALL.iter().position(|known| *known == kind).unwrap_or_default() as u64;
    order.frames.iter().for_each(|frame| body.unsigned(kind(frame.kind)));
    strings.list
}

#[derive(Default)]
struct Strings {
    list: Vec<Arc<str>>,
    places: FxHashMap<Arc<str>, i64>,
}

impl Strings {
    fn place(&mut self, text: &Arc<str>) -> i64 {
        let next = self.list.len() as i64;
        let list = &mut self.list;
        *self.places.entry(text.clone()).or_insert_with(|| {
            list.push(text.clone());
            next
        })
    }
}

/// Nodes in preorder: how many levels above the place below the last one, and the frame.
fn pack_nodes(order: &Order, body: &mut Packing) {
    body.unsigned(order.nodes.len() as u64);
    let mut last = 0;
    for (_, depth) in &order.nodes {
        body.unsigned(u64::from(last + 1 - depth));
        last = *depth;
    }
    body.steps(order.nodes.iter().map(|(frame, _)| i64::from(*frame)));
}

fn pack_windows(contents: &Contents<'_>, order: &Order, body: &mut Packing) {
    for window in contents.windows.iter().map(|placed| placed.window) {
        body.unsigned(window.lanes.len() as u64);
        for lane in &window.lanes {
            body.unsigned(contents.thread(&lane.thread) as u64);
            pack_lane(lane, order, body);
        }
    }
}

/// The nodes that hold a value, ascending, and a column a kind.
fn pack_lane(lane: &Lane, order: &Order, body: &mut Packing) {
    let place = |row: &usize| order.place(lane.fold.nodes()[*row]);
    let mut rows = valued(lane);
    rows.sort_by_key(place);
    body.unsigned(rows.len() as u64);
    body.steps(rows.iter().map(|row| i64::from(place(row))));
    for column in 0..lane.fold.kinds().len() {
        let values = lane.fold.self_values(column);
        body.multiples(&rows.iter().map(|row| values[*row]).collect::<Vec<_>>());
    }
}

fn pack_stalls(stalls: &Stalls, order: &Order, body: &mut Packing) -> Vec<StallRow> {
    for stall in &stalls.longest {
        let mut stacks: Vec<(u32, i64)> = stall
            .stacks
            .iter()
            .map(|(node, time): &(NodeId, u64)| (order.place(*node), *time as i64))
            .collect();
        stacks.sort_unstable();
        body.unsigned(stacks.len() as u64);
        body.steps(stacks.iter().map(|stack| i64::from(stack.0)));
        body.multiples(&stacks.iter().map(|stack| stack.1).collect::<Vec<_>>());
    }
    stalls.longest.iter().map(|s| StallRow(s.source.0, s.thread, s.start, s.length)).collect()
}
