//! The shape of the command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Where is this process spending its CPU, its memory and its event loop, right now - and what did
/// it do a minute ago?
#[derive(Debug, Parser)]
#[command(
    name = "flametop",
    version,
    args_conflicts_with_subcommands = true,
    after_help = AFTER_HELP,
    max_term_width = 100
)]
pub struct Cli {
    /// A subcommand, or none for the screen.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// What to watch: a PID, a process name, ws:// or host:port of an inspector, the URL of a pprof
    /// endpoint, or a file. Without one, a list of processes to choose from
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// Options of the screen.
    #[command(flatten)]
    pub screen: ScreenArgs,

    /// Options of sampling.
    #[command(flatten)]
    pub sampling: SamplingArgs,
}

const AFTER_HELP: &str = "\
Examples:
  flametop 4711                      watch process 4711 (Node: nothing need be prepared)
  flametop run -- node app.js        watch a program from its first instruction
  flametop demo                      watch the built-in workload
  flametop record 4711 --for 30s -o spike.pb.gz
  flametop top 4711 --for 5s
  flametop export x.ftrec --from 14:32:10 --to 14:32:20 -o spike.folded
  flametop report x.ftrec --open
  flametop diff before.pb.gz after.pb.gz --fail-above 5%

In the screen: Space freezes, [ and ] step through time, w writes pprof, R records, ? shows all keys.

Exit codes: 0 done, 1 failed, 2 usage, 3 no such target, 4 not permitted, 5 bad input, 128+n signal n.";

/// What flametop can do besides the screen.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a program and watch it from its first instruction; passes its exit code on
    Run(RunArgs),
    /// Watch a built-in workload: needs nothing installed, no network, no privileges
    Demo(DemoArgs),
    /// Record without a screen, to pprof (.pb.gz) or a recording (.ftrec)
    Record(RecordArgs),
    /// Print the functions that cost most, like `go tool pprof -top`
    Top(TopArgs),
    /// Turn a profile or a recording, or a part of it, into another format
    Export(ExportArgs),
    /// Make one HTML file of a recording or a profile, to be read offline in any browser
    Report(ReportArgs),
    /// Compare two profiles or recordings, or parts of them; fails a build when something grew
    Diff(DiffArgs),
    /// Begin or end the recording of a running flametop, as R does in its screen
    Toggle(ToggleArgs),
    /// List the processes that can be watched
    List(ListArgs),
    /// Print completions for a shell
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
    /// Serve the built-in workload (started by `flametop demo`)
    #[command(hide = true)]
    DemoWorkload,
    /// Undo what flametop did when it can't (started by flametop; standard input is its line to it)
    #[command(hide = true)]
    Guard,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Options of the screen.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// Options of sampling.
    #[command(flatten)]
    pub sampling: SamplingArgs,
    /// The program and its arguments
    #[arg(required = true, last = true, value_name = "CMD")]
    pub command: Vec<String>,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Watch the sample Node application instead (needs node)
    #[arg(long)]
    pub node: bool,
    /// Options of the screen.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// Options of sampling.
    #[command(flatten)]
    pub sampling: SamplingArgs,
}

/// Options of `record`.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// What to watch, as for the screen
    #[arg(required = true, value_name = "TARGET")]
    pub targets: Vec<String>,
    /// How long; without it, until Ctrl-C
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub length: Option<std::time::Duration>,
    /// The file: .pb.gz for pprof, .ftrec for a recording with every window [default: a recording
    /// named after target and time]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Sample, but record only while it is switched on: `flametop toggle`, or SIGUSR2 to flametop, begins
    /// a recording and ends it. Without this option the first ends the recording under way, the second
    /// begins the next. Each is a file of its own: x.ftrec, x-2.ftrec ...
    #[arg(long)]
    pub manual: bool,
    /// What the recording may hold.
    #[command(flatten)]
    pub bounds: BoundsArgs,
    /// Options of sampling.
    #[command(flatten)]
    pub sampling: SamplingArgs,
}

/// What a recording may hold. There is always a bound on time and on size.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Recordings (.ftrec)")]
pub struct BoundsArgs {
    /// Delete what is older than this, counted back from the newest; marks stay [default: 24h]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub keep: Option<std::time::Duration>,
    /// Delete the oldest when the file would grow beyond this; marks stay [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = recording_size)]
    pub max_size: Option<u64>,
}

