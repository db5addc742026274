//! What `flametop diff` prints.

use super::diff::{Diff, Input, Row};
use crate::profile::{
    Accumulation, Basis, Change, Comparison, FunctionRow, SURE, Unit, Verdict, name_and_place,
};
use std::fmt::Write;

/// New and vanished functions named in one line at most.
const NAMED: usize = 8;

/// A table of the functions that changed most, what is new, what is gone.
pub fn text(diff: &Diff, lines: usize) -> String {
    let mut out = head(diff);
    let changed: Vec<&Row> = diff.rows.iter().filter(|row| is_change(row)).collect();
    if changed.is_empty() {
        out.push_str("no function changed by more than chance explains\n");
    } else {
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{:>10} {:>10} {:>11} {:>7} {:>7}  {:>11} {:>7}  FUNCTION",
            "SELF WAS", "IS", "CHANGE", "%WHOLE", "S.E.", "TOTAL CH.", "S.E."
        );
        changed.iter().take(lines).for_each(|row| out.push_str(&line(diff, row)));
        if changed.len() > lines {
            let _ = writeln!(out, "... {} more functions changed; -n shows more", changed.len() - lines);
        }
    }
    for (verdict, title) in [(Verdict::New, "new"), (Verdict::Vanished, "vanished")] {
        out.push_str(&named(diff, verdict, title));
    }
    let noise = diff.rows.iter().filter(|row| !is_change(row)).count();
    let _ = writeln!(out, "{noise} functions changed by no more than chance explains");
    let _ = writeln!(out, "test: {}", test(&diff.comparison));
    out
}

fn head(diff: &Diff) -> String {
    let mut out = String::new();
    for (title, input) in [("base ", &diff.base), ("other", &diff.other)] {
        let _ = writeln!(out, "{title}  {}", described(input));
    }
    let (comparison, whole) = (&diff.comparison, diff.comparison.whole());
    let by_second = Comparison { basis: Basis::Second, ..comparison.clone() };
    let by = match (comparison.basis, comparison.kind.accumulation) {
        (Basis::Share, _) => "by share of the whole",
        (Basis::Second, Accumulation::Level) => "as growth",
        (Basis::Second, Accumulation::Delta) => "per second",
    };
    let _ = writeln!(
        out,
        "{} {by}; the whole: {} -> {}, {}",
        comparison.kind.name,
        value(&by_second, whole.base),
        value(&by_second, whole.other),
        judged(&by_second, &whole)
    );
    out
}

fn described(input: &Input) -> String {
    let target = match (&*input.target.name, &*input.target.kind) {
        ("", _) => String::new(),
        (name, "") => format!(", {name}"),
        (name, kind) => format!(", {name} ({kind})"),
    };
    let covered = input.covered.as_secs_f64();
    format!("{}{target}: {covered:.2} s observed, {} samples", input.path.display(), input.samples)
}

fn is_change(row: &Row) -> bool {
    row.own.verdict != Verdict::Noise || row.total.verdict != Verdict::Noise
}

fn line(diff: &Diff, row: &Row) -> String {
    let comparison = &diff.comparison;
    let errors = |change: &Change| change.errors.map_or_else(|| "?".into(), |errors| format!("{errors:+.1}"));
    format!(
        "{:>10} {:>10} {:>11} {:>7} {:>7}  {:>11} {:>7}  {}\n",
        value(comparison, row.own.base),
        value(comparison, row.own.other),
        signed(comparison, row.own.difference()),
        format!("{:+.1}%", comparison.relative(&row.own) * 100.0),
        errors(&row.own),
        signed(comparison, row.total.difference()),
        errors(&row.total),
        function(diff, &row.values),
    )
}

fn named(diff: &Diff, verdict: Verdict, title: &str) -> String {
    let rows: Vec<&Row> = diff.rows.iter().filter(|row| row.total.verdict == verdict).collect();
    if rows.is_empty() {
        return String::new();
    }
    let names: Vec<String> = rows.iter().take(NAMED).map(|row| function(diff, &row.values)).collect();
    let more = rows.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("{title}: {}{more}\n", names.join(", "))
}

/// The function of a row: `f app.js:41`.
pub fn function(diff: &Diff, row: &FunctionRow) -> String {
    name_and_place(diff.session.tree().frames().get(row.frame))
}

