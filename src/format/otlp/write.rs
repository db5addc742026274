//! The writer: a profile a column, all of one resource, on one dictionary.
//!
//! Entry 0 of every table is the zero value. Equal stacks of a thread are merged, samples without a value
//! are dropped; the main kind comes first, since viewers show the first profile.

use super::message::{
    AnyValue, Function, KeyValue, KeyValueAndUnit, Line, Link, Location, Mapping, Profile, ProfilesData,
    ProfilesDictionary, Resource, ResourceProfiles, Sample, Scope, ScopeProfiles, Stack, Value, ValueType,
};
use super::{NOTE_END, key};
use crate::format::export::process_name;
use crate::format::names::{OTHER, written_name};
use crate::format::pprof::stacks::{Row, Rows, Stacks};
use crate::format::{Export, WriteError};
use crate::profile::{Frame, FrameKind, Thread};
use prost::Message;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// Stands for values without a stack.
static NO_STACK: LazyLock<Frame> = LazyLock::new(|| Frame::named(OTHER, FrameKind::Other));

/// The export as a message.
pub(super) fn encode(export: &Export<'_>) -> Result<Vec<u8>, WriteError> {
    export.check(super::SPEC.name)?;
    let main = export.main_kind()?;
    Ok(Writing::new(export).finish(main).encode_to_vec())
}

struct Writing<'a> {
    export: &'a Export<'a>,
    strings: FxHashMap<String, i32>,
    attributes: FxHashMap<(String, Value), i32>,
    /// Locations by frame and line.
    locations: FxHashMap<(usize, u32), i32>,
    /// Functions by frame; 0 where there is none yet.
    functions: Vec<i32>,
    frames: Vec<&'a Frame>,
    dictionary: ProfilesDictionary,
}

impl<'a> Writing<'a> {
    fn new(export: &'a Export<'a>) -> Self {
        // The last one stands for the stack of values that have none.
        let frames: Vec<&Frame> = export.profile.frames.iter().chain([&*NO_STACK]).collect();
        let mut writing = Self {
            export,
            strings: FxHashMap::from_iter([(String::new(), 0)]),
            attributes: FxHashMap::default(),
            locations: FxHashMap::default(),
            functions: vec![0; frames.len()],
            frames,
            dictionary: ProfilesDictionary {
                mapping_table: vec![Mapping::default()],
                location_table: vec![Location::default()],
                function_table: vec![Function::default()],
                link_table: vec![Link::default()],
                string_table: vec![String::new()],
                attribute_table: vec![KeyValueAndUnit::default()],
                stack_table: vec![Stack::default()],
            },
        };
        let filename_strindex = writing.string(&export.target.executable);
        writing.dictionary.mapping_table.push(Mapping { filename_strindex });
        writing
    }

    fn finish(mut self, main: usize) -> ProfilesData {
        let mut profiles = self.profiles();
        profiles[..=main].rotate_right(1);
        let scope = Scope { name: "flametop".into(), version: env!("CARGO_PKG_VERSION").into() };
        let scope_profiles = vec![ScopeProfiles { scope: Some(scope), profiles }];
        let resource = Some(resource(self.export));
        ProfilesData {
            resource_profiles: vec![ResourceProfiles { resource, scope_profiles }],
            dictionary: Some(self.dictionary),
        }
    }

    fn profiles(&mut self) -> Vec<Profile> {
        let profile = self.export.profile;
        let sampling = &profile.sampling;
        let name = if sampling.period_name.is_empty() { "cpu" } else { &*sampling.period_name };
        let period_type = self.value_type(name, sampling.period_unit().as_str());
        let attribute_indices = self.remarks();
        let mut profiles = Vec::new();
        for kind in &profile.kinds {
            profiles.push(Profile {
                sample_type: Some(self.value_type(&kind.name, kind.unit.as_str())),
                samples: Vec::new(),
                time_unix_nano: u64::try_from(profile.span.start.0).unwrap_or(0),
                duration_nano: profile.span.length.0,
                period_type: Some(period_type),
                period: signed(sampling.period),
                attribute_indices: attribute_indices.clone(),
            });
        }
        self.samples(&mut profiles);
        profiles
    }

    fn samples(&mut self, profiles: &mut [Profile]) {
        let stacks = Stacks::new(self.export.profile);
        let rows = Rows::gather(self.export, &stacks);
        let threads: Vec<Vec<i32>> = rows.threads.iter().map(|thread| self.thread(thread)).collect();
        let mut known: FxHashMap<(u32, u32), i32> = FxHashMap::default();
        rows.each(|row, values| {
            if values.iter().all(|value| *value == 0) {
                return;
            }
            let stack_index = *known.entry((row.stack, row.line)).or_insert_with(|| self.stack(&stacks, row));
            for (profile, value) in profiles.iter_mut().zip(values).filter(|(_, value)| **value != 0) {
                profile.samples.push(Sample {
                    stack_index,
                    attribute_indices: threads[row.thread as usize].clone(),
                    values: vec![*value],
                    timestamps_unix_nano: Vec::new(),
                });
            }
        });
    }

