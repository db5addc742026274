//! Recording by hand: `record --manual`, `flametop toggle`, and the processes that it leaves alone.

mod support;

use flametop::feed::Feed;
use flametop::record::Reader;
use rustix::process::Signal;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use support::runtimes::namespaces_or_skip;
use support::target::Target;
use support::wait::wait_for;

const SOON: Duration = Duration::from_secs(20);
const FLAMETOP: &str = env!("CARGO_BIN_EXE_flametop");

/// The built-in workload, as something to watch; it ends with the test.
struct Workload {
    child: Child,
    address: String,
}

impl Workload {
    fn start() -> Workload {
        let mut child = Command::new(FLAMETOP)
            .arg("demo-workload")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary was built");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("is piped")).read_line(&mut line).expect("it speaks");
        let address = line.trim_end().trim_start_matches("listening ").to_owned();
        Workload { child, address }
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `flametop record --manual`, once it waits to be toggled.
fn by_hand(workload: &Workload, output: &Path, args: &[&str]) -> Target {
    let mut command = Command::new(FLAMETOP);
    command.args(["record", &workload.address, "-o"]).arg(output).args(args);
    let recorder = Target::spawn(command);
    let begun = |text: &str| text.contains("waiting: flametop toggle") || text.contains("recording to");
    wait_for("the recorder", SOON, || begun(&recorder.stderr_text()));
    recorder
}

fn toggle(pid: u32) -> Output {
    Command::new(FLAMETOP).args(["toggle", &pid.to_string()]).output().expect("the binary was built")
}

#[track_caller]
fn toggled(recorder: &Target, words: &str) {
    let output = toggle(recorder.pid());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains(words), "{told}");
}

#[track_caller]
fn refused(pid: u32, code: i32, words: &str) {
    let output = toggle(pid);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(told.contains(words) && told.contains("hint:"), "{told}");
}

fn windows(path: &Path) -> usize {
    let Ok(mut reader) = Reader::open(path) else { return 0 };
    let events = std::iter::from_fn(|| reader.next_event()).flatten();
    events.filter(|event| matches!(event.feed, Feed::Window(_))).count()
}

#[test]
fn each_time_it_is_toggled_on_is_a_file_of_its_own() {
    let workload = Workload::start();
    let directory = tempfile::tempdir().expect("a directory");
    let (first, second) = (directory.path().join("x.ftrec"), directory.path().join("x-2.ftrec"));
    let mut recorder = by_hand(&workload, &first, &["--manual"]);
    assert!(!first.exists(), "nobody asked for it yet");
    toggled(&recorder, &format!("records to {}", first.display()));
    wait_for("a window", SOON, || windows(&first) > 0);
    toggled(&recorder, &format!("has completed {}", first.display()));
    let recorded = windows(&first);
    assert!(Reader::open(&first).expect("opens").about().finished);
    toggled(&recorder, &format!("records to {}", second.display()));
    wait_for("a window", SOON, || windows(&second) > 0);
    assert_eq!(windows(&first), recorded, "what is complete does not change");
    recorder.signal(Signal::INT);
    assert_eq!(recorder.wait_exit(SOON).code(), Some(0), "{}", recorder.stderr_text());
    assert!(Reader::open(&second).expect("opens").about().finished);
    assert_eq!(std::fs::read_dir(directory.path()).expect("lists").count(), 2);
}

#[test]
fn what_records_from_the_start_ends_one_file_and_begins_the_next() {
    let workload = Workload::start();
    let directory = tempfile::tempdir().expect("a directory");
    let (first, second) = (directory.path().join("x.ftrec"), directory.path().join("x-2.ftrec"));
    let mut recorder = by_hand(&workload, &first, &[]);
    wait_for("the file", SOON, || first.exists());
    toggled(&recorder, &format!("has completed {}", first.display()));
    toggled(&recorder, &format!("records to {}", second.display()));
    recorder.signal(Signal::INT);
    assert_eq!(recorder.wait_exit(SOON).code(), Some(0), "{}", recorder.stderr_text());
    for path in [first, second] {
        assert!(Reader::open(&path).expect("opens").about().finished);
    }
}

#[test]
fn nobody_toggled_it_and_that_is_told() {
    let workload = Workload::start();
    let directory = tempfile::tempdir().expect("a directory");
    let mut recorder = by_hand(&workload, &directory.path().join("x.ftrec"), &["--manual"]);
    recorder.signal(Signal::INT);
    assert_eq!(recorder.wait_exit(SOON).code(), Some(0));
    assert!(recorder.stderr_text().contains("nothing was recorded"), "{}", recorder.stderr_text());
    assert_eq!(std::fs::read_dir(directory.path()).expect("lists").count(), 0);
}

#[test]
fn nobody_else_is_signalled() {
    let workload = Workload::start();
    refused(workload.child.id(), 3, "records nothing");
    let mut command = Command::new("sleep");
    command.arg("60");
    let sleeper = Target::spawn(command);
    refused(sleeper.pid(), 3, "is not flametop");
    // Of that name, but the signal would end it.
    let directory = tempfile::tempdir().expect("a directory");
    let impostor = directory.path().join("flametop");
    std::fs::copy("/bin/sleep", &impostor).expect("copies");
    let mut command = Command::new(&impostor);
    command.arg("60");
    let impostor = Target::spawn(command);
    wait_for("it runs its own program", SOON, || {
        std::fs::read_link(format!("/proc/{}/exe", impostor.pid())).is_ok_and(|exe| exe.ends_with("flametop"))
    });
    refused(impostor.pid(), 1, "does not listen");
    refused(4_194_303, 3, "does not exist");
    assert!(sleeper.is_alive() && impostor.is_alive());
}

#[test]
fn of_several_one_must_be_named() {
    let workload = Workload::start();
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    let recorders = ["a.ftrec", "b.ftrec"].map(|name| by_hand(&workload, &path(name), &["--manual"]));
    let output = Command::new(FLAMETOP).arg("toggle").output().expect("the binary was built");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    for recorder in &recorders {
        assert!(told.contains(&recorder.pid().to_string()), "{told}");
    }
    assert!(told.contains("flametop toggle PID"), "{told}");
    assert_eq!(std::fs::read_dir(directory.path()).expect("lists").count(), 0, "none was toggled");
}

#[test]
fn where_none_is_running_that_is_told() {
    let Some(unshare) = namespaces_or_skip() else { return };
    let alone = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", FLAMETOP, "toggle"];
    let output = Command::new(unshare).args(alone).output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("no flametop of yours") && told.contains("--manual"), "{told}");
}
