//! The app: what the user is looking at and doing, as pure state.
//!
//! [`App::update`] is the only thing that changes it: a message in, effects out. No I/O, no clock, no
//! terminal: key codes arrive as [`Key`]s, time arrives in [`Msg::Tick`].

mod axis;
mod effect;
mod input;
mod key;
mod keymap;
mod lists;
mod msg;
mod shown;
#[cfg(test)]
mod tests;
mod update;
mod write_menu;

pub use axis::{TimeAxis, axis_columns, newest_of, time_axis};
pub use effect::{Effect, ExportRequest};
pub use input::LineInput;
pub use key::{Key, KeyCode, MouseEvent, MouseKind};
pub use keymap::{ACTIONS, Action, ActionSpec, ModeSet, actions_matching, key_name};
pub use lists::{LIST_TITLE_ROWS, TREE_ROWS, TreeRow, top_cursor, top_rows, tree_cursor, tree_rows};
pub use msg::{Candidate, Job, Msg, Outcome};
pub use shown::{Shown, ShownMeta, screen_rows};
pub use update::{Peak, Playing, Speed};
pub use write_menu::{WRITE_MENU, WriteItem, WriteRow};

use crate::profile::{Basis, CallPath, FrameId, Moment, Nanos, Shape};
use crate::session::{Range, Selection};
use jiff::tz::TimeZone;
use regex::Regex;
use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

/// What keys mean now. One at a time.
#[derive(Clone, Debug, Default)]
pub enum Mode {
    /// Looking around.
    #[default]
    Browse,
    /// Typing a search.
    Search(LineInput),
    /// Reading the keys, scrolled by this many rows.
    Help {
        /// First row shown.
        scroll: u16,
        /// What the list is narrowed to.
        filter: LineInput,
    },
    /// Choosing a process; the index is into the filtered list.
    Pick(Picker),
    /// Choosing what to write.
    WriteMenu {
        /// The row under the cursor.
        cursor: usize,
    },
    /// Answering a question.
    Confirm(Question),
    /// Typing the note of a mark.
    MarkNote(LineInput),
    /// Typing a time to go to, or the gauge whose peak to go to.
    Goto(LineInput),
}

/// The picker's state.
#[derive(Clone, Debug, Default)]
pub struct Picker {
    /// What the list is narrowed to.
    pub filter: LineInput,
    /// Row under the cursor, in the filtered list.
    pub cursor: usize,
    /// The processes found.
    pub candidates: Vec<Candidate>,
}

impl Picker {
    /// The processes that the filter leaves: every word of it in the kind, command, user or pid.
    pub fn matching(&self) -> Vec<&Candidate> {
        let filter = self.filter.text().to_lowercase();
        let fits = |candidate: &&Candidate| {
            let Candidate { pid, kind, name, command, user, .. } = candidate;
            let text = format!("{pid} {kind} {name} {command} {user}").to_lowercase();
            filter.split_whitespace().all(|word| text.contains(word))
        };
        self.candidates.iter().filter(fits).collect()
    }

    /// The process under the cursor.
    pub fn chosen(&self) -> Option<&Candidate> {
        let matching = self.matching();
        matching.get(self.cursor.min(matching.len().saturating_sub(1))).copied()
    }
}

/// A question to answer with y or n.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Quit while recording?
    QuitWhileRecording,
    /// Switch the heap profile on at this stated cost?
    HeapCost(Arc<str>),
}

/// The panes that show the selection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pane {
    /// The icicle.
    #[default]
    Flame,
    /// The call tree as an outline.
    Tree,
    /// The table of functions.
    Top,
}

impl Pane {
    /// All panes in the order of their digits.
    pub const ALL: [Self; 3] = [Self::Flame, Self::Tree, Self::Top];

    /// Its name as the tab says it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Flame => "Flame",
            Self::Tree => "Tree",
            Self::Top => "Top",
        }
    }
}

