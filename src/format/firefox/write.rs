//! Writes every thread with its samples in time, in version 55 of the format.

use super::CATEGORIES;
use super::read::KIND;
use crate::format::export::process_name;
use crate::format::pprof::sentences;
use crate::format::sequence::{Sequence, time_column};
use crate::format::{Export, WriteError};
use crate::profile::{Frame, FrameKind, Profile, ProfileLane, Unit};
use flate2::{Compression, GzBuilder};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{BufWriter, Write};

/// What every front end since early 2025 opens; later ones upgrade it.
const VERSION: u32 = 55;
/// Samples of one thread at most; beyond, one stands for several.
const MOST_SAMPLES: u64 = 1 << 20;
/// Milliseconds between samples where none are known.
const INTERVAL_MS: f64 = 1.0;

#[derive(Serialize)]
struct File<'a> {
    meta: Value,
    libs: [(); 0],
    pages: [(); 0],
    counters: [(); 0],
    threads: Vec<ThreadOut<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ThreadOut<'a> {
    name: &'a str,
    is_main_thread: bool,
    process_type: &'static str,
    process_name: &'a str,
    process_startup_time: f64,
    process_shutdown_time: Option<f64>,
    register_time: f64,
    unregister_time: Option<f64>,
    paused_ranges: [(); 0],
    pid: String,
    tid: u64,
    samples: SamplesOut,
    markers: MarkersOut,
    stack_table: StackTableOut,
    frame_table: FrameTableOut,
    func_table: FuncTableOut,
    resource_table: Value,
    native_symbols: Value,
    string_array: Strings<'a>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct SamplesOut {
    length: usize,
    stack: Vec<Option<u32>>,
    time: Vec<f64>,
    weight: Vec<f64>,
    weight_type: &'static str,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct MarkersOut {
    length: usize,
    category: Vec<usize>,
    data: Vec<Option<()>>,
    end_time: Vec<f64>,
    name: Vec<u32>,
    /// 1: from start to end.
    phase: Vec<u8>,
    start_time: Vec<f64>,
}

