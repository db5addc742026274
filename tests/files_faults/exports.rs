//! Exported files under faults: complete or absent, whatever call fails, and an old file untouched.

use crate::faults::{Run, Scene, Sweep};
use crate::sample::{events, window, write};
use crate::support::runtimes::require_strace;
use flametop::feed::{Event, Feed};
use flametop::record::Place;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Every way in which the system refuses, with its words.
const REFUSALS: &[(&str, &str)] = &[
    ("error=ENOSPC", "No space left"),
    ("error=EIO", "Input/output error"),
    ("error=EDQUOT", "quota exceeded"),
];
const INTERRUPTED: &str = "error=EINTR";
const OLD: &[u8] = b"precious";
/// As on file systems that can't rename without replacing.
const ONLY_LINKS: &str = "-e inject=renameat2:error=EINVAL";

/// What to write, and what it looks like without a fault.
struct Case {
    input: PathBuf,
    name: &'static str,
    /// The name given when the one asked for is taken.
    second: &'static str,
    world: &'static str,
    is_taken: bool,
    whole: Vec<u8>,
}

impl Case {
    fn new(input: &Path, name: &'static str, second: &'static str) -> Case {
        let scene = Scene::new(input, name);
        let run = scene.run();
        assert_eq!(run.code, Some(0), "{}", run.told);
        let whole = fs::read(scene.output()).expect("it was written");
        Case { input: input.into(), name, second, world: "", is_taken: false, whole }
    }

    fn in_world(self, world: &'static str) -> Case {
        Case { world, ..self }
    }

    /// With an old file of that name.
    fn taken(self) -> Case {
        Case { is_taken: true, ..self }
    }

    fn scene(&self) -> Scene {
        let scene = Scene::new(&self.input, self.name).in_world(self.world);
        if self.is_taken {
            fs::write(scene.output(), OLD).expect("the directory is ours");
        }
        scene
    }

    /// Lets every call that this case makes fail in every way.
    fn sweep(&self, sweep: &mut Sweep) {
        let mut calls = self.scene().run().call_names();
        if self.world == ONLY_LINKS {
            // It always fails there.
            calls.remove("renameat2");
        }
        for call in calls {
            for (outcome, words) in REFUSALS {
                sweep.over(
                    &call,
                    outcome,
                    || self.scene(),
                    |scene, run| self.judge(scene, run, &call, words),
                );
            }
            let survived = |scene: &Scene, run: &Run| match run.code {
                Some(0) => self.judge(scene, run, "", ""),
                _ => Err("an interrupted call is no failure".into()),
            };
            sweep.over(&call, INTERRUPTED, || self.scene(), survived);
        }
    }

    fn judge(&self, scene: &Scene, run: &Run, failing: &str, words: &str) -> Result<(), String> {
        let ours = if self.is_taken { self.second } else { self.name };
        let mut names = scene.names();
        if self.is_taken {
            check(names.remove(self.name), "the old file is gone")?;
            check(fs::read(scene.output()).is_ok_and(|old| old == OLD), "the old file is damaged")?;
        }
        if failing.starts_with("unlink") {
            // What the system refuses to remove stays; nobody else may read it.
            names.retain(|name| !is_unfinished(name));
        }
        match run.code {
            Some(0) => {
                let path = scene.directory().join(ours);
                check(names.remove(ours), "success without a file")?;
                check(fs::read(&path).is_ok_and(|bytes| bytes == self.whole), "the file is not complete")?;
                let mode = fs::metadata(&path).map_or(0, |found| found.permissions().mode() & 0o7777);
                check(mode == 0o600, "the file is not private")?;
                check(run.told.contains(&format!("written {}", path.display())), "the name is not told")?;
            }
            Some(1) => {
                let stem = self.name.split('.').next().unwrap_or(self.name);
                check(run.told.contains(stem), "the file is not named")?;
                check(run.told.contains(words), "the cause is not named")?;
            }
            _ => return Err("an exit code of neither".into()),
        }
        check(names.is_empty(), "something was left behind")
    }
}

fn is_unfinished(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end == "part")
}

fn check(holds: bool, wrong: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(wrong.into()) }
}

/// A recording whose folded stacks take several writes.
fn long_recording(directory: &Path) -> PathBuf {
    let attached = events(0).remove(0);
    let long = |second| Event { feed: Feed::Window(Box::new(window(second, 400))), ..attached.clone() };
    let events = [attached.clone(), long(1), long(2)];
    write(&Place::File(directory.join("long.ftrec")), &events)
}

