//! Why an attach or a call failed: one variant for each thing that really happens.
//!
//! The texts are fragments that fit after "failed to attach: "; [`AttachError::hint`] says what the user can do. What
//! the other side said is in them made safe to show and cut, for it may be anything, of any length.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::geteuid;
use thiserror::Error;

use super::wire::Method;
use crate::profile::clean_path;
use crate::source::procfs::{ProcError, SocketOwner};

/// Why a target could not be attached.
#[derive(Debug, Error)]
pub enum AttachError {
    /// There is no such process, or it has already ended.
    #[error("there is no process {pid}")]
    NoSuchProcess {
        /// The PID asked for.
        pid: u32,
    },
    /// The kernel keeps us away from the process.
    #[error("not permitted to attach to process {pid} of user {uid}")]
    NotPermitted {
        /// The PID asked for.
        pid: u32,
        /// Whom the process belongs to, as a number or "unknown".
        uid: String,
    },
    /// The process is something else.
    #[error("process {pid} ({}) is not Node.js", clean_path(command))]
    NotNode {
        /// The PID asked for.
        pid: u32,
        /// What it is.
        command: String,
    },
    /// Bun has another engine and would die of the signal that opens Node's inspector.
    #[error(
        "process {pid} is Bun, which has no V8 inspector and would be killed by the signal that opens Node's"
    )]
    Bun {
        /// The PID asked for.
        pid: u32,
    },
    /// Deno is not supported yet.
    #[error("process {pid} is Deno, which is not supported yet")]
    Deno {
        /// The PID asked for.
        pid: u32,
    },
    /// The target was told not to open its inspector on SIGUSR1.
    #[error("process {pid} does not open its inspector on SIGUSR1, so it was not signalled")]
    SignalDisabled {
        /// The PID asked for.
        pid: u32,
    },
    /// The target has only just started and does not catch SIGUSR1 yet.
    #[error(
        "process {pid} has just started and does not catch SIGUSR1 yet (waited {waited:?}), so it was not signalled"
    )]
    TooYoung {
        /// The PID asked for.
        pid: u32,
        /// How long we waited.
        waited: Duration,
    },
    /// The target is stopped (SIGSTOP, Ctrl-Z, a debugger).
    #[error("process {pid} is stopped, so it was not signalled")]
    Stopped {
        /// The PID asked for.
        pid: u32,
    },
    /// The port on which the target would open its inspector is in use.
    #[error(
        "port {port}, on which process {pid} would open its inspector, is held by {owner}; it was not signalled"
    )]
    PortTaken {
        /// The PID asked for.
        pid: u32,
        /// The port.
        port: u16,
        /// Who holds it.
        owner: SocketOwner,
    },
    /// The target leads a cluster, and Node passes the signal on to all its workers.
    #[error(
        "process {pid} is the primary of a cluster: the signal would open the debug ports of its workers \
         ({}) too and leave them open, so it was not signalled",
        listed(workers)
    )]
    ClusterPrimary {
        /// The PID asked for.
        pid: u32,
        /// Its workers.
        workers: Vec<u32>,
    },
    /// The application would get the signal instead of Node.
    #[error("process {pid} handles SIGUSR1 itself, so it was not signalled")]
    OwnHandler {
        /// The PID asked for.
        pid: u32,
    },
    /// We signalled, and no inspector came up in time.
    #[error(
        "process {pid} opened no inspector within {waited:?}: it handles SIGUSR1 itself, or is blocked in native code \
         (thread state {state})"
    )]
    OwnHandlerOrBlocked {
        /// The PID asked for.
        pid: u32,
        /// How long we waited.
        waited: Duration,
        /// The state letter of the main thread, R for computing, S or D for waiting.
        state: char,
    },
    /// The target ended while we attached.
    #[error("process {pid} ended while flametop attached")]
    Exited {
        /// The PID asked for.
        pid: u32,
    },
    /// Another process than the one asked for answers: PID reuse, exec, or somebody else's port.
    #[error("expected process {expected} behind the inspector at {address}, found {found}")]
    WrongProcess {
        /// Where we asked.
        address: SocketAddr,
        /// The PID we wanted, as its own namespace counts.
        expected: u32,
        /// What answered.
        found: String,
    },
    /// The process lives in another network namespace (a container), where its inspector cannot be reached from here.
    #[error("process {pid} lives in another network namespace (a container)")]
    OtherNetworkNamespace {
        /// The PID asked for.
        pid: u32,
    },
    /// The address given cannot be read.
    #[error("{text:?} is not the address of an inspector: {reason}")]
    BadAddress {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The command given cannot be started and watched from its first instruction.
    #[error("`{command}` can't be started under flametop: {reason}")]
    BadCommand {
        /// The command.
        command: String,
        /// Why not.
        reason: String,
    },
    /// Nobody listens there.
    #[error("nothing can be reached at {address}")]
    Unreachable {
        /// Where we asked.
        address: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Something answers that is no inspector.
    #[error("{address} answers, but is not a Node.js inspector: {}", clean_path(answer))]
    NotAnInspector {
        /// Where we asked.
        address: SocketAddr,
        /// What it answered, in short.
        answer: String,
    },
    /// It takes connections and says nothing.
    #[error("{address} takes connections but did not answer within {waited:?}")]
    InspectorSilent {
        /// Where we asked.
        address: SocketAddr,
        /// How long we waited.
        waited: Duration,
    },
    /// It answers more than an inspector's list could ever hold.
    #[error("{address} answered with more than {limit_bytes} bytes, so it was cut off")]
    TooLarge {
        /// Where we asked.
        address: SocketAddr,
        /// The limit.
        limit_bytes: usize,
    },
    /// A file under /proc could not be read for another reason.
    #[error("failed to read the process's state")]
    Proc(#[source] ProcError),
    /// The executable could not be read.
    #[error("failed to read the executable {}", exe.display())]
    Executable {
        /// Its path.
        exe: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The conversation with the inspector failed.
    #[error("failed to speak to the inspector at {address}")]
    Protocol {
        /// Where we asked.
        address: SocketAddr,
        /// What went wrong.
        #[source]
        source: CdpError,
    },
}

impl AttachError {
    /// What the user can do about it, as one sentence; none where there is nothing to do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSuchProcess { .. } => "run `flametop` without arguments to pick from the running processes".into(),
            // Without the first, what it runs can't be read; the second, it can't be signalled; the third, its sockets
            // can't be told.
            // The kernel keeps even its own user from a process that has capabilities which we lack.
            Self::NotPermitted { uid, .. } if *uid == geteuid().as_raw().to_string() => {
                "it is your own and has capabilities that flametop lacks: run flametop with CAP_SYS_PTRACE too; in a \
                 container: --cap-add=SYS_PTRACE"
                    .into()
            }
            Self::NotPermitted { pid, uid } => format!(
                "run it as that user: sudo -u '#{uid}' flametop {pid}; or with the capabilities CAP_SYS_PTRACE, CAP_KILL \
                 and CAP_DAC_READ_SEARCH"
            ),
            Self::NotNode { .. } => {
                "a Node process that cannot be recognised can still be attached by the address of its `--inspect`".into()
            }
            Self::SignalDisabled { .. } => "it runs with --disable-sigusr1 or --permission (add --allow-inspector on \
                Node 24 and later), or handles signals in a way of its own; start it with --inspect and attach to that port"
                .into(),
            Self::TooYoung { .. } => "try again in a second, or use `flametop run -- node ...`".into(),
            Self::Stopped { pid } => format!("let it run first: kill -CONT {pid}"),
            Self::PortTaken { .. } => "free the port, or start the target with NODE_OPTIONS=--inspect-port=0".into(),
            Self::ClusterPrimary { .. } => "attach to a worker by its PID, which does the work anyway, or start the \
                primary with --inspect and attach to that port"
                .into(),
            Self::OwnHandler { .. } => "start it with --inspect and attach to that port".into(),
            Self::OwnHandlerOrBlocked { .. } => "start it with --inspect and attach to that port; if it is only blocked, \
                its inspector opens when the call returns, so try again then"
                .into(),
            Self::WrongProcess { .. } => "the port belongs to another process: attach by PID, or look who listens there".into(),
            Self::OtherNetworkNamespace { pid } => format!("enter it: nsenter -t {pid} -n flametop {pid}"),
            Self::BadAddress { .. } => "give host:port or the ws:// address that `node --inspect` prints".into(),
            Self::BadCommand { .. } => "give node itself, as in `flametop run -- node app.js`; what a wrapper starts can be attached by its PID".into(),
            Self::Unreachable { .. } => "is the process still running, with --inspect, on that host and port?".into(),
            Self::NotAnInspector { .. } | Self::TooLarge { .. } => {
                "give the port that `node --inspect` prints, not a port of the application".into()
            }
            Self::Protocol { source: CdpError::Handshake(_), .. } => {
                "give the host:port or the ws:// address that `node --inspect` prints".into()
            }
            Self::InspectorSilent { .. } => "is it stopped, or the port of something else?".into(),
            Self::Bun { .. }
            | Self::Deno { .. }
            | Self::Exited { .. }
            | Self::Proc(_)
            | Self::Executable { .. }
            | Self::Protocol { .. } => return None,
        })
    }

    /// The exit code of a program that ends with this error: 3 no such target, 4 not permitted, 5 bad input, else 1.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NoSuchProcess { .. } | Self::Exited { .. } | Self::Unreachable { .. } => 3,
            Self::NotPermitted { .. } => 4,
            Self::BadAddress { .. } | Self::NotAnInspector { .. } | Self::TooLarge { .. } => 5,
            _ => 1,
        }
    }

    /// Names a failed reading of /proc for what it means to an attach.
    pub fn from_proc(pid: u32, error: ProcError) -> Self {
        match error {
            ProcError::NoSuchProcess { .. } => Self::NoSuchProcess { pid },
            ProcError::NotPermitted { .. } => Self::NotPermitted { pid, uid: owner_of(pid) },
            other => Self::Proc(other),
        }
    }
}

