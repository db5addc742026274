//! The connection to one inspector, driven by the one task that owns it.
//!
//! Calls are pipelined: [`Cdp::send`] returns at once and the reply arrives through [`Cdp::next`] whenever the target
//! gets to it, because a target that is blocked in native code answers only when it is free again, and its samples of
//! that time are the very ones wanted. [`Cdp::call`] is the short form for the quiet moments of attach and detach.
//! Whatever arrives meanwhile waits in a bounded queue; what does not fit is counted in [`Counts`], never hidden.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error as WsError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::error::CdpError;
use super::evaluate::{Evaluate, value_of};
use super::wire::{Method, WireMessage, encode_call};

/// The largest message we take. A 5 s window of a deep recursion was measured at 57 MB.
pub const MESSAGE_LIMIT_BYTES: usize = 64 << 20;

/// How many events wait while a [`Cdp::call`] looks for its reply; beyond that the oldest is dropped and counted.
pub const EVENT_QUEUE: usize = 1024;

/// How long connecting, and writing one call, may take. The target's I/O thread answers even when its loop is blocked.
pub const IO_TIMEOUT: Duration = Duration::from_secs(5);

/// The name of one call, for telling its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub(super) u64);

/// The answer to a call.
#[derive(Debug)]
pub struct Reply {
    /// Which call.
    pub id: CallId,
    /// What it asked.
    pub method: Method,
    /// The result, unparsed, or the target's refusal.
    pub result: Result<Box<RawValue>, CdpError>,
    /// Size of the message.
    pub bytes: usize,
    /// When the whole message was here.
    pub received: Instant,
    /// From sending to receiving.
    pub took: Duration,
}

/// Something the target says of itself.
#[derive(Debug)]
pub struct Event {
    /// Its name, such as `Profiler.consoleProfileFinished`.
    pub method: String,
    /// What it carries, unparsed.
    pub params: Box<RawValue>,
    /// Size of the message.
    pub bytes: usize,
    /// When the whole message was here.
    pub received: Instant,
}

/// What comes in, in the order of arrival.
#[derive(Debug)]
pub enum Incoming {
    /// The answer to a call.
    Reply(Reply),
    /// Something the target says of itself.
    Event(Event),
    /// The connection is over, with the reason; nothing follows.
    Closed(CdpError),
}

/// A call that has no answer yet.
#[derive(Debug, Clone, Copy)]
pub struct Outstanding {
    /// What it asked.
    pub method: Method,
    /// When it was sent.
    pub sent: Instant,
}

/// What went over the connection so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls sent.
    pub calls: u64,
    /// Bytes of all messages received.
    pub bytes_in: u64,
    /// Replies to calls that were never made or already answered; they are ignored.
    pub stray_replies: u64,
    /// Messages dropped because the queue was full, oldest first.
    pub dropped: u64,
}

/// One open connection to an inspector.
#[derive(Debug)]
pub struct Cdp {
    socket: WebSocketStream<TcpStream>,
    last_id: u64,
    outstanding: HashMap<CallId, Outstanding>,
    waiting: VecDeque<Incoming>,
    waiting_bytes: usize,
    counts: Counts,
}

impl Cdp {
    /// Connects to the inspector session at `path`, without enabling anything.
    pub async fn connect(address: SocketAddr, path: &str) -> Result<Self, CdpError> {
        match timeout(IO_TIMEOUT, Self::connect_unhurried(address, path)).await {
            Ok(connected) => connected,
            Err(_) => Err(CdpError::TimedOut { what: "connecting", waited: IO_TIMEOUT }),
        }
    }

    async fn connect_unhurried(address: SocketAddr, path: &str) -> Result<Self, CdpError> {
        let stream = TcpStream::connect(address).await.map_err(CdpError::Connect)?;
        stream.set_nodelay(true).map_err(CdpError::Connect)?;
        acknowledge_at_once(&stream);
        // A host as number and port: Node refuses names other than localhost (DNS rebinding).
        let (socket, _) = client_async_with_config(format!("ws://{address}{path}"), stream, Some(limits()))
            .await
            .map_err(|error| CdpError::Handshake(error.to_string()))?;
        Ok(Self {
            socket,
            last_id: 0,
            outstanding: HashMap::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            counts: Counts::default(),
        })
    }

