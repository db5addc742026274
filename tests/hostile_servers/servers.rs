//! Servers that are no inspectors, or lie, before a WebSocket is open; and what every case of a
//! misbehaving server has to show.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::support::fake_inspector::{Server, has_left, list_answer, read_head, say_nothing};
use crate::support::program::{Ended, flametop, survived, tally};

/// A way to misbehave, and what flametop has to say of it.
pub struct Case {
    /// The misbehaviour.
    pub what: &'static str,
    /// Serves one connection.
    pub serve: fn(TcpStream),
    /// Whether only its address is given, so that it is asked for its list.
    pub by_list: bool,
    /// The exit code.
    pub code: i32,
    /// A part of the message that names the cause.
    pub says: &'static str,
    /// How long it may take.
    pub within: Duration,
}

/// Long enough for each timeout of ours, and for a lost connection to be tried again.
pub const SOON: Duration = Duration::from_secs(20);

/// Runs all cases, `at_once` at a time.
pub fn survive(cases: &[Case], at_once: usize) {
    tally(
        cases,
        at_once,
        |case| case.what.to_owned(),
        |case| {
            let server = Server::start(case.serve);
            let home = tempfile::tempdir().expect("a directory");
            let (list, session) = (server.address(), server.session());
            let address = if case.by_list { &list } else { &session };
            let ended =
                flametop(&["top", address, "--kind", "node", "--for", "300ms"], home.path(), case.within);
            check(case, &ended, &server.address());
        },
    );
}

#[track_caller]
fn check(case: &Case, ended: &Ended, address: &str) {
    let (what, text) = (case.what, &ended.stderr);
    assert_eq!(ended.code, Some(case.code), "{what}: {text}");
    assert!(text.contains(address), "{what} does not name {address}: {text}");
    assert!(text.contains(case.says), "{what} does not say {:?}: {text}", case.says);
    assert!(text.contains("hint:") || case.code == 1, "{what} gives no way out: {text}");
    assert!(ended.stdout.is_empty() && text.len() < 4096, "{what}: {text}");
}

const NO_INSPECTOR: &str = "is not a Node.js inspector";
const NO_HANDSHAKE: &str = "the WebSocket handshake failed";

const BY_LIST: &[Case] = &[
    list("accepts and never answers", silent, 1, "did not answer within"),
    list("closes at once", drop, 5, NO_INSPECTOR),
    list("HTTP 400", http_400, 5, "HTTP status 400"),
    list("a status line that drives terminals", odd_status, 5, NO_INSPECTOR),
    list("a redirect", redirect, 5, "HTTP status 302"),
    list("garbage instead of HTTP", garbage, 5, NO_INSPECTOR),
    list("a head without end", endless_head, 5, NO_INSPECTOR),
    list("a list of 100 MB", hundred_megabytes, 5, "answered with more than"),
    list("a list 100,000 deep", deep_list, 5, NO_INSPECTOR),
    list("a list that names another host", other_host, 5, "a list that names"),
    list("a list that is cut short", short_list, 5, NO_INSPECTOR),
    list("a list of one byte a second", dripping_list, 1, "did not answer within"),
    list("a list, and then no WebSocket", list_only, 1, NO_HANDSHAKE),
];

const HANDSHAKES: &[Case] = &[
    session("a handshake that is never answered", silent, "connecting got no answer"),
    session("a handshake that is closed at once", drop, NO_HANDSHAKE),
    session("HTTP 400 to the handshake", http_400, NO_HANDSHAKE),
    session("garbage to the handshake", garbage, NO_HANDSHAKE),
    session("no upgrade", no_upgrade, NO_HANDSHAKE),
    session("a wrong Sec-WebSocket-Accept", wrong_accept, NO_HANDSHAKE),
    session("a handshake's head without end", endless_head, NO_HANDSHAKE),
    session("a handshake of one byte a second", dripping, "connecting got no answer"),
];

const fn list(what: &'static str, serve: fn(TcpStream), code: i32, says: &'static str) -> Case {
    Case { what, serve, by_list: true, code, says, within: SOON }
}

