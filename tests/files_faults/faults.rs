//! One run of flametop with one system call failing under it, by strace's hand.
//!
//! strace is told the paths that the run may touch, and counts only calls on those: the n-th failure is
//! the n-th call on the output, whatever the rest of the program does. The name of an unfinished file
//! holds the process id, so a shell that becomes flametop itself spells it out.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::tally::count;
use tempfile::TempDir;

/// A system call that does not do what it should.
#[derive(Clone, Copy, Debug)]
pub struct Fault<'a> {
    /// The call.
    pub call: &'a str,
    /// What comes of it, in strace's words: `error=ENOSPC`, `retval=1000`.
    pub outcome: &'a str,
    /// Which of the calls on the run's paths, from 1.
    pub nth: u32,
}

/// A directory for a run, and the command that writes into it.
pub struct Scene {
    directory: TempDir,
    output: PathBuf,
    input: OsString,
    /// Further arguments of flametop.
    args: &'static [&'static str],
    /// What strace is told in every run, such as a call that this scene's file system does not know.
    world: &'static str,
}

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard error.
    pub told: String,
    /// The lines of strace, all calls on the run's paths when no fault was asked for.
    pub calls: Vec<String>,
}

impl Scene {
    /// `flametop record INPUT -o NAME` in a fresh directory.
    pub fn new(input: &Path, name: &str) -> Scene {
        let directory = directory_in_memory();
        let output = directory.path().join(name);
        Scene { directory, output, input: input.into(), args: &[], world: "" }
    }

    /// The same with further arguments.
    pub fn with_args(self, args: &'static [&'static str]) -> Scene {
        Scene { args, ..self }
    }

    /// The same in a world where strace does this too.
    pub fn in_world(self, world: &'static str) -> Scene {
        Scene { world, ..self }
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The file asked for.
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// The names in the directory.
    pub fn names(&self) -> BTreeSet<String> {
        names_in(self.directory())
    }

    /// Runs without a fault, and lists the calls.
    pub fn run(&self) -> Run {
        self.strace("")
    }

    /// Runs with a fault.
    pub fn run_with(&self, fault: Fault<'_>) -> Run {
        let Fault { call, outcome, nth } = fault;
        // With the filter that spares the kernel the other stops, strace 6.1 delivers no signal.
        let filter = if outcome.starts_with("signal") { "" } else { "--seccomp-bpf" };
        self.strace(&format!("{filter} -e trace={call} -e inject={call}:{outcome}:when={nth}"))
    }

    fn strace(&self, options: &str) -> Run {
        let log = self.directory().with_extension("strace");
        // The tracer steps aside (-D), so that the shell's own process becomes flametop.
        let script = "exec strace -D -f -qq -s 0 -o \"$LOG\" $OPTIONS $WORLD \
                      -P \"$DIRECTORY\" -P \"$DIRECTORY/.flametop-$$-0.part\" -P \"$DIRECTORY/.flametop-$$-1.part\" \
                      -P \"$DIRECTORY/.flametop-$$-2.part\" \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).env("LOG", &log).env("DIRECTORY", self.directory());
        command.env("OPTIONS", options).env("WORLD", self.world);
        for path in self.possible_names() {
            command.arg("-P").arg(path);
        }
        command.arg(env!("CARGO_BIN_EXE_flametop")).arg("record").arg(&self.input).args(self.args);
        let output = command.arg("-o").arg(&self.output).stdin(Stdio::null()).output().expect("sh runs");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let calls = fs::read_to_string(&log).expect("strace left its log");
        fs::remove_file(&log).expect("the log is ours");
        let calls = calls.lines().filter(|line| line.contains('(')).map(str::to_owned).collect();
        Run { code: output.status.code(), told, calls }
    }

    /// The output, its second name, and the files that SQLite lays beside.
    fn possible_names(&self) -> Vec<PathBuf> {
        let name = self.output.file_name().expect("an output has a name").to_string_lossy();
        let names = ["", "-journal", "-wal", "-shm"].map(|end| format!("{name}{end}"));
        names
            .into_iter()
            .chain([name.replacen('.', "-2.", 1)])
            .map(|name| self.directory().join(name))
            .collect()
    }
}

impl Run {
    /// Whether a fault of this call came to pass; a kill leaves no exit code.
    pub fn was_injected(&self, call: &str) -> bool {
        let call = format!(" {call}(");
        self.code.is_none()
            || self.calls.iter().any(|line| line.contains(&call) && line.contains("(INJECTED)"))
    }

    /// The names of the calls, each once.
    pub fn call_names(&self) -> BTreeSet<String> {
        // `4711 openat(AT_FDCWD, ...`
        let name = |line: &String| Some(line.split_whitespace().nth(1)?.split_once('(')?.0.to_owned());
        self.calls.iter().filter_map(name).collect()
    }
}

/// What a sweep tried, and which promises were broken.
#[derive(Default)]
pub struct Sweep {
    injected: u32,
    skipped: u32,
    broken: Vec<String>,
}

impl Sweep {
    /// Leaves out so many calls after each that fails.
    pub fn skipping(self, skipped: u32) -> Sweep {
        Sweep { skipped, ..self }
    }

    /// Lets the first call fail, the second, and so on until no call is left, each in a scene of its
    /// own; `judge` says what is wrong with the outcome.
    pub fn over(
        &mut self,
        call: &str,
        outcome: &str,
        scene: impl Fn() -> Scene,
        judge: impl Fn(&Scene, &Run) -> Result<(), String>,
    ) {
        for nth in (1..).step_by(1 + self.skipped as usize) {
            let scene = scene();
            let fault = Fault { call, outcome, nth };
            let run = scene.run_with(fault);
            let verdict = judge(&scene, &run);
            if !run.was_injected(call) {
                assert_eq!(run.code, Some(0), "without a fault, after {nth} of {call}: {}", run.told);
                return;
            }
            self.injected += 1;
            if let Err(wrong) = verdict {
                let names = scene.names();
                self.broken
                    .push(format!("{fault:?}: {wrong}\n    exit {:?}, {names:?}: {}", run.code, run.told));
            }
        }
    }

    /// Prints the tally, then fails the test if a promise was broken.
    #[track_caller]
    pub fn settle(self) {
        tally(self.injected, self.injected - self.broken.len() as u32);
        assert!(self.injected > 0, "no fault came to pass");
        assert!(self.broken.is_empty(), "{} broken:\n{}", self.broken.len(), self.broken.join("\n"));
    }
}

/// Says how much was tried; what did not survive fails the test.
#[expect(clippy::print_stdout, reason = "whoever runs one test reads what it tried")]
pub fn tally(injected: u32, survived: u32) {
    println!("faults injected {injected}, survived {survived}");
    count("faults and traps for files, survived", survived as usize);
}

/// Names in a directory.
pub fn names_in(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).expect("the directory is there").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// A shell's script that becomes flametop, with `$0` the program; run in a directory.
pub fn shell(script: &str, directory: &Path, args: &[&OsStr]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_flametop")]).args(args);
    command.current_dir(directory).stdin(Stdio::null());
    command
}

/// Barriers cost nothing in memory, and a sweep waits for thousands.
fn directory_in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("there is room for a directory")
}
