//! The way in: finds the inspector of a process, or makes the process open it, or says why not.
//!
//! The signal that opens Node's inspector kills most other programs, and the port it opens may be somebody else's. So
//! everything is looked up first, the signal goes through a pidfd whose process is checked once more, and the port is
//! taken only if the listening socket belongs to the process asked for. An inspector that is open already is used as
//! it is, and left as it is.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::address::parse_address;
use super::agent::Identity;
use super::cdp::Cdp;
use super::error::AttachError;
use super::identify::identify;
use super::inspect_options::{DEFAULT_PORT, InspectOptions, inspect_options};
use super::list::{Session, session_at};
use super::own_handler::{Handler, handler_of};
use super::snippets::{Nonce, identify as identify_snippet};
use super::undo;
use super::wire::Method;
use crate::source::procfs::{Listener, PidFd, ProcError, Process, ProcessIdentity, owner_of_socket};

/// SIGUSR1.
const USR1: u32 = 10;

/// A listener on one of these is asked first: Node's default, and what cluster workers count up to.
const USUAL_PORTS: std::ops::RangeInclusive<u16> = DEFAULT_PORT..=DEFAULT_PORT + 10;

/// How long a listener that is hardly an inspector may take to answer.
const UNUSUAL_ANSWER: Duration = Duration::from_millis(300);

/// How many of a process's listeners are asked at most.
const MOST_PROBES: usize = 16;

/// How patient an attach is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOptions {
    /// How long a process that has just started may take to catch the signal.
    pub young: Duration,
    /// How long the inspector may take to come up after the signal; 3 to 30 ms were measured.
    pub opening: Duration,
    /// How long one address may take to answer `/json/list`; the target's I/O thread does it at once.
    pub answer: Duration,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            young: Duration::from_millis(500),
            opening: Duration::from_secs(2),
            answer: Duration::from_secs(2),
        }
    }
}

/// An inspector that answers, and what is known of the process behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspector {
    /// Where it listens.
    pub address: SocketAddr,
    /// The path of its session.
    pub path: String,
    /// What the target calls itself, mostly the script. Text of the target: clean it before it is shown.
    pub title: String,
    /// The process, if it is one of this machine that we may see.
    pub process: Option<ProcessIdentity>,
    /// What `process.pid` must say there, in its own namespace.
    pub inner_pid: Option<u32>,
    /// Whether we made it open, and so must close it.
    pub opened_by_us: bool,
    /// What makes our names in the target ours.
    pub nonce: Nonce,
}

impl Inspector {
    /// Connects and proves that the right process answers, before anything else is asked of it.
    ///
    /// It also asks to be told when the target wants to exit, which it cannot while we are connected.
    pub async fn connect(&self, patience: Duration) -> Result<(Cdp, Identity), AttachError> {
        let protocol = |source| AttachError::Protocol { address: self.address, source };
        let mut cdp = Cdp::connect(self.address, &self.path).await.map_err(protocol)?;
        undo::connected(self, &cdp);
        let exit_notice = serde_json::json!({ "enabled": true });
        cdp.send(Method::NodeRuntimeNotifyWhenWaitingForDisconnect, exit_notice).await.map_err(protocol)?;
        let identity: Identity = cdp.evaluate(&identify_snippet(), patience).await.map_err(protocol)?;
        self.check(&identity)?;
        Ok((cdp, identity))
    }

    fn check(&self, identity: &Identity) -> Result<(), AttachError> {
        let pid = identity.pid;
        if identity.deno.is_some() {
            return Err(AttachError::Deno { pid });
        }
        if identity.bun.is_some() {
            return Err(AttachError::Bun { pid });
        }
        match self.inner_pid {
            Some(expected) if expected != pid => {
                let found = format!("process {pid}");
                Err(AttachError::WrongProcess { address: self.address, expected, found })
            }
            _ => Ok(()),
        }
    }

    /// Whether its port is still open, as the system says; `None` if the process is not of this machine.
    pub fn still_listens(&self) -> Option<bool> {
        let process = Process::new(self.process?.pid);
        Some(process.listeners().is_ok_and(|all| all.iter().any(|one| one.reachable_at() == self.address)))
    }
}

/// Finds the inspector of a process, or makes the process open it.
///
/// What was opened is noted in [`undo`] from before the signal on.
pub async fn open_inspector(pid: u32, options: &OpenOptions) -> Result<Inspector, AttachError> {
    let target = Target::hold(pid, *options)?;
    if let Some(inspector) = target.existing().await? {
        undo::arm(&inspector);
        return Ok(inspector);
    }
    target.wait_for_handler().await?;
    target.refuse_taken_port()?;
    target.refuse_own_handler()?;
    target.refuse_workers()?;
    let inspector = target.open().await?;
    undo::arm(&inspector);
    Ok(inspector)
}

