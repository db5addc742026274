//! CPU windows, one request after the other.

use super::http::Client;
use super::{Failure, Watched, decode::decode, refusal};
use crate::feed::{Feed, TargetInfo};
use crate::profile::{Moment, Nanos, Profile, Span, Unit};
use crate::source::{Clock, SourceError};
use std::time::Duration;

/// Length of the first window where the server takes fractions: something to see at once.
const FIRST: Nanos = Nanos::from_millis(250);
/// Time for the answer beyond the window itself.
const PATIENCE: Duration = Duration::from_secs(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Sends windows for ever; ends only when the endpoint turns out to have none.
pub(super) async fn run(watched: &Watched, mut client: Client) -> Result<(), SourceError> {
    let mut target = watched.found.target.clone();
    let mut before: Option<Moment> = None;
    let mut windows = 0u64;
    let mut pause = SHORTEST_PAUSE;
    loop {
        let length = next_length(watched, windows);
        match take(watched, &mut client, length, before).await {
            Ok(profile) => {
                let back = windows > 0 && before.is_none();
                // Only a profile tells how often it is sampled.
                if correct_interval(&mut target, &profile) || back {
                    watched.teller.attached(&target);
                }
                before = Some(profile.span.end());
                watched.teller.working();
                watched.teller.out.send(Feed::Window(Box::new(profile)));
                windows += 1;
                pause = SHORTEST_PAUSE;
            }
            Err(failure) if windows == 0 && !failure.is_passing() => {
                return Err(refusal(&watched.endpoint, &failure));
            }
            Err(failure) => {
                watched.teller.failing(&failure.to_string(), pause);
                before = None;
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// The length of the next window: the one asked for, in whole seconds where it must be.
fn next_length(watched: &Watched, windows: u64) -> Nanos {
    let asked = *watched.window.borrow();
    let length = match (watched.found.fractions, windows) {
        (true, 0) => return asked.min(FIRST),
        (true, _) => asked.max(Nanos::from_millis(10)),
        (false, _) => Nanos::from_secs(asked.0.div_ceil(1_000_000_000).max(1)),
    };
    watched.teller.window(length);
    length
}

/// Sets the target's interval to the profile's; whether it was another.
fn correct_interval(target: &mut TargetInfo, profile: &Profile) -> bool {
    let interval = Nanos(profile.sampling.period);
    let differs = !profile.sampling.period_bytes && interval.0 > 0 && interval != target.interval;
    if differs {
        target.interval = interval;
    }
    differs
}

async fn take(
    watched: &Watched,
    client: &mut Client,
    length: Nanos,
    before: Option<Moment>,
) -> Result<Profile, Failure> {
    let seconds = length.as_secs_f64();
    let path = format!("{}/profile?seconds={seconds}", watched.endpoint.base);
    let begun = Clock::get().now();
    let answer = client.get(&path, Duration::from(length) + PATIENCE).await?;
    let now = Clock::get().now();
    let head = now - Nanos::from(answer.head_at.elapsed());
    let bytes = answer.body.len() as u64;
    let mut profile = decode(answer.body, "CPU time", is_cpu).await?;
    place(&mut profile, length, begun, head, before);
    profile.sampling.handover = Nanos(now.since(begun).0.saturating_sub(length.0));
    profile.sampling.handover_bytes = bytes;
    Ok(profile)
}

fn is_cpu(profile: &Profile) -> bool {
    profile.kind("cpu").is_some() || profile.kinds.iter().any(|kind| kind.unit == Unit::Nanoseconds)
}

/// Sets the window on our clock: to the moment the answer began, from the end of the window before,
/// and covering as much of it as the profile says that it was taken.
fn place(profile: &mut Profile, asked: Nanos, begun: Moment, end: Moment, before: Option<Moment>) {
    let requested = end.since(begun);
    let told = profile.span.length;
    // A server's word on its own length is taken where it can be true.
    let covered = if told.0 > 0 { told } else { asked }.min(requested);
    let near = |before: &Moment| begun.since(*before) <= asked;
    let start = before.filter(near).unwrap_or(end - covered);
    profile.span = Span::between(start, end);
    profile.covered = covered.min(profile.span.length);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Sampling, ValueKind};

    const MS: i64 = 1_000_000;

    fn placed(told: u64, asked: u64, begun: i64, end: i64, before: Option<i64>) -> (i64, i64, u64) {
        let mut profile = Profile {
            kinds: vec![ValueKind::cpu()],
            span: Span { start: Moment(0), length: Nanos::from_millis(told) },
            covered: Nanos(0),
            sampling: Sampling::default(),
            frames: Vec::new(),
            nodes: Vec::new(),
            lanes: Vec::new(),
            notes: Vec::new(),
        };
        let before = before.map(|before| Moment(before * MS));
        place(&mut profile, Nanos::from_millis(asked), Moment(begun * MS), Moment(end * MS), before);
        let ms = |moment: Moment| moment.0 / MS;
        (ms(profile.span.start), ms(profile.span.end()), profile.covered.0 / MS as u64)
    }

    #[test]
    fn the_time_between_two_windows_is_a_gap_in_the_later_one() {
        assert_eq!(placed(1001, 1000, 5020, 6030, Some(5010)), (5010, 6030, 1001));
    }

    #[test]
    fn the_first_window_and_one_after_a_failure_have_no_gap() {
        assert_eq!(placed(1000, 1000, 5000, 6010, None), (5010, 6010, 1000));
        assert_eq!(placed(1000, 1000, 50_000, 51_000, Some(5000)), (50_000, 51_000, 1000));
    }

    #[test]
    fn a_length_that_cannot_be_true_is_not_believed() {
        assert_eq!(placed(90_000, 1000, 5000, 6010, None), (5000, 6010, 1010));
        assert_eq!(placed(0, 1000, 5000, 6010, None), (5010, 6010, 1000));
    }
}
