//! What the app wants done. The engine does it and answers with [`Msg::Done`](super::Msg::Done).

use crate::feed::{Order, SourceId, TargetSpec};
use crate::session::{Range, Scope, Selection};
use std::path::PathBuf;

/// Something to be done outside the app.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Stop the sources, finish the recording, leave.
    Quit {
        /// Leave the last frame on the primary screen.
        keep_frame: bool,
    },
    /// Write profiles.
    Export(ExportRequest),
    /// Begin a recording; without a path one is made up.
    StartRecording(Option<PathBuf>),
    /// Finish the recording.
    StopRecording,
    /// Tell a source.
    Order(SourceId, Order),
    /// Begin to watch a target.
    Attach(TargetSpec),
    /// Put text on the clipboard.
    Copy(String),
    /// Keep these windows, whatever the budget.
    Pin(Selection),
    /// Let go of the kept windows.
    Unpin,
    /// Compare with this selection from now on.
    SetBase {
        /// What it is.
        selection: Selection,
        /// What it is called.
        label: String,
    },
    /// Look for processes again.
    FindProcesses,
    /// Store a mark in session and recording.
    Mark(String),
}

/// What to write.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportRequest {
    /// Which time.
    pub range: Range,
    /// Whose.
    pub scope: Scope,
    /// Which format, by name in the registry.
    pub format: String,
    /// Only this sample type's profile; none: every track, each in its file, with one timestamp.
    pub kind: Option<String>,
}