/// How numbers of frames are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumberFormat {
    /// Share of what is selected.
    #[default]
    Share,
    /// The value itself.
    Absolute,
    /// The value per second observed.
    PerSecond,
}

/// What frames are coloured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColourBy {
    /// Package, hue by name; kinds such as gc have their own.
    #[default]
    Package,
    /// Kind of code only.
    Kind,
    /// Self value.
    SelfValue,
}

/// A search in progress or standing.
#[derive(Clone, Debug)]
pub struct Search {
    /// As typed.
    pub text: String,
    /// As compiled; none when it is not a valid expression, with the reason in `error`.
    pub regex: Option<Regex>,
    /// Why it is not valid.
    pub error: Option<String>,
}

/// A message that goes away by itself.
#[derive(Clone, Debug)]
pub struct Toast {
    /// What it says.
    pub text: String,
    /// Whether it is bad news.
    pub error: bool,
    /// When it was first shown.
    pub since: Moment,
}

/// How long a toast stays.
pub const TOAST_TIME: Nanos = Nanos::from_secs(6);

/// A recording under way.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingState {
    /// The file.
    pub path: PathBuf,
    /// Since when.
    pub since: Moment,
    /// Bytes written so far.
    pub bytes: u64,
    /// Windows written so far.
    pub windows: u64,
}

#[expect(clippy::struct_excessive_bools, reason = "the switches are independent of each other")]
/// What the user is looking at and doing.
#[derive(Clone, Debug, Default)]
pub struct App {
    /// What keys mean now.
    pub mode: Mode,
    /// When, which sample type, whose.
    pub selection: Selection,
    /// How the fold is shown.
    pub shape: Shape,
    /// The frame that fills the width; empty: everything.
    pub zoom: CallPath,
    /// What filled the width before, oldest first: the way back out.
    pub zoomed_from: Vec<CallPath>,
    /// The frame under the cursor; empty: the root.
    pub cursor: CallPath,
    /// The pane in front.
    pub pane: Pane,
    /// Whether the pane in front has the whole screen.
    pub maximised: bool,
    /// Open branches of the tree pane.
    pub open: BTreeSet<CallPath>,
    /// The function under the cursor of the top pane.
    pub top_cursor: Option<FrameId>,
    /// Whether the top table is sorted by total instead of self.
    pub top_by_total: bool,
    /// First row of the flame shown, when it is deeper than the screen.
    pub scroll: u16,
    /// First row of the tree or table shown.
    pub list_scroll: usize,
    /// The standing search.
    pub search: Option<Search>,
    /// The search that stood before the one being typed.
    pub search_before: Option<Search>,
    /// How numbers are shown.
    pub numbers: NumberFormat,
    /// What colours mean.
    pub colour_by: ColourBy,
    /// Whether the selection is shown against the base, and how.
    pub against: Option<Basis>,
    /// The newest moment when the view was frozen: the right edge of the time axis meanwhile.
    pub frozen_at: Option<Moment>,
    /// Where on the time axis the mouse went down.
    pub drag_from: Option<Moment>,
    /// Columns and rows of the screen.
    pub size: (u16, u16),
    /// The time as last told.
    pub now: Moment,
    /// Messages, oldest first.
    pub toasts: VecDeque<Toast>,
    /// The recording under way.
    pub recording: Option<RecordingState>,
    /// Length of the windows asked for.
    pub window: Nanos,
    /// The timeline being played.
    pub playing: Option<Playing>,
    /// How fast it is played.
    pub speed: Speed,
    /// Whose peaks are jumped to.
    pub peak: Peak,
    /// The zone of times that are typed; none: UTC.
    pub zone: Option<TimeZone>,
    /// Set once the user wants out; the engine stops the sources and leaves.
    pub quitting: bool,
    /// Whether leaving keeps the last frame on the screen.
    pub keep_frame: bool,
    /// Draw everything anew once.
    pub repaint: bool,
}

impl App {
    /// Whether the view holds still.
    pub fn is_frozen(&self) -> bool {
        matches!(self.selection.range, Range::Span(_))
    }
}
