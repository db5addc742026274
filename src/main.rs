//! The `flametop` program: hands the command line to the library and returns its exit code.

/// Samples the demo workload's heap; everywhere else it is the system's allocator and one load more.
#[global_allocator]
static ALLOCATOR: flametop::source::this_process::SamplingAllocator =
    flametop::source::this_process::SamplingAllocator;

fn main() -> std::process::ExitCode {
    flametop::cli::main()
}
