//! Attaching to real processes: every way in, every refusal, and that the target is afterwards as it was.
//!
//! Runs on each Node under `target/runtimes` (or `FLAMETOP_RUNTIMES`), else on the system's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flametop::source::node::agent::{Identity, Installed, Poll};
use flametop::source::node::close::{Left, detach};
use flametop::source::node::snippets::{self, InspectorEnd, Nonce, Slot};
use flametop::source::node::{
    AttachError, Cdp, CdpError, Incoming, Inspector, Method, OpenOptions, inspector_at, open_inspector, undo,
};
use flametop::source::procfs::Process;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(10);

/// Every Node that is installed, oldest first.
fn nodes() -> Vec<PathBuf> {
    let root = std::env::var_os("FLAMETOP_RUNTIMES")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/runtimes"), PathBuf::from);
    let mut found: Vec<PathBuf> = std::fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin/node"))
        .filter(|path| {
            path.is_file()
                && path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("node"))
        })
        .collect();
    found.sort();
    if found.is_empty() && std::path::Path::new("/usr/bin/node").is_file() {
        found.push("/usr/bin/node".into());
    }
    assert!(!found.is_empty(), "no Node to test with: set FLAMETOP_RUNTIMES");
    found
}

/// The newest Node, for what does not depend on the version.
fn node() -> PathBuf {
    nodes().pop().expect("nodes() is never empty")
}

/// Node's default port can belong to one target at a time, so the tests that use it take turns.
fn default_port() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A child that is killed when the test is over.
struct Target(Child);

impl Target {
    /// Starts a program and returns when it has printed a line.
    fn start(command: &mut Command) -> Self {
        let mut target = Self::start_at_once(command);
        let mut line = String::new();
        let out = target.0.stdout.as_mut().expect("its output is a pipe");
        BufReader::with_capacity(1, out).read_line(&mut line).expect("it speaks");
        assert!(!line.is_empty(), "the target ended before it was ready");
        target
    }

    fn start_at_once(command: &mut Command) -> Self {
        Self(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("it starts"),
        )
    }