/// Options of `top`.
#[derive(Debug, Args)]
pub struct TopArgs {
    /// What to watch, or a file to read
    #[arg(required = true, value_name = "TARGET")]
    pub target: String,
    /// How long to sample; a file is read whole
    #[arg(long = "for", value_name = "TIME", value_parser = duration, default_value = "5s")]
    pub length: std::time::Duration,
    /// Functions to print
    #[arg(short = 'n', long, default_value_t = 30)]
    pub lines: usize,
    /// Which sample type: cpu, `inuse_space`, `alloc_space`
    #[arg(long = "type", value_name = "NAME", default_value = "cpu")]
    pub sample_type: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Options of sampling.
    #[command(flatten)]
    pub sampling: SamplingArgs,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A recording (.ftrec) or a profile of any format that flametop reads
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,
    /// The format, by name; without it, the one that the output's name ends with
    #[arg(short, long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// The file; - or nothing is standard output. Heap profiles go beside CPU profiles, as x.heap.pb.gz
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The part of the file.
    #[command(flatten)]
    pub slice: SliceArgs,
}

/// Options of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// A recording (.ftrec) or a profile of any format that flametop reads
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,
    /// The file [default: the input's name with .html, in the current directory]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Open it in a browser; where there is none, say how to fetch it
    #[arg(long)]
    pub open: bool,
    /// From this time on: 14:32:10, 2026-11-20 14:32:10, +90s (after the start) or -30s (before the end)
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Up to this time
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub to: Option<String>,
}

/// Options of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// What to compare with: a recording (.ftrec) or a profile of any format that flametop reads
    #[arg(value_name = "BASE")]
    pub base: PathBuf,
    /// What to compare
    #[arg(value_name = "OTHER")]
    pub other: PathBuf,
    /// Compare values per second observed, or as shares of the whole [default: second, where both sides
    /// know their length]
    #[arg(long, value_enum, value_name = "BASIS")]
    pub by: Option<BasisArg>,
    /// Exit with 1 when the whole or any function, by itself or with what it calls, grew by more than
    /// this share of the base's whole, beyond what chance explains
    #[arg(long, value_name = "PERCENT", value_parser = percentage)]
    pub fail_above: Option<f64>,
    /// Functions to print
    #[arg(short = 'n', long, default_value_t = 30)]
    pub lines: usize,
    /// Print JSON
    #[arg(long, conflicts_with = "html")]
    pub json: bool,
    /// Write a report of both sides that opens on the difference
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// The base from this time on; --from and --to are OTHER's
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub base_from: Option<String>,
    /// The base up to this time
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub base_to: Option<String>,
    /// The part of the files.
    #[command(flatten)]
    pub slice: SliceArgs,
}

/// What values are divided by before they are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BasisArg {
    /// Seconds observed.
    Second,
    /// The whole.
    Share,
}

/// The part of a file that is meant.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Part of the file")]
pub struct SliceArgs {
    /// From this time on: 14:32:10, 2026-11-20 14:32:10, +90s (after the start) or -30s (before the end)
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Up to this time
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// One thread, by name or number
    #[arg(long, value_name = "NAME")]
    pub thread: Option<String>,
    /// One sample type: cpu, `inuse_space`, `alloc_space` ...
    #[arg(long = "type", value_name = "NAME")]
    pub sample_type: Option<String>,
    /// Only stacks through functions whose name matches
    #[arg(long, value_name = "REGEX")]
    pub focus: Option<String>,
}

/// Options of `toggle`.
#[derive(Debug, Args)]
pub struct ToggleArgs {
    /// The flametop that is meant, when there are several
    #[arg(value_name = "PID")]
    pub pid: Option<u32>,
}

/// Options of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of sampling, common to everything that watches.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Sampling")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct SamplingArgs {
    /// CPU samples a second
    #[arg(long, value_name = "HZ", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// Length of a window
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    pub window: std::time::Duration,
    /// Do not make the target compile its hot code anew at the start. V8 attributes code that was
    /// inlined or entered in mid-loop before the profiler came to its caller; compiling it again mends
    /// that, at the price of what the target's first seconds cost it
    #[arg(long)]
    pub no_recompile: bool,
    /// Sample the heap whatever a reading costs the target
    #[arg(long, conflicts_with = "no_heap")]
    pub heap: bool,
    /// Do not sample the heap
    #[arg(long)]
    pub no_heap: bool,
    /// Let the heap profile tell what is allocated in each window, instead of what is in use
    #[arg(long, conflicts_with = "no_heap")]
    pub heap_allocated: bool,
    /// Do not sample CPU
    #[arg(long)]
    pub no_cpu: bool,
    /// When the target ends, wait for the process that takes its place and watch that: the same command,
    /// or the next child of the same supervisor
    #[arg(long)]
    pub follow: bool,
    /// Bytes between sampled allocations
    #[arg(long, value_name = "SIZE", default_value = "512KiB", value_parser = size)]
    pub heap_interval: u64,
    /// Memory for the windows kept
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    pub memory: u64,
    /// The kind of target, when it should not be recognised by itself
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
}

