//! From an answer's bytes to profiles, off the task: a large one takes a while.

use super::Failure;
use crate::format::{Format, Limits, Pprof};
use crate::profile::Profile;
use hyper::body::Bytes;

/// What an endpoint may make us hold. Far below what a file may: it is read every second.
const LIMITS: fn() -> Limits = || Limits {
    file_bytes: super::http::MAX_BODY as u64,
    inflated_bytes: 256 << 20,
    samples: 4 << 20,
    table_entries: 2 << 20,
    ..Limits::default()
};

/// The first profile in `body` that `wanted` accepts.
pub(super) async fn decode(
    body: Bytes,
    what: &'static str,
    wanted: fn(&Profile) -> bool,
) -> Result<Profile, Failure> {
    let work = move || {
        let profiles = Pprof.read(&body, &LIMITS())?;
        profiles.into_iter().find(wanted).ok_or(Failure::NoKind(what))
    };
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Failure::Internal))
}