/// Finds the inspector at an address a user gave.
pub async fn inspector_at(text: &str, options: &OpenOptions) -> Result<Inspector, AttachError> {
    let asked = parse_address(text)?;
    let none = std::io::Error::from(std::io::ErrorKind::NotFound);
    let mut failure = AttachError::Unreachable { address: asked.to_string(), source: none };
    for address in asked.resolve().await? {
        let session = match &asked.path {
            // A path given is proved by the connection; some inspectors publish no list. But a name may have
            // addresses where nobody listens.
            Some(path) => reach(address, options.answer)
                .await
                .map(|()| Session { path: path.clone(), title: String::new() }),
            None => session_at(address, options.answer).await,
        };
        match session {
            Ok(session) => {
                let inspector = inspector_of_owner(address, session);
                undo::arm(&inspector);
                return Ok(inspector);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Whether anybody takes connections there.
async fn reach(address: SocketAddr, patience: Duration) -> Result<(), AttachError> {
    match timeout(patience, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(source)) => Err(AttachError::Unreachable { address: address.to_string(), source }),
        Err(_) => Err(AttachError::InspectorSilent { address, waited: patience }),
    }
}

/// Adds the process behind an address, where it is on this machine and can be seen. A forwarder (`ssh -L`, `kubectl
/// port-forward`) listens for a target elsewhere, so only a Node is taken for it.
fn inspector_of_owner(address: SocketAddr, session: Session) -> Inspector {
    let us = Process::new(std::process::id());
    let ours = us.listeners_of_its_network().unwrap_or_default();
    let listener =
        ours.iter().find(|listener| listener.address == address || listener.reachable_at() == address);
    let owner = listener.and_then(|listener| owner_of_socket(listener.inode).pid).map(Process::new);
    let owner = owner.filter(|owner| identify(*owner).is_ok());
    Inspector {
        address,
        path: session.path,
        title: session.title,
        process: owner.and_then(|owner| owner.identity().ok()),
        inner_pid: owner.and_then(|owner| Some(owner.status().ok()?.inner_pid)),
        opened_by_us: false,
        nonce: Nonce::random(),
    }
}

/// A process proved to be Node, held so that no other can take its place.
#[derive(Debug)]
struct Target {
    process: Process,
    identity: ProcessIdentity,
    inner_pid: u32,
    held: PidFd,
    inspect: InspectOptions,
    options: OpenOptions,
}

impl Target {
    /// Takes hold of a process and refuses what is not a running Node of our network.
    fn hold(pid: u32, options: OpenOptions) -> Result<Self, AttachError> {
        let process = Process::new(pid);
        let held = PidFd::open(pid).map_err(|_| AttachError::NoSuchProcess { pid })?;
        let status = process.status().map_err(|error| AttachError::from_proc(pid, error))?;
        if status.is_dead() {
            return Err(AttachError::NoSuchProcess { pid });
        }
        identify(process)?;
        let identity = process.identity().map_err(|error| AttachError::from_proc(pid, error))?;
        if status.is_stopped() {
            return Err(AttachError::Stopped { pid });
        }
        if !process.shares_our_network().map_err(|error| AttachError::from_proc(pid, error))? {
            return Err(AttachError::OtherNetworkNamespace { pid });
        }
        let inspect = inspect_options(process);
        Ok(Self { process, identity, inner_pid: status.inner_pid, held, inspect, options })
    }

    fn pid(&self) -> u32 {
        self.identity.pid
    }

    fn named(&self, error: ProcError) -> AttachError {
        match AttachError::from_proc(self.pid(), error) {
            AttachError::NoSuchProcess { pid } => AttachError::Exited { pid },
            other => other,
        }
    }

    fn listeners(&self) -> Result<Vec<Listener>, AttachError> {
        self.process.listeners().map_err(|error| self.named(error))
    }

    fn inspector(&self, listener: Listener, session: Session, opened_by_us: bool) -> Inspector {
        Inspector {
            address: listener.reachable_at(),
            path: session.path,
            title: session.title,
            process: Some(self.identity),
            inner_pid: Some(self.inner_pid),
            opened_by_us,
            nonce: Nonce::random(),
        }
    }

    /// The inspector that is open already, if one is.
    async fn existing(&self) -> Result<Option<Inspector>, AttachError> {
        let mut listeners = self.listeners()?;
        listeners.retain(|listener| self.may_be_inspector(*listener));
        listeners.sort_by_key(|listener| (!self.is_usual(*listener), listener.address));
        for listener in listeners.into_iter().take(MOST_PROBES) {
            let usual = self.is_usual(listener);
            let patience = if usual { self.options.answer } else { self.options.answer.min(UNUSUAL_ANSWER) };
            if let Ok(session) = session_at(listener.reachable_at(), patience).await {
                return Ok(Some(self.inspector(listener, session, false)));
            }
        }
        Ok(None)
    }

    fn is_usual(&self, listener: Listener) -> bool {
        let port = listener.address.port();
        port == self.inspect.port || USUAL_PORTS.contains(&port)
    }

    /// Whether a listener is worth a question. An application's public port is left in peace: it is never the inspector
    /// of a process that was not told so.
    fn may_be_inspector(&self, listener: Listener) -> bool {
        self.inspect.opened_at_start || self.is_usual(listener) || listener.address.ip().is_loopback()
    }

    /// Waits until the signal would reach a handler; never for a process that has been up for long.
    async fn wait_for_handler(&self) -> Result<(), AttachError> {
        let began = Instant::now();
        let young = self.process.age().map_err(|error| self.named(error))? < YOUNG_AGE;
        loop {
            let signals = self.process.status().map_err(|error| self.named(error))?.signals;
            if signals.would_handle(USR1) {
                return Ok(());
            }
            if !young || began.elapsed() >= self.options.young {
                let pid = self.pid();
                let blocked = signals.blocked & (1 << (USR1 - 1)) != 0;
                return Err(if young && !blocked {
                    AttachError::TooYoung { pid, waited: began.elapsed() }
                } else {
                    AttachError::SignalDisabled { pid }
                });
            }
            sleep(HANDLER_STEP).await;
        }
    }

    /// Refuses if the port the target would open is in use: it would fail, and we would find somebody else there.
    fn refuse_taken_port(&self) -> Result<(), AttachError> {
        let port = self.inspect.port;
        let all = self.process.listeners_of_its_network().map_err(|error| self.named(error))?;
        match all.iter().find(|listener| listener.address.port() == port && blocks_loopback(**listener)) {
            Some(listener) if port != 0 => {
                Err(AttachError::PortTaken { pid: self.pid(), port, owner: owner_of_socket(listener.inode) })
            }
            _ => Ok(()),
        }
    }

    /// Refuses where the signal would run a handler of the application's, as far as that can be told.
    fn refuse_own_handler(&self) -> Result<(), AttachError> {
        match handler_of(self.process, USR1) {
            Handler::Application => Err(AttachError::OwnHandler { pid: self.pid() }),
            Handler::Node | Handler::Unknown => Ok(()),
        }
    }

    /// Refuses the primary of a cluster: when signalled, Node has it open the inspectors of all its workers too, and
    /// those would stay open.
    fn refuse_workers(&self) -> Result<(), AttachError> {
        let is_worker =
            |pid: &u32| Process::new(*pid).initial_env("NODE_UNIQUE_ID").is_ok_and(|id| id.is_some());
        let mut workers = children_of(self.pid());
        workers.retain(is_worker);
        if workers.is_empty() {
            return Ok(());
        }
        Err(AttachError::ClusterPrimary { pid: self.pid(), workers })
    }

    /// Signals, and waits for a new listener of this process that answers as an inspector.
    async fn open(&self) -> Result<Inspector, AttachError> {
        let before = self.listeners()?;
        undo::expect_opening(self.identity, self.inner_pid, &before);
        self.signal()?;
        let began = Instant::now();
        while began.elapsed() < self.options.opening {
            if self.held.exited() {
                undo::forget_opening(self.identity);
                return Err(AttachError::Exited { pid: self.pid() });
            }
            if let Some(inspector) = self.newly_opened(&before).await? {
                undo::forget_opening(self.identity);
                return Ok(inspector);
            }
            sleep(LISTENER_STEP).await;
        }
        // The opening stays noted in `undo`: a blocked target opens its inspector when it is free again.
        let state = self.process.status().map_err(|error| self.named(error))?.state;
        Err(AttachError::OwnHandlerOrBlocked { pid: self.pid(), waited: self.options.opening, state })
    }

    async fn newly_opened(&self, before: &[Listener]) -> Result<Option<Inspector>, AttachError> {
        for listener in self.listeners()?.into_iter().filter(|listener| !before.contains(listener)) {
            if let Ok(session) = session_at(listener.reachable_at(), self.options.answer).await {
                return Ok(Some(self.inspector(listener, session, true)));
            }
        }
        Ok(None)
    }

    /// Sends the signal, after one more look that it goes to the same program and that it will be handled.
    fn signal(&self) -> Result<(), AttachError> {
        let pid = self.pid();
        let status = self.process.status().map_err(|error| self.named(error))?;
        let refusal = if self.held.exited() || !self.identity.still_same() {
            Some(AttachError::Exited { pid })
        } else if status.is_stopped() {
            Some(AttachError::Stopped { pid })
        } else if !status.signals.would_handle(USR1) {
            Some(AttachError::SignalDisabled { pid })
        } else {
            None
        };
        let sent = match refusal {
            Some(refusal) => Err(refusal),
            None => self
                .held
                .send_usr1()
                .map_err(|_| AttachError::NotPermitted { pid, uid: status.uid.to_string() }),
        };
        if sent.is_err() {
            undo::forget_opening(self.identity);
        }
        sent
    }
}

/// The children of a process, whichever of its threads started them.
fn children_of(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let numbers =
        |list: String| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>();
    lists.flat_map(numbers).collect()
}

/// A process younger than this may still be about to install its handler. Up to 470 ms were measured.
const YOUNG_AGE: Duration = Duration::from_secs(5);

/// How often a young process is looked at.
const HANDLER_STEP: Duration = Duration::from_millis(5);

/// How often the new listener is looked for.
const LISTENER_STEP: Duration = Duration::from_millis(2);

/// Whether a listener keeps others from listening on the loopback with its port.
fn blocks_loopback(listener: Listener) -> bool {
    let ip = listener.address.ip();
    ip.is_unspecified() || ip == std::net::Ipv4Addr::LOCALHOST
}
