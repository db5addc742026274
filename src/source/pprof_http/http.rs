//! A careful HTTP/1.1 client for one endpoint: one connection kept alive, and a bound on everything
//! that the other side sends.

use super::address::Endpoint;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{ACCEPT, HOST, HeaderMap, LOCATION, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::io;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Bytes of an answer's head.
const MAX_HEAD: usize = 16 * 1024;
/// Bytes of an answer's body.
pub(super) const MAX_BODY: usize = 64 << 20;
/// Bytes of an error's text that are shown.
const MAX_REASON: usize = 200;
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// Time for the body, once the head has come.
const BODY_WITHIN: Duration = Duration::from_secs(20);

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("nothing listens there (connection refused)")]
    Refused,
    #[error("the host is not known: {0}")]
    UnknownHost(io::Error),
    #[error("it can't be reached: {0}")]
    Unreachable(io::Error),
    #[error("it did not {0} within {1:.0?}")]
    Slow(&'static str, Duration),
    #[error("what answers does not speak HTTP, or broke off: {0}")]
    Garbled(hyper::Error),
    #[error("its answer is longer than {} MiB", MAX_BODY >> 20)]
    TooLong,
    #[error("it redirects to {0}, which is not followed")]
    Redirect(String),
    #[error("another client is profiling it ({0})")]
    InUse(String),
    #[error("it answers {0}{1}")]
    Status(StatusCode, String),
}

/// A whole answer.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// When its head had come.
    pub(super) head_at: Instant,
}

/// A client of one endpoint. Dropped, it closes its connection.
pub(super) struct Client {
    endpoint: Endpoint,
    connection: Option<Connection>,
}

struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Client {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, connection: None }
    }

    /// The answer to a GET of `path`, whose head must come `within` that time. Only 200 is an answer.
    pub(super) async fn get(&mut self, path: &str, within: Duration) -> Result<Answer, HttpError> {
        // Taken out, so that a request that was cancelled half-way leaves no connection behind.
        let mut connection = match self.connection.take() {
            Some(connection) if connection.sender.is_ready() => connection,
            _ => self.connect().await?,
        };
        let request = Request::get(path)
            .header(HOST, self.endpoint.authority())
            .header(USER_AGENT, concat!("flametop/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "*/*")
            .body(Empty::new())
            .map_err(|_| HttpError::Status(StatusCode::BAD_REQUEST, String::new()))?;
        let sent = timeout(within, connection.sender.send_request(request)).await;
        let response = sent.map_err(|_| HttpError::Slow("answer", within))?.map_err(HttpError::Garbled)?;
        let head_at = Instant::now();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = timeout(BODY_WITHIN, collect(response)).await;
        let body = body.map_err(|_| HttpError::Slow("finish its answer", BODY_WITHIN))??;
        self.connection = Some(connection);
        check(status, &headers, &body)?;
        Ok(Answer { headers, body, head_at })
    }

    async fn connect(&self) -> Result<Connection, HttpError> {
        let bare_host = self.endpoint.host.trim_matches(['[', ']']);
        let connecting = TcpStream::connect((bare_host, self.endpoint.port));
        let stream = timeout(CONNECT_WITHIN, connecting)
            .await
            .map_err(|_| HttpError::Slow("accept a connection", CONNECT_WITHIN))?
            .map_err(connect_error)?;
        stream.set_nodelay(true).ok();
        let (sender, connection) = Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(100)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(HttpError::Garbled)?;
        // Its error is that of the request, which tells it.
        let driver = tokio::spawn(async move { connection.await.unwrap_or_default() });
        Ok(Connection { sender, driver })
    }
}

fn connect_error(error: io::Error) -> HttpError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => HttpError::Refused,
        // Only the resolver fails without a number of the system.
        _ if error.raw_os_error().is_none() => HttpError::UnknownHost(error),
        _ => HttpError::Unreachable(error),
    }
}

async fn collect(response: Response<Incoming>) -> Result<Bytes, HttpError> {
    let limited = http_body_util::Limited::new(response.into_body(), MAX_BODY);
    let whole = limited.collect().await.map_err(|error| match error.downcast::<hyper::Error>() {
        Ok(error) => HttpError::Garbled(*error),
        Err(_) => HttpError::TooLong,
    })?;
    Ok(whole.to_bytes())
}

fn check(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<(), HttpError> {
    if status == StatusCode::OK {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&body[..body.len().min(MAX_REASON)]);
    let reason = crate::profile::clean_path(reason.trim()).to_string();
    if status.is_redirection() {
        let to = headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
        return Err(HttpError::Redirect(crate::profile::clean_path(to).to_string()));
    }
    // Go says 500, others 409 or 503; the words are the same since pprof-rs copied them.
    if reason.contains("already in use") || reason.contains("start running cpu profiler") {
        return Err(HttpError::InUse(reason));
    }
    let colon = if reason.is_empty() { "" } else { ": " };
    Err(HttpError::Status(status, format!("{colon}{reason}")))
}
