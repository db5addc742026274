//! Servers that are no inspectors, or lie.

use crate::prelude::*;

/// Serves one connection after another with `answer`, on a thread that ends with the test's process.
fn server(answer: impl Fn(&mut std::net::TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            answer(&mut stream);
        }
    });
    address
}

fn ask(address: SocketAddr) -> AttachError {
    let options = OpenOptions { answer: Duration::from_millis(700), ..OpenOptions::default() };
    let began = Instant::now();
    let error = block_on(inspector_at(&address.to_string(), &options)).expect_err("no inspector");
    assert!(began.elapsed() < Duration::from_secs(5), "{error} took {:?}", began.elapsed());
    error
}

#[test]
fn garbage_is_not_an_inspector() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        "HTTP/1.0 302 Found\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n",
        "",
    ] {
        let error = ask(server(move |stream| drop(stream.write_all(garbage.as_bytes()))));
        assert!(matches!(error, AttachError::NotAnInspector { .. }), "{garbage:?}: {error:?}");
        assert_eq!(error.exit_code(), 5);
    }
}

#[test]
fn a_silent_server_is_given_up() {
    let error = ask(server(|stream| drop(stream.read(&mut [0]))));
    assert!(matches!(error, AttachError::InspectorSilent { .. }), "{error:?}");
}

#[test]
fn a_hundred_megabytes_are_cut_off() {
    let error = ask(server(|stream| {
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n");
        for _ in 0..1600 {
            let _ = stream.write_all("[".repeat(65536).as_bytes());
        }
    }));
    assert!(matches!(error, AttachError::TooLarge { .. }), "{error:?}");
}

#[test]
fn a_head_without_end_is_cut_off() {
    let error = ask(server(|stream| {
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n");
        for _ in 0..100_000 {
            let _ = stream.write_all(b"X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
        }
    }));
    assert!(matches!(error, AttachError::NotAnInspector { .. }), "{error:?}");
}

#[test]
fn a_closed_port_is_unreachable() {
    let address = TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("its address");
    let error = block_on(inspector_at(&address.to_string(), &OpenOptions::default())).expect_err("nobody");
    assert!(matches!(error, AttachError::Unreachable { .. }), "{error:?}");
    assert_eq!(error.exit_code(), 3);
}

/// A WebSocket server that sends what it likes.
fn talker(messages: Vec<String>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut socket = tokio_tungstenite::tungstenite::accept(stream).expect("a handshake");
        for message in messages {
            if socket.send(message.into()).is_err() {
                return;
            }
        }
        while socket.read().is_ok() {}
    });
    address
}

#[test]
fn wrong_and_repeated_ids_are_ignored_and_counted() {
    let messages = [
        "{\"id\":99,\"result\":{}}",
        "{\"id\":1,\"result\":{\"a\":1}}",
        "{\"id\":1,\"result\":{\"a\":2}}",
        "{}",
        "{\"method\":\"M\",\"params\":{}}",
    ];
    let address = talker(messages.map(ToOwned::to_owned).to_vec());
    block_on(async {
        let mut cdp = Cdp::connect(address, "/x").await.expect("connects");
        let result = cdp.call(Method::ProfilerEnable, json!({}), PATIENCE).await.expect("answers");
        assert_eq!(result.get(), "{\"a\":1}");
        assert_eq!(cdp.next_event().await.expect("an event").method, "M");
        assert_eq!(cdp.counts().stray_replies, 3);
    });
}

#[test]
fn events_beyond_the_queue_are_counted() {
    let mut messages = vec!["{\"method\":\"M\"}".to_owned(); 1500];
    messages.push("{\"id\":1,\"result\":{}}".into());
    let address = talker(messages);
    block_on(async {
        let mut cdp = Cdp::connect(address, "/x").await.expect("connects");
        cdp.call(Method::ProfilerEnable, json!({}), PATIENCE).await.expect("answers");
        assert_eq!(cdp.counts().dropped, 1500 - 1024);
    });
}

#[test]
fn a_message_over_the_limit_ends_the_connection() {
    let address = talker(vec![format!("{{\"method\":\"{}\"}}", "x".repeat(65 << 20))]);
    block_on(async {
        let mut cdp = Cdp::connect(address, "/x").await.expect("connects");
        let incoming = cdp.next().await;
        assert!(matches!(incoming, Incoming::Closed(CdpError::TooLarge { .. })));
    });
}

#[test]
fn what_is_not_the_protocol_ends_the_connection() {
    for text in ["hello", "[]", "{\"id\":\"x\"}", "{\"id\":-1}", "{\"id\":1,\"id\":2}"] {
        let address = talker(vec![text.to_owned()]);
        block_on(async {
            let mut cdp = Cdp::connect(address, "/x").await.expect("connects");
            assert!(matches!(cdp.next().await, Incoming::Closed(CdpError::Malformed(_))), "{text}");
        });
    }
}

#[test]
fn a_target_that_never_answers_is_given_up() {
    let address = talker(vec![]);
    block_on(async {
        let mut cdp = Cdp::connect(address, "/x").await.expect("connects");
        let error = cdp.call(Method::ProfilerEnable, json!({}), Duration::from_millis(50)).await;
        assert!(matches!(error, Err(CdpError::TimedOut { .. })));
        assert_eq!(cdp.oldest_outstanding().expect("still outstanding").method, Method::ProfilerEnable);
    });
}
