//! The text table of functions, in the columns of `go tool pprof -top`.

use super::amount::{Scale, percentage};
use super::export::flame;
use super::names::written_name;
use super::{Export, Format, FormatSpec, WriteError};
use crate::profile::{CallTree, FunctionRow, Unit, function_table};
use std::io::Write;

const SPEC: FormatSpec = FormatSpec {
    name: "top",
    summary: "text table of functions by self value, like go tool pprof -top",
    extension: "txt",
    reads: false,
    writes: true,
};

/// The table of functions.
#[derive(Clone, Copy, Debug)]
pub struct Top;

impl Format for Top {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn write(&self, export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
        let column = export.main_kind()?;
        let (tree, flame) = flame(export, column)?;
        let rows = function_table(&flame);
        let unit = Scale::for_total(export.profile.kinds[column].unit, flame.total());
        write_head(export, column, flame.total(), unit, out)?;
        write_rows(&tree, &rows, flame.total(), unit, out)
    }
}

fn write_head(
    export: &Export<'_>,
    column: usize,
    total: i64,
    unit: Scale,
    out: &mut dyn Write,
) -> Result<(), WriteError> {
    let kind = &export.profile.kinds[column];
    writeln!(out, "Type: {}", kind.name)?;
    let length = export.profile.span.length;
    if kind.unit == Unit::Nanoseconds && length.0 > 0 {
        let share = percentage(total, length.0 as i64);
        let duration = Scale::for_total(Unit::Nanoseconds, length.0 as i64).label(length.0 as i64);
        writeln!(out, "Duration: {duration}, Total samples = {} ({})", unit.label(total), share.trim())?;
    }
    for note in export.profile.notes.iter().chain(export.notes) {
        writeln!(out, "Note: {note}")?;
    }
    writeln!(out, "Showing nodes accounting for {0}, 100% of {0} total", unit.label(total))?;
    Ok(())
}

fn write_rows(
    tree: &CallTree,
    rows: &[FunctionRow],
    total: i64,
    unit: Scale,
    out: &mut dyn Write,
) -> Result<(), WriteError> {
    writeln!(out, "{:>10} {:>5}% {:>5}% {:>10} {:>5}%", "flat", "flat", "sum", "cum", "cum")?;
    let mut sum = 0;
    for row in rows {
        sum = i64::saturating_add(sum, row.self_value);
        let (flat, cum) = (unit.label(row.self_value), unit.label(row.total));
        let (flat_share, sum_share) = (percentage(row.self_value, total), percentage(sum, total));
        let name = written_name(tree.frames().get(row.frame));
        let cum_share = percentage(row.total, total);
        writeln!(out, "{flat:>10} {flat_share} {sum_share} {cum:>10} {cum_share}  {name}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn the_table_has_the_columns_of_pprof() {
        let (profile, target) = (fixture::cpu(), fixture::target());
        let mut out = Vec::new();
        Top.write(&Export::new(&profile, &target), &mut out).expect("a vector takes every byte");
        insta::assert_snapshot!(String::from_utf8_lossy(&out));
    }

    #[test]
    fn a_profile_without_threads_is_an_empty_table() {
        let empty = crate::profile::Profile { lanes: vec![], ..fixture::cpu() };
        let mut out = Vec::new();
        Top.write(&Export::new(&empty, &fixture::target()), &mut out).expect("a vector takes every byte");
        assert!(String::from_utf8_lossy(&out).contains("accounting for 0, 100% of 0 total"));
    }
}
