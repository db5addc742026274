//! The last word over a connection that is about to be cut: the target is asked to say nothing more.
//!
//! Node's inspector crashes with SIGSEGV when it has something to send in the very turn of its I/O thread in which it
//! reads the end of the connection: `TcpHolder::WriteRaw` on a socket that it has just let go (nodejs/node#34833;
//! mended by nodejs/node#64209, in 24.19 and 26.5). A target that exits sends our last window and
//! `NodeRuntime.waitingForDisconnect`, so one that exited within a millisecond of a `kill -9` of flametop crashed: 11
//! of 180 tries on Node 18. With a bare client that only closes its socket it was 14, 13 and 4 of 100 tries on Node
//! 18, 20 and 22. None of 800 crashed where everything that may speak was turned off and the answer awaited first:
//! before that exit, in it, and while Node already waited for the client to go. Neither call runs JavaScript.
//!
//! It blocks, needs no runtime and reads no messages: whoever owned the connection may have left in the middle of one.

use std::io::Cursor;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::{Message, Role};
use tokio_tungstenite::tungstenite::{Error, WebSocket};

use super::wire::{Method, encode_call};
use crate::guard;

/// The name of the last call: the greatest that the protocol knows, so that none before it had it.
const LAST: u64 = i32::MAX as u64;
/// What stands in its answer and in nothing that comes before.
const ANSWER: &[u8] = b"\"id\":2147483647";

/// Asks the target to say nothing more and waits until it has answered, at most that long; whether it has, or is gone.
///
/// Every answer still due comes before this one, so nothing can follow it. A target that is blocked does not answer,
/// but says nothing either.
pub fn hush(connection: BorrowedFd<'_>, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    let Ok(words) = last_words() else { return false };
    match send(connection, &words, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
        Ok(sent) if sent == words.len() => is_answered(connection, until),
        _ => false,
    }
}

/// The calls that end all our profiles, whose ends it would tell, and the word that it waits for us.
fn last_words() -> Result<Vec<u8>, Error> {
    let calls: [(u64, Method, Value); 2] = [
        (LAST - 1, Method::ProfilerDisable, json!({})),
        (LAST, Method::NodeRuntimeNotifyWhenWaitingForDisconnect, json!({ "enabled": false })),
    ];
    let mut socket = WebSocket::from_raw_socket(Cursor::new(Vec::new()), Role::Client, None);
    for (id, method, params) in calls {
        let text = encode_call(id, method, &params).map_err(|error| Error::Io(error.into()))?;
        socket.send(Message::text(text))?;
    }
    Ok(socket.get_ref().get_ref().clone())
}

fn is_answered(connection: BorrowedFd<'_>, until: Instant) -> bool {
    let mut bytes = vec![0; 64 << 10];
    // The answer may come in two pieces: what could be its beginning is kept.
    let mut kept = 0;
    loop {
        // Node writes in two pieces; with a delayed acknowledgement the second comes 40 ms late.
        let _ = rustix::net::sockopt::set_tcp_quickack(connection, true);
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || !guard::is_ready(connection, left) {
            return false;
        }
        match recv(connection, &mut bytes[kept..], RecvFlags::DONTWAIT) {
            Ok((_, 0)) => return true,
            Ok((_, read)) => {
                let known = &bytes[..kept + read];
                if known.windows(ANSWER.len()).any(|part| part == ANSWER) {
                    return true;
                }
                let rest = known.len() - known.len().min(ANSWER.len() - 1)..known.len();
                kept = rest.len();
                bytes.copy_within(rest, 0);
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;
    use std::thread;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(20);

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let ours = TcpStream::connect(listener.local_addr().expect("an address")).expect("it listens");
        (ours, listener.accept().expect("it connects").0)
    }

    /// A target that has read what it is asked says `pieces`, one after the other.
    fn hushed(pieces: Vec<Vec<u8>>) -> bool {
        let (ours, mut theirs) = pair();
        let target = thread::spawn(move || {
            theirs.read_exact(&mut vec![0; last_words().expect("encoded").len()]).expect("it is asked");
            for piece in pieces {
                theirs.write_all(&piece).expect("it is read");
                thread::yield_now();
            }
            theirs
        });
        let hushed = hush(ours.as_fd(), LONG);
        drop(target.join().expect("no panic"));
        hushed
    }

    #[test]
    fn what_is_asked_runs_no_javascript_and_ends_with_the_call_whose_answer_is_awaited() {
        let words = last_words().expect("encoded");
        let mut socket = WebSocket::from_raw_socket(Cursor::new(words), Role::Server, None);
        let mut read = || socket.read().expect("a message").into_text().expect("a text").to_string();
        assert_eq!(read(), r#"{"id":2147483646,"method":"Profiler.disable","params":{}}"#);
        let last = read();
        assert!(last.starts_with('{') && last.as_bytes()[1..].starts_with(ANSWER), "{last}");
        assert!(last.contains(r#""enabled":false"#), "{last}");
        assert!(socket.read().is_err(), "nothing else");
    }

    #[test]
    fn the_answer_is_found_after_half_a_message_and_wherever_it_is_cut() {
        let answer = br#"{"id":2147483647,"result":{}}"#;
        for cut in 0..answer.len() {
            let mut long = vec![b'x'; 200_000];
            long.extend_from_slice(&answer[..cut]);
            assert!(hushed(vec![long, answer[cut..].to_vec()]), "cut at {cut}");
        }
    }

    #[test]
    fn a_target_that_has_gone_says_nothing_more() {
        let (ours, theirs) = pair();
        drop(theirs);
        assert!(hush(ours.as_fd(), LONG));
    }

    #[test]
    fn one_that_does_not_answer_is_not_waited_for() {
        let (ours, mut theirs) = pair();
        theirs.write_all(br#"{"id":2147483646,"result":{}}"#).expect("sent");
        let began = Instant::now();
        assert!(!hush(ours.as_fd(), SHORT));
        assert!(began.elapsed() < LONG);
        drop(theirs);
    }
}
