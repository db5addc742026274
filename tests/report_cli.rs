//! `flametop report` and `flametop diff --html`: one file, complete, private, and of the part asked for.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use support::program::flametop;
use support::recorded::record_world;

const PATIENCE: Duration = Duration::from_secs(30);

fn world() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    record_world(&directory.path().join("w.ftrec"), 5, 30);
    directory
}

fn page(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(text.starts_with("<!") && text.trim_end().ends_with("</html>"), "{}", path.display());
    let mode = path.metadata().expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "{}", path.display());
    text
}

#[test]
fn a_report_is_one_file_named_after_its_input() {
    let directory = world();
    let ended = flametop(&["report", "w.ftrec"], directory.path(), PATIENCE);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("w.html"), "{}", ended.stderr);
    let whole = page(&directory.path().join("w.html"));
    assert!(whole.contains("default-src 'none'"), "a strict policy");
    let part = ["report", "w.ftrec", "--from", "+10s", "--to", "+12s", "-o", "part.html"];
    assert_eq!(flametop(&part, directory.path(), PATIENCE).code, Some(0));
    let part = page(&directory.path().join("part.html"));
    assert!(part.len() < whole.len(), "{} of {}", part.len(), whole.len());
}

#[test]
fn without_a_browser_it_says_how_to_fetch_the_report() {
    let directory = world();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_flametop"));
    command.args(["report", "w.ftrec", "--open"]).current_dir(directory.path());
    let output = command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("scp ") && said.contains("w.html"), "{said}");
}

#[test]
fn a_difference_is_a_report_of_both_sides() {
    let directory = world();
    let args = ["diff", "w.ftrec", "w.ftrec", "--base-to", "+10s", "--from", "+12s", "--html", "d.html"];
    let ended = flametop(&args, directory.path(), PATIENCE);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    page(&directory.path().join("d.html"));
    assert!(ended.stdout.contains("loadCatalog"), "the text comes too: {}", ended.stdout);
}

#[test]
fn a_place_that_cannot_be_written_is_refused_first() {
    let directory = world();
    let refused = flametop(&["report", "w.ftrec", "-o", "no/such/x.html"], directory.path(), PATIENCE);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint:"), "{}", refused.stderr);
}
