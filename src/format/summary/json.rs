//! The summary as JSON, for programs.
//!
//! Names of fields end in their unit. Values of a function are objects with a field a kind, called after
//! the kind and its unit: `cpu_nanoseconds`, `samples_count`, `inuse_space_bytes`. Fields may be added;
//! none changes its meaning without a new [`VERSION`].

use super::{Function, Step, Summary, add};
use crate::format::export::process_name;
use crate::format::{Export, Format, FormatSpec, WriteError};
use crate::profile::{Accumulation, Frame, Thread, ValueKind, package_of};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::io::{self, Write};

const SPEC: FormatSpec = FormatSpec {
    name: "json",
    summary: "summary for programs: totals, functions, packages, hottest path",
    extension: "json",
    reads: false,
    writes: true,
};

/// Number of the schema.
const VERSION: u32 = 1;
/// Functions that are listed; the rest is summed.
const FUNCTIONS: usize = 10_000;

/// The JSON summary.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Format for Json {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn write(&self, export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
        export.check(SPEC.name)?;
        let summary = Summary::new(export)?;
        let names: Vec<String> = export.profile.kinds.iter().map(field_name).collect();
        let document = Document::new(&summary, &names);
        serde_json::to_writer_pretty(&mut *out, &document).map_err(io::Error::from)?;
        writeln!(out)?;
        Ok(())
    }
}

/// What a kind's values are called in objects of values.
fn field_name(kind: &ValueKind) -> String {
    format!("{}_{}", kind.name, kind.unit.as_str())
}

/// The whole file.
#[derive(serde::Serialize)]
struct Document<'a> {
    /// Always `flametop-summary`.
    schema: &'static str,
    /// Number of the schema.
    version: u32,
    /// What wrote the file.
    generator: String,
    target: Target<'a>,
    span: Span,
    sampling: Sampling<'a>,
    /// The threads that have values.
    threads: Vec<&'a Thread>,
    /// What was measured.
    kinds: Vec<Kind<'a>>,
    /// The field of values that functions, packages and shares go by.
    main_kind: &'a str,
    /// Greatest self value of the main kind first.
    functions: Vec<FunctionEntry<'a>>,
    /// Functions that are not listed.
    functions_left_out: Rest<'a>,
    packages: Vec<Package<'a>>,
    /// From the root, each time the callee with the greatest total.
    hottest_path: Vec<PathEntry<'a>>,
    /// Sentences about what is missing or special.
    notes: Vec<&'a str>,
}

#[derive(serde::Serialize)]
struct Target<'a> {
    name: &'a str,
    kind: &'a str,
    pid: Option<u32>,
    executable: &'a str,
    host: &'a str,
}

#[derive(serde::Serialize)]
struct Span {
    /// RFC 3339 in UTC; null when unknown.
    start: Option<String>,
    length_ns: u64,
    covered_ns: u64,
    gap_ns: u64,
}

#[derive(serde::Serialize)]
struct Sampling<'a> {
    /// What the period counts.
    period_name: &'a str,
    period_ns: Option<u64>,
    period_bytes: Option<u64>,
    /// Mean time between samples; null when unknown.
    achieved_ns: Option<u64>,
    samples_taken: u64,
    samples_lost: u64,
    stacks_truncated: u64,
}

#[derive(serde::Serialize)]
struct Kind<'a> {
    name: &'a str,
    unit: &'static str,
    /// `delta`: true of the span; `level`: true of its end.
    accumulation: &'static str,
    /// What the kind is called in objects of values.
    field: &'a str,
    total: i64,
}

#[derive(serde::Serialize)]
struct Place<'a> {
    name: &'a str,
    file: &'a str,
    /// From 1; 0 when unknown.
    line: u32,
    /// From 1; 0 when unknown.
    column: u32,
    /// The kind of code: `js`, `native` ...
    kind: &'static str,
    package: &'a str,
}

#[derive(serde::Serialize)]
struct FunctionEntry<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    #[serde(rename = "self")]
    own: Values<'a>,
    total: Values<'a>,
    self_share: f64,
    total_share: f64,
}

#[derive(serde::Serialize)]
struct Rest<'a> {
    count: usize,
    #[serde(rename = "self")]
    own: Values<'a>,
}

#[derive(serde::Serialize)]
struct Package<'a> {
    name: &'a str,
    #[serde(rename = "self")]
    own: Values<'a>,
    self_share: f64,
}

#[derive(serde::Serialize)]
struct PathEntry<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    self_share: f64,
    total_share: f64,
}

/// Values by the field names of their kinds.
struct Values<'a> {
    names: &'a [String],
    values: Vec<i64>,
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (name, value) in self.names.iter().zip(&self.values) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'a> Document<'a> {
    fn new(summary: &'a Summary<'a>, names: &'a [String]) -> Self {
        let export = summary.export;
        let listed = &summary.functions[..summary.functions.len().min(FUNCTIONS)];
        Self {
            schema: "flametop-summary",
            version: VERSION,
            generator: format!("flametop {}", env!("CARGO_PKG_VERSION")),
            target: target(export),
            span: span(export),
            sampling: sampling(export),
            threads: export.profile.lanes.iter().map(|lane| &lane.thread).collect(),
            kinds: kinds(summary, names),
            main_kind: &names[summary.main],
            functions: listed.iter().map(|function| function_entry(summary, names, function)).collect(),
            functions_left_out: rest(&summary.functions[listed.len()..], names),
            packages: packages(summary, names),
            hottest_path: summary.path.iter().map(|step| path_entry(summary, step)).collect(),
            notes: summary.notes().collect(),
        }
    }
}

