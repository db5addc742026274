//! Recordings in a hostile world: killed writers, full disks, strange umasks, damaged files, and
//! other people's tools.

#[path = "../support/mod.rs"]
mod support;

mod child;
mod damage;
mod documented;
mod in_progress;
mod sample;

use child::Child;
use flametop::feed::{Event, Feed};
use flametop::format::{Export, Format, Pprof};
use flametop::record::{Place, Reader, RecordError, Writer};
use flametop::session::{Range, Scope, Session};
use sample::{events, read_whole, write};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use support::pprof_go::GoPprof;
use support::runtimes::{namespaces_or_skip, require_go};
use support::wait::{holds_for, wait_for};

/// What a kill may cost at most.
const PROMISED: Duration = Duration::from_secs(2);
const SOON: Duration = Duration::from_secs(20);

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o7777
}

/// The events of a file that may lack its end but nothing else.
fn read_prefix(path: &Path) -> Vec<Event> {
    let mut reader = Reader::open(path).expect("opens");
    std::iter::from_fn(|| reader.next_event()).map(|event| event.expect("is whole")).collect()
}

#[test]
fn a_killed_writer_loses_two_seconds_at_most() {
    for round in 0..25 {
        let directory = directory();
        let path = directory.path().join("x.ftrec");
        let mut child = Child::start("record", &path, "exec");
        wait_for("the recording", SOON, || path.exists());
        holds_for("the writer runs", Duration::from_millis(20 + round * 17), || child.runs());
        let killed_at = sample::now();
        child.kill();
        // A writer killed before its first commit has promised nothing yet.
        let Ok(mut reader) = Reader::open(&path) else {
            assert!(round < 5, "unreadable after round {round}");
            continue;
        };
        assert!(!reader.about().finished);
        let events: Vec<Event> =
            std::iter::from_fn(|| reader.next_event()).map(|event| event.expect("is whole")).collect();
        if let Some(last) = events.last() {
            let lost: Duration = killed_at.since(last.at).into();
            assert!(lost < PROMISED, "lost {lost:?} in round {round}");
        }
        assert!(round < 20 || events.iter().any(|event| matches!(event.feed, Feed::Window(_))));
        assert_eq!(mode_of(&path), 0o600);
    }
}

#[test]
fn a_writer_killed_while_it_lets_go_leaves_an_end_without_a_hole() {
    let mut rounds_with_holes = 0;
    for round in 0..20 {
        let directory = directory();
        let path = directory.path().join("x.ftrec");
        let mut child = Child::start("keep", &path, "exec");
        wait_for("the recording", SOON, || path.exists());
        holds_for("the writer runs", Duration::from_millis(300 + round * 31), || child.runs());
        child.kill();
        let Ok(mut reader) = Reader::open(&path) else { panic!("unreadable after round {round}") };
        let (mut events, mut holes) = (0, 0);
        while let Some(next) = reader.next_event() {
            match next {
                Ok(_) => events += 1,
                Err(RecordError::LetGo { .. }) => holes += 1,
                Err(error) => panic!("round {round}: {error}"),
            }
        }
        assert!(holes <= 1 && events > 0, "round {round}: {holes} holes, {events} events");
        rounds_with_holes += holes;
    }
    assert!(rounds_with_holes > 0, "nothing was let go");
}

#[test]
fn a_disk_that_fills_while_the_oldest_goes_leaves_what_was_committed() {
    let directory = directory();
    let mount = directory.path().join("mount");
    fs::create_dir(&mount).expect("a directory");
    if namespaces_or_skip().is_none() {
        return;
    }
    for size in [256, 300, 360, 420, 500, 1600] {
        let inner = format!(
            "exec unshare --user --map-root-user --mount sh -c \
             'mount -t tmpfs -o size={size}k none \"$0\" && exec \"$@\"' {}",
            mount.display()
        );
        let told = Child::start("turn over", &mount.join("x.ftrec"), &inner).output();
        assert!(told.contains("READ ") && !told.contains("READ 0 "), "{size}: {told}");
        let is_full = told.contains("the disk is full") || told.contains("free some space");
        assert!(is_full || told.contains("LET GO"), "{size}: {told}");
        // With room for the file and its log, a recording within bounds never ends.
        assert!(size < 1600 || !told.contains("TOLD"), "{size}: {told}");
    }
}

#[test]
fn a_full_disk_ends_the_recording_with_a_way_out_and_keeps_what_was_written() {
    for blocks in [160, 400, 1000] {
        let directory = directory();
        let path = directory.path().join("x.ftrec");
        // Unless it is ignored, the signal for a file that grows too large would end the writer.
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec");
        let told = Child::start("fill", &path, &limited).output();
        assert!(told.contains("TOLD failed to write") && told.contains("HINT"), "{blocks}: {told}");
        assert!(!read_prefix(&path).is_empty(), "{blocks}: {told}");
    }
}

