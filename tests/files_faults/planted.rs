//! Traps at every name that a run uses: links to somebody's file, pipes, devices, directories. None is
//! written through, none is waited at, and what cannot be a file is refused with a way out.

use crate::faults::{names_in, shell, tally};
use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const PRECIOUS: &[u8] = b"precious, and long enough that a cut would show";

/// A way to be tricked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trap {
    Link,
    HardLink,
    DanglingLink,
    LinkToDevice,
    Pipe,
    Directory,
    Socket,
}

const TRAPS: &[Trap] = &[
    Trap::Link,
    Trap::HardLink,
    Trap::DanglingLink,
    Trap::LinkToDevice,
    Trap::Pipe,
    Trap::Directory,
    Trap::Socket,
];

/// A directory to write into, and somebody's file and a free name outside of it.
struct Home {
    directory: TempDir,
    outside: TempDir,
}

impl Home {
    fn new() -> Home {
        let directory =
            || tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("there is room for a directory");
        let home = Home { directory: directory(), outside: directory() };
        fs::write(home.victim(), PRECIOUS).expect("the directory is ours");
        home
    }

    fn victim(&self) -> PathBuf {
        self.outside.path().join("victim")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn plant(&self, trap: Trap, name: &str) {
        let path = self.path(name);
        let planted = match trap {
            Trap::Link => symlink(self.victim(), path),
            Trap::HardLink => fs::hard_link(self.victim(), path),
            Trap::DanglingLink => symlink(self.outside.path().join("nowhere"), path),
            Trap::LinkToDevice => symlink("/dev/full", path),
            Trap::Pipe => {
                let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo is everywhere");
                assert!(made.success());
                Ok(())
            }
            Trap::Directory => fs::create_dir(path),
            Trap::Socket => UnixListener::bind(path).map(drop),
        };
        planted.expect("the directory is ours");
    }

    /// Whether the trap is as it was planted, and nothing came of it.
    #[track_caller]
    fn assert_untouched(&self, trap: Trap, name: &str) {
        assert_eq!(fs::read(self.victim()).expect("it is there"), PRECIOUS, "{trap:?} {name}");
        assert_eq!(names_in(self.outside.path()).len(), 1, "{trap:?} {name}");
        let kind = fs::symlink_metadata(self.path(name)).expect("the trap is there").file_type();
        let is_kept = match trap {
            Trap::Link | Trap::DanglingLink | Trap::LinkToDevice => kind.is_symlink(),
            Trap::HardLink => kind.is_file(),
            Trap::Pipe => kind.is_fifo(),
            Trap::Directory => kind.is_dir() && names_in(&self.path(name)).is_empty(),
            Trap::Socket => kind.is_socket(),
        };
        assert!(is_kept, "{trap:?} {name} is now {kind:?}");
    }

    /// `flametop record PROFILE -o NAME` in the directory, after a line of shell.
    fn record(&self, name: &str, before: &str) -> Output {
        let input = crate::profile();
        let script = format!("{before}\nexec \"$0\" \"$@\"");
        let args = ["record".as_ref(), input.as_os_str(), "-o".as_ref(), name.as_ref()];
        shell(&script, self.directory.path(), &args).output().expect("sh runs")
    }
}

#[track_caller]
fn assert_written(home: &Home, output: &Output, name: &str) {
    let told = told(output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains(name), "{told}");
    assert!(fs::symlink_metadata(home.path(name)).expect("it was written").is_file());
    let top = shell("exec \"$0\" \"$@\"", home.directory.path(), &["top".as_ref(), name.as_ref()]).output();
    let top = String::from_utf8_lossy(&top.expect("sh runs").stdout).into_owned();
    assert!(top.contains("hot loop"), "{name} is not whole: {top}");
}

#[track_caller]
fn assert_refused(output: &Output, words: &[&str]) {
    let told = told(output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(words.iter().all(|word| told.contains(word)), "{words:?}: {told}");
    assert!(told.contains("hint:") || told.matches(": ").count() > 1, "no way out: {told}");
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_export_goes_beside_what_has_its_name() {
    for trap in TRAPS {
        let home = Home::new();
        home.plant(*trap, "x.pb.gz");
        let output = home.record("x.pb.gz", "");
        if matches!(trap, Trap::Pipe | Trap::Directory | Trap::Socket) {
            assert_refused(&output, &["x.pb.gz"]);
            assert_eq!(names_in(home.directory.path()).len(), 1, "{trap:?}");
        } else {
            assert_written(&home, &output, "x-2.pb.gz");
            assert_eq!(names_in(home.directory.path()).len(), 2, "{trap:?}");
        }
        home.assert_untouched(*trap, "x.pb.gz");
    }
    tally(TRAPS.len() as u32, TRAPS.len() as u32);
}

#[test]
fn a_recording_refuses_what_has_its_name() {
    for trap in TRAPS {
        let home = Home::new();
        home.plant(*trap, "x.ftrec");
        assert_refused(&home.record("x.ftrec", ""), &["x.ftrec", "exists already"]);
        home.assert_untouched(*trap, "x.ftrec");
        assert_eq!(names_in(home.directory.path()).len(), 1, "{trap:?}");
    }
    tally(TRAPS.len() as u32, TRAPS.len() as u32);
}

#[test]
fn the_names_that_a_recording_uses_beside_may_be_planted_too() {
    for beside in ["x.ftrec-journal", "x.ftrec-wal", "x.ftrec-shm"] {
        for trap in TRAPS {
            let home = Home::new();
            home.plant(*trap, beside);
            let output = home.record("x.ftrec", "");
            assert_refused(&output, &[beside, "exists already"]);
            home.assert_untouched(*trap, beside);
            assert_eq!(names_in(home.directory.path()).len(), 1, "{trap:?} {beside}: {}", told(&output));
        }
    }
    tally(3 * TRAPS.len() as u32, 3 * TRAPS.len() as u32);
}

#[test]
fn the_name_of_an_unfinished_file_may_be_planted_too() {
    for trap in TRAPS {
        let home = Home::new();
        // Every name of a process yet to come could be planted; the shell knows which one it will be.
        home.plant(*trap, "planted");
        let plant = "for n in '' -0.part -1.part; do mv -T planted .flametop-$$$n 2>/dev/null || \
                     cp -aT .flametop-$$ .flametop-$$$n 2>/dev/null || :; done; echo $$ >&2";
        let output = home.record("x.pb.gz", plant);
        let pid = told(&output).lines().next().expect("the shell told it").to_owned();
        assert_written(&home, &output, "x.pb.gz");
        home.assert_untouched(*trap, &format!(".flametop-{pid}"));
    }
    tally(TRAPS.len() as u32, TRAPS.len() as u32);
}

#[test]
fn a_device_or_a_directory_is_refused_before_sampling() {
    // A target that does not exist: the place is looked at first.
    for (name, words) in [
        ("/dev/full", "a device"),
        ("/dev/null", "a device"),
        ("/tmp", "a directory"),
        ("new/", "a directory"),
    ] {
        let home = Home::new();
        let args = ["record", "4194303", "--for", "1h", "-o", name].map(AsRef::as_ref);
        let output = shell("exec \"$0\" \"$@\"", home.directory.path(), &args).output().expect("sh runs");
        assert_refused(&output, &[name.trim_end_matches('/'), words]);
        assert!(names_in(home.directory.path()).is_empty());
    }
    tally(4, 4);
}

#[test]
fn a_full_device_at_standard_output_is_a_failure() {
    let home = Home::new();
    let input = crate::profile();
    for (command, args) in [("top", vec![input.as_os_str()]), ("list", vec![]), ("man", vec![])] {
        let args: Vec<_> = std::iter::once(command.as_ref()).chain(args).collect();
        let output =
            shell("exec \"$0\" \"$@\" >/dev/full", home.directory.path(), &args).output().expect("sh runs");
        assert_eq!(output.status.code(), Some(1), "{command}: {output:?}");
        assert!(told(&output).contains("No space left"), "{command}: {output:?}");
    }
    tally(3, 3);
}

/// So that a test that plants nothing where it thinks it does cannot pass.
#[test]
fn traps_are_what_they_say() {
    let home = Home::new();
    for (at, trap) in TRAPS.iter().enumerate() {
        let name = format!("trap{at}");
        home.plant(*trap, &name);
        home.assert_untouched(*trap, &name);
    }
    assert!(fs::write(Path::new("/dev/full"), "x").is_err());
}