    /// What went over the connection so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The oldest call without an answer. Its age tells a blocked loop: an answer takes below 25 ms otherwise.
    pub fn oldest_outstanding(&self) -> Option<Outstanding> {
        self.outstanding.values().min_by_key(|call| call.sent).copied()
    }

    /// Sends a call and does not wait for its answer, which [`Cdp::next`] brings.
    pub async fn send(&mut self, method: Method, params: impl Serialize) -> Result<CallId, CdpError> {
        self.last_id += 1;
        let id = CallId(self.last_id);
        let text =
            encode_call(id.0, method, &params).map_err(|error| CdpError::Malformed(error.to_string()))?;
        self.outstanding.insert(id, Outstanding { method, sent: Instant::now() });
        self.counts.calls += 1;
        match timeout(IO_TIMEOUT, self.socket.send(Message::text(text))).await {
            Ok(sent) => sent.map_err(broken)?,
            Err(_) => return Err(CdpError::TimedOut { what: "writing to the target", waited: IO_TIMEOUT }),
        }
        acknowledge_at_once(self.socket.get_ref());
        Ok(id)
    }

    /// Sends a snippet for evaluation and does not wait for its answer.
    pub async fn send_snippet(&mut self, snippet: &str) -> Result<CallId, CdpError> {
        self.send(Method::RuntimeEvaluate, Evaluate::new(snippet)).await
    }

    /// Waits for the next reply or event. Safe to cancel: nothing is lost.
    pub async fn next(&mut self) -> Incoming {
        match self.waiting.pop_front() {
            Some(incoming) => {
                self.waiting_bytes -= size_of_waiting(&incoming);
                incoming
            }
            None => self.receive().await,
        }
    }

    /// Waits for the next event; replies that arrive meanwhile stay for [`Cdp::next`]. Safe to cancel.
    pub async fn next_event(&mut self) -> Result<Event, CdpError> {
        if let Some(at) = self.waiting.iter().position(|incoming| matches!(incoming, Incoming::Event(_)))
            && let Some(Incoming::Event(event)) = self.waiting.remove(at)
        {
            self.waiting_bytes -= event.bytes;
            return Ok(event);
        }
        loop {
            match self.receive().await {
                Incoming::Event(event) => return Ok(event),
                Incoming::Closed(reason) => return Err(reason),
                reply @ Incoming::Reply(_) => self.put_aside(reply),
            }
        }
    }

    /// Calls and waits for the answer; whatever else arrives stays for [`Cdp::next`].
    ///
    /// On a timeout the call stays outstanding and its late reply arrives through [`Cdp::next`].
    pub async fn call(
        &mut self,
        method: Method,
        params: impl Serialize,
        deadline: Duration,
    ) -> Result<Box<RawValue>, CdpError> {
        let id = self.send(method, params).await?;
        match timeout(deadline, self.reply_to(id)).await {
            Ok(reply) => reply,
            Err(_) => Err(CdpError::TimedOut { what: method.name(), waited: deadline }),
        }
    }

    /// Evaluates a snippet and reads its value.
    pub async fn evaluate<T: DeserializeOwned>(
        &mut self,
        snippet: &str,
        deadline: Duration,
    ) -> Result<T, CdpError> {
        let result = self.call(Method::RuntimeEvaluate, Evaluate::new(snippet), deadline).await?;
        value_of(&result)
    }

    /// Takes in the answers that are still due, at most that long, and drops them with whatever else comes: cutting the
    /// connection under an answer can crash the target, see `hush.rs`.
    pub async fn hear_out(&mut self, patience: Duration) {
        let all = async {
            while !self.outstanding.is_empty() && !matches!(self.receive().await, Incoming::Closed(_)) {}
        };
        // One that answers no more is left all the same.
        let _ = timeout(patience, all).await;
    }

    /// Leaves at once. V8 ends this session's profiles by itself, and a target that waits for us to go may exit.
    pub fn disconnect(self) {
        drop(self);
    }

    async fn reply_to(&mut self, id: CallId) -> Result<Box<RawValue>, CdpError> {
        loop {
            match self.receive().await {
                Incoming::Reply(reply) if reply.id == id => return reply.result,
                Incoming::Closed(reason) => return Err(reason),
                other => self.put_aside(other),
            }
        }
    }