    /// Adds a stack to its table, leaf first.
    fn stack(&mut self, stacks: &Stacks, row: Row) -> i32 {
        let mut location_indices = Vec::new();
        let (mut at, mut line) = (row.stack, row.line);
        if at == 0 {
            location_indices.push(self.location(self.frames.len() - 1, 0));
        }
        while at != 0 {
            location_indices.push(self.location(stacks.frame(at), line));
            (at, line) = (stacks.parent(at), 0);
        }
        self.dictionary.stack_table.push(Stack { location_indices });
        self.dictionary.stack_table.len() as i32 - 1
    }

    /// The location of a line in a frame, or of its definition if the line is not known.
    fn location(&mut self, at: usize, line: u32) -> i32 {
        if let Some(known) = self.locations.get(&(at, line)) {
            return *known;
        }
        let frame = self.frames[at];
        let function_index = self.function(at);
        let (line_number, column) = if line == 0 { (frame.line, frame.column) } else { (line, 0) };
        let made = Location {
            mapping_index: 1,
            lines: vec![Line { function_index, line: line_number.into(), column: column.into() }],
            attribute_indices: self.frame_attributes(frame, line),
        };
        self.dictionary.location_table.push(made);
        let index = self.dictionary.location_table.len() as i32 - 1;
        self.locations.insert((at, line), index);
        index
    }

    fn function(&mut self, at: usize) -> i32 {
        if self.functions[at] == 0 {
            let frame = self.frames[at];
            let function = Function {
                name_strindex: self.string(&written_name(frame)),
                filename_strindex: self.string(&frame.file),
                start_line: frame.line.into(),
            };
            self.dictionary.function_table.push(function);
            self.functions[at] = self.dictionary.function_table.len() as i32 - 1;
        }
        self.functions[at]
    }

    fn frame_attributes(&mut self, frame: &Frame, line: u32) -> Vec<i32> {
        let word = match frame.kind {
            FrameKind::Js | FrameKind::Builtin => Some("v8js"),
            FrameKind::Native => Some("native"),
            FrameKind::Kernel => Some("kernel"),
            _ => None,
        };
        let kind = word.map(|word| self.attribute(key::FRAME_TYPE, Value::Text(word.into())));
        let column =
            (line != 0).then(|| self.attribute(key::START_COLUMN, Value::Number(frame.column.into())));
        kind.into_iter().chain(column).collect()
    }

    fn thread(&mut self, thread: &Thread) -> Vec<i32> {
        let mut attributes = Vec::new();
        if thread.pid != 0 {
            attributes.push(self.attribute(key::PID, Value::Number(thread.pid.into())));
        }
        if thread.tid != 0 {
            attributes.push(self.attribute(key::THREAD_ID, Value::Number(signed(thread.tid))));
        }
        if !thread.name.is_empty() {
            attributes.push(self.attribute(key::THREAD_NAME, Value::Text(thread.name.to_string())));
        }
        attributes
    }

    /// What the format has no field for.
    fn remarks(&mut self) -> Vec<i32> {
        let profile = self.export.profile;
        let sampling = &profile.sampling;
        let numbers = [
            (key::COVERED, profile.covered.0),
            (key::TAKEN, sampling.taken),
            (key::LOST, sampling.lost),
            (key::TRUNCATED, sampling.truncated),
        ];
        let mut indices: Vec<i32> =
            numbers.iter().map(|(key, value)| self.attribute(key, Value::Number(signed(*value)))).collect();
        let notes: Vec<&str> = profile.notes.iter().chain(self.export.notes).map(|note| &**note).collect();
        if !notes.is_empty() {
            let joined = notes.join(&NOTE_END.to_string());
            indices.push(self.attribute(key::NOTES, Value::Text(joined)));
        }
        indices
    }

    fn attribute(&mut self, key: &str, value: Value) -> i32 {
        let known = (key.to_owned(), value);
        if let Some(index) = self.attributes.get(&known) {
            return *index;
        }
        let value = Some(AnyValue { value: Some(known.1.clone()) });
        let key_strindex = self.string(key);
        self.dictionary.attribute_table.push(KeyValueAndUnit { key_strindex, value, unit_strindex: 0 });
        let index = self.dictionary.attribute_table.len() as i32 - 1;
        self.attributes.insert(known, index);
        index
    }

    fn value_type(&mut self, name: &str, unit: &str) -> ValueType {
        ValueType { type_strindex: self.string(name), unit_strindex: self.string(unit) }
    }

    fn string(&mut self, text: &str) -> i32 {
        if let Some(known) = self.strings.get(text) {
            return *known;
        }
        let index = self.dictionary.string_table.len() as i32;
        self.dictionary.string_table.push(text.into());
        self.strings.insert(text.into(), index);
        index
    }
}

fn resource(export: &Export<'_>) -> Resource {
    let target = export.target;
    let texts = [
        (key::SERVICE, process_name(target)),
        (key::EXECUTABLE, &target.executable),
        (key::HOST, export.host),
    ];
    let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
    let texts = texts.map(|(key, text)| (key, Value::Text(text.into())));
    let pid = target.pid.map(|pid| (key::PID, Value::Number(pid.into())));
    let attributes = texts
        .chain(pid)
        .map(|(key, value)| KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }) });
    Resource { attributes: attributes.collect() }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
