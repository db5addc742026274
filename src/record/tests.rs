//! What goes into a recording comes out of it.

mod keep;

use super::*;
use crate::feed::{Blocked, Capability, EndReason, Event, Feed, HeapState, Note, NoteLevel, Phase, SourceId};
use crate::feed::{Status, TargetInfo};
use crate::gauges::{Gauge, GaugeBatch};
use crate::profile::{
    Accumulation, Frame, FrameKind, Moment, Nanos, Profile, ProfileLane, ProfileNode, Run, Sampling, Span,
    Thread, Unit, ValueKind,
};
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A sound profile in which every field that can vary does, made of `seed`.
fn profile(seed: u64) -> Profile {
    let mut state = seed | 1;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let frames: Vec<Frame> = (0..=next(20))
        .map(|at| {
            let kind = FrameKind::ALL[next(9) as usize];
            Frame::at(&format!("f\u{1F600}{}", at % 7), "/srv/a b.js", next(90) as u32, next(9) as u32, kind)
        })
        .collect();
    let mut nodes = vec![ProfileNode { parent: 0, frame: next(3) as u32 }];
    for at in 1..=next(60) {
        nodes.push(ProfileNode { parent: next(at) as u32, frame: next(frames.len() as u64) as u32 });
    }
    let kinds = vec![ValueKind::samples(), ValueKind::new("x\"y", Unit::Bytes, Accumulation::Level)];
    let lanes = (0..next(4)).map(|tid| lane(tid, &nodes, &mut next)).collect();
    let sampling = Sampling {
        period_name: "cpu".into(),
        period: next(1000),
        period_bytes: next(2) == 1,
        achieved: u64::MAX - next(5),
        taken: next(2000),
        lost: next(50),
        truncated: next(50),
        handover: Nanos(next(1 << 30)),
        handover_bytes: next(1 << 30),
    };
    let span = Span { start: Moment(next(1 << 30) as i64 * 1000), length: Nanos(next(1 << 30)) };
    let notes = (0..next(3)).map(|at| format!("note {at}").into()).collect();
    Profile { kinds, span, covered: Nanos(next(1 << 30)), sampling, frames, nodes, lanes, notes }
}

fn lane(tid: u64, all: &[ProfileNode], next: &mut impl FnMut(u64) -> u64) -> ProfileLane {
    let nodes: Vec<u32> = (0..all.len() as u32).filter(|_| next(3) == 0).collect();
    let column = |next: &mut dyn FnMut(u64) -> u64| nodes.iter().map(|_| next(1 << 40) as i64).collect();
    let columns = vec![column(next), column(next)];
    let any = |next: &mut dyn FnMut(u64) -> u64| next(all.len() as u64) as u32;
    ProfileLane {
        thread: Thread { pid: 7, tid, name: format!("worker {tid}").into() },
        columns,
        lines: (0..next(5)).map(|line| (any(next), line as u32, 3)).collect(),
        runs: (0..next(30))
            .map(|_| Run { node: any(next), offset: next(1 << 30), length: next(9) })
            .collect(),
        runs_dropped: next(3),
        nodes,
    }
}

fn target() -> TargetInfo {
    TargetInfo {
        name: "api.js".into(),
        kind: "Node 22.3.0".into(),
        pid: Some(4711),
        started: Some(Moment(5)),
        executable: "/usr/bin/node".into(),
        capabilities: vec![Capability::Cpu, Capability::HeapSwitch],
        interval: Nanos::from_millis(1),
        address: "127.0.0.1:9229".into(),
    }
}

/// Every kind of event, from two sources.
fn events(seed: u64) -> Vec<Event> {
    let status = Status {
        phase: Phase::Attaching("opening".into()),
        blocked: Some(Blocked { since: Moment(3), how: "stopped".into() }),
        heap: HeapState::On { window: Nanos(1), cost: Nanos(2) },
        exposure: "inspector".into(),
        ..Status::default()
    };
    let values = vec![(Gauge::Rss, 1e9), (Gauge::CpuProcess, 0.25), (Gauge::GcMinor, -0.0)];
    let feeds = [
        Feed::Attached(target()),
        Feed::Status(status),
        Feed::Window(Box::new(profile(seed))),
        Feed::Gauges(GaugeBatch { at: Moment(seed as i64), values }),
        Feed::Note(Note { level: NoteLevel::Mark, text: "deploy".into() }),
        Feed::Window(Box::new(profile(seed.wrapping_add(1)))),
        Feed::Ended(EndReason::Failed("gone".into())),
    ];
    let stamp = |(at, feed): (usize, Feed)| Event {
        source: SourceId(at as u16 % 2),
        at: Moment(1_700_000_000_000_000_000 + at as i64),
        feed,
    };
    feeds.into_iter().enumerate().map(stamp).collect()
}

fn place(directory: &tempfile::TempDir) -> Place {
    Place::File(directory.path().join("a b%#?é.ftrec"))
}