    /// Keeps something for later, within the bounds of count and size.
    fn put_aside(&mut self, incoming: Incoming) {
        self.waiting_bytes += size_of_waiting(&incoming);
        self.waiting.push_back(incoming);
        while self.waiting.len() > EVENT_QUEUE || self.waiting_bytes > 2 * MESSAGE_LIMIT_BYTES {
            let Some(oldest) = self.waiting.pop_front() else { break };
            self.waiting_bytes -= size_of_waiting(&oldest);
            self.counts.dropped += 1;
        }
    }

    /// Reads from the socket until something is understood.
    async fn receive(&mut self) -> Incoming {
        loop {
            let message = match self.socket.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Incoming::Closed(broken(error)),
                None => return Incoming::Closed(CdpError::Closed),
            };
            acknowledge_at_once(self.socket.get_ref());
            match message {
                Message::Text(text) => {
                    if let Some(incoming) = self.understand(text.as_str()) {
                        return incoming;
                    }
                }
                Message::Close(_) => return Incoming::Closed(CdpError::Closed),
                Message::Binary(_) => return Incoming::Closed(CdpError::Malformed("binary message".into())),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Reads one message; `None` if it answers nothing we asked.
    fn understand(&mut self, text: &str) -> Option<Incoming> {
        let received = Instant::now();
        let bytes = text.len();
        self.counts.bytes_in += bytes as u64;
        let wire: WireMessage<'_> = match serde_json::from_str(text) {
            Ok(wire) => wire,
            Err(error) => return Some(Incoming::Closed(CdpError::Malformed(error.to_string()))),
        };
        if let Some(method) = wire.method {
            let params = wire.params.map_or_else(no_value, ToOwned::to_owned);
            return Some(Incoming::Event(Event { method: method.into_owned(), params, bytes, received }));
        }
        let id = CallId(wire.id.unwrap_or(0));
        let Some(Outstanding { method, sent }) = self.outstanding.remove(&id) else {
            self.counts.stray_replies += 1;
            return None;
        };
        let result = match wire.error {
            Some(error) => Err(CdpError::Refused { method, code: error.code, message: error.message }),
            None => Ok(wire.result.map_or_else(no_value, ToOwned::to_owned)),
        };
        Some(Incoming::Reply(Reply { id, method, result, bytes, received, took: received - sent }))
    }
}

impl Drop for Cdp {
    /// Ends the connection for everybody who has it: the guard holds a copy, which would keep it open.
    fn drop(&mut self) {
        let _ = rustix::net::shutdown(self.socket.get_ref(), rustix::net::Shutdown::Both);
    }
}

/// The socket, for whoever must cut the connection when its owner cannot.
impl AsFd for Cdp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.get_ref().as_fd()
    }
}

/// The limits of a connection; the library's own frame limit of 16 MiB is too small for a deep window.
pub fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_LIMIT_BYTES))
        .max_frame_size(Some(MESSAGE_LIMIT_BYTES))
}

/// Node writes a reply in two small pieces; with a delayed acknowledgement the second comes 40 ms late. Linux forgets
/// the option, so it is set again after each transfer. Where it cannot be set, replies are only later.
fn acknowledge_at_once(stream: &TcpStream) {
    let _ = rustix::net::sockopt::set_tcp_quickack(stream, true);
}

/// Gives a failure of the socket its name.
pub fn broken(error: WsError) -> CdpError {
    match error {
        WsError::Capacity(CapacityError::MessageTooLong { .. }) => {
            CdpError::TooLarge { limit_bytes: MESSAGE_LIMIT_BYTES }
        }
        WsError::Io(error) => CdpError::Broken(error),
        WsError::ConnectionClosed
        | WsError::AlreadyClosed
        | WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => CdpError::Closed,
        other => CdpError::Malformed(other.to_string()),
    }
}

fn size_of_waiting(incoming: &Incoming) -> usize {
    match incoming {
        Incoming::Reply(reply) => reply.bytes,
        Incoming::Event(event) => event.bytes,
        Incoming::Closed(_) => 0,
    }
}

fn no_value() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}