    fn script(node: &PathBuf, options: &[&str], script: &str) -> Self {
        Self::start(Command::new(node).args(options).args(["-e", script]))
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn is_alive(&mut self) -> bool {
        self.0.try_wait().expect("it can be asked").is_none()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A target that ticks; the turn of its loop can be counted from outside by nobody, so it only lives.
const IDLE: &str = "console.log('ready');setInterval(()=>{},50)";

/// The same with any free port for the inspector, so that tests need not take turns.
const ANY_PORT: &[&str] = &["--inspect-port=0"];

const HANG: &str = "console.log('ready');setTimeout(()=>{for(;;){}},20)";

fn open(pid: u32) -> Result<Inspector, AttachError> {
    block_on(open_inspector(pid, &OpenOptions::default()))
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

async fn attach(pid: u32) -> (Inspector, Cdp, Identity) {
    let inspector = open_inspector(pid, &OpenOptions::default()).await.expect("opens");
    let (cdp, identity) = inspector.connect(PATIENCE).await.expect("connects");
    (inspector, cdp, identity)
}

fn listeners(pid: u32) -> usize {
    Process::new(pid).listeners().expect("it can be read").len()
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

// ---- the way in and out again -----------------------------------------------------------------------------------

#[test]
fn what_we_open_we_close() {
    for node in nodes() {
        let mut target = Target::script(&node, ANY_PORT, IDLE);
        block_on(async {
            let (inspector, cdp, identity) = attach(target.pid()).await;
            assert!(inspector.opened_by_us);
            assert_eq!(identity.pid, target.pid());
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas);
        });
        assert_eq!(listeners(target.pid()), 0, "{}", node.display());
        assert!(target.is_alive());
    }
}

#[test]
fn the_default_port_works_too_and_can_be_opened_again() {
    let _turn = default_port();
    let target = Target::script(&node(), &[], IDLE);
    for _ in 0..3 {
        block_on(async {
            let (inspector, cdp, _) = attach(target.pid()).await;
            assert_eq!(inspector.address.port(), 9229);
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas);
        });
    }
}

#[test]
fn what_the_user_opened_stays_open() {
    for node in nodes() {
        let target = Target::script(&node, &["--inspect=0"], IDLE);
        block_on(async {
            let (inspector, cdp, _) = attach(target.pid()).await;
            assert!(!inspector.opened_by_us);
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas);
            tokio::time::sleep(Duration::from_millis(200)).await;
            inspector.connect(PATIENCE).await.expect("it is still open");
        });
    }
}

#[test]
fn an_address_finds_the_process_behind_it() {
    let target = Target::script(&node(), &["--inspect=0"], IDLE);
    let port = Process::new(target.pid()).listeners().expect("listeners")[0].address.port();
    block_on(async {
        let path = open_inspector(target.pid(), &OpenOptions::default()).await.expect("opens").path;
        for text in [format!("localhost:{port}"), format!(":{port}"), format!("ws://127.0.0.1:{port}{path}")]
        {
            let inspector = inspector_at(&text, &OpenOptions::default()).await.expect(&text);
            assert_eq!(inspector.inner_pid, Some(target.pid()), "{text}");
            let (cdp, _) = inspector.connect(PATIENCE).await.expect("connects");
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas);
        }
    });
}

#[test]
fn a_busy_loop_is_attached_and_left() {
    for node in nodes() {
        let mut target = Target::script(&node, ANY_PORT, HANG);
        wait_until("the loop spins", || Process::new(target.pid()).status().is_ok_and(|s| s.state == 'R'));
        block_on(async {
            let (inspector, mut cdp, _) = attach(target.pid()).await;
            let nonce = &inspector.nonce;
            cdp.call(Method::ProfilerEnable, json!({}), PATIENCE).await.expect("enables");
            let _: Option<bool> =
                cdp.evaluate(&snippets::profile_start(nonce, Slot::A), PATIENCE).await.expect("starts");
            tokio::time::sleep(Duration::from_millis(100)).await;
            let _: Option<bool> =
                cdp.evaluate(&snippets::profile_rotate(nonce, Slot::A), PATIENCE).await.expect("rotates");
            while cdp.next_event().await.expect("an event").method != "Profiler.consoleProfileFinished" {}
            let began = Instant::now();
            let left = detach(cdp, &inspector, Duration::from_secs(1)).await;
            assert_eq!(left, Left::AsItWas, "{} after {:?}", node.display(), began.elapsed());
        });
        assert_eq!(listeners(target.pid()), 0, "{}", node.display());
        assert!(target.is_alive());
    }
}

#[test]
fn a_process_attached_as_it_starts_never_dies() {
    for node in nodes() {
        for _ in 0..6 {
            let mut target = Target::start_at_once(Command::new(&node).args(ANY_PORT).args(["-e", IDLE]));
            match open(target.pid()) {
                Ok(inspector) => assert!(inspector.opened_by_us),
                Err(error) => assert!(matches!(error, AttachError::TooYoung { .. }), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
            assert!(target.is_alive(), "{}", node.display());
        }
    }
}

// ---- refusals ---------------------------------------------------------------------------------------------------

#[test]
fn what_is_not_node_is_never_signalled() {
    for mut command in [Command::new("sleep"), Command::new("python3")] {
        let program = command.get_program().to_os_string();
        if program == "sleep" {
            command.arg("60")
        } else {
            command.args(["-c", "import time;time.sleep(60)"])
        };
        let mut target = Target::start_at_once(&mut command);
        wait_until("it runs its own program", || {
            Process::new(target.pid()).exe().is_ok_and(|exe| !exe.to_string_lossy().contains("attach-"))
        });
        let error = open(target.pid()).expect_err("not Node");
        assert!(matches!(error, AttachError::NotNode { .. }), "{error}");
        assert!(target.is_alive());
    }
}

#[test]
fn a_program_that_is_only_called_node_is_not_node() {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, what) in [("node", "NotNode"), ("bun", "Bun"), ("deno", "Deno")] {
        let program = directory.path().join(name);
        std::fs::copy("/bin/sleep", &program).expect("copied");
        let mut target = Target::start_at_once(Command::new(&program).arg("60"));
        let error = open(target.pid()).expect_err("refused");
        assert!(format!("{error:?}").starts_with(what), "{name}: {error:?}");
        assert!(target.is_alive());
    }
}

#[test]
fn a_renamed_node_is_node() {
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("worker");
    std::fs::copy(node(), &program).expect("copied");
    let target = Target::script(&program, ANY_PORT, IDLE);
    std::fs::remove_file(&program).expect("a deleted program runs on");
    assert!(open(target.pid()).expect("opens").opened_by_us);
}

#[test]
fn a_port_of_somebody_else_is_refused_with_its_name() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let script = "process.on('SIGUSR1',()=>process.exit(7));console.log('ready');setInterval(()=>{},50)";
    let mut target = Target::script(&node(), &[&format!("--inspect-port={port}")], script);
    let error = open(target.pid()).expect_err("taken");
    let text = error.to_string();
    assert!(text.contains(&format!("port {port}")), "{text}");
    assert!(text.contains(&format!("process {} (attach", std::process::id())), "{text}");
    assert!(error.hint().is_some_and(|hint| hint.contains("--inspect-port=0")));
    // Its handler would have ended it.
    std::thread::sleep(Duration::from_millis(100));
    assert!(target.is_alive());
}

#[test]
fn an_own_handler_is_told() {
    let script = "process.on('SIGUSR1',()=>{});console.log('ready');setInterval(()=>{},50)";
    let mut target = Target::script(&node(), ANY_PORT, script);
    let error = open(target.pid()).expect_err("no inspector");
    assert!(matches!(error, AttachError::OwnHandlerOrBlocked { .. }), "{error}");
    assert!(target.is_alive());
}

#[test]
fn a_disabled_signal_is_told_and_not_sent() {
    for node in nodes() {
        if identity_of(&node).node_major() < 22 {
            continue;
        }
        let mut target = Target::script(&node, &["--disable-sigusr1"], IDLE);
        let error = open(target.pid()).expect_err("disabled");
        assert!(matches!(error, AttachError::SignalDisabled { .. }), "{error}");
        assert!(target.is_alive());
    }
}

fn identity_of(node: &PathBuf) -> Identity {
    let target = Target::script(node, ANY_PORT, IDLE);
    block_on(async { attach(target.pid()).await.2 })
}

#[test]
fn a_stopped_process_is_told_and_not_signalled() {
    let target = Target::script(&node(), ANY_PORT, IDLE);
    let signal = |name: &str| {
        Command::new("kill").args([name, &target.pid().to_string()]).status().expect("kill runs")
    };
    assert!(signal("-STOP").success());
    wait_until("it is stopped", || {
        Process::new(target.pid()).status().is_ok_and(|status| status.is_stopped())
    });
    let error = open(target.pid()).expect_err("stopped");
    assert!(matches!(error, AttachError::Stopped { .. }), "{error}");
    assert!(signal("-CONT").success());
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(listeners(target.pid()), 0, "no signal was waiting for it");
}

#[test]
fn nobody_is_a_refusal() {
    for pid in [0, u32::MAX, 4_194_304] {
        let error = open(pid).expect_err("nobody");
        assert_eq!(error.exit_code(), 3, "{error}");
    }
}

#[test]
fn an_ended_process_that_was_not_collected_is_nobody() {
    let mut target = Target::start_at_once(Command::new("true").arg("x"));
    wait_until("it ended", || Process::new(target.pid()).status().is_ok_and(|status| status.is_dead()));
    assert!(matches!(open(target.pid()), Err(AttachError::NoSuchProcess { .. })));
    target.0.wait().expect("collected");
}

// ---- servers that are no inspectors ---------------------------------------------------------------------------------

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
    let error = ask(server(|_| std::thread::sleep(Duration::from_secs(60))));
    assert!(matches!(error, AttachError::InspectorSilent { .. }), "{error:?}");
}

