//! A headless Chromium, driven over the pipe of its own debugging protocol: no port, no driver program.
//!
//! A `Browser` has one page. Everything that the page complains of or asks for is kept, so that a test can
//! say there was nothing.

use crate::support::wait::poll;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that an answer is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// Chromium speaks on file descriptors 3 and 4: the shell makes them of its own input and output.
const ON_PIPES: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
    "--window-size=1280,800",
    "--force-device-scale-factor=1",
];

/// A browser with one page; closed when dropped.
pub struct Browser {
    child: Child,
    to: RefCell<ChildStdin>,
    from: Receiver<Value>,
    session: RefCell<Option<String>>,
    next: Cell<u64>,
    heard: RefCell<Vec<Value>>,
    _profile: tempfile::TempDir,
}

/// What the system prefers.
#[derive(Clone, Copy, PartialEq)]
pub enum Scheme {
    Light,
    Dark,
}

impl Browser {
    /// Starts a browser and opens the file, up to where the report says that it is drawn.
    pub fn open(chromium: &Path, file: &Path, scheme: Scheme) -> Self {
        let browser = Self::start(chromium);
        let target = browser.ask("Target.createTarget", json!({"url": "about:blank"}));
        let attached =
            browser.ask("Target.attachToTarget", json!({"targetId": target["targetId"], "flatten": true}));
        browser.session.replace(attached["sessionId"].as_str().map(Into::into));
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        let prefers = if scheme == Scheme::Dark { "dark" } else { "light" };
        let feature = json!({"name": "prefers-color-scheme", "value": prefers});
        browser.ask("Emulation.setEmulatedMedia", json!({"features": [feature]}));
        let size = json!({"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        browser.ask("Emulation.setDeviceMetricsOverride", size);
        browser.ask("Page.navigate", json!({"url": format!("file://{}", file.display())}));
        browser.hear("Page.loadEventFired");
        browser.until(
            "document.documentElement.dataset.ready === 'yes' || document.getElementById('fatal').hidden === false",
        );
        // Input that comes before the first picture is thrown away by the browser.
        browser.next_frame();
        browser
    }

    fn start(chromium: &Path) -> Self {
        let profile = tempfile::tempdir().expect("a directory for the browser can be made");
        let mut child = Command::new("sh")
            .args(["-c", ON_PIPES])
            .arg(chromium)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the browser can be started");
        let to = child.stdin.take().expect("stdin is piped");
        let mut out = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let (sender, from) = sync_channel(4096);
        thread::spawn(move || {
            let mut message = Vec::new();
            while out.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                let Ok(value) = serde_json::from_slice(&message[..message.len() - 1]) else { return };
                if sender.send(value).is_err() {
                    return;
                }
                message.clear();
            }
        });
        Self {
            child,
            to: RefCell::new(to),
            from,
            session: RefCell::default(),
            next: Cell::new(1),
            heard: RefCell::default(),
            _profile: profile,
        }
    }

    /// Calls a method of the protocol and gives its result.
    pub fn ask(&self, method: &str, params: Value) -> Value {
        let id = self.next.replace(self.next.get() + 1);
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = &*self.session.borrow() {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.borrow_mut().write_all(&bytes).expect("the browser listens");
        loop {
            let answer = self.from.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no answer to {method}"));
            if answer["id"] != json!(id) {
                self.heard.borrow_mut().push(answer);
                continue;
            }
            assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
            return answer["result"].clone();
        }
    }

    /// Waits for an event that was not heard yet.
    fn hear(&self, method: &str) {
        while !self.heard.borrow().iter().any(|event| event["method"] == method) {
            let event = self.from.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {method}"));
            self.heard.borrow_mut().push(event);
        }
    }

    /// The value of an expression in the page.
    pub fn eval(&self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.ask("Runtime.evaluate", params);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// The value of an expression as text.
    pub fn text(&self, expression: &str) -> String {
        let value = self.eval(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} is {value}")).to_owned()
    }

    /// What stands in the element of that id.
    pub fn shown(&self, id: &str) -> String {
        self.text(&format!("document.getElementById('{id}').innerText"))
    }

    /// Waits until the expression is true.
    pub fn until(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.eval(&format!("!!({expression})")) != json!(true) {
            assert!(Instant::now() < deadline, "never came true: {expression}");
            thread::yield_now();
        }
    }

    /// Waits until what was changed is on the screen.
    pub fn next_frame(&self) {
        self.eval("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
    }

    /// Presses a key, by its name in `KeyboardEvent.key`.
    pub fn key(&self, key: &str) {
        let text = match key {
            "Enter" => "\r",
            one if one.chars().count() == 1 => one,
            _ => "",
        };
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "Backspace" => 8,
            _ => 0,
        };
        let mut event = json!({"type": "keyDown", "key": key, "windowsVirtualKeyCode": code});
        if !text.is_empty() {
            event["text"] = json!(text);
        }
        self.ask("Input.dispatchKeyEvent", event);
        self.ask(
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}),
        );
        self.next_frame();
    }

    /// Presses keys one after the other, each of one letter.
    pub fn keys(&self, keys: &str) {
        keys.chars().for_each(|key| self.key(&key.to_string()));
    }

    fn mouse(&self, kind: &str, x: f64, y: f64) {
        let buttons = u8::from(kind != "mouseReleased");
        let event =
            json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1});
        self.ask("Input.dispatchMouseEvent", event);
    }

    /// Drags from one place to another.
    pub fn drag(&self, from: (f64, f64), to: (f64, f64)) {
        self.mouse("mousePressed", from.0, from.1);
        self.mouse("mouseMoved", f64::midpoint(from.0, to.0), from.1);
        self.mouse("mouseMoved", to.0, to.1);
        self.mouse("mouseReleased", to.0, to.1);
        self.next_frame();
    }

    /// Clicks.
    pub fn click(&self, x: f64, y: f64) {
        self.drag((x, y), (x, y));
    }

    /// A picture of the page beside the report.
    pub fn picture(&self, file: &Path) {
        let picture = self.ask("Page.captureScreenshot", json!({"format": "png"}));
        let data = picture["data"].as_str().expect("a picture is text");
        let bytes = data_encoding::BASE64.decode(data.as_bytes()).expect("a picture is base64");
        std::fs::write(file, bytes).expect("the picture can be written");
    }

    /// What the page complained of: exceptions, errors and warnings of the console, breaches of the policy.
    pub fn complaints(&self) -> Vec<String> {
        // Whatever was sent before the answer has been heard then.
        self.eval("1");
        let complaint = |event: &Value| match event["method"].as_str()? {
            "Runtime.exceptionThrown" => Some(event["params"]["exceptionDetails"].to_string()),
            "Runtime.consoleAPICalled" => Some(event["params"]["args"].to_string()),
            "Log.entryAdded" => Some(event["params"]["entry"]["text"].to_string()),
            _ => None,
        };
        self.heard.borrow().iter().filter_map(complaint).collect()
    }

    /// The addresses that the page asked for.
    pub fn requests(&self) -> Vec<String> {
        self.eval("1");
        let of = |event: &Value| {
            let asked = event["method"] == "Network.requestWillBeSent";
            asked.then(|| event["params"]["request"]["url"].as_str().unwrap_or_default().to_owned())
        };
        self.heard.borrow().iter().filter_map(of).collect()
    }
}

impl Drop for Browser {
    /// Asked to close, it ends after its children, which else would still write into its directory.
    fn drop(&mut self) {
        let _ = self.to.borrow_mut().write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let gone = poll(Duration::from_secs(10), || self.child.try_wait().ok().flatten());
        if gone.is_none() {
            // That it is gone in the meantime is no fault.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
