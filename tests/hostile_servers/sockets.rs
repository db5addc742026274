//! Inspectors that shake hands and then misbehave: in WebSocket, in JSON, in the protocol, in time.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::servers::{Case, SOON, survive};
use crate::support::fake_inspector::{
    BINARY, Call, GOES_ON, PING, Server, Socket, TEXT, TEXT_BEGINS, finished, frame_head, identity,
    say_nothing,
};
use crate::support::program::{flametop, survived};

const NOT_UNDERSTOOD: &str = "a message is not understood";
const CLOSED: &str = "the connection is closed";

const QUICK: &[Case] = &[
    case("a binary frame", binary, NOT_UNDERSTOOD),
    case("text that is no UTF-8", no_utf8, NOT_UNDERSTOOD),
    case("a masked frame", masked, NOT_UNDERSTOOD),
    case("a frame of a kind that there is not", unknown_frame, NOT_UNDERSTOOD),
    case("bits that are reserved", reserved_bits, NOT_UNDERSTOOD),
    case("a ping that is too long", long_ping, NOT_UNDERSTOOD),
    case("a fragment of nothing", lone_fragment, NOT_UNDERSTOOD),
    case("text that is no JSON", no_json, NOT_UNDERSTOOD),
    case("JSON 100,000 deep", deep, NOT_UNDERSTOOD),
    case("an id that is no number", odd_id, NOT_UNDERSTOOD),
    case("one key twice", double_key, NOT_UNDERSTOOD),
    case("a refusal", refuse, "was refused: "),
    case("a refusal of a megabyte", refuse_at_length, "was refused: "),
    case("a reply of another type", other_type, NOT_UNDERSTOOD),
    case("no result at all", no_result, NOT_UNDERSTOOD),
    case("a process id below zero", negative_pid, NOT_UNDERSTOOD),
    case("a thrown error", throw, "the snippet threw"),
    case("closes in good order", close, CLOSED),
    case("closes in the middle of a message", close_in_message, CLOSED),
    case("closes in the middle of a frame's head", close_in_head, CLOSED),
    case("says it is Deno", deno, "Deno"),
];

const HEAVY: &[Case] = &[
    case("a message of 65 MiB", too_large, "larger than"),
    case("a message that says it has 2^62 bytes", vast, "larger than"),
    case("fragments without end", endless_fragments, "larger than"),
    case("empty fragments without end, then it closes", empty_fragments, "connection"),
    case("a flood of events, then it closes", events, "connection"),
    case("a flood of large events, then it closes", large_events, "connection"),
];

const fn case(what: &'static str, serve: fn(TcpStream), says: &'static str) -> Case {
    Case { what, serve, by_list: false, code: 1, says, within: SOON }
}

/// Shakes hands, hears the first calls up to the question who it is, does that, and waits for the end.
pub fn instead(stream: TcpStream, does: impl FnOnce(&mut Socket, &Call) -> std::io::Result<()>) {
    let Some(mut socket) = Socket::accept(stream) else { return };
    while let Some(call) = socket.call() {
        if call.runs("identify") {
            if does(&mut socket, &call).is_ok() {
                say_nothing(&mut socket.stream);
            }
            return;
        }
        if socket.send(&call.usual_reply()).is_err() {
            return;
        }
    }
}

fn frame(stream: TcpStream, first: u8, payload: &[u8]) {
    instead(stream, |socket, _| socket.frame(first, payload));
}

fn raw(stream: TcpStream, bytes: &[u8]) {
    instead(stream, |socket, _| socket.stream.write_all(bytes));
}

fn text(stream: TcpStream, text: &str) {
    frame(stream, TEXT, text.as_bytes());
}

fn reply(stream: TcpStream, reply: impl FnOnce(&Call) -> String) {
    instead(stream, |socket, call| socket.send(&reply(call)));
}

fn binary(stream: TcpStream) {
    frame(stream, BINARY, b"{}");
}

