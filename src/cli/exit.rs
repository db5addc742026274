//! How failures are told, and their exit codes.

use super::plain::{plain, say};
use crate::engine::{exit_code, with_causes};
use crate::source::SourceError;
use std::process::ExitCode;

/// A failure as the command line tells it.
#[derive(Debug)]
pub struct Failure {
    /// What failed.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
    /// The exit code.
    pub code: u8,
}

impl Failure {
    /// A failure with the exit code 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, code: 1 }
    }

    /// A failure and its causes, with the exit code 1.
    pub fn of(error: &dyn std::error::Error) -> Self {
        Self::new(with_causes(error))
    }

    /// The way out of it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Its exit code.
    #[must_use]
    pub fn code(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self { message: error.message, hint: error.hint, code: exit_code(error.class) }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::of(&error)
    }
}

/// Tells a failure on standard error.
pub fn tell(failure: &Failure) {
    say(&format!("flametop: {}", failure.message));
    if let Some(hint) = &failure.hint {
        say(&format!("  hint: {hint}"));
    }
}

/// Prints help, version or a usage error as clap words it: help to standard output with code 0.
pub fn usage(error: &clap::Error) -> ExitCode {
    let harmless = |word: std::ffi::OsString| {
        let word = word.to_string_lossy();
        !word.contains('\n') && plain(&word) == *word
    };
    if std::env::args_os().all(harmless) {
        // In colour, where there is some.
        let _ = error.print();
    } else {
        // It repeats what was typed.
        say(error.render().to_string().trim_end());
    }
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}
