//! Undoing in a hurry what is pending. Apart from the other tests, for it undoes everything of its process.

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flametop::source::node::{AttachError, OpenOptions, open_inspector, undo};
use flametop::source::procfs::Process;
use flametop::source::undo_all;
use support::runtimes::require_node;
use support::wait::wait_for;

const PATIENCE: Duration = Duration::from_secs(10);

struct Target(Child);

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(node: &Path, script: &str) -> Target {
    let mut child = Command::new(node)
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

fn has_child(target: &Target) -> bool {
    let children = format!("/proc/{0}/task/{0}/children", target.0.id());
    std::fs::read_to_string(children).is_ok_and(|children| !children.is_empty())
}

/// Blocked in native code for five seconds; the inspector opens when that is over, after we have given up.
#[test]
fn an_inspector_that_opens_late_is_closed_and_so_is_an_attached_one() {
    let node = require_node!(26);
    let blocked = start(
        &node,
        "console.log('ready');setTimeout(()=>require('child_process').execSync('sleep 5'),1);setInterval(()=>{},50)",
    );
    let attached = start(&node, "console.log('ready');setInterval(()=>{},50)");
    wait_for("it is blocked", PATIENCE, || has_child(&blocked));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let error =
        runtime.block_on(open_inspector(blocked.0.id(), &OpenOptions::default())).expect_err("blocked");
    assert!(matches!(error, AttachError::OwnHandlerOrBlocked { .. }), "{error}");
    runtime.block_on(open_inspector(attached.0.id(), &OpenOptions::default())).expect("opens");
    assert_eq!(undo::pending().len(), 2);

    let told = undo_all(Duration::from_secs(2));
    assert_eq!(listeners(&attached), 0, "what answers is undone, whatever else is waited for");
    let [told] = told.as_slice() else { panic!("the blocked one cannot be undone yet: {told:?}") };
    assert!(
        told.starts_with(&format!("process {} was signalled and may still open", blocked.0.id())),
        "{told}"
    );

    // It opens while it is waited for.
    assert_eq!(undo_all(PATIENCE), Vec::<String>::new());
    assert!(!has_child(&blocked), "it opens only when it is free again");
    assert_eq!(listeners(&blocked), 0);
    assert!(undo::pending().is_empty());

    let since = Instant::now();
    assert!(undo_all(PATIENCE).is_empty());
    assert!(since.elapsed() < Duration::from_millis(5), "an empty registry costs nothing");
}
