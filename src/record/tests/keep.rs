//! A recording within bounds: what is read is the end of what was written, and what was meant to stay.

use super::{directory, place, profile, target};
use crate::feed::{Event, Feed, Note, NoteLevel, Phase, SourceId, Status, TargetInfo};
use crate::gauges::{Gauge, GaugeBatch};
use crate::profile::{Frame, Moment, Nanos};
use crate::record::{Bounds, LetGo, Place, Reader, RecordError, Writer};
use proptest::prelude::*;
use std::fs;
use std::path::Path;

/// Bytes of a file without an event.
const EMPTY: u64 = 80_000;

/// An event of a kind that `what` tells, at a time, by one of three sources.
fn event(at: i64, source: u16, what: u8) -> Event {
    let text = format!("at {at}").into();
    let feed = match what {
        0..=3 => Feed::Window(Box::new(profile(at as u64))),
        4 => Feed::Window(Box::new(large(at))),
        5..=8 => Feed::Gauges(GaugeBatch { at: Moment(at), values: vec![(Gauge::Rss, at as f64); 3] }),
        9 => Feed::Note(Note { level: NoteLevel::Info, text }),
        10 => Feed::Note(Note { level: NoteLevel::Mark, text }),
        11 => Feed::Attached(TargetInfo { address: text, ..target() }),
        _ => Feed::Status(Status { phase: Phase::Waiting(text), ..Status::default() }),
    };
    Event { source: SourceId(source), at: Moment(at), feed }
}

/// A window with hundreds of functions that no other has.
fn large(at: i64) -> crate::profile::Profile {
    let mut window = profile(at as u64);
    let frame = |i: usize| Frame { name: format!("only at {at}: {i}").into(), ..window.frames[0].clone() };
    let frames: Vec<Frame> = (0..400).map(frame).collect();
    window.frames.extend(frames);
    window
}

fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let step = (0i64..50, 0u16..3, 0u8..14);
    prop::collection::vec(step, 1..60).prop_map(|steps| {
        let mut at = 0;
        let stamp = |(step, source, what): (i64, u16, u8)| {
            at += step;
            event(at, source, what)
        };
        steps.into_iter().map(stamp).collect()
    })
}

fn any_bounds() -> impl Strategy<Value = Bounds> {
    (0u64..4000, EMPTY..300_000).prop_map(|(keep, max_bytes)| Bounds { keep: Nanos(keep), max_bytes })
}

/// What a reader told: events before a hole that is meant, events behind it, and the size of the hole.
#[derive(Debug, Default)]
struct Told {
    before: Vec<Event>,
    whole: Vec<Event>,
    holes: u64,
    what: Option<LetGo>,
}

impl Told {
    /// Reads on to the end, or for so many steps.
    fn read(&mut self, reader: &mut Reader, steps: usize) {
        for _ in 0..steps {
            match reader.next_event() {
                None => return,
                Some(Ok(event)) => self.whole.push(event),
                Some(Err(RecordError::LetGo { what, events })) => {
                    self.before.append(&mut self.whole);
                    self.holes += events;
                    self.what = Some(what);
                }
                Some(Err(error)) => panic!("{error}"),
            }
        }
    }

    fn all(&self) -> Vec<&Event> {
        self.before.iter().chain(&self.whole).collect()
    }
}

fn read(path: &Path) -> Told {
    let mut told = Told::default();
    told.read(&mut Reader::open(path).expect("opens"), usize::MAX);
    told
}

/// Which of the events that may go are to stay all the same.
fn meant_to_stay(before: &[Event], after: &[Event]) -> Vec<Event> {
    let is_last = |at: usize, is: fn(&Feed) -> bool| {
        let same = |other: &Event| is(&other.feed) && other.source == before[at].source;
        is(&before[at].feed) && !before[at + 1..].iter().any(same)
    };
    let is_window = |event: &Event| matches!(event.feed, Feed::Window(_));
    let newest = before.iter().rposition(is_window).filter(|_| !after.iter().any(is_window));
    let stays = |at: &usize| {
        is_mark(&before[*at])
            || newest == Some(*at)
            || is_last(*at, |feed| matches!(feed, Feed::Attached(_)))
            || is_last(*at, |feed| matches!(feed, Feed::Status(_) | Feed::Ended(_)))
    };
    (0..before.len()).filter(stays).map(|at| before[at].clone()).collect()
}

