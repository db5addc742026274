//! [`Export`]: a profile with what a file must say about it besides.

use super::WriteError;
use crate::feed::TargetInfo;
use crate::profile::{CallTree, Flame, Fold, FrameKind, Profile, Shape, Unit, ValueKind, lift, over_lanes};
use std::sync::Arc;

/// A profile on its way into a file.
#[derive(Clone, Copy, Debug)]
pub struct Export<'a> {
    /// The values.
    pub profile: &'a Profile,
    /// Whose they are: names the process and the executable.
    pub target: &'a TargetInfo,
    /// The machine's name; empty to leave it out.
    pub host: &'a str,
    /// Sentences about the export as a whole, beside the profile's own notes.
    pub notes: &'a [Arc<str>],
    /// The kind to show first (pprof) or alone (text formats); `None` picks by [`Export::main_kind`].
    pub kind: Option<&'a str>,
    /// Who will read it.
    pub purpose: Purpose,
}

/// Who will read an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// People and their tools: idle time is no CPU time and is left out.
    Exchange,
    /// flametop itself, as part of a recording: nothing is left out, columns keep their order.
    Replay,
}

/// Kinds that are shown first where a profile has them, in this order.
const MAIN_KINDS: [&str; 5] = ["cpu", "wall", "inuse_space", "space", "alloc_space"];

impl<'a> Export<'a> {
    /// An export for other tools, without host, notes or a wish for a kind.
    pub fn new(profile: &'a Profile, target: &'a TargetInfo) -> Self {
        Self { profile, target, host: "", notes: &[], kind: None, purpose: Purpose::Exchange }
    }

    /// The same export as part of a recording.
    pub fn for_replay(self) -> Self {
        Self { purpose: Purpose::Replay, ..self }
    }

    /// The column to show first: the one asked for, else CPU or live heap, else the last.
    pub fn main_kind(&self) -> Result<usize, WriteError> {
        if let Some(name) = self.kind {
            return self.profile.kind(name).ok_or_else(|| WriteError::NoSuchKind { kind: name.into() });
        }
        let known = MAIN_KINDS.iter().find_map(|name| self.profile.kind(name));
        known
            .or(self.profile.kinds.len().checked_sub(1))
            .ok_or_else(|| WriteError::NoSuchKind { kind: "sample".into() })
    }

    /// Whether values of a node stay out: idle time in a CPU profile meant for other tools.
    pub(super) fn leaves_out(&self, node: u32) -> bool {
        let frame = self.profile.nodes[node as usize].frame;
        node != 0
            && self.purpose == Purpose::Exchange
            && self.profile.kind("cpu").is_some()
            && self.profile.kind("wall").is_none()
            && self.profile.frames[frame as usize].kind == FrameKind::Idle
    }

    /// Refuses a profile whose parts do not fit or that a file cannot hold.
    pub(super) fn check(&self, format: &'static str) -> Result<(), WriteError> {
        if !self.profile.is_sound() {
            return Err(WriteError::Unsound);
        }
        for (column, kind) in self.profile.kinds.iter().enumerate() {
            if self.profile.lanes.iter().any(|lane| lane.columns[column].iter().any(|value| *value < 0)) {
                return Err(WriteError::Negative { format, kind: kind.name.to_string() });
            }
        }
        Ok(())
    }
}

/// The first column that counts samples, for costs by line.
pub(super) fn count_column(profile: &Profile) -> Option<usize> {
    profile.kinds.iter().position(|kind| kind.unit == Unit::Count)
}

/// The profile's lanes together, on a tree of their own.
pub(super) fn together(export: &Export<'_>) -> Result<(CallTree, Fold), WriteError> {
    if !export.profile.is_sound() {
        return Err(WriteError::Unsound);
    }
    let mut tree = CallTree::default();
    let lanes = lift(&mut tree, export.profile);
    // A profile without lanes has its kinds all the same.
    let nothing = Fold::from_rows(&tree, export.profile.kinds.clone().into(), &[], Vec::new());
    let none = lanes.is_empty().then_some(&nothing);
    let folds: Vec<_> = lanes.iter().map(|lane| &lane.fold).chain(none).collect();
    let fold = over_lanes(&tree, &folds);
    Ok((tree, fold))
}

/// The flame of a column of the profile, without idle time unless it is to be kept.
pub(super) fn flame_of(tree: &CallTree, fold: &Fold, kind: &ValueKind) -> Flame {
    let show_idle = !matches!(&*kind.name, "cpu" | "samples");
    let column = fold.column_of(&kind.name).unwrap_or(0);
    Flame::build(tree, fold, column, &Shape { show_idle, ..Shape::default() })
}

/// The profile's lanes together as one flame of that column.
pub(super) fn flame(export: &Export<'_>, column: usize) -> Result<(CallTree, Flame), WriteError> {
    let (tree, fold) = together(export)?;
    let flame = flame_of(&tree, &fold, &export.profile.kinds[column]);
    Ok((tree, flame))
}

/// The executable's file name, as a process is called when nothing better is known.
pub(super) fn process_name(target: &TargetInfo) -> &str {
    if target.name.is_empty() {
        return target.executable.rsplit('/').next().unwrap_or_default();
    }
    &target.name
}
