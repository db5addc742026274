//! What integration tests share: runtimes, real targets, a real terminal, Go's pprof, waiting.
//!
//! A test file says `mod support;` and uses what it needs; nothing here but
//! `recorded`, which makes files, knows of flametop's own modules, so that it can judge the program from
//! outside.

#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "each test file is a crate of its own and uses a part of this"
)]

pub mod fake_inspector;
pub mod harmless;
pub mod load;
pub mod pprof_go;
pub mod process;
pub mod program;
pub mod pty;
pub mod recorded;
pub mod runtimes;
pub mod tally;
pub mod target;
pub mod terminal_modes;
pub mod wait;
pub mod watch;
