//! Names and modes of files: private from the first byte, safe whatever they are made of, and never
//! shared by two writers.

use crate::faults::{Scene, names_in, shell, tally};
use crate::support::runtimes::require_strace;
use flametop::record::Reader;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Stdio};

const WRITERS: usize = 20;

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is room for a directory")
}

/// Writers that are all let go at once, when the file `go` appears, and what came of them: exit code
/// and standard error.
fn at_once(directory: &Path, args: &[&OsStr]) -> Vec<(Option<i32>, String)> {
    let gate = tempfile::tempdir().expect("there is room for a directory");
    let go = gate.path().join("go");
    let script = format!("until [ -e {} ]; do :; done; exec \"$0\" \"$@\"", go.display());
    let start = |_| shell(&script, directory, args).stderr(Stdio::piped()).spawn().expect("sh runs");
    let writers: Vec<Child> = (0..WRITERS).map(start).collect();
    fs::write(&go, "").expect("the gate is ours");
    let end = |writer: Child| {
        let output = writer.wait_with_output().expect("it ends");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    writers.into_iter().map(end).collect()
}

fn assert_whole(path: &Path) {
    let mut reader = Reader::open(path).expect("it is a recording");
    assert!(reader.about().finished, "{}", path.display());
    let events: Vec<_> = std::iter::from_fn(|| reader.next_event()).collect();
    assert!(events.len() > 1 && events.iter().all(Result::is_ok), "{events:?} in {}", path.display());
}

#[test]
fn files_are_private_whatever_the_umask() {
    let input = crate::profile();
    for umask in ["0", "022", "0777"] {
        for name in ["x.pb.gz", "x.folded", "x.ftrec"] {
            let home = directory();
            let args = ["record".as_ref(), input.as_os_str(), "-o".as_ref(), name.as_ref()];
            let script = format!("umask {umask}; exec \"$0\" \"$@\"");
            let output = shell(&script, home.path(), &args).output().expect("sh runs");
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{umask} {name}: {told}");
            let mode = fs::metadata(home.path().join(name)).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o7777, 0o600, "{umask} {name}");
        }
    }
    tally(9, 9);
}

#[test]
fn nothing_is_created_that_another_could_open_for_a_moment() {
    require_strace!();
    for name in ["x.pb.gz", "x.ftrec"] {
        let run = Scene::new(&crate::profile(), name).run();
        let created: Vec<&String> = run.calls.iter().filter(|call| call.contains("O_CREAT")).collect();
        assert!(!created.is_empty(), "{run:?}");
        let open = created.iter().find(|call| !call.contains("0600)") || !call.contains("O_CLOEXEC"));
        assert!(open.is_none(), "{open:?}");
        let follows = created.iter().find(|call| !call.contains("O_EXCL") && !call.contains("O_NOFOLLOW"));
        assert!(follows.is_none(), "{follows:?}");
    }
    tally(2, 2);
}

#[test]
fn names_made_of_data_stay_in_the_directory_and_harmless() {
    let names = ["a b;c.pb.gz", "\u{1b}[31m\u{7}.pb.gz", "$(id).pb.gz", "-..-..-", "函数", &"x".repeat(250)];
    for name in names {
        let (home, source) = (directory(), directory());
        let input = source.path().join(name);
        fs::copy(crate::profile(), &input).expect("any such name is allowed");
        let output =
            shell("exec \"$0\" \"$@\"", home.path(), &["record".as_ref(), input.as_os_str()]).output();
        let output = output.expect("sh runs");
        assert!(output.status.success(), "{name:?}: {output:?}");
        let found = names_in(home.path());
        assert_eq!(found.len(), 1, "{name:?}: {found:?}");
        let written = found.first().expect("one");
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        assert!(written.chars().all(plain) && written.starts_with("flametop-"), "{name:?}: {written:?}");
        assert!(Path::new(written).extension().is_some_and(|end| end == "ftrec"), "{name:?}: {written:?}");
        assert_whole(&home.path().join(written));
    }
    tally(names.len() as u32, names.len() as u32);
}

#[test]
fn twenty_writers_of_one_name_get_a_file_each() {
    let home = directory();
    let input = crate::profile();
    let written =
        at_once(home.path(), &["record".as_ref(), input.as_os_str(), "-o".as_ref(), "x.pb.gz".as_ref()]);
    let expected: BTreeSet<String> = (1..=WRITERS)
        .map(|number| if number == 1 { "x.pb.gz".into() } else { format!("x-{number}.pb.gz") })
        .collect();
    assert_eq!(names_in(home.path()), expected);
    let told: BTreeSet<String> = written.iter().map(|(_, told)| told.clone()).collect();
    assert_eq!(told.len(), WRITERS, "two were told the same name: {told:?}");
    let files: Vec<_> = expected.iter().map(|name| home.path().join(name)).collect();
    let first = fs::read(&files[0]).expect("it is there");
    assert!(files.iter().all(|file| fs::read(file).is_ok_and(|bytes| bytes == first)));
    let inodes: BTreeSet<u64> =
        files.iter().map(|file| fs::metadata(file).expect("it is there").ino()).collect();
    assert_eq!(inodes.len(), WRITERS);
    tally(WRITERS as u32, WRITERS as u32);
}

#[test]
fn twenty_recorders_of_one_name_make_one_recording() {
    let home = directory();
    let input = crate::profile();
    let written =
        at_once(home.path(), &["record".as_ref(), input.as_os_str(), "-o".as_ref(), "x.ftrec".as_ref()]);
    let (done, refused): (Vec<_>, Vec<_>) = written.into_iter().partition(|(code, _)| *code == Some(0));
    assert_eq!(done.len(), 1, "{refused:?}");
    let is_told =
        |(code, told): &(Option<i32>, String)| *code == Some(1) && told.contains("x.ftrec exists already");
    assert!(refused.iter().all(is_told), "{refused:?}");
    assert_eq!(names_in(home.path()).len(), 1, "{:?}", names_in(home.path()));
    assert_whole(&home.path().join("x.ftrec"));
    tally(WRITERS as u32, WRITERS as u32);
}

#[test]
fn twenty_recorders_without_a_name_make_twenty_recordings() {
    let home = directory();
    let input = crate::profile();
    let written = at_once(home.path(), &["record".as_ref(), input.as_os_str()]);
    assert!(written.iter().all(|(code, _)| *code == Some(0)), "{written:?}");
    let names = names_in(home.path());
    assert_eq!(names.len(), WRITERS, "{names:?}");
    names.iter().for_each(|name| assert_whole(&home.path().join(name)));
    tally(WRITERS as u32, WRITERS as u32);
}
