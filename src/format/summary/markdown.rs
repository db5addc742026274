//! The summary as a page of Markdown, to paste into an issue or a chat.
//!
//! Names are foreign: they stand in code spans, where nothing in them is markup and nobody is mentioned.

use super::{Function, Summary};
use crate::format::amount::{Scale, percentage};
use crate::format::export::process_name;
use crate::format::names::written_name;
use crate::format::{Export, Format, FormatSpec, WriteError};
use crate::profile::{Frame, Moment, short_path};
use std::cmp::Reverse;
use std::io::Write;

const SPEC: FormatSpec = FormatSpec {
    name: "markdown",
    summary: "summary to paste into an issue or a chat: functions, packages, hottest path",
    extension: "md",
    reads: false,
    writes: true,
};

/// Functions in each table.
const FUNCTIONS: usize = 25;
/// Packages and threads in their tables.
const GROUPS: usize = 15;
/// Steps of the hottest path.
const STEPS: usize = 40;

/// The Markdown summary.
#[derive(Clone, Copy, Debug)]
pub struct Markdown;

impl Format for Markdown {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn write(&self, export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
        export.check(SPEC.name)?;
        let summary = Summary::new(export)?;
        let kind = &export.profile.kinds[summary.main];
        let scale = Scale::for_total(kind.unit, summary.totals[summary.main]);
        let mut page = Page { summary: &summary, scale, out };
        page.head()?;
        page.functions()?;
        page.packages()?;
        page.threads()?;
        page.path()?;
        page.notes()
    }
}

struct Page<'a> {
    summary: &'a Summary<'a>,
    scale: Scale,
    out: &'a mut dyn Write,
}

impl Page<'_> {
    fn head(&mut self) -> Result<(), WriteError> {
        let export = self.summary.export;
        let profile = export.profile;
        let title = profile.kinds[self.summary.main].title();
        writeln!(self.out, "# flametop: {}, {}\n", code(process_name(export.target)), sentence(title))?;
        writeln!(self.out, "| what | value |\n| --- | --- |")?;
        self.fact("target", &target(export))?;
        self.fact("time", &time(profile.span.start, profile.span.length.as_secs_f64()))?;
        if profile.covered < profile.span.length {
            let (covered, gap) = (profile.covered.as_secs_f64(), profile.span.length.0 - profile.covered.0);
            self.fact("observed", &format!("{covered:.3} s, a gap of {:.3} s", gap as f64 / 1e9))?;
        }
        let sampling = &profile.sampling;
        if sampling.taken > 0 {
            self.fact("samples taken", &sampling.taken.to_string())?;
        }
        if sampling.lost > 0 {
            self.fact("samples lost", &sampling.lost.to_string())?;
        }
        if sampling.truncated > 0 {
            self.fact("stacks cut by the runtime", &sampling.truncated.to_string())?;
        }
        for (kind, total) in profile.kinds.iter().zip(&self.summary.totals) {
            let label = Scale::for_total(kind.unit, *total).label(*total);
            self.fact(&format!("total of {}", sentence(kind.title())), &label)?;
        }
        Ok(())
    }

    fn fact(&mut self, what: &str, value: &str) -> Result<(), WriteError> {
        if !value.is_empty() {
            writeln!(self.out, "| {what} | {value} |")?;
        }
        Ok(())
    }

    fn functions(&mut self) -> Result<(), WriteError> {
        let main = self.summary.main;
        let mut functions: Vec<&Function> = self.summary.functions.iter().collect();
        self.function_table("Functions by self", &functions)?;
        functions.sort_by_key(|function| Reverse(function.total[main]));
        self.function_table("Functions by total", &functions)
    }

    fn function_table(&mut self, title: &str, functions: &[&Function]) -> Result<(), WriteError> {
        writeln!(self.out, "\n## {title}\n")?;
        writeln!(self.out, "| self | share | total | share | function | place |")?;
        writeln!(self.out, "| ---: | ---: | ---: | ---: | --- | --- |")?;
        for function in functions.iter().take(FUNCTIONS) {
            let frame = self.summary.frame(function.frame);
            let (own, total) = (function.own[self.summary.main], function.total[self.summary.main]);
            let (own, total) = (self.amount(own), self.amount(total));
            writeln!(self.out, "| {own} | {total} | {} | {} |", code(&written_name(frame)), place(frame))?;
        }
        let more = functions.len().saturating_sub(FUNCTIONS);
        self.left_out(more, "functions")
    }

    fn packages(&mut self) -> Result<(), WriteError> {
        let packages = self.summary.packages();
        let main = self.summary.main;
        let rows: Vec<(String, i64)> =
            packages.into_iter().map(|(name, values)| (code(name), values[main])).collect();
        self.groups("By package", "package", &rows)
    }

    fn threads(&mut self) -> Result<(), WriteError> {
        let (export, main) = (self.summary.export, self.summary.main);
        let value = |lane: &crate::profile::ProfileLane| {
            let kept =
                lane.nodes.iter().zip(&lane.columns[main]).filter(|(node, _)| !export.leaves_out(**node));
            kept.fold(0i64, |sum, (_, value)| sum.saturating_add(*value))
        };
        let lanes = export.profile.lanes.iter();
        let mut rows: Vec<(String, i64)> = lanes.map(|lane| (code(&lane.thread.name), value(lane))).collect();
        rows.sort_by_key(|row| Reverse(row.1));
        if rows.len() < 2 { Ok(()) } else { self.groups("By thread", "thread", &rows) }
    }

    fn groups(&mut self, title: &str, what: &str, rows: &[(String, i64)]) -> Result<(), WriteError> {
        writeln!(self.out, "\n## {title}\n\n| self | share | {what} |\n| ---: | ---: | --- |")?;
        for (name, value) in rows.iter().take(GROUPS) {
            let amount = self.amount(*value);
            writeln!(self.out, "| {amount} | {name} |")?;
        }
        self.left_out(rows.len().saturating_sub(GROUPS), "rows")
    }

    fn path(&mut self) -> Result<(), WriteError> {
        writeln!(self.out, "\n## Hottest path\n")?;
        for (nth, step) in self.summary.path.iter().take(STEPS).enumerate() {
            let frame = self.summary.frame(step.frame);
            let (total, own) = (self.share(step.total), self.share(step.own));
            let (name, place) = (code(&written_name(frame)), place(frame));
            writeln!(self.out, "{}. {total} (self {own}) {name} {place}", nth + 1)?;
        }
        self.left_out(self.summary.path.len().saturating_sub(STEPS), "calls below")
    }

    fn notes(&mut self) -> Result<(), WriteError> {
        let notes: Vec<String> = self.summary.notes().map(sentence).collect();
        if !notes.is_empty() {
            writeln!(self.out, "\n## Notes\n")?;
        }
        for note in notes {
            writeln!(self.out, "- {note}")?;
        }
        Ok(())
    }

    fn left_out(&mut self, count: usize, what: &str) -> Result<(), WriteError> {
        if count > 0 {
            writeln!(self.out, "\nand {count} more {what}")?;
        }
        Ok(())
    }

    /// A value and its share, as two cells.
    fn amount(&self, value: i64) -> String {
        format!("{} | {}", self.scale.label(value), self.share(value))
    }

    fn share(&self, value: i64) -> String {
        percentage(value, self.summary.totals[self.summary.main]).trim().into()
    }
}

