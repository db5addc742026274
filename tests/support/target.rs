//! A real Node process running a program of `tests/targets`, with its output readable line by line.
//!
//! It lives in a process group of its own and dies with the [`Target`], children included.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::process;
use super::wait::{poll, wait_for, wait_for_value};

/// Long enough for a Node to start on a loaded machine.
pub const START: Duration = Duration::from_secs(10);

/// The path of a program in `tests/targets`.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets").join(name)
}

/// A running Node process.
pub struct Target {
    child: Child,
    stdout: Lines,
    stderr: Lines,
    /// How many lines of stdout [`Target::wait_line`] has given away.
    read: usize,
}

impl Target {
    /// Starts a program of `tests/targets` and waits until it says `ready`.
    #[track_caller]
    pub fn start(node: &Path, program: &str, args: &[&str]) -> Target {
        Target::start_with(node, &[], program, args)
    }

    /// The same with options for Node itself, such as `--inspect=0`.
    #[track_caller]
    pub fn start_with(node: &Path, node_args: &[&str], program: &str, args: &[&str]) -> Target {
        let mut command = Command::new(node);
        command.args(node_args).arg(script(program)).args(args);
        let mut target = Target::spawn(command);
        target.wait_line("ready", START);
        target
    }

    /// Starts any command; it need not say `ready`.
    #[track_caller]
    pub fn spawn(mut command: Command) -> Target {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command.env_remove("NODE_OPTIONS");
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
        let stdout = Lines::collect(child.stdout.take().expect("stdout is piped"));
        let stderr = Lines::collect(child.stderr.take().expect("stderr is piped"));
        Target { child, stdout, stderr, read: 0 }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// True while the process runs.
    pub fn is_alive(&self) -> bool {
        process::is_alive(self.pid())
    }

    /// Waits for the next line of stdout, after those already waited for, that starts with `prefix`.
    #[track_caller]
    pub fn wait_line(&mut self, prefix: &str, within: Duration) -> String {
        let found = poll(within, || self.stdout.find_from(self.read, prefix));
        let Some((index, line)) = found else {
            panic!("waited {within:?} in vain for a line {prefix:?} {}", self.what_it_said());
        };
        self.read = index + 1;
        line
    }

    /// The port that `server.js` printed as `ready PORT`.
    #[track_caller]
    pub fn port(&self) -> u16 {
        let (_, line) = self.stdout.find_from(0, "ready ").expect("the program prints `ready PORT`");
        line["ready ".len()..].trim().parse().expect("a port follows `ready`")
    }

    /// Everything written to stdout so far.
    pub fn stdout_text(&self) -> String {
        self.stdout.text()
    }

    /// Everything written to stderr so far.
    pub fn stderr_text(&self) -> String {
        self.stderr.text()
    }

    /// Sends a signal to the process.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        kill_process(self.rustix_pid(), signal).expect("the target can be signalled");
    }

    /// Asks a program that requires `report.js` for its state, without the inspector.
    #[track_caller]
    pub fn report(&mut self) -> serde_json::Value {
        self.signal(Signal::USR2);
        self.line_as_json("report ")
    }

    /// Ends a program that states its truth on SIGTERM and returns that truth.
    #[track_caller]
    pub fn truth(&mut self) -> serde_json::Value {
        self.signal(Signal::TERM);
        self.line_as_json("truth ")
    }

    /// Waits for the end of the process.
    #[track_caller]
    pub fn wait_exit(&mut self, within: Duration) -> ExitStatus {
        let child = &mut self.child;
        wait_for_value("the target's end", within, || child.try_wait().expect("the target is our child"))
    }

    /// Waits until the process listens on a port beyond `known`, as an inspector that opens does.
    #[track_caller]
    pub fn wait_new_port(&self, known: &[u16], within: Duration) -> u16 {
        wait_for_value("a new listening port", within, || {
            process::listening_ports(self.pid()).into_iter().find(|port| !known.contains(port))
        })
    }

    /// Waits until the process listens on exactly `ports`, as before somebody attached.
    #[track_caller]
    pub fn wait_ports(&self, ports: &[u16], within: Duration) {
        let what = format!("the target to listen on {ports:?} alone");
        wait_for(&what, within, || process::listening_ports(self.pid()) == ports);
    }

    #[track_caller]
    fn line_as_json(&mut self, prefix: &str) -> serde_json::Value {
        let line = self.wait_line(prefix, START);
        serde_json::from_str(&line[prefix.len()..]).expect("the target prints JSON")
    }

    fn rustix_pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn what_it_said(&self) -> String {
        format!("\n--- its stdout:\n{}--- its stderr:\n{}", self.stdout_text(), self.stderr_text())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // Both fail when the process has ended already, which is as good.
        let _ = kill_process_group(self.rustix_pid(), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// The lines of a pipe, collected by a thread so that the target never blocks on writing.
#[derive(Clone)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn collect(pipe: impl Read + Send + 'static) -> Lines {
        let lines = Lines(Arc::default());
        let shared = lines.clone();
        thread::spawn(move || {
            let whole_lines = BufReader::new(pipe).split(b'\n').map_while(Result::ok);
            whole_lines.for_each(|line| shared.push(String::from_utf8_lossy(&line).into_owned()));
        });
        lines
    }

    fn push(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn snapshot(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn find_from(&self, start: usize, prefix: &str) -> Option<(usize, String)> {
        self.snapshot().into_iter().enumerate().skip(start).find(|(_, line)| line.starts_with(prefix))
    }

    fn text(&self) -> String {
        self.snapshot().iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}
