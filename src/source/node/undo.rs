//! The way out in a hurry: blocking, without a runtime, for a panic hook and for the last moments of `main`:
//! threads of ours die with the program, so what they had not finished is finished here.
//!
//! Everything that must be undone in a target is noted here from before it is done until the orderly
//! [`detach`](super::close::detach) is complete. [`undo_all`] undoes what is left, over connections of its own: those of
//! the program may be in any state. All of it is told to the [`guard`] too, which undoes it by [`Deeds`] when this whole
//! program is gone.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::{WebSocket, client::client_with_config};

use super::agent::{HEAP_LEASE_SECONDS, Identity};
use super::cdp::{Cdp, broken, limits};
use super::error::CdpError;
use super::evaluate::{Evaluate, value_of};
use super::hush::hush;
use super::inspect_options::inspect_options;
use super::list::session_at_blocking;
use super::open::Inspector;
use super::snippets::{InspectorEnd, Nonce, identify, leave};
use super::wire::{Method, WireMessage, encode_call};
use crate::guard::{self, Undo, Undone};
use crate::source::procfs::{Listener, Process, ProcessIdentity};

/// Something that must be undone in a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    note(Pending::Attached(inspector.clone()));
}

/// Forgets a target that was left in order or has ended.
pub fn disarm(inspector: &Inspector) {
    forget(&attached(inspector));
}

/// Gives the guard the connection to a target: with it the guard can free one that waits for us to go.
pub fn connected(inspector: &Inspector, cdp: &Cdp) {
    // Without it there is still the lease in the target.
    let _ = guard::connected(&attached(inspector), cdp.as_fd());
}

/// Notes that a process is about to be signalled.
pub fn expect_opening(process: ProcessIdentity, inner_pid: u32, before: &[Listener]) {
    note(Pending::Opening { process, inner_pid, before: before.to_vec() });
}

/// Forgets a signalled process: its inspector was found, or it will never open one.
pub fn forget_opening(of: ProcessIdentity) {
    forget(&opening(of));
}

fn note(pending: Pending) {
    if let Ok(deed) = serde_json::to_string(&pending) {
        // A guard that can't be told is noticed by [`guard::is_on_duty`].
        let _ = guard::hold(&pending.id(), deed, pending.pid());
    }
    lock().push(pending);
}

fn attached(inspector: &Inspector) -> String {
    format!("attached {}", inspector.nonce.as_str())
}

fn opening(process: ProcessIdentity) -> String {
    format!("opening {} {}", process.pid, process.start_ticks)
}

/// What must be undone now. Hardly waits: a panic may have happened while the list was held; then it is empty.
pub fn pending() -> Vec<Pending> {
    guard::lock_briefly(&PENDING).map(|list| list.clone()).unwrap_or_default()
}

fn forget(id: &str) {
    if let Some(mut list) = guard::lock_briefly(&PENDING) {
        list.retain(|pending| pending.id() != id);
    }
    guard::release(id);
}

/// Undoes whatever is pending, all targets within one deadline. Gives what could not be undone.
pub fn undo_all(deadline: Duration) -> Vec<(Pending, CdpError)> {
    undo_these(pending(), deadline)
}

/// Undoes what is pending for one target.
pub fn undo_one(
    pid: Option<u32>,
    inspector: Option<&Inspector>,
    deadline: Duration,
) -> Vec<(Pending, CdpError)> {
    let known = inspector.map(attached);
    let mut those = pending();
    those.retain(|pending| pid.is_some() && pending.pid() == pid || known.as_ref() == Some(&pending.id()));
    undo_these(those, deadline)
}

/// What is attached comes first, for it can be undone now; what only may open is waited for until the deadline.
fn undo_these(those: Vec<Pending>, deadline: Duration) -> Vec<(Pending, CdpError)> {
    let (attached, mut openings): (Vec<_>, Vec<_>) =
        those.into_iter().partition(|pending| matches!(pending, Pending::Attached(_)));
    let until = Instant::now() + deadline;
    let mut failed = Vec::new();
    let mut waiting = u32::try_from(attached.len() + openings.len().min(1)).unwrap_or(u32::MAX);
    for pending in attached {
        // One that does not answer must not take the time of the others.
        let share = left_until(until) / waiting;
        waiting -= 1;
        if let Err(error) = pending.undo(share) {
            failed.push((pending, error));
        }
    }
    while !openings.is_empty() {
        openings.retain(|pending| pending.undo(left_until(until)).is_err());
        if left_until(until).is_zero() {
            let late = || CdpError::TimedOut { what: "the inspector's opening", waited: deadline };
            failed.extend(openings.drain(..).map(|pending| (pending, late())));
        } else if !openings.is_empty() {
            thread::sleep(STEP);
        }
    }
    // Meanwhile somebody else may have undone it, or the target have ended.
    failed.retain(|(pending, _)| !pending.forget_if_settled());
    failed
}

