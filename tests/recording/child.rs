//! A process that writes a recording: this test program again, told by its environment what to do.

#![expect(clippy::print_stdout, reason = "the parent reads what is said")]

use crate::sample::{events, now, window};
use crate::support::wait::poll;
use flametop::feed::{Event, Feed, SourceId};
use flametop::gauges::{Gauge, GaugeBatch};
use flametop::record::{Bounds, Place, Reader, RecordError, Writer};
use flametop::sink::{Offer, Plan, Recorder, RecorderReport, Sink};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

const ROLE: &str = "FLAMETOP_TEST_ROLE";
const PLACE: &str = "FLAMETOP_TEST_PLACE";

pub struct Child {
    process: std::process::Child,
}

impl Child {
    /// Starts it; `before` is shell in front of its command, ending with `exec`.
    pub fn start(role: &str, path: &Path, before: &str) -> Self {
        let program = std::env::current_exe().expect("has a path");
        let command = format!("{before} {} --exact child::plays_its_role --nocapture", program.display());
        let process = Command::new("sh")
            .args(["-c", &command])
            .env(ROLE, role)
            .env(PLACE, path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("sh runs");
        Self { process }
    }

    pub fn runs(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// SIGKILL: no chance to close anything.
    pub fn kill(mut self) {
        self.process.kill().expect("is killed");
        self.process.wait().expect("is collected");
    }

    /// What it said, once it has ended.
    pub fn output(self) -> String {
        let output = self.process.wait_with_output().expect("ends");
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Does nothing when it is run as a test.
#[test]
fn plays_its_role() {
    let (Some(role), Some(path)) = (std::env::var_os(ROLE), std::env::var_os(PLACE)) else { return };
    let path = PathBuf::from(path);
    match role.to_str() {
        Some("record") => record(path, Bounds::default(), 600, Duration::from_millis(2)),
        Some("keep") => record(path, bounded(), 600, Duration::from_millis(2)),
        Some("fill") => fill(path, Bounds::default(), 2000),
        Some("turn over") => fill(path, bounded(), 120),
        Some("modes") => modes(&path),
        role => panic!("no role is named {role:?}"),
    }
}

/// Bounds that are reached within a fraction of a second, and from then on at every commit.
fn bounded() -> Bounds {
    Bounds { max_bytes: 130_000, ..Bounds::default() }
}

/// Records a window of 50 ms after each ten gauges, as fast as `pace`, for `windows` windows.
fn record(path: PathBuf, bounds: Bounds, windows: i64, pace: Duration) {
    let (tell, reports) = sync_channel(100_000);
    let report = move |report| tell.send(report).expect("the test listens");
    let mut recorder = Box::new(
        Recorder::start(Plan { path: Some(path), bounds, ..Plan::default() }, now(), &[], report)
            .expect("starts"),
    );
    'all: for second in 0..windows {
        let gauges = |_| Feed::Gauges(GaugeBatch { at: now(), values: vec![(Gauge::Rss, second as f64)] });
        let window = Feed::Window(Box::new(window(second, 20)));
        for feed in (0..10).map(gauges).chain([window]) {
            let event = Event { source: SourceId(0), at: now(), feed };
            if recorder.offer(&Arc::new(event)) == Offer::Over {
                break 'all;
            }
            poll(pace, || None::<()>);
        }
    }
    recorder.finish(Duration::from_secs(20));
    for report in reports {
        if let RecorderReport::Failed(error) = report {
            println!("TOLD {error}\nHINT {}", error.hint().unwrap_or_default());
        }
    }
}

/// Records, until the disk has had enough if it is small, then reads what is there.
fn fill(path: PathBuf, bounds: Bounds, windows: i64) {
    record(path.clone(), bounds, windows, Duration::from_millis(1));
    let mut reader = Reader::open(&path).expect("opens");
    let mut read = 0;
    while let Some(event) = reader.next_event() {
        match event {
            Ok(_) => read += 1,
            Err(RecordError::LetGo { .. }) => println!("LET GO"),
            Err(error) => panic!("{error}"),
        }
    }
    println!("READ {read} events");
}

fn modes(path: &Path) {
    let mut writer = Writer::create(&Place::File(path.into()), now()).expect("creates");
    for event in events(2) {
        writer.append(&event).expect("appends");
    }
    writer.commit().expect("commits");
    let directory = fs::read_dir(path.parent().expect("has one")).expect("lists");
    let mode = |entry: fs::DirEntry| {
        let mode = entry.metadata().expect("is there").permissions().mode() & 0o7777;
        format!("{}:{mode:o}", entry.file_name().to_string_lossy())
    };
    let mut modes: Vec<String> = directory.flatten().map(mode).collect();
    modes.sort();
    println!("MODES {}", modes.join(" "));
    writer.finish().expect("finishes");
}
