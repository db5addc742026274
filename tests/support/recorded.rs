//! Recordings of the made-up world, for commands that read files.

use flametop::feed::Feed;
use flametop::profile::{FrameKind, Moment, Profile};
use flametop::record::{Place, Writer};
use flametop::source::synthetic::{START, events};
use std::path::Path;

/// Records `seconds` of the made-up world of that seed.
pub fn record_world(path: &Path, seed: u64, seconds: u64) {
    let mut writer = Writer::create(&Place::File(path.into()), START).expect("the directory is ours");
    for event in events(seed, seconds) {
        writer.append(&event).expect("appends");
    }
    writer.finish().expect("finishes");
}

/// The CPU time, without idle time, of the windows that lie between two seconds of the world, in nanoseconds.
pub fn cpu_between(seed: u64, seconds: u64, from: i64, to: i64) -> i64 {
    let second = |s: i64| Moment(START.0 + s * 1_000_000_000);
    let windows = events(seed, seconds).into_iter().filter_map(|event| match event.feed {
        Feed::Window(profile) => Some(profile),
        _ => None,
    });
    windows
        .filter(|profile| profile.span.start >= second(from) && profile.span.end() <= second(to))
        .filter_map(|profile| Some(busy(&profile, profile.kind("cpu")?)))
        .sum()
}

fn busy(profile: &Profile, column: usize) -> i64 {
    let is_idle =
        |node: u32| profile.frames[profile.nodes[node as usize].frame as usize].kind == FrameKind::Idle;
    let values = profile.lanes.iter().flat_map(|lane| lane.nodes.iter().zip(&lane.columns[column]));
    values.filter(|(node, _)| !is_idle(**node)).map(|(_, value)| *value).sum()
}