fn target<'a>(export: &Export<'a>) -> Target<'a> {
    let target = export.target;
    Target {
        name: process_name(target),
        kind: &target.kind,
        pid: target.pid,
        executable: &target.executable,
        host: export.host,
    }
}

fn span(export: &Export<'_>) -> Span {
    let (span, covered) = (export.profile.span, export.profile.covered);
    let start = jiff::Timestamp::from_nanosecond(i128::from(span.start.0)).ok();
    Span {
        start: start.filter(|_| span.start.0 != 0).map(|start| start.to_string()),
        length_ns: span.length.0,
        covered_ns: covered.0,
        gap_ns: span.length.0.saturating_sub(covered.0),
    }
}

fn sampling<'a>(export: &Export<'a>) -> Sampling<'a> {
    let sampling = &export.profile.sampling;
    let period = Some(sampling.period).filter(|period| *period > 0);
    Sampling {
        period_name: &sampling.period_name,
        period_ns: period.filter(|_| !sampling.period_bytes),
        period_bytes: period.filter(|_| sampling.period_bytes),
        achieved_ns: Some(sampling.achieved).filter(|achieved| *achieved > 0),
        samples_taken: sampling.taken,
        samples_lost: sampling.lost,
        stacks_truncated: sampling.truncated,
    }
}

fn kinds<'a>(summary: &'a Summary<'a>, names: &'a [String]) -> Vec<Kind<'a>> {
    let kinds = summary.export.profile.kinds.iter().zip(names).zip(&summary.totals);
    kinds
        .map(|((kind, field), total)| Kind {
            name: &kind.name,
            unit: kind.unit.as_str(),
            accumulation: match kind.accumulation {
                Accumulation::Delta => "delta",
                Accumulation::Level => "level",
            },
            field,
            total: *total,
        })
        .collect()
}

fn place(frame: &Frame) -> Place<'_> {
    Place {
        name: &frame.name,
        file: &frame.file,
        line: frame.line,
        column: frame.column,
        kind: frame.kind.as_str(),
        package: package_of(frame),
    }
}

fn function_entry<'a>(
    summary: &'a Summary<'a>,
    names: &'a [String],
    function: &'a Function,
) -> FunctionEntry<'a> {
    FunctionEntry {
        place: place(summary.frame(function.frame)),
        own: Values { names, values: function.own.clone() },
        total: Values { names, values: function.total.clone() },
        self_share: summary.share(function.own[summary.main]),
        total_share: summary.share(function.total[summary.main]),
    }
}

fn rest<'a>(functions: &[Function], names: &'a [String]) -> Rest<'a> {
    let mut values = vec![0; names.len()];
    functions.iter().for_each(|function| add(&mut values, &function.own));
    Rest { count: functions.len(), own: Values { names, values } }
}

fn packages<'a>(summary: &'a Summary<'a>, names: &'a [String]) -> Vec<Package<'a>> {
    let packages = summary.packages().into_iter();
    packages
        .map(|(name, values)| Package {
            name,
            self_share: summary.share(values[summary.main]),
            own: Values { names, values },
        })
        .collect()
}

fn path_entry<'a>(summary: &'a Summary<'a>, step: &Step) -> PathEntry<'a> {
    PathEntry {
        place: place(summary.frame(step.frame)),
        self_share: summary.share(step.own),
        total_share: summary.share(step.total),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture;
    use super::*;
    use crate::profile::{FrameKind, Profile, ProfileNode};

    fn written(profile: &Profile) -> String {
        let target = fixture::target();
        let mut out = Vec::new();
        Json.write(&Export::new(profile, &target), &mut out).expect("a vector takes every byte");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_file_says_what_the_page_says_in_named_units() {
        let text = written(&fixture::cpu()).replace(env!("CARGO_PKG_VERSION"), "VERSION");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn functions_past_the_bound_are_counted_and_summed() {
        let mut profile = fixture::cpu();
        for at in 0..FUNCTIONS {
            profile.frames.push(Frame::named(&format!("f{at}"), FrameKind::Js));
            profile.nodes.push(ProfileNode { parent: 1, frame: profile.frames.len() as u32 - 1 });
            let lane = &mut profile.lanes[0];
            lane.nodes.push(profile.nodes.len() as u32 - 1);
            lane.columns.iter_mut().for_each(|column| column.push(1));
        }
        let file: serde_json::Value = serde_json::from_str(&written(&profile)).expect("JSON");
        let own = |entry: &serde_json::Value| entry["self"]["cpu_nanoseconds"].as_i64().expect("a number");
        let listed: i64 = file["functions"].as_array().expect("functions").iter().map(own).sum();
        let rest = &file["functions_left_out"];
        assert_eq!((rest["count"].as_u64(), own(rest)), (Some(8), 8));
        assert_eq!(Some(listed + own(rest)), file["kinds"][1]["total"].as_i64());
    }

    #[test]
    fn nothing_is_a_file_too() {
        let empty = Profile { lanes: vec![], ..fixture::cpu() };
        let file: serde_json::Value = serde_json::from_str(&written(&empty)).expect("JSON");
        assert_eq!(file["functions"].as_array().map(Vec::len), Some(0));
    }
}
