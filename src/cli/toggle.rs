//! `flametop toggle`: asks a running flametop to begin or end its recording.
//!
//! SIGUSR2 ends whoever does not expect it. So it goes only to a process of ours that runs flametop, in a
//! way that records, and that has a handler for it; through a pidfd, after which all that is proved again.

use super::args::ToggleArgs;
use super::exit::Failure;
use super::plain::say;
use crate::demo;
use crate::profile::clean_path;
use crate::source::procfs::{PidFd, Process, ProcessIdentity, Status};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The number of SIGUSR2.
const USR2: u32 = 12;
/// How long is looked for what became of it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(20);
/// What flametop can be doing that records nothing, though it may catch the signal.
const RECORD_NOTHING: &[&str] =
    &["top", "export", "list", "toggle", "completions", "man", "help", "guard", demo::SUBCOMMAND];

/// Runs `flametop toggle`.
pub fn run(args: &ToggleArgs) -> Result<u8, Failure> {
    let found = match args.pid {
        Some(pid) => Running::prove(Process::new(pid)).map_err(|why| refusal(pid, why))?,
        None => the_only_one()?,
    };
    found.toggle()?;
    Ok(0)
}

fn the_only_one() -> Result<Running, Failure> {
    let mut found: Vec<Running> =
        Process::all().into_iter().filter_map(|process| Running::prove(process).ok()).collect();
    if found.len() > 1 {
        found.iter().for_each(|one| say(&format!("{:>7}  {}", one.process.pid(), one.command)));
        let text = format!("{} flametops are running", found.len());
        return Err(Failure::new(text).hint("name the one that is meant: flametop toggle PID").code(2));
    }
    found.pop().ok_or_else(|| {
        Failure::new("no flametop of yours is running")
            .hint("start one: flametop record TARGET --manual")
            .code(3)
    })
}

/// Why a process is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Gone,
    Us,
    NotOurs,
    NotFlametop,
    RecordsNothing,
    NotListening,
}

fn refusal(pid: u32, why: Why) -> Failure {
    let (text, hint, code) = match why {
        Why::Gone => ("does not exist", "flametop toggle without a PID finds it", 3),
        Why::Us => ("is this very command", "flametop toggle without a PID finds the others", 3),
        Why::NotOurs => ("belongs to another user", "run flametop toggle as that user", 4),
        Why::NotFlametop => ("is not flametop", "flametop toggle without a PID finds it", 3),
        Why::RecordsNothing => {
            ("is a flametop that records nothing", "start flametop record, or a screen", 3)
        }
        Why::NotListening => ("does not listen yet", "it is just starting or ending: try again", 1),
    };
    Failure::new(format!("process {pid} {text}")).hint(hint).code(code)
}

/// A running flametop that can be asked.
struct Running {
    process: Process,
    /// When it started: another of that PID is another process.
    start_ticks: u64,
    is_stopped: bool,
    command: String,
}

impl Running {
    /// Looks at a process, whether it is a flametop that can be asked.
    fn prove(process: Process) -> Result<Self, Why> {
        if process.pid() == std::process::id() {
            return Err(Why::Us);
        }
        let status = process.status().ok().filter(|status| !status.is_dead()).ok_or(Why::Gone)?;
        if status.uid != rustix::process::geteuid().as_raw() {
            return Err(Why::NotOurs);
        }
        let words = process.cmdline().map_err(|_| Why::Gone)?;
        if !is_flametop(process, &words) {
            return Err(Why::NotFlametop);
        }
        if words.get(1).is_some_and(|word| RECORD_NOTHING.contains(&word.as_str())) {
            return Err(Why::RecordsNothing);
        }
        if !status.signals.would_handle(USR2) {
            return Err(Why::NotListening);
        }
        Ok(Self::new(process, &status, &words))
    }

    fn new(process: Process, status: &Status, words: &[String]) -> Self {
        let command = clean_path(&words.join(" ")).to_string();
        Self { process, start_ticks: status.start_ticks, is_stopped: status.is_stopped(), command }
    }

    /// Sends the signal, and says what became of it.
    fn toggle(&self) -> Result<(), Failure> {
        let pid = self.process.pid();
        let fail = |error: std::io::Error| Failure::new(format!("failed to signal process {pid}: {error}"));
        let before = self.recordings();
        let held = PidFd::open(pid).map_err(fail)?;
        // What is proved after it is held is true of what is held.
        let again = Self::prove(self.process).map_err(|why| refusal(pid, why))?;
        if again.start_ticks != self.start_ticks {
            return Err(refusal(pid, Why::Gone));
        }
        held.send_usr2().map_err(fail)?;
        if again.is_stopped {
            say(&format!("flametop: process {pid} is stopped: it will be toggled when it goes on"));
            return Ok(());
        }
        self.tell(before);
        Ok(())
    }

    /// Waits for the recordings that it has open to change. Where that can't be seen, says what was done.
    fn tell(&self, before: Option<BTreeSet<PathBuf>>) {
        let pid = self.process.pid();
        let deadline = Instant::now() + PATIENCE;
        while let Some((before, now)) = before.as_ref().zip(self.recordings())
            && Instant::now() < deadline
        {
            let begun = now.difference(before).map(|path| format!("records to {}", path.display()));
            let ended = before.difference(&now).map(|path| format!("has completed {}", path.display()));
            let told: Vec<String> = begun.chain(ended).collect();
            if !told.is_empty() {
                return told.iter().for_each(|text| say(&format!("flametop: process {pid} {text}")));
            }
            sleep(PAUSE);
        }
        say(&format!("flametop: process {pid} was asked to begin or end its recording"));
    }

    /// The recordings that it has open, if we may see that.
    fn recordings(&self) -> Option<BTreeSet<PathBuf>> {
        let is_recording =
            |path: &PathBuf| path.extension().is_some_and(|end| end == crate::record::EXTENSION);
        Some(self.process.open_files().ok()?.into_iter().filter(is_recording).collect())
    }
}

/// Whether a process runs flametop: our own program, or one of its name. Of a process with capabilities the
/// program can't be seen; then both its name and its arguments must say so.
fn is_flametop(process: Process, words: &[String]) -> bool {
    let name = env!("CARGO_PKG_NAME");
    if let Ok(exe) = process.exe() {
        let program = |process: Process| process.identity().map(|ProcessIdentity { exe, .. }| exe).ok();
        let ours = program(Process::new(std::process::id()));
        return exe.file_name().is_some_and(|file| file == name)
            || ours.is_some_and(|ours| program(process) == Some(ours));
    }
    let called = words.first().and_then(|word| Path::new(word).file_name());
    called.is_some_and(|called| called == name) && process.comm().is_ok_and(|comm| comm == name)
}