impl Pending {
    /// Undoes this one thing and forgets it.
    fn undo(&self, patience: Duration) -> Result<(), CdpError> {
        if self.forget_if_settled() {
            return Ok(());
        }
        match self {
            Self::Attached(inspector) if inspector.process.is_some_and(ProcessIdentity::is_stopped) => {
                // It takes connections and does not answer: waiting is vain.
                Err(CdpError::TimedOut { what: "a stopped process", waited: Duration::ZERO })
            }
            Self::Attached(inspector) => close_inspector_blocking(inspector, patience),
            Self::Opening { process, inner_pid, before } => {
                close_late_opening(*process, *inner_pid, before, patience)
            }
        }?;
        forget(&self.id());
        Ok(())
    }

    /// What tells it from all others.
    fn id(&self) -> String {
        match self {
            Self::Attached(inspector) => attached(inspector),
            Self::Opening { process, .. } => opening(*process),
        }
    }

    /// The process it is done to, if it is one of this machine.
    fn pid(&self) -> Option<u32> {
        match self {
            Self::Attached(inspector) => inspector.process.map(|process| process.pid),
            Self::Opening { process, .. } => Some(process.pid),
        }
    }

    fn forget_if_settled(&self) -> bool {
        let settled = self.is_settled();
        if settled {
            forget(&self.id());
        }
        settled
    }

    /// Whether nothing is left to undo: the process has ended, or the port that we made open is closed.
    fn is_settled(&self) -> bool {
        match self {
            Self::Attached(inspector) => {
                inspector.process.is_some_and(ProcessIdentity::has_ended)
                    || inspector.opened_by_us && inspector.still_listens() == Some(false)
            }
            Self::Opening { process, .. } => process.has_ended(),
        }
    }

    /// What the user must know and can do if this could not be undone: one sentence, fit for a terminal.
    pub fn told(&self) -> String {
        match self {
            Self::Attached(inspector) if inspector.opened_by_us => {
                still_open(inspector.process.map(|process| process.pid), inspector.address)
            }
            Self::Attached(inspector) => format!(
                "the process behind {} did not answer, so flametop's gauges are still in it: they remove themselves \
                 within {HEAP_LEASE_SECONDS} s",
                inspector.address
            ),
            Self::Opening { process, before, .. } => match new_listeners(*process, before).first() {
                Some(listener) => still_open(Some(process.pid), listener.reachable_at()),
                None => will_open(process.pid),
            },
        }
    }
}

/// What the guard needs to know of us.
pub struct Deeds;

impl Undo for Deeds {
    fn undo(&self, deed: &str, patience: Duration) -> Undone {
        // What we can't read was not written by this program.
        let Ok(pending) = serde_json::from_str::<Pending>(deed) else { return Undone::Done };
        if pending.undo(patience).is_ok() { Undone::Done } else { Undone::NotYet }
    }

    fn hush(&self, connection: BorrowedFd<'_>, patience: Duration) {
        // What does not answer is cut all the same: a target that waits for us to go must go.
        let _ = hush(connection, patience);
    }
}

fn still_open(pid: Option<u32>, address: SocketAddr) -> String {
    let whose = pid.map_or_else(|| "a process".into(), |pid| format!("process {pid}"));
    format!("the debug port of {whose} may still be open on {address}: {}", way_out(&address.to_string()))
}

fn will_open(pid: u32) -> String {
    let port = inspect_options(Process::new(pid)).port;
    let (place, address) = match port {
        0 => ("a port of its choice".to_owned(), "127.0.0.1:PORT".to_owned()),
        port => (format!("127.0.0.1:{port}"), format!("127.0.0.1:{port}")),
    };
    format!(
        "process {pid} was signalled and may still open its debug port on {place}, once it is no longer blocked; then {}",
        way_out(&address)
    )
}

/// How a user closes an inspector by hand.
fn way_out(address: &str) -> String {
    format!(
        "close it with `node inspect {address}` and there `exec process._debugEnd()`, or restart the process"
    )
}

