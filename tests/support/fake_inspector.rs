//! A server that speaks as a Node inspector does, or as badly as a test wants: plain sockets, and
//! WebSocket frames made by hand, so that wrong ones can be made too.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A text frame that is a whole message.
pub const TEXT: u8 = 0x81;
/// A text frame with more to come.
pub const TEXT_BEGINS: u8 = 0x01;
/// A frame that goes on with a message, with more to come.
pub const GOES_ON: u8 = 0x00;
/// A binary frame.
pub const BINARY: u8 = 0x82;
/// A ping.
pub const PING: u8 = 0x89;

/// A listening server; it ends with the test's process.
pub struct Server {
    address: SocketAddr,
}

impl Server {
    /// Serves each connection on a thread of its own.
    pub fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serve = serve.clone();
                std::thread::spawn(move || serve(stream));
            }
        });
        Server { address }
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The address of a session.
    pub fn session(&self) -> String {
        format!("ws://{}/session", self.address)
    }
}

/// The head of a request; none if the client left before its end.
pub fn read_head(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16 << 10 {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// The whole answer of an inspector to a request for its list. As in Node's, quotes and backslashes of the
/// title are replaced, and all else is in it as it is.
pub fn list_answer(stream: &TcpStream, title: &str) -> String {
    let address = stream.local_addr().expect("it is connected");
    let title = title.replace(['"', '\\'], "_");
    let list = format!(
        "[ {{\n  \"title\": \"{title}\",\n  \"type\": \"node\",\n  \"webSocketDebuggerUrl\": \"ws://{address}/session\"\n}} ]"
    );
    format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{list}", list.len())
}

/// Waits until the client has left, at most for a time; whether it has.
pub fn has_left(stream: &mut TcpStream, within: Duration) -> bool {
    let mut unheard = [0; 4096];
    if stream.set_read_timeout(Some(within)).is_err() {
        return true;
    }
    match stream.read(&mut unheard) {
        Ok(length) => length == 0,
        Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
    }
}

/// Says nothing until the client has left.
pub fn say_nothing(stream: &mut TcpStream) {
    while !has_left(stream, Duration::from_mins(1)) {}
}

/// A call of the client.
#[derive(Debug)]
pub struct Call {
    /// Its number.
    pub id: u64,
    /// Its method.
    pub method: String,
    /// What is to be evaluated, if it is that.
    pub expression: String,
}

impl Call {
    /// Whether it runs the snippet of that name.
    pub fn runs(&self, snippet: &str) -> bool {
        self.expression.contains(&format!("sourceURL=flametop:{snippet}"))
    }

    /// A reply that it worked.
    pub fn result(&self, result: &Value) -> String {
        json!({ "id": self.id, "result": result }).to_string()
    }

    /// A reply with the value of an evaluation.
    pub fn value(&self, value: &Value) -> String {
        self.result(&json!({ "result": { "type": "object", "value": value } }))
    }

    /// A reply that it is refused.
    pub fn refusal(&self, message: &str) -> String {
        json!({ "id": self.id, "error": { "code": -32000, "message": message } }).to_string()
    }

    /// What a decent inspector answers, apart from profiles.
    pub fn usual_reply(&self) -> String {
        match &*self.method {
            "Runtime.evaluate" if self.runs("identify") => self.value(&identity()),
            "Runtime.evaluate" if self.runs("profile") => self.value(&Value::Null),
            "Runtime.evaluate" if self.runs("leave") => self.value(&json!(true)),
            "Runtime.evaluate" => self.value(&json!({ "ok": false, "failed": "there is none" })),
            "HeapProfiler.getSamplingProfile" => self.refusal("Heap profiler is not started"),
            _ => self.result(&json!({})),
        }
    }

    /// The title in `verb("title")`, where the snippet has it.
    fn title(&self, verb: &str) -> Option<&str> {
        let code = self.runs("profile").then_some(&self.expression)?;
        let (_, rest) = code.split_once(&format!("{verb}(\""))?;
        rest.split_once('"').map(|(title, _)| title)
    }
}

/// Who a decent inspector says it is.
pub fn identity() -> Value {
    json!({
        "pid": 4711, "node": "22.0.0", "v8": "12.4", "deno": null, "bun": null, "title": "fake",
        "platform": "linux", "arch": "x64", "monotonic_us": now_us(),
    })
}

/// The monotonic clock in microseconds, the clock of all profiles.
pub fn now_us() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1000
}

/// A WebSocket that was accepted.
pub struct Socket {
    /// The connection below it, for what is no frame.
    pub stream: TcpStream,
}

impl Socket {
    /// Shakes hands.
    pub fn accept(mut stream: TcpStream) -> Option<Socket> {
        let head = read_head(&mut stream)?;
        let key = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim().to_owned())
        })?;
        let accept = derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).ok()?;
        Some(Socket { stream })
    }

    /// The next call; none when the client has left.
    pub fn call(&mut self) -> Option<Call> {
        loop {
            let (kind, payload) = self.read_frame()?;
            match kind & 0x0f {
                0x1 => {
                    let call: Value = serde_json::from_slice(&payload).ok()?;
                    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    let expression = text(&call["params"]["expression"]);
                    return Some(Call {
                        id: call["id"].as_u64()?,
                        method: text(&call["method"]),
                        expression,
                    });
                }
                0x8 => return None,
                _ => {}
            }
        }
    }

    fn read_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).ok()?;
        let length = match head[1] & 0x7f {
            126 => u64::from(u16::from_be_bytes(self.read_bytes()?)),
            127 => u64::from_be_bytes(self.read_bytes()?),
            short => u64::from(short),
        };
        let mask: [u8; 4] = self.read_bytes()?;
        let mut payload = vec![0; usize::try_from(length).ok()?];
        self.stream.read_exact(&mut payload).ok()?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        Some((head[0], payload))
    }

    fn read_bytes<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let mut bytes = [0; LENGTH];
        self.stream.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Sends a text message.
    pub fn send(&mut self, text: &str) -> io::Result<()> {
        self.frame(TEXT, text.as_bytes())
    }

    /// Sends one frame with that first byte.
    pub fn frame(&mut self, first: u8, payload: &[u8]) -> io::Result<()> {
        let mut head = frame_head(first, payload.len() as u64);
        head.extend_from_slice(payload);
        self.stream.write_all(&head)
    }

    /// Answers every call as a decent inspector, but for those that `special` answers; `profile` makes
    /// the JSON of each window.
    pub fn serve(
        &mut self,
        mut special: impl FnMut(&Call) -> Option<String>,
        mut profile: impl FnMut(Window) -> String,
    ) -> Option<()> {
        let (mut number, mut start_us) = (0, now_us());
        loop {
            let call = self.call()?;
            if let Some(title) = call.title("end") {
                let window = Window { number, start_us, end_us: now_us() };
                (number, start_us) = (number + 1, window.end_us);
                self.send(&finished(title, &profile(window))).ok()?;
            } else if call.title("start").is_some() {
                start_us = now_us();
            }
            let reply = special(&call).unwrap_or_else(|| call.usual_reply());
            self.send(&reply).ok()?;
        }
    }
}

