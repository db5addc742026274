//! Playing the timeline, and jumping along it.

use super::{Watched, watch};
use crate::app::Msg;
use crate::feed::{EndReason, Event, Feed, Note, NoteLevel, SourceId};
use crate::gauges::{Gauge, GaugeBatch};
use crate::profile::Moment;
use crate::session::Range;

const SECOND: i64 = 1_000_000_000;

/// Ten windows of a second, from 0 on.
fn ten_windows() -> Watched {
    let mut watched = watch(&[("f", 1)]);
    (1..10).for_each(|second| watched.add_window(second, &[("f", second + 1)]));
    watched.tell(Msg::Tick(Moment(1000 * SECOND)));
    watched
}

fn say(watched: &mut Watched, second: i64, feed: Feed) {
    watched.session.ingest(&Event { source: SourceId(0), at: Moment(second * SECOND), feed });
}

fn delay(watched: &mut Watched, tenths: i64, seconds: f64) {
    let at = Moment(tenths * SECOND / 10);
    say(watched, 0, Feed::Gauges(GaugeBatch { at, values: vec![(Gauge::LoopDelayMax, seconds)] }));
}

/// The second of the window selected; none while live.
fn second(watched: &Watched) -> Option<i64> {
    match watched.app.selection.range {
        Range::Span(span) => Some(span.start.0 / SECOND),
        Range::Live => None,
    }
}

/// Lets so many tenths of a second pass.
fn pass(watched: &mut Watched, tenths: i64) {
    let now = watched.app.now.0 + tenths * SECOND / 10;
    watched.tell(Msg::Tick(Moment(now)));
}

#[test]
fn playing_goes_through_the_windows_and_goes_live_at_the_end() {
    let mut watched = ten_windows();
    watched.keys("p");
    assert_eq!(second(&watched), Some(0), "from the end one begins anew");
    let mut seen = Vec::new();
    for _ in 0..9 {
        pass(&mut watched, 10);
        seen.extend(second(&watched));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    pass(&mut watched, 10);
    assert_eq!(second(&watched), None, "the target is alive");
}

#[test]
fn a_recording_stops_at_its_end_and_plays_anew() {
    let mut watched = ten_windows();
    say(&mut watched, 10, Feed::Ended(EndReason::EndOfInput));
    watched.keys("[))p");
    assert_eq!(second(&watched), Some(8));
    pass(&mut watched, 5);
    assert_eq!(second(&watched), Some(9), "four times as fast: {}", watched.toast());
    pass(&mut watched, 5);
    assert!(watched.app.playing.is_none());
    watched.keys("p");
    assert_eq!(second(&watched), Some(0));
    watched.keys("p");
    pass(&mut watched, 50);
    assert_eq!(second(&watched), Some(0), "paused");
}

#[test]
fn going_elsewhere_ends_the_playing() {
    for keys in ["]", "<", " ", "."] {
        let mut watched = ten_windows();
        watched.keys("[[[[p");
        assert!(watched.app.playing.is_some());
        watched.keys(keys);
        assert!(watched.app.playing.is_none(), "{keys:?}");
    }
}

#[test]
fn marks_are_gone_to_in_both_directions() {
    let mut watched = ten_windows();
    watched.keys("'");
    assert!(watched.toast().contains("no mark"), "{}", watched.toast());
    for (at, text) in [(3, "deploy"), (7, "rollback")] {
        say(&mut watched, at, Feed::Note(Note { level: NoteLevel::Mark, text: text.into() }));
    }
    watched.keys("\"");
    assert_eq!((second(&watched), watched.toast()), (Some(7), "mark: rollback"));
    watched.keys("\"");
    assert_eq!((second(&watched), watched.toast()), (Some(3), "mark: deploy"));
    watched.keys("'");
    assert_eq!(second(&watched), Some(7));
    watched.keys("'");
    assert!(watched.toast().contains("no later mark"), "{}", watched.toast());
}

#[test]
fn stalls_and_peaks_are_where_the_loop_was_late() {
    let mut watched = ten_windows();
    for (tenths, seconds) in [(5, 0.001), (25, 0.08), (60, 0.9), (85, 0.2), (95, 0.002)] {
        delay(&mut watched, tenths, seconds);
    }
    watched.keys(",");
    assert_eq!((second(&watched), watched.toast()), (Some(8), "the event loop was late by 200 ms here"));
    watched.keys(",");
    assert_eq!(second(&watched), Some(5), "a figure speaks for the time before it");
    watched.keys(",,");
    assert_eq!(second(&watched), Some(2));
    assert!(watched.toast().contains("no earlier"), "{}", watched.toast());
    watched.keys("P");
    assert_eq!(second(&watched), Some(5), "the greatest");
    watched.keys("P");
    assert_eq!(second(&watched), Some(2), "0.2 s at 8.5 s is too near to be another: {}", watched.toast());
    watched.keys(":delay max<enter>");
    assert_eq!(second(&watched), Some(5));
}

#[test]
fn a_time_can_be_typed() {
    let mut watched = ten_windows();
    for (typed, wanted) in [("+3.5s", 3), ("-1s", 9), ("00:00:06", 6), ("1970-01-01 00:00:01", 1)] {
        watched.keys(":");
        watched.keys(typed);
        watched.keys("<enter>");
        assert_eq!(second(&watched), Some(wanted), "{typed}");
    }
    watched.keys(":noon<enter>");
    assert!(watched.toast().contains("no time"), "{}", watched.toast());
    watched.keys(":+1s<esc>");
    assert_eq!(second(&watched), Some(1), "Esc goes nowhere");
}
