//! The way out in a hurry: blocking, without a runtime, for a panic hook and for the last moments of `main`.
//!
//! Everything that must be undone in a target is noted here from before it is done until the orderly
//! [`detach`](super::close::detach) is complete. [`undo_all`] undoes what is left, over connections of its own: those of
//! the program may be in any state.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::{WebSocket, client::client_with_config};

use super::agent::Identity;
use super::cdp::{broken, limits};
use super::error::CdpError;
use super::evaluate::{Evaluate, value_of};
use super::list::session_at_blocking;
use super::open::Inspector;
use super::snippets::{InspectorEnd, Nonce, identify, leave};
use super::wire::{Method, WireMessage, encode_call};
use crate::source::procfs::{Listener, Process, ProcessIdentity};

/// Something that must be undone in a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pending {
    /// We are attached.
    Attached(Inspector),
    /// We signalled, and the inspector may open yet.
    Opening {
        /// Whom we signalled.
        process: ProcessIdentity,
        /// Its PID in its own namespace.
        inner_pid: u32,
        /// What it listened on before, which is not ours to close.
        before: Vec<Listener>,
    },
}

static PENDING: Mutex<Vec<Pending>> = Mutex::new(Vec::new());

fn lock() -> MutexGuard<'static, Vec<Pending>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that a target must be left in order.
pub fn arm(inspector: &Inspector) {
    lock().push(Pending::Attached(inspector.clone()));
}

/// Forgets a target that was left in order or has ended.
pub fn disarm(inspector: &Inspector) {
    lock().retain(|pending| !matches!(pending, Pending::Attached(known) if known.nonce == inspector.nonce));
}

/// Notes that a process is about to be signalled.
pub fn expect_opening(process: ProcessIdentity, inner_pid: u32, before: &[Listener]) {
    lock().push(Pending::Opening { process, inner_pid, before: before.to_vec() });
}

/// Forgets a signalled process: its inspector was found, or it will never open one.
pub fn forget_opening(of: ProcessIdentity) {
    lock().retain(|pending| !matches!(pending, Pending::Opening { process, .. } if *process == of));
}

/// What must be undone now. Never waits: a panic may have happened while the list was held; then it is empty.
pub fn pending() -> Vec<Pending> {
    match PENDING.try_lock() {
        Ok(list) => list.clone(),
        Err(TryLockError::Poisoned(list)) => list.into_inner().clone(),
        Err(TryLockError::WouldBlock) => Vec::new(),
    }
}

/// Undoes whatever is pending, all targets within one deadline. Gives what could not be undone.
pub fn undo_all(deadline: Duration) -> Vec<(Pending, CdpError)> {
    let until = Instant::now() + deadline;
    let mut failed = Vec::new();
    for pending in pending() {
        let left = until.saturating_duration_since(Instant::now());
        let undone = match &pending {
            Pending::Attached(inspector) => close_inspector_blocking(
                inspector.address,
                &inspector.path,
                inspector.inner_pid,
                &Ending::of(inspector),
                left,
            ),
            Pending::Opening { process, inner_pid, before } => {
                close_late_opening(*process, *inner_pid, before, left)
            }
        };
        match undone {
            Ok(()) => forget(&pending),
            Err(error) => failed.push((pending, error)),
        }
    }
    failed
}

fn forget(done: &Pending) {
    if let Ok(mut list) = PENDING.try_lock() {
        list.retain(|pending| pending != done);
    }
}

/// What to do in the target on leaving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What makes our names there ours.
    pub nonce: Nonce,
    /// What becomes of the inspector.
    pub inspector: InspectorEnd,
}

impl Ending {
    /// The ending that suits how an inspector was found.
    pub fn of(inspector: &Inspector) -> Self {
        let end = if inspector.opened_by_us { InspectorEnd::ClosesSoon } else { InspectorEnd::StaysOpen };
        Self { nonce: inspector.nonce.clone(), inspector: end }
    }
}

/// Connects afresh, checks that the expected process answers, removes what is ours and closes the inspector if told so.
pub fn close_inspector_blocking(
    address: SocketAddr,
    path: &str,
    expected_pid: Option<u32>,
    ending: &Ending,
    deadline: Duration,
) -> Result<(), CdpError> {
    let mut session = Blocking::connect(address, path, deadline)?;
    let identity: Identity = session.evaluate(&identify())?;
    if expected_pid.is_some_and(|pid| pid != identity.pid) {
        // Another process has the port now: what we opened is gone, and this one is not ours to touch.
        return Ok(());
    }
    session.evaluate::<bool>(&leave(&ending.nonce, ending.inspector)).map(drop)
}

/// Closes an inspector that opened after we had given up waiting for it. If it has not opened yet, that is an error:
/// it may open later.
fn close_late_opening(
    process: ProcessIdentity,
    inner_pid: u32,
    before: &[Listener],
    deadline: Duration,
) -> Result<(), CdpError> {
    if !process.still_same() {
        return Ok(());
    }
    let listeners = Process::new(process.pid).listeners().unwrap_or_default();
    let opened = listeners.iter().filter(|listener| !before.contains(listener));
    let ending = Ending { nonce: Nonce::random(), inspector: InspectorEnd::ClosesSoon };
    for listener in opened {
        let address = listener.reachable_at();
        if let Ok(session) = session_at_blocking(address, deadline) {
            return close_inspector_blocking(address, &session.path, Some(inner_pid), &ending, deadline);
        }
    }
    Err(CdpError::TimedOut { what: "the inspector's opening", waited: deadline })
}

/// A connection that blocks its thread and knows nothing but evaluation.
struct Blocking {
    socket: WebSocket<TcpStream>,
    last_id: u64,
    until: Instant,
}

impl Blocking {
    fn connect(address: SocketAddr, path: &str, deadline: Duration) -> Result<Self, CdpError> {
        let until = Instant::now() + deadline;
        let wait = deadline.max(Duration::from_millis(1));
        let stream = TcpStream::connect_timeout(&address, wait).map_err(CdpError::Connect)?;
        set_patience(&stream, until).map_err(CdpError::Connect)?;
        stream.set_nodelay(true).map_err(CdpError::Connect)?;
        let (socket, _) = client_with_config(format!("ws://{address}{path}"), stream, Some(limits()))
            .map_err(|error| CdpError::Handshake(error.to_string()))?;
        Ok(Self { socket, last_id: 0, until })
    }

    fn evaluate<T: serde::de::DeserializeOwned>(&mut self, snippet: &str) -> Result<T, CdpError> {
        self.last_id += 1;
        let text = encode_call(self.last_id, Method::RuntimeEvaluate, &Evaluate::new(snippet))
            .map_err(|error| CdpError::Malformed(error.to_string()))?;
        self.socket.send(Message::text(text)).map_err(broken)?;
        loop {
            set_patience(self.socket.get_ref(), self.until).map_err(CdpError::Broken)?;
            let message = self.socket.read().map_err(broken)?;
            let Message::Text(text) = message else { continue };
            let wire: WireMessage<'_> = serde_json::from_str(text.as_str())
                .map_err(|error| CdpError::Malformed(error.to_string()))?;
            if wire.id == Some(self.last_id) {
                let result =
                    wire.result.ok_or_else(|| CdpError::Malformed("a reply without a result".into()))?;
                return value_of(result);
            }
        }
    }
}

/// Lets the socket wait no longer than the deadline; past it, it fails at once.
fn set_patience(stream: &TcpStream, until: Instant) -> io::Result<()> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))
}