#[test]
fn a_hundred_megabytes_are_cut_off() {
    let error = ask(server(|stream| {
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n");
        for _ in 0..1600 {
            let _ = stream.write_all(&[b'['; 65536]);
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

// ---- the snippets, in real targets -----------------------------------------------------------------------------------

/// What of a target may not change: names on the global object and on the modules we touch, listeners, handles.
const FOOTPRINT: &str = r#"(()=>{const n=o=>Object.getOwnPropertyNames(o).length+"/"+Object.getOwnPropertySymbols(o).length;
return[n(globalThis),n(require("inspector")),n(process),n(require("perf_hooks")),n(require("v8")),
process.listenerCount("exit"),process._getActiveHandles().length,process.getActiveResourcesInfo().length].join()})()"#;

async fn evaluate<T: serde::de::DeserializeOwned>(cdp: &mut Cdp, snippet: &str) -> T {
    cdp.evaluate(snippet, PATIENCE).await.expect(snippet)
}

/// Runs the agent through its life and checks that the target is as before; gives the last poll.
async fn agent_life(cdp: &mut Cdp, nonce: &Nonce) -> Poll {
    // Loads the modules we touch: a module once loaded stays.
    let _: Poll = evaluate(cdp, &snippets::bare_poll()).await;
    let _: Option<Poll> = evaluate(cdp, &snippets::agent_poll(nonce)).await;
    let before: String = evaluate(cdp, FOOTPRINT).await;
    for install in [snippets::agent_install(nonce), snippets::tail_install(nonce)] {
        let installed: Installed = evaluate(cdp, &install).await;
        assert!(installed.ok, "{installed:?}");
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let poll: Option<Poll> = evaluate(cdp, &snippets::agent_poll(nonce)).await;
    assert!(evaluate::<bool>(cdp, &snippets::leave(nonce, InspectorEnd::StaysOpen)).await);
    let gone: Option<Poll> = evaluate(cdp, &snippets::agent_poll(nonce)).await;
    assert_eq!(gone, None);
    assert_eq!(evaluate::<String>(cdp, FOOTPRINT).await, before);
    poll.expect("the agent was there")
}

#[test]
fn the_agent_measures_and_leaves_nothing() {
    let script = "console.log('ready');let a=[];setInterval(()=>{a=[];for(let i=0;i<2e5;i++)a.push({i});const t=Date.now();while(Date.now()-t<60);},80)";
    for node in nodes() {
        let target = Target::script(&node, ANY_PORT, script);
        block_on(async {
            let (inspector, mut cdp, identity) = attach(target.pid()).await;
            let poll = agent_life(&mut cdp, &inspector.nonce).await;
            let name = node.display();
            assert_eq!(poll.failed, None, "{name}");
            assert!(poll.heap_used > 1e6 && poll.active_ms > 50.0, "{name}: {poll:?}");
            let delay = poll.delay.expect("a delay");
            assert!(delay.n > 0.0 && delay.max_ns > 20e6 && delay.p50_ns < 100e6, "{name}: {delay:?}");
            let collections = poll.gc.as_ref().expect("collections");
            assert!(collections.values().map(|kind| kind.n).sum::<u32>() > 0, "{name}: {poll:?}");
            assert!(
                poll.resources.as_ref().is_some_and(|all| all.contains_key("Timeout")),
                "{name}: {poll:?}"
            );
            assert_eq!(poll.loops.is_some(), identity.node_major() >= 20, "{name}");
            assert!(poll.cost_us.is_some_and(|cost| cost < 20_000.0), "{name}: {poll:?}");
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas);
        });
    }
}

#[test]
fn a_poll_costs_the_target_less_than_a_millisecond() {
    for node in nodes() {
        let target = Target::script(&node, ANY_PORT, IDLE);
        block_on(async {
            let (inspector, mut cdp, _) = attach(target.pid()).await;
            let _: Installed = evaluate(&mut cdp, &snippets::agent_install(&inspector.nonce)).await;
            let mut costs = Vec::new();
            for _ in 0..15 {
                let poll: Option<Poll> = evaluate(&mut cdp, &snippets::agent_poll(&inspector.nonce)).await;
                costs.extend(poll.and_then(|poll| poll.cost_us));
            }
            costs.sort_by(f64::total_cmp);
            // The median: the machine that runs the tests is busy.
            assert!(costs[costs.len() / 2] < 1000.0, "{}: {costs:?}", node.display());
        });
    }
}

#[test]
fn hostile_applications_do_not_break_the_snippets() {
    let freeze = "for(const o of [Object,Array,Function,Symbol,Promise,Math,JSON,Date])Object.freeze(o),o.prototype&&Object.freeze(o.prototype);";
    let poison = "globalThis.setTimeout=globalThis.setInterval=()=>{throw 1};globalThis.console=null;globalThis.process=null;\
        Object.prototype.toJSON=String.prototype.toJSON=()=>{throw 2};JSON.stringify=()=>{throw 4};globalThis.profile=globalThis.profileEnd=()=>{throw 5};";
    let require = "if(process.getBuiltinModule)globalThis.require=5;";
    for node in nodes() {
        for (options, hostility) in [
            (&["--inspect-port=0"][..], require),
            (&["--inspect-port=0"][..], freeze),
            (&["--inspect-port=0"][..], poison),
            (&["--inspect-port=0", "--frozen-intrinsics", "--no-warnings"][..], ""),
            (&["--inspect-port=0", "--disallow-code-generation-from-strings"][..], ""),
            (&["--inspect-port=0", "--input-type=module"][..], ""),
        ] {
            let script = format!("console.log('ready');setInterval(()=>{{}},50);{hostility}");
            let mut target = Target::script(&node, options, &script);
            block_on(async {
                let (inspector, mut cdp, _) = attach(target.pid()).await;
                let nonce = &inspector.nonce;
                let bare: Poll = evaluate(&mut cdp, &snippets::bare_poll()).await;
                assert!(bare.heap_used > 0.0, "{} {options:?} {hostility}: {bare:?}", node.display());
                let installed: Installed = evaluate(&mut cdp, &snippets::agent_install(nonce)).await;
                let poll: Option<Poll> = evaluate(&mut cdp, &snippets::agent_poll(nonce)).await;
                let why = format!("{} {options:?} {hostility}: {installed:?} {poll:?}", node.display());
                assert!(installed.ok && poll.is_some_and(|poll| poll.failed.is_none()), "{why}");
                let _: Installed = evaluate(&mut cdp, &snippets::tail_install(nonce)).await;
                cdp.call(Method::ProfilerEnable, json!({}), PATIENCE).await.expect("enables");
                let _: Option<bool> = evaluate(&mut cdp, &snippets::profile_start(nonce, Slot::A)).await;
                let _: Option<bool> = evaluate(&mut cdp, &snippets::profile_end(nonce, Slot::A)).await;
                while cdp.next_event().await.expect("an event").method != "Profiler.consoleProfileFinished" {}
                assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas, "{why}");
            });
            assert!(target.is_alive());
        }
    }
}

/// Iterators that throw break parts of Node itself; what is left must do, and the way out must work.
#[test]
fn poisoned_iterators_are_survived_from_node_20_on() {
    let script = "console.log('ready');setInterval(()=>{},50);globalThis.process=null;\
        Array.prototype[Symbol.iterator]=()=>{throw 3}";
    for node in nodes() {
        if identity_of(&node).node_major() < 20 {
            continue;
        }
        let mut target = Target::script(&node, ANY_PORT, script);
        block_on(async {
            let (inspector, mut cdp, _) = attach(target.pid()).await;
            let _: Installed = evaluate(&mut cdp, &snippets::agent_install(&inspector.nonce)).await;
            let bare: Poll = evaluate(&mut cdp, &snippets::bare_poll()).await;
            assert!(bare.heap_used > 0.0, "{}: {bare:?}", node.display());
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas, "{}", node.display());
        });
        assert!(target.is_alive());
    }
}

#[test]
fn an_agent_without_a_timer_says_so_and_is_gone() {
    let script = "require('timers').setInterval=()=>{throw new Error('mine')};console.log('ready');require('timers').setTimeout(()=>{},1e8)";
    let target = Target::script(&node(), ANY_PORT, script);
    block_on(async {
        let (inspector, mut cdp, _) = attach(target.pid()).await;
        let installed: Installed = evaluate(&mut cdp, &snippets::agent_install(&inspector.nonce)).await;
        assert_eq!(installed, Installed { ok: false, failed: Some("Error: mine".into()) });
        let poll: Option<Poll> = evaluate(&mut cdp, &snippets::agent_poll(&inspector.nonce)).await;
        assert_eq!(poll, None);
    });
}

#[test]
fn nodes_own_heap_profile_is_read_again_and_again_where_it_exists() {
    let script = "console.log('ready');let a=[];setInterval(()=>{for(let i=0;i<1e5;i++)a.push({i});if(a.length>1e6)a=[]},10)";
    for node in nodes() {
        let target = Target::script(&node, ANY_PORT, script);
        block_on(async {
            let (inspector, mut cdp, identity) = attach(target.pid()).await;
            let nonce = &inspector.nonce;
            let installed: Installed = evaluate(&mut cdp, &snippets::heap_start(nonce, 32768)).await;
            assert_eq!(installed.ok, identity.node_major() >= 26, "{installed:?}");
            for _ in 0..2 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let text: Option<String> = evaluate(&mut cdp, &snippets::heap_read(nonce)).await;
                assert_eq!(text.is_some_and(|text| text.contains("\"samples\"")), installed.ok);
            }
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas);
        });
    }
}

