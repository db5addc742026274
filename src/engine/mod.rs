//! The engine: the one loop that owns session and app, with or without a screen.
//!
//! Everything that happens (a signal, a key, a finished job, an event of a source, a tick) enters
//! here as a value, in one order. Sources run as tasks and are told what to do through their
//! steering; sinks hear every event; frames go to the writer thread, which the engine never waits for.

mod core;
mod cost;
mod effects;
mod headless;
mod job_control;
mod jobs;
mod live;
mod panic;
mod signals;
mod sources;
mod terminal;

pub use core::Core;
pub use cost::{CostMeter, OwnCost};
pub use headless::{Headless, Settled, Until, phase_text, settle};
pub use jobs::{track_name, with_causes, with_hint, write_profile};
pub use live::{Live, Screen};
pub use panic::install as install_panic_hook;
pub use signals::{Asked, listen};
pub use sources::Sources;
pub use terminal::{FrameWriter, Input, Tenancy, Terminal, TerminalError, encode, start_input};

use crate::source::{ErrorClass, SourceError};

/// How a run ended.
#[derive(Debug, Default)]
pub struct Ending {
    /// The exit code; 0 unless something failed or a signal ended the run.
    pub code: u8,
    /// What failed, to be told once the terminal is back.
    pub error: Option<SourceError>,
    /// Lines to print once the terminal is back: files written, the last frame.
    pub farewell: Vec<String>,
    /// Recordings begun in a run without a screen.
    pub recordings: u32,
}

/// The exit code of a class of failure.
pub fn exit_code(class: ErrorClass) -> u8 {
    match class {
        ErrorClass::Failed => 1,
        ErrorClass::NoTarget => 3,
        ErrorClass::NotPermitted => 4,
        ErrorClass::BadInput => 5,
    }
}
