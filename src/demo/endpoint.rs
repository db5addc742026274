//! The workload's HTTP endpoint: Go's `/debug/pprof/` and Prometheus' `/metrics`, on loopback.

use super::figures::{self, Figures};
use crate::feed::TargetInfo;
use crate::format::{Export, Format, Pprof};
use crate::profile::{Moment, Profile};
use crate::source::Clock;
use crate::source::this_process::{CpuError, CpuWindow, read_heap, unsampled};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

/// Tells a client that `seconds` may have a fraction; Go rounds to whole seconds.
pub(crate) const FRACTIONS: &str = "pprof-fractional-seconds";
/// Tells a client on the same machine which process answers.
pub(crate) const PROCESS: &str = "process-id";

const INDEX: &str = "<html><head><title>/debug/pprof/</title></head><body>\n\
    <p>The demo workload of flametop.</p>\n\
    <p>Types of profiles available: <a href=heap>heap</a></p>\n\
    <p><a href=profile>profile</a>: CPU for ?seconds=N</p></body></html>\n";
/// Windows are this long at most.
const LONGEST: f64 = 300.0;

type Answer = Response<Full<Bytes>>;

/// What every request sees.
struct Served {
    figures: Arc<Figures>,
    frequency: u32,
    started: Moment,
}

/// Answers connections until the listener fails.
pub(super) async fn serve(
    listener: TcpListener,
    figures: Arc<Figures>,
    frequency: u32,
) -> std::io::Result<()> {
    let served = Arc::new(Served { figures, frequency, started: Clock::get().now() });
    loop {
        let (stream, _) = listener.accept().await?;
        let served = served.clone();
        let service = service_fn(move |request| {
            let served = served.clone();
            async move { Ok::<_, Infallible>(answer(&served, request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .max_buf_size(16 * 1024)
            .serve_connection(TokioIo::new(stream), service);
        // A client that went away is no fault of ours.
        tokio::spawn(async move { connection.await.ok() });
    }
}

async fn answer(served: &Served, request: Request<Incoming>) -> Answer {
    if request.method() != Method::GET {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
    }
    match request.uri().path() {
        "/debug/pprof" | "/debug/pprof/" => index(),
        "/debug/pprof/cmdline" => text(StatusCode::OK, "demo"),
        "/debug/pprof/profile" => profile(served, seconds(request.uri().query())).await,
        "/debug/pprof/heap" | "/debug/pprof/allocs" => heap(served).await,
        "/metrics" => content(figures::CONTENT_TYPE, served.figures.text().into()),
        _ => text(StatusCode::NOT_FOUND, "no such page\n"),
    }
}

fn index() -> Answer {
    let mut index = content("text/html; charset=utf-8", INDEX.into());
    index.headers_mut().insert(FRACTIONS, HeaderValue::from_static("yes"));
    index.headers_mut().insert(PROCESS, HeaderValue::from(std::process::id()));
    index
}

/// The window asked for; 30 s when none is, like Go.
fn seconds(query: Option<&str>) -> Duration {
    let asked = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("seconds="));
    let seconds: f64 = asked.and_then(|text| text.parse().ok()).unwrap_or(30.0);
    Duration::from_secs_f64(if seconds.is_finite() { seconds.clamp(0.01, LONGEST) } else { 30.0 })
}

async fn profile(served: &Served, length: Duration) -> Answer {
    let window = match CpuWindow::start(served.frequency) {
        Ok(window) => window,
        Err(error) => return refused(&error),
    };
    // A client that leaves drops this future, and with it the window.
    tokio::time::sleep(length).await;
    let taken = spawn_blocking(move || window.finish().map(|profile| packed(&profile))).await;
    match taken {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => refused(&error),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the profiler failed\n"),
    }
}

fn refused(error: &CpuError) -> Answer {
    text(StatusCode::INTERNAL_SERVER_ERROR, &format!("Could not enable CPU profiling: {error}\n"))
}

async fn heap(served: &Served) -> Answer {
    let started = served.started;
    let read = spawn_blocking(move || packed(&read_heap(started))).await;
    read.unwrap_or_else(|_| text(StatusCode::INTERNAL_SERVER_ERROR, "the heap could not be read\n"))
}

fn packed(profile: &Profile) -> Answer {
    let target = TargetInfo {
        name: "demo".into(),
        pid: Some(std::process::id()),
        executable: "flametop".into(),
        ..TargetInfo::default()
    };
    let mut bytes = Vec::new();
    match unsampled(|| Pprof.write(&Export::new(profile, &target), &mut bytes)) {
        Ok(()) => content("application/octet-stream", bytes.into()),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error}\n")),
    }
}

fn text(status: StatusCode, text: &str) -> Answer {
    let mut answer = content("text/plain; charset=utf-8", text.to_owned().into());
    *answer.status_mut() = status;
    answer
}

fn content(kind: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_may_have_a_fraction_and_never_run_away() {
        assert_eq!(seconds(Some("seconds=0.25")), Duration::from_millis(250));
        assert_eq!(seconds(Some("debug=0&seconds=2")), Duration::from_secs(2));
        assert_eq!(seconds(None), Duration::from_secs(30));
        assert_eq!(seconds(Some("seconds=1e99")), Duration::from_secs_f64(LONGEST));
        assert_eq!(seconds(Some("seconds=NaN")), Duration::from_secs(30));
        assert_eq!(seconds(Some("seconds=-3")), Duration::from_millis(10));
    }
}
