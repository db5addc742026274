//! The way out in order: everything of ours removed from the target, and the inspector closed if we opened it.
//!
//! Not for a target that says it wants to exit (`NodeRuntime.waitingForDisconnect`): there an evaluation can crash
//! Node 18 and 20, so disconnect at once and [`undo::disarm`].

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::{sleep, timeout};

use super::cdp::Cdp;
use super::error::CdpError;
use super::open::Inspector;
use super::snippets::{InspectorEnd, leave};
use super::undo;
use super::wire::Method;
use crate::source::procfs::ProcessIdentity;

/// How a target was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nothing of ours remains, and the inspector is as it was before us.
    AsItWas,
    /// The target did not answer: what we opened is still open. It stays noted in [`undo`].
    StillOpen,
}

/// Leaves a target. `patience` bounds each of the at most three steps.
pub async fn detach(mut cdp: Cdp, inspector: &Inspector, patience: Duration) -> Left {
    let end = if inspector.opened_by_us { InspectorEnd::ClosesSoon } else { InspectorEnd::StaysOpen };
    let cleaned = timeout(patience, clean(&mut cdp, inspector, end, patience)).await;
    // Before the inspector closes: closing it under a connected client blocks the target's loop for 50 ms.
    cdp.disconnect();
    let done = if inspector.process.is_some_and(ProcessIdentity::is_stopped) {
        // It reads what we sent when it is let run; until then waiting is vain.
        false
    } else if inspector.opened_by_us {
        closed_within(inspector, CLOSING + patience).await || close_now(inspector, patience).await
    } else {
        cleaned.is_ok_and(|cleaned| cleaned.is_ok())
    };
    if done {
        undo::disarm(inspector);
        return Left::AsItWas;
    }
    Left::StillOpen
}

/// The snippet's timer, with room for a busy loop.
const CLOSING: Duration = Duration::from_millis(200);

/// How often the listener is looked for.
const STEP: Duration = Duration::from_millis(5);

async fn clean(
    cdp: &mut Cdp,
    inspector: &Inspector,
    end: InspectorEnd,
    patience: Duration,
) -> Result<(), CdpError> {
    // Nothing may be said after the answer to the last call: see [`hush`](super::hush).
    cdp.send(Method::NodeRuntimeNotifyWhenWaitingForDisconnect, json!({ "enabled": false })).await?;
    cdp.send(Method::ProfilerDisable, json!({})).await?;
    cdp.send(Method::HeapProfilerDisable, json!({})).await?;
    let _: bool = cdp.evaluate(&leave(&inspector.nonce, end), patience).await?;
    Ok(())
}

/// Waits until the port is closed. Of a process we cannot see we must believe it.
async fn closed_within(inspector: &Inspector, patience: Duration) -> bool {
    let began = Instant::now();
    loop {
        match inspector.still_listens() {
            Some(true) if began.elapsed() < patience => sleep(STEP).await,
            Some(open) => return !open,
            None => return true,
        }
    }
}

/// Closes the inspector of a loop that never turns, where no timer fires: from within, at once.
async fn close_now(inspector: &Inspector, patience: Duration) -> bool {
    let told = async {
        let Ok((mut cdp, _)) = inspector.connect(patience).await else { return };
        // The connection closes under this call, so its failure is its success; the listener is what counts.
        let _ = cdp.evaluate::<bool>(&leave(&inspector.nonce, InspectorEnd::ClosesNow), patience).await;
    };
    // One that does not even shake hands is given up: leaving takes less than two seconds in all.
    let _ = timeout(patience * 2, told).await;
    closed_within(inspector, CLOSING).await
}
