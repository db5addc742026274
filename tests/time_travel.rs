//! A journey through time on a real Node: record, quit, open the recording, go to the stall, mark it,
//! compare it with a quiet moment, take it away.

mod support;

use std::path::PathBuf;
use std::time::Duration;
use support::program::flametop;
use support::pty::PtyCommand;
use support::runtimes::require_node;
use support::target::Target;
use support::wait::wait_for;

const SOON: Duration = Duration::from_secs(20);

fn files_ending(directory: &tempfile::TempDir, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory.path()).expect("the directory exists");
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

#[test]
fn what_happened_is_recorded_found_again_compared_and_taken_away() {
    let node = require_node!(22);
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let target = Target::start_with(&node, &["--inspect-port=0"], "stalls.js", &[]);
    let pid = target.pid().to_string();

    let mut pty = PtyCommand::flametop(&[&pid, "--record=x.ftrec"]).current_dir(directory.path()).start();
    pty.wait_for_text("REC 00:08", SOON);
    pty.send("q");
    pty.wait_for_text("recording", SOON);
    pty.send("y");
    assert_eq!(pty.wait_exit(SOON).exit_code(), 0, "{}", pty.screen());
    pty.assert_given_back();
    assert!(target.is_alive());

    let mut pty = PtyCommand::flametop(&["x.ftrec"]).size(120, 40).current_dir(directory.path()).start();
    pty.wait_for_text("ENDED", SOON);
    // The longest delay is that of the longest block, and the flame there shows who it was.
    pty.send("P");
    pty.wait_for_text("FROZEN", SOON);
    pty.wait_for_text("block800", SOON);
    pty.send("mhere\r");
    pty.send("B");
    pty.wait_for_text("DIFF to", SOON);
    pty.send("[3");
    pty.wait_for_text("SELF WAS", SOON);
    pty.wait_for_text("block800", SOON);
    pty.send("d1w");
    wait_for("the export to be written", SOON, || !files_ending(&directory, ".cpu.pb.gz").is_empty());
    pty.send("q");
    assert_eq!(pty.wait_exit(SOON).exit_code(), 0, "{}", pty.screen());
    pty.assert_given_back();

    let export = files_ending(&directory, ".cpu.pb.gz").remove(0);
    let export = export.to_string_lossy();
    let diff = flametop(&["diff", &export, "x.ftrec", "--by", "share", "--json"], directory.path(), SOON);
    assert_eq!(diff.code, Some(0), "{}", diff.stderr);
    assert!(diff.json()["functions"].as_array().is_some_and(|functions| !functions.is_empty()));
    let report = flametop(&["report", "x.ftrec"], directory.path(), SOON);
    assert_eq!(report.code, Some(0), "{}", report.stderr);
}
