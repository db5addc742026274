//! The form of before 2016: a tree of nodes within nodes, and times of samples in a list of their own.
//!
//! Functions stand in the nodes themselves, lines count from 1, start and end are in seconds.

use super::read::FILE_NODES;
use crate::format::ReadError;
use crate::format::json::{Document, at_most, text};
use crate::format::v8::call_frame::CallFrame;
use crate::format::v8::cpu_json::{CpuJson, Node};
use crate::format::v8::heap_profile::{DEEPEST, nesting};
use crate::format::windows::MOST_SAMPLES;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Looking through each level once more must end.
const MOST_SCANNED: usize = 4 << 30;
/// A node is an object in its caller's list.
const BRACKETS_A_LEVEL: usize = 2;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldJson {
    #[serde(default)]
    start_time: f64,
    #[serde(default)]
    end_time: f64,
    #[serde(default, deserialize_with = "at_most::<MOST_SAMPLES, _, _>")]
    samples: Vec<u32>,
    /// Microseconds.
    #[serde(default, deserialize_with = "at_most::<MOST_SAMPLES, _, _>")]
    timestamps: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldNode<'a> {
    #[serde(borrow, default)]
    call_frame: Option<CallFrame<'a>>,
    #[serde(borrow, default, deserialize_with = "text")]
    function_name: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text")]
    url: Cow<'a, str>,
    #[serde(default)]
    line_number: i64,
    #[serde(default)]
    column_number: i64,
    #[serde(default)]
    hit_count: i64,
    #[serde(default)]
    id: Option<u32>,
    #[serde(borrow, default)]
    children: Vec<&'a RawValue>,
}

/// Reads a profile with its head as V8 would say it today.
pub(super) fn read<'a>(
    document: &Document<'a>,
    part: &'a str,
    head: &'a RawValue,
) -> Result<CpuJson<'a>, ReadError> {
    let old: OldJson = document.read(part)?;
    let nodes = nodes(document, head)?;
    let times: Vec<i64> = old.timestamps.iter().map(|time| *time as i64).collect();
    let (mut start, mut end) = (old.start_time * 1e6, old.end_time * 1e6);
    if let (Some(first), Some(last)) = (times.first(), times.last()) {
        start = *first as f64;
        // Rounded to seconds, it may lie before the last sample.
        end = end.max(*last as f64);
    }
    let mut before = start as i64;
    let deltas = times.iter().map(|time| time - std::mem::replace(&mut before, *time));
    let timed = times.len() == old.samples.len();
    Ok(CpuJson {
        nodes,
        start_time: start,
        end_time: end,
        time_deltas: if timed { deltas.collect() } else { Vec::new() },
        samples: if timed { old.samples } else { Vec::new() },
    })
}

/// The nodes below `head`, callers first.
fn nodes<'a>(document: &Document<'a>, head: &'a RawValue) -> Result<Vec<Node<'a>>, ReadError> {
    if nesting(head.get()) > BRACKETS_A_LEVEL * (DEEPEST as usize + 1) {
        return Err(document.fault(head.get(), format!("its tree has more than {DEEPEST} levels")));
    }
    let mut nodes: Vec<Node<'a>> = Vec::new();
    let mut waiting = vec![(head, None)];
    let mut scanned = 0;
    while let Some((json, caller)) = waiting.pop() {
        scanned += json.get().len();
        if nodes.len() >= FILE_NODES || scanned > MOST_SCANNED {
            return Err(document.fault(json.get(), "its tree is greater than flametop reads"));
        }
        let node: OldNode<'a> = document.read(json.get())?;
        let id = node.id.unwrap_or(nodes.len() as u32);
        if let Some(caller) = caller {
            let caller: &mut Node<'a> = &mut nodes[caller];
            caller.children.push(id);
        }
        let at = nodes.len();
        waiting.extend(node.children.iter().map(|child| (*child, Some(at))));
        nodes.push(Node {
            id,
            hit_count: node.hit_count,
            children: Vec::new(),
            position_ticks: Vec::new(),
            call_frame: node.call_frame.unwrap_or_else(|| {
                // These have no script, and no other function lacks an address.
                let state = node.url.is_empty() && node.function_name.starts_with('(');
                let (line, column) = (node.line_number - 1, node.column_number - 1);
                CallFrame::new(node.function_name, i64::from(!state), node.url, line, column)
            }),
        });
    }
    Ok(nodes)
}
