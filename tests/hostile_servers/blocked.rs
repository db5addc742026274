//! Inspectors that are reached and never answer: nobody can tell them from a target that is blocked.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::servers::{Case, survive};
use crate::sockets::instead;
use crate::support::fake_inspector::{PING, TEXT, frame_head, has_left};

/// They are waited for as long as for any target that is blocked (15 s until it is reached, 15 s beyond the time asked for).
const PATIENCE: Duration = Duration::from_secs(36);

const SLOW: &[Case] = &[
    unreached("shakes hands and never answers", silent),
    unreached("a byte of a message a second", drip),
    unreached("pings without end", pings),
    unreached("replies to calls that were never made", wrong_ids),
];

const fn unreached(what: &'static str, serve: fn(TcpStream)) -> Case {
    Case { what, serve, by_list: false, code: 1, says: "no window arrived", within: PATIENCE }
}

fn silent(stream: TcpStream) {
    instead(stream, |_, _| Ok(()));
}

fn drip(stream: TcpStream) {
    static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);
    // The first only asks whether anybody is there.
    let slow = CONNECTIONS.fetch_add(1, Ordering::Relaxed) < 2;
    instead(stream, |socket, call| {
        if !slow {
            return socket.send(&call.usual_reply());
        }
        let reply = call.usual_reply();
        let mut bytes = frame_head(TEXT, reply.len() as u64);
        bytes.extend_from_slice(reply.as_bytes());
        for byte in bytes {
            socket.stream.write_all(&[byte])?;
            if has_left(&mut socket.stream, Duration::from_secs(1)) {
                break;
            }
        }
        Ok(())
    });
}

fn pings(stream: TcpStream) {
    instead(stream, |socket, _| {
        loop {
            let many = frame_head(PING, 0).repeat(50);
            socket.stream.write_all(&many)?;
            // What it answers must be read, or both ends would wait for each other.
            if has_left(&mut socket.stream, Duration::from_millis(5)) {
                return Ok(());
            }
        }
    });
}

fn wrong_ids(stream: TcpStream) {
    instead(stream, |socket, call| {
        for id in [0, call.id + 1, call.id + 1, 1 << 53, u64::MAX] {
            socket.send(&json!({ "id": id, "result": {} }).to_string())?;
        }
        socket.send("{}")
    });
}

#[test]
fn inspectors_that_never_answer_are_left_in_time() {
    survive(SLOW, SLOW.len());
}
