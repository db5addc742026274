//! The runtimes that tests need beyond Rust: where they are, and what happens when one is missing.
//!
//! `tests/all` installs them and sets `FLAMETOP_NO_SKIP`, and then a missing one fails the test. Plain
//! `cargo test` also finds what was installed earlier or lies on `PATH`; for the rest it says in
//! capitals what could not run, on the real stderr (which the test harness does not capture) and in
//! `target/skipped.txt`.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

/// The Node majors that flametop promises to work on.
pub const ALL_NODES: &[u32] = &[18, 20, 22, 24, 26];

/// The `node` of a major version, or return from the test, loudly.
macro_rules! require_node {
    ($major:expr) => {
        match $crate::support::runtimes::node_or_skip($major) {
            Some(node) => node,
            None => return,
        }
    };
}

/// The `go` command, or return from the test, loudly.
macro_rules! require_go {
    () => {
        match $crate::support::runtimes::go_or_skip() {
            Some(go) => go,
            None => return,
        }
    };
}

/// The `tmux` command, or return from the test, loudly.
macro_rules! require_tmux {
    () => {
        match $crate::support::runtimes::tmux_or_skip() {
            Some(tmux) => tmux,
            None => return,
        }
    };
}

/// Return from the test, loudly, unless there is an `strace` that may trace.
macro_rules! require_strace {
    () => {
        if $crate::support::runtimes::strace_or_skip().is_none() {
            return;
        }
    };
}

/// A Chromium, or return from the test, loudly.
macro_rules! require_chromium {
    () => {
        match $crate::support::runtimes::chromium_or_skip() {
            Some(chromium) => chromium,
            None => return,
        }
    };
}

pub(crate) use {require_chromium, require_go, require_node, require_strace, require_tmux};

/// Every Node there is out of [`ALL_NODES`]; each missing one is reported as a skip.
pub fn every_node() -> Vec<(u32, PathBuf)> {
    let present = |&major: &u32| node_or_skip(major).map(|node| (major, node));
    ALL_NODES.iter().filter_map(present).collect()
}

/// The `node` of a major version: from `tests/all`, else from `PATH` if it happens to be that major.
pub fn node(major: u32) -> Option<PathBuf> {
    let installed = runtimes_dir().join(format!("node{major}/bin/node"));
    if installed.exists() {
        return Some(installed);
    }
    let on_path = on_path("node")?;
    (node_major(&on_path) == Some(major)).then_some(on_path)
}

/// The `go` command: from `tests/all`, else from `PATH`.
pub fn go() -> Option<PathBuf> {
    let installed = runtimes_dir().join("go/bin/go");
    if installed.exists() { Some(installed) } else { on_path("go") }
}

/// `bun` or `deno` from `tests/all`; each that is missing is reported as a skip.
pub fn other(name: &str) -> Option<PathBuf> {
    let installed = runtimes_dir().join(name).join("bin").join(name);
    if installed.exists() { Some(installed) } else { skip(name) }
}

/// A file of the viewers that `tests/all` fetches from npm, by its path within `node_modules`.
pub fn viewer_or_skip(path: &str) -> Option<PathBuf> {
    let installed = runtimes_dir().join("viewers/node_modules").join(path);
    if installed.exists() { Some(installed) } else { skip("the viewers of profiles from npm") }
}

/// What [`require_node!`] asks for.
pub fn node_or_skip(major: u32) -> Option<PathBuf> {
    node(major).or_else(|| skip(&format!("Node {major}")))
}

/// What [`require_go!`] asks for.
pub fn go_or_skip() -> Option<PathBuf> {
    go().or_else(|| skip("Go"))
}

/// What [`require_tmux!`] asks for.
pub fn tmux_or_skip() -> Option<PathBuf> {
    on_path("tmux").or_else(|| skip("tmux"))
}

/// What [`require_chromium!`] asks for, under any of the names it goes by.
pub fn chromium_or_skip() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    names.into_iter().find_map(on_path).or_else(|| skip("Chromium"))
}

/// Being root, who can become any user.
pub fn root_or_skip() -> Option<()> {
    rustix::process::geteuid().is_root().then_some(()).or_else(|| skip("root").map(drop))
}

/// What [`require_strace!`] asks for: a container may have the command and forbid its use.
pub fn strace_or_skip() -> Option<PathBuf> {
    let traces = |strace: &PathBuf| {
        let status = Command::new(strace).args(["-D", "-o", "/dev/null", "true"]).status();
        status.is_ok_and(|status| status.success())
    };
    on_path("strace").filter(traces).or_else(|| skip("strace, and the right to trace"))
}

/// Mount namespaces of one's own, for a small file system without being root: whether there are any.
pub fn namespaces_or_skip() -> Option<PathBuf> {
    let unshare = on_path("unshare");
    let tried = |unshare: &PathBuf| {
        let status = Command::new(unshare).args(["--user", "--map-root-user", "--mount", "true"]).status();
        status.is_ok_and(|status| status.success())
    };
    unshare.filter(tried).or_else(|| skip("unprivileged mount namespaces (unshare)"))
}

/// SQLite's own shell.
pub fn sqlite_or_skip() -> Option<PathBuf> {
    on_path("sqlite3").or_else(|| skip("the shell of SQLite (sqlite3)"))
}

/// `target`, wherever cargo was told to put it: `CARGO_TARGET_TMPDIR` is its `tmp`.
fn target_dir() -> PathBuf {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tmp.parent().unwrap_or(tmp).to_path_buf()
}

fn runtimes_dir() -> PathBuf {
    env::var_os("FLAMETOP_RUNTIMES").map_or_else(|| target_dir().join("runtimes"), PathBuf::from)
}

fn on_path(command: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(command)).find(|file| file.is_file())
}

fn node_major(node: &Path) -> Option<u32> {
    let output = Command::new(node).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn skip(needed: &str) -> Option<PathBuf> {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let notice = format!("SKIPPED {test}: NEEDS {needed} (run tests/all)\n");
    assert!(
        env::var_os("FLAMETOP_NO_SKIP").is_none(),
        "{test} needs {needed}, and FLAMETOP_NO_SKIP forbids to skip it"
    );
    // A notice that cannot be written must not fail the test it speaks of.
    let _ = io::stderr().write_all(notice.as_bytes());
    let _ = remember_skip(&notice);
    None
}

/// Keeps each notice once, however often the tests are run.
fn remember_skip(notice: &str) -> io::Result<()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    let path = target_dir().join("skipped.txt");
    if fs::read_to_string(&path).is_ok_and(|known| known.contains(notice)) {
        return Ok(());
    }
    OpenOptions::new().create(true).append(true).open(path)?.write_all(notice.as_bytes())
}
