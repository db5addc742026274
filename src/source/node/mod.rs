//! Live Node.js processes, reached through the V8 inspector.
//!
//! The way in, one file each: [`identify`] proves that a process is Node, [`open`] finds or opens its inspector,
//! [`cdp`] speaks to it, [`snippets`] holds every line of JavaScript we ever run in a target, [`close`] leaves in
//! order and [`undo`] leaves in a hurry. Nothing here knows what a window or a profile is.

pub mod address;
pub mod agent;
pub mod board;
pub mod cdp;
pub mod close;
pub mod cpu_time;
pub mod elf;
pub mod error;
pub mod evaluate;
pub mod folder;
mod follow;
pub mod gauges;
pub mod heap;
mod hush;
pub mod identify;
pub mod inspect_options;
pub mod list;
pub mod live;
mod live_heap;
pub mod open;
pub mod own_handler;
pub mod polling;
mod session;
pub mod snippets;
mod source;
pub mod spawn;
mod start_cost;
pub mod target_info;
pub mod undo;
mod way_in;
pub mod windows;
pub mod wire;

pub use cdp::{CallId, Cdp, Event, Incoming, Reply};
pub use error::{AttachError, CdpError};
pub use open::{Inspector, OpenOptions, inspector_at, open_inspector};
pub use source::{NODE_KIND, NodeSource};
pub use spawn::Run;
pub use wire::Method;
