//! What the suites tried and what came of it, for the table that `tests/all` prints at its end.
//!
//! Each word is a line in `target/tally.txt`: what is counted is added up there, of what is the worst
//! the greatest stays.

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// So much more of `what` was tried.
pub fn count(what: &str, number: usize) {
    add("sum", what, number as f64);
}

/// So bad was `what` at worst here.
pub fn worst(what: &str, value: f64) {
    add("max", what, value);
}

#[expect(clippy::print_stdout, reason = "whoever runs one test reads what it tried")]
fn add(kind: &str, what: &str, value: f64) {
    println!("tally: {what} {value:.1}");
    // One short write of an appended line is whole, whoever else writes. A table that misses a line is no
    // reason to fail the test.
    if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path()) {
        let _ = file.write_all(format!("{kind}\t{what}\t{value:.1}\n").as_bytes());
    }
}

fn path() -> PathBuf {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = tmp.parent().unwrap_or(tmp);
    env::var_os("FLAMETOP_TALLY").map_or_else(|| target.join("tally.txt"), PathBuf::from)
}
