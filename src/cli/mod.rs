//! The command line: what can be typed, and what it runs.

mod args;
mod commands;
mod exit;
mod live;
mod plain;
mod report;
mod run;

pub use args::{Cli, Command, command};
pub use exit::Failure;

use clap::Parser;
use std::process::ExitCode;

/// Parses the command line, runs it, and gives the exit code. The only caller is `main`.
pub fn main() -> ExitCode {
    crate::engine::install_panic_hook();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    match commands::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            exit::tell(&failure);
            ExitCode::from(failure.code)
        }
    }
}
