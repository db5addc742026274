//! The model of a profile: pure values and functions, no I/O, no tasks, no terminal.
//!
//! A profile has two forms. [`Profile`] is self-contained and `Send`: what sources emit, what is
//! recorded and exported. [`Fold`] is compact and stands on the session's shared [`CallTree`]: what
//! is kept, merged and drawn. [`Flame`] is what one selection and one shape look like, ready to be
//! laid out in rows.
//!
//! Called by every layer; calls none of them.

mod clean;
mod diff;
mod flame;
mod focus;
mod fold;
mod frame;
mod ids;
mod labels;
mod lift;
mod merge;
mod rows;
mod table;
mod time;
mod tree;
mod value;
mod wire;

pub use clean::{MAX_NAME_CHARS, clean_name, clean_path, plain_text};
pub use diff::{Basis, Change, Comparison, SURE, Side, Verdict, join};
pub use flame::{Flame, FlameNode, Shape};
pub use focus::focused;
pub use fold::{Fold, LineCost};
pub use frame::{Frame, FrameKind, FrameTable};
pub use ids::{CallPath, FrameId, NodeId};
pub use labels::{fit_label, name_and_place, package_of, place_of, short_path};
pub use lift::{Folded, lift, lower};
pub use merge::{over_lanes, over_time};
pub use rows::{Block, BlockContent, Rows, layout_rows};
pub use table::{FunctionRow, function_table};
pub use time::{Moment, Nanos, Span};
pub use tree::{CallTree, MAX_DEPTH, MAX_FRAMES, MAX_NODES};
pub use value::{Accumulation, Unit, ValueKind};
pub use wire::{Profile, ProfileLane, ProfileNode, Run, Sampling, Thread};
