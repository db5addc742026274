//! V8's profiles in a trace, which come in pieces: who they are of, then nodes and samples as they are met.

use super::events::Event;
use crate::format::ReadError;
use crate::format::json::{Document, text};
use crate::format::v8::Gathered;
use crate::format::v8::call_frame::CallFrame;
use crate::format::v8::cpu_json::{CpuJson, MOST_NODES, Node, TreeOrder};
use crate::format::windows::MOST_SAMPLES;
use crate::profile::{Thread, clean_name};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

/// Profiles, threads of one trace, each at most.
const MOST_PROFILES: usize = 10_000;

/// All profiles of a trace, and the names of its threads.
#[derive(Default)]
pub(super) struct Chunks<'a> {
    profiles: Vec<Chunked<'a>>,
    /// By process and id, as they stand in the file.
    numbers: FxHashMap<(&'a str, &'a str), usize>,
    names: FxHashMap<(u32, u64), Arc<str>>,
    nodes: usize,
    samples: usize,
}

/// One profile in the making.
struct Chunked<'a> {
    pid: u32,
    tid: u64,
    nodes: Vec<Node<'a>>,
    place: FxHashMap<u32, usize>,
    samples: Vec<u32>,
    deltas: Vec<i64>,
    start: f64,
    end: f64,
}

#[derive(Deserialize)]
struct Args<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Data<'a> {
    start_time: Option<f64>,
    end_time: Option<f64>,
    #[serde(borrow)]
    cpu_profile: Option<Piece<'a>>,
    time_deltas: Vec<f64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Piece<'a> {
    end_time: Option<f64>,
    #[serde(borrow)]
    nodes: Vec<PieceNode<'a>>,
    samples: Vec<u32>,
    /// Older traces have them here.
    time_deltas: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PieceNode<'a> {
    id: u32,
    #[serde(default)]
    parent: Option<u32>,
    #[serde(borrow)]
    call_frame: CallFrame<'a>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    name: Cow<'a, str>,
}

impl<'a> Chunks<'a> {
    /// Takes an event, if it is of a profile or names a thread.
    pub fn take(&mut self, document: &Document<'a>, event: &Event<'a>) -> Result<(), ReadError> {
        let Some(args) = event.args.map(RawValue::get) else { return Ok(()) };
        match (&*event.ph, &*event.name) {
            ("P", "Profile" | "ProfileChunk") => {
                let Args { data } = document.read(args)?;
                self.piece(event, data).map_err(|cause| document.fault(args, cause))
            }
            ("M", "thread_name") if self.names.len() < MOST_PROFILES => {
                let named: Named<'a> = document.read(args)?;
                if !named.name.is_empty() {
                    self.names.insert((number(event.pid) as u32, number(event.tid)), clean_name(&named.name));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn piece(&mut self, event: &Event<'a>, data: Data<'a>) -> Result<(), &'static str> {
        let raw = |value: Option<&'a RawValue>| value.map_or("", |value| value.get());
        let key = (raw(event.pid), raw(event.id));
        let at = match self.numbers.get(&key) {
            Some(at) => *at,
            None if self.profiles.len() >= MOST_PROFILES => {
                return Err("it has more profiles than flametop reads");
            }
            None => {
                self.profiles.push(Chunked::new(event));
                self.numbers.insert(key, self.profiles.len() - 1);
                self.profiles.len() - 1
            }
        };
        let profile = &mut self.profiles[at];
        if &*event.name == "Profile" {
            // The pieces may come from another thread, that of the profiler.
            profile.tid = number(event.tid);
        }
        profile.start = data.start_time.unwrap_or(profile.start);
        let piece = data.cpu_profile.unwrap_or_default();
        profile.end = data.end_time.or(piece.end_time).unwrap_or(profile.end);
        self.nodes += piece.nodes.len();
        self.samples += piece.samples.len();
        if self.nodes > MOST_NODES || self.samples > MOST_SAMPLES {
            return Err("its profiles have more nodes or samples than flametop reads");
        }
        let deltas = if data.time_deltas.is_empty() { piece.time_deltas } else { data.time_deltas };
        profile.add(piece.nodes, piece.samples, &deltas)
    }

    /// Gives the profiles on, each as a thread.
    pub fn finish(self, document: &Document<'_>, gathered: &mut Gathered) -> Result<(), ReadError> {
        let mut found = false;
        for profile in self.profiles.into_iter().filter(|profile| !profile.samples.is_empty()) {
            found = true;
            let name = self.names.get(&(profile.pid, profile.tid)).cloned();
            let name = name.unwrap_or_else(|| format!("thread {}", profile.tid).into());
            let thread = Thread { pid: profile.pid, tid: profile.tid, name };
            let json = profile.finish();
            let added = TreeOrder::of(&json.nodes).and_then(|order| gathered.add(&json, &order, thread));
            added.map_err(|error| document.fault(document.text, error.to_string()))?;
        }
        if !found {
            let cause =
                "it has no CPU profile: record it with the category disabled-by-default-v8.cpu_profiler";
            return Err(document.fault(document.text, cause));
        }
        Ok(())
    }
}

impl<'a> Chunked<'a> {
    fn new(event: &Event<'_>) -> Self {
        Self {
            pid: number(event.pid) as u32,
            tid: number(event.tid),
            nodes: Vec::new(),
            place: FxHashMap::default(),
            samples: Vec::new(),
            deltas: Vec::new(),
            start: 0.0,
            end: 0.0,
        }
    }

    fn add(
        &mut self,
        nodes: Vec<PieceNode<'a>>,
        samples: Vec<u32>,
        deltas: &[f64],
    ) -> Result<(), &'static str> {
        for PieceNode { id, parent, call_frame } in nodes {
            if let Some(parent) = parent {
                let parent =
                    self.place.get(&parent).ok_or("a node is called by one that was not met before")?;
                self.nodes[*parent].children.push(id);
            }
            self.place.insert(id, self.nodes.len());
            let (children, position_ticks) = (Vec::new(), Vec::new());
            self.nodes.push(Node { id, call_frame, children, hit_count: 0, position_ticks });
        }
        if samples.len() != deltas.len() {
            return Err("samples and times differ in number");
        }
        self.samples.extend(samples);
        self.deltas.extend(deltas.iter().map(|delta| *delta as i64));
        Ok(())
    }

    fn finish(self) -> CpuJson<'a> {
        // Without a stated end, the last sample is it. Deltas may be negative.
        let (mut at, mut last) = (self.start, self.start);
        for delta in &self.deltas {
            at += *delta as f64;
            last = at.max(last);
        }
        CpuJson {
            nodes: self.nodes,
            start_time: self.start,
            end_time: self.end.max(last),
            samples: self.samples,
            time_deltas: self.deltas,
        }
    }
}

/// A number, however it is written; 0 for none.
fn number(raw: Option<&RawValue>) -> u64 {
    raw.and_then(|raw| raw.get().trim_matches('"').parse().ok()).unwrap_or(0)
}
