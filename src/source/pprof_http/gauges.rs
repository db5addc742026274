//! Gauges, four times a second, from `/metrics`.

use super::Watched;
use super::figures::Figures;
use super::http::{Client, HttpError};
use crate::feed::{Blocked, Feed};
use crate::source::{Clock, SourceError};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};

const EVERY: Duration = Duration::from_millis(250);
/// A server that takes longer for a page of text is not answering.
const WITHIN: Duration = Duration::from_secs(1);

/// Sends gauges for ever, where there are any.
pub(super) async fn run(watched: &Watched) -> Result<(), SourceError> {
    if !watched.found.metrics {
        return Ok(());
    }
    let mut client = Client::new(watched.endpoint.clone());
    let mut figures = Figures::default();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answered = Clock::get().now();
    loop {
        ticks.tick().await;
        match client.get("/metrics", WITHIN).await {
            Ok(answer) => {
                answered = Clock::get().now();
                let batch = figures.read(&String::from_utf8_lossy(&answer.body), answered);
                watched.teller.out.send(Feed::Gauges(batch));
                watched.teller.blocked(None);
            }
            Err(HttpError::Slow(..)) => {
                watched.teller.blocked(Some(Blocked { since: answered, how: "does not answer".into() }));
            }
            // What else fails, fails for the profile too, which says so.
            Err(_) => sleep(WITHIN).await,
        }
    }
}
