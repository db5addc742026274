//! Undoing in a hurry what is pending. Apart from the other tests, for it undoes everything of its process.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flametop::source::node::{AttachError, OpenOptions, open_inspector, undo};
use flametop::source::procfs::Process;

const PATIENCE: Duration = Duration::from_secs(10);

struct Target(Child);

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn node() -> PathBuf {
    let root = std::env::var_os("FLAMETOP_RUNTIMES")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/runtimes"), PathBuf::from);
    let newest = root.join("node26/bin/node");
    if newest.is_file() { newest } else { "/usr/bin/node".into() }
}

fn start(script: &str) -> Target {
    let mut child = Command::new(node())
        .args(["--inspect-port=0", "-e", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("node starts");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("it speaks");
    Target(child)
}

fn listeners(target: &Target) -> usize {
    Process::new(target.0.id()).listeners().expect("it can be read").len()
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Blocked in native code for two seconds; the inspector opens when that is over, after we have given up.
#[test]
fn an_inspector_that_opens_late_is_closed_and_so_is_an_attached_one() {
    let blocked = start(
        "console.log('ready');setTimeout(()=>require('child_process').execSync('sleep 2'),1);setInterval(()=>{},50)",
    );
    let attached = start("console.log('ready');setInterval(()=>{},50)");
    std::thread::sleep(Duration::from_millis(100));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let error =
        runtime.block_on(open_inspector(blocked.0.id(), &OpenOptions::default())).expect_err("blocked");
    assert!(matches!(error, AttachError::OwnHandlerOrBlocked { .. }), "{error}");
    runtime.block_on(open_inspector(attached.0.id(), &OpenOptions::default())).expect("opens");
    assert_eq!(undo::pending().len(), 2);

    let failed = undo::undo_all(Duration::from_secs(2));
    assert_eq!(failed.len(), 1, "the blocked one cannot be undone yet: {failed:?}");
    wait_until("the attached one is closed", || listeners(&attached) == 0);

    wait_until("the blocked one opens", || listeners(&blocked) == 1);
    assert!(undo::undo_all(Duration::from_secs(2)).is_empty());
    wait_until("it is closed", || listeners(&blocked) == 0);
    assert!(undo::pending().is_empty());
}
