//! The pprof source against the real demo workload, and against servers that misbehave.

use flametop::feed::{Capability, EndReason, Event, Feed, HeapState, Phase, SourceId, TargetInfo};
use flametop::gauges::Gauge;
use flametop::profile::{Accumulation, Nanos, Profile};
use flametop::source::{
    ErrorClass, Inbox, Order, SourceError, SourceOptions, Steering, TargetSpec, control, kind_by_name, outbox,
};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Nothing here may take longer.
const DEADLINE: Duration = Duration::from_secs(20);

/// A source that runs.
struct Watching {
    inbox: Inbox,
    steering: Steering,
    task: JoinHandle<Result<EndReason, SourceError>>,
}

impl Watching {
    fn start(address: &str, options: SourceOptions) -> Self {
        let inbox = outbox();
        let (steering, control) = control();
        let kind = kind_by_name("pprof").expect("the kind is in the list");
        let source = kind.open(TargetSpec::Address(address.into()), options);
        let task = tokio::spawn(source.run(inbox.outbox(SourceId(0)), control));
        Self { inbox, steering, task }
    }

    /// The first thing that `pick` takes.
    async fn wait<T>(&self, what: &str, mut pick: impl FnMut(&Feed) -> Option<T>) -> T {
        let found = timeout(DEADLINE, async {
            loop {
                let event: Event = self.inbox.recv().await;
                if let Some(found) = pick(&event.feed) {
                    return found;
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("no {what} in time"))
    }

    async fn window(&self, kind: &str) -> Profile {
        let wanted = |feed: &Feed| match feed {
            Feed::Window(profile) if profile.kind(kind).is_some() => Some((**profile).clone()),
            _ => None,
        };
        self.wait(kind, wanted).await
    }

    async fn stop(self) -> Duration {
        let begun = Instant::now();
        assert!(self.steering.give(Order::Stop));
        let ended = timeout(DEADLINE, self.task).await.expect("ends in time").expect("does not panic");
        assert_eq!(ended.expect("no error"), EndReason::Detached);
        begun.elapsed()
    }

    async fn error(self) -> SourceError {
        let ended = timeout(DEADLINE, self.task).await.expect("ends in time").expect("does not panic");
        ended.expect_err("must not attach")
    }
}

fn demo() -> flametop::demo::Running {
    flametop::demo::start(Path::new(env!("CARGO_BIN_EXE_flametop"))).expect("the demo starts")
}

fn has_frame(profile: &Profile, name: &str) -> bool {
    profile.frames.iter().any(|frame| frame.name.contains(name))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_streams_windows_heap_and_gauges() {
    let demo = demo();
    let watching = Watching::start(&demo.address().to_string(), SourceOptions::default());
    let attached = |feed: &Feed| match feed {
        Feed::Attached(target) => Some(target.clone()),
        _ => None,
    };
    let target: TargetInfo = watching.wait("target", attached).await;
    assert_eq!((&*target.name, target.pid), ("demo", Some(demo.pid())));
    assert!(target.capabilities.contains(&Capability::HeapAllocated), "{:?}", target.capabilities);
    assert!(target.capabilities.contains(&Capability::EventLoop), "{:?}", target.capabilities);

    let first = watching.window("cpu").await;
    assert!(first.span.length < Nanos::from_millis(900), "the first window is short: {:?}", first.span);
    let mut end = first.span.end();
    for _ in 0..2 {
        let window = watching.window("cpu").await;
        assert!(window.is_sound());
        assert_eq!(window.span.start, end, "windows stand back to back");
        assert!(window.covered <= window.span.length);
        assert!(window.covered >= Nanos::from_millis(950), "{:?}", window.covered);
        let (cpu, samples) = (window.kind("cpu"), window.kind("samples"));
        let total = |kind: Option<usize>| window.total(kind.expect("the kind is there")) as u64;
        assert_eq!(total(cpu), total(samples) * window.sampling.period);
        assert!(total(samples) > 5 && total(cpu) < 2 * window.covered.0, "{:?}", window.sampling);
        end = window.span.end();
    }
    watching.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_tells_live_heap_as_a_level_and_allocations_as_growth() {
    let demo = demo();
    let watching = Watching::start(&demo.address().to_string(), SourceOptions::default());
    let heap = watching.window("inuse_space").await;
    let column = |name: &str| heap.kind(name).expect(name);
    assert_eq!(heap.kinds[column("inuse_space")].accumulation, Accumulation::Level);
    assert_eq!(heap.kinds[column("alloc_space")].accumulation, Accumulation::Delta);
    assert!(heap.total(column("inuse_space")) > 1 << 20, "{}", heap.total(column("inuse_space")));
    assert!(heap.total(column("alloc_space")) > 1 << 20, "{}", heap.total(column("alloc_space")));
    assert!(heap.covered <= Nanos::from_secs(6), "{:?}", heap.covered);
    assert!(has_frame(&heap, "remember"), "the cache is on the heap");
    let on = |feed: &Feed| {
        matches!(feed, Feed::Status(status) if matches!(status.heap, HeapState::Off(_))).then_some(())
    };
    assert!(watching.steering.give(Order::Heap(false)));
    watching.wait("heap switched off", on).await;
    watching.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_tells_its_figures() {
    let demo = demo();
    let watching = Watching::start(&demo.address().to_string(), SourceOptions::default());
    let whole = |feed: &Feed| match feed {
        Feed::Gauges(batch) if batch.get(Gauge::CpuProcess).is_some() => Some(batch.clone()),
        _ => None,
    };
    let batch = watching.wait("gauges", whole).await;
    let cpu = batch.get(Gauge::CpuProcess).expect("asked for");
    assert!((0.0..=3.0).contains(&cpu), "{cpu}");
    for gauge in [Gauge::Rss, Gauge::HeapUsed, Gauge::LoopDelayP99, Gauge::LoopUtilization, Gauge::Tasks] {
        assert!(batch.get(gauge).is_some_and(|value| value >= 0.0), "{gauge:?} in {batch:?}");
    }
    let took = watching.stop().await;
    assert!(took < Duration::from_millis(200), "stopping took {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn window_length_changes_while_running() {
    let demo = demo();
    let watching = Watching::start(&demo.address().to_string(), SourceOptions::default());
    watching.window("cpu").await;
    assert!(watching.steering.give(Order::Window(Nanos::from_millis(300))));
    let short = |feed: &Feed| {
        let Feed::Window(profile) = feed else { return None };
        let covered = profile.covered;
        (profile.kind("cpu").is_some() && (280..320).contains(&(covered.0 / 1_000_000))).then_some(())
    };
    watching.wait("shorter window", short).await;
    watching.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_client_waits_for_the_first_and_goes_on_after_it() {
    let demo = demo();
    let address = demo.address().to_string();
    let long = SourceOptions { window: Nanos::from_secs(30), ..SourceOptions::default() };
    let first = Watching::start(&address, long);
    first.window("cpu").await;
    let second = Watching::start(&address, SourceOptions::default());
    let waiting = |feed: &Feed| match feed {
        Feed::Status(status) => match &status.phase {
            Phase::Waiting(why) => Some(why.clone()),
            _ => None,
        },
        _ => None,
    };
    let why = second.wait("refusal", waiting).await;
    assert!(why.contains("another client is profiling"), "{why}");
    first.stop().await;
    second.window("cpu").await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_goes_away_is_waited_for() {
    let demo = demo();
    let watching = Watching::start(&demo.address().to_string(), SourceOptions::default());
    watching.window("cpu").await;
    drop(demo);
    let waiting = |feed: &Feed| {
        matches!(feed, Feed::Status(status) if matches!(status.phase, Phase::Waiting(_))).then_some(())
    };
    watching.wait("loss of the target", waiting).await;
    watching.stop().await;
}

#[tokio::test]
async fn the_workload_ends_when_its_parent_does() {
    use std::process::Stdio;
    use tokio::io::{AsyncBufReadExt, BufReader};
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_flametop"))
        .arg(flametop::demo::SUBCOMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the demo starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is piped");
    timeout(DEADLINE, BufReader::new(stdout).read_line(&mut line)).await.expect("in time").expect("a line");
    assert!(line.starts_with("listening 127.0.0.1:"), "{line}");
    // What the end of the parent does, however it ends.
    drop(child.stdin.take());
    let status = timeout(DEADLINE, child.wait()).await.expect("in time").expect("it can be waited for");
    assert!(status.success(), "{status}");
}

/// A server that gives every request to `answer`, until the test ends.
fn server(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it has an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || serve(stream, answer));
        }
    });
    address
}

fn serve(mut stream: TcpStream, answer: impl Fn(&str, &mut TcpStream)) {
    let mut request = Vec::new();
    let mut byte = [0];
    while matches!(stream.read(&mut byte), Ok(1)) {
        request.push(byte[0]);
        if request.ends_with(b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&request).into_owned();
            answer(text.split(' ').nth(1).unwrap_or_default(), &mut stream);
            request.clear();
        }
    }
}

fn send(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len());
    // The client may have left already.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// The error of attaching to a server whose index is fine and whose profile is answered so.
async fn error_of(profile: impl Fn(&mut TcpStream) + Send + Sync + Clone + 'static) -> SourceError {
    let address = server(move |path, stream| match path {
        "/debug/pprof/" => send(stream, "200 OK", b"profile"),
        path if path.contains("/profile") => profile(stream),
        _ => send(stream, "404 Not Found", b""),
    });
    Watching::start(&address.to_string(), SourceOptions::default()).error().await
}

#[tokio::test]
async fn an_address_where_nothing_listens() {
    let address =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let error = Watching::start(&address.to_string(), SourceOptions::default()).error().await;
    assert_eq!(error.class, ErrorClass::NoTarget);
    assert!(error.message.contains("connection refused") && error.hint.is_some(), "{error:?}");
}

#[tokio::test]
async fn an_address_that_is_none() {
    let error = Watching::start("https://localhost:1/debug/pprof", SourceOptions::default()).error().await;
    assert_eq!(error.class, ErrorClass::BadInput);
    assert!(error.message.contains("only http://"), "{error:?}");
}

#[tokio::test]
async fn a_port_of_something_else() {
    let address = server(|_, stream| {
        let _ = stream.write_all(b"\x00\x01SSH-2.0-nothing\r\n\r\n");
    });
    let error = Watching::start(&address.to_string(), SourceOptions::default()).error().await;
    assert_eq!(error.class, ErrorClass::BadInput);
    assert!(error.message.contains("does not speak HTTP"), "{error:?}");
}

#[tokio::test]
async fn a_web_server_without_profiles() {
    let address = server(|_, stream| send(stream, "404 Not Found", b"no\x1b[31m such page"));
    let error = Watching::start(&address.to_string(), SourceOptions::default()).error().await;
    assert_eq!(error.class, ErrorClass::BadInput);
    assert!(error.message.contains("404") && !error.message.contains('\x1b'), "{error:?}");
    assert!(error.hint.is_some_and(|hint| hint.contains("net/http/pprof")));
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    let error = error_of(|stream| send(stream, "302 Found\r\nlocation: http://169.254.169.254/", b"")).await;
    assert!(error.message.contains("redirects to http://169.254.169.254/"), "{error:?}");
}

#[tokio::test]
async fn a_profile_that_is_none() {
    let error = error_of(|stream| send(stream, "200 OK", b"<html>hello</html>")).await;
    assert_eq!(error.class, ErrorClass::BadInput);
    assert!(error.message.contains("is no profile"), "{error:?}");
}

#[tokio::test]
async fn a_profile_of_100_mb() {
    let error = error_of(|stream| send(stream, "200 OK", &vec![0; 100 << 20])).await;
    assert!(error.message.contains("longer than 64 MiB"), "{error:?}");
}

#[tokio::test]
async fn a_head_that_never_ends() {
    let error = error_of(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream
            .write_all(b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n")
            .is_ok()
        {}
    });
    assert!(error.await.message.contains("does not speak HTTP"));
}

#[tokio::test]
async fn a_server_that_never_answers() {
    let address = server(|_, _| {});
    let watching = Watching::start(&address.to_string(), SourceOptions::default());
    let error = watching.error().await;
    assert_eq!(error.class, ErrorClass::Failed);
    assert!(error.message.contains("did not answer within 3s"), "{error:?}");
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_silent_server() {
    let address = server(|path, stream| match path {
        "/debug/pprof/" => send(stream, "200 OK", b"profile"),
        "/metrics" => send(stream, "404 Not Found", b""),
        path if path.contains("cmdline") => send(stream, "404 Not Found", b""),
        _ => {}
    });
    let watching = Watching::start(&address.to_string(), SourceOptions::default());
    watching.wait("target", |feed| matches!(feed, Feed::Attached(_)).then_some(())).await;
    let took = watching.stop().await;
    assert!(took < Duration::from_millis(200), "{took:?}");
}
