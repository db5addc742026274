//! The tables of a file, each a list a column, in the versions that are read.

use crate::format::json::at_most;
use crate::format::windows::MOST_SAMPLES;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Rows of a table, strings of a file, at most.
pub(super) const MOST_ROWS: usize = MOST_SAMPLES;
/// Threads and categories of a file, at most.
pub(super) const MOST_THREADS: usize = 10_000;

#[derive(Deserialize)]
pub(super) struct File<'a> {
    #[serde(borrow)]
    pub meta: Meta<'a>,
    #[serde(borrow, deserialize_with = "at_most::<MOST_THREADS, _, _>")]
    pub threads: Vec<&'a RawValue>,
    /// From version 56 on, more and more of what threads had for themselves.
    #[serde(borrow, default)]
    pub shared: Option<Tables<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta<'a> {
    #[serde(default)]
    pub preprocessed_profile_version: Option<u32>,
    /// Milliseconds between samples.
    #[serde(default)]
    pub interval: f64,
    /// Milliseconds since 1970, from which times count.
    #[serde(default)]
    pub start_time: f64,
    #[serde(borrow, default, deserialize_with = "at_most::<MOST_THREADS, _, _>")]
    pub categories: Vec<Category<'a>>,
    #[serde(borrow, default, deserialize_with = "at_most::<MOST_THREADS, _, _>")]
    pub extra: Vec<Extra<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Category<'a> {
    #[serde(borrow)]
    pub name: Cow<'a, str>,
}

/// A group of remarks.
#[derive(Deserialize)]
pub(super) struct Extra<'a> {
    #[serde(borrow, default)]
    pub label: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "at_most::<MOST_THREADS, _, _>")]
    pub entries: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Entry<'a> {
    #[serde(borrow)]
    pub label: Cow<'a, str>,
    #[serde(borrow)]
    pub value: Cow<'a, str>,
}

/// The tables of a thread, or those that all share.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Tables<'a> {
    #[serde(borrow)]
    pub string_array: Option<&'a RawValue>,
    #[serde(borrow)]
    pub stack_table: Option<&'a RawValue>,
    #[serde(borrow)]
    pub frame_table: Option<&'a RawValue>,
    #[serde(borrow)]
    pub func_table: Option<&'a RawValue>,
    #[serde(borrow)]
    pub sources: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Thread<'a> {
    #[serde(borrow, default)]
    pub name: Cow<'a, str>,
    /// Numbers and text.
    #[serde(borrow, default)]
    pub pid: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub tid: Option<&'a RawValue>,
    pub samples: Samples,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Samples {
    #[serde(deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub stack: Vec<Option<u32>>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub time: Vec<f64>,
    #[serde(default, deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub time_deltas: Vec<f64>,
    #[serde(default)]
    pub weight: Option<Weights>,
    #[serde(default)]
    pub weight_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Weights(#[serde(deserialize_with = "at_most::<MOST_ROWS, _, _>")] pub Vec<Option<f64>>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StackTable {
    #[serde(deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub frame: Vec<u32>,
    /// The caller's stack.
    #[serde(default, deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub prefix: Vec<Option<u32>>,
    /// From version 66 on: how many rows before it stands; 0 for none.
    #[serde(default, deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub prefix_offset: Vec<u32>,
}

#[derive(Deserialize)]
pub(super) struct FrameTable {
    #[serde(deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub func: Vec<u32>,
    #[serde(default, deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub line: Vec<Option<u32>>,
    #[serde(default, deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub category: Vec<Option<u32>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FuncTable {
    #[serde(deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub name: Vec<u32>,
    /// Up to version 57: a string.
    #[serde(default, deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub file_name: Vec<Option<u32>>,
    /// From then on: a row of the sources.
    #[serde(default, deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub source: Vec<Option<u32>>,
    #[serde(default, deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub line_number: Vec<Option<u32>>,
    #[serde(default, deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub column_number: Vec<Option<u32>>,
}

#[derive(Deserialize)]
pub(super) struct Sources {
    #[serde(deserialize_with = "at_most::<MOST_ROWS, _, _>")]
    pub filename: Vec<u32>,
}
