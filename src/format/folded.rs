//! Folded stacks: one line a stack, `root;caller;leaf 42`, as flame graph scripts read and write them.

use super::export::count_column;
use super::names::{OTHER, written_name};
use super::{Export, Format, FormatSpec, WriteError};
use crate::profile::Profile;
use rustc_hash::FxHashMap;
use std::io::Write;

const SPEC: FormatSpec = FormatSpec {
    name: "folded",
    summary: "folded stacks, one line each: flamegraph.pl, inferno, speedscope",
    extension: "folded",
    reads: false,
    writes: true,
};

/// The folded-stacks format.
#[derive(Clone, Copy, Debug)]
pub struct Folded;

impl Format for Folded {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn write(&self, export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
        export.check(SPEC.name)?;
        let column = column(export)?;
        let mut values: FxHashMap<u32, i64> = FxHashMap::default();
        for lane in &export.profile.lanes {
            for (node, value) in lane.nodes.iter().zip(&lane.columns[column]) {
                let sum = values.entry(*node).or_insert(0);
                *sum = sum.saturating_add(*value);
            }
        }
        values.retain(|node, value| *value != 0 && !export.leaves_out(*node));
        write_stacks(export.profile, values, out)
    }
}

/// The kind asked for, else samples: readers of this format take its numbers for sample counts.
fn column(export: &Export<'_>) -> Result<usize, WriteError> {
    match (export.kind, count_column(export.profile)) {
        (None, Some(counts)) => Ok(counts),
        _ => export.main_kind(),
    }
}

/// Writes one line a node, in the order of nodes, so callers come before their callees.
fn write_stacks(
    profile: &Profile,
    values: FxHashMap<u32, i64>,
    out: &mut dyn Write,
) -> Result<(), WriteError> {
    let mut rows: Vec<(u32, i64)> = values.into_iter().collect();
    rows.sort_unstable();
    let names: Vec<String> = profile.frames.iter().map(|frame| escaped(&written_name(frame))).collect();
    let mut path = Vec::new();
    for (node, value) in rows {
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
        writeln!(out, "{} {value}", path.join(";"))?;
    }
    Ok(())
}

/// A name without the characters that part frames and lines.
fn escaped(name: &str) -> String {
    name.replace(';', ":").replace(['\n', '\r', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn each_stack_is_a_line_and_idle_time_is_left_out() {
        let (profile, target) = (fixture::cpu(), fixture::target());
        let mut out = Vec::new();
        Folded.write(&Export::new(&profile, &target), &mut out).expect("a vector takes every byte");
        insta::assert_snapshot!(String::from_utf8_lossy(&out));
    }

    #[test]
    fn names_cannot_break_lines() {
        assert_eq!(escaped("a;b\nc"), "a:b c");
    }
}