fn write(place: &Place, events: &[Event]) -> PathBuf {
    let mut writer = Writer::create(place, Moment(9)).expect("creates");
    for event in events {
        writer.append(event).expect("appends");
    }
    let path = writer.path().to_owned();
    writer.finish().expect("finishes");
    path
}

fn read(path: &Path) -> Vec<Event> {
    let mut reader = Reader::open(path).expect("opens");
    std::iter::from_fn(|| reader.next_event()).map(|event| event.expect("is whole")).collect()
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_went_in_comes_out_equal_and_in_order(seed: u64) {
        let directory = directory();
        let written = events(seed);
        prop_assert!(profile(seed).is_sound());
        prop_assert_eq!(read(&write(&place(&directory), &written)), written);
    }
}

#[test]
fn at_rest_it_is_one_private_file() {
    let directory = directory();
    let path = write(&place(&directory), &events(1));
    let names: Vec<_> = fs::read_dir(directory.path()).expect("lists").flatten().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(fs::metadata(&path).expect("is there").permissions().mode() & 0o7777, 0o600);
    read(&path);
    assert_eq!(fs::read_dir(directory.path()).expect("lists").count(), 1, "reading left something");
    assert!(Reader::open(&path).expect("opens").about().finished);
}

#[test]
fn it_can_be_read_while_it_is_written() {
    let directory = directory();
    let mut writer = Writer::create(&place(&directory), Moment(9)).expect("creates");
    let mut reader = Reader::open(writer.path()).expect("opens");
    assert!(reader.next_event().is_none());
    for (at, event) in events(3).into_iter().enumerate() {
        writer.append(&event).expect("appends");
        assert!(reader.next_event().is_none(), "event {at} is not committed yet");
        writer.commit().expect("commits");
        assert_eq!(reader.next_event().expect("follows").expect("is whole"), event);
    }
    assert!(!reader.about().finished);
    assert_eq!(reader.about().being_written, Some(true));
    writer.finish().expect("a reader is no hindrance");
    assert!(reader.next_event().is_none());
    assert!(reader.about().finished);
    assert_eq!(reader.about().being_written, Some(false));
}

#[test]
fn through_a_link_it_is_read_while_it_is_written() {
    let directory = directory();
    let mut writer = Writer::create(&place(&directory), Moment(9)).expect("creates");
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(writer.path(), &link).expect("links");
    let mut reader = Reader::open(&link).expect("opens");
    writer.append(&events(3)[0]).expect("appends");
    writer.commit().expect("commits");
    assert_eq!(reader.next_event().expect("follows").expect("is whole"), events(3)[0]);
    assert_eq!(reader.about().being_written, Some(true));
}

#[test]
fn what_was_committed_survives_a_writer_that_never_closes() {
    let directory = directory();
    let mut writer = Writer::create(&place(&directory), Moment(9)).expect("creates");
    let written = events(5);
    for event in &written {
        writer.append(event).expect("appends");
    }
    writer.commit().expect("commits");
    writer.append(&written[0]).expect("appends");
    // As after a kill: the file alone, without its log, copied from under the writer.
    let copy = directory.path().join("copy.ftrec");
    fs::copy(writer.path(), &copy).expect("copies");
    assert_eq!(read(&copy), written);
    let about = Reader::open(&copy).expect("opens").about();
    assert_eq!((about.finished, about.being_written), (false, Some(false)));
}

#[test]
fn seeking_gives_what_is_known_and_what_follows() {
    let directory = directory();
    let written = events(7);
    let path = write(&place(&directory), &written);
    let mut reader = Reader::open(&path).expect("opens");
    let known = reader.seek(written[3].at).expect("seeks");
    assert_eq!(known, [written[0].clone(), written[1].clone()]);
    let follows: Vec<Event> =
        std::iter::from_fn(|| reader.next_event()).map(|event| event.expect("is whole")).collect();
    assert_eq!(follows, written[3..]);
    assert!(reader.seek(Moment(0)).expect("seeks").is_empty());
    assert_eq!(reader.next_event().expect("follows").expect("is whole"), written[0]);
    let (first, last) = (profile(7).span, profile(8).span);
    assert_eq!(reader.span().expect("reads"), Some(Span::between(first.start, last.end())));
}

#[test]
fn a_window_that_contradicts_itself_becomes_a_note() {
    let directory = directory();
    let mut broken = profile(1);
    broken.nodes[0].parent = 0;
    broken.nodes.push(ProfileNode { parent: 9999, frame: 0 });
    let event = Event { source: SourceId(0), at: Moment(1), feed: Feed::Window(Box::new(broken)) };
    let read = read(&write(&place(&directory), &[event]));
    assert!(matches!(&read[0].feed, Feed::Note(note) if note.level == NoteLevel::Error), "{read:?}");
}

