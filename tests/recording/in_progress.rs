//! A recording that is being written: everybody may read it, and nobody waits for anybody.

use crate::child::Child;
use crate::support::program::flametop;
use crate::support::wait::wait_for;
use crate::{SOON, directory};
use flametop::record::Reader;
use std::path::Path;

/// Events that can be read now.
fn count(path: &Path) -> usize {
    let Ok(mut reader) = Reader::open(path) else { return 0 };
    std::iter::from_fn(|| reader.next_event()).flatten().count()
}

#[test]
fn a_recording_in_progress_is_exported_and_summed_up_and_said_to_be_one() {
    let directory = directory();
    let path = directory.path().join("x.ftrec");
    let mut child = Child::start("record", &path, "exec");
    wait_for("some windows", SOON, || count(&path) > 60);
    for args in [&["export", "x.ftrec", "-o", "x.folded"][..], &["top", "x.ftrec"]] {
        let ended = flametop(args, directory.path(), SOON);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stderr.contains("is still being written"), "{}", ended.stderr);
        assert!(child.runs());
    }
    child.kill();
    let ended = flametop(&["export", "x.ftrec", "-o", "y.folded"], directory.path(), SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("was not closed"), "{}", ended.stderr);
}

#[test]
fn neither_side_waits_for_the_other() {
    let directory = directory();
    let path = directory.path().join("x.ftrec");
    let mut child = Child::start("keep", &path, "exec");
    wait_for("some windows", SOON, || count(&path) > 20);
    // Somebody who looks at it with another tool, and forgets to leave.
    let other = rusqlite::Connection::open(&path).expect("opens");
    other.execute_batch("BEGIN").expect("begins");
    let newest = |connection: &rusqlite::Connection| {
        let sql = "SELECT max(seq) FROM windows";
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("reads")
    };
    let held = newest(&other);
    let mut reader = Reader::open(&path).expect("opens");
    let mut events = 0;
    wait_for("news", SOON, || {
        events += std::iter::from_fn(|| reader.next_event()).flatten().count();
        let third = rusqlite::Connection::open(&path).expect("opens");
        events > 200 && newest(&third) > held + 100
    });
    assert_eq!(newest(&other), held, "what one looks at does not change under one's eyes");
    assert!(child.runs());
    assert_eq!(reader.about().being_written, Some(true));
    child.kill();
    assert_eq!(reader.about().being_written, Some(false));
}
