//! What a number in a profile means: its unit, and how it adds up over time.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The unit of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// A plain count.
    Count,
}

impl Unit {
    /// The word that pprof uses for the unit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nanoseconds => "nanoseconds",
            Self::Bytes => "bytes",
            Self::Count => "count",
        }
    }

    /// The unit of a pprof word and what one such unit is in it (`milliseconds` is 1e6 ns).
    pub fn parse(word: &str) -> Option<(Self, i64)> {
        Some(match word {
            "nanoseconds" | "nanosecond" | "ns" => (Self::Nanoseconds, 1),
            "microseconds" | "us" => (Self::Nanoseconds, 1_000),
            "milliseconds" | "ms" => (Self::Nanoseconds, 1_000_000),
            "seconds" | "s" => (Self::Nanoseconds, 1_000_000_000),
            "bytes" | "byte" | "B" => (Self::Bytes, 1),
            "kilobytes" | "kB" => (Self::Bytes, 1024),
            "megabytes" | "MB" => (Self::Bytes, 1024 * 1024),
            "count" | "" => (Self::Count, 1),
            _ => return None,
        })
    }
}

/// How a value behaves when windows are put together in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Accumulation {
    /// True of a span; adds up over time (CPU time, allocated bytes).
    Delta,
    /// True of a moment; the last one present holds (bytes in use).
    Level,
}

/// One kind of value, named as pprof names sample types.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ValueKind {
    /// The sample type's name: `cpu`, `samples`, `inuse_space`, `alloc_space` ...
    pub name: Arc<str>,
    /// Its unit.
    pub unit: Unit,
    /// How it adds up over time.
    pub accumulation: Accumulation,
}

impl ValueKind {
    /// A kind by its parts.
    pub fn new(name: &str, unit: Unit, accumulation: Accumulation) -> Self {
        Self { name: name.into(), unit, accumulation }
    }

    /// Number of samples of a CPU profile.
    pub fn samples() -> Self {
        Self::new("samples", Unit::Count, Accumulation::Delta)
    }

    /// CPU time.
    pub fn cpu() -> Self {
        Self::new("cpu", Unit::Nanoseconds, Accumulation::Delta)
    }

    /// Bytes in use on the heap.
    pub fn inuse_space() -> Self {
        Self::new("inuse_space", Unit::Bytes, Accumulation::Level)
    }

    /// Bytes allocated.
    pub fn alloc_space() -> Self {
        Self::new("alloc_space", Unit::Bytes, Accumulation::Delta)
    }

    /// The kind that a sample type's name and unit usually mean: `inuse_*`, `objects`, `space` and
    /// `goroutine` are levels, everything else is a delta.
    pub fn from_sample_type(name: &str, unit: Unit) -> Self {
        let level =
            name.starts_with("inuse") || matches!(name, "objects" | "space" | "goroutine" | "threadcreate");
        Self::new(name, unit, if level { Accumulation::Level } else { Accumulation::Delta })
    }

    /// What the kind is called on screen.
    pub fn title(&self) -> &str {
        match &*self.name {
            "cpu" => "CPU",
            "samples" => "samples",
            "inuse_space" => "live heap",
            "alloc_space" => "allocated",
            "inuse_objects" => "live objects",
            "alloc_objects" => "allocated objects",
            other => other,
        }
    }
}