#[test]
fn other_files_are_refused_with_a_reason() {
    let directory = directory();
    let path = directory.path().join("x");
    for content in [&b""[..], b"SQLite format 3\0", &[7; 4096]] {
        fs::write(&path, content).expect("written");
        let refused = Reader::open(&path).err().expect("refused");
        assert!(matches!(refused, RecordError::NotARecording { .. }), "{refused}");
    }
    let missing = Reader::open(&directory.path().join("none")).err().expect("refused");
    assert!(matches!(missing, RecordError::Open { .. }) && missing.hint().is_some(), "{missing}");
    let folder = Reader::open(directory.path()).err().expect("refused");
    assert!(matches!(folder, RecordError::NotARecording { .. }), "{folder}");
}

#[test]
fn a_newer_format_is_named() {
    let directory = directory();
    let path = write(&place(&directory), &events(1));
    let mut bytes = fs::read(&path).expect("reads");
    bytes[60..64].copy_from_slice(&99u32.to_be_bytes());
    fs::write(&path, bytes).expect("written");
    let refused = Reader::open(&path).err().expect("refused");
    assert!(matches!(refused, RecordError::Newer { version: 99, .. }), "{refused}");
}

#[test]
fn a_row_that_is_gone_is_noticed() {
    let directory = directory();
    let written = events(1);
    let path = write(&place(&directory), &written);
    for (damage, lost) in [
        ("DELETE FROM notes", 1),
        ("UPDATE gauges SET value = 2.0 WHERE place = 0", 1),
        ("DELETE FROM states WHERE what = 'ended'", 1),
        ("UPDATE windows SET taken = taken + 1", 2),
        ("DELETE FROM frames", 0),
    ] {
        rusqlite::Connection::open(&path).expect("opens").execute_batch(damage).expect("damages");
        let mut reader = Reader::open(&path).expect("opens");
        let read: Vec<_> = std::iter::from_fn(|| reader.next_event()).collect();
        let errors = read.iter().filter(|event| event.is_err()).count();
        assert!(errors >= lost, "{damage}: {errors}");
        for event in read.into_iter().flatten() {
            assert!(written.contains(&event), "{damage}");
        }
    }
}

#[test]
fn tables_made_to_mislead_are_refused() {
    let directory = directory();
    let path = write(&place(&directory), &events(1));
    let trap = "DROP TABLE notes; CREATE VIEW notes AS WITH RECURSIVE n(seq) AS \
                (SELECT 1 UNION ALL SELECT seq + 1 FROM n) SELECT seq, 0 AS source FROM n";
    rusqlite::Connection::open(&path).expect("opens").execute_batch(trap).expect("is SQL");
    let refused = Reader::open(&path).err().expect("refused");
    assert!(matches!(refused, RecordError::NotARecording { .. }), "{refused}");
}

/// The writer believes its callers, as a forger of a file would.
#[test]
fn texts_that_would_drive_a_terminal_are_made_visible() {
    const EVIL: &str = "a\u{1b}]52;c;eA==\u{7}\u{202e}b";
    let mut window = profile(5);
    window.frames[0] = Frame::at(EVIL, EVIL, 1, 1, FrameKind::Js);
    window.kinds[1] = ValueKind::new(EVIL, Unit::Bytes, Accumulation::Level);
    window.notes = vec![EVIL.into()];
    window.sampling.period_name = EVIL.into();
    window.lanes = vec![ProfileLane {
        thread: Thread { pid: 1, tid: 1, name: EVIL.into() },
        nodes: vec![0],
        columns: vec![vec![1], vec![1]],
        lines: vec![],
        runs: vec![],
        runs_dropped: 0,
    }];
    let target = TargetInfo {
        name: EVIL.into(),
        kind: EVIL.into(),
        executable: EVIL.into(),
        address: EVIL.into(),
        ..target()
    };
    let status = Status {
        phase: Phase::Waiting(EVIL.into()),
        heap: HeapState::Off(EVIL.into()),
        exposure: EVIL.into(),
        ..Status::default()
    };
    let feeds = [
        Feed::Attached(target),
        Feed::Status(status),
        Feed::Window(Box::new(window)),
        Feed::Note(Note { level: NoteLevel::Info, text: EVIL.into() }),
        Feed::Ended(EndReason::Failed(EVIL.into())),
    ];
    let directory = directory();
    let written: Vec<Event> =
        feeds.into_iter().map(|feed| Event { source: SourceId(0), at: Moment(1), feed }).collect();
    let seen = read(&write(&place(&directory), &written));
    let told = serde_json::to_string(&seen).expect("events are JSON");
    let expected = serde_json::to_string(&written).expect("events are JSON");
    // Every text is there, and each of its three characters that act has become one that is seen.
    let evil = serde_json::to_string(EVIL).expect("texts are JSON");
    assert_eq!(told, expected.replace(evil.trim_matches('"'), "a␛]52;c;eA==␇\u{fffd}b"));
    assert_eq!(told.matches('␛').count(), 15);
}
