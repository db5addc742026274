//! Made-up events, and recordings of them.

use flametop::feed::{Event, Feed, Note, NoteLevel, SourceId, Status, TargetInfo};
use flametop::gauges::{Gauge, GaugeBatch};
use flametop::profile::{
    Frame, FrameKind, Moment, Nanos, Profile, ProfileLane, ProfileNode, Run, Sampling, Span, Thread,
    ValueKind,
};
use flametop::record::{Place, Reader, Writer};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Moment(i64::try_from(since.as_nanos()).expect("before 2262"))
}

/// A window of one second with `depth` times eight functions.
pub fn window(second: i64, depth: u32) -> Profile {
    let frames: Vec<Frame> = (0..depth * 8)
        .map(|at| Frame::at(&format!("function{at}"), "/srv/api.js", at + 1, 3, FrameKind::Js))
        .collect();
    let mut nodes = vec![ProfileNode { parent: 0, frame: 0 }];
    nodes.extend((1..=depth * 8).map(|at| ProfileNode { parent: at / 2, frame: at - 1 }));
    let with_values: Vec<u32> = (1..nodes.len() as u32).filter(|at| at % 3 != 0).collect();
    let samples: Vec<i64> = with_values.iter().map(|at| i64::from(*at) + second).collect();
    let runs =
        with_values.iter().map(|node| Run { node: *node, offset: u64::from(*node) * 1000, length: 900 });
    Profile {
        kinds: vec![ValueKind::samples(), ValueKind::cpu()],
        span: Span {
            start: Moment(1_700_000_000_000_000_000 + second * 1_000_000_000),
            length: Nanos::from_secs(1),
        },
        covered: Nanos::from_secs(1),
        sampling: Sampling { period_name: "cpu".into(), period: 1_000_000, taken: 9, ..Sampling::default() },
        lanes: vec![ProfileLane {
            thread: Thread { pid: 1, tid: 1, name: "main".into() },
            columns: vec![samples.clone(), samples.iter().map(|count| count * 1_000_000).collect()],
            nodes: with_values.clone(),
            lines: with_values.iter().map(|node| (*node, 7, 1)).collect(),
            runs: runs.collect(),
            runs_dropped: 0,
        }],
        frames,
        nodes,
        notes: vec!["a note".into()],
    }
}

/// A target, its state, and seconds of windows, gauges and a mark.
pub fn events(seconds: i64) -> Vec<Event> {
    let target = TargetInfo { name: "api.js".into(), kind: "Node".into(), ..TargetInfo::default() };
    let mut feeds = vec![Feed::Attached(target), Feed::Status(Status::default())];
    for second in 0..seconds {
        let values = vec![(Gauge::Rss, 1e8 + second as f64), (Gauge::CpuProcess, 0.5)];
        feeds.push(Feed::Gauges(GaugeBatch { at: Moment(second), values }));
        feeds.push(Feed::Window(Box::new(window(second, 20))));
    }
    feeds.push(Feed::Note(Note { level: NoteLevel::Mark, text: "deploy".into() }));
    let stamp = |(at, feed)| Event { source: SourceId(0), at: Moment(at as i64 * 1_000_000_000), feed };
    feeds.into_iter().enumerate().map(stamp).collect()
}

pub fn write(place: &Place, events: &[Event]) -> PathBuf {
    let mut writer = Writer::create(place, now()).expect("creates");
    for event in events {
        writer.append(event).expect("appends");
        writer.commit().expect("commits");
    }
    let path = writer.path().to_owned();
    writer.finish().expect("finishes");
    path
}

pub fn read_whole(path: &Path) -> Vec<Event> {
    let mut reader = Reader::open(path).expect("opens");
    assert!(reader.about().finished);
    std::iter::from_fn(|| reader.next_event()).map(|event| event.expect("is whole")).collect()
}

/// The windows as other tools get them, by the query of the documentation.
pub fn pprof_blobs(path: &Path) -> Vec<Vec<u8>> {
    let connection = rusqlite::Connection::open(path).expect("opens");
    let mut statement = connection.prepare("SELECT pprof FROM windows ORDER BY seq").expect("is SQL");
    let blobs = statement.query_map([], |row| row.get(0)).expect("runs");
    blobs.collect::<Result<_, _>>().expect("are blobs")
}
