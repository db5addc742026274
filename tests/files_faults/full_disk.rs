//! A full disk under the screen: the recording stops with a message, the live view goes on.

use crate::SOON;
use crate::faults::tally;
use crate::support::pty::{Pty, PtyCommand};
use crate::support::runtimes::namespaces_or_skip;
use crate::support::wait::poll;
use flametop::feed::Feed;
use flametop::record::Reader;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// The demo in the real terminal, its working directory a disk of its own of so many KiB.
fn demo_on_disk(mount: &TempDir, kib: u32) -> Pty {
    let inner = format!("mount -t tmpfs -o size={kib}k none \"$0\" && cd \"$0\" && exec \"$@\"");
    let mount = mount.path().to_string_lossy();
    let unshare = ["--user", "--map-root-user", "--mount", "sh", "-c", &inner, &mount];
    let demo = [env!("CARGO_BIN_EXE_flametop"), "demo", "--window", "100ms", "--record=x.ftrec"];
    PtyCommand::program("unshare", &[&unshare[..], &demo[..]].concat()).size(200, 40).start()
}

/// The disk as seen from outside while the program runs.
fn seen_from_outside(pty: &Pty, mount: &TempDir) -> PathBuf {
    let inside = mount.path().strip_prefix("/").expect("it is absolute");
    Path::new(&format!("/proc/{}/root", pty.pid())).join(inside)
}

/// The windows of a recording on that disk, all of it whole.
fn windows(disk: &Path) -> usize {
    let copy = tempfile::tempdir().expect("there is room for a directory");
    for entry in fs::read_dir(disk).expect("the disk can be listed").flatten() {
        fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("the disk can be read");
    }
    let mut reader = Reader::open(&copy.path().join("x.ftrec")).expect("it is a recording");
    let events = std::iter::from_fn(|| reader.next_event()).map(|event| event.expect("it is whole"));
    events.filter(|event| matches!(event.feed, Feed::Window(_))).count()
}

#[test]
fn a_full_disk_stops_the_recording_and_the_screen_goes_on() {
    if namespaces_or_skip().is_none() {
        return;
    }
    let mount = tempfile::tempdir().expect("there is room for a directory");
    let mut pty = demo_on_disk(&mount, 300);
    pty.wait_for_text("REC", SOON);
    pty.wait_for_text("the disk is full", SOON);
    assert!(pty.shows("x.ftrec") && pty.shows("free some space"), "{}", pty.screen());
    pty.wait_for_no_text("REC", SOON);
    let disk = seen_from_outside(&pty, &mount);
    assert!(windows(&disk) > 0, "nothing of the recording is left");
    for _ in 0..3 {
        let before = pty.screen();
        pty.wait_for_screen("the next window", SOON, |screen| screen != before);
    }
    // Whatever room is left, an export has none. This write fails halfway, as it should.
    let _ = fs::write(disk.join("filler"), vec![0; 1 << 20]);
    // A window without samples has nothing to export, so one key may not do.
    let refused = (0..10).any(|_| {
        pty.send("w");
        poll(Duration::from_secs(2), || pty.shows("No space left").then_some(())).is_some()
    });
    assert!(refused && pty.shows(".cpu.pb.gz"), "{}", pty.screen());
    let names = crate::faults::names_in(&disk);
    assert!(names.iter().all(|name| !name.contains(".part") && !name.contains(".pb.gz")), "{names:?}");
    pty.send("q");
    assert_eq!(pty.wait_exit(SOON).exit_code(), 0);
    pty.assert_given_back();
    // The recording and the export.
    tally(2, 2);
}