fn listed(pids: &[u32]) -> String {
    pids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// The user a process belongs to; the directory itself can always be asked.
fn owner_of(pid: u32) -> String {
    crate::source::procfs::Process::new(pid).uid().map_or_else(|_| "unknown".into(), |uid| uid.to_string())
}

/// Why a call to the inspector failed.
#[derive(Debug, Error)]
pub enum CdpError {
    /// The TCP connection could not be made.
    #[error("failed to connect")]
    Connect(#[source] io::Error),
    /// It does not speak the WebSocket protocol, or has no such path.
    #[error("the WebSocket handshake failed: {}", clean_path(.0))]
    Handshake(String),
    /// No answer in time. The call stays outstanding: a blocked loop answers when it is free.
    #[error("{what} got no answer within {waited:?}")]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// How long.
        waited: Duration,
    },
    /// The target refused the call.
    #[error("{method} was refused: {} ({code})", clean_path(message))]
    Refused {
        /// The call.
        method: Method,
        /// Its JSON-RPC code.
        code: i64,
        /// Its words.
        message: String,
    },
    /// A message is larger than we take.
    #[error("a message is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// A message is not what the protocol says.
    #[error("a message is not understood: {}", clean_path(.0))]
    Malformed(String),
    /// A snippet threw.
    #[error("the snippet threw: {}", clean_path(.0))]
    Threw(String),
    /// The connection is over.
    #[error("the connection is closed")]
    Closed,
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_carry_the_documented_exit_codes() {
        assert_eq!(AttachError::NoSuchProcess { pid: 1 }.exit_code(), 3);
        assert_eq!(AttachError::NotPermitted { pid: 1, uid: "0".into() }.exit_code(), 4);
        assert_eq!(AttachError::Stopped { pid: 1 }.exit_code(), 1);
        let bad = AttachError::BadAddress { text: "x".into(), reason: "no port" };
        assert_eq!(bad.exit_code(), 5);
    }

    #[test]
    fn who_is_the_user_already_is_not_told_to_become_it() {
        let hint =
            |uid: u32| AttachError::NotPermitted { pid: 42, uid: uid.to_string() }.hint().unwrap_or_default();
        let ours = geteuid().as_raw();
        assert!(!hint(ours).contains("sudo") && hint(ours).contains("CAP_SYS_PTRACE"), "{}", hint(ours));
        assert!(hint(ours + 1).contains("sudo"), "{}", hint(ours + 1));
    }

    #[test]
    fn a_process_of_another_network_gets_the_way_in_as_a_hint() {
        let hint = AttachError::OtherNetworkNamespace { pid: 42 }.hint();
        assert_eq!(hint.as_deref(), Some("enter it: nsenter -t 42 -n flametop 42"));
    }
}