fn target(export: &Export<'_>) -> String {
    let target = export.target;
    let pid = target.pid.map(|pid| format!("process {pid}"));
    let kind = Some(&target.kind).filter(|kind| !kind.is_empty()).map(|kind| sentence(kind));
    let host = Some(export.host).filter(|host| !host.is_empty()).map(|host| format!("on {}", code(host)));
    let parts = [Some(code(process_name(target))), pid, kind, host];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn time(start: Moment, seconds: f64) -> String {
    match (jiff::Timestamp::from_nanosecond(i128::from(start.0)), start.0) {
        (_, 0) | (Err(_), _) if seconds == 0.0 => String::new(),
        (_, 0) | (Err(_), _) => format!("{seconds:.3} s"),
        (Ok(stamp), _) => format!("{stamp:.3}, {seconds:.3} s"),
    }
}

fn place(frame: &Frame) -> String {
    match (&*frame.file, frame.line) {
        ("", _) => String::new(),
        (file, 0) => code(&short_path(file)),
        (file, line) => code(&format!("{}:{line}", short_path(file))),
    }
}

/// Text as it is if nothing in it can be markup or a mention, else in a code span.
fn sentence(text: &str) -> String {
    let active = |c: char| "\\`*_{}[]<>#|~&@$!".contains(c);
    let starts_plainly = text.starts_with(|c: char| c.is_alphanumeric() || c == '(');
    if starts_plainly && !text.contains(active) && !text.contains("://") { text.into() } else { code(text) }
}

/// A code span of any text, also in a table, where a bar must be escaped and cannot be after a
/// backslash: there it becomes a box-drawing one.
fn code(text: &str) -> String {
    let text = text.replace("\\|", "\\│").replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank = if longest > 0 || text.trim().is_empty() { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture;
    use super::*;
    use crate::profile::{FrameKind, Profile};

    fn page(profile: &Profile) -> String {
        let target = fixture::target();
        let mut out = Vec::new();
        let export = Export { host: "db_1", ..Export::new(profile, &target) };
        Markdown.write(&export, &mut out).expect("a vector takes every byte");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_page_says_what_was_watched_what_is_missing_and_where_the_time_went() {
        insta::assert_snapshot!(page(&fixture::cpu()));
    }

    #[test]
    fn names_are_code_and_cannot_break_out_of_their_cell() {
        for (name, written) in [
            ("a|b", "`a\\|b`"),
            ("a\\|b", "`a\\│b`"),
            ("`x``", "``` `x`` ```"),
            ("<script>@everyone", "`<script>@everyone`"),
            (" ", "`   `"),
        ] {
            let mut profile = fixture::cpu();
            profile.frames[1] = Frame::named(name, FrameKind::Js);
            assert!(page(&profile).contains(&format!("| {written} |")), "{written}: {}", page(&profile));
        }
        assert_eq!(sentence("see @me"), "`see @me`");
        assert_eq!(sentence("- a list"), "`- a list`");
        assert_eq!(sentence("3 stacks end early"), "3 stacks end early");
    }

    #[test]
    fn long_tables_are_cut_and_say_so() {
        let mut profile = fixture::cpu();
        for at in 0..30 {
            profile.frames.push(Frame::named(&format!("f{at}"), FrameKind::Js));
            let frame = profile.frames.len() as u32 - 1;
            profile.nodes.push(crate::profile::ProfileNode { parent: 1, frame });
            let lane = &mut profile.lanes[0];
            lane.nodes.push(profile.nodes.len() as u32 - 1);
            lane.columns.iter_mut().for_each(|column| column.push(1));
        }
        assert_eq!(page(&profile).matches("more functions").count(), 2);
    }

    #[test]
    fn nothing_is_a_page_too() {
        let empty = Profile { lanes: vec![], ..fixture::cpu() };
        assert!(page(&empty).contains("| total of CPU | 0 |"));
    }
}