fn is_mark(event: &Event) -> bool {
    matches!(&event.feed, Feed::Note(note) if note.level == NoteLevel::Mark)
}

fn is_data(event: &Event) -> bool {
    matches!(event.feed, Feed::Window(_) | Feed::Gauges(_))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_is_read_is_the_end_of_what_was_written_within_the_bounds(
        written in any_events(),
        bounds in any_bounds(),
        commits in prop::collection::vec(any::<bool>(), 120),
    ) {
        let directory = directory();
        let mut writer = Writer::create(&place(&directory), Moment(0)).expect("creates").within(bounds);
        for (event, commit) in written.iter().zip(commits) {
            writer.append(event).expect("appends");
            if commit {
                writer.commit().expect("commits");
            }
        }
        writer.commit().expect("commits");
        let (used, windows) = (writer.bytes(), writer.windows());
        let path = writer.path().to_owned();
        writer.finish().expect("finishes");

        let told = read(&path);
        let (before, whole) = written.split_at(written.len() - told.whole.len());
        prop_assert_eq!(&told.whole, whole);
        prop_assert_eq!(&told.before, &meant_to_stay(before, whole));
        prop_assert_eq!(told.holes as usize, before.len() - told.before.len());
        let in_it = told.all().iter().filter(|event| matches!(event.feed, Feed::Window(_))).count() as u64;
        prop_assert_eq!(in_it, windows);

        // Never more than the bounds, but for the last event and what was meant to stay.
        prop_assert!(used <= bounds.max_bytes || whole.len() == 1, "{} bytes, {} events", used, whole.len());
        let newest = written.iter().rev().find(|event| is_data(event)).map_or(0, |event| event.at.0);
        let oldest = whole[..whole.len() - 1].iter().find(|event| is_data(event));
        if let Some(oldest) = oldest {
            let newest_window = whole.iter().rposition(|event| matches!(event.feed, Feed::Window(_)));
            let is_spared = newest_window.is_some_and(|at| std::ptr::eq(&raw const whole[at], oldest));
            prop_assert!(is_spared || newest - oldest.at.0 <= bounds.keep.0 as i64);
        }
        // At rest the file is not mostly holes.
        let size = fs::metadata(&path).expect("is there").len();
        prop_assert!(size <= used + used / 7 + 20 * 4096, "{} bytes for {}", size, used);
    }

    #[test]
    fn a_reader_whose_place_goes_goes_on_where_all_is_there_again(
        written in any_events(),
        bounds in any_bounds(),
        steps in prop::collection::vec(0usize..6, 120),
    ) {
        let directory = directory();
        let mut writer = Writer::create(&place(&directory), Moment(0)).expect("creates").within(bounds);
        let mut reader = Reader::open(writer.path()).expect("opens");
        let mut told = Told::default();
        for (event, steps) in written.iter().zip(steps) {
            writer.append(event).expect("appends");
            writer.commit().expect("commits");
            told.read(&mut reader, steps);
        }
        told.read(&mut reader, usize::MAX);
        prop_assert_eq!(told.all().len() + told.holes as usize, written.len());
        let mut originals = written.iter();
        prop_assert!(told.all().into_iter().all(|event| originals.any(|original| original == event)));
        writer.finish().expect("finishes");
    }
}

/// A recording of so many windows, one a second, in room for some.
fn tight(path: &Path, windows: i64) -> Writer {
    let bounds = Bounds { max_bytes: 200_000, ..Bounds::default() };
    let mut writer = Writer::create(&Place::File(path.into()), Moment(0)).expect("creates").within(bounds);
    for second in 0..windows {
        writer.append(&event(second * 1_000_000_000, 0, 0)).expect("appends");
        writer.commit().expect("commits");
    }
    writer
}