const fn session(what: &'static str, serve: fn(TcpStream), says: &'static str) -> Case {
    Case { what, serve, by_list: false, code: 1, says, within: SOON }
}

fn silent(mut stream: TcpStream) {
    say_nothing(&mut stream);
}

/// Answers a request, and then says nothing more.
fn answer(mut stream: TcpStream, answer: &[u8]) {
    // Nobody minds a client that has left.
    if read_head(&mut stream).is_some() && stream.write_all(answer).is_ok() {
        say_nothing(&mut stream);
    }
}

fn http_400(stream: TcpStream) {
    answer(stream, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
}

fn odd_status(stream: TcpStream) {
    answer(stream, b"HTTP/1.1 400 Bad\x1b]0;owned\x07\xe2\x80\xae\r\nContent-Length: 0\r\n\r\n");
}

fn redirect(stream: TcpStream) {
    answer(stream, b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n");
}

fn garbage(stream: TcpStream) {
    answer(stream, b"SSH-2.0-\x1b]0;owned\x07\xff\xfe\x00\r\n\r\n\r\n");
}

fn endless_head(mut stream: TcpStream) {
    let _ = read_head(&mut stream);
    let _ = stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n");
    while stream.write_all(&b"X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n".repeat(1000)).is_ok() {}
}

fn hundred_megabytes(mut stream: TcpStream) {
    let _ = read_head(&mut stream);
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
    let piece = vec![b'['; 1 << 20];
    (0..100).try_for_each(|_| stream.write_all(&piece)).unwrap_or_default();
}

fn with_body(stream: TcpStream, body: &str, said: usize) {
    answer(stream, format!("HTTP/1.1 200 OK\r\nContent-Length: {said}\r\n\r\n{body}").as_bytes());
}

fn deep_list(stream: TcpStream) {
    with_body(stream, &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), 200_000);
}

fn short_list(mut stream: TcpStream) {
    let _ = read_head(&mut stream);
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{\"type\":\"node\"");
}

fn other_host(stream: TcpStream) {
    let body = r#"[{"type":"node","webSocketDebuggerUrl":"ws://10.255.255.1:9229/session"}]"#;
    with_body(stream, body, body.len());
}

/// A byte a second.
fn drip(stream: &mut TcpStream, text: &[u8]) {
    for byte in text {
        if stream.write_all(&[*byte]).is_err() || has_left(stream, Duration::from_secs(1)) {
            return;
        }
    }
    say_nothing(stream);
}

fn dripping_list(mut stream: TcpStream) {
    let _ = read_head(&mut stream);
    let list = list_answer(&stream, "slow");
    drip(&mut stream, list.as_bytes());
}

fn dripping(mut stream: TcpStream) {
    let _ = read_head(&mut stream);
    drip(&mut stream, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
}

fn list_only(mut stream: TcpStream) {
    let asks_list = read_head(&mut stream).is_some_and(|head| head.starts_with("GET /json"));
    if asks_list {
        let list = list_answer(&stream, "liar");
        let _ = stream.write_all(list.as_bytes());
    } else {
        let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
}

fn no_upgrade(stream: TcpStream) {
    answer(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
}

fn wrong_accept(stream: TcpStream) {
    answer(
        stream,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
    );
}

#[test]
fn servers_that_are_no_inspectors_are_named_and_left() {
    survive(BY_LIST, 8);
}

#[test]
fn sessions_that_shake_no_hands_are_named_and_left() {
    survive(HANDSHAKES, 8);
}

#[test]
fn a_list_cannot_send_us_to_another_port() {
    let other = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let url = format!("ws://{}/session", other.local_addr().expect("it is bound"));
    let server = Server::start(move |stream| {
        let body = format!(r#"[{{"type":"node","webSocketDebuggerUrl":"{url}"}}]"#);
        with_body(stream, &body, body.len());
    });
    let home = tempfile::tempdir().expect("a directory");
    let ended = flametop(&["top", &server.address(), "--kind", "node"], home.path(), SOON);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    other.set_nonblocking(true).expect("it can be");
    assert!(other.accept().is_err(), "nobody may connect there");
    survived(1);
}
