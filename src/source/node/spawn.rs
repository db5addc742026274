//! Starts a Node command and reaches it before its first instruction.
//!
//! The child waits for us (`--inspect-brk`) on a port that the system chooses. Its output goes to a tail that is kept,
//! for the screen is ours while it runs.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::json;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::agent::Identity;
use super::cdp::Cdp;
use super::error::AttachError;
use super::open::Inspector;
use super::snippets::{IDENTIFY_CHILD, Nonce};
use super::undo;
use super::wire::Method;
use crate::source::procfs::Process;

/// Lines of output that are kept.
const TAIL_LINES: usize = 1000;
/// Bytes of a line that are kept; the rest of it is read and dropped.
const LINE_BYTES: usize = 4096;
/// How long Node may take to open its inspector; 42 to 193 ms were measured.
const OPENING: Duration = Duration::from_secs(10);
/// How long the child may take to end when it is told to, and its status to arrive when it has.
const ENDING: Duration = Duration::from_secs(1);
/// What Node says of its inspector, which is no word of the application.
const CHATTER: [&str; 5] = [
    "Debugger listening on ",
    "For help, see: https://nodejs.org/",
    "Debugger attached.",
    "Debugger ending on ",
    "Waiting for the debugger to disconnect...",
];

/// What is to be known of a command that was started, by whoever started it.
#[derive(Clone, Debug, Default)]
pub struct Run {
    exit: Arc<OnceLock<i32>>,
    tail: Arc<Mutex<VecDeque<String>>>,
}

impl Run {
    /// The command's exit code once it has ended; 128 and the signal's number if a signal ended it.
    pub fn exit_code(&self) -> Option<i32> {
        self.exit.get().copied()
    }

    /// The last lines it wrote. Text of the target: clean it before it is shown.
    pub fn tail(&self) -> Vec<String> {
        self.lines().iter().cloned().collect()
    }

    fn lines(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, line: String) {
        if CHATTER.iter().any(|chatter| line.starts_with(chatter)) {
            return;
        }
        let mut lines = self.lines();
        if lines.len() == TAIL_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn ended(&self, status: ExitStatus) {
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        // It ends once; a second word on it changes nothing.
        let _ = self.exit.set(code);
    }
}

/// A command that has started and waits for us.
#[derive(Debug)]
pub struct Spawned {
    /// How it is reached.
    pub inspector: Inspector,
    held: Held,
    run: Run,
}

/// A child that must not outlive us while it waits for us: nobody else would ever let it run.
#[derive(Debug)]
struct Held {
    child: Child,
    waits: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.waits {
            // It may have ended by itself, which is as good.
            let _ = self.child.start_kill();
        }
    }
}

/// Starts `words`, which must be a Node command, and waits for its inspector.
pub async fn spawn(words: &[String], run: &Run) -> Result<Spawned, AttachError> {
    let bad = |reason| AttachError::BadCommand { command: words.join(" "), reason };
    let (program, arguments) = words.split_first().ok_or_else(|| bad("it is empty".into()))?;
    if !is_node(program) {
        return Err(bad("only node itself can be started so".into()));
    }
    let child = Command::new(program)
        .arg("--inspect-brk=127.0.0.1:0")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-Z stops flametop's job, which a program under watch is no part of.
        .process_group(0)
        .spawn()
        .map_err(|error| bad(error.to_string()))?;
    let mut held = Held { child, waits: true };
    if let Some(stdout) = held.child.stdout.take() {
        tokio::spawn(collect(BufReader::new(stdout), run.clone()));
    }
    let stderr = held.child.stderr.take().ok_or_else(|| bad("it has no stderr".into()))?;
    let mut stderr = BufReader::new(stderr);
    let Ok(Some(url)) = timeout(OPENING, listening(&mut stderr, run)).await else {
        let said = run.tail().join("\n");
        return Err(bad(format!("it did not open its inspector; it said: {said}")));
    };
    tokio::spawn(collect(stderr, run.clone()));
    let pid = held.child.id().ok_or_else(|| bad("it ended at once".into()))?;
    let inspector = inspector(pid, &url).ok_or_else(|| bad(format!("its inspector is at {url}")))?;
    undo::arm(&inspector);
    Ok(Spawned { inspector, held, run: run.clone() })
}

fn is_node(program: &str) -> bool {
    let name = Path::new(program).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name == "node"
        || name == "nodejs"
        || name.strip_prefix("node").is_some_and(|rest| rest.parse::<f32>().is_ok())
}

/// Reads until Node says where it listens.
async fn listening(stderr: &mut (impl AsyncBufRead + Unpin), run: &Run) -> Option<String> {
    while let Some(line) = next_line(stderr).await {
        if let Some(url) = line.strip_prefix(CHATTER[0]) {
            return Some(url.trim().to_owned());
        }
        run.keep(line);
    }
    None
}

/// Drains a pipe to its end: the child would block on a full one, and die of a closed one.
async fn collect(mut pipe: impl AsyncBufRead + Unpin, run: Run) {
    while let Some(line) = next_line(&mut pipe).await {
        run.keep(line);
    }
}

