//! The canonical pprof writer: one form that `go tool pprof`, Pyroscope, Parca and speedscope accept.
//!
//! The form is an agreement of them all: fields 1 to 14 only, ids from 1 in table order, one mapping
//! whose functions are known, leaf first, no negative and no all-zero sample, equal stacks of a thread
//! merged, the main kind last and named as default, one gzip member without a time in its header.
//! <https://github.com/google/pprof/blob/main/proto/profile.proto>

use super::message::{self, Label, Mapping, Sample, ValueType};
use super::remarks;
use super::stacks::{Row, Rows, Stacks};
use super::tables::{Places, Strings};
use crate::format::export::process_name;
use crate::format::names::OTHER;
use crate::format::{Export, Purpose, WriteError};
use crate::profile::{Frame, FrameKind, Thread, ValueKind};
use flate2::{Compression, GzBuilder};
use prost::Message;
use std::io::Write;
use std::sync::LazyLock;

/// The best level before the cost doubles for a tenth of the size.
const LEVEL: u32 = 4;

/// Stands for the stack of values that have none: viewers lose a sample without locations.
static NO_STACK: LazyLock<Frame> = LazyLock::new(|| Frame::named(OTHER, FrameKind::Other));

/// Writes the export as one gzip member.
pub(super) fn write(export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
    let encoded = encode(export)?;
    let mut gzip = GzBuilder::new().mtime(0).write(out, Compression::new(LEVEL));
    gzip.write_all(&encoded)?;
    gzip.finish()?;
    Ok(())
}

/// The export as a protobuf message, not compressed.
pub(super) fn encode(export: &Export<'_>) -> Result<Vec<u8>, WriteError> {
    export.check("pprof")?;
    let main = match (export.profile.kinds.is_empty(), export.kind) {
        (true, None) => None,
        _ => Some(export.main_kind()?),
    };
    Ok(Writing::new(export, main).finish().encode_to_vec())
}

struct Writing<'a> {
    export: &'a Export<'a>,
    /// The columns of the profile in the order of the file.
    order: Vec<usize>,
    main: Option<usize>,
    strings: Strings,
    places: Places<'a>,
}

impl<'a> Writing<'a> {
    fn new(export: &'a Export<'a>, main: Option<usize>) -> Self {
        let mut order: Vec<usize> = (0..export.profile.kinds.len()).collect();
        if export.purpose == Purpose::Exchange {
            // Viewers without a notion of a default take the last.
            order.sort_by_key(|column| Some(*column) == main);
        }
        Self { export, order, main, strings: Strings::new(), places: Places::new() }
    }

    fn finish(mut self) -> message::Profile {
        let profile = self.export.profile;
        let sample_type = self.order.clone().into_iter().map(|at| self.kind(&profile.kinds[at])).collect();
        let sample = self.samples();
        let mapping = vec![self.mapping()];
        let comment = self.comments();
        let period_type = Some(self.period_type());
        let default_sample_type = self.main.map_or(0, |main| self.strings.id(&profile.kinds[main].name));
        message::Profile {
            sample_type,
            sample,
            mapping,
            location: self.places.locations,
            function: self.places.functions,
            string_table: self.strings.into_table(),
            time_nanos: profile.span.start.0,
            duration_nanos: signed(profile.span.length.0),
            period_type,
            // Pyroscope fails on a profile without a period.
            period: signed(profile.sampling.period.max(1)),
            comment,
            default_sample_type,
        }
    }

    fn kind(&mut self, kind: &ValueKind) -> ValueType {
        ValueType { r#type: self.strings.id(&kind.name), unit: self.strings.id(kind.unit.as_str()) }
    }

    fn samples(&mut self) -> Vec<Sample> {
        let stacks = Stacks::new(self.export.profile);
        let rows = Rows::gather(self.export, &stacks);
        let labels: Vec<Vec<Label>> = rows.threads.iter().map(|thread| self.labels(thread)).collect();
        let mut samples = Vec::with_capacity(rows.len());
        rows.each(|row, values| {
            if values.iter().any(|value| *value != 0) {
                samples.push(Sample {
                    location_id: self.stack(&stacks, row),
                    value: self.order.iter().map(|column| values[*column]).collect(),
                    label: labels[row.thread as usize].clone(),
                });
            }
        });
        samples
    }

    fn stack(&mut self, stacks: &Stacks, row: Row) -> Vec<u64> {
        if row.stack == 0 {
            return vec![self.places.caller(&mut self.strings, &NO_STACK)];
        }
        let frames = &self.export.profile.frames;
        let leaf = &frames[stacks.frame(row.stack)];
        let mut ids = vec![self.places.leaf(&mut self.strings, leaf, row.line)];
        let mut at = stacks.parent(row.stack);
        while at != 0 {
            ids.push(self.places.caller(&mut self.strings, &frames[stacks.frame(at)]));
            at = stacks.parent(at);
        }
        ids
    }

    /// Who a thread is. Ids are text, as other writers of pprof have them: a number would need a unit.
    fn labels(&mut self, thread: &Thread) -> Vec<Label> {
        let number = |n: u64| if n == 0 { String::new() } else { n.to_string() };
        let pairs = [
            (super::PROCESS, number(thread.pid.into())),
            (super::THREAD_ID, number(thread.tid)),
            (super::THREAD_NAME, thread.name.to_string()),
        ];
        let stated = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        stated
            .map(|(key, value)| Label {
                key: self.strings.id(key),
                str: self.strings.id(&value),
                num: 0,
                num_unit: 0,
            })
            .collect()
    }

    /// The one mapping, "the main binary". Its flags keep viewers from looking for symbols in it.
    fn mapping(&mut self) -> Mapping {
        let filename = self.strings.id(mapping_name(self.export));
        Mapping { id: 1, filename, has_functions: true, has_filenames: true, has_line_numbers: true }
    }

    fn period_type(&mut self) -> ValueType {
        let sampling = &self.export.profile.sampling;
        let name = if sampling.period_name.is_empty() { "cpu" } else { &*sampling.period_name };
        ValueType { r#type: self.strings.id(name), unit: self.strings.id(sampling.period_unit().as_str()) }
    }

    fn comments(&mut self) -> Vec<i64> {
        let profile = self.export.profile;
        let kinds: Vec<&ValueKind> = self.order.iter().map(|at| &profile.kinds[*at]).collect();
        let mut comments = remarks::sentences(self.export);
        comments.push(remarks::facts(profile, &kinds));
        let names = self.places.functions.iter().map(|function| self.strings.get(function.name));
        let digest = remarks::digest(names);
        comments.extend(remarks::exceptions(&self.places.exceptions(mapping_name(self.export)), digest));
        comments.iter().map(|comment| self.strings.id(comment)).collect()
    }
}

fn mapping_name<'a>(export: &Export<'a>) -> &'a str {
    let target = export.target;
    if target.executable.is_empty() { process_name(target) } else { &target.executable }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
