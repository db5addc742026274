//! The real program, run to its end: what it said, its exit code, its memory, and how long it took.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::harmless::assert_harmless;
use super::process::peak_resident_kib;
use super::tally::count;
use super::wait::poll;

/// The memory that no input may drive it beyond.
const MOST_KIB: u64 = 512 << 10;

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said beside that.
    pub stderr: String,
}

impl Ended {
    /// Its standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        let parsed = serde_json::from_str(&self.stdout);
        parsed.unwrap_or_else(|error| panic!("{error} in {:?}; it said {}", self.stdout, self.stderr))
    }
}

/// Runs flametop to its end. Whatever the input, it ends in time, without a panic, within its memory,
/// and with nothing harmful in what it says.
#[track_caller]
pub fn flametop(args: &[&str], directory: &Path, within: Duration) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flametop"));
    command.args(args).current_dir(directory).env("XDG_CONFIG_HOME", "/nonexistent");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built");
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let mut peak_kib = 0;
    let status = poll(within, || {
        peak_kib = peak_kib.max(peak_resident_kib(child.id()).unwrap_or(0));
        child.try_wait().expect("it is our child")
    });
    if status.is_none() {
        child.kill().and_then(|()| child.wait().map(drop)).expect("it is our child");
    }
    let text = |bytes: thread::JoinHandle<Vec<u8>>| {
        let bytes = bytes.join().expect("the reader does not panic");
        String::from_utf8(bytes).expect("only whole characters are printed")
    };
    let (stdout, stderr) = (text(stdout), text(stderr));
    let Some(status) = status else {
        panic!("{args:?} did not end within {within:?}: {stdout}{stderr}");
    };
    let ended = Ended { code: status.code(), stdout, stderr };
    assert!(ended.code.is_some_and(|code| code < 128), "{args:?} ended with {status}: {}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{args:?}: {}", ended.stderr);
    assert!(peak_kib < MOST_KIB, "{args:?} took {peak_kib} KiB");
    assert_harmless(&ended.stdout, &format!("standard output of {args:?}"));
    assert_harmless(&ended.stderr, &format!("standard error of {args:?}"));
    ended
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    let mut pipe = pipe.expect("it is piped");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks has said what it had to say.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

/// Tries each of `all` with `tried`, `at_once` at a time, and counts what was survived. Fails the test when
/// all are through, naming those that failed.
pub fn tally<T: Sync>(
    all: &[T],
    at_once: usize,
    name: impl Fn(&T) -> String + Sync,
    tried: impl Fn(&T) + Sync,
) {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..at_once.min(all.len()) {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let survived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| tried(one)));
                    if survived.is_err() {
                        failed.lock().expect("nobody panics while holding it").push(name(one));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("nobody panics while holding it");
    survived(all.len() - failed.len());
    assert!(failed.is_empty(), "not survived: {failed:?}");
}

/// Counts what was survived, under the name of the suite.
pub fn survived(number: usize) {
    count(&format!("{}, survived", env!("CARGO_CRATE_NAME").replace('_', " ")), number);
}