/// The beginning of a frame, without a mask as from any server.
pub fn frame_head(first: u8, length: u64) -> Vec<u8> {
    let mut head = vec![first];
    match u16::try_from(length) {
        Ok(short @ 0..=125) => head.push(short as u8),
        Ok(medium) => {
            head.push(126);
            head.extend_from_slice(&medium.to_be_bytes());
        }
        Err(_) => {
            head.push(127);
            head.extend_from_slice(&length.to_be_bytes());
        }
    }
    head
}

/// The event that hands a profile over.
pub fn finished(title: &str, profile: &str) -> String {
    format!(
        r#"{{"method":"Profiler.consoleProfileFinished","params":{{"id":"1","location":{{}},"title":"{title}","profile":{profile}}}}}"#
    )
}

/// A window that a profile is to be made for.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// How many came before.
    pub number: usize,
    /// When it began.
    pub start_us: i64,
    /// When it ends.
    pub end_us: i64,
}

impl Window {
    /// A profile of functions, each a child of the root with an equal share of the samples; name and
    /// script are given as JSON.
    pub fn profile(self, functions: &[(String, String)]) -> String {
        let ids: Vec<usize> = (2..functions.len() + 2).collect();
        let nodes: String = functions
            .iter()
            .zip(&ids)
            .map(|((name, url), id)| {
                format!(
                    r#",{{"id":{id},"callFrame":{{"functionName":{name},"scriptId":"9","url":{url},"lineNumber":{id},"columnNumber":1}}}}"#
                )
            })
            .collect();
        let step_us = 1000;
        let count = usize::try_from((self.end_us - self.start_us) / step_us).unwrap_or(0);
        let samples: Vec<usize> = ids.iter().copied().cycle().take(count).collect();
        let root = r#""callFrame":{"functionName":"(root)","scriptId":"0","url":"","lineNumber":-1,"columnNumber":-1}"#;
        format!(
            r#"{{"nodes":[{{"id":1,{root},"children":{ids:?}}}{nodes}],"startTime":{},"endTime":{},"samples":{samples:?},"timeDeltas":{:?}}}"#,
            self.start_us,
            self.end_us,
            vec![step_us; count]
        )
    }
}