#[test]
fn any_call_may_fail_and_the_file_is_complete_or_absent() {
    require_strace!();
    let mut sweep = Sweep::default();
    Case::new(&crate::profile(), "x.pb.gz", "x-2.pb.gz").sweep(&mut sweep);
    sweep.settle();
}

#[test]
fn any_call_may_fail_and_an_old_file_is_untouched() {
    require_strace!();
    let mut sweep = Sweep::default();
    Case::new(&crate::profile(), "x.pb.gz", "x-2.pb.gz").taken().sweep(&mut sweep);
    sweep.settle();
}

#[test]
fn any_call_may_fail_where_only_links_keep_from_replacing() {
    require_strace!();
    let mut sweep = Sweep::default();
    let case = || Case::new(&crate::profile(), "x.pb.gz", "x-2.pb.gz").in_world(ONLY_LINKS);
    case().sweep(&mut sweep);
    case().taken().sweep(&mut sweep);
    sweep.settle();
}

#[test]
fn any_call_may_fail_of_a_file_in_several_writes() {
    require_strace!();
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let case = Case::new(&long_recording(directory.path()), "x.folded", "x-2.folded");
    assert!(case.whole.len() > 3 * 64 * 1024, "{} bytes are one write", case.whole.len());
    let mut sweep = Sweep::default();
    case.sweep(&mut sweep);
    sweep.settle();
}

#[test]
fn a_kill_at_any_call_leaves_a_complete_file_or_none() {
    require_strace!();
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let case = Case::new(&long_recording(directory.path()), "x.folded", "x-2.folded");
    let whole_or_none = |scene: &Scene, _: &Run| match fs::read(scene.output()) {
        Ok(bytes) => check(bytes == case.whole, "half a file"),
        // The unfinished one stays, and is private.
        Err(_) => check(scene.names().iter().all(|name| is_unfinished(name)), "a file of no kind"),
    };
    let mut sweep = Sweep::default();
    for call in case.scene().run().call_names() {
        sweep.over(&call, "signal=KILL", || case.scene(), whole_or_none);
    }
    sweep.settle();
}

#[test]
fn a_short_write_is_gone_on_with_where_it_ended() {
    require_strace!();
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let case = Case::new(&long_recording(directory.path()), "x.folded", "x-2.folded");
    let mut sweep = Sweep::default();
    // strace says that 1000 bytes were written and writes none: so just those must be missing.
    sweep.over(
        "write",
        "retval=1000",
        || case.scene(),
        |scene, run| {
            let bytes = fs::read(scene.output()).map_err(|error| format!("{error}: {}", run.told))?;
            check(run.code == Some(0), "a short write is no failure")?;
            check(bytes == case.whole || is_without(&case.whole, &bytes, 1000), "not gone on with at its end")
        },
    );
    // A file that takes nothing at all has no room.
    sweep.over("write", "retval=0", || case.scene(), |scene, run| case.judge(scene, run, "", "write"));
    sweep.settle();
}

/// Whether `part` is `whole` without `length` bytes in one place.
fn is_without(whole: &[u8], part: &[u8], length: usize) -> bool {
    let same = |(a, b): &(&u8, &u8)| a == b;
    let head = whole.iter().zip(part).take_while(same).count();
    let tail = whole.iter().rev().zip(part.iter().rev()).take_while(same).count();
    part.len() + length == whole.len() && head + tail >= part.len()
}

#[test]
fn a_limit_on_the_size_of_files_leaves_nothing_behind() {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let input = long_recording(directory.path());
    let mut refused = 0;
    // Blocks of 512 bytes: the limit falls into the first write, between two, and into the last.
    for blocks in [0, 1, 127, 128, 129, 400] {
        let home = tempfile::tempdir().expect("there is room for a directory");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let args = ["record".as_ref(), input.as_os_str(), "-o".as_ref(), "x.folded".as_ref()];
        let output = crate::faults::shell(&script, home.path(), &args).output().expect("sh runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{blocks}: {told}");
        assert!(told.contains("x.folded") && told.contains("File too large"), "{blocks}: {told}");
        assert!(crate::faults::names_in(home.path()).is_empty(), "{blocks}: {told}");
        refused += 1;
    }
    crate::faults::tally(refused, refused);
}