#[derive(Serialize)]
struct StackTableOut {
    length: usize,
    frame: Vec<u32>,
    prefix: Vec<Option<u32>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FrameTableOut {
    length: usize,
    address: Vec<i8>,
    inline_depth: Vec<u8>,
    category: Vec<usize>,
    subcategory: Vec<u8>,
    func: Vec<u32>,
    native_symbol: Vec<Option<u32>>,
    #[serde(rename = "innerWindowID")]
    inner_window_id: Vec<u8>,
    line: Vec<Option<u32>>,
    column: Vec<Option<u32>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FuncTableOut {
    length: usize,
    name: Vec<u32>,
    #[serde(rename = "isJS")]
    is_js: Vec<bool>,
    #[serde(rename = "relevantForJS")]
    relevant_for_js: Vec<bool>,
    resource: Vec<i8>,
    file_name: Vec<Option<u32>>,
    line_number: Vec<Option<u32>>,
    column_number: Vec<Option<u32>>,
}

/// The strings of a thread, each once.
#[derive(Default, Serialize)]
#[serde(transparent)]
struct Strings<'a> {
    list: Vec<&'a str>,
    #[serde(skip)]
    numbers: rustc_hash::FxHashMap<&'a str, u32>,
}

impl<'a> Strings<'a> {
    fn number(&mut self, text: &'a str) -> u32 {
        let list = &mut self.list;
        *self.numbers.entry(text).or_insert_with(|| {
            list.push(text);
            list.len() as u32 - 1
        })
    }
}

/// Writes the export as one gzip member.
pub(super) fn write(export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
    export.check(super::SPEC.name)?;
    let profile = export.profile;
    // A kind that was asked for, else time, else whatever there is.
    let column = match export.kind {
        Some(_) => export.main_kind()?,
        None => time_column(export).map_or_else(|| export.main_kind(), Ok)?,
    };
    let mut in_time = true;
    let mut threads = Vec::new();
    for lane in &profile.lanes {
        let sequence = Sequence::of(profile, lane, column);
        in_time &= sequence.in_time;
        threads.push(thread(export, lane, &sequence, profile.kinds[column].unit));
    }
    let meta = meta(export, column, in_time);
    let file = File { meta, libs: [], pages: [], counters: [], threads };
    let mut gzip = GzBuilder::new().mtime(0).write(out, Compression::new(4));
    let mut buffer = BufWriter::new(&mut gzip);
    serde_json::to_writer(&mut buffer, &file).map_err(std::io::Error::from)?;
    buffer.flush()?;
    drop(buffer);
    gzip.finish()?;
    Ok(())
}

fn meta(export: &Export<'_>, column: usize, in_time: bool) -> Value {
    let profile = export.profile;
    let mut notes = sentences(export);
    if profile.kinds[column].unit == Unit::Nanoseconds && !in_time {
        notes.push("note: stacks follow each other in no order of time: their times are not known".into());
    }
    let entry = |label: &str, value: &str| json!({"label": label, "format": "string", "value": value});
    let mut entries: Vec<Value> = notes.iter().map(|note| entry("remark", note)).collect();
    entries.push(entry(KIND, &profile.kinds[column].name));
    let categories: Vec<Value> = CATEGORIES
        .iter()
        .map(|(name, color, _)| json!({"name": name, "color": color, "subcategories": ["Other"]}))
        .collect();
    json!({
        "interval": interval(profile),
        "startTime": profile.span.start.0 as f64 / 1e6,
        "profilingStartTime": 0.0,
        "profilingEndTime": profile.span.length.0 as f64 / 1e6,
        "processType": 0,
        "product": process_name(export.target),
        "importedFrom": format!("flametop {}", env!("CARGO_PKG_VERSION")),
        "stackwalk": 0,
        "debug": false,
        "toolkit": "",
        "platform": &*export.target.kind,
        "version": 31,
        "preprocessedProfileVersion": VERSION,
        "symbolicated": true,
        "symbolicationNotSupported": true,
        "usesOnlyOneStackType": true,
        "sourceCodeIsNotOnSearchfox": true,
        "categories": categories,
        "markerSchema": [],
        "extra": [{"label": "flametop", "entries": entries}],
    })
}

/// Milliseconds between samples: those really taken, if known.
fn interval(profile: &Profile) -> f64 {
    let sampling = &profile.sampling;
    let nanos = if sampling.achieved > 0 { sampling.achieved } else { sampling.period };
    if nanos == 0 || sampling.period_bytes { INTERVAL_MS } else { nanos as f64 / 1e6 }
}

fn thread<'a>(export: &Export<'a>, lane: &'a ProfileLane, sequence: &Sequence, unit: Unit) -> ThreadOut<'a> {
    let profile = export.profile;
    let mut strings = Strings::default();
    let func_table = functions(&profile.frames, &mut strings);
    let markers = markers(profile, sequence, strings.number("GC"));
    let thread = &lane.thread;
    ThreadOut {
        name: &thread.name,
        is_main_thread: thread.tid == u64::from(thread.pid) || &*thread.name == "main",
        process_type: "default",
        process_name: process_name(export.target),
        process_startup_time: 0.0,
        process_shutdown_time: None,
        register_time: 0.0,
        unregister_time: None,
        paused_ranges: [],
        pid: thread.pid.to_string(),
        tid: thread.tid,
        samples: samples(sequence, unit),
        markers,
        stack_table: stacks(profile),
        frame_table: frames(&profile.frames),
        func_table,
        resource_table: json!({"length": 0, "type": [], "name": [], "host": [], "lib": []}),
        native_symbols: json!({"length": 0, "address": [], "functionSize": [], "libIndex": [], "name": []}),
        string_array: strings,
    }
}

/// Samples of time weigh how long they lasted, others what they count.
fn samples(sequence: &Sequence, unit: Unit) -> SamplesOut {
    let weight_type = match unit {
        Unit::Nanoseconds => "tracing-ms",
        Unit::Bytes => "bytes",
        Unit::Count => "samples",
    };
    let mut out = SamplesOut { weight_type, ..SamplesOut::default() };
    if unit == Unit::Nanoseconds {
        for sample in sequence.samples(MOST_SAMPLES) {
            out.stack.push(sample.node.and_then(|node| node.checked_sub(1)));
            out.time.push(sample.at as f64 / 1e6);
            out.weight.push(sample.length as f64 / 1e6);
        }
    } else {
        for (at, piece) in sequence.pieces.iter().enumerate().filter(|(_, piece)| piece.length > 0) {
            out.stack.push(piece.node.and_then(|node| node.checked_sub(1)));
            out.time.push(at as f64 * INTERVAL_MS);
            out.weight.push(piece.length as f64);
        }
    }
    out.length = out.stack.len();
    out
}

/// A marker for each stretch of garbage collection, where times are known.
fn markers(profile: &Profile, sequence: &Sequence, name: u32) -> MarkersOut {
    let mut out = MarkersOut::default();
    let mut at = 0_u64;
    let is_gc = |node: u32| {
        let frame = profile.nodes[node as usize].frame as usize;
        node != 0 && profile.frames[frame].kind == FrameKind::Gc
    };
    for piece in &sequence.pieces {
        let end = at.saturating_add(piece.length);
        if sequence.in_time && piece.length > 0 && piece.node.is_some_and(is_gc) {
            out.category.push(category(FrameKind::Gc));
            out.data.push(None);
            out.start_time.push(at as f64 / 1e6);
            out.end_time.push(end as f64 / 1e6);
            out.name.push(name);
            out.phase.push(1);
        }
        at = end;
    }
    out.length = out.name.len();
    out
}

fn category(kind: FrameKind) -> usize {
    CATEGORIES.iter().position(|(_, _, kinds)| kinds.contains(&kind)).unwrap_or(0)
}

/// Every node but the root, whose row is one less than its place.
fn stacks(profile: &Profile) -> StackTableOut {
    let nodes = &profile.nodes[1..];
    StackTableOut {
        length: nodes.len(),
        frame: nodes.iter().map(|node| node.frame).collect(),
        prefix: nodes.iter().map(|node| node.parent.checked_sub(1)).collect(),
    }
}

fn frames(frames: &[Frame]) -> FrameTableOut {
    let length = frames.len();
    FrameTableOut {
        length,
        address: vec![-1; length],
        inline_depth: vec![0; length],
        category: frames.iter().map(|frame| category(frame.kind)).collect(),
        subcategory: vec![0; length],
        func: (0..length as u32).collect(),
        native_symbol: vec![None; length],
        inner_window_id: vec![0; length],
        line: vec![None; length],
        column: vec![None; length],
    }
}

fn functions<'a>(frames: &'a [Frame], strings: &mut Strings<'a>) -> FuncTableOut {
    let length = frames.len();
    let is_js: Vec<bool> =
        frames.iter().map(|frame| matches!(frame.kind, FrameKind::Js | FrameKind::Builtin)).collect();
    FuncTableOut {
        length,
        name: frames.iter().map(|frame| strings.number(&frame.name)).collect(),
        relevant_for_js: vec![false; length],
        is_js,
        resource: vec![-1; length],
        file_name: frames
            .iter()
            .map(|frame| (!frame.file.is_empty()).then(|| strings.number(&frame.file)))
            .collect(),
        line_number: frames.iter().map(|frame| Some(frame.line).filter(|line| *line > 0)).collect(),
        column_number: frames.iter().map(|frame| Some(frame.column).filter(|column| *column > 0)).collect(),
    }
}
