//! [`Profile`]: a self-contained window of one source, `Send`, with everything needed to read it.

use super::frame::Frame;
use super::time::{Nanos, Span};
use super::value::{Unit, ValueKind};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One node of a profile's own call tree. Law: `parent` is less than the node's own index; node 0 is
/// the root, whose frame is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileNode {
    /// Index of the caller.
    pub parent: u32,
    /// Index into [`Profile::frames`].
    pub frame: u32,
}

/// The thread that a lane belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Thread {
    /// The process.
    pub pid: u32,
    /// The thread; the process id for the main thread, 0 when the profile does not tell threads apart.
    pub tid: u64,
    /// The thread's name as shown: `main`, `worker 3`.
    pub name: Arc<str>,
}

/// How the profile was taken, and what is missing from it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// What `period` counts: pprof's period type name (`cpu`, `space`).
    pub period_name: Arc<str>,
    /// The interval asked for: nanoseconds between samples, or bytes between sampled allocations.
    pub period: u64,
    /// Whether `period` is bytes or nanoseconds.
    pub period_bytes: bool,
    /// Mean nanoseconds between the samples really taken; 0 when unknown or not a timed profile.
    pub achieved: u64,
    /// Samples taken.
    pub taken: u64,
    /// Samples known to be lost.
    pub lost: u64,
    /// Samples whose stack the runtime cut.
    pub truncated: u64,
    /// What the hand-over cost: from asking for the window to having it.
    pub handover: Nanos,
    /// Bytes of the hand-over.
    pub handover_bytes: u64,
}

impl Sampling {
    /// The unit of the period.
    pub fn period_unit(&self) -> Unit {
        if self.period_bytes { Unit::Bytes } else { Unit::Nanoseconds }
    }
}

/// A stretch of time in which consecutive samples had the same stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The node of the stack: an index into [`Profile::nodes`].
    pub node: u32,
    /// Nanoseconds from the start of the profile's span.
    pub offset: u64,
    /// How long.
    pub length: u64,
}

/// Values of one thread, as columns over a sorted list of nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileLane {
    /// Whose values these are.
    pub thread: Thread,
    /// Nodes that have a value of their own, ascending.
    pub nodes: Vec<u32>,
    /// One column per [`Profile::kinds`], each as long as `nodes`: self values.
    pub columns: Vec<Vec<i64>>,
    /// Samples by line within a node's function: (node, line from 1, samples), sorted. A hint: it may
    /// not add up to the node's samples.
    pub lines: Vec<(u32, u32, u32)>,
    /// Samples in time, run-length encoded, in order; empty when times are not known.
    pub runs: Vec<Run>,
    /// Runs that did not fit the bound.
    pub runs_dropped: u64,
}

/// A window of one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// What the columns mean.
    pub kinds: Vec<ValueKind>,
    /// The stretch of time the window speaks for.
    pub span: Span,
    /// How much of it was really observed; less than the span's length is a gap.
    pub covered: Nanos,
    /// How it was taken.
    pub sampling: Sampling,
    /// The frames of this profile.
    pub frames: Vec<Frame>,
    /// The call tree of this profile.
    pub nodes: Vec<ProfileNode>,
    /// A lane a thread.
    pub lanes: Vec<ProfileLane>,
    /// Plain sentences about what is missing or special, kept in exports.
    pub notes: Vec<Arc<str>>,
}

impl Profile {
    /// Sum of a column over every lane and node.
    pub fn total(&self, kind: usize) -> i64 {
        self.lanes.iter().flat_map(|lane| &lane.columns[kind]).fold(0i64, |sum, v| sum.saturating_add(*v))
    }

    /// The place of a kind by its name.
    pub fn kind(&self, name: &str) -> Option<usize> {
        self.kinds.iter().position(|kind| &*kind.name == name)
    }

    /// Whether the columns, nodes and frames fit together as the laws above say.
    pub fn is_sound(&self) -> bool {
        let nodes = self.nodes.len();
        let tree = self.nodes.iter().enumerate().all(|(i, node)| {
            i == 0 || ((node.parent as usize) < i && (node.frame as usize) < self.frames.len())
        });
        let lanes = self.lanes.iter().all(|lane| {
            lane.columns.len() == self.kinds.len()
                && lane.columns.iter().all(|column| column.len() == lane.nodes.len())
                && lane.nodes.windows(2).all(|pair| pair[0] < pair[1])
                && lane.nodes.last().is_none_or(|last| (*last as usize) < nodes)
                && lane.runs.iter().all(|run| (run.node as usize) < nodes)
                && lane.lines.iter().all(|line| (line.0 as usize) < nodes)
        });
        nodes > 0 && tree && lanes
    }
}