#[test]
fn what_went_is_told_and_times_hold() {
    let directory = directory();
    let path = directory.path().join("x.ftrec");
    tight(&path, 300).finish().expect("finishes");
    let told = read(&path);
    let what = told.what.expect("something went");
    let kept = told.whole.len();
    assert!(kept > 5 && kept < 295, "{kept} kept");
    // The newest of those that went was sent just before the first that is there.
    assert_eq!(
        what,
        LetGo { since: Moment((299 - kept as i64) * 1_000_000_000), windows: 300 - kept as u64 }
    );
    assert!(what.to_string().contains("whole from 1970-01-01 "), "{what}");
    let mut reader = Reader::open(&path).expect("opens");
    assert_eq!(reader.let_go(), Some(what));
    let Feed::Window(first) = &told.whole[0].feed else { panic!("no window") };
    assert_eq!(reader.span().expect("reads").expect("has windows").start, first.span.start);
    assert!(reader.seek(told.whole[kept - 3].at).expect("seeks").is_empty());
    assert_eq!(reader.next_event().expect("follows").expect("is whole"), told.whole[kept - 3]);
}

#[test]
fn an_older_flametop_is_told_to_be_too_old_only_when_something_went() {
    let directory = directory();
    let version = |windows: i64| {
        let path = directory.path().join(windows.to_string());
        tight(&path, windows).finish().expect("finishes");
        fs::read(path).expect("reads")[63]
    };
    assert_eq!((version(2), version(300)), (1, 2));
}

#[test]
fn a_hole_above_what_went_is_damage() {
    let directory = directory();
    let path = directory.path().join("x.ftrec");
    tight(&path, 300).finish().expect("finishes");
    for damage in [
        "DELETE FROM windows WHERE seq = 298",
        "UPDATE meta SET value = value + 1 WHERE key = 'kept_from'",
        "DELETE FROM meta WHERE key = 'kept_from'",
    ] {
        let copy = directory.path().join("copy");
        fs::copy(&path, &copy).expect("copies");
        rusqlite::Connection::open(&copy).expect("opens").execute_batch(damage).expect("damages");
        let mut reader = Reader::open(&copy).expect("opens");
        let errors: Vec<_> = std::iter::from_fn(|| reader.next_event()).filter_map(Result::err).collect();
        assert!(
            errors.iter().any(|error| matches!(error, RecordError::Damaged { .. })),
            "{damage}: {errors:?}"
        );
    }
}

#[test]
fn a_file_at_rest_is_not_mostly_holes_even_when_nearly_all_went_at_its_end() {
    let directory = directory();
    let bounds = Bounds { keep: Nanos::from_secs(3600), ..Bounds::default() };
    let mut writer = Writer::create(&place(&directory), Moment(0)).expect("creates").within(bounds);
    for second in 0..2500 {
        writer.append(&event(second * 1_000_000_000, 0, 0)).expect("appends");
    }
    writer.commit().expect("commits");
    let full = writer.bytes();
    // The machine slept for a day.
    for second in 100_000..100_002 {
        writer.append(&event(second * 1_000_000_000, 0, 0)).expect("appends");
        writer.commit().expect("commits");
    }
    let (used, path) = (writer.bytes(), writer.path().to_owned());
    writer.finish().expect("finishes");
    let size = fs::metadata(&path).expect("is there").len();
    assert!(used < full / 4, "{used} of {full} bytes are in use");
    assert!(size <= used + used / 7 + 20 * 4096, "{size} bytes for {used}");
    assert_eq!(read(&path).whole.len(), 2);
}

#[test]
fn of_a_flood_of_marks_the_last_stay() {
    let directory = directory();
    let bounds = Bounds { max_bytes: EMPTY + 100_000, ..Bounds::default() };
    let mut writer = Writer::create(&place(&directory), Moment(0)).expect("creates").within(bounds);
    for at in 0..3000 {
        writer.append(&event(at, 0, 10)).expect("appends");
        writer.append(&event(at, 0, 9)).expect("appends");
        writer.append(&event(at, 0, 13)).expect("appends");
        writer.commit().expect("commits");
    }
    assert!(writer.bytes() <= bounds.max_bytes);
    let told = read(writer.path());
    assert_eq!(told.before.iter().filter(|event| is_mark(event)).count(), 256);
    assert!(told.whole.len() > 100);
}
