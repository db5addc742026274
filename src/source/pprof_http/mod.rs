//! The source for any server with Go's `/debug/pprof/` over HTTP: Go itself, Rust with pprof-rs, Node
//! with pprof's own package, and the built-in demo.
//!
//! CPU comes as windows, one request after the other over one connection; the time between two, in
//! which the server does not sample, is measured: a window spans from the end of the one before to its
//! own end, and covers only what was observed. Heap profiles tell sums since the start; they become
//! growth here. Gauges are read from `/metrics` where the server has it. Nothing is changed in the
//! target, so there is nothing to undo: closing the connection ends a window that is being taken.

mod address;
mod cpu;
mod decode;
mod figures;
mod gauges;
mod heap;
mod http;
mod live_heap;
mod probe;
mod teller;

use super::{
    BoxFuture, Control, ErrorClass, Fit, HeapChoice, KindSpec, Order, Outbox, Source, SourceError,
    SourceKind, SourceOptions, TargetSpec,
};
use crate::feed::{EndReason, Phase};
use crate::profile::Nanos;
use address::Endpoint;
use http::{Client, HttpError};
use probe::Found;
use teller::Teller;
use tokio::sync::watch;

/// Go-style profile endpoints over HTTP.
pub struct PprofHttp;

impl SourceKind for PprofHttp {
    fn spec(&self) -> &'static KindSpec {
        &KindSpec {
            name: "pprof",
            summary: "Go, Rust or other servers with a /debug/pprof/ endpoint over HTTP",
            example: "http://localhost:6060/debug/pprof",
        }
    }

    fn recognise(&self, target: &TargetSpec) -> Fit {
        let TargetSpec::Address(typed) = target else { return Fit::No };
        if typed.contains("/debug/pprof") {
            // With whatever is wrong about it, it is meant for this kind, whose error says what.
            return Fit::Certain;
        }
        if Endpoint::parse(typed).is_ok() { Fit::Possible } else { Fit::No }
    }

    fn open(&self, target: TargetSpec, options: SourceOptions) -> Box<dyn Source> {
        let typed = match target {
            TargetSpec::Address(typed) => typed,
            // Never recognised; its address is refused when it runs.
            _ => String::new(),
        };
        Box::new(Remote { typed, options })
    }
}

/// One endpoint, before it runs.
struct Remote {
    typed: String,
    options: SourceOptions,
}

/// What the loops of a running source share.
struct Watched {
    endpoint: Endpoint,
    found: Found,
    teller: Teller,
    window: watch::Receiver<Nanos>,
    heap: watch::Receiver<bool>,
}

impl Source for Remote {
    fn run(self: Box<Self>, out: Outbox, mut control: Control) -> BoxFuture<Result<EndReason, SourceError>> {
        Box::pin(async move {
            let (window, window_asked) = watch::channel(self.options.window);
            let (heap, heap_asked) = watch::channel(self.options.heap != HeapChoice::Off);
            tokio::select! {
                biased;
                () = obey(&mut control, &window, &heap) => Ok(EndReason::Detached),
                result = self.watch(out, window_asked, heap_asked) => result,
            }
        })
    }
}

/// Passes orders on until the one to stop.
async fn obey(control: &mut Control, window: &watch::Sender<Nanos>, heap: &watch::Sender<bool>) {
    loop {
        match control.next().await {
            Order::Stop => return,
            Order::Window(length) => window.send_modify(|window| *window = length),
            Order::Heap(on) => heap.send_modify(|heap| *heap = on),
            // These heap profiles tell both at once.
            // A request under way is all that it holds, and that ends by itself.
            Order::HeapMode(_) | Order::Suspend | Order::Resume => {}
        }
    }
}

impl Remote {
    async fn watch(
        &self,
        out: Outbox,
        window: watch::Receiver<Nanos>,
        heap: watch::Receiver<bool>,
    ) -> Result<EndReason, SourceError> {
        let teller = Teller::new(out, *window.borrow());
        teller.phase(Phase::Attaching("asking what it serves".into()));
        let endpoint = Endpoint::parse(&self.typed).map_err(|error| SourceError {
            message: format!(
                "failed to read the address `{}`: {error}",
                crate::profile::clean_path(&self.typed)
            ),
            hint: Some(format!("type it like {}", PprofHttp.spec().example)),
            class: ErrorClass::BadInput,
        })?;
        let mut client = Client::new(endpoint.clone());
        let found = probe::probe(&mut client, &endpoint).await.map_err(|error| refusal(&endpoint, &error))?;
        teller.attached(&found.target);
        let watched = Watched { endpoint, found, teller, window, heap };
        let cpu = async { if self.options.cpu { cpu::run(&watched, client).await } else { Ok(()) } };
        tokio::try_join!(cpu, live_heap::run(&watched), gauges::run(&watched))?;
        // Only when there was nothing to watch at all.
        Ok(EndReason::EndOfInput)
    }
}

/// A failure of the endpoint as the user reads it.
fn refusal(endpoint: &Endpoint, error: &Failure) -> SourceError {
    SourceError {
        message: format!("failed to profile http://{}{}: {error}", endpoint.authority(), endpoint.base),
        hint: error.hint().map(Into::into),
        class: error.class(),
    }
}

/// Why the endpoint gave no profile.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("what it sent is no profile: {0}")]
    Profile(#[from] crate::format::ReadError),
    #[error("its profile has no {0} in it")]
    NoKind(&'static str),
    #[error("it has no profiles there")]
    NoProfiles,
    #[error("its profile could not be read")]
    Internal,
}

impl Failure {
    /// Whether trying again may help.
    fn is_passing(&self) -> bool {
        match self {
            Self::Http(HttpError::Redirect(_) | HttpError::TooLong) => false,
            Self::Http(HttpError::Garbled(error)) => !error.is_parse(),
            Self::Http(HttpError::Status(status, _)) => !status.is_client_error(),
            Self::Http(_) => true,
            _ => false,
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::Http(HttpError::Refused | HttpError::UnknownHost(_) | HttpError::Unreachable(_)) => {
                ErrorClass::NoTarget
            }
            Self::Http(HttpError::Status(status, _)) if matches!(status.as_u16(), 401 | 403) => {
                ErrorClass::NotPermitted
            }
            Self::Http(HttpError::Slow(..) | HttpError::InUse(_)) | Self::Internal => ErrorClass::Failed,
            _ => ErrorClass::BadInput,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Http(HttpError::Refused) => "is the server running, and is this the port it listens on?",
            Self::Http(HttpError::Redirect(_)) => "give the address it redirects to, if you trust it",
            Self::Http(HttpError::InUse(_)) => "a process has one CPU profiler: stop the other client first",
            Self::NoProfiles | Self::Http(HttpError::Garbled(_) | HttpError::Status(..)) => {
                "a Go server needs `import _ \"net/http/pprof\"`, a Rust server an endpoint made with pprof-rs"
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_recognised_by_how_sure_they_are() {
        let fit = |typed: &str| PprofHttp.recognise(&TargetSpec::Address(typed.into()));
        assert_eq!(fit("http://h:1/debug/pprof/"), Fit::Certain);
        assert_eq!(fit("https://h:1/debug/pprof/"), Fit::Certain);
        assert_eq!(fit("h:6060"), Fit::Possible);
        assert_eq!(fit("ws://h:9229/uuid"), Fit::No);
        assert_eq!(PprofHttp.recognise(&TargetSpec::Pid(1)), Fit::No);
    }
}
