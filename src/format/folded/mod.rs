//! Folded stacks: one line a stack, `root;caller;leaf 42`, as flame graph scripts read and write them.

mod read;
#[cfg(test)]
mod tests;

use super::export::count_column;
use super::inflate::peek;
use super::names::{OTHER, written_name};
use super::{Export, Format, FormatSpec, Limits, ReadError, WriteError};
use crate::profile::Profile;
use rustc_hash::FxHashMap;
use std::io::Write;

const SPEC: FormatSpec = FormatSpec {
    name: "folded",
    summary: "folded stacks, one line each: flamegraph.pl, inferno, speedscope",
    extension: "folded",
    reads: true,
    writes: true,
};

/// The folded-stacks format.
#[derive(Clone, Copy, Debug)]
pub struct Folded;

impl Format for Folded {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn recognise(&self, head: &[u8]) -> bool {
        read::looks_folded(&peek(head))
    }

    fn read(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<Profile>, ReadError> {
        read::read(bytes, limits).map(|profile| vec![profile])
    }

    fn write(&self, export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
        export.check(SPEC.name)?;
        each_stack(export, column(export)?, |path, value| Ok(writeln!(out, "{} {value}", path.join(";"))?))
    }
}

/// The kind asked for, else samples: readers of this format take its numbers for sample counts.
fn column(export: &Export<'_>) -> Result<usize, WriteError> {
    match (export.kind, count_column(export.profile)) {
        (None, Some(counts)) => Ok(counts),
        _ => export.main_kind(),
    }
}

/// Calls `take` for each stack of all threads together that has a value, in the order of nodes, so that
/// callers come before their callees. Its names are root first and fit to be written folded.
pub(super) fn each_stack(
    export: &Export<'_>,
    column: usize,
    mut take: impl FnMut(&[&str], i64) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let profile = export.profile;
    let names: Vec<String> = profile.frames.iter().map(|frame| escaped(&written_name(frame))).collect();
    let mut path = Vec::new();
    for (node, value) in values(export, column) {
        path.clear();
        let mut at = node;
        while at != 0 {
            let node = profile.nodes[at as usize];
            path.push(&*names[node.frame as usize]);
            at = node.parent;
        }
        if path.is_empty() {
            path.push(OTHER);
        }
        path.reverse();
        take(&path, value)?;
    }
    Ok(())
}

/// The values of all threads together by node, ascending; zeros and what the export leaves out are not
/// among them.
fn values(export: &Export<'_>, column: usize) -> Vec<(u32, i64)> {
    let mut values: FxHashMap<u32, i64> = FxHashMap::default();
    for lane in &export.profile.lanes {
        for (node, value) in lane.nodes.iter().zip(&lane.columns[column]) {
            let sum = values.entry(*node).or_insert(0);
            *sum = sum.saturating_add(*value);
        }
    }
    let kept = values.into_iter().filter(|(node, value)| *value != 0 && !export.leaves_out(*node));
    let mut rows: Vec<(u32, i64)> = kept.collect();
    rows.sort_unstable();
    rows
}

/// A name without the characters that part frames and lines.
fn escaped(name: &str) -> String {
    name.replace(';', ":").replace(['\n', '\r', '\t'], " ")
}