#[test]
fn the_last_window_arrives_although_the_target_exits() {
    for node in nodes() {
        let mut target =
            Target::script(&node, ANY_PORT, "console.log('ready');setTimeout(()=>process.exit(3),600)");
        block_on(async {
            let (inspector, mut cdp, _) = attach(target.pid()).await;
            let nonce = &inspector.nonce;
            cdp.call(Method::ProfilerEnable, json!({}), PATIENCE).await.expect("enables");
            let _: Option<bool> = evaluate(&mut cdp, &snippets::profile_start(nonce, Slot::B)).await;
            let _: Installed = evaluate(&mut cdp, &snippets::tail_install(nonce)).await;
            let mut tail = false;
            loop {
                match cdp.next_event().await.expect("an event").method.as_str() {
                    "Profiler.consoleProfileFinished" => tail = true,
                    "NodeRuntime.waitingForDisconnect" => break,
                    _ => {}
                }
            }
            cdp.disconnect();
            undo::disarm(&inspector);
            assert!(tail, "{}", node.display());
        });
        let began = Instant::now();
        let status = target.0.wait().expect("it ends");
        assert_eq!(status.code(), Some(3));
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
}

// ---- leaving in a hurry ----------------------------------------------------------------------------------------------

#[test]
fn a_panic_hook_closes_what_is_pending() {
    for node in nodes() {
        let mut target = Target::script(&node, ANY_PORT, IDLE);
        let inspector = block_on(async {
            let (inspector, mut cdp, _) = attach(target.pid()).await;
            let _: Installed = evaluate(&mut cdp, &snippets::agent_install(&inspector.nonce)).await;
            inspector
        });
        assert!(undo::pending().contains(&undo::Pending::Attached(inspector.clone())));
        undo::close_inspector_blocking(
            inspector.address,
            &inspector.path,
            inspector.inner_pid,
            &undo::Ending::of(&inspector),
            PATIENCE,
        )
        .expect("closes");
        undo::disarm(&inspector);
        wait_until("the port is closed", || listeners(target.pid()) == 0);
        assert!(target.is_alive());
    }
}

#[test]
fn another_process_on_the_port_is_left_alone() {
    let target = Target::script(&node(), &["--inspect=0"], IDLE);
    block_on(async {
        let inspector = open_inspector(target.pid(), &OpenOptions::default()).await.expect("opens");
        let ending = undo::Ending { nonce: inspector.nonce.clone(), inspector: InspectorEnd::ClosesNow };
        undo::close_inspector_blocking(inspector.address, &inspector.path, Some(1), &ending, PATIENCE)
            .expect("nothing");
        tokio::time::sleep(Duration::from_millis(200)).await;
        inspector.connect(PATIENCE).await.expect("it is still open");
        let stranger = Inspector { inner_pid: Some(1), ..inspector };
        assert!(matches!(stranger.connect(PATIENCE).await, Err(AttachError::WrongProcess { .. })));
    });
}
