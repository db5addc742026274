//! The text table of functions, in the columns of `go tool pprof -top`.

use super::names::written_name;
use super::{Export, Format, FormatSpec, WriteError};
use crate::profile::{CallTree, Flame, FunctionRow, Shape, Unit, function_table, lift, over_lanes};
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

/// The profile's lanes together as one flame, without idle time unless it is to be kept.
fn flame(export: &Export<'_>, column: usize) -> Result<(CallTree, Flame), WriteError> {
    if !export.profile.is_sound() {
        return Err(WriteError::Unsound);
    }
    let mut tree = CallTree::default();
    let lanes = lift(&mut tree, export.profile);
    let folds: Vec<_> = lanes.iter().map(|lane| &lane.fold).collect();
    let fold = over_lanes(&tree, &folds);
    let kind = &export.profile.kinds[column];
    let show_idle = !matches!(&*kind.name, "cpu" | "samples");
    let at = fold.column_of(&kind.name).unwrap_or(0);
    let shape = Shape { show_idle, ..Shape::default() };
    let flame = Flame::build(&tree, &fold, at, &shape);
    Ok((tree, flame))
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

/// One unit for a whole table, so that its numbers can be compared by eye.
#[derive(Clone, Copy, Debug)]
struct Scale {
    divisor: f64,
    word: &'static str,
}

impl Scale {
    /// The unit in which a hundredth of the total is about one.
    fn for_total(unit: Unit, total: i64) -> Self {
        let scales: &[(f64, &str)] = match unit {
            Unit::Nanoseconds => &[(1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")],
            Unit::Bytes => &[(1_073_741_824.0, "GB"), (1_048_576.0, "MB"), (1024.0, "kB"), (1.0, "B")],
            Unit::Count => &[(1.0, "")],
        };
        let fits = |scale: &&(f64, &str)| total.unsigned_abs() as f64 >= scale.0;
        let (divisor, word) = scales.iter().find(fits).copied().unwrap_or(scales[scales.len() - 1]);
        Self { divisor, word }
    }

    fn label(self, value: i64) -> String {
        let text = format!("{:.2}", value as f64 / self.divisor);
        let number = text.strip_suffix(".00").unwrap_or(&text);
        if number.trim_start_matches('-') == "0" { "0".into() } else { format!("{number}{}", self.word) }
    }
}

/// A share as pprof writes it: six cells, two significant digits below one per cent.
fn percentage(value: i64, total: i64) -> String {
    let ratio = if total == 0 { 0.0 } else { (value as f64 / total as f64 * 100.0).abs() };
    if (99.95..=100.05).contains(&ratio) {
        return "  100%".into();
    }
    if ratio >= 1.0 {
        return format!("{ratio:5.2}%");
    }
    let digits = if ratio > 0.0 { (1.0 - ratio.log10().floor()).clamp(2.0, 4.0) as usize } else { 0 };
    let text = format!("{ratio:.digits$}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{short:>5}%")
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
    fn shares_are_written_as_pprof_writes_them() {
        for (value, text) in [(1000, "  100%"), (999, "99.90%"), (10, " 1.00%"), (9, "  0.9%"), (0, "    0%")]
        {
            assert_eq!(percentage(value, 1000), text);
        }
        assert_eq!(percentage(543, 1_000_000), "0.054%");
        assert_eq!(percentage(5, 0), "    0%");
    }

    #[test]
    fn one_unit_serves_the_whole_table() {
        let scale = Scale::for_total(Unit::Nanoseconds, 1_234_567_890);
        assert_eq!((scale.label(1_234_567_890), scale.label(0)), ("1.23s".into(), "0".into()));
        assert_eq!(Scale::for_total(Unit::Bytes, 5 << 20).label(1 << 20), "1MB");
        assert_eq!(Scale::for_total(Unit::Count, 0).label(7), "7");
    }
}
