//! How a source gets to its target, the first time and again.

use std::time::Duration;

use tokio::time::sleep;

use super::agent::Identity;
use super::board::Board;
use super::cdp::Cdp;
use super::error::AttachError;
use super::open::{Inspector, OpenOptions, inspector_at, open_inspector};
use super::spawn::{Run, Spawned, spawn};
use super::undo;
use crate::feed::{Blocked, TargetSpec};
use crate::source::Clock;

/// How long a connected target may take to say who it is. One in a long native call says it when that returns.
const IDENTITY: Duration = Duration::from_mins(10);
/// Without an answer for this long, the screen says that it is blocked.
const SILENT: Duration = Duration::from_millis(300);

/// Finds the inspector of a target; starts the command if it is one.
pub(super) async fn find(
    target: &TargetSpec,
    run: &Run,
) -> Result<(Inspector, Option<Spawned>), AttachError> {
    let options = OpenOptions::default();
    let inspector = match target {
        TargetSpec::Pid(pid) => open_inspector(*pid, &options).await?,
        TargetSpec::Address(address) => inspector_at(address, &options).await?,
        TargetSpec::Command(words) => {
            let child = spawn(words, run).await?;
            return Ok((child.inspector.clone(), Some(child)));
        }
        TargetSpec::Name(name) => return Err(not_a_process(name)),
        TargetSpec::File(file) => return Err(not_a_process(&file.to_string_lossy())),
    };
    Ok((inspector, None))
}

/// Finds the inspector of a target that was left or lost. What we had opened and is open still is ours still.
pub(super) async fn find_again(target: &TargetSpec, before: &Inspector) -> Result<Inspector, AttachError> {
    if before.opened_by_us && before.still_listens() == Some(true) {
        return Ok(before.clone());
    }
    undo::disarm(before);
    let options = OpenOptions::default();
    match (before.process, target) {
        (Some(process), _) if !process.still_same() => Err(AttachError::Exited { pid: process.pid }),
        (Some(process), _) => open_inspector(process.pid, &options).await,
        (None, TargetSpec::Address(address)) => inspector_at(address, &options).await,
        (None, _) => inspector_at(&before.address.to_string(), &options).await,
    }
}

fn not_a_process(text: &str) -> AttachError {
    AttachError::BadAddress { text: text.to_owned(), reason: "it names no process" }
}

/// Connects, however long the target is blocked, and says so meanwhile.
pub(super) async fn connect(
    inspector: &Inspector,
    board: &mut Board,
) -> Result<(Cdp, Identity), AttachError> {
    let since = Clock::get().now();
    let connected = inspector.connect(IDENTITY);
    tokio::pin!(connected);
    tokio::select! {
        connected = &mut connected => return connected,
        () = sleep(SILENT) => board.blocked(Some(Blocked { since, how: "in native code".into() })),
    }
    let connected = connected.await;
    board.blocked(None);
    connected
}