/// `+5.2 %`, of the base's whole.
pub fn points(comparison: &Comparison, change: &Change) -> String {
    format!("{:+.1} %", comparison.relative(change) * 100.0)
}

/// A comparable value with its unit.
fn value(comparison: &Comparison, amount: f64) -> String {
    if comparison.basis == Basis::Share {
        return format!("{:.2}%", amount * 100.0);
    }
    let a_second = if comparison.kind.accumulation == Accumulation::Level { "" } else { "/s" };
    match comparison.kind.unit {
        Unit::Nanoseconds => format!("{:.1}ms{a_second}", amount / 1e6),
        Unit::Bytes if amount.abs() >= 104_857.6 => format!("{:.1}MB{a_second}", amount / 1_048_576.0),
        Unit::Bytes => format!("{:.1}kB{a_second}", amount / 1024.0),
        Unit::Count => format!("{amount:.1}{a_second}"),
    }
}

fn signed(comparison: &Comparison, difference: f64) -> String {
    let sign = if difference < 0.0 { "-" } else { "+" };
    format!("{sign}{}", value(comparison, difference.abs()))
}

fn judged(comparison: &Comparison, change: &Change) -> String {
    let points = points(comparison, change);
    match (change.errors, change.verdict) {
        (None, _) => points,
        (Some(errors), Verdict::Noise) => format!("{points}, which chance may explain ({errors:+.1} s.e.)"),
        (Some(errors), _) => format!("{points}, beyond chance ({errors:+.1} s.e.)"),
    }
}

/// The test that tells noise from change, in words.
fn test(comparison: &Comparison) -> String {
    if comparison.base.period == 0 || comparison.other.period == 0 {
        return "none: a side does not say what one sample stands for, so every difference is shown".into();
    }
    let law = if comparison.is_share() { "binomial" } else { "Poisson" };
    format!(
        "a change counts from {SURE} standard errors (s.e.) of the difference on, from the number of samples \
         ({law}); this is the error of sampling alone, not what differs between two runs"
    )
}

/// The same as JSON.
pub fn json(diff: &Diff, lines: usize) -> String {
    let comparison = &diff.comparison;
    let changed = |change: &Change, base: i64, other: i64| {
        serde_json::json!({
            "base_value": base, "other_value": other, "base": change.base, "other": change.other, "difference": change.difference(),
            "of_base_whole": comparison.relative(change), "standard_errors": change.errors,
            "verdict": verdict(change.verdict),
        })
    };
    let as_json = |row: &Row| {
        let frame = diff.session.tree().frames().get(row.values.frame);
        serde_json::json!({
            "name": &*frame.name, "file": &*frame.file, "line": frame.line, "column": frame.column,
            "kind": frame.kind.as_str(), "self": changed(&row.own, row.values.base_self, row.values.self_value),
            "total": changed(&row.total, row.values.base_total, row.values.total),
        })
    };
    let side = |input: &Input| {
        serde_json::json!({
            "file": input.path.display().to_string(), "target": &*input.target.name,
            "start_unix_ns": input.span.start.0, "span_ns": input.span.length.0,
            "covered_ns": input.covered.0, "samples": input.samples,
        })
    };
    let by_second = Comparison { basis: Basis::Second, ..comparison.clone() };
    let whole = by_second.whole();
    let unit = match (comparison.basis, comparison.kind.accumulation) {
        (Basis::Share, _) => "ratio".to_owned(),
        (Basis::Second, Accumulation::Level) => comparison.kind.unit.as_str().to_owned(),
        (Basis::Second, Accumulation::Delta) => format!("{}/second", comparison.kind.unit.as_str()),
    };
    let functions: Vec<serde_json::Value> = diff.rows.iter().take(lines.max(1)).map(as_json).collect();
    let document = serde_json::json!({
        "base": side(&diff.base), "other": side(&diff.other), "type": &*comparison.kind.name, "unit": unit,
        "whole": { "base": whole.base, "other": whole.other, "standard_errors": whole.errors,
                   "of_base_whole": by_second.relative(&whole), "verdict": verdict(whole.verdict) },
        "test": test(comparison), "functions_total": diff.rows.len(), "functions": functions,
    });
    format!("{document:#}\n")
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::New => "new",
        Verdict::Vanished => "vanished",
        Verdict::More => "more",
        Verdict::Less => "less",
        Verdict::Noise => "noise",
    }
}
