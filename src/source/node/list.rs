//! `GET /json/list`: asks an address whether it is an inspector, and for the path of its session.
//!
//! The address may belong to anything, so head, body and time are bounded, and the answer must name the address we
//! asked: an answer cannot send us elsewhere.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use super::error::AttachError;

/// The largest head of an answer.
const HEAD_LIMIT_BYTES: usize = 16 << 10;

/// The largest list.
const LIST_LIMIT_BYTES: usize = 1 << 20;

/// One session an inspector offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The path to connect to, a secret of the target.
    pub path: String,
    /// What the target calls it, mostly the script.
    pub title: String,
}

/// Asks an address for its sessions and takes the first that is a Node process.
pub async fn session_at(address: SocketAddr, patience: Duration) -> Result<Session, AttachError> {
    match tokio::time::timeout(patience, fetch(address)).await {
        Ok(body) => session_in(address, &body?),
        Err(_) => Err(AttachError::InspectorSilent { address, waited: patience }),
    }
}

async fn fetch(address: SocketAddr) -> Result<Bytes, AttachError> {
    let unreachable = |source| AttachError::Unreachable { address: address.to_string(), source };
    let odd = |error: hyper::Error| not_an_inspector(address, &error.to_string());
    let stream = TcpStream::connect(address).await.map_err(unreachable)?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_LIMIT_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(odd)?;
    // A host as number and port: Node refuses names (DNS rebinding).
    let request = Request::get("/json/list")
        .header(HOST, address.to_string())
        .body(Empty::<Bytes>::new())
        .map_err(|error| not_an_inspector(address, &error.to_string()))?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(odd)?;
        if !answer.status().is_success() {
            return Err(not_an_inspector(address, &format!("HTTP status {}", answer.status())));
        }
        match Limited::new(answer.into_body(), LIST_LIMIT_BYTES).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(AttachError::TooLarge { address, limit_bytes: LIST_LIMIT_BYTES })
            }
            Err(error) => Err(not_an_inspector(address, &error.to_string())),
        }
    };
    // The connection must be driven while we wait; its own end may come before or after the answer.
    let drive = async {
        let _ = connection.await;
        std::future::pending::<Result<Bytes, AttachError>>().await
    };
    tokio::select! {
        biased;
        body = exchange => body,
        never = drive => never,
    }
}

/// The same question without a runtime, for the last moments of a program; asked only of ports we made open.
pub fn session_at_blocking(address: SocketAddr, patience: Duration) -> Result<Session, AttachError> {
    let unreachable = |source| AttachError::Unreachable { address: address.to_string(), source };
    let patience = patience.max(Duration::from_millis(1));
    let until = Instant::now() + patience;
    let mut stream = std::net::TcpStream::connect_timeout(&address, patience).map_err(unreachable)?;
    stream.set_write_timeout(Some(patience)).map_err(unreachable)?;
    write!(stream, "GET /json/list HTTP/1.0\r\nHost: {address}\r\n\r\n").map_err(unreachable)?;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        // A timeout holds for one read only, and an answer may come byte by byte.
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(AttachError::InspectorSilent { address, waited: patience });
        }
        stream.set_read_timeout(Some(left)).map_err(unreachable)?;
        let length = stream.read(&mut piece).map_err(unreachable)?;
        answer.extend_from_slice(&piece[..length]);
        let body = answer.windows(4).position(|window| window == b"\r\n\r\n").map(|at| &answer[at + 4..]);
        // Node keeps the connection open, so the list is complete when it can be read.
        match body.map(|body| session_in(address, body)) {
            Some(Ok(session)) => return Ok(session),
            _ if length > 0 && answer.len() < HEAD_LIMIT_BYTES => {}
            _ => return Err(not_an_inspector(address, &excerpt(&answer))),
        }
    }
}

fn session_in(address: SocketAddr, body: &[u8]) -> Result<Session, AttachError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        #[serde(rename = "type", default)]
        kind: String,
        #[serde(default)]
        title: String,
        web_socket_debugger_url: Option<String>,
    }
    let entries: Vec<Entry> =
        serde_json::from_str(&as_json(body)).map_err(|_| not_an_inspector(address, &excerpt(body)))?;
    let node = entries
        .into_iter()
        .find(|entry| entry.kind == "node")
        .ok_or_else(|| not_an_inspector(address, "a list without a Node process"))?;
    let url = node.web_socket_debugger_url.unwrap_or_default();
    let path = url
        .strip_prefix("ws://")
        .and_then(|rest| rest.strip_prefix(&address.to_string()))
        .filter(|path| is_session_path(path))
        .ok_or_else(|| {
            not_an_inspector(address, &format!("a list that names {}", excerpt(url.as_bytes())))
        })?;
    Ok(Session { path: path.to_owned(), title: node.title })
}

/// A list with blanks for control characters. Of a script's path Node escapes quotes and backslashes only, so a list may
/// hold any other byte a path can, and would be no JSON.
fn as_json(body: &[u8]) -> String {
    String::from_utf8_lossy(body).replace(|c: char| c < ' ', " ")
}

/// Whether a text is the path of a session: it goes into a request line, so nothing but plain characters.
pub fn is_session_path(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    path.len() > 1 && path.len() < 256 && path.starts_with('/') && path.chars().all(plain)
}

fn not_an_inspector(address: SocketAddr, answer: &str) -> AttachError {
    AttachError::NotAnInspector { address, answer: answer.to_owned() }
}

/// The beginning of an answer, fit for a terminal.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(60)]);
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Session, AttachError> {
        session_in("127.0.0.1:9229".parse().expect("an address"), body.as_bytes())
    }

    #[test]
    fn the_first_node_entry_is_taken() {
        let body = r#"[{"type":"page","webSocketDebuggerUrl":"ws://127.0.0.1:9229/x"},
            {"type":"node","title":"app.js","webSocketDebuggerUrl":"ws://127.0.0.1:9229/ab-12"}]"#;
        let session = read(body).expect("a session");
        assert_eq!(session, Session { path: "/ab-12".into(), title: "app.js".into() });
    }

    #[test]
    fn an_answer_cannot_send_us_elsewhere() {
        for url in [
            "ws://10.0.0.1:9229/x",
            "ws://127.0.0.1:92299/x",
            "ws://127.0.0.1:9229",
            "http://127.0.0.1:9229/x",
            "ws://127.0.0.1:9229/x\\r\\nHost: a",
            "ws://127.0.0.1:9229@10.0.0.1/x",
        ] {
            let body = format!(r#"[{{"type":"node","webSocketDebuggerUrl":"{url}"}}]"#);
            assert!(matches!(read(&body), Err(AttachError::NotAnInspector { .. })), "{url}");
        }
    }

    #[test]
    fn garbage_is_shown_without_its_control_characters() {
        let error = read("\u{1b}[2Jhello").expect_err("garbage");
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
    }

    #[test]
    fn a_script_of_any_name_can_be_reached() {
        let body = b"[{\"type\":\"node\",\n\"title\":\"/srv/a\x1b[31m\n\xff.js[7]\",\n\
            \"webSocketDebuggerUrl\":\"ws://127.0.0.1:9229/ab-12\"}]";
        let session = session_in("127.0.0.1:9229".parse().expect("an address"), body).expect("a session");
        assert_eq!((&*session.path, &*session.title), ("/ab-12", "/srv/a [31m \u{fffd}.js[7]"));
    }

    #[test]
    fn other_json_is_no_list() {
        for body in ["{}", "[]", "[1]", "null", "[{\"type\":\"node\"}]", "[[[["] {
            assert!(read(body).is_err(), "{body}");
        }
    }
}
