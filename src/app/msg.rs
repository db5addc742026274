//! Everything that can reach the app.

use super::key::{Key, MouseEvent};
use super::{RecordingState, Toast};
use crate::feed::SourceId;
use crate::profile::{Moment, Nanos};
use std::path::PathBuf;
use std::sync::Arc;

/// Something the app must take note of.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The mouse was used.
    Mouse(MouseEvent),
    /// The terminal has this size now.
    Resize(u16, u16),
    /// Time passed.
    Tick(Moment),
    /// The session took in an event of this source.
    Fed(SourceId),
    /// A job that an effect started is done.
    Done(Outcome),
    /// The user asked from outside (a signal) for the recording to be toggled.
    ToggleRecording,
    /// The user asked from outside to leave.
    Quit,
}

/// Jobs that effects start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Writing profiles.
    Export,
    /// Recording.
    Record,
    /// Copying to the clipboard.
    Copy,
}

/// How a job went.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// These files were written.
    Exported(Vec<PathBuf>),
    /// The recording began.
    RecordingStarted(RecordingState),
    /// The recording grew.
    RecordingProgress {
        /// Bytes so far.
        bytes: u64,
        /// Windows so far.
        windows: u64,
    },
    /// The recording is complete.
    RecordingFinished(RecordingState),
    /// Something failed; the text names cause and way out.
    Failed(Job, String),
    /// Something to tell.
    Told(Toast),
    /// The processes that can be attached to.
    Candidates(Vec<Candidate>),
}

/// A process in the picker.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its id.
    pub pid: u32,
    /// What it is: `Node`, `Go`...
    pub kind: Arc<str>,
    /// Its short name, such as its script's: what one looks for.
    pub name: Arc<str>,
    /// Its command, cleaned.
    pub command: Arc<str>,
    /// CPU use, 1.0 is one core.
    pub cpu: f64,
    /// Resident memory.
    pub rss: u64,
    /// How long it has run.
    pub age: Nanos,
    /// Whose it is.
    pub user: Arc<str>,
    /// Why it can't be attached to, if so.
    pub obstacle: Option<Arc<str>>,
}
