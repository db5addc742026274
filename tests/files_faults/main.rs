//! Files in a hostile world: every system call on them fails once, every name is planted with traps,
//! and the disk is full under the screen.
//!
//! What is promised: a file is complete or absent, an old one never damaged, private, and never
//! written through somebody's link; a recording keeps what was committed; every failure is told with
//! its file, its cause and a way out. Killed writers are in `tests/recording`.

#[path = "../support/mod.rs"]
mod support;

#[path = "../recording/sample.rs"]
#[allow(dead_code, reason = "shared with tests/recording, which uses the rest")]
mod sample;

mod exports;
mod faults;
mod full_disk;
mod names;
mod planted;
mod recordings;

use std::path::{Path, PathBuf};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// A small pprof profile.
fn profile() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/two_functions.pb.gz")
}