#[test]
fn a_disk_without_space_is_named_as_the_cause() {
    let directory = directory();
    let mount = directory.path().join("mount");
    fs::create_dir(&mount).expect("a directory");
    if namespaces_or_skip().is_none() {
        return;
    }
    for size in [256, 600, 1024] {
        let inner = format!(
            "exec unshare --user --map-root-user --mount sh -c \
             'mount -t tmpfs -o size={size}k none \"$0\" && exec \"$@\"' {}",
            mount.display()
        );
        let told = Child::start("fill", &mount.join("x.ftrec"), &inner).output();
        assert!(told.contains("the disk is full") || told.contains("free some space"), "{size}: {told}");
        assert!(told.contains("READ ") && !told.contains("READ 0 "), "{size}: {told}");
    }
}

#[test]
fn files_are_private_whatever_the_umask() {
    for umask in ["0", "0777", "022"] {
        let directory = directory();
        let path = directory.path().join("x.ftrec");
        let told = Child::start("modes", &path, &format!("umask {umask}; exec")).output();
        assert!(told.contains("MODES x.ftrec-shm:600 x.ftrec-wal:600 x.ftrec:600"), "{umask}: {told}");
        assert_eq!(mode_of(&path), 0o600);
    }
}

#[test]
fn what_stands_at_the_place_is_left_alone() {
    let directory = directory();
    let (victim, link) = (directory.path().join("victim"), directory.path().join("link.ftrec"));
    fs::write(&victim, "precious").expect("written");
    std::os::unix::fs::symlink(&victim, &link).expect("linked");
    for path in [&victim, &link] {
        let refused = Writer::create(&Place::File(path.clone()), sample::now()).err().expect("refused");
        assert!(refused.to_string().contains("exists already") && refused.hint().is_some(), "{refused}");
    }
    assert_eq!(fs::read_to_string(&victim).expect("is there"), "precious");
}

#[test]
fn many_writers_of_one_name_get_a_file_each() {
    let directory = directory();
    let place = Place::Directory { directory: directory.path().into(), name: "api".into() };
    let writers: Vec<_> = (0..20)
        .map(|_| {
            let place = place.clone();
            std::thread::spawn(move || write(&place, &events(3)))
        })
        .collect();
    let mut paths: Vec<_> = writers.into_iter().map(|writer| writer.join().expect("writes")).collect();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 20);
    for path in paths {
        assert_eq!(read_whole(&path), events(3));
    }
}

#[test]
fn a_recording_in_a_place_that_cannot_be_written_is_read_and_nothing_is_left_beside() {
    let directory = directory();
    let path = write(&Place::File(directory.path().join("x.ftrec")), &events(9));
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o500)).expect("set");
    assert_eq!(read_whole(&path), events(9));
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).expect("set");
    assert_eq!(fs::read_dir(directory.path()).expect("lists").count(), 1);
}

#[test]
fn a_session_and_its_replay_export_the_same_bytes() {
    let directory = directory();
    let live = events(30);
    let path = write(&Place::File(directory.path().join("x.ftrec")), &live);
    let export = |events: &[Event]| {
        let mut session = Session::default();
        for event in events {
            session.ingest(event);
        }
        let span = session.timeline().span().expect("has windows");
        let profiles = session.profiles(Range::Span(span), &Scope::All);
        assert!(!profiles.is_empty());
        let target = session.sources()[0].target.clone().expect("attached");
        let mut bytes = Vec::new();
        for profile in &profiles {
            Pprof.write(&Export::new(profile, &target), &mut bytes).expect("writes");
        }
        bytes
    };
    assert_eq!(export(&live), export(&read_whole(&path)));
}

#[test]
fn every_window_opens_in_go_tool_pprof_with_its_totals() {
    let go = require_go!();
    let directory = directory();
    let written = events(4);
    let path = write(&Place::File(directory.path().join("x.ftrec")), &written);
    let blobs = sample::pprof_blobs(&path);
    let windows = written.iter().filter_map(|event| match &event.feed {
        Feed::Window(profile) => Some(profile),
        _ => None,
    });
    let pprof = GoPprof::new(go);
    for (blob, window) in blobs.iter().zip(windows) {
        let file = directory.path().join("window.pb.gz");
        fs::write(&file, blob).expect("writes");
        let raw = pprof.raw(&file);
        for (column, kind) in window.kinds.iter().enumerate() {
            assert_eq!(raw.total(&format!("{}/{}", kind.name, kind.unit.as_str())), window.total(column));
        }
    }
    assert_eq!(blobs.len(), 4);
}