fn no_utf8(stream: TcpStream) {
    frame(stream, TEXT, b"{\"method\":\"\xff\xc0\xed\xa0\x80\"}");
}

fn masked(stream: TcpStream) {
    raw(stream, b"\x81\x82abcd\x1a\x1f");
}

fn unknown_frame(stream: TcpStream) {
    frame(stream, 0x83, b"{}");
}

fn reserved_bits(stream: TcpStream) {
    frame(stream, 0xf1, b"{}");
}

fn long_ping(stream: TcpStream) {
    frame(stream, PING, &[b'x'; 5000]);
}

fn lone_fragment(stream: TcpStream) {
    frame(stream, 0x80, b"{}");
}

fn no_json(stream: TcpStream) {
    text(stream, "\u{1b}]0;owned\u{7}\u{202e}hello");
}

fn deep(stream: TcpStream) {
    let deep = format!("{}{}", "{\"a\":[".repeat(50_000), "]}".repeat(50_000));
    reply(stream, |call| format!(r#"{{"id":{},"result":{{"result":{{"value":{deep}}}}}}}"#, call.id));
}

fn odd_id(stream: TcpStream) {
    text(stream, r#"{"id":"\u001b[31m","result":{}}"#);
}

fn double_key(stream: TcpStream) {
    text(stream, r#"{"id":1,"id":2,"result":{}}"#);
}

fn refuse(stream: TcpStream) {
    reply(stream, |call| call.refusal("no\u{1b}]0;owned\u{7}\u{202e}\n\n\r"));
}

fn refuse_at_length(stream: TcpStream) {
    reply(stream, |call| call.refusal(&"no\u{1b}".repeat(1 << 19)));
}

fn other_type(stream: TcpStream) {
    reply(stream, |call| call.value(&json!("\u{1b}[31m")));
}

fn no_result(stream: TcpStream) {
    reply(stream, |call| json!({ "id": call.id }).to_string());
}

fn negative_pid(stream: TcpStream) {
    reply(stream, |call| call.value(&changed_identity("pid", &json!(-1))));
}

fn deno(stream: TcpStream) {
    reply(stream, |call| call.value(&changed_identity("deno", &json!("2.0\u{1b}[31m"))));
}

fn changed_identity(field: &str, value: &Value) -> Value {
    let mut who = identity();
    who[field] = value.clone();
    who
}

fn throw(stream: TcpStream) {
    reply(stream, |call| {
        let text = "Error: no\u{1b}]52;c;eA==\u{7}\u{202e}".repeat(1000);
        let exception = json!({ "text": text });
        call.result(
            &json!({ "result": { "type": "object", "description": text }, "exceptionDetails": exception }),
        )
    });
}

fn close(stream: TcpStream) {
    frame(stream, 0x88, b"\x03\xe8bye\x1b[31m");
}

fn leave(socket: &mut Socket, last: &[u8]) -> std::io::Result<()> {
    socket.stream.write_all(last)?;
    socket.stream.shutdown(Shutdown::Both)
}

fn close_in_message(stream: TcpStream) {
    instead(stream, |socket, _| {
        let mut head = frame_head(TEXT, 1000);
        head.extend_from_slice(b"{\"id\":1,\"result\":");
        leave(socket, &head)
    });
}

fn close_in_head(stream: TcpStream) {
    instead(stream, |socket, _| leave(socket, &[TEXT, 127, 0, 0]));
}

fn too_large(stream: TcpStream) {
    instead(stream, |socket, _| {
        socket.stream.write_all(&frame_head(TEXT, 65 << 20))?;
        (0..65).try_for_each(|_| socket.stream.write_all(&vec![b' '; 1 << 20]))
    });
}

fn vast(stream: TcpStream) {
    instead(stream, |socket, _| {
        socket.stream.write_all(&frame_head(TEXT, 1 << 62))?;
        (0..100).try_for_each(|_| socket.stream.write_all(&vec![b' '; 1 << 20]))
    });
}

fn endless_fragments(stream: TcpStream) {
    instead(stream, |socket, _| {
        socket.frame(TEXT_BEGINS, b"{")?;
        loop {
            socket.frame(GOES_ON, &vec![b' '; 60_000])?;
        }
    });
}

fn empty_fragments(stream: TcpStream) {
    instead(stream, |socket, _| {
        socket.frame(TEXT_BEGINS, b"{")?;
        let many = frame_head(GOES_ON, 0).repeat(100_000);
        (0..4).try_for_each(|_| socket.stream.write_all(&many))?;
        leave(socket, b"")
    });
}

fn flood(stream: TcpStream, event: &str, count: usize) {
    instead(stream, |socket, _| {
        (0..count).try_for_each(|_| socket.send(event))?;
        leave(socket, b"")
    });
}

fn events(stream: TcpStream) {
    flood(stream, r#"{"method":"Runtime.consoleAPICalled","params":{"args":[]}}"#, 100_000);
}

fn large_events(stream: TcpStream) {
    let event = format!(r#"{{"method":"Debugger.scriptParsed","params":"{}"}}"#, "x".repeat(40 << 20));
    flood(stream, &event, 12);
}

#[test]
fn inspectors_that_break_the_protocol_are_named_and_left() {
    survive(QUICK, 8);
}

#[test]
fn inspectors_that_send_too_much_do_not_fill_the_memory() {
    survive(HEAVY, 2);
}

/// The title of a profile of ours, from the call that starts it.
fn title_of(call: &Call) -> Option<String> {
    let (_, rest) = call.expression.split_once("start(\"")?;
    rest.split_once('"').map(|(title, _)| title.to_owned())
}

/// A profile of as many nodes as come to 40 MB, each of another function and with a sample of its own.
fn large_profile() -> String {
    let count = 600_000;
    let node = |id: usize| format!(r#",{{"id":{id},"callFrame":{{"functionName":"{id}"}}}}"#);
    let nodes: String = (2..count).map(node).collect();
    let ids: Vec<String> = (2..count).map(|id| id.to_string()).collect();
    let (ids, deltas) = (ids.join(","), ["0"].repeat(count - 2).join(","));
    format!(
        r#"{{"nodes":[{{"id":1,"callFrame":{{"functionName":""}},"children":[{ids}]}}{nodes}],"startTime":1,"endTime":2,"samples":[{ids}],"timeDeltas":[{deltas}]}}"#
    )
}

/// Hands the same large profile over again and again under the title that is running, and closes; whoever
/// comes back is not let in.
fn profiles_without_end(stream: TcpStream, profile: &str, came_before: &AtomicBool) {
    let Some(mut socket) = Socket::accept(stream) else { return };
    if came_before.swap(true, Ordering::Relaxed) {
        return;
    }
    while let Some(call) = socket.call() {
        if socket.send(&call.usual_reply()).is_err() {
            return;
        }
        if let Some(title) = call.runs("profile").then(|| title_of(&call)).flatten() {
            let large = finished(&title, profile);
            assert!(large.len() < 64 << 20, "each is taken: {}", large.len());
            let sent = (0..10).try_for_each(|_| socket.send(&large));
            if sent.and_then(|()| socket.stream.shutdown(Shutdown::Write)).is_ok() {
                say_nothing(&mut socket.stream);
            }
            return;
        }
    }
}

#[test]
fn profiles_without_end_do_not_fill_the_memory() {
    let (profile, came_before) = (large_profile(), AtomicBool::new(false));
    let server = Server::start(move |stream| profiles_without_end(stream, &profile, &came_before));
    let home = tempfile::tempdir().expect("a directory");
    let args = ["top", &server.session(), "--no-heap", "--for", "1m"];
    let ended = flametop(&args, home.path(), Duration::from_mins(1));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    survived(1);
}
