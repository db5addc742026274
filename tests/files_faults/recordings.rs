//! Recordings under faults: what was committed can be read, the rest is told.
//!
//! Every call is made to fail with EIO, but for those that lock and look, and every call that takes room with
//! ENOSPC. SQLite makes the same of EDQUOT as of EIO, and tries again what was interrupted in one loop,
//! so for these every third call speaks for all.

use crate::faults::{Run, Scene, Sweep};
use crate::sample::{events, write};
use crate::support::runtimes::require_strace;
use flametop::feed::{Event, Feed};
use flametop::record::{Place, Reader, RecordError};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const NAME: &str = "x.ftrec";
/// The calls that take room on a disk.
const TAKE_ROOM: &[&str] = &["openat", "pwrite64", "ftruncate"];
/// The calls that SQLite and we try again. Its fsync it does not; no local file system interrupts that.
const GO_ON: &[&str] = &["openat", "pwrite64", "ftruncate", "fchmod", "close"];
/// Locks, which are waited for two seconds at a time when they fail, and looks whether a name is taken.
const NOT_OF_FILES: &[&str] = &["fcntl", "newfstatat"];
const KILL: &str = "signal=KILL";
/// What SQLite makes of an error: its words are told, and a hint that says which errors they stand for.
const WORDS: &[&str] = &[
    "disk I/O error",
    "disk is full",
    "unable to open",
    "readonly",
    "malformed",
    "was replaced",
    "(os error",
];

/// A recording of some seconds, and what a fault-free run makes of it.
struct Case {
    _directory: TempDir,
    input: PathBuf,
    whole: Vec<Event>,
}

impl Case {
    fn new() -> Case {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let input = write(&Place::File(directory.path().join("input.ftrec")), &events(2));
        let mut case = Case { _directory: directory, input, whole: Vec::new() };
        let scene = case.scene();
        let run = scene.run();
        assert_eq!(run.code, Some(0), "{}", run.told);
        case.whole = read(scene.output()).expect("it is whole").events;
        assert!(case.whole.len() >= events(2).len() - 2, "{} events", case.whole.len());
        case
    }

    fn scene(&self) -> Scene {
        Scene::new(&self.input, NAME)
    }

    fn sweep(&self, calls: &[&str], outcome: &str, sweep: &mut Sweep) {
        for call in calls {
            sweep.over(call, outcome, || self.scene(), |scene, run| self.judge(scene, run, call));
        }
    }

    fn judge(&self, scene: &Scene, run: &Run, failing: &str) -> Result<(), String> {
        let names = scene.names();
        if run.code == Some(0) {
            let read = read(scene.output())?;
            return match read.is_finished && read.events == self.whole {
                true if names.len() == 1 || failing.starts_with("unlink") => Ok(()),
                true => Err("something was left beside a recording that is finished".into()),
                false => Err("success with a part".into()),
            };
        }
        if run.code != Some(1) {
            return Err("an exit code of neither".into());
        }
        if !run.told.contains(NAME) || !WORDS.iter().any(|words| run.told.contains(words)) {
            return Err("file and cause are not told".into());
        }
        // A recording that never began leaves nothing, not even beside.
        if !names.contains(NAME) {
            let left = names.iter().filter(|_| !failing.starts_with("unlink")).count();
            return if left == 0 { Ok(()) } else { Err("something was left behind".into()) };
        }
        let read = read(scene.output())?;
        if self.whole.starts_with(&read.events) { Ok(()) } else { Err("not what was recorded".into()) }
    }
}

struct Content {
    events: Vec<Event>,
    is_finished: bool,
}

fn read(path: &Path) -> Result<Content, String> {
    let mut reader = Reader::open(path).map_err(|error| error.to_string())?;
    let is_finished = reader.about().finished;
    let told = std::iter::from_fn(|| reader.next_event());
    let told = told.filter(|next| !matches!(next, Err(RecordError::LetGo { .. })));
    let mut events = told.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    // When the input was opened and ended is of the run, not of the input.
    events.retain(|event| matches!(event.feed, Feed::Window(_) | Feed::Gauges(_) | Feed::Note(_)));
    Ok(Content { events, is_finished })
}

#[test]
fn any_call_may_fail_and_what_was_committed_is_read() {
    require_strace!();
    let case = Case::new();
    let calls = case.scene().run().call_names();
    let calls: Vec<&str> =
        calls.iter().map(String::as_str).filter(|call| !NOT_OF_FILES.contains(call)).collect();
    let mut sweep = Sweep::default();
    case.sweep(&calls, "error=EIO", &mut sweep);
    sweep.settle();
}

#[test]
fn a_disk_may_be_full_at_any_call() {
    require_strace!();
    let case = Case::new();
    let mut sweep = Sweep::default();
    case.sweep(TAKE_ROOM, "error=ENOSPC", &mut sweep);
    sweep.settle();
}

#[test]
fn a_quota_may_end_at_any_call() {
    require_strace!();
    let case = Case::new();
    let mut sweep = Sweep::default().skipping(2);
    case.sweep(TAKE_ROOM, "error=EDQUOT", &mut sweep);
    sweep.settle();
}

#[test]
fn an_interrupted_call_is_no_failure() {
    require_strace!();
    let case = Case::new();
    let survived = |scene: &Scene, run: &Run| match run.code {
        Some(0) => case.judge(scene, run, ""),
        _ => Err("an interrupted call is no failure".into()),
    };
    let mut sweep = Sweep::default().skipping(2);
    for call in GO_ON {
        sweep.over(call, "error=EINTR", || case.scene(), survived);
    }
    sweep.settle();
}

#[test]
fn a_kill_at_any_call_leaves_what_can_be_read() {
    require_strace!();
    let case = Case::new();
    let readable = |scene: &Scene, run: &Run| {
        // Before it tells its name, a recording has promised nothing.
        if !run.told.contains("recording to") {
            return Ok(());
        }
        let read = read(scene.output())?;
        if case.whole.starts_with(&read.events) { Ok(()) } else { Err("not what was recorded".into()) }
    };
    let mut sweep = Sweep::default();
    sweep.over("unlink", KILL, || case.scene(), readable);
    let mut sweep = sweep.skipping(2);
    for call in ["openat", "pwrite64", "fsync", "ftruncate"] {
        sweep.over(call, KILL, || case.scene(), readable);
    }
    sweep.settle();
}

#[test]
fn while_the_oldest_goes_any_call_may_fail_too() {
    require_strace!();
    let case = Case::new();
    let scene = || case.scene().with_args(&["--keep", "2s"]);
    let kept = {
        let scene = scene();
        let run = scene.run();
        assert_eq!(run.code, Some(0), "{}", run.told);
        read(scene.output()).expect("it is whole").events
    };
    assert!(kept.len() < case.whole.len(), "nothing went");
    // In order, nothing but what was recorded, and no hole that is not meant: such a one can't be read.
    let judge = |scene: &Scene, run: &Run| {
        if !run.told.contains("recording to") {
            return Ok(());
        }
        let read = read(scene.output())?;
        let mut originals = case.whole.iter();
        if !read.events.iter().all(|event| originals.any(|original| original == event)) {
            return Err("not what was recorded".into());
        }
        match run.code {
            Some(0) if !read.is_finished || read.events != kept => Err("success with a part".into()),
            _ => Ok(()),
        }
    };
    let mut sweep = Sweep::default();
    for call in TAKE_ROOM {
        sweep.over(call, "error=ENOSPC", scene, judge);
    }
    sweep.over("pwrite64", "error=EIO", scene, judge);
    sweep.over("pwrite64", KILL, scene, judge);
    sweep.settle();
}