fn left_until(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// How often something is looked for.
const STEP: Duration = Duration::from_millis(10);

/// How long the timer of a leave that closes soon may take: 100 ms, with room for a busy loop.
const CLOSING: Duration = Duration::from_millis(250);

/// Connects afresh, checks that the expected process answers, removes what is ours and, if we opened the inspector,
/// closes it. `Ok` only once the port is closed.
pub fn close_inspector_blocking(inspector: &Inspector, deadline: Duration) -> Result<(), CdpError> {
    let until = Instant::now() + deadline;
    let end = if inspector.opened_by_us { InspectorEnd::ClosesSoon } else { InspectorEnd::StaysOpen };
    let left = leave_blocking(inspector, end, left_until(until));
    if !inspector.opened_by_us {
        return match left {
            // Nobody is there any more.
            Err(CdpError::Connect(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            left => left,
        };
    }
    if left.is_ok() && closed_by(inspector, until.min(Instant::now() + CLOSING)) {
        return Ok(());
    }
    left?;
    // Its loop never turns, so no timer fires. The connection closes under this call: the port alone tells.
    let left = leave_blocking(inspector, InspectorEnd::ClosesNow, left_until(until));
    if closed_by(inspector, until.min(Instant::now() + CLOSING)) {
        return Ok(());
    }
    left?;
    Err(CdpError::TimedOut { what: "closing the inspector", waited: deadline })
}

fn leave_blocking(inspector: &Inspector, end: InspectorEnd, patience: Duration) -> Result<(), CdpError> {
    let mut session = Blocking::connect(inspector.address, &inspector.path, patience)?;
    let identity: Identity = session.evaluate(&identify())?;
    if inspector.inner_pid.is_some_and(|pid| pid != identity.pid) {
        // Another process has the port now: what we opened is gone, and this one is not ours to touch.
        return Ok(());
    }
    session.evaluate::<bool>(&leave(&inspector.nonce, end)).map(drop)
}

/// Waits until the port is closed. Of a process we cannot see we must believe it.
fn closed_by(inspector: &Inspector, until: Instant) -> bool {
    loop {
        match inspector.still_listens() {
            Some(true) if Instant::now() < until => thread::sleep(STEP),
            open => return open != Some(true),
        }
    }
}

fn new_listeners(process: ProcessIdentity, before: &[Listener]) -> Vec<Listener> {
    let mut listeners = Process::new(process.pid).listeners().unwrap_or_default();
    listeners.retain(|listener| !before.contains(listener));
    listeners
}

/// Closes an inspector that opened after we had given up waiting for it. If it has not opened yet, that is an error:
/// it may open later.
fn close_late_opening(
    process: ProcessIdentity,
    inner_pid: u32,
    before: &[Listener],
    deadline: Duration,
) -> Result<(), CdpError> {
    let until = Instant::now() + deadline;
    for listener in new_listeners(process, before) {
        let address = listener.reachable_at();
        if let Ok(session) = session_at_blocking(address, left_until(until).min(ANSWER)) {
            let opened = Inspector {
                address,
                path: session.path,
                title: session.title,
                process: Some(process),
                inner_pid: Some(inner_pid),
                opened_by_us: true,
                nonce: Nonce::random(),
            };
            return close_inspector_blocking(&opened, left_until(until));
        }
    }
    Err(CdpError::TimedOut { what: "the inspector's opening", waited: deadline })
}

/// How long a new listener may take to answer; an inspector's I/O thread does it at once.
const ANSWER: Duration = Duration::from_millis(300);

/// A connection that blocks its thread and knows nothing but evaluation.
struct Blocking {
    socket: WebSocket<Hurried>,
    last_id: u64,
}

impl Blocking {
    fn connect(address: SocketAddr, path: &str, deadline: Duration) -> Result<Self, CdpError> {
        let until = Instant::now() + deadline;
        let wait = deadline.max(Duration::from_millis(1));
        let stream = TcpStream::connect_timeout(&address, wait).map_err(CdpError::Connect)?;
        stream.set_nodelay(true).map_err(CdpError::Connect)?;
        let stream = Hurried { stream, until };
        let (socket, _) = client_with_config(format!("ws://{address}{path}"), stream, Some(limits()))
            .map_err(|error| CdpError::Handshake(error.to_string()))?;
        Ok(Self { socket, last_id: 0 })
    }

    fn evaluate<T: serde::de::DeserializeOwned>(&mut self, snippet: &str) -> Result<T, CdpError> {
        self.last_id += 1;
        let text = encode_call(self.last_id, Method::RuntimeEvaluate, &Evaluate::new(snippet))
            .map_err(|error| CdpError::Malformed(error.to_string()))?;
        self.socket.send(Message::text(text)).map_err(broken)?;
        loop {
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

/// A connection that is given up at a moment, however its bytes come: a timeout of the socket holds for one read only.
#[derive(Debug)]
struct Hurried {
    stream: TcpStream,
    until: Instant,
}

impl io::Read for Hurried {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        set_patience(&self.stream, self.until)?;
        self.stream.read(bytes)
    }
}

impl io::Write for Hurried {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        set_patience(&self.stream, self.until)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
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
