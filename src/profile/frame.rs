//! Frames: one function at one place, and the table that numbers them.

use super::ids::FrameId;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What kind of code a frame is. Idle, garbage collection and the like are kinds, not functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FrameKind {
    /// JavaScript of the application or its packages.
    Js,
    /// JavaScript inside the runtime (`node:...`) or a built-in of the engine.
    Builtin,
    /// Compiled code: C, C++, Rust, Go.
    Native,
    /// Kernel code.
    Kernel,
    /// Garbage collection.
    Gc,
    /// Time in the runtime outside any function, which V8 calls `(program)`.
    Program,
    /// Not running: waiting for events.
    Idle,
    /// Stands for callers that the runtime or a limit of ours cut away.
    Truncated,
    /// Stands for paths that a limit did not let in.
    Other,
}

impl FrameKind {
    /// Every kind, in the order of the enum.
    pub const ALL: [Self; 9] = [
        Self::Js,
        Self::Builtin,
        Self::Native,
        Self::Kernel,
        Self::Gc,
        Self::Program,
        Self::Idle,
        Self::Truncated,
        Self::Other,
    ];

    /// The kind's name in files and themes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Js => "js",
            Self::Builtin => "builtin",
            Self::Native => "native",
            Self::Kernel => "kernel",
            Self::Gc => "gc",
            Self::Program => "program",
            Self::Idle => "idle",
            Self::Truncated => "truncated",
            Self::Other => "other",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A function at one place. Equal names in two places are two frames.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frame {
    /// The function's name, cleaned; `(anonymous)` where it has none.
    pub name: Arc<str>,
    /// The script or source file as a full path or `node:...` name; empty when unknown.
    pub file: Arc<str>,
    /// Line of the definition, from 1; 0 when unknown.
    pub line: u32,
    /// Column of the definition, from 1; 0 when unknown.
    pub column: u32,
    /// What kind of code it is.
    pub kind: FrameKind,
}

impl Frame {
    /// A frame without a place.
    pub fn named(name: &str, kind: FrameKind) -> Self {
        Self { name: name.into(), file: "".into(), line: 0, column: 0, kind }
    }

    /// A frame at a place.
    pub fn at(name: &str, file: &str, line: u32, column: u32, kind: FrameKind) -> Self {
        Self { name: name.into(), file: file.into(), line, column, kind }
    }
}

/// The session's frames, each once. Law: `id_of(frame(id)) == id`; ids are given in order and kept.
#[derive(Clone, Debug, Default)]
pub struct FrameTable {
    frames: Vec<Frame>,
    ids: FxHashMap<Frame, FrameId>,
}

impl FrameTable {
    /// The id of `frame`, new if it was not known.
    pub fn intern(&mut self, frame: &Frame) -> FrameId {
        if let Some(id) = self.ids.get(frame) {
            return *id;
        }
        let id = FrameId::from(self.frames.len());
        self.frames.push(frame.clone());
        self.ids.insert(frame.clone(), id);
        id
    }

    /// The id of `frame` if it is known.
    pub fn find(&self, frame: &Frame) -> Option<FrameId> {
        self.ids.get(frame).copied()
    }

    /// The frame of an id given by this table.
    pub fn get(&self, id: FrameId) -> &Frame {
        &self.frames[id.index()]
    }

    /// How many frames there are.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}