/// The next line, or the beginning of a long one. A program may write anything: what is no UTF-8 is replaced.
async fn next_line(pipe: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    let mut any = false;
    loop {
        let bytes = pipe.fill_buf().await.unwrap_or_default();
        let newline = bytes.iter().position(|byte| *byte == b'\n');
        let length = newline.unwrap_or(bytes.len());
        any |= !bytes.is_empty();
        let over = bytes.is_empty() || newline.is_some();
        line.extend_from_slice(&bytes[..length.min(LINE_BYTES - line.len())]);
        pipe.consume(length + usize::from(newline.is_some()));
        if over {
            let text = line.strip_suffix(b"\r").unwrap_or(&line);
            return any.then(|| String::from_utf8_lossy(text).into_owned());
        }
    }
}

fn inspector(pid: u32, url: &str) -> Option<Inspector> {
    let (address, path) = url.strip_prefix("ws://")?.split_once('/')?;
    let address: SocketAddr = address.parse().ok()?;
    let process = Process::new(pid);
    Some(Inspector {
        address,
        path: format!("/{path}"),
        title: String::new(),
        process: process.identity().ok(),
        inner_pid: Some(process.status().ok()?.inner_pid),
        opened_by_us: true,
        nonce: Nonce::random(),
    })
}

impl Spawned {
    /// Connects to the child while it waits.
    pub async fn connect(&self) -> Result<(Cdp, Identity), AttachError> {
        let Inspector { address, path, .. } = &self.inspector;
        let protocol = |source| AttachError::Protocol { address: *address, source };
        let mut cdp = Cdp::connect(*address, path).await.map_err(protocol)?;
        undo::connected(&self.inspector, &cdp);
        let exit_notice = json!({ "enabled": true });
        cdp.send(Method::NodeRuntimeNotifyWhenWaitingForDisconnect, exit_notice).await.map_err(protocol)?;
        let identity: Identity = cdp.evaluate(IDENTIFY_CHILD, OPENING).await.map_err(protocol)?;
        let pid = self.inspector.inner_pid.unwrap_or(identity.pid);
        Ok((cdp, Identity { pid, ..identity }))
    }

    /// Notes that the child was told to run: from now on its life is its own.
    pub const fn let_go(&mut self) {
        self.held.waits = false;
    }

    /// Whether it still waits for us.
    pub const fn waits(&self) -> bool {
        self.held.waits
    }

    /// Waits a moment for the end of a child that is ending, and notes its exit code.
    pub async fn wait(&mut self) {
        if let Ok(Ok(status)) = timeout(ENDING, self.held.child.wait()).await {
            self.run.ended(status);
            undo::disarm(&self.inspector);
        }
    }

    /// Asks a child that was only started to be watched to end, as Ctrl-C in its terminal would have.
    pub async fn terminate(&mut self) {
        let pid = self.held.child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        if let Some(pid) = pid {
            // It may have ended by itself, which is as good.
            let _ = kill_process(pid, Signal::TERM);
        }
        self.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_goes_by_several_names_and_wrappers_do_not() {
        for node in ["node", "/usr/bin/node", "nodejs", "node22"] {
            assert!(is_node(node), "{node}");
        }
        for other in ["npm", "nodemon", "bash", ""] {
            assert!(!is_node(other), "{other}");
        }
    }

    #[test]
    fn the_tail_is_bounded_and_holds_the_applications_words_alone() {
        let run = Run::default();
        (0..TAIL_LINES + 5).for_each(|n| run.keep(n.to_string()));
        run.keep("Debugger attached.".into());
        assert_eq!(run.tail().len(), TAIL_LINES);
        assert_eq!(run.tail().last().map(String::as_str), Some("1004"));
    }

    #[tokio::test]
    async fn a_pipe_is_read_to_its_end_whatever_is_in_it() {
        let mut written = b"one\r\n\xff\xfe\n\n".to_vec();
        written.extend_from_slice(&[b'x'; 3 * LINE_BYTES]);
        written.extend_from_slice(b"\nDebugger attached.\nno newline");
        let run = Run::default();
        // A small buffer, so that lines come in pieces.
        collect(BufReader::with_capacity(7, written.as_slice()), run.clone()).await;
        let long = "x".repeat(LINE_BYTES);
        assert_eq!(run.tail(), ["one", "\u{fffd}\u{fffd}", "", &long, "no newline"]);
    }

    #[tokio::test]
    async fn what_is_buffered_when_the_address_is_found_is_not_lost() {
        let written = b"warning\nDebugger listening on ws://127.0.0.1:1/a\nmore\n".as_slice();
        let (run, mut pipe) = (Run::default(), BufReader::new(written));
        assert_eq!(listening(&mut pipe, &run).await.as_deref(), Some("ws://127.0.0.1:1/a"));
        collect(pipe, run.clone()).await;
        assert_eq!(run.tail(), ["warning", "more"]);
    }

    #[test]
    fn a_signal_is_an_exit_code_too() {
        let run = Run::default();
        run.ended(ExitStatus::from_raw(9));
        assert_eq!(run.exit_code(), Some(137));
    }
}
