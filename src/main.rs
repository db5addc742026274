//! The `flametop` program: parses, runs, and turns the ending into an exit code.

use std::process::ExitCode;

/// Samples the demo workload's heap; everywhere else it is the system's allocator and one load more.
#[global_allocator]
static ALLOCATOR: flametop::source::this_process::SamplingAllocator =
    flametop::source::this_process::SamplingAllocator;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(flametop::demo::SUBCOMMAND) {
        return match flametop::demo::serve(flametop::demo::DemoOptions::default()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    ExitCode::SUCCESS
}