/// Options of the screen.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Screen")]
pub struct ScreenArgs {
    /// Start recording at once, to FILE if given
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "clap's way to say: absent, alone, or with a value")]
    pub record: Option<Option<PathBuf>>,
    /// Show the difference to this recording or profile (d in the screen switches it)
    #[arg(long, value_name = "FILE")]
    pub base: Option<PathBuf>,
    /// The colours: dark, light or mono
    #[arg(long, value_name = "NAME", env = "FLAMETOP_THEME")]
    pub theme: Option<String>,
    /// How many colours the terminal has
    #[arg(long, value_enum, value_name = "DEPTH", default_value_t = ColourArg::Auto)]
    pub color: ColourArg,
    /// Draw with ASCII only
    #[arg(long)]
    pub ascii: bool,
    /// Switch the mouse on (off over SSH unless asked)
    #[arg(long, conflicts_with = "no_mouse")]
    pub mouse: bool,
    /// Switch the mouse off
    #[arg(long)]
    pub no_mouse: bool,
    /// What recordings may hold. Last: its heading holds for whatever comes after it.
    #[command(flatten)]
    pub bounds: BoundsArgs,
}

/// How many colours to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColourArg {
    /// As the environment tells.
    Auto,
    /// 16 million.
    Truecolor,
    /// 256.
    #[value(name = "256")]
    Indexed,
    /// The 16 basic ones.
    #[value(name = "16")]
    Basic,
    /// None.
    Never,
}

/// The command, for help, completions and the manual page.
pub fn command() -> clap::Command {
    use clap::CommandFactory;
    Cli::command()
}

/// `30s`, `500ms`, `10m`, `1h`; a bare number is seconds.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = split_unit(text)?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "s" | "" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(format!("{unit:?} is no unit of time: use ms, s, m or h")),
    };
    if !(0.05..=7.0 * 24.0 * 3600.0).contains(&seconds) {
        return Err("it must be between 50 ms and 7 days".into());
    }
    Ok(std::time::Duration::from_secs_f64(seconds))
}

/// `5%`, `0.5`: percent, as a ratio.
fn percentage(text: &str) -> Result<f64, String> {
    let number: f64 = text
        .trim_end_matches('%')
        .trim()
        .parse()
        .map_err(|_| "it must be a number of percent, such as 5%")?;
    if !(0.0..=1e6).contains(&number) {
        return Err("it must not be below 0".into());
    }
    Ok(number / 100.0)
}

/// `512KiB`, `64k`, `256MiB`, `1G`; a bare number is bytes.
fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split_unit(text)?;
    let factor = match unit.trim_end_matches("iB").trim_end_matches('B').to_ascii_lowercase().as_str() {
        "" => 1u64,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return Err(format!("{unit:?} is no unit of size: use KiB, MiB or GiB")),
    };
    let bytes = number * factor as f64;
    if !(1024.0..=1e12).contains(&bytes) {
        return Err("it must be between 1 KiB and 1 TB".into());
    }
    Ok(bytes as u64)
}

/// A size in which a recording has room for more than its tables.
fn recording_size(text: &str) -> Result<u64, String> {
    let bytes = size(text)?;
    if bytes < 1 << 20 { Err("it must be 1 MiB at least".into()) } else { Ok(bytes) }
}

fn split_unit(text: &str) -> Result<(f64, &str), String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number = text[..digits].parse().map_err(|_| "it must begin with a number".to_string())?;
    Ok((number, &text[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn times_and_sizes_are_read_with_their_units() {
        assert_eq!(duration("30s"), Ok(std::time::Duration::from_secs(30)));
        assert_eq!(duration("1.5m"), Ok(std::time::Duration::from_secs(90)));
        assert!(duration("0s").is_err() && duration("x").is_err() && duration("3y").is_err());
        assert_eq!(size("512KiB"), Ok(524_288));
        assert_eq!(size("1g"), Ok(1 << 30));
        assert!(size("12").is_err() && size("5parsecs").is_err());
        assert!(recording_size("1MiB").is_ok() && recording_size("1000KiB").is_err());
    }

    #[test]
    fn a_target_and_a_subcommand_are_told_apart() {
        let cli = Cli::try_parse_from(["flametop", "4711", "--window", "2s"]).expect("valid");
        assert_eq!(cli.targets, ["4711"]);
        let cli = Cli::try_parse_from(["flametop", "run", "--", "node", "a.js", "--x"]).expect("valid");
        assert!(matches!(cli.command, Some(Command::Run(run)) if run.command == ["node", "a.js", "--x"]));
        assert!(Cli::try_parse_from(["flametop", "1", "--rate", "0"]).is_err());
    }
}
