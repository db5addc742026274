//! The command line: what can be typed, and what it runs.

mod args;
mod commands;
mod diff;
mod diff_text;
mod exit;
mod export;
mod html;
mod live;
mod load;
mod plain;
mod report;
mod run;
mod toggle;

pub use args::{Cli, Command, command};
pub use exit::Failure;

use clap::Parser;
use std::process::ExitCode;
use std::time::Duration;

/// How long freeing targets may take after everything else has ended.
const PATIENCE: Duration = Duration::from_secs(2);

/// Parses the command line, runs it, and gives the exit code. The only caller is `main`.
pub fn main() -> ExitCode {
    crate::engine::install_panic_hook();
    // This very program, also where its file was replaced meanwhile.
    crate::guard::employ("/proc/self/exe".into(), &["guard"]);
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    let code = match commands::run(cli) {
        Ok(code) => code,
        Err(failure) => {
            exit::tell(&failure);
            failure.code
        }
    };
    ExitCode::from(free_targets(code))
}

/// Closes what the sources could not close themselves: a target that opened late, or that did not
/// answer when we left. What stays open is told, and is a failure.
fn free_targets(code: u8) -> u8 {
    let left = crate::source::undo_all(PATIENCE);
    left.iter().for_each(|text| plain::say(&format!("flametop: {text}")));
    if crate::guard::dismiss() && !left.is_empty() {
        let seconds = crate::guard::PERSISTENCE.as_secs();
        plain::say(&format!("flametop: a guard stays behind for {seconds} s and closes what it can"));
    }
    if code == 0 && !left.is_empty() { 1 } else { code }
}
