//! What an endpoint has: found out by requests that change nothing.

use super::address::Endpoint;
use super::http::{Answer, Client, HttpError};
use super::{Failure, figures};
use crate::feed::{Capability, TargetInfo};
use crate::profile::{Moment, Nanos, clean_name};
use std::sync::Arc;
use std::time::Duration;

/// Time for a page that needs no work.
const WITHIN: Duration = Duration::from_secs(3);
/// The interval of Go's CPU profiles, until a profile tells its own.
const GO_INTERVAL: Nanos = Nanos::from_millis(10);
/// Sent by servers that take windows shorter than a second.
const FRACTIONS: &str = "pprof-fractional-seconds";
/// Sent by servers on this machine that say which process they are.
const PROCESS: &str = "process-id";

/// What was found.
pub(super) struct Found {
    pub(super) target: TargetInfo,
    pub(super) heap: bool,
    pub(super) metrics: bool,
    /// Whether windows may have a fraction of a second.
    pub(super) fractions: bool,
}

/// Asks for the index and what stands beside it.
pub(super) async fn probe(client: &mut Client, endpoint: &Endpoint) -> Result<Found, Failure> {
    let index = index(client, endpoint).await?;
    let page = index.as_ref().map(|index| String::from_utf8_lossy(&index.body).into_owned());
    // An endpoint without an index may still have the profiles: each is then asked for itself.
    let heap = match &page {
        Some(page) => page.contains("heap"),
        None => client.get(&format!("{}/heap", endpoint.base), WITHIN).await.is_ok(),
    };
    if page.as_ref().is_some_and(|page| !page.contains("profile")) && !heap {
        return Err(Failure::NoProfiles);
    }
    let metrics = text(client, "/metrics").await.filter(|text| figures::knows(text));
    let arguments = text(client, &format!("{}/cmdline", endpoint.base)).await.unwrap_or_default();
    let header = |name| index.as_ref().and_then(|index| index.headers.get(name)?.to_str().ok());
    let fractions = header(FRACTIONS).is_some();
    let pid = header(PROCESS).filter(|_| endpoint.is_local()).and_then(|pid| pid.parse().ok());
    let about = About { arguments: &arguments, metrics: metrics.as_deref(), heap, pid };
    Ok(Found { target: about.target(endpoint), heap, metrics: metrics.is_some(), fractions })
}

/// The index page; `None` where there is none but something answers.
async fn index(client: &mut Client, endpoint: &Endpoint) -> Result<Option<Answer>, Failure> {
    match client.get(&format!("{}/", endpoint.base), WITHIN).await {
        Ok(index) => Ok(Some(index)),
        Err(HttpError::Status(status, reason)) if status.as_u16() == 404 => {
            // Frameworks often mount the profiles alone. The heap is asked first, since it answers at once.
            let heap = client.get(&format!("{}/heap", endpoint.base), WITHIN).await;
            let path = format!("{}/profile?seconds=1", endpoint.base);
            let nothing =
                heap.is_err() && matches!(client.get(&path, WITHIN).await, Err(HttpError::Status(..)));
            if nothing { Err(HttpError::Status(status, reason).into()) } else { Ok(None) }
        }
        Err(error) => Err(error.into()),
    }
}

async fn text(client: &mut Client, path: &str) -> Option<String> {
    let answer = client.get(path, WITHIN).await.ok()?;
    Some(String::from_utf8_lossy(&answer.body).into_owned())
}

/// What the target says of itself.
struct About<'a> {
    arguments: &'a str,
    metrics: Option<&'a str>,
    heap: bool,
    pid: Option<u32>,
}

impl About<'_> {
    fn target(&self, endpoint: &Endpoint) -> TargetInfo {
        let executable = self.arguments.split('\0').next().unwrap_or_default();
        let base = executable.rsplit('/').next().unwrap_or_default();
        let name = if base.is_empty() { clean_name(&endpoint.authority()) } else { clean_name(base) };
        TargetInfo {
            name,
            kind: self.kind(),
            pid: self.pid,
            started: self.started(),
            executable: crate::profile::clean_path(executable),
            capabilities: self.capabilities(),
            interval: GO_INTERVAL,
            address: endpoint.authority().into(),
        }
    }

    fn kind(&self) -> Arc<str> {
        let metrics = self.metrics.unwrap_or_default();
        if let Some(version) = figures::label(metrics, "go_info", "version") {
            return format!("{}, pprof endpoint", clean_name(&version.replacen("go", "Go ", 1))).into();
        }
        if metrics.contains("\ntokio_") {
            "Rust with tokio, pprof endpoint".into()
        } else {
            "pprof endpoint".into()
        }
    }

    fn started(&self) -> Option<Moment> {
        let seconds = figures::plain(self.metrics?, "process_start_time_seconds")?;
        Some(Moment((seconds * 1e9) as i64))
    }

    fn capabilities(&self) -> Vec<Capability> {
        let mut capabilities = vec![Capability::Cpu, Capability::WindowLength];
        if self.heap {
            capabilities.extend([Capability::HeapLive, Capability::HeapAllocated, Capability::HeapSwitch]);
        }
        if self.metrics.is_some_and(figures::has_loop) {
            capabilities.push(Capability::EventLoop);
        }
        capabilities
    }
}
