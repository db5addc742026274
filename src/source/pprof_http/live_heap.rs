//! Heap windows: a reading every few seconds, each less the one before.

use super::heap::{Growth, between, is_heap};
use super::http::Client;
use super::{Failure, Watched, decode::decode};
use crate::feed::{Feed, HeapState, NoteLevel};
use crate::profile::{Moment, Nanos, Profile};
use crate::source::{Clock, SourceError};
use std::time::Duration;
use tokio::time::sleep;

/// Time from one reading to the next.
const EVERY: Duration = Duration::from_secs(5);
/// The second reading comes sooner, so that there is something to see.
const SECOND_AFTER: Duration = Duration::from_secs(1);
const WITHIN: Duration = Duration::from_secs(30);

/// A reading, and when it was true.
struct Reading {
    profile: Profile,
    at: Moment,
    cost: Nanos,
}

/// Sends heap windows while they are wanted.
pub(super) async fn run(watched: &Watched) -> Result<(), SourceError> {
    if !watched.found.heap {
        return Ok(());
    }
    let mut wanted = watched.heap.clone();
    loop {
        if *wanted.borrow_and_update() {
            tokio::select! {
                () = readings(watched) => return Ok(()),
                _ = wanted.wait_for(|wanted| !wanted) => {}
            }
        }
        watched.teller.heap(HeapState::Off("reading it costs the target some milliseconds every 5 s".into()));
        if wanted.wait_for(|wanted| *wanted).await.is_err() {
            return Ok(());
        }
    }
}

/// Takes readings until the endpoint turns out to have no heap profile.
async fn readings(watched: &Watched) {
    let mut client = Client::new(watched.endpoint.clone());
    let mut before: Option<Reading> = None;
    loop {
        let rest = match (read(watched, &mut client).await, before.take()) {
            (Ok(reading), earlier) => {
                let rest = if earlier.is_some() { EVERY } else { SECOND_AFTER };
                tell(watched, earlier.as_ref(), &reading);
                before = Some(reading);
                rest
            }
            (Err(failure), _) if !failure.is_passing() => {
                watched.teller.heap(HeapState::Unavailable);
                watched.teller.out.note(NoteLevel::Warning, format!("no heap profile: {failure}"));
                return;
            }
            // The sums before are kept: what was allocated meanwhile is told by the next reading.
            (Err(_), earlier) => {
                before = earlier;
                EVERY
            }
        };
        sleep(rest).await;
    }
}

async fn read(watched: &Watched, client: &mut Client) -> Result<Reading, Failure> {
    let begun = Clock::get().now();
    let answer = client.get(&format!("{}/heap", watched.endpoint.base), WITHIN).await?;
    let at = Clock::get().now();
    let bytes = answer.body.len() as u64;
    let mut profile = decode(answer.body, "heap", is_heap).await?;
    let cost = at.since(begun);
    profile.sampling.handover = cost;
    profile.sampling.handover_bytes = bytes;
    Ok(Reading { profile, at, cost })
}

fn tell(watched: &Watched, before: Option<&Reading>, now: &Reading) {
    watched.teller.heap(HeapState::On { window: EVERY.into(), cost: now.cost });
    let Some(before) = before else { return };
    match between(&before.profile, &now.profile, before.at, now.at) {
        Growth::Window(window) => watched.teller.out.send(Feed::Window(window)),
        Growth::Restarted => {
            let text = "the target's heap figures start anew: it was restarted";
            watched.teller.out.note(NoteLevel::Warning, text);
        }
    }
}
